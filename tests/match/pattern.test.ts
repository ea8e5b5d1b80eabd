// Regular expressions of the configuration: the same answers as V8's own on what both know, a fault in a sentence for
// what RE2 does not, and steps in proportion to the value where V8's would be exponential.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkPattern, patternOf } from '../../lib/match/pattern.ts';
import { stepsOf } from '../support/step-count.ts';

describe('patternOf', () => {
  it.each([
    ['crit|page', 'page', true],
    ['crit|page', 'pager', false],
    ['rit', 'crit', false],
    ['', '', true],
    ['.*', '', true],
    ['.+', '', false],
    ['^crit$', 'crit', true],
    ['(?i)crit', 'CRIT', true],
    ['prod-[0-9]{2,3}', 'prod-007', true],
    ['prod-[0-9]{2,3}', 'prod-7', false],
    ['\\p{L}+', 'größe', true],
    ['.', '😀', true],
  ])('%s on %j: %s', (text, value, expected) => {
    expect(patternOf(text)(value)).toBe(expected);
  });

  it('takes a line break for any other character, so that nobody gets past a condition with one', () => {
    expect(patternOf('dev.*')('dev\nprod')).toBe(true);
    expect(patternOf('dev')('dev\n')).toBe(false);
  });

  it('throws for what checkPattern refuses, when it is used', () => {
    const pattern = patternOf('(');

    expect(() => pattern('a')).toThrow(expect.objectContaining({ code: 'pattern_invalid' }));
  });

  it('says of every text what V8 says', () => {
    const piece = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '[a-c]', '\\d', '\\w', '\\.', '-', 'ä', '\\S');
    const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
      pattern: fc.oneof(
        { maxDepth: 4, withCrossShrink: true },
        piece,
        fc.tuple(tie('pattern'), tie('pattern')).map((both) => both.join('')),
        fc.tuple(tie('pattern'), tie('pattern')).map((both) => `(?:${both.join('|')})`),
        fc
          .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{2}', '{0,2}', '{1,}', '*?', '+?'))
          .map(([inner, times]) => `(${inner})${times}`),
      ),
    }));
    const value = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '.', '-', '7', 'ä', '\n', '😀'), maxLength: 8 });

    fc.assert(
      fc.property(pattern, value, fc.constantFrom('', 'i'), (text, given, flag) => {
        const ours = patternOf(flag === 'i' ? `(?i)${text}` : text);
        const theirs = new RegExp(`^(?:${text})$`, `su${flag}`);

        expect(ours(given)).toBe(theirs.test(given));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['(a+)+', 'b'],
    ['(a|a)*', 'b'],
    ['(a|aa)+', 'b'],
    ['(a*)*c', ''],
    ['(.*a){12}', 'b'],
    ['(a?){30}a{30}', 'b'],
    ['(x|a+)+y\\b', '!'],
  ])('takes steps in proportion to the value: %s', async (text, end) => {
    const pattern = patternOf(text);
    pattern('a');
    const value = 'a'.repeat(20_000) + end;

    const steps = await stepsOf('re2js', () => pattern(value));

    // Three to five as a rule; a second look at each of the characters before would be thousands.
    expect(steps / value.length).toBeGreaterThan(0.1);
    expect(steps / value.length).toBeLessThan(50);
  });
});

describe('checkPattern', () => {
  it.each(['', 'a|b', '(?i)a', '(?P<name>a)', '[[:alpha:]]', '\\pL', 'a{1000}', '^(?:a)$'])('lets %j pass', (text) => {
    expect(checkPattern(text)).toBeNull();
  });

  it.each([
    ['(', 'missing closing )'],
    ['[a', 'missing closing ]'],
    ['*', 'missing argument to repetition operator'],
    ['a{1001}', 'invalid repeat count'],
    ['(a{1000}){1000}', 'invalid repeat count'],
    ['(?=a)', 'invalid or unsupported Perl syntax'],
    ['(?<!a)b', 'invalid'],
    ['(a)\\1', 'invalid escape sequence'],
  ])('says in one sentence what is wrong with %j', (text, words) => {
    expect(checkPattern(text)).toContain(words);
  });

  it('refuses what nests too deeply to be read, and quotes only the beginning', () => {
    const fault = checkPattern('('.repeat(5_000) + ')'.repeat(5_000));

    expect(fault).toMatch(/^"\(+…" is not a regular expression of RE2: expression nests too deeply$/);
    expect(fault?.length).toBeLessThan(300);
  });

  it('has an answer for any text, and what it lets pass can be used on any value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (text, value) => {
        const fault = checkPattern(text);

        expect(fault === null ? typeof patternOf(text)(value) : fault).toEqual(expect.any(String));
      }),
    );
  });
});

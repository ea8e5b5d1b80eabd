// From the text of a file to its faults: the right lines, all at once, and nothing thrown but ConfigError.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { alertStorm } from '../../lib/config/defaults.ts';
import { checkConfig, readConfig } from '../../lib/config/file.ts';
import { ConfigError } from '../../lib/errors.ts';
import { faultsOf, smallFile } from '../support/config-text.ts';

const full = readFileSync('tests/fixtures/autopilot.yml', 'utf8');
const empty = 'projects: {}\ntargets: {}\njobs: {}\n';

describe('every fault at once, each with its line', () => {
  it('shows all of more than twenty faults, in the order of their lines', () => {
    const faults = faultsOf(readFileSync('tests/fixtures/twenty-faults.yml', 'utf8'), 'conf/autopilot.yml');

    expect(faults.map((fault) => fault.replace('conf/autopilot.yml:', ''))).toEqual([
      '1: stage: expected up to 20 lower-case letters, digits and hyphens',
      '2: operators.alice.may: required',
      '6: projects.staging.projectId: expected the id of the project: 8 to 64 letters and digits',
      '8: projects.staging.endpoint: http is allowed on loopback only (127.0.0.0/8, localhost, [::1]); use https',
      '10: projects.staging.credentials.aksk: expected the name of a secret, such as env:DEPLOY_HOOK_SECRET, ssm:/path or secretsmanager:name, and never the secret itself',
      '11: projects.staging.timeout: expected a duration such as 90s, 30m, 2h or 7d (whole, above 0, at most 365d)',
      '14: targets.caches.project: there is no project of this name (did you mean `staging`?)',
      "18: targets.caches.ids[1]: expected an instance's id, such as 5560df16-cebf-4473-95c4-d1b573c16e79",
      '19: targets.nothing: selects by nothing; write names: ["*"] for the whole project',
      '22: jobs.nightly.guards: a scheduled flush must state its own guards: maxInstances or maxPercent',
      expect.stringMatching(/^27: jobs\.nightly\.trigger\.schedule\.cron: day of month and day of week are both set/),
      '28: jobs.nightly.trigger.schedule.timezone: "Mars" is not a time zone of the IANA database, such as Europe/Berlin',
      '29: jobs.nightly.trigger.schedule.startDeadline: expected a duration of at least 10m, such as 30m or 2h',
      '31: jobs.nightly.waves.canary: expected a count such as 1, or a share such as 10% (1% to 100%)',
      '34: jobs.nightly.waves.sizes: unknown key (did you mean `size`?)',
      '35: jobs.nightly: duplicate key, first on line 22',
      '37: jobs.Hook: expected a name of up to 40 lower-case letters, digits and hyphens that starts with a letter',
      '38: jobs.Hook.action: expected restart, soft_restart or flush',
      '39: jobs.Hook.target: there is no target of this name',
      '41: jobs.Hook.trigger.webhook.events: required with auth: github',
      '45: jobs.Hook.trigger.webhook.secrets[1]: expected the name of a secret, such as env:DEPLOY_HOOK_SECRET, ssm:/path or secretsmanager:name, and never the secret itself',
      '46: jobs.Hook.retry: expected a mapping (key: value)',
      '47: jobs.empty: expected a mapping (key: value)',
      '49: defaults.verify.settle: `settle` (7200s) is longer than `timeout` (1800s), counting the defaults',
    ]);
  });

  it.each([
    ['a value on the line after its key', 'stage:\n  Prod\n', 2, 'stage'],
    ['a key whose value is on the next line, where the key is wrong', 'stages:\n  prod\n', 1, 'stages'],
    ['a list where a text is wanted', 'stage:\n  - prod\n', 1, 'stage'],
    ['an item of a list in one line', 'notify: [7]\n', 1, 'notify[0]'],
    ['a name with odd letters, in quotes and on one line', '"a\\nb.c": 1\n', 1, '["a\\nb.c"]'],
    ['what an alias stands for', 'defaults: {enabled: &a perhaps, dryRun:\n\n *a}\n', 1, 'defaults.dryRun'],
  ])('%s', (_, text, line, path) => {
    const faults = faultsOf(text + empty);

    expect(faults).toContainEqual(expect.stringContaining(`autopilot.yml:${line}: ${path}: `));
  });

  it('a missing key is told at the line of what it is missing from', () => {
    const faults = faultsOf(`${empty.replace('jobs: {}', 'jobs:\n  one:\n\n    action: restart\n    target: t')}`);

    expect(faults).toContain('autopilot.yml:4: jobs.one.trigger: required');
  });

  it('a duplicate key is told each time, and what stands first is read on', () => {
    const faults = faultsOf('stage: a\nstage: b\nstage: c\nprojects: {}\ntargets: {}\njobs: {x: 1, x: 2}\n');

    expect(faults).toEqual([
      'autopilot.yml:2: stage: duplicate key, first on line 1',
      'autopilot.yml:3: stage: duplicate key, first on line 1',
      'autopilot.yml:6: jobs.x: duplicate key, first on line 6',
      'autopilot.yml:6: jobs.x: expected a mapping (key: value)',
    ]);
  });
});

describe('what is no configuration at all', () => {
  it.each([
    ['an empty file', '', 1, 'the file is empty'],
    ['only comments', '# nothing\n\n# here\n', 1, 'the file is empty'],
    ['only a marker', '---\n', 1, 'the file is empty'],
    ['a list', '- a\n- b\n', 1, 'expected a mapping (key: value)'],
    ['a text', 'hello\n', 1, 'expected a mapping (key: value)'],
    ['null', 'null\n', 1, 'the file is empty'],
    ['two documents', `${empty}---\n${empty}`, 4, 'the file holds more than one YAML document'],
    ['a quote that is never closed', 'stage: a\nprojects: "x\n', 3, 'Missing closing "quote'],
    ['a tab as indentation', 'projects:\n\ta: 1\n', 2, 'Tabs are not allowed as indentation'],
    ['an alias without an anchor', `${empty}defaults: *gone\n`, 4, 'an alias (*) without its anchor (&)'],
    ['a tag', `stage: !env STAGE\n${empty}`, 1, 'a tag (!) that is not known; put text that starts with ! in quotes'],
    ['a key that is a list', `${empty}? [a]\n: 1\n`, 4, 'a key must be plain text'],
    ['YAML 1.1, where yes is true', `%YAML 1.1\n---\n${empty}`, 1, 'YAML 1.1 is not supported; remove the directive'],
    ['more than 1 MiB', `${empty}#${'ü'.repeat(512 * 1024)}\n`, 1, 'the file is larger than 1 MiB'],
    ['brackets without end', '['.repeat(200_000), 1, 'the values are nested too deeply'],
    ['lists in lists without end', '- '.repeat(100_000), 1, 'the values are nested too deeply'],
    ['mappings without end', '{a: '.repeat(100_000), 1, 'the values are nested too deeply'],
    ['keys without end', '? '.repeat(100_000), 1, 'the values are nested too deeply'],
    ['deep nesting', `stage: ${'['.repeat(40)}${']'.repeat(40)}\n`, 1, 'the values are nested too deeply'],
    ['too many values', `stage: [${'1,'.repeat(200_001)}]\n`, 1, 'the file holds more than 200000 values'],
    ['an alias of itself', `stage: &a [*a]\n${empty}`, 1, 'the values are nested too deeply'],
    ['many aliases', `stage: [&a x${', *a'.repeat(101)}]\n${empty}`, 1, 'more than 100 aliases'],
  ])('%s', (_, text, line, message) => {
    const faults = faultsOf(text);

    expect(faults).toContainEqual(expect.stringMatching(new RegExp(`^autopilot\\.yml:${line}: .*: `)));
    expect(faults.join('\n')).toContain(message);
  });

  it('a small text whose aliases stand for a million values', () => {
    const levels = 'bcdefg'.split('').map((name, at) => `${name}: &${name} [${`*${'abcdef'[at]},`.repeat(10)}]`);
    const text = `a: &a [1,2,3,4,5,6,7,8,9,10]\n${levels.join('\n')}\n`;

    expect(faultsOf(text).join('\n')).toContain('more than 100 aliases');
  });

  it('what could not be read is told once, not again as a wrong value', () => {
    expect(faultsOf(`${empty}stage: *gone\n`)).toEqual(['autopilot.yml:4: stage: an alias (*) without its anchor (&)']);
  });
});

describe('what is read', () => {
  it('JSON, and a file with a byte order mark or Windows line ends', () => {
    const json = JSON.stringify(smallFile);

    expect(Object.keys(readConfig(json, 'autopilot.json').jobs)).toEqual(['flush', 'hook']);
    expect(readConfig(`\uFEFF${full}`, 'autopilot.yml')).toEqual(readConfig(full, 'autopilot.yml'));
    expect(readConfig(full.replaceAll('\n', '\r\n'), 'autopilot.yml')).toEqual(readConfig(full, 'autopilot.yml'));
  });

  it('aliases, as what they stand for', () => {
    const text = full
      .replace('retry: {maxAttempts: 3,', 'retry: &patient {maxAttempts: 3,')
      .replace('retry: {maxAttempts: 4}', 'retry: *patient');

    const config = readConfig(text, 'a');

    expect(config.jobs['weekly-restart']?.retry).toEqual({ maxAttempts: 3, baseDelay: 1, maxDelay: 120, for: 7200 });
  });

  it('the counts of everything in the file, used or not', () => {
    expect(checkConfig(full, 'a').counts).toEqual({ projects: 3, targets: 3, jobs: 5 });
    expect(checkConfig(empty, 'a')).toEqual({
      config: { stage: 'prod', projects: {}, operators: [], sources: {}, alertStorm, notify: [], jobs: {} },
      counts: { projects: 0, targets: 0, jobs: 0 },
    });
  });

  it('plain numbers and booleans as they are written, where a tag is wanted, and nowhere else', () => {
    const tags = '{a: 0x1F, b: 1e3, c: True, d: 007, e: -0, f: .5}';
    const text = full.replace('{env: staging, tier: 1, release: 1.10, cache: true}', tags);

    const config = readConfig(text, 'a');

    expect(config.jobs['nightly-flush']?.target.tags).toEqual({
      a: '0x1F',
      b: '1e3',
      c: 'True',
      d: '007',
      e: '-0',
      f: '.5',
    });
    expect(faultsOf(text.replace('maxAttempts: 4', 'maxAttempts: "4"'))).toHaveLength(1);
  });
});

describe('any text at all', () => {
  const tokens = fc.constantFrom(
    '*a',
    '&a ',
    '!x ',
    '- ',
    ': ',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '\n',
    '  ',
    '\t',
    '? ',
    '| ',
    '# ',
    '%',
    '---\n',
    '<<: ',
    '__proto__: ',
    'null',
    '\u0000',
    '\u2028',
    '\uD800',
  );
  const mutation = fc.tuple(fc.nat(full.length), fc.nat(30), fc.oneof(tokens, fc.string({ unit: 'binary' })));

  it.each([
    ['a string', fc.string({ unit: 'binary' })],
    ['tokens', fc.array(tokens, { maxLength: 40 }).map((list) => list.join(''))],
    ['JSON', fc.json()],
    ['a broken configuration', fc.array(mutation, { minLength: 1, maxLength: 4 }).map(broken)],
  ])('throws nothing but ConfigError: %s', (_, texts) => {
    fc.assert(
      fc.property(texts, (text) => {
        const faults = faultsOf(text);

        expect(faults.every((fault) => /^autopilot\.yml:\d+: .+: .+$/.test(fault))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('is a ConfigError with the code config_invalid', () => {
    expect(() => readConfig('', 'a')).toThrow(ConfigError);
    expect(() => readConfig('', 'a')).toThrow(expect.objectContaining({ code: 'config_invalid' }));
  });

  function broken(mutations: readonly [number, number, string][]): string {
    return mutations.reduce((text, [at, length, insert]) => text.slice(0, at) + insert + text.slice(at + length), full);
  }
});

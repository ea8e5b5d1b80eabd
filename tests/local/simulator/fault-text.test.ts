// A fault that is written in a few signs is the fault that was meant, and what is not understood is refused.

import { describe, expect, it } from '@jest/globals';
import { faultHelp, readFault } from '../../../lib/local/simulator/fault-text.ts';
import { type CallFault, noCalls } from '../../../lib/local/simulator/script.ts';

const one = '00000000-0000-4000-8000-000000000001';
const two = '00000000-0000-4000-8000-000000000002';
const drop = { kind: 'drop', applies: false } as const;

describe('a fault in a few signs', () => {
  it.each<[string, CallFault]>([
    ['drop', { on: 'all', answer: drop }],
    ['drop-after', { on: 'all', answer: { kind: 'drop', applies: true } }],
    ['500', { on: 'all', answer: { kind: 'error', status: 500, applies: false } }],
    ['504-after', { on: 'all', answer: { kind: 'error', status: 504, applies: true } }],
    ['429@reads', { on: 'reads', answer: { kind: 'error', status: 429, applies: false } }],
    ['DCS.5006-after', { on: 'all', answer: { kind: 'error', status: 500, code: 'DCS.5006', applies: true } }],
    ['APIGW.0203', { on: 'all', answer: { kind: 'error', status: 504, code: 'APIGW.0203', applies: false } }],
    ['late-40s@list', { on: 'list', answer: { kind: 'delay', ms: 40_000 } }],
    ['late-250ms', { on: 'all', answer: { kind: 'delay', ms: 250 } }],
    ['204', { on: 'all', answer: { kind: 'empty' } }],
    ['malformed', { on: 'all', answer: { kind: 'malformed' } }],
    ['truncated', { on: 'all', answer: { kind: 'truncated' } }],
    ['lockout', { on: 'all', answer: { kind: 'lockout' } }],
    ['failed', { on: 'act', answer: { kind: 'entries', each: 'failed' } }],
    ['omitted', { on: 'act', answer: { kind: 'entries', each: 'omitted' } }],
    ['ignored', { on: 'act', answer: { kind: 'entries', each: 'ignored' } }],
    ['5%:drop', { on: 'all', share: 0.05, answer: drop }],
    ['0.5%#7:drop', { on: 'all', share: 0.005, seed: 7, answer: drop }],
    ['2:drop@act', { on: 'act', nth: [2], answer: drop }],
    ['2,4:drop@show', { on: 'show', nth: [2, 4], answer: drop }],
    ['10s..40s:drop', { on: 'all', period: { from: 10_000, for: 30_000 }, answer: drop }],
    ['10s..1m:20%:drop', { on: 'all', period: { from: 10_000, for: 50_000 }, share: 0.2, answer: drop }],
    [`drop@${one}`, { on: 'all', instances: [one], answer: drop }],
    [`drop@act+${one}+${two}`, { on: 'act', instances: [one, two], answer: drop }],
  ])('%s', (text, expected) => {
    expect(readFault(text)).toEqual(expected);
  });

  it.each<[string, string]>([
    ['', '"" is no fault'],
    ['explode', '"explode" is no fault'],
    ['200', '"200" is no fault'],
    ['600', '"600" is no fault'],
    ['DCS.9999', '"DCS.9999" is no fault'],
    ['late-soon', '"late-soon" is no fault'],
    ['5%', '"5%" is no fault'],
    ['101%:drop', '"101%" is neither'],
    ['0:drop', '"0" is neither'],
    ['40s..10s:drop', '"40s..10s" is neither'],
    ['1s..2s..3s:drop', '"1s..2s..3s" is neither'],
    ['often:drop', '"often" is neither'],
    ['drop@everywhere', '"everywhere" is no kind of call and no id'],
    ['drop@act+list', '"list" is no kind of call and no id'],
    ['drop@act@list', 'a fault has one @ at most'],
    ['10s..10s:drop', '"10s..10s" is neither'],
    ['5%:10%:drop', '"10%" says again what was said before'],
    ['2:3:drop', '"3" says again what was said before'],
    ['failed@list', '"failed" is for status calls: act or all'],
    ['5%:omitted@reads', '"omitted" is for status calls: act or all'],
  ])('%s is refused', (text, expected) => {
    expect(readFault(text)).toContain(expected);
  });

  it('is explained with every kind of call', () => {
    for (const name of Object.keys(noCalls)) expect(faultHelp).toContain(name);
  });
});

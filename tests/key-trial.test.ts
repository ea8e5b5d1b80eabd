// What is known of an access key, and what a call with it may do then.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { adviceOn, afterTry, fingerprintOf, refusedTrial, type Trial, type Verdict } from '../lib/key-trial.ts';

const start = Date.parse('2026-11-23T02:00:00Z');
const minute = 60_000;
const problem = { class: 'auth', code: 'APIGW.0301', message: 'Incorrect IAM authentication information' } as const;
const refusal = { status: 'refused', problem } as const;

describe('a key', () => {
  it('that nobody knows is tried by one call, for which the others wait', () => {
    const advice = adviceOn(undefined, start);

    expect(advice).toMatchObject({ kind: 'try', trial: { status: 'trying' } });
    if (advice.kind === 'try') expect(adviceOn(advice.trial, start + minute)).toEqual({ kind: 'wait' });
  });

  it('whose trial never ended is tried by another call after two minutes', () => {
    const lost: Trial = { status: 'trying', at: start, nextAt: start + 2 * minute, code: '' };

    expect(adviceOn(lost, start + 2 * minute)).toMatchObject({ kind: 'try', trial: { nextAt: start + 4 * minute } });
  });

  it('that was accepted is used', () => {
    const good = afterTry({ status: 'trying', at: start, nextAt: start + minute, code: '' }, 'good', start);

    expect(adviceOn(good, start)).toEqual({ kind: 'go' });
  });

  it('that was refused is not used, and the problem says since when, why and until when', () => {
    const advice = adviceOn(refusedTrial(problem, start), start + minute);

    expect(advice).toMatchObject({ kind: 'stop', problem: { class: 'auth', code: 'credentials_rejected' } });
    const message = advice.kind === 'stop' ? advice.problem.message : '';
    expect(message).toContain('2026-11-23T02:00:00.000Z (APIGW.0301)');
    expect(message).toContain('2026-11-23T02:10:00.000Z');
  });

  it('that was refused is told with the id of the request that found it out', () => {
    const advice = adviceOn(refusedTrial({ ...problem, requestId: 'req-1' }, start), start + minute);

    expect(advice).toMatchObject({ problem: { message: expect.stringContaining('(APIGW.0301, request req-1)') } });
  });

  it('that was refused is tried again by one call after ten minutes', () => {
    const advice = adviceOn(refusedTrial(problem, start), start + 10 * minute);

    expect(advice).toMatchObject({ kind: 'try', trial: { status: 'refused', nextAt: start + 20 * minute } });
  });

  it.each<[string, Verdict]>([
    ['an answer that says nothing', 'open'],
    ['a wrong clock', { status: 'skewed', problem: { ...problem, code: 'clock_skew' } }],
  ])('may be tried at once after %s, unless it was refused before', (_name, verdict) => {
    const trying: Trial = { status: 'trying', at: start, nextAt: start + 2 * minute, code: '' };
    const refused = { ...refusedTrial(problem, start - 10 * minute), nextAt: start + 10 * minute };

    expect(adviceOn(afterTry(trying, verdict, start + 1), start + 1).kind).toBe('try');
    expect(adviceOn(afterTry(refused, verdict, start + 1), start + 1).kind).toBe('stop');
  });

  it.each<[string, Trial]>([
    ['is tried', { status: 'trying', at: start, nextAt: start + 60 * minute, code: '' }],
    ['was refused', { status: 'refused', at: start, nextAt: start + 60 * minute, code: 'APIGW.0301' }],
  ])('that %s by a process far ahead of us is not left alone until its time has come', (_name, trial) => {
    expect(adviceOn(trial, start)).toMatchObject({ kind: 'try' });
  });

  it('that is wrong is tried at most once in ten minutes, whatever is asked when', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 * minute }), { maxLength: 200 }), (pauses) => {
        let trial: Trial | undefined;
        let now = start;
        let tries = 0;
        for (const pause of pauses) {
          now += pause;
          const advice = adviceOn(trial, now);
          if (advice.kind === 'try') {
            tries += 1;
            trial = afterTry(advice.trial, refusal, now);
          }
        }
        expect(tries).toBeLessThanOrEqual(1 + (now - start) / (10 * minute));
      }),
    );
  });
});

describe('a fingerprint', () => {
  const secrets = ['EXAMPLEACCESSKEY0001', 'ExampleSecretKey/0001'];

  it('differs for every other secret and project, and holds 32 bits', () => {
    const prints = [
      fingerprintOf('project#a', secrets),
      fingerprintOf('project#b', secrets),
      fingerprintOf('project#a', ['EXAMPLEACCESSKEY0001', 'ExampleSecretKey/0002']),
      fingerprintOf('project#a', [...secrets, 'token']),
    ];

    expect(new Set(prints).size).toBe(4);
    for (const print of prints) expect(print).toMatch(/^[0-9a-f]{8}$/);
  });
});

// A rate limit lets through what it promises, and not one call more.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Fleet } from '../../../lib/local/simulator/fleet.ts';
import { type RateLimit, Throttle } from '../../../lib/local/simulator/throttle.ts';
import type { Switches } from '../../../lib/local/simulator/unknowns.ts';
import { wireError } from '../../../lib/local/simulator/wire-errors.ts';

const start = Date.parse('2026-11-23T12:00:00Z');
const bucket: RateLimit = { kind: 'bucket', calls: 2, per: 1_000, burst: 3 };
const fixed: RateLimit = { kind: 'window', calls: 2, per: 1_000 };

/** Which of the calls at these offsets (milliseconds) pass. */
function passed(limit: RateLimit, offsets: readonly number[]): string {
  const throttle = new Throttle(limit);
  return offsets.map((offset) => (throttle.take(start + offset) === 0 ? 'y' : 'n')).join('');
}

describe('a rate limit', () => {
  it.each<[string, RateLimit, readonly number[], string]>([
    ['a bucket holds its burst', bucket, [0, 0, 0, 0], 'yyyn'],
    ['a bucket fills evenly', bucket, [0, 0, 0, 499, 500, 500, 1_000], 'yyynyny'],
    ['a bucket holds no more than its burst', bucket, [0, 60_000, 60_000, 60_000, 60_000], 'yyyyn'],
    ['a window counts anew', fixed, [0, 0, 0, 999, 1_000, 1_000, 1_000], 'yynnyyn'],
    ['two windows may meet', fixed, [998, 999, 1_000, 1_001, 1_002], 'yyyyn'],
  ])('%s', (_, limit, offsets, expected) => {
    expect(passed(limit, offsets)).toBe(expected);
  });

  it.each<[string, RateLimit, number]>([
    ['bucket', bucket, 400],
    ['window', fixed, 900],
  ])('of a %s tells how long to wait, after which a call passes', (_, limit, expected) => {
    const throttle = new Throttle(limit);
    for (let count = 0; count < 3; count += 1) throttle.take(start);
    const wait = throttle.take(start + 100);

    expect(wait).toBe(expected);
    expect(throttle.take(start + 100 + wait)).toBe(0);
  });

  it('never lets more through than its burst and its rate', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 80 });
    fc.assert(
      fc.property(gaps, fc.constantFrom(bucket, fixed), (list, limit) => {
        let at = 0;
        const offsets = list.map((gap) => (at += gap));

        const count = passed(limit, offsets).replaceAll('n', '').length;

        const windows = Math.floor(at / limit.per) + 1;
        const most = limit.kind === 'window' ? windows * limit.calls : 3 + (at / limit.per) * limit.calls;
        expect(count).toBeLessThanOrEqual(most);
      }),
    );
  });
});

describe('a fleet with a rate limit', () => {
  function throttled(limit: RateLimit, retryAfter: Switches['retryAfter']) {
    const instances = [{ id: '00000000-0000-4000-8000-000000000001', name: 'stg-cache-01' }];
    const fleet = new Fleet({ instances, now: () => start, rate: limit, switches: { retryAfter } });
    const ids = ['00000000-0000-4000-8000-000000000001'];
    const replies = [1, 2, 3].map(() => fleet.act({ action: 'flush', instances: ids }));
    return { fleet, last: replies.at(-1) };
  }

  it.each<[Switches['retryAfter'], number | string | undefined]>([
    ['none', undefined],
    ['seconds', 30],
    ['date', 'Mon, 23 Nov 2026 12:00:30 GMT'],
  ])('answers 429, and Retry-After: %s', (setting, expected) => {
    const { last } = throttled({ kind: 'bucket', calls: 2, per: 60_000 }, setting);

    const error = { status: 429, code: 'APIGW.0308', message: expect.stringContaining('limit:2,time:60 second') };
    expect(last).toMatchObject({ kind: 'error', error });
    expect(last?.kind === 'error' && last.error.retryAfter).toBe(expected);
  });

  it('has another one for IAM, with the code of IAM', () => {
    const fleet = new Fleet({ instances: [], now: () => start, iamRate: { kind: 'window', calls: 1, per: 5_000 } });
    const replies = (['token', 'token', 'list'] as const).map((route) => fleet.refuse(route, wireError('DCS.5000')));

    const error = { status: 429, code: 'IAM.0012', message: expect.stringContaining('1 times per 5 seconds') };
    expect(replies).toMatchObject([{ error: { status: 500 } }, { error }, { error: { status: 500 } }]);
  });

  it('applies nothing of what it refuses, and counts it as a call', () => {
    const { fleet } = throttled({ kind: 'window', calls: 0, per: 1_000 }, 'none');

    expect([fleet.log(), fleet.calls().act, fleet.sent('00000000-0000-4000-8000-000000000001')]).toEqual([[], 3, 0]);
  });
});

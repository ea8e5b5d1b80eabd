// The rate of a project as a value: what may go when, and what a 429 makes of it.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Bucket, freshBucket, near, patienceOf, rateOf, reserve, spread, throttle } from '../lib/rate.ts';

const start = Date.parse('2026-11-23T02:00:00Z');

/** What may happen to a bucket: so many calls are wanted, or one that was sent a while ago got a 429. */
const happening = fc.oneof(
  fc.record({ after: fc.integer({ min: 0, max: 5_000 }), calls: fc.integer({ min: 1, max: 60 }) }),
  fc.record({
    after: fc.integer({ min: 0, max: 5_000 }),
    age: fc.integer({ min: 0, max: 2_000 }),
    retryAfter: fc.constantFrom(0, 0, 0, 1, 30, 10_000),
  }),
);
const configuredRate = fc.integer({ min: 1, max: 1000 });

/** Plays happenings and shows each bucket to `see`. */
function play(
  happenings: readonly (typeof happening extends fc.Arbitrary<infer T> ? T : never)[],
  configured: number,
  see: (bucket: Bucket, now: number, places: readonly number[]) => void,
): void {
  let bucket = freshBucket;
  let now = start;
  for (const each of happenings) {
    now += each.after;
    let places: readonly number[] = [];
    if ('calls' in each) ({ bucket, places } = reserve(bucket, each.calls, configured, now));
    else bucket = throttle(bucket, configured, { sentAt: now - each.age, now, retryAfter: each.retryAfter });
    see(bucket, now, places);
  }
}

describe('the rate', () => {
  it('is the configured one until a 429 comes', () => {
    expect(rateOf(freshBucket, 10, start)).toBe(10);
  });

  it('falls to 0.85 of itself with a 429, and rises by a twentieth of itself a second', () => {
    const bucket = throttle(freshBucket, 10, { sentAt: start, now: start });

    expect(rateOf(bucket, 10, start)).toBeCloseTo(8.5);
    expect(rateOf(bucket, 10, start + 1000)).toBeCloseTo(8.925);
    expect(rateOf(bucket, 10, start + 60_000)).toBe(10);
  });

  it('is not cut twice for calls that were under way together', () => {
    const first = throttle(freshBucket, 10, { sentAt: start, now: start + 50 });
    const second = throttle(first, 10, { sentAt: start + 20, now: start + 60 });

    expect(second.cut).toEqual(first.cut);
  });

  it('is what the configuration of the latest call allows, and no more than 429s have left', () => {
    const bucket = throttle(freshBucket, 100, { sentAt: start, now: start });

    expect([10, 50, 100, 200].map((configured) => rateOf(bucket, configured, start))).toEqual([10, 50, 85, 85]);
  });

  it('is never above the configured one, never below the slowest, and never falls but for a 429', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), configuredRate, (happenings, configured) => {
        play(happenings, configured, (bucket, now) => {
          const rates = [0, 1, 1000, 60_000, 600_000].map((later) => rateOf(bucket, configured, now + later));
          expect(rates).toEqual(rates.toSorted((a, b) => a - b));
          expect(Math.min(...rates)).toBeGreaterThanOrEqual(0.2);
          expect(Math.max(...rates)).toBeLessThanOrEqual(configured);
        });
      }),
    );
  });
});

describe('places', () => {
  it('let a burst through at once, and then one call per gap', () => {
    const { places } = reserve(freshBucket, 7, 4, start);

    expect(places.map((place) => Math.max(0, place - start))).toEqual([0, 0, 0, 0, 250, 500, 750]);
  });

  it('are not given as long as the first free one is not near', () => {
    const { bucket } = reserve(freshBucket, 20, 10, start);

    expect(reserve(bucket, 5, 10, bucket.next - near - 1).places).toEqual([]);
    expect(reserve(bucket, 5, 10, bucket.next - near).places).toHaveLength(5);
  });

  it('of a whole second are there again after a pause, and no more', () => {
    const { bucket } = reserve(freshBucket, 10, 10, start);
    const { places } = reserve(bucket, 12, 10, start + 3600_000);

    expect(places.filter((place) => place <= start + 3600_000)).toHaveLength(10);
  });

  it('begin at the end of a Retry-After, and one by one', () => {
    const bucket = throttle(freshBucket, 10, { sentAt: start, now: start, retryAfter: 30 });

    expect(reserve(bucket, 2, 10, start + 29_000).places).toEqual([]);
    expect(Math.min(...reserve(bucket, 2, 10, start + 30_000).places)).toBe(start + 30_000);
  });

  it.each([
    ['years', start * 2],
    ['half an hour', start + 1800_000],
  ])('do not wait for a time that only a clock that was %s ahead has seen', (_name, next) => {
    expect(reserve({ next, cut: null }, 1, 10, start).places).toHaveLength(1);
  });

  it('do not wait for the end of a hold that only a clock that was days ahead has heard of', () => {
    const later = start + 48 * 3600_000;
    const spoilt = throttle(freshBucket, 10, { sentAt: later, now: later, retryAfter: 30 });

    expect(reserve(spoilt, 1, 10, start).places).toHaveLength(1);
  });

  it('are never reserved for longer than a minute ahead, however many are asked for', () => {
    const { places, bucket } = reserve(freshBucket, 1_000, 0.2, start);

    expect(places.length).toBe(12);
    expect(bucket.next).toBeLessThanOrEqual(start + 60_000);
  });

  it('wait for the longest Retry-After of several calls, also where they were sent before the first came back', () => {
    const first = throttle(freshBucket, 10, { sentAt: start, now: start, retryAfter: 30 });
    const second = throttle(first, 10, { sentAt: start, now: start, retryAfter: 900 });

    expect(reserve(second, 1, 10, start + 899_000).places).toEqual([]);
    expect(reserve(second, 1, 10, start + 900_000).places).toHaveLength(1);
  });

  it('come back within an hour after a Retry-After of a year', () => {
    const spoilt = throttle(freshBucket, 10, { sentAt: start, now: start, retryAfter: 31_536_000 });

    const { bucket } = reserve(spoilt, 1, 10, start);

    expect(bucket.next).toBeLessThanOrEqual(start + 3600_000);
    expect(reserve(bucket, 1, 10, start + 3600_000).places).toHaveLength(1);
  });

  it('are given once, in order, never before their turn, and never more than burst and rate allow in any span', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), configuredRate, (happenings, configured) => {
        const all: number[] = [];
        play(happenings, configured, (bucket, now, places) => {
          for (const place of places) expect(place).toBeGreaterThanOrEqual(now - patienceOf(configured) * 5);
          all.push(...places);
          expect(bucket.next).toBeGreaterThanOrEqual(places.at(-1) ?? bucket.next);
        });
        const gaps = all.slice(1).map((place, i) => place - (all[i] ?? 0));
        expect(Math.min(...gaps, 1000 / configured)).toBeGreaterThanOrEqual(1000 / configured - 1e-3);
      }),
    );
  });

  it('that were given before a cut move apart after it, and are gone after a Retry-After', () => {
    const places = [start - 100, start, start + 85, start + 170];

    expect(spread(places, { sentAt: start, now: start })).toEqual([start - 100, start, start + 100, start + 200]);
    expect(spread(places, { sentAt: start, now: start, retryAfter: 1 })).toEqual([]);
  });
});

// The rate of calls, with a clock that only moves where somebody sleeps.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Pace } from '../../lib/huawei/pace.ts';

/** A clock, a sleep that moves it, and how long each sleep was. */
function virtualTime(start = 1_000_000) {
  const sleeps: number[] = [];
  let time = start;
  return {
    sleeps,
    now: () => time,
    pass: (ms: number) => {
      time += ms;
    },
    sleep: async (ms: number) => {
      sleeps.push(ms);
      time += ms;
    },
  };
}

describe('Pace', () => {
  it('lets a burst through at once and then one call per gap', async () => {
    const time = virtualTime();
    const pace = new Pace({ callsPerSecond: 4, ...time });

    for (let call = 0; call < 7; call += 1) await pace.enter();

    expect(time.sleeps).toEqual([250, 250, 250]);
  });

  it('fills up again while nobody calls, to no more than the burst', async () => {
    const time = virtualTime();
    const pace = new Pace({ callsPerSecond: 2, ...time });

    for (let call = 0; call < 2; call += 1) await pace.enter();
    time.pass(60_000);
    for (let call = 0; call < 3; call += 1) await pace.enter();

    expect(time.sleeps).toEqual([500]);
  });

  it('lets calls that come together through one after the other, in their order', async () => {
    const waits: number[] = [];
    const sleep = async (ms: number) => {
      waits.push(ms);
    };
    const pace = new Pace({ callsPerSecond: 1, now: () => 0, sleep });

    await Promise.all([pace.enter(), pace.enter(), pace.enter()]);

    expect(waits).toEqual([1000, 2000]);
  });

  it.each([
    [0.5, [2000, 2000]],
    [1, [1000, 1000]],
  ])('lets at least one call through at once at %d calls per second', async (callsPerSecond, sleeps) => {
    const time = virtualTime();
    const pace = new Pace({ callsPerSecond, ...time });

    for (let call = 0; call < 3; call += 1) await pace.enter();

    expect(time.sleeps).toEqual(sleeps);
  });

  it('never lets more than the burst and the rate allow through in any span of time', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 60 }),
        async (callsPerSecond, pauses) => {
          const time = virtualTime();
          const pace = new Pace({ callsPerSecond, ...time });
          const sent: number[] = [];

          for (const pause of pauses) {
            time.pass(pause);
            await pace.enter();
            sent.push(time.now());
          }

          const excess = sent.flatMap((from, first) =>
            sent.slice(first).map((to, more) => more + 1 - callsPerSecond - ((to - from) * callsPerSecond) / 1000),
          );
          expect(Math.max(...excess)).toBeLessThanOrEqual(1e-6);
        },
      ),
    );
  });

  it('does not wait for a signal that was aborted before', async () => {
    const time = virtualTime();
    const pace = new Pace({ callsPerSecond: 1, ...time });

    for (let call = 0; call < 3; call += 1) await pace.enter(AbortSignal.abort());

    expect(time.sleeps).toEqual([]);
  });

  it('ends a wait quietly when its signal is aborted', async () => {
    const controller = new AbortController();
    const sleep = async () => {
      controller.abort();
      throw new Error('aborted');
    };
    const pace = new Pace({ callsPerSecond: 1, now: () => 0, sleep });

    await pace.enter(controller.signal);

    await expect(pace.enter(controller.signal)).resolves.toBeUndefined();
  });

  it('does not hide a sleep that is broken', async () => {
    const sleep = () => Promise.reject(new Error('broken sleep'));
    const pace = new Pace({ callsPerSecond: 1, now: () => 0, sleep });

    await pace.enter();

    await expect(pace.enter()).rejects.toThrow('broken sleep');
  });
});

// The turns of calls, with a clock that only moves where everybody waits.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { OwnBucket, SharedBucket } from '../../lib/huawei/bucket.ts';
import { Pace } from '../../lib/huawei/pace.ts';
import { MemoryLog } from '../support/memory-log.ts';
import { MemoryState } from '../support/memory-state.ts';
import { SlowState } from '../support/slow-state.ts';
import { VirtualTime } from '../support/virtual-time.ts';

/** A pace on a clock of its own. `enter` tells the ms from the beginning at which a call was let through. */
function started(configured: number) {
  const time = new VirtualTime();
  const begun = time.now();
  const pace = new Pace({ now: time.now, sleep: time.sleep });
  const enter = async (): Promise<number> => {
    await pace.enter(configured);
    return Math.round(time.now() - begun);
  };
  return { time, pace, enter };
}

/** Runs the works one after the other. */
async function inTurn<T>(count: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let nth = 0; nth < count; nth += 1) results.push(await work());
  return results;
}

describe('Pace', () => {
  it('lets a burst through at once and then one call per gap', async () => {
    const { time, enter } = started(4);

    expect(await time.play(inTurn(7, enter))).toEqual([0, 0, 0, 0, 250, 500, 750]);
  });

  it('lets calls that come together through one after the other, in their order', async () => {
    const { time, enter } = started(1);

    expect(await time.play(Promise.all([enter(), enter(), enter()]))).toEqual([0, 1000, 2000]);
  });

  it('ends a hold where the clock was put back since', async () => {
    const time = new VirtualTime();
    let ahead = 24 * 3600_000;
    const pace = new Pace({ now: () => time.now() + ahead, sleep: time.sleep });
    const sentAt = time.now() + ahead;
    await pace.throttled(1, { sentAt, now: sentAt, retryAfter: 30 });
    ahead = 0;
    const begun = time.now();

    expect(await time.play(pace.enter(1))).toBe(0);
    expect(time.now() - begun).toBeLessThanOrEqual(1000);
  });

  it('fills up again while nobody calls, to no more than the burst', async () => {
    const { time, enter } = started(2);

    const calls = inTurn(2, enter)
      .then(() => time.sleep(60_000))
      .then(() => inTurn(3, enter));

    expect(await time.play(calls)).toEqual([60_000, 60_000, 60_500]);
  });

  it('never lets more than the burst and the rate allow through in any span of time', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 40 }),
        async (configured, pauses) => {
          const { time, pace } = started(configured);
          const sent: number[] = [];
          const calls = async (): Promise<void> => {
            for (const pause of pauses) {
              await time.sleep(pause);
              await Promise.all([pace.enter(configured), pace.enter(configured)]);
              sent.push(time.now(), time.now());
            }
          };

          await time.play(calls());

          const excess = sent.flatMap((from, first) =>
            sent.slice(first).map((to, more) => more + 1 - configured - ((to - from) * configured) / 1000),
          );
          // Two calls are noted when the second is through.
          expect(Math.max(...excess)).toBeLessThanOrEqual(1 + 1e-6);
        },
      ),
    );
  });

  it('waits for no turn where the signal was aborted before', async () => {
    const pace = new Pace({ now: () => 0, sleep: () => Promise.reject(new Error('no sleep')) });

    expect(await inTurn(3, () => pace.enter(1, AbortSignal.abort()))).toEqual([0, 0, 0]);
  });

  it('ends a wait quietly when its signal is aborted', async () => {
    const controller = new AbortController();
    const sleep = async () => {
      controller.abort();
      throw new Error('aborted');
    };
    const pace = new Pace({ now: () => 0, sleep });
    await pace.enter(1, controller.signal);

    await expect(pace.enter(1, controller.signal)).resolves.toBe(0);
  });

  it('does not hide a sleep that is broken', async () => {
    const pace = new Pace({ now: () => 0, sleep: () => Promise.reject(new Error('broken sleep')) });
    await pace.enter(1);

    await expect(pace.enter(1)).rejects.toThrow('broken sleep');
  });

  it('holds back whoever waits for its place when a Retry-After comes', async () => {
    const { time, pace, enter } = started(1);
    await enter();
    const waiting = Promise.all([enter(), enter()]);

    await pace.throttled(1, { sentAt: time.now(), now: time.now(), retryAfter: 10 });

    const [first = 0, second = 0] = await time.play(waiting);
    expect(first).toBeGreaterThanOrEqual(10_000);
    expect(second).toBeGreaterThan(first);
  });

  it('sends away whoever would have to wait for long', async () => {
    const { time, pace } = started(10);
    await pace.throttled(10, { sentAt: time.now(), now: time.now(), retryAfter: 300 });

    expect(await time.play(pace.enter(10))).toBe(300);
  });
});

describe('the shared bucket', () => {
  const key = { pk: 'project#p', sk: 'rate' };

  /** A state that fails where `isAway` says so, and what was asked of it. */
  class FlakyState extends MemoryState {
    asked = 0;
    writes = 0;
    isAway = false;

    override async get(...args: Parameters<MemoryState['get']>) {
      this.asked += 1;
      if (this.isAway) throw new Error('no answer');
      return super.get(...args);
    }

    override async updateIf(...args: Parameters<MemoryState['updateIf']>) {
      this.writes += 1;
      return super.updateIf(...args);
    }
  }

  function sharing(state: MemoryState, time: VirtualTime, log = new MemoryLog()): Pace {
    return new Pace({
      bucket: new SharedBucket({ state, key, now: time.now, log }),
      now: time.now,
      sleep: time.sleep,
    });
  }

  it('gives one rate to all who share it', async () => {
    const state = new MemoryState();
    const time = new VirtualTime();
    const begun = time.now();
    const clients = Array.from({ length: 4 }, () => sharing(state, time));

    await time.play(Promise.all(clients.map((pace) => inTurn(50, () => pace.enter(10)))));

    // 10 at once and 190 at ten a second.
    expect(time.now() - begun).toBeGreaterThanOrEqual(19_000);
    expect(time.now() - begun).toBeLessThan(20_000);
  });

  it('is taken in blocks over a state that takes its time, too', async () => {
    const time = new VirtualTime();
    const state = new SlowState(time, 160);
    const pace = sharing(state, time);

    await time.play(inTurn(500, () => pace.enter(50)));

    expect(state.writes).toBeLessThan(50);
  });

  it('is written about twice a second by one that is busy, not once a call', async () => {
    const state = new FlakyState();
    const time = new VirtualTime();
    const pace = sharing(state, time);

    await time.play(inTurn(2_000, () => pace.enter(100)));

    expect(state.writes).toBeLessThan(50);
  });

  it('tells all who share it of a 429', async () => {
    const state = new MemoryState();
    const time = new VirtualTime();
    const [hearing, other] = [sharing(state, time), sharing(state, time)];

    await hearing.throttled(10, { sentAt: time.now(), now: time.now(), retryAfter: 60 });

    expect(await time.play(other.enter(10))).toBe(60);
  });

  it('goes to whoever asks next as the latest configuration says', async () => {
    const state = new MemoryState();
    const time = new VirtualTime();
    const begun = time.now();
    const [slow, fast] = [sharing(state, time), sharing(state, time)];

    await time.play(inTurn(3, () => slow.enter(1)));
    const slowly = time.now() - begun;
    await time.play(inTurn(21, () => fast.enter(10)));

    expect(slowly).toBe(2000);
    expect(time.now() - begun - slowly).toBeLessThanOrEqual(3000);
  });

  it('is each process’s own at the last known rate while the state is away, and is asked for again later', async () => {
    const state = new FlakyState();
    const log = new MemoryLog();
    const time = new VirtualTime();
    const begun = time.now();
    const pace = sharing(state, time, log);
    await pace.throttled(10, { sentAt: time.now(), now: time.now() });
    state.isAway = true;
    state.asked = 0;

    await time.play(inTurn(40, () => pace.enter(10)));

    expect(state.asked).toBe(1);
    expect(log.entries).toMatchObject([{ level: 'warn', facts: { project: 'project#p' } }]);
    // At ten calls a second from the first on it would be three; cut to 8.5, and with nothing saved up, it is longer.
    expect(time.now() - begun).toBeGreaterThan(4_000);
    expect(time.now() - begun).toBeLessThan(5_000);

    state.isAway = false;
    await time.play(time.sleep(30_000).then(() => inTurn(20, () => pace.enter(10))));
    expect(state.asked).toBeGreaterThan(1);
    expect(log.entries).toHaveLength(1);
  });

  it('is shared again at once where the clock was put back since', async () => {
    const state = new FlakyState();
    let now = 24 * 3600_000;
    const bucket = new SharedBucket({ state, key, now: () => now, log: new MemoryLog() });
    state.isAway = true;
    await bucket.change((before) => ({ bucket: before, value: null }));
    state.isAway = false;
    state.asked = 0;
    now = 0;

    await bucket.change((before) => ({ bucket: before, value: null }));

    expect(state.asked).toBe(1);
  });

  it('is left alone for a moment by whoever lost every race for it', async () => {
    const log = new MemoryLog();
    const time = new VirtualTime();
    class Contended extends MemoryState {
      override async putIfAbsent() {
        return false;
      }
    }
    const pace = sharing(new Contended(), time, log);

    expect(await time.play(pace.enter(10))).toBe(0);
    expect(log.entries).toMatchObject([{ level: 'warn' }]);
  });

  it('that was written by nobody starts like one’s own', async () => {
    const bucket = new SharedBucket({ state: new MemoryState(), key, now: () => 0, log: new MemoryLog() });

    expect(bucket.known).toEqual(new OwnBucket().known);
  });
});

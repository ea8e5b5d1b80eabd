// Clients of one project behind a gateway that throttles: what sharing the rate saves. Played on a clock of its own, so
// that the counts are the same every time.

import { describe, expect, it } from '@jest/globals';
import { type Buckets, OwnBucket, SharedBucket } from '../../lib/huawei/bucket.ts';
import { chance } from '../../lib/local/simulator/chance.ts';
import { MemoryLog } from '../support/memory-log.ts';
import { MemoryState } from '../support/memory-state.ts';
import { SlowState } from '../support/slow-state.ts';
import { type Throttling, throttlingOf } from '../support/throttled-project.ts';
import type { VirtualTime } from '../support/virtual-time.ts';

const four = { clients: 4, calls: 250, atOnce: 5, limit: 10, latency: 50, adapts: true, random: () => 0.5 };
const key = { pk: 'project#p', sk: 'rate' };
const own = (): Buckets => new OwnBucket();

/** One bucket for all clients. */
function shared(): Throttling['bucket'] {
  const state = new MemoryState();
  return ({ now }: VirtualTime) => new SharedBucket({ state, key, now, log: new MemoryLog() });
}

describe('four clients that share the rate', () => {
  it('meet no 429 where the configured rate is the right one', async () => {
    const { throttled, makespan, floor } = await throttlingOf({ ...four, configured: 10, bucket: shared() });

    expect(throttled).toEqual([0, 0, 0, 0]);
    expect(makespan).toBeLessThanOrEqual(floor * 1.05);
  });

  it.each([20, 50])(
    'need at most a tenth more calls than the fewest where %i are configured for 10',
    async (configured) => {
      const { calls, makespan, floor } = await throttlingOf({ ...four, configured, bucket: shared() });

      expect(calls).toBeLessThanOrEqual(1000 * 1.1);
      expect(makespan).toBeLessThanOrEqual(floor * 1.1);
    },
  );

  it('need far fewer calls than four that do not', async () => {
    const sharing = await throttlingOf({ ...four, configured: 20, bucket: shared() });
    const alone = await throttlingOf({ ...four, configured: 20, bucket: own });

    expect((alone.calls - 1000) / (sharing.calls - 1000)).toBeGreaterThan(3);
  });

  it('share it as well over a state that takes its time', async () => {
    let state: SlowState | undefined;
    let drawn = 0;
    const bucket = (time: VirtualTime): Buckets => {
      state ??= new SlowState(time, 20);
      return new SharedBucket({ state, key, now: time.now, log: new MemoryLog() });
    };
    const random = () => chance(7, drawn++);

    const { calls, makespan, floor } = await throttlingOf({ ...four, configured: 20, bucket, random });

    expect(calls).toBeLessThanOrEqual(1000 * 1.1);
    expect(makespan).toBeLessThanOrEqual(floor * 1.1);
    // About five a second for all four of them, lost races included.
    expect(state?.writes).toBeLessThan(500);
  });

  it('wait together where the gateway says for how long', async () => {
    const { calls, makespan, floor } = await throttlingOf({ ...four, configured: 20, retryAfter: 2, bucket: shared() });

    expect(calls).toBeLessThanOrEqual(1000 * 1.1);
    expect(makespan).toBeLessThanOrEqual(floor * 1.6);
  });
});

// A project behind a gateway that lets so many calls a second through and answers 429 to the others, and clients that
// want something of it: how many calls does it take them, and how long.

import type { Buckets } from '../../lib/huawei/bucket.ts';
import { Pace } from '../../lib/huawei/pace.ts';
import { VirtualTime } from './virtual-time.ts';

export interface Throttling {
  /** Clients, calls that each has to get through, and how many of them it makes at once. */
  readonly clients: number;
  readonly calls: number;
  readonly atOnce: number;
  /** Calls per second that the gateway lets through, that many of them at once; and what the clients are told. */
  readonly limit: number;
  readonly configured: number;
  /** Ms between a call and its answer. */
  readonly latency: number;
  /** Seconds that a 429 tells in its Retry-After. */
  readonly retryAfter?: number;
  /** The bucket of each client. */
  readonly bucket: (time: VirtualTime) => Buckets;
  /** Chance, 0 to 1. */
  readonly random: () => number;
  /** Whether the clients hear of 429s. */
  readonly adapts: boolean;
}

/** What it took. `floor`: ms that no clients can do without. */
export interface Took {
  readonly calls: number;
  readonly throttled: readonly number[];
  readonly makespan: number;
  readonly floor: number;
}

/** Plays it on a clock of its own. */
export async function throttlingOf(options: Throttling): Promise<Took> {
  const { clients, calls, limit, latency } = options;
  const time = new VirtualTime();
  const begun = time.now();
  const gateway = gatewayOf(limit, time.now);
  const each = Array.from({ length: clients }, () => client(options, gateway, time));
  const throttled = await time.play(Promise.all(each));
  const floor = (Math.max(0, clients * calls - limit) / limit) * 1000 + latency;
  const all = clients * calls + throttled.reduce((sum, some) => sum + some, 0);
  return { calls: all, throttled, makespan: time.now() - begun, floor };
}

/** A token bucket that holds a second's calls; a refused call takes nothing from it. */
function gatewayOf(limit: number, now: () => number): () => boolean {
  let tokens = limit;
  let at = now();
  return () => {
    tokens = Math.min(limit, tokens + ((now() - at) * limit) / 1000);
    at = now();
    if (tokens < 1 - 1e-9) return false;
    tokens -= 1;
    return true;
  };
}

/** 429s that it met until all its calls were through. */
async function client(options: Throttling, gateway: () => boolean, time: VirtualTime): Promise<number> {
  const { calls, atOnce, configured, latency, retryAfter, adapts } = options;
  const pace = new Pace({ bucket: options.bucket(time), now: time.now, sleep: time.sleep, random: options.random });
  let left = calls;
  let throttled = 0;
  const once = async (): Promise<boolean> => {
    const later = await pace.enter(configured);
    if (later > 0) return time.sleep(later * 1000).then(() => false);
    const sentAt = time.now();
    const isThrough = gateway();
    await time.sleep(latency);
    if (isThrough) return true;
    throttled += 1;
    if (adapts) await pace.throttled(configured, { sentAt, now: time.now(), retryAfter });
    return false;
  };
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      if (!(await once())) left += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return throttled;
}

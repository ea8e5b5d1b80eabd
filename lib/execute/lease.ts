// One operation for an instance at a time, over all jobs and doors: a lease for each instance, taken for a wave, checked
// again in the step of each send, and released when the wave is done. A holder that died loses its lease by time.

import * as v from 'valibot';
import { asJson } from '../record.ts';
import { day } from '../retention.ts';
import { forEach, type Item, type Key, type State } from '../state.ts';

/** How long a lease lasts without being renewed, in ms: longer than an invocation of a function. */
export const leaseTime = 20 * 60_000;

/** A lease that nobody has holds no run. `until`: ms since the epoch. */
const leaseSchema = v.object({ runId: v.nullable(v.string()), until: v.number() });

/** The leases of one run. */
export interface Leases {
  /**
   * Takes or keeps the leases of all `ids`, in their order: `t` it is ours, `r` it is ours and was that of a run which
   * died over it, `h` another run holds it, `c` it cools down and is given back (see cooldown.ts).
   */
  take(ids: readonly string[]): Promise<string>;
  /** Makes sure of leases that were taken before: `t` still ours, for the whole time again, `h` lost to another run. */
  keep(ids: readonly string[]): Promise<string>;
  /** Gives back whatever is ours. */
  release(ids: readonly string[]): Promise<void>;
}

/** The leases that `runId` takes. */
export function leasesOf(state: State, runId: string, now: () => number): Leases {
  const each = async (ids: readonly string[], work: (key: Key) => Promise<string>): Promise<string> => {
    return (await forEach(ids, (id) => work(keyOf(id)))).join('');
  };
  return {
    take: (ids) => each(ids, (key) => takeOne(state, key, runId, now())),
    keep: (ids) => each(ids, (key) => keepOne(state, key, runId, now())),
    release: async (ids) => void (await each(ids, (key) => releaseOne(state, key, runId, now()))),
  };
}

/** The run that works on an instance at this moment; null: none does. `now`: ms since the epoch. */
export async function holderOf(state: State, id: string, now: number): Promise<string | null> {
  const item = await state.get(keyOf(id));
  const lease = item === undefined ? null : v.parse(leaseSchema, item.value);
  return lease !== null && lease.until > now ? lease.runId : null;
}

async function takeOne(state: State, key: Key, runId: string, now: number): Promise<string> {
  for (;;) {
    const item = await state.get(key);
    const lease = item === undefined ? null : v.parse(leaseSchema, item.value);
    const isOurs = lease === null || lease.runId === null || lease.runId === runId;
    if (!isOurs && lease.until > now) return 'h';
    if (await write(state, key, item, { runId, until: now + leaseTime }, now)) return isOurs ? 't' : 'r';
  }
}

/** Ours even after its time, as long as nobody else took it: nobody can have acted in between. */
async function keepOne(state: State, key: Key, runId: string, now: number): Promise<string> {
  for (;;) {
    const item = await state.get(key);
    if (item === undefined || v.parse(leaseSchema, item.value).runId !== runId) return 'h';
    if (await write(state, key, item, { runId, until: now + leaseTime }, now)) return 't';
  }
}

async function releaseOne(state: State, key: Key, runId: string, now: number): Promise<string> {
  for (;;) {
    const item = await state.get(key);
    if (item === undefined || v.parse(leaseSchema, item.value).runId !== runId) return 'h';
    if (await write(state, key, item, { runId: null, until: 0 }, now)) return 't';
  }
}

type Lease = v.InferOutput<typeof leaseSchema>;

/** A lease may be forgotten a day after its time: whoever had it then has long been replaced, or has ended. */
function write(state: State, key: Key, item: Item | undefined, lease: Lease, now: number): Promise<boolean> {
  const options = { expiresAt: Math.max(lease.until, now) + day };
  const value = asJson(lease);
  return item === undefined
    ? state.putIfAbsent(key, value, options)
    : state.updateIf(key, item.version, value, options);
}

/** Without the project: ids of instances are UUIDs, and a project may be configured twice, with its id and without. */
function keyOf(id: string): Key {
  return { pk: `instance#${id}`, sk: 'lease' };
}

// Cool-downs: every success is noted for its instance, and a job with a cool-down leaves the instance alone for that
// long, whichever job it was that succeeded. So an alert that has not yet seen what was done does not do it again.

import * as v from 'valibot';
import type { Job } from '../config.ts';
import type { Leases } from '../execute/lease.ts';
import { asJson } from '../record.ts';
import { day } from '../retention.ts';
import { forEach, type Key, type State } from '../state.ts';

/** `at`: ms since the epoch. */
const successSchema = v.object({ at: v.number(), runId: v.string() });

/** Until when a job leaves an instance alone, ISO 8601 UTC; null: it does not. */
export async function readCoolsUntil(state: State, job: Job, id: string, now: number): Promise<string | null> {
  if (job.cooldown === 0) return null;
  const last = await readSuccess(state, id);
  const until = last === null ? 0 : last.at + job.cooldown * 1000;
  return until > now ? new Date(until).toISOString() : null;
}

/** The last success on an instance, whichever run it was; null: none is remembered. `at`: ms since the epoch. */
export async function readSuccess(state: State, id: string): Promise<{ at: number; runId: string } | null> {
  const item = await state.get(keyOf(id));
  return item === undefined ? null : v.parse(successSchema, item.value);
}

/** Notes that a run succeeded on an instance. It is kept for as long as any cool-down may last. */
export async function noteSuccess(state: State, id: string, runId: string, at: number): Promise<void> {
  await state.put(keyOf(id), asJson({ at, runId }), { expiresAt: at + longest });
}

/**
 * Leases that leave instances alone on which another run has succeeded meanwhile, that is since the plan was made: such
 * a one is given back at once, and its letter is `c`.
 */
export function sparing(leases: Leases, state: State, job: Job, runId: string, now: () => number): Leases {
  if (job.cooldown === 0) return leases;
  const cools = async (id: string): Promise<boolean> => {
    const last = await readSuccess(state, id);
    return last !== null && last.runId !== runId && last.at + job.cooldown * 1000 > now();
  };
  const take = async (ids: readonly string[]): Promise<string> => {
    const taken = await leases.take(ids);
    const cooling = await forEach(ids, cools);
    await leases.release(ids.filter((_, i) => cooling[i] === true && taken[i] !== 'h'));
    return [...taken].map((letter, i) => (cooling[i] === true && letter !== 'h' ? 'c' : letter)).join('');
  };
  return { ...leases, take };
}

/** Milliseconds. */
const longest = 366 * day;

function keyOf(id: string): Key {
  return { pk: `instance#${id}`, sk: 'success' };
}

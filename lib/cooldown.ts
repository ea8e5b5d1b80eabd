// Cool-downs: every success is noted for its instance, and a job with a cool-down leaves the instance alone for that
// long, whichever job it was that succeeded. So an alert that has not yet seen what was done does not do it again.

import * as v from 'valibot';
import type { Job } from './config.ts';
import { asJson } from './record.ts';
import { day } from './retention.ts';
import type { Key, State } from './state.ts';

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

/** Milliseconds. */
const longest = 366 * day;

function keyOf(id: string): Key {
  return { pk: `instance#${id}`, sk: 'success' };
}

// May the run go on at this moment: asked before it begins, after an approval, and in the step of each send, since
// somebody may have stopped, paused or closed it, or its window may have ended, in between.

import { lateStop } from '../episode/alerting.ts';
import { firstRefusal, momentGuards, type Refusal } from '../guards.ts';
import { type RunRecord, readRecord, type Stop } from '../record.ts';
import type { Desk } from '../report/keep.ts';
import { readFlags } from './flags.ts';

/** `hold`: not now, ask again later. `halt`: nothing more is sent. `closed`: the run is not this execution's any more. */
export type Verdict =
  | { readonly kind: 'go' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'hold' | 'halt'; readonly why: Refusal };

/** Looks at the run's record, the flags and the clock. */
export async function mayGoOn(record: RunRecord, execution: string, desk: Desk): Promise<Verdict> {
  const current = await readRecord(desk.state, record.runId);
  if (current?.status !== 'running' || current.execution !== execution) return { kind: 'closed' };
  const stop = await stopOf(current, desk);
  if (stop !== undefined) return { kind: 'halt', why: { code: stop.code, reason: `${stop.by}: ${stop.reason}` } };
  const refusal = await momentRefusal(record, desk);
  if (refusal === null) return { kind: 'go' };
  // A pause is lifted by whoever raised it; a window or a freeze would have to be waited for.
  return { kind: refusal.code === 'paused' ? 'hold' : 'halt', why: refusal };
}

/** Who wants the run to send nothing more: as it was said to it, or as an alert's episode says. */
export async function stopOf(record: RunRecord, { state }: Pick<Desk, 'state'>): Promise<Stop | undefined> {
  return record.stop ?? (await lateStop(state, record));
}

/** What speaks against working at this moment, whoever's the run is. */
export async function momentRefusal({ job, event }: RunRecord, desk: Desk): Promise<Refusal | null> {
  const flags = await readFlags(desk.state, job.project.name);
  return firstRefusal(momentGuards, { job, event, now: desk.now(), flags });
}

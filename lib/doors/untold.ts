// Runs that have ended while somebody still has to be told: those that never had an execution, and those whose execution
// died; and messages that belong to no run. A door waits for nobody, so their notice is sent by an execution of its own.

import { type RunRecord, readRecord, updateRecord } from '../record.ts';
import { listenersOf, type Message } from '../report/notice.ts';
import { post, postStatus, settlePost } from '../report/post.ts';
import type { Runtime } from '../runtime.ts';

/** A tick, as far as notices are concerned. */
export interface TellWork {
  readonly runtime: Pick<Runtime, 'config' | 'state' | 'executions' | 'log' | 'metrics'>;
  /** Milliseconds since the epoch. */
  readonly now: number;
  note(what: 'telling', runId: string): void;
  tellingsLeft(): number;
}

/** An execution that has just ended, or was just started, may not be listed yet. */
const absenceGrace = 10 * 60_000;

/** Whether a run has ended and its notice is still to be sent, by whomever. */
export function isUntold({ notice }: RunRecord): boolean {
  return notice === 'due';
}

/** Name of the execution that tells of a run: names have 64 characters at most, ids of runs 61. */
export function tellingName(runId: string): string {
  return `${runId}-n`;
}

/**
 * Has somebody told of a run that has ended, unless its own execution still does it. True: there is nothing left to do.
 * One whose notice could not be sent by an execution of its own either is given up.
 */
export async function tellOf(work: TellWork, runId: string): Promise<boolean> {
  const record = await readRecord(work.runtime.state, runId);
  if (record === undefined || !isUntold(record)) return true;
  if (await tellsItself(work, record)) return false;
  const name = tellingName(runId);
  const { executions } = work.runtime;
  const status = await executions.status(name);
  if (status === 'ended') return giveUp(work, runId);
  if (status === 'running' || work.tellingsLeft() <= 0) return false;
  await executions.start(runId, name);
  work.note('telling', runId);
  return false;
}

async function tellsItself({ runtime, now }: TellWork, record: RunRecord): Promise<boolean> {
  if (record.execution === undefined) return false;
  const status = await runtime.executions.status(record.runId);
  const age = now - Date.parse(record.finishedAt ?? record.createdAt);
  return status === 'running' || (status === 'absent' && age < absenceGrace);
}

/** Has a message told that belongs to no run, if anybody listens; once, however often it is posted. */
export async function tellPosted({ runtime, now }: TellWork, message: Message): Promise<void> {
  if (listenersOf(runtime.config, postStatus).length === 0) return;
  const name = await post(runtime.state, message, now);
  if (name !== null) await runtime.executions.tell(name);
}

/** Has a posted message told where that was not begun, and gives it up where it failed. */
export async function tendPost({ runtime }: TellWork, name: string): Promise<void> {
  const { executions, log, metrics, state } = runtime;
  const status = await executions.status(name);
  if (status === 'absent') await executions.tell(name);
  if (status !== 'ended' || !(await settlePost(state, name, 'lost'))) return;
  log.warn('notice lost', { notice: name, reason: 'its execution died' });
  metrics.count('NoticesLost', 1);
}

/** It notes what came of it before it ends: where that is missing, it died. */
async function giveUp({ runtime }: TellWork, runId: string): Promise<true> {
  const { log, metrics, state } = runtime;
  let isLost = false;
  await updateRecord(state, runId, (now) => {
    isLost = isUntold(now);
    return isLost ? { ...now, notice: 'lost' } : null;
  });
  if (!isLost) return true;
  log.warn('notice lost', { notice: runId, reason: 'its execution died' });
  metrics.count('NoticesLost', 1);
  return true;
}

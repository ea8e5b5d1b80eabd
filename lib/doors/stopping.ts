// Stopping a run that goes: for an operator who cancels it, a pause, an alert that is over. What is wanted stands in the
// record, where each send looks for it; an execution that waits for an approval, or between two waves, is woken as well.

import { type RunRecord, type Stop, updateRecord } from '../record.ts';
import { isGoing } from '../report.ts';
import type { Runtime } from '../runtime.ts';

type Stopping = Pick<Runtime, 'state' | 'executions' | 'log'>;

/**
 * Asks a run to send nothing more, and wakes it where it waits. A run that has ended, or that somebody
 * has stopped before, is left as it is. Returns the record as it then is.
 */
export async function stopRun(runtime: Stopping, runId: string, stop: Stop): Promise<RunRecord> {
  const record = await updateRecord(runtime.state, runId, (before) =>
    isGoing(before.status) && before.stop === undefined ? { ...before, stop } : null,
  );
  if (record.stop === stop)
    runtime.log.info('run stopped', { runId, job: record.job.name, code: stop.code, by: stop.by });
  await wake(runtime, record);
  return record;
}

/** Wakes the execution of a run that something was said to while it waits. That it cannot be woken is logged. */
export async function wake(runtime: Pick<Stopping, 'executions' | 'log'>, record: RunRecord): Promise<void> {
  const { runId } = record;
  const answerId = waitsFor(record);
  if (answerId === undefined) return;
  try {
    await runtime.executions.answer(answerId);
  } catch (error) {
    runtime.log.warn('run not woken', { runId, job: record.job.name, error });
  }
}

/** Under what an execution waits that has been answered; undefined where it does not, or has not. */
function waitsFor({ status, approval, stop, waits }: RunRecord): string | undefined {
  const isAnswered = approval?.decision !== undefined || stop !== undefined;
  if (status === 'awaiting_approval') return isAnswered ? approval?.answerId : undefined;
  return status === 'running' && stop !== undefined ? waits : undefined;
}

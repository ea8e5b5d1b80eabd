// Waiting between two pieces of work, unless somebody stops the run meanwhile: a cancel, or an alert that is over, need not
// sit out a soak of hours.

import type { Engine } from '../engine.ts';
import { type RunRecord, updateRecord } from '../record.ts';
import type { Desk } from '../report/keep.ts';

/** Waits `seconds`, or until the run is stopped; whether it was, is asked by whoever goes on. */
export async function linger(
  engine: Engine,
  name: string,
  seconds: number,
  { runId }: RunRecord,
  desk: Desk,
): Promise<void> {
  await engine.answer(name, seconds, async (answerId) => {
    const record = await updateRecord(desk.state, runId, (before) =>
      before.stop === undefined ? { ...before, waits: answerId } : null,
    );
    return record.stop === undefined;
  });
}

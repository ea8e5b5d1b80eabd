// What people do to a run while it sleeps: pause it, stop it, answer the question whether it may. Each is what a door
// would write, so that a night can be played without doors.

import { raisePause } from '../../lib/guards/flags.ts';
import { type Approval, type Decision, readRecord, type Stop, updateRecord } from '../../lib/record.ts';
import type { Night } from './scenario.ts';

/** Pauses one project, or (null) everything. */
export function pausing(project: string | null = 'staging') {
  const pause = { project, reason: 'incident 7', by: 'operator:alice', at: '2026-11-23T02:00:00.000Z' };
  return ({ state }: Pick<Night, 'state'>): Promise<void> => raisePause(state, pause);
}

/** Stops the run, and withdraws its question where it asks one. */
export function stopping(code: Stop['code']) {
  return async ({ state, runId, engine }: Night): Promise<void> => {
    const stop = { code, reason: 'enough', by: 'operator:alice', at: '2026-11-23T02:00:30.000Z' };
    const { approval, waits } = await updateRecord(state, runId, (record) => ({ ...record, stop }));
    for (const answerId of [approval?.answerId, waits]) if (answerId !== undefined) await engine.answer(answerId);
  };
}

/** What was asked. Throws where nothing is. */
export async function approvalOf({ state, runId }: Night): Promise<Approval> {
  const record = await readRecord(state, runId);
  if (record?.approval === undefined) throw new Error('nobody is asked');
  return record.approval;
}

/** Answers the question, as another operator than the one who asked. */
export function deciding(verdict: Decision['verdict'], reason?: string) {
  return async (night: Night): Promise<void> => {
    const approval = await approvalOf(night);
    const at = new Date(night.clock.now()).toISOString();
    const decision = { verdict, by: 'operator:bob', at, ...(reason !== undefined && { reason }) };
    await updateRecord(night.state, night.runId, (record) => ({ ...record, approval: { ...approval, decision } }));
    await night.engine.answer(approval.answerId);
  };
}

// What a run writes down of itself and reads again: who works on it, its plan, how far it is, how it ended. Steps call
// what writes; what is read between steps never changes once it is written.

import { AutopilotError } from './errors.ts';
import { type Inventory, readCandidates } from './inventory.ts';
import { excludedSchema, makePlan, type Plan, plannedSchema } from './plan.ts';
import {
  expireLists,
  itemSize,
  type RunRecord,
  type RunStatus,
  readList,
  readRecord,
  updateRecord,
  writeList,
  writePart,
} from './record.ts';
import { countOutcomes, intoWaves, isGoing, type Outcome } from './report.ts';
import type { Log } from './runtime.ts';
import type { State } from './state.ts';
import { outcomeOf, type Track } from './track.ts';

/** What is needed to write it down. `now`: ms since the epoch, only read inside steps. */
export interface Desk {
  readonly state: State;
  readonly now: () => number;
  readonly log: Log;
}

/** How a run ends, before it is written down. */
export interface Ending {
  readonly status: RunStatus;
  readonly code?: string;
  readonly reason?: string;
  readonly outcomes?: readonly Outcome[];
}

/**
 * Takes the run for this execution, and marks it as running. A run that has ended, or that another execution has taken
 * (its start may have been delivered twice), is left alone.
 */
export async function begin(
  runId: string,
  execution: string,
  desk: Desk,
): Promise<{ readonly isOurs: boolean; readonly status: RunStatus }> {
  const startedAt = new Date(desk.now()).toISOString();
  const record = await updateRecord(desk.state, runId, (before) =>
    before.status === 'accepted' ? { ...before, status: 'running', started: true, execution, startedAt } : null,
  );
  const isOurs = record.status === 'running' && record.execution === execution;
  const facts = { runId, job: record.job.name, action: record.action, trigger: record.event.trigger };
  if (isOurs) desk.log.info('run started', facts);
  else desk.log.warn('run is not this execution’s to work on', { ...facts, status: record.status });
  return { isOurs, status: record.status };
}

/** Whether the run goes on, and this execution has it. */
export async function isOurs(runId: string, execution: string, desk: Desk): Promise<boolean> {
  const record = await readRecord(desk.state, runId);
  return record?.status === 'running' && record.execution === execution;
}

/** The record of a run. Only its job and its event may be used between steps: they never change. */
export async function frozen(runId: string, desk: Desk): Promise<RunRecord> {
  const record = await readRecord(desk.state, runId);
  if (record === undefined) throw new AutopilotError('run_unknown', `there is no run ${runId}`);
  return record;
}

/** Makes the plan from what was read, and stores it: from here on nothing about it changes. */
export async function freezePlan(record: RunRecord, inventory: Inventory, desk: Desk): Promise<number> {
  const { state } = desk;
  const { runId, job } = record;
  const plan = makePlan(job, await readCandidates(state, runId, inventory));
  await writeList(state, record, 'plan', plan.waves.flat());
  await writeList(state, record, 'excluded', plan.excluded);
  const head = { hash: plan.hash, waves: plan.waves.map(({ length }) => length), excluded: plan.excluded.length };
  await updateRecord(state, runId, (before) => ({ ...before, plan: head }));
  desk.log.debug('plan', { runId, hash: plan.hash, waves: head.waves.length, excluded: head.excluded });
  return desk.now();
}

/** The plan as it was frozen. */
export async function frozenPlan(record: RunRecord, desk: Desk): Promise<Plan> {
  const { runId, job } = record;
  const planned = await readList(desk.state, runId, 'plan', plannedSchema);
  const excluded = await readList(desk.state, runId, 'excluded', excludedSchema);
  const head = (await frozen(runId, desk)).plan;
  const waves = intoWaves(planned, head?.waves ?? []);
  return { job: job.name, action: job.action, waves, excluded, hash: head?.hash ?? '' };
}

/** Writes the outcomes of one wave, in the items that it shares with its neighbours. */
export async function saveOutcomes(
  record: RunRecord,
  all: readonly Outcome[],
  offset: number,
  tracks: readonly Track[],
  desk: Desk,
): Promise<void> {
  const outcomes = all.toSpliced(offset, tracks.length, ...tracks.map(outcomeOf));
  const last = Math.ceil((offset + tracks.length) / itemSize);
  for (let part = Math.floor(offset / itemSize); part < last; part++) {
    await writePart(desk.state, record, 'outcomes', part, outcomes.slice(part * itemSize, (part + 1) * itemSize));
  }
  const counts = countOutcomes(outcomes);
  await updateRecord(desk.state, record.runId, (before) => ({ ...before, counts }));
}

/** Writes the end of the run; all that is stored of it is kept for the same time from here on. */
export async function report(record: RunRecord, ending: Ending, desk: Desk): Promise<RunStatus> {
  const { runId, job } = record;
  const { outcomes = [], ...end } = ending;
  await writeList(desk.state, record, 'outcomes', outcomes);
  const counts = countOutcomes(outcomes);
  const finishedAt = new Date(desk.now()).toISOString();
  const ended = await updateRecord(desk.state, runId, (before) =>
    isGoing(before.status) ? { ...before, ...end, counts, finishedAt } : null,
  );
  await expireLists(desk.state, ended);
  for (const { instanceId, status, attempts, code } of outcomes) {
    desk.log.info('outcome', { runId, instanceId, status, attempts, code });
  }
  desk.log.info('run ended', { runId, job: job.name, ...end, ...counts });
  return ending.status;
}

// What a run writes down of itself and reads again: who works on it, its plan, how far it is, how it ended. Steps call
// what writes; what is read between steps never changes once it is written.

import * as v from 'valibot';
import type { Notify } from '../config.ts';
import { AutopilotError } from '../errors.ts';
import { outcomeOf, type Track } from '../execute/track.ts';
import {
  capOf,
  type Lifts,
  readLifts,
  readUsed,
  roomOf,
  settleDay,
  takeAlerted,
  takeDay,
  type Used,
} from '../guards/quota.ts';
import type { Refusal } from '../guards.ts';
import { differences } from '../plan/drift.ts';
import { type Inventory, readCandidates } from '../plan/inventory.ts';
import { excludedSchema, makePlan, type Plan, plannedSchema } from '../plan.ts';
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
} from '../record.ts';
import { countOutcomes, intoWaves, isGoing, type Outcome } from '../report.ts';
import { expiryOf } from '../retention.ts';
import type { Log, Metrics } from '../runtime.ts';
import type { Key, State } from '../state.ts';
import { listenersOf, type NoticeConfig, owed } from './notice.ts';

/** What is needed to write it down. `now`: ms since the epoch, only read inside steps. */
export interface Desk {
  readonly state: State;
  readonly now: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Whom to tell of runs. */
  readonly config: NoticeConfig;
}

/** How a run ends, before it is written down. */
export interface Ending {
  readonly status: RunStatus;
  readonly code?: string;
  readonly reason?: string;
  /** ISO 8601 UTC. */
  readonly liftsAt?: string;
  readonly outcomes?: readonly Outcome[];
}

/** How a run stands. `tell`: who is still to be told of its end. */
export interface Standing {
  readonly status: RunStatus;
  readonly tell?: readonly Notify[];
}

/**
 * Takes the run for this execution, and marks it as running. A run that has ended, or that another execution has taken
 * (its start may have been delivered twice), is left alone.
 */
export async function begin(
  runId: string,
  execution: string,
  desk: Desk,
): Promise<Standing & { readonly isOurs: boolean }> {
  const startedAt = new Date(desk.now()).toISOString();
  const record = await updateRecord(desk.state, runId, (before) =>
    before.status === 'accepted' ? { ...before, status: 'running', started: true, execution, startedAt } : null,
  );
  const isOurs = record.status === 'running' && record.execution === execution;
  const facts = { runId, job: record.job.name, action: record.action, trigger: record.event.trigger };
  const standing = standingOf(record, desk);
  if (isOurs) desk.log.info('run started', facts);
  else if (standing.tell === undefined)
    desk.log.warn('run is not this execution’s to work on', { ...facts, ...standing });
  return { isOurs, ...standing };
}

function standingOf({ status, notice }: RunRecord, { config }: Desk): Standing {
  return { status, ...(notice === 'due' && { tell: listenersOf(config, status) }) };
}

/** The record of a run. Only its job and its event may be used between steps: they never change. */
export async function frozen(runId: string, desk: Desk): Promise<RunRecord> {
  const record = await readRecord(desk.state, runId);
  if (record === undefined) throw new AutopilotError('run_unknown', `there is no run ${runId}`);
  return record;
}

/** What is decided together with the plan. */
export interface Frozen {
  /** What other runs had used of the caps. */
  readonly used: Used;
  /** When the plan would fit under them. */
  readonly lifts: Lifts;
  /** How the plan differs from the one that was asked for. */
  readonly drift: readonly string[];
}

/** Makes the plan from what was read, and stores it: from here on nothing about it changes. */
export async function freezePlan(record: RunRecord, inventory: Inventory, desk: Desk): Promise<Frozen> {
  const { state } = desk;
  const { runId, job, event } = record;
  const used = await readUsed(state, job.project, desk.now());
  const room = roomOf(job, inventory.total, used, event.trigger === 'alert');
  const plan = makePlan(job, await readCandidates(state, runId, inventory), room);
  await writeList(state, record, 'plan', plan.waves.flat());
  await writeList(state, record, 'excluded', plan.excluded);
  const head = { hash: plan.hash, waves: plan.waves.map(({ length }) => length), excluded: plan.excluded.length };
  await updateRecord(state, runId, (before) => ({ ...before, plan: head }));
  for (const [Code, some] of Map.groupBy(plan.excluded, ({ code }) => code)) {
    desk.metrics.count('InstancesExcluded', some.length, { Code });
  }
  desk.log.debug('plan', { runId, hash: plan.hash, waves: head.waves.length, excluded: head.excluded });
  const drift = event.plan === undefined ? [] : await driftFrom(event.plan, plan, desk);
  // The hash of a plan leads to what was seen, not to a run that was refused since it loses more by now.
  if (event.plan !== plan.hash) await rememberPlan(state, record, plan.hash);
  return { used, drift, lifts: await readLifts(state, job, idsOf(plan), inventory.total ?? 0, desk.now()) };
}

/**
 * Takes the planned instances from the project's caps: two runs that were planned at the same time may both fit, and
 * not together. null: they are taken.
 */
export async function takeQuota(record: RunRecord, plan: Plan, total: number, desk: Desk): Promise<Refusal | null> {
  const { runId, job, event } = record;
  const ids = idsOf(plan);
  const { maxPerDay } = job.guards;
  if (!(await takeDay(desk.state, job, runId, ids.length, desk.now()))) {
    const liftsAt = (await readLifts(desk.state, job, ids, total, desk.now())).day;
    const reason = `other runs took what maxPerDay ${maxPerDay} had left`;
    return { code: 'over_day_cap', reason, ...(liftsAt !== null && { liftsAt }) };
  }
  const { instances, why } = capOf(job.guards, total);
  if (event.trigger !== 'alert' || (await takeAlerted(desk.state, job.project, ids, instances, desk.now())))
    return null;
  const liftsAt = (await readLifts(desk.state, job, ids, total, desk.now())).hour;
  const reason = `other alerts took what ${why} had left for the hour`;
  return { code: 'over_cap', reason, ...(liftsAt !== null && { liftsAt }) };
}

function idsOf(plan: Plan): string[] {
  return plan.waves.flat().map(({ instanceId }) => instanceId);
}

/** Whoever runs with the hash of a plan is told how it has changed: so each hash leads to a run that has the plan. */
async function rememberPlan(state: State, record: RunRecord, hash: string): Promise<void> {
  await state.put(planKey(hash), { runId: record.runId }, { expiresAt: expiryOf(record) });
}

async function driftFrom(hash: string, plan: Plan, desk: Desk): Promise<string[]> {
  const item = await desk.state.get(planKey(hash));
  if (item === undefined) return [];
  const { runId } = v.parse(v.object({ runId: v.string() }), item.value);
  const planned = await readList(desk.state, runId, 'plan', plannedSchema);
  // Forgotten by now: the hash alone has to do.
  if (planned.length === 0) return [];
  return differences({ planned, excluded: await readList(desk.state, runId, 'excluded', excludedSchema) }, plan);
}

function planKey(hash: string): Key {
  return { pk: `plan#${hash}`, sk: 'run' };
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
export async function report(record: RunRecord, ending: Ending, desk: Desk): Promise<Standing> {
  const { runId, job } = record;
  const { outcomes = [], ...end } = ending;
  await writeList(desk.state, record, 'outcomes', outcomes);
  const counts = countOutcomes(outcomes);
  const finishedAt = new Date(desk.now()).toISOString();
  const ended = await updateRecord(desk.state, runId, (before) =>
    isGoing(before.status) ? { ...before, ...end, counts, finishedAt, ...owed(desk.config, end.status) } : null,
  );
  await expireLists(desk.state, ended);
  await settleDay(desk.state, job, runId, outcomes.filter(wasSent).length, desk.now());
  for (const { instanceId, status, attempts, code } of outcomes) {
    desk.log.info('outcome', { runId, instanceId, status, attempts, code });
  }
  desk.log.info('run ended', { runId, job: job.name, ...end, ...counts });
  countEnd(end, outcomes, desk);
  return { ...standingOf(ended, desk), status: ending.status };
}

function countEnd({ status, code }: Ending, outcomes: readonly Outcome[], { metrics }: Desk): void {
  metrics.count('RunsEnded', 1, { Status: status });
  if (status === 'refused') metrics.count('RunsRefused', 1, { Code: code ?? 'none' });
  for (const [Status, some] of Map.groupBy(outcomes, (outcome) => outcome.status)) {
    metrics.count('Outcomes', some.length, { Status });
  }
  // Left out after the plan was made: a collision, a backup that failed, whoever was protected since.
  const skipped = outcomes.filter((outcome) => outcome.status === 'skipped');
  for (const [Code, some] of Map.groupBy(skipped, ({ code = 'none' }) => code)) {
    metrics.count('InstancesExcluded', some.length, { Code });
  }
}

/** Whether a call went out for it, as far as anybody knows. */
function wasSent({ status, attempts }: Outcome): boolean {
  return attempts > 0 || status === 'unknown';
}

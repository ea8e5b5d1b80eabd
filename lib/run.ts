// The whole flow: event → plan → guards → execute → retry → verify → report. Durable: it may be taken up again at any
// line, so it touches the world only inside the engine's steps, or reads what is written once.

import { takeRetries } from './budget.ts';
import type { Problem } from './classify.ts';
import type { Project } from './config.ts';
import type { Engine } from './engine.ts';
import { AutopilotError } from './errors.ts';
import type { DcsApi } from './execute.ts';
import { firstRefusal, maxRun, type Refusal } from './guards.ts';
import { type Inventory, readCandidates, readDetails, readInventory } from './inventory.ts';
import { leasesOf } from './lease.ts';
import { stops } from './look.ts';
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
import { countOutcomes, intoWaves, isGoing, type Outcome, statusOf } from './report.ts';
import type { Halt } from './retry.ts';
import type { Log } from './runtime.ts';
import type { State } from './state.ts';
import { freshTrack, isFailure, outcomeOf, type Track } from './track.ts';
import { runWave, type WaveResult } from './wave.ts';
import { haltFor } from './wave-state.ts';

/** The world that a run works in. */
export interface World {
  readonly state: State;
  readonly dcs: (project: Project) => DcsApi;
  /** Milliseconds since the epoch; only read inside steps. */
  readonly now: () => number;
  readonly log: Log;
}

/** How a run ends, before it is written down. */
interface Ending {
  readonly status: RunStatus;
  readonly code?: string;
  readonly reason?: string;
  readonly outcomes?: readonly Outcome[];
}

/** Executes the stored run `runId` to its end and returns its status. Throws only where the state cannot be used. */
export async function run(runId: string, engine: Engine, world: World): Promise<RunStatus> {
  const begun = await engine.step('begin', () => begin(runId, engine.execution, world));
  if (!begun.isOurs) return begun.status;
  const record = await frozen(runId, world);
  const ending = await work(record, counted(engine), world);
  return engine.step('report', () => report(record, ending, world));
}

async function work(record: RunRecord, engine: CountedEngine, world: World): Promise<Ending> {
  const { job, event } = record;
  const ports = { dcs: world.dcs(job.project), state: world.state, now: world.now };

  const inventory = await readInventory(engine, record, ports);
  if (!inventory.ok) return unreadable(inventory.problem);
  if (inventory.value.eligible > maxRun) return refused(tooMany(inventory.value));
  const details = await readDetails(engine, record, inventory.value, ports);
  if (!details.ok) return unreadable(details.problem);

  const plannedAt = await engine.step('plan', () => freezePlan(record, inventory.value, world));
  const plan = await frozenPlan(record, world);
  const { total, outside } = inventory.value;
  const refusal = firstRefusal({ job, event, plan, total, outside });
  if (refusal !== null) return refused(refusal);
  if (plan.waves.length === 0) return nothingToDo;
  if (job.dryRun || event.dryRun === true) return { status: 'planned' };

  return conclude(await runWaves(record, plan, plannedAt, engine, world));
}

/** What the waves came to. `stopped`: the halt has ended something that would have gone on. */
interface Worked {
  readonly outcomes: readonly Outcome[];
  readonly halt: Halt | null;
  readonly stopped: boolean;
}

/** Wave after wave: each one is verified before the next begins, and a halt leaves the rest not started. */
async function runWaves(
  record: RunRecord,
  plan: Plan,
  plannedAt: number,
  engine: CountedEngine,
  world: World,
): Promise<Worked> {
  const { job, runId } = record;
  const dcs = world.dcs(job.project);
  const isCurrent = (): Promise<boolean> => isOurs(runId, engine.execution, world);
  const outcomes = plan.waves.flat().map((planned) => outcomeOf(freshTrack(planned, 0)));
  const leases = leasesOf(world.state, job.project, runId, world.now);
  const takeMore = (calls: number): Promise<boolean> => takeRetries(world.state, job.project, calls, world.now());
  let failures = 0;
  let from = 0;
  let halt: Halt | null = null;
  let stopped = false;
  for (const [i, planned] of plan.waves.entries()) {
    const offset = from;
    const save = (tracks: readonly Track[]): Promise<void> => saveOutcomes(record, outcomes, offset, tracks, world);
    const { spent } = engine;
    const ports = { engine, dcs, now: world.now, leases, isCurrent, spent, takeRetries: takeMore, save };
    const task = { runId, job, number: i + 1, planned, failures, seenAt: plannedAt };
    const wave: WaveResult = await runWave(task, ports);
    await engine.step(`wave ${i + 1} done`, async () => {
      await save(wave.tracks);
      await leases.release(planned.map(({ instanceId }) => instanceId));
      return null;
    });
    for (const [k, track] of wave.tracks.entries()) outcomes[offset + k] = outcomeOf(track);
    failures += wave.tracks.filter(isFailure).length;
    from += planned.length;
    halt = wave.halt;
    stopped = wave.stopped;
    if (halt !== null || from === outcomes.length) break;
    await engine.wait(`soak ${i + 1}`, job.waves.soak);
  }
  const why = halt;
  return {
    outcomes: outcomes.map((outcome, k) => (k < from || why === null ? outcome : notStarted(outcome, why))),
    halt,
    stopped,
  };
}

/**
 * Takes the run for this execution, and marks it as running. A run that has ended, or that another execution has taken
 * (its start may have been delivered twice), is left alone.
 */
async function begin(
  runId: string,
  execution: string,
  world: World,
): Promise<{ readonly isOurs: boolean; readonly status: RunStatus }> {
  const startedAt = new Date(world.now()).toISOString();
  const record = await updateRecord(world.state, runId, (before) =>
    before.status === 'accepted' ? { ...before, status: 'running', started: true, execution, startedAt } : null,
  );
  const isOurs = record.status === 'running' && record.execution === execution;
  const facts = { runId, job: record.job.name, action: record.action, trigger: record.event.trigger };
  if (isOurs) world.log.info('run started', facts);
  else world.log.warn('run is not this execution’s to work on', { ...facts, status: record.status });
  return { isOurs, status: record.status };
}

async function isOurs(runId: string, execution: string, world: World): Promise<boolean> {
  const record = await readRecord(world.state, runId);
  return record?.status === 'running' && record.execution === execution;
}

/** The engine, counting what it is asked for: an execution has room for so many operations only. */
interface CountedEngine extends Engine {
  readonly spent: () => number;
}

function counted(engine: Engine): CountedEngine {
  let operations = 0;
  const count = <T>(begun: Promise<T>): Promise<T> => {
    operations += 1;
    return begun;
  };
  return {
    execution: engine.execution,
    step: (name, work) => count(engine.step(name, work)),
    once: (name, work) => count(engine.once(name, work)),
    wait: (name, seconds) => count(engine.wait(name, seconds)),
    spent: () => operations,
  };
}

/** Only the job and the event are used of it: they never change, so every replay sees the same. */
async function frozen(runId: string, world: World): Promise<RunRecord> {
  const record = await readRecord(world.state, runId);
  if (record === undefined) throw new AutopilotError('run_unknown', `there is no run ${runId}`);
  return record;
}

/** Makes the plan from what was read, and stores it: from here on nothing about it changes. */
async function freezePlan(record: RunRecord, inventory: Inventory, world: World): Promise<number> {
  const { state } = world;
  const { runId, job } = record;
  const plan = makePlan(job, await readCandidates(state, runId, inventory));
  await writeList(state, record, 'plan', plan.waves.flat());
  await writeList(state, record, 'excluded', plan.excluded);
  const head = { hash: plan.hash, waves: plan.waves.map(({ length }) => length), excluded: plan.excluded.length };
  await updateRecord(state, runId, (before) => ({ ...before, plan: head }));
  world.log.debug('plan', { runId, hash: plan.hash, waves: head.waves.length, excluded: head.excluded });
  return world.now();
}

async function frozenPlan(record: RunRecord, world: World): Promise<Plan> {
  const { runId, job } = record;
  const planned = await readList(world.state, runId, 'plan', plannedSchema);
  const excluded = await readList(world.state, runId, 'excluded', excludedSchema);
  const head = (await frozen(runId, world)).plan;
  const waves = intoWaves(planned, head?.waves ?? []);
  return { job: job.name, action: job.action, waves, excluded, hash: head?.hash ?? '' };
}

/** Writes the outcomes of one wave, in the items that it shares with its neighbours. */
async function saveOutcomes(
  record: RunRecord,
  all: readonly Outcome[],
  offset: number,
  tracks: readonly Track[],
  world: World,
): Promise<void> {
  const outcomes = all.toSpliced(offset, tracks.length, ...tracks.map(outcomeOf));
  const last = Math.ceil((offset + tracks.length) / itemSize);
  for (let part = Math.floor(offset / itemSize); part < last; part++) {
    await writePart(world.state, record, 'outcomes', part, outcomes.slice(part * itemSize, (part + 1) * itemSize));
  }
  const counts = countOutcomes(outcomes);
  await updateRecord(world.state, record.runId, (before) => ({ ...before, counts }));
}

/** Writes the end of the run; all that is stored of it is kept for the same time from here on. */
async function report(record: RunRecord, ending: Ending, world: World): Promise<RunStatus> {
  const { runId, job } = record;
  const { outcomes = [], ...end } = ending;
  await writeList(world.state, record, 'outcomes', outcomes);
  const counts = countOutcomes(outcomes);
  const finishedAt = new Date(world.now()).toISOString();
  const ended = await updateRecord(world.state, runId, (before) =>
    isGoing(before.status) ? { ...before, ...end, counts, finishedAt } : null,
  );
  await expireLists(world.state, ended);
  for (const { instanceId, status, attempts, code } of outcomes) {
    world.log.info('outcome', { runId, instanceId, status, attempts, code });
  }
  world.log.info('run ended', { runId, job: job.name, ...end, ...counts });
  return ending.status;
}

function conclude({ outcomes, halt, stopped }: Worked): Ending {
  const counts = countOutcomes(outcomes);
  const status = statusOf(counts);
  // A threshold that was reached by the very last instance has stopped nothing.
  const isNews = halt !== null && (halt.code !== 'max_failures' || counts.notStarted > 0 || stopped);
  return { status, outcomes, ...(isNews && { code: halt.code, reason: halt.reason }) };
}

function notStarted(outcome: Outcome, halt: Halt): Outcome {
  return { ...outcome, code: halt.code, reason: halt.reason };
}

/** DCS could not be read, so nothing was planned and nothing was sent. */
function unreadable(problem: Problem): Ending {
  const { code, reason } = haltFor(problem, true);
  return { status: 'failed', code: stops(problem) ? code : 'dcs_unavailable', reason };
}

function refused({ code, reason }: Refusal): Ending {
  return { status: 'refused', code, reason };
}

function tooMany({ eligible }: Inventory): Refusal {
  return { code: 'too_many', reason: `${eligible} instances are selected; a run takes at most ${maxRun}` };
}

const nothingToDo: Ending = {
  status: 'succeeded',
  code: 'nothing_to_do',
  reason: 'every selected instance is at work or in a state that the action does not apply to',
};

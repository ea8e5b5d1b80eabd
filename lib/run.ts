// The whole flow: event → plan → guards → execute → retry → verify → report. Durable: it may be taken up again at any
// line, so it touches the world only inside the engine's steps, or reads what is written once.

import type { Problem } from './classify.ts';
import type { Project } from './config.ts';
import { type CountedEngine, counted, type Engine } from './engine.ts';
import { haltFor } from './execute/halts.ts';
import type { Probe } from './execute/health.ts';
import { climb, climbs } from './execute/ladder.ts';
import { stops } from './execute/look.ts';
import { endingOf, runWaves } from './execute/waves.ts';
import type { DcsApi } from './execute.ts';
import { askApproval, checkDrift, readDrifted } from './guards/approval.ts';
import { momentRefusal, stopOf } from './guards/moment.ts';
import { firstRefusal, maxRun, planGuards, type Refusal } from './guards.ts';
import { type Inventory, type InventoryPorts, readDetails, readInventory } from './plan/inventory.ts';
import type { Plan } from './plan.ts';
import type { RunRecord, RunStatus, Stop } from './record.ts';
import { begin, type Ending, freezePlan, frozen, frozenPlan, report, type Standing, takeQuota } from './report/keep.ts';
import { type TellDesk, tellEnd } from './report/tell.ts';

/** The world that a run works in. */
export interface World extends TellDesk {
  readonly dcs: (project: Project) => DcsApi;
  readonly probe: Probe;
}

/**
 * Executes the stored run `runId` to its end, tells who wants to hear of it, and returns its status. Of a run that has
 * ended otherwise it only tells. Throws only where the state cannot be used.
 */
export async function run(runId: string, engine: Engine, world: World): Promise<RunStatus> {
  const begun = await engine.step('begin', () => begin(runId, engine.execution, world));
  const record = await frozen(runId, world);
  const ended = begun.isOurs ? await toItsEnd(record, engine, world) : begun;
  await tellEnd(engine, runId, ended.tell, world);
  return ended.status;
}

async function toItsEnd(record: RunRecord, engine: Engine, world: World): Promise<Standing> {
  const ending = await work(record, counted(engine), world);
  return engine.step('report', () => report(record, ending, world));
}

/** Decides, asks whoever has to be asked, then acts. Each of the first two may be the end of it. */
async function work(record: RunRecord, engine: CountedEngine, world: World): Promise<Ending> {
  const dcs = world.dcs(record.job.project);
  const ports = { dcs, state: world.state, now: world.now };
  const decided = await decide(record, engine, ports, world);
  if ('status' in decided) return decided;
  const objection = await permit(record, decided, engine, ports, world);
  if (objection !== null) return objection;
  const task = { record, plan: decided.plan, plannedAt: decided.at, drift: await readDrifted(record, world) };
  const { ladder } = record.job;
  if (ladder !== null && climbs(task)) return climb(task, ladder, engine, dcs, world);
  return endingOf(await runWaves(task, engine, dcs, world));
}

interface Decided {
  readonly plan: Plan;
  /** When the fleet was read for it, in ms. */
  readonly at: number;
  readonly total: number;
}

/** Reads the fleet, makes the plan, and asks the guards. */
async function decide(
  record: RunRecord,
  engine: CountedEngine,
  ports: InventoryPorts,
  world: World,
): Promise<Decided | Ending> {
  const { job, event } = record;
  const isDry = job.dryRun || event.dryRun === true;
  const closed = await engine.step('may it begin', () => notNow(record, isDry, world));
  if (closed !== null) return closed;
  const inventory = await readInventory(engine, record, ports);
  if (!inventory.ok) return unreadable(inventory.problem);
  if (inventory.value.doubt !== undefined) return refused(inventory.value.doubt);
  if (inventory.value.eligible > maxRun) return refused(tooMany(inventory.value));
  const details = await readDetails(engine, record, inventory.value, ports);
  if (!details.ok) return unreadable(details.problem);

  const { used, lifts, drift } = await engine.step('plan', () => freezePlan(record, inventory.value, world));
  const plan = await frozenPlan(record, world);
  const { at, total, outside } = inventory.value;
  const refusal = firstRefusal(planGuards, { job, event, plan, total, outside, used, lifts, drift });
  if (refusal !== null) return refused(refusal);
  if (plan.waves.length === 0) return nothingToDo;
  return isDry ? { status: 'planned' } : { plan, at, total: total ?? 0 };
}

/** Another operator's approval, where the job wants it, and what the project's caps have left. null: go on. */
async function permit(
  record: RunRecord,
  { plan, total }: Decided,
  engine: CountedEngine,
  ports: InventoryPorts,
  world: World,
): Promise<Ending | null> {
  if (record.job.approval === 'required') {
    const answer = await askApproval(engine, record, plan, world);
    if (answer.kind === 'stopped') return stoppedBy(answer.stop);
    if (answer.kind === 'refused') return refused(answer.refusal);
    const late = await engine.step('may it still', () => notNow(record, false, world));
    if (late !== null) return late;
    const changed = await checkDrift(engine, record, plan, ports);
    if (!changed.ok) return unreadable(changed.problem);
    if (changed.value !== null) return refused(changed.value);
  }
  const overdrawn = await engine.step('quota', () => takeQuota(record, plan, total, world));
  return overdrawn === null ? null : refused(overdrawn);
}

/** Why the run ends before anything is sent, as far as the moment decides that. Whoever only looks may look at any time. */
async function notNow({ runId }: RunRecord, isDry: boolean, world: World): Promise<Ending | null> {
  const record = await frozen(runId, world);
  const stop = await stopOf(record, world);
  if (stop !== undefined) return stoppedBy(stop);
  const refusal = isDry ? null : await momentRefusal(record, world);
  return refusal === null ? null : refused(refusal);
}

/** Somebody stopped the run before anything was sent. */
function stoppedBy({ code, reason, by }: Stop): Ending {
  return { status: code === 'paused' ? 'refused' : 'cancelled', code, reason: `${by}: ${reason}` };
}

/** DCS could not be read, so nothing was planned and nothing was sent. */
function unreadable(problem: Problem): Ending {
  const { code, reason } = haltFor(problem, true);
  return { status: 'failed', code: stops(problem) ? code : 'dcs_unavailable', reason };
}

function refused(refusal: Refusal): Ending {
  return { status: 'refused', ...refusal };
}

function tooMany({ eligible }: Inventory): Refusal {
  return { code: 'too_many', reason: `${eligible} instances are selected; a run takes at most ${maxRun}` };
}

const nothingToDo: Ending = {
  status: 'succeeded',
  code: 'nothing_to_do',
  reason: 'every selected instance is at work or in a state that the action does not apply to',
};

// The whole flow: event → plan → guards → execute → retry → verify → report. Durable: it may be taken up again at any
// line, so it touches the world only inside the engine's steps, or reads what is written once.

import { askApproval, checkDrift, readDrifted } from './approval.ts';
import type { Problem } from './classify.ts';
import type { Project } from './config.ts';
import type { Engine } from './engine.ts';
import type { DcsApi } from './execute.ts';
import { firstRefusal, maxRun, planGuards, type Refusal } from './guards.ts';
import { type Inventory, readDetails, readInventory } from './inventory.ts';
import { begin, type Desk, type Ending, freezePlan, frozen, frozenPlan, report, takeQuota } from './keep.ts';
import { stops } from './look.ts';
import { momentRefusal } from './moment.ts';
import type { RunRecord, RunStatus, Stop } from './record.ts';
import { countOutcomes, statusOf } from './report.ts';
import { haltFor } from './wave-state.ts';
import { type CountedEngine, runWaves, type Worked } from './waves.ts';

/** The world that a run works in. */
export interface World extends Desk {
  readonly dcs: (project: Project) => DcsApi;
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
  const dcs = world.dcs(job.project);
  const ports = { dcs, state: world.state, now: world.now };
  const isDry = job.dryRun || event.dryRun === true;
  const closed = await engine.step('may it begin', () => notNow(record, isDry, world));
  if (closed !== null) return closed;
  const inventory = await readInventory(engine, record, ports);
  if (!inventory.ok) return unreadable(inventory.problem);
  if (inventory.value.eligible > maxRun) return refused(tooMany(inventory.value));
  const details = await readDetails(engine, record, inventory.value, ports);
  if (!details.ok) return unreadable(details.problem);

  const { at: plannedAt, used, drift } = await engine.step('plan', () => freezePlan(record, inventory.value, world));
  const plan = await frozenPlan(record, world);
  const { total, outside } = inventory.value;
  const refusal = firstRefusal(planGuards, { job, event, plan, total, outside, used, drift });
  if (refusal !== null) return refused(refusal);
  if (plan.waves.length === 0) return nothingToDo;
  if (isDry) return { status: 'planned' };

  if (job.approval === 'required') {
    const answer = await askApproval(engine, record, plan, world);
    if (answer.kind === 'stopped') return stoppedBy(answer.stop);
    if (answer.kind === 'refused') return refused(answer.refusal);
    const late = await engine.step('may it still', () => notNow(record, isDry, world));
    if (late !== null) return late;
    const drifted = await checkDrift(engine, record, plan, ports);
    if (!drifted.ok) return unreadable(drifted.problem);
    if (drifted.value !== null) return refused(drifted.value);
  }

  const overdrawn = await engine.step('quota', () => takeQuota(record, plan, total ?? 0, world));
  if (overdrawn !== null) return refused(overdrawn);
  const changed = await readDrifted(record, world);
  return conclude(await runWaves({ record, plan, plannedAt, drift: changed }, engine, dcs, world));
}

/** Why the run ends before anything is sent, as far as the moment decides that. Whoever only looks may look at any time. */
async function notNow({ runId }: RunRecord, isDry: boolean, world: World): Promise<Ending | null> {
  const record = await frozen(runId, world);
  if (record.stop !== undefined) return stoppedBy(record.stop);
  const refusal = isDry ? null : await momentRefusal(record, world);
  return refusal === null ? null : refused(refusal);
}

function counted(engine: Engine): CountedEngine {
  let operations = 0;
  const count = <T>(begun: Promise<T>, cost = 1): Promise<T> => {
    operations += cost;
    return begun;
  };
  return {
    execution: engine.execution,
    step: (name, work) => count(engine.step(name, work)),
    once: (name, work) => count(engine.once(name, work)),
    wait: (name, seconds) => count(engine.wait(name, seconds)),
    answer: (name, seconds, ask) => count(engine.answer(name, seconds, ask), 2),
    spent: () => operations,
  };
}

function conclude({ outcomes, halt, stopped }: Worked): Ending {
  const counts = countOutcomes(outcomes);
  // A threshold that was reached by the very last instance has stopped nothing.
  const isNews = halt !== null && (counts.notStarted > 0 || stopped || halt.code !== 'max_failures');
  const why = isNews ? { code: halt.code, reason: halt.reason } : {};
  const wasStopped = isNews && (halt.code === 'cancelled' || halt.code === 'resolved');
  return { status: wasStopped ? 'cancelled' : statusOf(counts), outcomes, ...why };
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

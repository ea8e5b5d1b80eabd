// The whole flow: event → plan → guards → execute → retry → verify → report. Durable: it may be taken up again at any
// line, so it touches the world only inside the engine's steps, or reads what is written once.

import { takeRetries } from './budget.ts';
import type { Problem } from './classify.ts';
import type { Project } from './config.ts';
import type { Engine } from './engine.ts';
import type { DcsApi } from './execute.ts';
import { firstRefusal, maxRun, type Refusal } from './guards.ts';
import { type Inventory, readDetails, readInventory } from './inventory.ts';
import { begin, type Desk, type Ending, freezePlan, frozen, frozenPlan, isOurs, report, saveOutcomes } from './keep.ts';
import { leasesOf } from './lease.ts';
import { stops } from './look.ts';
import type { Plan } from './plan.ts';
import type { RunRecord, RunStatus } from './record.ts';
import { countOutcomes, type Outcome, statusOf } from './report.ts';
import type { Halt } from './retry.ts';
import { freshTrack, isFailure, outcomeOf, type Track } from './track.ts';
import { runWave, type WaveResult } from './wave.ts';
import { haltFor } from './wave-state.ts';

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
  const leases = leasesOf(world.state, runId, world.now);
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

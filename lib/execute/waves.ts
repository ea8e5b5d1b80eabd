// Wave after wave: each one is verified before the next begins, and a halt leaves the rest not started.

import type { CountedEngine } from '../engine.ts';
import { firingSince } from '../episode/alerting.ts';
import type { DcsApi } from '../execute.ts';
import { noteSuccess, sparing } from '../guards/cooldown.ts';
import { mayGoOn } from '../guards/moment.ts';
import type { Plan } from '../plan.ts';
import type { RunRecord } from '../record.ts';
import { type Desk, type Ending, saveOutcomes } from '../report/keep.ts';
import { countOutcomes, type Outcome, statusOf } from '../report.ts';
import type { Halt } from '../retry.ts';
import { forEach } from '../state.ts';
import { takeRetries } from './budget.ts';
import { awaitHealth, type HealthPorts, type Probe } from './health.ts';
import { leasesOf } from './lease.ts';
import { linger } from './linger.ts';
import { freshTrack, isFailure, outcomeOf, type Track } from './track.ts';
import { runWave, type WaveResult } from './wave.ts';
import type { WavePorts } from './wave-work.ts';

/** What the waves came to. `stopped`: the halt has ended something that would have gone on. */
export interface Worked {
  readonly outcomes: readonly Outcome[];
  readonly halt: Halt | null;
  readonly stopped: boolean;
}

/** What the waves of a run work from. */
export interface WaveWork {
  readonly record: RunRecord;
  /** Which one, of a ladder, from 1. */
  readonly rung?: number;
  readonly plan: Plan;
  /** When the fleet was read for the plan, in ms. */
  readonly plannedAt: number;
  /** Planned instances that changed before the plan was approved, and how. */
  readonly drift: ReadonlyMap<string, string>;
}

/** What waves write to, and what is asked between them. */
export interface WaveDesk extends Desk {
  readonly probe: Probe;
}

/** Runs all waves of a plan. */
export async function runWaves(work: WaveWork, engine: CountedEngine, dcs: DcsApi, desk: WaveDesk): Promise<Worked> {
  const { record, plan } = work;
  const outcomes = plan.waves.flat().map((planned) => outcomeOf(freshTrack(planned, 0)));
  let failures = 0;
  let from = 0;
  let halt: Halt | null = null;
  let stopped = false;
  for (const [i, planned] of plan.waves.entries()) {
    const offset = from;
    const save = (tracks: readonly Track[]): Promise<void> => saveOutcomes(record, outcomes, offset, tracks, desk);
    const ports = portsOf(record, engine, dcs, desk, save);
    const { plannedAt: seenAt, drift, rung = null } = work;
    const task = { runId: record.runId, rung, job: record.job, number: i + 1, planned, failures, seenAt, drift };
    const wave = await runWave(task, ports);
    const after = await engine.step(`wave ${i + 1} done`, () => conclude(record, wave, ports, desk));
    for (const [k, track] of wave.tracks.entries()) outcomes[offset + k] = outcomeOf(track);
    failures += wave.tracks.filter(isFailure).length;
    from += planned.length;
    halt = wave.halt ?? (from === outcomes.length ? null : after);
    stopped = wave.stopped;
    if (halt !== null || from === outcomes.length) break;
    await linger(engine, `soak ${i + 1}`, record.job.waves.soak, record, desk);
    halt = await awaitHealth(i + 1, gateOf(work, outcomes.slice(0, from), ports, desk));
    if (halt !== null) break;
  }
  const why = from === outcomes.length ? null : halt;
  return {
    outcomes: outcomes.map((outcome, k) => (k < from || why === null ? outcome : notStarted(outcome, why))),
    halt,
    stopped,
  };
}

/** What is asked before the next wave. `done`: what the waves so far came to. */
function gateOf(
  { record, plannedAt }: WaveWork,
  done: readonly Outcome[],
  ports: WavePorts,
  desk: WaveDesk,
): HealthPorts {
  const { project, waves, retry } = record.job;
  const touched = new Map(done.filter(({ attempts }) => attempts > 0).map((each) => [each.instanceId, each.name]));
  const firing = async (): Promise<ReadonlyMap<string, readonly string[]>> => {
    const found = await firingSince(desk.state, project, [...touched.keys()], plannedAt);
    return new Map([...found].map(([id, rules]) => [touched.get(id) ?? id, rules]));
  };
  return { ...ports, check: waves.healthCheck, probe: desk.probe, firing, patience: retry.for };
}

/** What a run that did its waves ends as. */
export function endingOf({ outcomes, halt, stopped }: Worked): Ending {
  const counts = countOutcomes(outcomes);
  // A threshold that was reached by the very last instance has stopped nothing.
  const isNews = halt !== null && (counts.notStarted > 0 || stopped || halt.code !== 'max_failures');
  const why = isNews ? { code: halt.code, reason: halt.reason } : allSkipped(outcomes);
  const wasStopped = isNews && (halt.code === 'cancelled' || halt.code === 'resolved');
  return { status: wasStopped ? 'cancelled' : statusOf(counts), outcomes, ...why };
}

/** A run that left out everybody has succeeded, and done nothing: that must not be taken for its work. */
function allSkipped(outcomes: readonly Outcome[]): Pick<Ending, 'code' | 'reason'> {
  if (outcomes.length === 0 || outcomes.some(({ status }) => status !== 'skipped')) return {};
  const tally = [...Map.groupBy(outcomes, ({ code = 'none' }) => code)].map(([code, some]) => `${some.length} ${code}`);
  return { code: 'all_skipped', reason: `nothing was sent, all that was planned was left out: ${tally.join(', ')}` };
}

function portsOf(
  record: RunRecord,
  engine: CountedEngine,
  dcs: DcsApi,
  desk: Desk,
  save: WavePorts['save'],
): WavePorts {
  const { project } = record.job;
  return {
    engine,
    dcs,
    now: desk.now,
    leases: sparing(leasesOf(desk.state, record.runId, desk.now), desk.state, record.job, record.runId, desk.now),
    mayGoOn: () => mayGoOn(record, engine.execution, desk),
    spent: engine.spent,
    takeRetries: (calls) => takeRetries(desk.state, project, calls, desk.now()),
    save,
  };
}

/**
 * Writes down what the wave came to, and gives its instances back. Whoever has stopped the run in the meantime need not
 * wait for the soak: the halt that this answers with.
 */
async function conclude(record: RunRecord, { tracks }: WaveResult, ports: WavePorts, desk: Desk): Promise<Halt | null> {
  await ports.save(tracks);
  const successes = tracks.flatMap(({ id, status, verifiedAt: at }) =>
    status === 'succeeded' && at !== null ? [{ id, at }] : [],
  );
  await forEach(successes, ({ id, at }) => noteSuccess(desk.state, id, record.runId, at));
  await ports.leases.release(tracks.map(({ id }) => id));
  const verdict = await ports.mayGoOn();
  return verdict.kind === 'halt' ? { code: verdict.why.code, reason: verdict.why.reason, blind: false } : null;
}

function notStarted(outcome: Outcome, halt: Halt): Outcome {
  return { ...outcome, code: halt.code, reason: halt.reason };
}

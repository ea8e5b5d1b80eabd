// A small world for the tests of the flow: a fleet, a job, one event, and everything that came of it.

import { builtIn, unlimited } from '../../lib/config/defaults.ts';
import type { Action, Job, Notify } from '../../lib/config.ts';
import { type Event, runId } from '../../lib/event.ts';
import type { Health, HealthCheck } from '../../lib/execute/health.ts';
import { leasesOf } from '../../lib/execute/lease.ts';
import type { DcsApi } from '../../lib/execute.ts';
import { MemoryDcs } from '../../lib/local/rehearsal/memory-dcs.ts';
import { Fleet, type FleetOptions } from '../../lib/local/simulator/fleet.ts';
import type { InstanceSpec } from '../../lib/local/simulator/instance.ts';
import { asJson, type RunRecord, readRecord, runKey } from '../../lib/record.ts';
import type { Message } from '../../lib/report/notice.ts';
import type { Told } from '../../lib/report/tell.ts';
import { noCounts, type Outcome, type RunView, runView } from '../../lib/report.ts';
import { run, type World } from '../../lib/run.ts';
import type { State } from '../../lib/state.ts';
import { MemoryMetrics } from './memory-metrics.ts';
import { MemoryState } from './memory-state.ts';
import { type Crash, VirtualClock, VirtualEngine } from './virtual-engine.ts';

/** `00000000-0000-4000-8000-000000000007` for 7. */
export function idOf(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}

/** `count` plain Redis 5.0 master/standby instances `cache-1`... with tag env=staging. */
export function instances(
  count: number,
  change: (number: number) => Partial<InstanceSpec> = () => ({}),
): InstanceSpec[] {
  return Array.from({ length: count }, (_, i) => ({
    id: idOf(i + 1),
    name: `cache-${String(i + 1).padStart(5, '0')}`,
    tags: { env: 'staging' },
    ...change(i + 1),
  }));
}

/** A job over the whole project with generous caps, one wave after a canary of one, and short times. */
export function jobOf(action: Action, change: Partial<Job> = {}): Job {
  return {
    ...builtIn,
    name: 'nightly',
    action,
    ladder: null,
    enabled: true,
    dryRun: false,
    project: {
      name: 'staging',
      region: 'eu-de',
      projectId: '0a1b2c3d4e5f60718293a4b5c6d7e8f9',
      endpoint: 'http://127.0.0.1:1',
      credentials: { aksk: 'env:EXAMPLE' },
      protectedTag: { key: 'dcs-autopilot-protected', value: 'true' },
      ...unlimited,
      rate: { callsPerSecond: 1000, retriesPerHour: 1000 },
      timeout: 30,
    },
    target: {
      name: 'all',
      project: 'staging',
      tags: {},
      names: [],
      ids: [],
      exclude: { tags: {}, names: [], ids: [] },
    },
    trigger: { type: 'webhook', auth: 'bearer', secrets: ['env:EXAMPLE_HOOK'], instances: 'subset' },
    guards: { ...builtIn.guards, maxInstances: 10_000, maxPercent: 100, maxPerDay: 100_000, stated: true },
    waves: {
      canary: { count: 1 },
      size: { percent: 100 },
      soak: 60,
      maxFailures: 10_000,
      order: { tag: 'env', values: ['dev', 'staging', 'prod'] },
      healthCheck: null,
    },
    retry: { maxAttempts: 6, baseDelay: 10, maxDelay: 300, for: 3600 },
    verify: { interval: 10, settle: 60, timeout: 1800 },
    retention: 7 * 86_400,
    ...change,
  };
}

/** The smallest scenario: `count` instances, everything in one wave after the canary. */
export function scenario(action: Action, count: number, change: Partial<Scenario> = {}): Scenario {
  return { job: jobOf(action), fleet: { instances: instances(count) }, ...change };
}

/** The same with everything in one wave. */
export function oneWave(action: Action, count: number, change: Partial<Scenario> = {}): Scenario {
  const { waves } = jobOf(action);
  return scenario(action, count, { job: jobOf(action, { waves: { ...waves, canary: { percent: 100 } } }), ...change });
}

export interface Scenario {
  readonly job: Job;
  readonly fleet: Omit<FleetOptions, 'now'>;
  readonly event?: Partial<Event>;
  readonly crash?: Crash;
  /** Instances that another run is at work on, by their leases. */
  readonly held?: readonly string[];
  /** What was there before. */
  readonly before?: (state: MemoryState, clock: VirtualClock) => Promise<void>;
  /** Wraps the port to DCS, to watch or to disturb it; the fleet can be changed behind its back. */
  readonly wrap?: (dcs: DcsApi, clock: VirtualClock, fleet: Fleet) => DcsApi;
  /** Milliseconds that the nth wake comes late; default: none. */
  readonly late?: (wake: number) => number;
  readonly notify?: readonly Notify[];
  /** What comes of the nth try to tell somebody, from 1; default: all is heard. */
  readonly hears?: (to: Notify, nth: number) => Told;
  /** What the health check says when it is asked for the nth time, from 1; default: all is well. */
  readonly health?: (nth: number, clock: VirtualClock) => Health;
  /** What somebody does while the run sleeps, so many seconds after it began. */
  readonly meanwhile?: readonly { readonly after: number; readonly does: (night: Night) => Promise<void> }[];
}

/** What is there to act on while a run goes. */
export interface Night {
  readonly runId: string;
  readonly state: MemoryState;
  readonly fleet: Fleet;
  readonly engine: VirtualEngine;
  readonly clock: VirtualClock;
}

/** A port as an object of its own, so that a test can replace some of its methods. */
export function methodsOf(dcs: DcsApi): DcsApi {
  return {
    list: (tags) => dcs.list(tags),
    total: () => dcs.total(),
    show: (id) => dcs.show(id),
    appendonly: (id) => dcs.appendonly(id),
    keyCounts: () => dcs.keyCounts(),
    backups: (id) => dcs.backups(id),
    backUp: (id, remark) => dcs.backUp(id, remark),
    act: (action, ids) => dcs.act(action, ids),
  };
}

export interface Played {
  readonly view: RunView;
  readonly fleet: Fleet;
  readonly engine: VirtualEngine;
  readonly clock: VirtualClock;
  readonly state: MemoryState;
  readonly record: RunRecord;
  readonly outcome: (number: number) => Outcome | undefined;
  /** Every try to tell somebody; `at` in ms. */
  readonly told: { readonly to: Notify; readonly message: Message; readonly at: number }[];
  /** Every look at the health check. */
  readonly asked: { readonly check: HealthCheck; readonly at: number }[];
  /** What was counted: `RunsEnded{failed} 1`. */
  readonly counts: readonly string[];
  readonly world: World;
}

/** Plays a scenario to its end. */
export async function play(scenario: Scenario): Promise<Played> {
  const clock = new VirtualClock('2026-11-23T02:00:00Z');
  const fleet = new Fleet({ seed: 7, ...scenario.fleet, now: clock.now });
  const state = new MemoryState();
  const engine = new VirtualEngine(clock, scenario.crash ?? null, 'execution-1', scenario.late);
  const memory = new MemoryDcs(fleet, { sleep: async (milliseconds) => clock.advance(milliseconds) });
  const dcs = scenario.wrap?.(memory, clock, fleet) ?? memory;
  await scenario.before?.(state, clock);
  const id = await prepare(state, scenario, clock.now);
  for (const { after, does } of scenario.meanwhile ?? []) {
    const night = { runId: id, state, fleet, engine, clock };
    engine.meanwhile({ at: clock.now() + after * 1000, does: () => does(night) });
  }
  const metrics = new MemoryMetrics();
  const told: Played['told'] = [];
  const asked: Played['asked'] = [];
  const world: World = {
    ...quietWorld(state, () => dcs, clock),
    metrics,
    config: { stage: 'test', notify: scenario.notify ?? [] },
    messenger: async (to, message) => {
      told.push({ to, message, at: clock.now() });
      return scenario.hears?.(to, told.length) ?? { ok: true };
    },
    probe: async (check) => {
      asked.push({ check, at: clock.now() });
      return scenario.health?.(asked.length, clock) ?? { healthy: true };
    },
  };
  await engine.drive((invocation) => run(id, invocation, world));
  const record = await readRecord(state, id);
  if (record === undefined) throw new Error('the run has no record');
  const view = await runView(state, record);
  const outcome = (number: number): Outcome | undefined =>
    view.outcomes.find(({ instanceId }) => instanceId === idOf(number));
  return { view, fleet, engine, clock, state, record, outcome, told, asked, counts: metrics.counts, world };
}

/** A world in which nobody is told and nothing is logged. */
export function quietWorld(state: State, dcs: World['dcs'], { now }: Pick<VirtualClock, 'now'>): World {
  const silence = (): void => undefined;
  return {
    state,
    dcs,
    now,
    log: { error: silence, warn: silence, info: silence, debug: silence },
    metrics: { count: silence },
    config: { stage: 'test', notify: [] },
    messenger: async () => ({ ok: true }),
    probe: async () => ({ healthy: true }),
  };
}

/** Stores the run of a scenario, as a door leaves it, and what another one holds. Returns its id. */
export async function prepare(
  state: State,
  { job, event, held = [] }: Pick<Scenario, 'job' | 'event' | 'held'>,
  now: () => number,
): Promise<string> {
  await leasesOf(state, 'other-run', now).take(held);
  const createdAt = new Date(now()).toISOString();
  const whole: Event = {
    trigger: 'webhook',
    identity: ['bearer', 'key-1'],
    requestedBy: 'webhook:nightly',
    receivedAt: createdAt,
    ...event,
  };
  const id = runId('test', job.name, whole.identity);
  const record: RunRecord = {
    v: 1,
    runId: id,
    job,
    action: job.action,
    event: whole,
    status: 'accepted',
    started: false,
    counts: noCounts,
    createdAt,
  };
  await state.putIfAbsent(runKey(id), asJson(record), { index: { job: job.name, createdAt } });
  return id;
}

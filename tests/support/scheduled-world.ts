// A world for ticks: a clock that tests set, the state in memory, and executions that end when a test says so.

import type { Json } from '../../lib/canonical.ts';
import { readConfig } from '../../lib/config/file.ts';
import type { Config } from '../../lib/config.ts';
import { tick } from '../../lib/doors/tick.ts';
import { runId } from '../../lib/event.ts';
import { type RunRecord, type RunStatus, readRecord, recordOf, updateRecord } from '../../lib/record.ts';
import type { Executions, Log } from '../../lib/runtime.ts';
import type { Key } from '../../lib/state.ts';
import { MemoryMetrics } from './memory-metrics.ts';
import { MemoryState } from './memory-state.ts';

type ExecutionStatus = Awaited<ReturnType<Executions['status']>>;

/** A state whose next writes, of any key that starts with a text, can be made to fail. */
export class FragileState extends MemoryState {
  /** Writes to a pk or sk that starts with this fail. */
  broken: string | null = null;

  override async putIfAbsent(key: Key, value: Json, options = {}): Promise<boolean> {
    this.#check(key);
    return super.putIfAbsent(key, value, options);
  }

  override async updateIf(key: Key, version: number, value: Json, options = {}): Promise<boolean> {
    this.#check(key);
    return super.updateIf(key, version, value, options);
  }

  #check(key: Key): void {
    if (this.broken === null || ![key.pk, key.sk].some((part) => part.startsWith(this.broken ?? ''))) return;
    throw new Error(`no write to ${key.pk} ${key.sk}`);
  }
}

/** Executions that run until `end`, and whose service can be made to fail. */
export class FakeExecutions implements Executions {
  readonly starts: string[] = [];
  readonly statuses = new Map<string, ExecutionStatus>();
  readonly answers: string[] = [];
  failing: Error | null = null;

  async start(runId: string, name: string = runId): Promise<void> {
    if (this.failing !== null) throw this.failing;
    this.starts.push(name);
    if (!this.statuses.has(name)) this.statuses.set(name, 'running');
  }

  async tell(name: string): Promise<void> {
    await this.start(name);
  }

  async status(name: string): Promise<ExecutionStatus> {
    if (this.failing !== null) throw this.failing;
    return this.statuses.get(name) ?? 'absent';
  }

  async answer(answerId: string): Promise<void> {
    if (this.failing !== null) throw this.failing;
    this.answers.push(answerId);
  }
}

/** Everything a tick touches, and shorthands for what tests ask of it. */
export class ScheduledWorld {
  readonly state = new FragileState();
  readonly executions = new FakeExecutions();
  readonly metrics = new MemoryMetrics();
  readonly logged: string[] = [];
  readonly log: Log = {
    error: (message) => this.logged.push(`error ${message}`),
    warn: (message) => this.logged.push(`warn ${message}`),
    info: (message) => this.logged.push(`info ${message}`),
    debug: (message) => this.logged.push(`debug ${message}`),
  };
  config: Config;
  time = 0;
  readonly now = (): number => this.time;

  constructor(config: Config) {
    this.config = config;
  }

  /** Sets the clock to an instant in UTC, `2026-01-01T02:00`, and ticks. */
  tickAt(instant: string): ReturnType<typeof tick> {
    this.time = Date.parse(`${instant}Z`);
    return tick(this);
  }

  /** The id of the run of a fire that was planned for an instant in UTC. */
  id(job: string, instant: string): string {
    return runId(this.config.stage, job, new Date(`${instant}Z`).toISOString());
  }

  /** The record of that fire. */
  record(job: string, instant: string): Promise<RunRecord | undefined> {
    return readRecord(this.state, this.id(job, instant));
  }

  /** The run writes its result and its execution ends. */
  async end(runId: string, status: RunStatus = 'succeeded'): Promise<void> {
    await updateRecord(this.state, runId, (record) => ({ ...record, status }));
    this.executions.statuses.set(runId, 'ended');
  }

  /** The same, also while writes fail. */
  async endQuietly(runId: string): Promise<void> {
    const broken = this.state.broken;
    this.state.broken = null;
    await this.end(runId);
    this.state.broken = broken;
  }

  /** The runs of a job that were not recorded as missed or refused. */
  async startedRuns(job: string): Promise<string[]> {
    const records = (await this.state.byJob(job, 1000)).map((item) => recordOf(item.value));
    return records.filter(({ status }) => status !== 'missed' && status !== 'refused').map(({ runId }) => runId);
  }
}

/** A configuration with these jobs: a schedule trigger as YAML flow text by job name, or other triggers. */
export function configOf(triggers: Readonly<Record<string, string>>, more = ''): Config {
  const jobs = Object.entries(triggers).map(
    ([name, trigger]) => `
  ${name}:
    action: soft_restart
    target: caches
    trigger: ${trigger}
    guards: {maxInstances: 5}${more}`,
  );
  return readConfig(`${head}${jobs.join('')}\n`, 'autopilot.yml');
}

const head = `
projects:
  staging:
    region: eu-de
    projectId: 0a1b2c3d4e5f60718293a4b5c6d7e8f9
    credentials: {aksk: env:HUAWEICLOUD_SDK}
targets:
  caches: {project: staging, tags: {env: staging}}
jobs:`;

// `npm start`: the local runtime. With a configuration it works for real; without one it shows itself on a small demo
// fleet. It serves until it is told to stop, and takes up what an earlier process left.

import { randomBytes, randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { alertDoor } from '../../functions/alert.ts';
import { consoleDoor } from '../../functions/console.ts';
import { scheduleDoor } from '../../functions/schedule.ts';
import { webhookDoor } from '../../functions/webhook.ts';
import { type LogLevel, powertoolsLog } from '../aws/logger.ts';
import { exitCodeOf } from '../cli/exit-codes.ts';
import type { Io } from '../cli/io.ts';
import { defaultFile, loadConfig } from '../cli/load-config.ts';
import { progressLines, reportText } from '../cli/run-text.ts';
import { untilStopped } from '../cli/until-stopped.ts';
import { UsageError } from '../cli/usage.ts';
import { readConfig } from '../config/file.ts';
import type { Config, Job } from '../config.ts';
import { accept } from '../doors/accept.ts';
import { AutopilotError, EnvironmentError } from '../errors.ts';
import type { Event } from '../event.ts';
import { type RunStatus, readRecord } from '../record.ts';
import { isGoing, type RunView, runView } from '../report.ts';
import type { Log } from '../runtime.ts';
import { nextFires } from '../schedule.ts';
import { realClock } from './clock.ts';
import { composeLocal, type Local } from './compose.ts';
import { openDatabase } from './database.ts';
import { demoConfig, demoFleet, demoJob, demoKey, demoProjectId } from './demo.ts';
import { forget } from './forget.ts';
import { toContext } from './gateway.ts';
import { type Environment, EnvSecrets } from './secrets.ts';
import { type RunningServer, startServer } from './server.ts';
import { Fleet } from './simulator/fleet.ts';
import { startSimulator } from './simulator/server.ts';
import { SqliteState } from './state-sqlite.ts';

/** A configuration and where its secrets and its DCS come from. */
interface Site {
  readonly config: Config;
  readonly env: Environment;
  /** Shown at the start. */
  readonly about: readonly string[];
  readonly isDemo: boolean;
  readonly close: () => Promise<void>;
}

const minute = 60_000;
const lookEvery = 200;

/**
 * `serve [--once [JOB]]`: serves until a signal and answers 0; with `--once` runs one job and answers the exit code of
 * its status. Throws EnvironmentError for a port or folder in use, ConfigError for a faulty configuration.
 */
export async function serve(args: readonly string[], io: Io): Promise<number> {
  const once = readArgs(args);
  const log = powertoolsLog('dcs-autopilot', levelOf(io.env), process.stderr);
  const database = openDatabase(io.env['AUTOPILOT_DATA'] || '.autopilot');
  const site = await openSite(io, database);
  const token = io.env['AUTOPILOT_TOKEN'] || randomBytes(24).toString('base64url');
  const secrets = new EnvSecrets(site.env, realClock.now);
  const stopping = new AbortController();
  const { signal } = stopping;
  // As many as there are requests that wait.
  setMaxListeners(0, signal);
  const local = composeLocal({
    config: site.config,
    database,
    secrets,
    token,
    clock: realClock,
    log,
    proxies: io.env,
    stopping: signal,
  });
  const server = once === null ? await listen(local, io, log) : null;
  const ticking = startTicking(local, database, log);
  local.backend.resume();
  try {
    greet(io, site, server, token);
    if (once !== null) return exitCodeOf(await runNow(local, jobFor(once, site), io));
    if (site.isDemo) await runDemo(local, site, server, token, io);
    await untilStopped();
    io.stderr('stopping; what is going on goes on with the next start\n');
    return 0;
  } finally {
    ticking.stop();
    stopping.abort();
    await server?.close();
    await local.backend.stop();
    await site.close();
    database.close();
  }
}

/** null: serve. Else the job to run once, empty when none was named. */
function readArgs(args: readonly string[]): string | null {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { once: { type: 'boolean' }, json: { type: 'boolean' } },
    allowPositionals: true,
  });
  if (positionals.length > 1 || (positionals.length === 1 && values.once !== true)) {
    throw new UsageError('serve takes one job, after --once');
  }
  return values.once === true ? (positionals[0] ?? '') : null;
}

/** The configuration that is named or lies there; without any, the demo. */
async function openSite(io: Io, database: DatabaseSync): Promise<Site> {
  const file = defaultFile(io.env);
  if (!io.env['AUTOPILOT_CONFIG'] && !existsSync(file)) return openDemo(io, database);
  const { config } = loadConfig(file, 'machine');
  const about = [`${file}: ${plural(Object.keys(config.jobs).length, 'job')}`, ...comingFires(config)];
  return { config, env: io.env, about, isDemo: false, close: async () => undefined };
}

/**
 * The bundled simulator with its fleet. Its port is kept over restarts: a run that was killed goes on at the endpoint
 * that was frozen into it.
 */
async function openDemo(io: Io, database: DatabaseSync): Promise<Site> {
  const state = new SqliteState(database);
  const key = { pk: 'demo', sk: 'simulator' };
  const last = v.parse(v.optional(v.object({ port: v.number() })), (await state.get(key))?.value);
  const options = {
    fleet: new Fleet({ ...demoFleet(), now: Date.now }),
    keys: [demoKey],
    projectId: demoProjectId,
    now: Date.now,
  };
  const simulator = await startSimulator({ ...options, port: last?.port ?? 0 }).catch(() => startSimulator(options));
  await state.put(key, { port: simulator.port });
  const hookToken = io.env['DEMO_HOOK_TOKEN'] || randomBytes(24).toString('base64url');
  const env = { ...io.env, DEMO_DCS_AK: demoKey.ak, DEMO_DCS_SK: demoKey.sk, DEMO_HOOK_TOKEN: hookToken };
  return {
    config: readConfig(demoConfig(simulator.url), 'demo'),
    env,
    about: [`there is no autopilot.yml here: this is the demo, on 12 simulated instances (${simulator.url}/__state)`],
    isDemo: true,
    close: () => simulator.close(),
  };
}

function listen({ runtime }: Local, io: Io, log: Log): Promise<RunningServer> {
  const open = async (): Promise<Local['runtime']> => runtime;
  const host = io.env['HOST'] || '127.0.0.1';
  return startServer({
    host,
    port: portOf(io.env),
    webhook: webhookDoor(open),
    alert: alertDoor(open),
    console: consoleDoor(open),
    log,
  });
}

function portOf(env: Io['env']): number {
  const text = env['PORT'] || '8787';
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new EnvironmentError('port_invalid', `PORT has to be a number from 0 to 65535`);
}

function levelOf(env: Io['env']): LogLevel {
  const level = env['AUTOPILOT_LOG']?.toLowerCase();
  return level === 'debug' || level === 'info' || level === 'error' ? level : 'warn';
}

/** A tick at once and then at the beginning of every minute. */
function startTicking({ runtime }: Local, database: DatabaseSync, log: Log): { readonly stop: () => void } {
  const door = scheduleDoor(async () => runtime);
  let cancel = (): void => undefined;
  const tick = async (): Promise<void> => {
    cancel = realClock.at((Math.floor(Date.now() / minute) + 1) * minute, () => void tick());
    try {
      await door({}, toContext('schedule', randomUUID()));
      forget(database, Date.now());
    } catch (error) {
      log.error('tick failed', { error });
    }
  };
  void tick();
  return { stop: () => cancel() };
}

function greet(io: Io, site: Site, server: RunningServer | null, token: string): void {
  const lines = [...site.about];
  if (server !== null) lines.push(`listening on ${server.url}`);
  if (server !== null && !io.env['AUTOPILOT_TOKEN']) lines.push(`AUTOPILOT_TOKEN of the operator local: ${token}`);
  for (const line of lines) io.stderr(`dcs-autopilot  ${line}\n`);
}

function comingFires(config: Config): string[] {
  return Object.values(config.jobs).flatMap((job) => {
    if (job.trigger.type !== 'schedule' || !job.enabled) return [];
    const [fire] = nextFires(job.trigger, Date.now(), 1);
    return fire === undefined ? [] : [`${job.name} fires next at ${fire.local}`];
  });
}

function jobFor(name: string, { config, isDemo }: Site): Job {
  const names = Object.keys(config.jobs);
  const wanted = name !== '' ? name : isDemo ? demoJob : names.length === 1 ? (names[0] ?? '') : '';
  if (wanted === '') throw new UsageError(`name the job after --once: ${names.join(', ')}`);
  const job = config.jobs[wanted];
  if (job === undefined) throw new UsageError(`there is no job ${wanted}; there are: ${names.join(', ')}`);
  if (!job.enabled) throw new AutopilotError('disabled', `the job ${wanted} is disabled`);
  return job;
}

/** Runs a job as the operator `local`, shows its progress and its report, and answers how it ended. */
async function runNow({ runtime }: Local, job: Job, io: Io): Promise<RunStatus> {
  const event: Event = {
    trigger: 'manual',
    identity: randomUUID(),
    requestedBy: 'operator:local',
    receivedAt: new Date().toISOString(),
  };
  const { runId } = await accept(runtime, job, event);
  let before: RunView | null = null;
  let reported = false;
  for (;;) {
    const record = await readRecord(runtime.state, runId);
    if (record === undefined) throw new AutopilotError('run_unknown', `the run ${runId} is gone`);
    const view: RunView = await runView(runtime.state, record);
    for (const line of progressLines(before, view, Date.now())) io.stderr(`${line}\n`);
    if (!isGoing(view.status)) {
      if (!reported) io.stdout(reportText(view));
      reported = true;
      // The process may be about to end, and with it who tells.
      if (record.notice !== 'due') return view.status;
    }
    before = view;
    await sleep(lookEvery);
  }
}

async function runDemo(local: Local, site: Site, server: RunningServer | null, token: string, io: Io): Promise<void> {
  await runNow(local, jobFor('', site), io);
  const hook = site.env['DEMO_HOOK_TOKEN'];
  io.stderr(`
Try a webhook, then look at what came of it:
  curl -X POST ${server?.url}/hooks/restart-after-deploy -H 'Authorization: Bearer ${hook}' -H 'Idempotency-Key: try-1'
  curl ${server?.url}/runs -H 'Authorization: Bearer ${token}'
Ctrl-C stops it.
`);
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

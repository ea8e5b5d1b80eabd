// One large run on the composition of one machine, in a process of its own: what it prints is what such a process needs.
// The simulator is another process. Waits are skipped, work takes its time: only what suspends the run is shortened.

import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { powertoolsLog } from '../../lib/aws/logger.ts';
import { readConfig } from '../../lib/config/file.ts';
import type { Config } from '../../lib/config.ts';
import { accept } from '../../lib/doors/accept.ts';
import type { Event } from '../../lib/event.ts';
import type { Clock } from '../../lib/local/clock.ts';
import { composeLocal } from '../../lib/local/compose.ts';
import { databaseFile, openDatabase } from '../../lib/local/database.ts';
import { EnvSecrets } from '../../lib/local/secrets.ts';
import { readRecord } from '../../lib/record.ts';
import { SimulatorProcess } from './simulator-client.ts';
import { key, projectId } from './site.ts';

/** The machine's clock, which jumps to the next instant that somebody waits for. */
class SkippingClock implements Clock {
  readonly #told: (ahead: number) => Promise<void>;
  #ahead = 0;

  constructor(told: (ahead: number) => Promise<void>) {
    this.#told = told;
  }

  /** Milliseconds in all. */
  get skipped(): number {
    return this.#ahead;
  }

  readonly now = (): number => Date.now() + this.#ahead;

  at(time: number, wake: () => void): () => void {
    let isOff = false;
    this.#ahead += Math.max(0, time - this.now());
    void this.#told(this.#ahead).then(() => {
      if (!isOff) wake();
    });
    return () => {
      isOff = true;
    };
  }
}

function config(endpoint: string, count: number): Config {
  const file = {
    projects: {
      bench: {
        region: 'eu-de',
        projectId,
        endpoint,
        credentials: { aksk: 'env:BENCH' },
        rate: { callsPerSecond: 1000, retriesPerHour: 10_000 },
      },
    },
    targets: { fleet: { project: 'bench', tags: { env: 'staging' } } },
    jobs: {
      flush: {
        action: 'flush',
        target: 'fleet',
        trigger: { schedule: { cron: '0 2 * * *' } },
        guards: { maxInstances: count, maxPercent: '100%', maxPerDay: count },
        waves: { canary: 1, size: '10%' },
      },
    },
  };
  return readConfig(JSON.stringify(file), 'bench');
}

const count = Number(process.argv[2]);
// As lib/cli/bin.js does, which says why.
setFlagsFromString('--semi-space-growth-factor=1');
setFlagsFromString('--heap-growing-percent=20');
const folder = await mkdtemp(join(tmpdir(), 'dcs-autopilot-bench-'));
const simulator = await SimulatorProcess.start(count, 2);
const clock = new SkippingClock((ahead) => simulator.skipTo(ahead));
const database = openDatabase(folder);
const secrets = new EnvSecrets({ BENCH_AK: key.ak, BENCH_SK: key.sk }, clock.now);
const log = powertoolsLog('bench', 'warn', process.stderr);
const local = composeLocal({ config: config(simulator.url, count), database, secrets, token: 'bench', clock, log });

const rssBefore = process.resourceUsage().maxRSS / 1024;
const [begun, cpuBefore] = [performance.now(), process.cpuUsage()];
const runId = await play();
const wall = performance.now() - begun;
const cpu = process.cpuUsage(cpuBefore);
const rss = process.resourceUsage().maxRSS / 1024;

const record = await readRecord(local.state, runId);
const { count: operations, largest } = local.backend.operations(runId);
const figures = {
  status: record?.status,
  waves: record?.plan?.waves.length,
  wall: wall / 1000,
  cpu: (cpu.user + cpu.system) / 1_000_000,
  skipped: clock.skipped / 1000,
  rssBefore,
  rss,
  operations,
  largest,
  database: await databaseSize(),
  ...(await simulator.done()),
};
process.stdout.write(`${JSON.stringify(figures)}\n`);

await local.backend.stop();
database.close();
await simulator.stop();
await rm(folder, { recursive: true });

async function play(): Promise<string> {
  const job = local.runtime.config.jobs['flush'];
  if (job === undefined) throw new Error('there is no job flush');
  const receivedAt = new Date(clock.now()).toISOString();
  const event: Event = { trigger: 'manual', identity: 'bench', requestedBy: 'operator:local', receivedAt };
  const ended = Promise.withResolvers<void>();
  local.backend.onEnded(() => ended.resolve());
  const { runId: id } = await accept(local.runtime, job, event);
  await ended.promise;
  return id;
}

async function databaseSize(): Promise<number> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(databaseFile));
  const files = await Promise.all(names.map((name) => stat(join(folder, name))));
  return files.reduce((sum, { size }) => sum + size, 0);
}

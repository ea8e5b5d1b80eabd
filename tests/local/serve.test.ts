// The local runtime as a process, as its user meets it: exit codes, what it says, what it refuses to start with, and
// that no secret ends up in what it prints or stores. The simulator, as the real endpoint, lives in this process.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Fleet } from '../../lib/local/simulator/fleet.ts';
import { type Simulator, startSimulator } from '../../lib/local/simulator/server.ts';
import { idOf, instances } from '../support/scenario.ts';

const projectId = '0a1b2c3d4e5f60718293a4b5c6d7e8f9';
const key = { ak: 'EXAMPLEACCESSKEY0001', sk: 'Example-secret-key-that-must-not-leak' };
const token = 'example-operator-token-that-must-not-leak';
const command = join(import.meta.dirname, '../../lib/cli/bin.js');

let folder: string;
let simulator: Simulator;
let children: ChildProcess[];

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when stderr has matched. */
  readonly says: (pattern: RegExp) => Promise<RegExpExecArray>;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'autopilot-serve-'));
  children = [];
  simulator = await open(Date.now);
  writeFileSync(join(folder, 'autopilot.yml'), config(simulator.url));
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await simulator.close();
  rmSync(folder, { recursive: true });
});

function open(now: () => number): Promise<Simulator> {
  const timing = { lag: { min: 50, max: 50 }, flush: { min: 1_500, max: 1_500 } };
  const fleet = new Fleet({ instances: instances(2), now: Date.now, timing });
  return startSimulator({ fleet, keys: [key], projectId, now });
}

function config(endpoint: string): string {
  return `
projects:
  p: {region: eu-de, projectId: ${projectId}, endpoint: "${endpoint}", credentials: {aksk: env:TEST}}
targets:
  all: {project: p, names: ["*"]}
jobs:
  nightly: {action: flush, target: all, trigger: {schedule: {cron: "0 2 1 1 *"}}, guards: {maxInstances: 5, maxPercent: 100%}}
defaults:
  waves: {canary: 100%}
  verify: {interval: 1s, settle: 1s, timeout: 30s}
`;
}

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Started {
  const keys = { TEST_AK: key.ak, TEST_SK: key.sk, AUTOPILOT_TOKEN: token, PORT: '0' };
  const child = spawn(process.execPath, [command, 'serve', ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...keys, ...env },
  });
  children.push(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const ended = once(child, 'close').then(([code]) => ({ code, stdout, stderr }));
  const says = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const match = pattern.exec(stderr);
      if (match !== null) return match;
      await Promise.race([once(child.stderr, 'data'), ended]);
      if (child.exitCode !== null && !pattern.test(stderr)) throw new Error(`it ended: ${stderr}`);
    }
  };
  return { child, ended, says };
}

const operator = { authorization: `Bearer ${token}` };

/** The local runtime with a run that takes some seconds; `url` is where that one is looked at. */
async function running() {
  const started = start([]);
  const [, origin = ''] = await started.says(/listening on (\S+)/);
  const answer = await fetch(`${origin}/jobs/nightly/runs`, { method: 'POST', headers: operator });
  const statusOf = async (response: Response): Promise<unknown> => Reflect.get(Object(await response.json()), 'status');
  return { ...started, origin, url: `${origin}${answer.headers.get('location')}`, statusOf };
}

/** Everything in the data folder, as one text. */
function stored(): string {
  const data = join(folder, '.autopilot');
  return readdirSync(data)
    .map((name) => readFileSync(join(data, name), 'latin1'))
    .join('');
}

describe('serve --once', () => {
  it('runs the job, reports on stdout, ends with the code of its status, and leaks no secret', async () => {
    const { code, stdout, stderr } = await start(['--once', 'nightly'], { AUTOPILOT_LOG: 'debug' }).ended;

    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(/nightly: flush succeeded\n {2}2 succeeded/);
    expect([1, 2].map((n) => simulator.fleet.applied(idOf(n)).flush)).toEqual([1, 1]);
    for (const secret of [key.sk, token]) expect(`${stdout}${stderr}${stored()}`).not.toContain(secret);
  });

  it('stops after one call with a wrong key', async () => {
    const { code, stdout } = await start(['--once'], { TEST_SK: 'wrong' }).ended;

    expect(code).toBe(4);
    expect(stdout).toContain('credentials_rejected');
    expect(simulator.refused()).toBe(1);
  });

  it('says by how much the clock is off', async () => {
    const late = await open(() => Date.now() + 20 * 60_000);
    writeFileSync(join(folder, 'autopilot.yml'), config(late.url));

    const { code, stdout } = await start(['--once']).ended;

    await late.close();
    expect(code).toBe(4);
    expect(stdout).toMatch(/clock_skew[\s\S]*20 min/);
    expect(late.refused()).toBe(1);
  });

  it('names the variable of a missing key', async () => {
    const { code, stdout } = await start(['--once'], { TEST_SK: '' }).ended;

    expect(code).toBe(4);
    expect(stdout).toContain('TEST_SK');
  });

  it.each([
    [['--once', 'nobody'], 64, 'there is no job nobody'],
    [['nightly'], 64, 'after --once'],
    [['--twice'], 64, '--twice'],
  ])('refuses %j', async (args, expected, message) => {
    const { code, stderr } = await start(args).ended;

    expect(code).toBe(expected);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^ +at /m);
  });
});

describe('serve', () => {
  it('serves until it is told to stop', async () => {
    const { child, ended, says } = start([]);
    const [, url] = await says(/listening on (\S+)/);

    const health = await fetch(`${url}/healthz`);
    child.kill('SIGTERM');

    expect(health.status).toBe(200);
    expect((await ended).code).toBe(0);
  });

  it('lets somebody wait for the end of a run, and tells them of it', async () => {
    const { url, statusOf } = await running();

    const waited = await fetch(`${url}?wait=25`, { headers: operator });

    expect(await statusOf(waited)).toBe('succeeded');
  });

  it('answers those who wait when it is told to stop', async () => {
    const { origin, url, statusOf, child, ended } = await running();
    const waiting = fetch(`${url}?wait=25`, { headers: operator });
    for (let asked = 0; asked < 3; asked++) await fetch(`${origin}/healthz`);

    child.kill('SIGTERM');

    expect(await statusOf(await waiting)).toMatch(/accepted|running/);
    expect(await ended).toMatchObject({ code: 0, stderr: expect.not.stringMatching(/ERROR|Warning/) });
  });

  it('refuses a port that is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? String(address.port) : '';

    const { code, stderr } = await start([], { PORT: port }).ended;

    other.close();
    expect(code).toBe(1);
    expect(stderr).toContain(`port ${port} on 127.0.0.1 is in use`);
  });

  it('refuses a data folder that is in use, and lives on in the first process', async () => {
    const first = start([]);
    const [, url] = await first.says(/listening on (\S+)/);

    const { code, stderr } = await start([]).ended;

    expect(code).toBe(1);
    expect(stderr).toContain(`in use by process ${first.child.pid}`);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it('refuses a faulty configuration with every fault', async () => {
    writeFileSync(join(folder, 'autopilot.yml'), 'jobs: {a: {action: flsh}}\n');

    const { code, stderr } = await start([]).ended;

    expect(code).toBe(1);
    expect(stderr).toContain('autopilot.yml:1: jobs.a.action:');
    expect(stderr).toContain('autopilot.yml:1: projects: required');
  });
});

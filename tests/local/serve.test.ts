// The local runtime as a process, as its user meets it: exit codes, what it says, what it refuses to start with, and
// that no secret ends up in what it prints or stores. The simulator, as the real endpoint, lives in this process.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { key, LocalSite, openSimulator, projectId, type Started, token } from '../support/local-site.ts';
import { idOf } from '../support/scenario.ts';

let site: LocalSite;

beforeEach(async () => {
  site = await LocalSite.open(config);
});

afterEach(() => site.close());

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
  return site.start(['serve', ...args], env);
}

const operator = { authorization: `Bearer ${token}` };

/** The local runtime with a run that takes some seconds; `url` is where that one is looked at. */
async function running() {
  const { origin, ...started } = await site.serve();
  const answer = await fetch(`${origin}/jobs/nightly/runs`, { method: 'POST', headers: operator });
  const statusOf = async (response: Response): Promise<unknown> => Reflect.get(Object(await response.json()), 'status');
  return { ...started, origin, url: `${origin}${answer.headers.get('location')}`, statusOf };
}

describe('serve --once', () => {
  it('runs the job, reports on stdout, ends with the code of its status, and leaks no secret', async () => {
    const { code, stdout, stderr } = await start(['--once', 'nightly'], { AUTOPILOT_LOG: 'debug' }).ended;

    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(/nightly: flush succeeded\n {2}2 succeeded/);
    expect([1, 2].map((n) => site.simulator.fleet.applied(idOf(n)).flush)).toEqual([1, 1]);
    for (const secret of [key.sk, token]) expect(`${stdout}${stderr}${site.stored()}`).not.toContain(secret);
  });

  it('stops after one call with a wrong key', async () => {
    const { code, stdout } = await start(['--once'], { TEST_SK: 'wrong' }).ended;

    expect(code).toBe(4);
    expect(stdout).toContain('credentials_rejected');
    expect(site.simulator.refused()).toBe(1);
  });

  it('says by how much the clock is off', async () => {
    const late = await openSimulator(() => Date.now() + 20 * 60_000);
    site.write('autopilot.yml', config(late.url));

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
    site.write('autopilot.yml', 'jobs: {a: {action: flsh}}\n');

    const { code, stderr } = await start([]).ended;

    expect(code).toBe(1);
    expect(stderr).toContain('autopilot.yml:1: jobs.a.action:');
    expect(stderr).toContain('autopilot.yml:1: projects: required');
  });
});

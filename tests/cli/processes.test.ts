// The commands as processes against the local runtime as another one, as scripts use them: their exit codes, what goes to
// stdout, and a watcher who leaves.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Ended, key, LocalSite, projectId, token } from '../support/local-site.ts';
import { idOf } from '../support/scenario.ts';

const aliceToken = 'example-token-of-alice-made-up';

function config(endpoint: string): string {
  const hook = 'trigger: {webhook: {auth: bearer, secrets: [env:HOOK]}}';
  return `
projects:
  p: {region: eu-de, projectId: ${projectId}, endpoint: "${endpoint}", credentials: {aksk: env:TEST}}
targets:
  all: {project: p, names: ["*"]}
  nobody: {project: p, names: ["no-such-*"]}
operators:
  alice: {token: env:ALICE, may: [read, approve]}
jobs:
  clear: {action: flush, target: all, ${hook}}
  careful: {action: flush, target: all, approval: required, ${hook}}
  void: {action: flush, target: nobody, ${hook}}
defaults:
  guards: {maxInstances: 5, maxPercent: 100%}
  waves: {canary: 100%}
  verify: {interval: 1s, settle: 1s, timeout: 30s}
`;
}

let site: LocalSite;
let origin: string;

beforeAll(async () => {
  site = await LocalSite.open(config);
  ({ origin } = await site.serve({ ALICE: aliceToken }));
});

afterAll(() => site.close());

function command(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return site.start(args, { AUTOPILOT_URL: origin, ...env }).ended;
}

function flushes(): number[] {
  return [1, 2].map((n) => site.simulator.fleet.applied(idOf(n)).flush);
}

describe('commands as processes', () => {
  it('run a job to its end, and leave no secret in what they print', async () => {
    const before = flushes();

    const { code, stdout, stderr } = await command(['run', 'clear', '--yes']);

    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(/clear: flush succeeded\n {2}2 succeeded/);
    expect(stderr).toContain('verified by');
    expect(flushes()).toEqual(before.map((times) => times + 1));
    for (const secret of [token, key.sk]) expect(`${stdout}${stderr}`).not.toContain(secret);
  });

  it.each<[readonly string[], number]>([
    [['run', 'clear'], 64],
    [['run', 'clear', '--dry-run'], 0],
    [['run', 'void', '--yes'], 5],
    [['run', 'careful', '--yes', '--no-wait'], 7],
    [['run', 'nobody', '--yes'], 1],
    [['run'], 64],
    [['runs', '--json'], 0],
    [['show', 'clear-1'], 1],
    [['pause'], 64],
    [['pause', '--reason', 'x'], 0],
    [['resume'], 0],
    [['runs', '--url', 'http://127.0.0.1:1'], 1],
  ])('%j ends with %d, having flushed nothing', async (args, expected) => {
    const before = flushes();

    const { code, stderr } = await command(args);

    expect({ code, stderr }).toMatchObject({ code: expected });
    expect(stderr).not.toMatch(/^ +at /m);
    expect(flushes()).toEqual(before);
  });

  it('make the same plan without a server as with one', async () => {
    const alone = JSON.parse((await command(['plan', 'clear', '--json'])).stdout);
    const served = JSON.parse((await command(['run', 'clear', '--dry-run', '--json'])).stdout);

    expect(alone.plan.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(alone.plan.hash).toBe(served.plan.hash);
  });

  it('wait for a plan that somebody else approves with another process', async () => {
    const runner = site.start(['run', 'careful', '--yes'], { AUTOPILOT_URL: origin });
    const [, id = '', hash = ''] = await runner.says(/approve (careful-\S+) --plan (\S+)/);

    const approved = await command(['approve', id, '--plan', hash], {
      AUTOPILOT_TOKEN: aliceToken,
    });

    expect(approved.code).toBe(0);
    expect(await runner.ended).toMatchObject({ code: 0, stdout: expect.stringContaining('careful: flush succeeded') });
  });

  it('leave the run going at Ctrl-C, and say how to stop it', async () => {
    const runner = site.start(['run', 'careful', '--yes'], { AUTOPILOT_URL: origin });
    const [, id = ''] = await runner.says(/approve (careful-\S+)/);

    runner.child.kill('SIGINT');

    const { code, stderr } = await runner.ended;
    expect(code).toBe(1);
    expect(stderr).toContain(`npx dcs-autopilot cancel ${id} stops it`);
    expect((await command(['cancel', id])).code).toBe(0);
  });
});

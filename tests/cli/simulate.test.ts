// Whole runs on the simulator with a virtual clock: what they come to, that a seed decides it, and that every target and
// every trigger can be played.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { main } from '../../lib/cli/main.ts';
import type { Job, Target } from '../../lib/config.ts';
import { targetFleet } from '../../lib/local/rehearsal/target-fleet.ts';
import { type Heard, hear } from '../support/command-io.ts';
import { jobOf } from '../support/scenario.ts';

const config = `
projects:
  p: {region: eu-de, projectId: 0a1b2c3d4e5f60718293a4b5c6d7e8f9, credentials: {aksk: env:TEST}, allowTag: may}
sources:
  alertmanager: {auth: bearer, secrets: [env:T]}
targets:
  some: {project: p, tags: {env: staging}, names: ["stg-*", "??-cache"], exclude: {tags: {team: search}}}
  all: {project: p, names: ["*"]}
  one: {project: p, ids: [11111111-1111-4111-8111-111111111111]}
  none: {project: p, names: ["a-*"], exclude: {names: ["a-*"]}}
jobs:
  nightly: {action: flush, target: some, trigger: {schedule: {cron: "0 2 * * *"}}, guards: {maxInstances: 20, maxPercent: 50%}}
  hook: {action: soft_restart, target: some, trigger: {webhook: {auth: bearer, secrets: [env:T]}}, approval: required}
  night: {action: restart, target: one, trigger: {webhook: {auth: bearer, secrets: [env:T]}}, window: {days: [sat], from: "22:00", to: "23:00", timezone: UTC}}
  capped: {action: restart, target: all, trigger: {webhook: {auth: bearer, secrets: [env:T]}}}
  asleep: {action: restart, target: some, dryRun: true, trigger: {webhook: {auth: bearer, secrets: [env:T]}}}
  nobody: {action: restart, target: none, trigger: {webhook: {auth: bearer, secrets: [env:T]}}}
  climb: {ladder: {rungs: [soft_restart, restart], rounds: 1}, target: some, trigger: {alert: {source: alertmanager, match: {alertname: High}, instance: id}}}
  big: {action: flush, target: all, trigger: {schedule: {cron: "0 2 * * *"}}, guards: {maxInstances: 10000, maxPercent: 100%, maxPerDay: 10000}, waves: {size: 20%, maxFailures: 10000}}
`;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'autopilot-simulate-'));
  writeFileSync(join(folder, 'autopilot.yml'), config);
});

afterAll(() => rmSync(folder, { recursive: true }));

async function simulate(...args: string[]): Promise<Heard> {
  const env = { AUTOPILOT_CONFIG: join(folder, 'autopilot.yml') };
  return await hear((io) => main(['simulate', ...args], io), { env, now: () => Date.parse('2026-11-23T12:00Z') });
}

describe('simulate', () => {
  it('plays a scheduled run from its next fire to its report', async () => {
    const { code, stdout, stderr } = await simulate('nightly');

    expect(code).toBe(0);
    expect(stderr).toMatch(/^simulated: 10 instances of some, in a project of 20, from 2026-11-24T02:00:00.000Z on\n/);
    expect(stderr).toMatch(/02:\d\d:\d\d {2}flush by schedule[\s\S]*done, verified by keys/);
    expect(stdout).toMatch(/nightly: flush succeeded\n/);
  });

  it('gives the same story for the same seed, and another one for another', async () => {
    const [first, again, other] = [
      await simulate('nightly', '--fail', '20%', '--seed', '3'),
      await simulate('nightly', '--fail', '20%', '--seed', '3'),
      await simulate('nightly', '--fail', '20%', '--seed', '4'),
    ];

    expect(again).toEqual(first);
    expect(other.stdout).not.toBe(first.stdout);
  });

  it('retries what fails, and stops where too much does', async () => {
    const some = await simulate('big', '--instances', '200', '--fail', '20%', '--json');
    const all = await simulate('nightly', '--fail', '100%');

    const { outcomes } = JSON.parse(some.stdout);
    expect(some.code).toBe(0);
    expect(some.stderr).toBe('');
    expect(Math.max(...outcomes.map(({ attempts }: { attempts: number }) => attempts))).toBeGreaterThan(1);
    expect(all.code).toBe(4);
    expect(all.stdout).toContain('max_failures');
  });

  it('plays a thousand instances', async () => {
    const { code, stdout } = await simulate('big', '--instances', '1000', '--json');

    expect(code).toBe(0);
    expect(JSON.parse(stdout).counts.succeeded).toBeGreaterThan(700);
  });

  it('gives an approval that is asked for', async () => {
    const { code, stdout } = await simulate('hook', '--json');

    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'succeeded', approval: { decision: { verdict: 'approved' } } });
  });

  it('climbs a ladder for an alert that stays', async () => {
    const { code, stdout, stderr } = await simulate('climb', '--json');

    expect({ code, stderr }).toEqual({ code: 4, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      requestedBy: 'alert:alertmanager',
      status: 'failed',
      rungs: [{ action: 'soft_restart' }, { action: 'restart' }],
    });
  });

  it('begins when the window opens', async () => {
    const { stderr } = await simulate('night');

    expect(stderr).toContain('1 instances of one, in a project of 10, from 2026-11-28T22:00:00.000Z on');
  });

  it('is held back by the guards of the job', async () => {
    const { code, stdout } = await simulate('capped', '--instances', '5');

    expect(code).toBe(5);
    expect(stdout).toMatch(/refused \(over_cap\)\n {2}5 instances are planned; maxPercent 10% of 5 instances allows 1/);
  });

  it('only plans where the job only does that', async () => {
    const { code, stdout } = await simulate('asleep');

    expect(code).toBe(0);
    expect(stdout).toContain('restart planned');
  });

  it.each([
    [['nobody-there'], 1, 'there is no job nobody-there; there are: nightly'],
    [['nobody'], 1, 'the target none takes 0 of 5 made-up instances'],
    [[], 64, 'simulate takes one job'],
    [['nightly', '--fail', '20'], 64, '--fail: "20" is not a share'],
    [['nightly', '--fail', '101%'], 64, '--fail'],
    [['nightly', '--instances', '0'], 64, '--instances'],
    [['nightly', '--seed', 'x'], 64, '--seed'],
  ])('refuses %j', async (args, code, message) => {
    const heard = await simulate(...args);

    expect(heard).toMatchObject({ code, stdout: '' });
    expect(heard.stderr).toContain(message);
  });
});

describe('a fleet for a target', () => {
  const word = fc.stringMatching(/^[a-z]{1,6}$/);
  const glob = fc.stringMatching(/^[a-z?*-]{1,8}$/);
  const target = fc.record({
    tags: fc.dictionary(word, word, { maxKeys: 3 }),
    names: fc.array(glob, { maxLength: 3 }),
  });

  it('is selected whole, whatever the target selects by, and fits into its caps', () => {
    fc.assert(
      fc.property(target, fc.nat(60), fc.integer({ min: 1, max: 100 }), (selector, extra, maxPercent) => {
        const base = jobOf('restart');
        const whole: Target = { ...base.target, ...selector };
        const job: Job = { ...base, target: whole, guards: { ...base.guards, maxPercent } };
        const count = extra + 1;

        const { instances, total } = targetFleet(job, count, extra);

        expect(new Set(instances.map(({ id }) => id)).size).toBe(count);
        expect(total).toBeGreaterThanOrEqual(count);
      }),
    );
  });
});

// A live plan without a server: what is read, what is told, and that nothing is sent.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { main } from '../../lib/cli/main.ts';
import type { Simulator } from '../../lib/local/simulator/server.ts';
import { type Heard, hear } from '../support/command-io.ts';
import { key, openSimulator, projectId } from '../support/local-site.ts';
import { idOf } from '../support/scenario.ts';

const config = (endpoint: string): string => `
projects:
  p: {region: eu-de, projectId: ${projectId}, endpoint: "${endpoint}", credentials: {aksk: env:TEST}}
targets:
  all: {project: p, names: ["*"]}
  none: {project: p, names: ["no-*"]}
sources:
  alertmanager: {auth: bearer, secrets: [env:T]}
defaults:
  guards: {maxInstances: 5, maxPercent: 100%}
jobs:
  clear: {action: flush, target: all, trigger: {webhook: {auth: bearer, secrets: [env:T]}}}
  capped: {action: flush, target: all, approval: required, guards: {maxInstances: 1}, trigger: {webhook: {auth: bearer, secrets: [env:T]}}}
  shut: {action: flush, target: all, enabled: false, window: {days: [sat], from: "22:00", to: "23:00", timezone: UTC}, trigger: {webhook: {auth: bearer, secrets: [env:T]}}}
  heal: {action: soft_restart, target: all, trigger: {alert: {source: alertmanager, match: {alertname: High}, instance: cache}}}
  void: {action: flush, target: none, trigger: {webhook: {auth: bearer, secrets: [env:T]}}}
`;

let folder: string;
let simulator: Simulator;

beforeEach(async () => {
  simulator = await openSimulator(Date.now);
  folder = mkdtempSync(join(tmpdir(), 'autopilot-plan-'));
  writeFileSync(join(folder, 'autopilot.yml'), config(simulator.url));
});

afterEach(async () => {
  await simulator.close();
  rmSync(folder, { recursive: true });
});

async function plan(args: readonly string[], sk: string = key.sk): Promise<Heard> {
  const data = { AUTOPILOT_DATA: join(folder, 'data') };
  const env = { AUTOPILOT_CONFIG: join(folder, 'autopilot.yml'), ...data, TEST_AK: key.ak, TEST_SK: sk };
  return await hear((io) => main(['plan', ...args], io), { env, now: Date.now });
}

function flushes(): number[] {
  return [1, 2].map((n) => simulator.fleet.applied(idOf(n)).flush);
}

describe('plan', () => {
  it('shows waves, reasons, what loses data and the hash, answers 2, and sends nothing', async () => {
    const { code, stdout, stderr } = await plan(['clear']);

    expect({ code, stderr }).toEqual({ code: 2, stderr: '' });
    expect(stdout).toMatch(/^clear: flush of 2, of which 2 lose their data\n {2}wave 1 of 2:\n/);
    expect(stdout).toMatch(/cache-00001 {2}00000000-\S+01 {2}loses data {2}RUNNING Redis 5.0 of all\n/);
    expect(stdout).toMatch(/\n {2}plan [0-9a-f]{64}\n$/);
    expect(flushes()).toEqual([0, 0]);
  });

  it('gives the plan as JSON', async () => {
    const { code, stdout } = await plan(['clear', '--json', '--instances', idOf(2)]);

    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      plan: { job: 'clear', action: 'flush', waves: [[{ instanceId: idOf(2), dataLoss: true }]], excluded: [] },
      refusals: [],
    });
  });

  it('shows who is left out, and why', async () => {
    simulator.fleet.set(idOf(1), { tags: { 'dcs-autopilot-protected': 'true' } });

    expect((await plan(['clear'])).stdout).toMatch(/left out:\n {2}protected {2}cache-00001 .* it carries the tag/);
  });

  it('answers 0 where there is nothing to do', async () => {
    for (const n of [1, 2]) simulator.fleet.set(idOf(n), { status: 'RESTARTING' });

    expect(await plan(['clear'])).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing to do\n') });
    expect(await plan(['void'])).toMatchObject({ code: 0, stdout: expect.stringContaining('target_empty') });
  });

  it('says what guards would say now', async () => {
    const capped = await plan(['capped']);
    const shut = await plan(['shut']);

    expect(capped).toMatchObject({ code: 2 });
    expect(capped.stdout).toMatch(
      /refused now: over_cap: 2 instances are planned[^\n]*\nit would wait for the approval/,
    );
    expect(shut.stdout).toMatch(/refused now: outside_window: [^\n]* \(until [^\n]*\)\nthe job shut is disabled/);
  });

  it.each([
    ['by its name', 'High', 'cache-00002', 2, idOf(2)],
    ['that is not there', 'High', 'cache-9', 1, 'no instance has the name'],
    ['of another alert', 'Low', 'cache-00002', 1, 'starts the job heal'],
  ])('is made for the instance of an alert: %s', async (_what, alertname, cache, code, expected) => {
    const about = { status: 'firing', labels: { alertname, cache }, annotations: {}, fingerprint: 'abc' };
    const alert = { ...about, startsAt: new Date().toISOString(), endsAt: '0001-01-01T00:00:00Z', generatorURL: '' };
    const group = {
      version: '4',
      status: 'firing',
      receiver: 'x',
      groupKey: '{}',
      truncatedAlerts: 0,
      externalURL: '',
    };
    const common = { groupLabels: {}, commonLabels: {}, commonAnnotations: {} };
    const file = join(folder, 'event.json');
    writeFileSync(file, JSON.stringify({ ...group, ...common, alerts: [alert] }));

    const heard = await plan(['heal', '--event', file]);

    expect(heard.code).toBe(code);
    expect(`${heard.stdout}${heard.stderr}`).toContain(expected);
  });

  it.each<[readonly string[], number, string]>([
    [['nobody'], 1, 'there is no job nobody'],
    [[], 64, 'plan takes one job'],
    [['clear', '--event', 'x.json'], 64, 'the job clear is started by a webhook'],
    [['clear', '--event', 'x.json', '--instances', idOf(1)], 64, 'and not both'],
    [['heal', '--event', 'x.json'], 1, 'there is no such file'],
  ])('refuses %j', async (args, code, message) => {
    const heard = await plan(args);

    expect(heard).toMatchObject({ code, stdout: '' });
    expect(heard.stderr).toContain(message);
  });

  it('tells what keeps it from reading, with one call', async () => {
    const heard = await plan(['clear', '--json'], 'wrong');

    expect(heard).toMatchObject({ code: 1, stdout: '' });
    expect(JSON.parse(heard.stderr).error.code).toBe('credentials_rejected');
    expect(simulator.refused()).toBe(1);
  });
});

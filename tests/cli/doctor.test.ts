// The checks of `doctor`: each trouble of configuration, secrets, key, endpoint and rights in a line, by reads alone.

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
operators:
  alice: {token: env:ALICE, may: [read]}
jobs:
  clear: {action: flush, target: all, trigger: {webhook: {auth: bearer, secrets: ["ssm:/hook"]}}}
`;

let folder: string;
let simulator: Simulator;

beforeEach(async () => {
  simulator = await openSimulator(Date.now);
  folder = mkdtempSync(join(tmpdir(), 'autopilot-doctor-'));
  writeFileSync(join(folder, 'autopilot.yml'), config(simulator.url));
});

afterEach(async () => {
  await simulator.close();
  rmSync(folder, { recursive: true });
});

async function doctor(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Heard> {
  const all = { AUTOPILOT_CONFIG: join(folder, 'autopilot.yml'), TEST_AK: key.ak, TEST_SK: key.sk, ALICE: 'x', ...env };
  return await hear((io) => main(['doctor', ...args], io), { env: all, now: Date.now });
}

describe('doctor', () => {
  it('finds all well, and changes nothing', async () => {
    const { code, stdout } = await doctor();

    expect(code).toBe(0);
    expect(stdout.replaceAll(folder, '').replace(simulator.url, 'URL')).toBe(
      [
        'ok      configuration: /autopilot.yml, 1 jobs',
        'ok      secret ssm:/hook: kept on AWS, not looked at',
        'ok      secret env:ALICE: is set',
        'ok      project p: endpoint, key, clock: URL answers; 2 instances',
        'ok      target all: selects 2 of 2 instances',
        'ok      project p: read an instance: allowed',
        'ok      project p: read its parameters: allowed',
        'ok      project p: count keys: allowed',
        'ok      project p: read its backups: allowed',
        '',
      ].join('\n'),
    );
    expect(simulator.fleet.calls()).toMatchObject({ act: 0, backup: 0, tagAction: 0 });
  });

  it('gives the checks as JSON', async () => {
    const { stdout } = await doctor(['--json']);

    expect(JSON.parse(stdout).checks[0]).toMatchObject({ what: 'configuration', ok: true });
  });

  it('names a missing secret', async () => {
    const { code, stdout } = await doctor([], { ALICE: '' });

    expect(code).toBe(1);
    expect(stdout).toContain('not ok  secret env:ALICE: set ALICE where the program runs');
  });

  it('says what to do about a wrong key, after one call', async () => {
    const { code, stdout, stderr } = await doctor([], { TEST_SK: 'wrong' });

    expect(code).toBe(1);
    expect(stdout).toMatch(/not ok {2}project p: endpoint, key, clock: .*Look at the key/);
    expect(`${stdout}${stderr}`).not.toContain(key.sk);
    expect(simulator.refused()).toBe(1);
  });

  it('names the variable of a missing key', async () => {
    expect((await doctor([], { TEST_SK: '' })).stdout).toMatch(/not ok {2}project p: .*TEST_SK/);
  });

  it('tells a wrong clock', async () => {
    const late = await openSimulator(() => Date.now() + 20 * 60_000);
    writeFileSync(join(folder, 'autopilot.yml'), config(late.url));

    const { code, stdout } = await doctor();

    await late.close();
    expect(code).toBe(1);
    expect(stdout).toMatch(/not ok .*clock_skew: This machine's clock is 20 minutes behind/);
  });

  it('tells an endpoint where nothing is', async () => {
    writeFileSync(join(folder, 'autopilot.yml'), config('http://127.0.0.1:1'));

    expect((await doctor()).stdout).toMatch(/not ok {2}project p: endpoint, key, clock: .*Look at endpoint/);
  });

  it('tells a right that is missing, and a target that takes nobody', async () => {
    simulator.fleet.script({ calls: [{ on: 'configs', answer: { kind: 'error', status: 403 } }] });
    writeFileSync(join(folder, 'autopilot.yml'), config(simulator.url).replace('names: ["*"]', 'names: ["no-*"]'));

    const { code, stdout } = await doctor();

    expect(code).toBe(1);
    expect(stdout).toMatch(/not ok {2}target all: selects no instance/);
    expect(stdout).toMatch(/not ok {2}project p: read its parameters: .*in IAM\.\n/);
    expect(stdout).toContain('ok      project p: count keys: allowed');
  });

  it('tells tags that cannot be read', async () => {
    simulator.fleet.set(idOf(1), { tags: null });

    expect((await doctor()).stdout).toContain('not ok  project p: tags: some cannot be read');
  });

  it('tells every fault of a faulty configuration', async () => {
    writeFileSync(join(folder, 'autopilot.yml'), 'jobs: {a: {action: flsh}}\n');

    const { code, stdout, stderr } = await doctor();

    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('autopilot.yml:1: jobs.a.action:');
  });
});

// Everything that a secret can be, over the simulator's IAM and DCS, as the composition roots put it together.

import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Project, Ref } from '../../lib/config.ts';
import { dcsClients } from '../../lib/huawei/clients.ts';
import { EnvSecrets } from '../../lib/local/secrets.ts';
import { Fleet } from '../../lib/local/simulator/fleet.ts';
import { type Simulator, startSimulator } from '../../lib/local/simulator/server.ts';
import { MemoryState } from '../support/memory-state.ts';
import { jobOf } from '../support/scenario.ts';

const projectId = '0a1b2c3d4e5f60718293a4b5c6d7e8f9';
const key = { ak: 'EXAMPLEACCESSKEY0001', sk: 'ExampleSecretKey/0001+abcdefghijklmnopqrs' };
const login = { domain: 'simulated', user: 'autopilot', password: 'Example/Password+0001' };
const agency = { name: 'cache-operators', domainName: 'simulated' };
const withKey = { KEY_AK: key.ak, KEY_SK: key.sk };

let simulator: Simulator | undefined;

afterEach(async () => {
  await simulator?.close();
  simulator = undefined;
});

/** Clients of the simulator in the name of what is in `env`, each like one of a process of its own, and the clock. */
async function start(env: Record<string, string>, ref: { aksk: Ref } | { iam: Ref }, withId: boolean) {
  const world = { now: Date.parse('2026-11-23T13:37:00Z') };
  const now = () => world.now;
  const started = await startSimulator({
    fleet: new Fleet({ instances: [], now }),
    keys: [key],
    projectId,
    now,
    iam: { users: [{ name: login.user, password: login.password }], agencies: [{ name: agency.name }] },
  });
  simulator = started;
  const { projectId: _, ...rest } = jobOf('flush').project;
  const project: Project = {
    ...rest,
    ...(withId && { projectId }),
    region: 'eu-de',
    endpoint: started.url,
    credentials: { ...ref, iamEndpoint: started.url },
  };
  const state = new MemoryState();
  const process = () => {
    const log = { warn: () => undefined };
    // Lets the others work.
    const sleep = () => setImmediate();
    const random = () => 0.5;
    return dcsClients({ secrets: new EnvSecrets(env, now), state, log, random, now, sleep })(project);
  };
  return { world, simulator: started, dcs: process(), process };
}

describe.each([true, false])('a project (its id configured: %s)', (withId) => {
  it.each([
    ['a key', withKey, { aksk: 'env:KEY' }],
    ['an agency behind a key', { ...withKey, KEY_AGENCY: JSON.stringify(agency) }, { aksk: 'env:KEY' }],
    ['a user', { USER: JSON.stringify(login) }, { iam: 'env:USER' }],
    ['an agency behind a user', { USER: JSON.stringify({ ...login, agency }) }, { iam: 'env:USER' }],
  ] as const)('is read in the name of %s, for days', async (_name, env, ref) => {
    const { world, dcs } = await start(env, ref, withId);

    for (let hour = 0; hour < 60; hour += 1) {
      expect(await dcs.total()).toEqual({ ok: true, value: 0 });
      world.now += 3_600_000;
    }
  });

  it('is read on with a new token after all were taken back', async () => {
    const { world, simulator, dcs } = await start({ USER: JSON.stringify(login) }, { iam: 'env:USER' }, withId);

    await dcs.total();
    simulator.iam.revokeTokens();
    world.now += 120_000;

    expect(await dcs.total()).toEqual({ ok: true, value: 0 });
  });

  it('is not read with a wrong password, and the account is not locked for it', async () => {
    const env = { USER: JSON.stringify({ ...login, password: 'wrong' }) };
    const { world, dcs } = await start(env, { iam: 'env:USER' }, withId);

    const readings = [];
    for (let call = 0; call < 20; call += 1) readings.push(await dcs.total());
    env.USER = JSON.stringify(login);
    world.now += 6 * 60_000;

    expect(readings).toMatchObject(Array(20).fill({ ok: false, problem: { class: 'auth', code: 'IAM.0062' } }));
    expect(await dcs.total()).toEqual({ ok: true, value: 0 });
  });

  it('is not read by many processes with a wrong password, of which one tries it', async () => {
    const env = { USER: JSON.stringify({ ...login, password: 'wrong' }) };
    const { world, process } = await start(env, { iam: 'env:USER' }, withId);

    const readings = await Promise.all(Array.from({ length: 20 }, () => process().total()));
    env.USER = JSON.stringify(login);
    world.now += 1000;

    const codes = readings.map((reading) => (reading.ok ? '' : reading.problem.code));
    expect(codes.toSorted()).toEqual(['IAM.0062', ...Array(19).fill('credentials_rejected')]);
    expect(await process().total()).toEqual({ ok: true, value: 0 });
  });
});

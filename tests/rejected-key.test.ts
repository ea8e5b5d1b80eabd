// Runs with a wrong secret, over HTTP, against a gateway that locks a key after more than five wrong signatures in a row:
// whoever shares the key must not notice. Each run has a process of its own; they share the state.

import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EnvironmentError } from '../lib/errors.ts';
import { dcsClients } from '../lib/huawei/clients.ts';
import { Fleet } from '../lib/local/simulator/fleet.ts';
import { type Simulator, startSimulator } from '../lib/local/simulator/server.ts';
import { asJson, readRecord, runKey } from '../lib/record.ts';
import { noCounts } from '../lib/report.ts';
import { run, type World } from '../lib/run.ts';
import type { Secrets } from '../lib/runtime.ts';
import { MemoryLog } from './support/memory-log.ts';
import { MemoryState } from './support/memory-state.ts';
import { instances, jobOf, quietWorld } from './support/scenario.ts';
import { VirtualClock, VirtualEngine } from './support/virtual-engine.ts';

const key = { ak: 'EXAMPLEACCESSKEY0001', sk: 'ExampleSecretKey/0001' };
const wrong = 'ExampleSecretKey/0002';
const projectId = '0a1b2c3d4e5f60718293a4b5c6d7e8f9';
const minute = 60_000;

let clock: VirtualClock;
let state: MemoryState;
let simulator: Simulator;
let secretKey: string;

beforeEach(async () => {
  clock = new VirtualClock('2026-11-23T02:00:00Z');
  state = new MemoryState();
  secretKey = wrong;
  const fleet = new Fleet({ seed: 7, instances: instances(3), now: clock.now });
  simulator = await startSimulator({ fleet, keys: [key], projectId, now: clock.now });
});

afterEach(() => simulator.close());

function job() {
  const plain = jobOf('soft_restart');
  return { ...plain, project: { ...plain.project, projectId, endpoint: simulator.url } };
}

/** The secrets of the environment, as they are now. */
const secrets: Secrets = {
  async get(ref) {
    if (ref.endsWith('_AK')) return key.ak;
    if (ref.endsWith('_SK')) return secretKey;
    throw new EnvironmentError('secret_missing', `${ref} is not set`);
  },
};

/** What a process that has just been started knows of the world. */
function world(sleep = async (milliseconds: number) => clock.advance(milliseconds)): World {
  const log = new MemoryLog();
  const dcs = dcsClients({ secrets, state, log, random: () => 0.5, now: clock.now, sleep });
  return { ...quietWorld(state, dcs, clock), log };
}

async function play(runId: string) {
  const createdAt = new Date(clock.now()).toISOString();
  const event = { trigger: 'manual', identity: runId, requestedBy: 'operator:local', receivedAt: createdAt } as const;
  const frozen = { job: job(), action: 'soft_restart', event, createdAt } as const;
  const record = { v: 1, runId, ...frozen, status: 'accepted', started: true, counts: noCounts } as const;
  await state.putIfAbsent(runKey(runId), asJson(record));
  await new VirtualEngine(clock).drive((engine) => run(runId, engine, world()));
  return readRecord(state, runId);
}

describe('a wrong secret', () => {
  it('makes one bad signature in three runs, which end with a code and say when it is tried again', async () => {
    const runs = [await play('one'), await play('two'), await play('three')];

    expect(runs).toMatchObject(Array(3).fill({ status: 'failed', code: 'credentials_rejected' }));
    expect(runs[2]?.reason).toContain('2026-11-23T02:10:00.000Z');
    expect(simulator.refused()).toBe(1);
  });

  it('makes one in ten minutes, with a run in each of them', async () => {
    for (let nth = 0; nth < 31; nth += 1) {
      await play(`run-${nth}`);
      clock.advance(minute);
    }

    expect(simulator.refused()).toBe(4);
  });

  it('makes one with twenty calls at once in four processes', async () => {
    // The clock stands still while the answer is on its way over a real connection.
    const clients = Array.from({ length: 4 }, () => world(() => setImmediate()).dcs(job().project));

    const readings = await Promise.all(clients.flatMap((dcs) => Array.from({ length: 5 }, () => dcs.total())));

    expect(readings).toMatchObject(Array(20).fill({ ok: false, problem: { class: 'auth' } }));
    expect(simulator.refused()).toBe(1);
  });

  it('makes one where IAM is asked for the id of the project first', async () => {
    const { projectId: _, ...project } = job().project;
    const looked = { ...project, credentials: { aksk: 'env:EXAMPLE', iamEndpoint: simulator.url } } as const;
    const clients = Array.from({ length: 4 }, () => world(() => setImmediate()).dcs(looked));

    const readings = await Promise.all(clients.map((dcs) => dcs.total()));

    expect(readings).toMatchObject(Array(4).fill({ ok: false, problem: { class: 'auth' } }));
    expect(simulator.refused()).toBe(1);
  });

  it('is forgotten as soon as it is corrected', async () => {
    await play('one');
    secretKey = key.sk;

    expect(await play('two')).toMatchObject({ status: 'succeeded', counts: { succeeded: 3 } });
    expect(simulator.refused()).toBe(1);
  });
});

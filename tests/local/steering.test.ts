// Runs that operators steer while they go, on the local runtime as its user meets it: a process that may be killed in
// between, and requests over HTTP. Times are short, and what is waited for is a status.

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import { consoleDoor } from '../../functions/console.ts';
import { readConfig } from '../../lib/config/file.ts';
import { composeLocal } from '../../lib/local/compose.ts';
import { EnvSecrets } from '../../lib/local/secrets.ts';
import { Fleet } from '../../lib/local/simulator/fleet.ts';
import { startSimulator } from '../../lib/local/simulator/server.ts';
import { temporaryDatabase } from '../support/data-folder.ts';
import { call } from '../support/door-world.ts';
import { fastClock, speed } from '../support/fast-clock.ts';
import { key, LocalSite, projectId, token } from '../support/local-site.ts';
import { MemoryLog } from '../support/memory-log.ts';
import { idOf, instances } from '../support/scenario.ts';

const aliceToken = 'example-token-of-alice-made-up';

function config(endpoint: string): string {
  return `
projects:
  p: {region: eu-de, projectId: ${projectId}, endpoint: "${endpoint}", credentials: {aksk: env:TEST}}
targets:
  all: {project: p, names: ["*"]}
operators:
  alice: {token: env:ALICE, may: [read, run, approve, cancel, pause]}
jobs:
  careful: {action: flush, target: all, trigger: {webhook: {auth: bearer, secrets: [env:HOOK]}}, approval: required, waves: {canary: 100%}}
  steady: {action: flush, target: all, trigger: {webhook: {auth: bearer, secrets: [env:HOOK]}}, waves: {canary: 1, soak: 1s}}
defaults:
  guards: {maxInstances: 5, maxPercent: 100%}
  retry: {baseDelay: 1s, maxDelay: 2s}
  verify: {interval: 1s, settle: 1s, timeout: 30s}
`;
}

let site: LocalSite;

beforeEach(async () => {
  site = await LocalSite.open(config);
});

afterEach(() => site.close());

const runSchema = v.looseObject({
  runId: v.string(),
  status: v.string(),
  code: v.optional(v.string()),
  reason: v.optional(v.string()),
  approval: v.optional(v.looseObject({ planHash: v.string() })),
  counts: v.optional(v.object({ succeeded: v.number(), notStarted: v.number() })),
});
type Run = v.InferOutput<typeof runSchema>;

/** The runtime, its operators, and how a run is watched. */
async function serving() {
  const served = await site.serve({ ALICE: aliceToken });
  const call = async (who: string, path: string, body: object | null = {}): Promise<Response> => {
    const headers = { authorization: `Bearer ${who === 'alice' ? aliceToken : token}` };
    const sent = body === null ? {} : { method: 'POST', body: JSON.stringify(body) };
    return await fetch(`${served.origin}${path}`, { headers, ...sent });
  };
  const look = async (id: string, wait = 0): Promise<Run> =>
    v.parse(runSchema, await (await call('local', `/runs/${id}?wait=${wait}`, null)).json());
  const until = (id: string, isThere: (run: Run) => boolean) => untilThere(() => look(id), isThere);
  const begin = async (job: string): Promise<string> => idIn(await (await call('local', `/jobs/${job}/runs`)).json());
  return { ...served, call, look, until, begin };
}

async function untilThere(look: () => Promise<Run>, isThere: (run: Run) => boolean): Promise<Run> {
  for (;;) {
    const run = await look();
    if (isThere(run)) return run;
    await sleep(50);
  }
}

function idIn(body: unknown): string {
  return v.parse(v.looseObject({ runId: v.string() }), body).runId;
}

function flushes(): number[] {
  return [1, 2].map((n) => site.simulator.fleet.applied(idOf(n)).flush);
}

function waits({ status }: Run): boolean {
  return status === 'awaiting_approval';
}

describe('a run that needs approval', () => {
  it('waits, and goes on once another operator has approved its plan', async () => {
    const { call, look, until, begin } = await serving();
    const id = await begin('careful');
    const asked = await until(id, waits);
    const body = { planHash: asked.approval?.planHash };

    const own = await call('local', `/runs/${id}/approve`, body);
    const sentBefore = flushes();
    const others = await call('alice', `/runs/${id}/approve`, body);
    const ended = await look(id, 25);

    expect([own.status, others.status]).toEqual([403, 202]);
    expect(sentBefore).toEqual([0, 0]);
    expect(ended).toMatchObject({ status: 'succeeded', counts: { succeeded: 2 } });
    expect(flushes()).toEqual([1, 1]);
  });

  it('still waits after the process was killed, and can be approved then', async () => {
    const first = await serving();
    const id = await first.begin('careful');
    const asked = await first.until(id, waits);
    first.child.kill('SIGKILL');
    await once(first.child, 'close');
    const { call, look } = await serving();

    const approved = await call('alice', `/runs/${id}/approve`, { planHash: asked.approval?.planHash });
    const ended = await look(id, 25);

    expect(approved.status).toBe(202);
    expect(ended).toMatchObject({ status: 'succeeded' });
    expect(flushes()).toEqual([1, 1]);
  });

  it.each([
    ['reject', 'alice', 'refused', 'rejected'],
    ['cancel', 'local', 'cancelled', 'cancelled'],
  ])('ends at once: %s', async (word, who, status, code) => {
    const { call, look, until, begin } = await serving();
    const id = await begin('careful');
    const asked = await until(id, waits);

    await call(who, `/runs/${id}/${word}`, word === 'reject' ? { planHash: asked.approval?.planHash } : {});

    expect(await look(id, 25)).toMatchObject({ status, code });
    expect(flushes()).toEqual([0, 0]);
  });

  it('is refused by a pause', async () => {
    const { call, look, until, begin } = await serving();
    const id = await begin('careful');
    await until(id, waits);

    await call('alice', '/pause', { project: 'p', reason: 'hands off' });

    expect(await look(id, 25)).toMatchObject({ status: 'refused', code: 'paused' });
  });
});

describe('on a clock that runs fifty times as fast', () => {
  /** The runtime in this process, with a job of two waves of one instance and a minute between them. */
  async function running() {
    const clock = fastClock(Date.now());
    const timing = { flush: { min: 4_000, max: 4_000 } };
    const fleet = new Fleet({ instances: instances(2), now: clock.now, timing });
    const simulator = await startSimulator({ fleet, keys: [key], projectId, now: clock.now });
    const config = readConfig(fastConfig(simulator.url), 'fast.yml');
    const database = temporaryDatabase();
    const secrets = new EnvSecrets({ TEST_AK: key.ak, TEST_SK: key.sk, ALICE: aliceToken }, clock.now);
    const local = composeLocal({ config, database, secrets, token, clock, log: new MemoryLog() });
    local.backend.resume();
    const door = consoleDoor(async () => local.runtime);
    const headers = { authorization: `Bearer ${aliceToken}` };
    const post = (path: string, body: object = {}) => call(door, { path, body: JSON.stringify(body), headers });
    const look = async (id: string) =>
      v.parse(runSchema, (await call(door, { method: 'GET', path: `/runs/${id}`, headers })).body);
    const until = (id: string, isThere: (run: Run) => boolean) => untilThere(() => look(id), isThere);
    const begin = async () => idIn((await post('/jobs/steady/runs')).body);
    const sent = () => [1, 2].map((n) => fleet.applied(idOf(n)).flush).toSorted();
    const close = async (): Promise<void> => {
      await local.backend.stop();
      await simulator.close();
    };
    return { post, look, until, begin, sent, close };
  }

  function fastConfig(endpoint: string): string {
    return config(endpoint).replace('soak: 1s', 'soak: 60s');
  }

  it('a run that is cancelled during a soak ends with it, and what it left can be retried', async () => {
    const { post, until, begin, sent, close } = await running();
    const id = await begin();
    await until(id, oneIsDone);

    const cancelled = await post(`/runs/${id}/cancel`, { reason: 'enough' });
    const ended = await until(id, hasEnded);
    const retried = await post(`/runs/${id}/retry`);
    const again = await until(idIn(retried.body), hasEnded);

    await close();
    expect([cancelled.status, retried.status]).toEqual([202, 202]);
    expect(ended).toMatchObject({ status: 'cancelled', code: 'cancelled', counts: { succeeded: 1, notStarted: 1 } });
    expect(again).toMatchObject({ status: 'succeeded', counts: { succeeded: 1 } });
    expect(sent()).toEqual([1, 1]);
  });

  it('a run that goes while everything is paused holds before its next send, and goes on at resume', async () => {
    const { post, look, until, begin, sent, close } = await running();
    const id = await begin();
    await until(id, oneIsDone);

    await post('/pause', { reason: 'hands off' });
    // Until the soak is over, so that nothing but the pause holds it.
    await sleep(60_000 / speed);
    const refused = await until(await begin(), hasEnded);
    const held = await look(id);
    const sentWhilePaused = sent();
    await post('/resume');
    const ended = await until(id, hasEnded);

    await close();
    expect(refused).toMatchObject({ status: 'refused', code: 'paused' });
    expect(held).toMatchObject({ status: 'running' });
    expect(sentWhilePaused).toEqual([0, 1]);
    expect(ended).toMatchObject({ status: 'succeeded', counts: { succeeded: 2 } });
  });
});

function oneIsDone({ counts }: Run): boolean {
  return counts?.succeeded === 1;
}

function hasEnded({ status }: Run): boolean {
  return !['accepted', 'running', 'awaiting_approval'].includes(status);
}

it('prints and stores no secret on the way', async () => {
  const { call, until, begin, child, ended } = await serving();
  const id = await begin('careful');
  const asked = await until(id, waits);
  await call('alice', `/runs/${id}/reject`, { planHash: asked.approval?.planHash });
  child.kill('SIGTERM');

  const { stdout, stderr } = await ended;

  for (const secret of [aliceToken, token, key.sk]) expect(`${stdout}${stderr}${site.stored()}`).not.toContain(secret);
});

// The packaged functions at work, each invocation in a fresh process, with nothing but their environment: events of API
// Gateway and Scheduler go in, DynamoDB, Lambda and Parameter Store are answered over the wire, and the DCS simulator
// counts what was really done. What was bundled is proved here, not what it was bundled from.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as v from 'valibot';
import { DynamoState } from '../../lib/aws/state-dynamodb.ts';
import { runId } from '../../lib/event.ts';
import { realClock } from '../../lib/local/clock.ts';
import { DurableBackend } from '../../lib/local/durable.ts';
import { Fleet } from '../../lib/local/simulator/fleet.ts';
import { type Simulator, startSimulator } from '../../lib/local/simulator/server.ts';
import { type AwsStandIn, runAlias, startAwsStandIn } from '../support/aws-stand-in.ts';
import { type Bundle, bundleFunctions, type FunctionName } from '../support/bundles.ts';
import { temporaryDatabase } from '../support/data-folder.ts';
import { bearer, eventOf, type Sent } from '../support/door-world.ts';
import { clientOf } from '../support/dynamo-table.ts';
import { LambdaDurable } from '../support/lambda-durable.ts';
import { loadBundle } from '../support/load-bundle.ts';
import { MemoryLog } from '../support/memory-log.ts';
import { idOf, instances } from '../support/scenario.ts';

const folder = mkdtempSync(join(tmpdir(), 'autopilot-packaged-'));
const projectId = '0a1b2c3d4e5f60718293a4b5c6d7e8f9';
const key = { ak: 'EXAMPLEACCESSKEY', sk: 'example-secret-key-made-up' };
const flushed = [idOf(1), idOf(2)];
const restarted = [idOf(3), idOf(4), idOf(5), idOf(6)];
const failing = idOf(5);
const minute = 60_000;
const log = new MemoryLog();
// The fire of this minute, and none after it for a day.
const firesAt = Math.floor(Date.now() / minute) * minute;
const fire = new Date(firesAt);
const schedule = { cron: `${fire.getUTCMinutes()} ${fire.getUTCHours()} * * *`, timezone: 'UTC' };

let simulator: Simulator;
let aws: AwsStandIn;
let backend: DurableBackend;
let lambda: LambdaDurable;
let bundles: Readonly<Record<FunctionName, Bundle>>;

beforeAll(async () => {
  const timing = {
    lag: { min: 50, max: 100 },
    flush: { min: 1_500, max: 2_000 },
    restart: { min: 1_500, max: 2_000 },
  };
  const fleet = new Fleet({
    instances: instances(6, (n) => ({ tags: { env: n <= flushed.length ? 'flush' : 'restart' } })),
    timing,
    script: { instances: { [failing]: { sends: ['failed'] } } },
    now: Date.now,
  });
  simulator = await startSimulator({ fleet, keys: [key], projectId, now: Date.now });
  const file = join(folder, 'autopilot.yml');
  writeFileSync(file, configOf(simulator.url));
  bundles = await bundleFunctions(join(folder, 'bundles'), { AUTOPILOT_CONFIG: file });
  backend = new DurableBackend({ database: temporaryDatabase(), clock: realClock, log });
  lambda = new LambdaDurable({ alias: runAlias, service: backend, invoke: (event) => invoke('run', event) });
  aws = await startAwsStandIn((call) => lambda.answer(call));
  aws.parameters.set('/test/dcs', JSON.stringify(key));
  aws.parameters.set('/test/alice', 'token-of-alice');
  aws.parameters.set('/test/call', 'token-made-up');
});

afterAll(async () => {
  await backend.stop();
  aws.close();
  await simulator.close();
  rmSync(folder, { recursive: true });
});

function configOf(endpoint: string): string {
  const policies = 'guards: {maxInstances: 6, maxPercent: 100%}';
  return `
stage: packaged
projects:
  staging: {region: eu-de, projectId: ${projectId}, endpoint: "${endpoint}", credentials: {aksk: ssm:/test/dcs}}
targets:
  flushed: {project: staging, tags: {env: flush}}
  restarted: {project: staging, tags: {env: restart}}
operators:
  alice: {token: ssm:/test/alice, may: [read, run]}
jobs:
  flush-by-time:
    action: flush
    target: flushed
    trigger: {schedule: {cron: "${schedule.cron}", timezone: ${schedule.timezone}}}
    ${policies}
  restart-on-call:
    action: restart
    target: restarted
    trigger: {webhook: {auth: bearer, secrets: [ssm:/test/call], instances: subset}}
    ${policies}
defaults:
  waves: {canary: 1, size: 100%, soak: 1s, maxFailures: 2}
  retry: {maxAttempts: 3, baseDelay: 1s, maxDelay: 2s, for: 2m}
  verify: {interval: 1s, settle: 2s, timeout: 60s}
`;
}

/** One invocation of a function in a process of its own. Throws what its handler threw. */
async function invoke(name: FunctionName, event: object): Promise<unknown> {
  const { answer, thrown, log } = await loadBundle(bundles[name].file, event, aws.env);
  if (thrown !== undefined) throw new Error(`${name}: ${thrown.message}\n${log}`);
  return answer;
}

const answered = v.object({ statusCode: v.number(), body: v.pipe(v.string(), v.parseJson()) });

async function ask(name: FunctionName, sent: Sent) {
  const { statusCode, body } = v.parse(answered, await invoke(name, eventOf(sent)));
  return { status: statusCode, body };
}

const shown = v.looseObject({
  status: v.string(),
  outcomes: v.array(v.looseObject({ instanceId: v.string(), attempts: v.number() })),
});

/** The run as the console shows it to Alice, once it has ended. */
async function ended(runId: string) {
  const headers = { authorization: 'Bearer token-of-alice' };
  const show = async () => {
    const { status, body } = await ask('console', { method: 'GET', path: `/runs/${runId}`, query: 'wait=25', headers });
    return v.parse(shown, status === 200 ? body : null);
  };
  const run = await show();
  return ['accepted', 'running'].includes(run.status) ? await show() : run;
}

const accepted = v.object({ runId: v.string() });
const ticked = v.object({ accepted: v.array(v.string()), started: v.array(v.string()) });

/** A tick, as if the one before had come a minute before the fire. */
async function tick() {
  return v.parse(ticked, await invoke('schedule', { 'aws.scheduler': 'rate(1 minute)' }));
}

async function markEarlierTick(): Promise<void> {
  const state = new DynamoState(clientOf(aws.endpoint), 'state');
  await state.put({ pk: 'tick', sk: 'mark#flush-by-time' }, { ...schedule, until: firesAt - minute });
}

/** Loses what one invocation writes from the end of its first call to DCS on: as if Lambda had killed it there. */
function killAfterSend(runId: string): void {
  let lost: string | undefined;
  lambda.watch = (name, { CheckpointToken, Updates = [] }) => {
    const sent = Updates.some(({ Name = '', Action }) => /^wave 1 turn \d+ send\b/.test(Name) && Action === 'SUCCEED');
    if (name === runId && sent) lost ??= CheckpointToken;
    if (CheckpointToken === lost) throw new Error('the process is gone');
  };
}

describe('the packaged functions', () => {
  const hook: Sent = {
    path: '/hooks/restart-on-call',
    body: JSON.stringify({ reason: 'v2 is out', instances: restarted }),
    headers: bearer('deploy-1', 'token-made-up'),
  };
  let restart: string;
  let flush: string;

  test('take a webhook, and find its run when it is delivered again', async () => {
    const first = await ask('webhook', hook);
    const again = await ask('webhook', hook);

    restart = v.parse(accepted, first.body).runId;
    expect(first).toMatchObject({ status: 202, body: { status: 'accepted', statusUrl: expect.any(String) } });
    expect(again).toMatchObject({ status: 200, body: { runId: restart, duplicate: true } });
  });

  test('start a fire once, though its tick is delivered twice', async () => {
    flush = runId('packaged', 'flush-by-time', fire.toISOString());
    killAfterSend(flush);
    await markEarlierTick();

    const ticks = await Promise.all([tick(), tick()]);

    expect([...new Set(ticks.flatMap((each) => [...each.accepted, ...each.started]))]).toEqual([flush]);
  });

  test('restart each instance once, and again only the one that failed', async () => {
    const run = await ended(restart);

    expect(run).toMatchObject({
      status: 'succeeded',
      trigger: 'webhook',
      requestedBy: 'webhook:restart-on-call',
      counts: { succeeded: 4, failed: 0, unknown: 0, skipped: 0, notStarted: 0 },
    });
    expect(run.outcomes.map(({ instanceId, attempts }) => [instanceId, attempts])).toEqual(
      restarted.map((id) => [id, id === failing ? 2 : 1]),
    );
    expect(restarted.map((id) => simulator.fleet.applied(id).restart)).toEqual([1, 1, 1, 1]);
    expect(restarted.map((id) => simulator.fleet.sent(id))).toEqual([1, 1, 2, 1]);
  });

  test('flush each instance once, though a process dies between a send and its record', async () => {
    const run = await ended(flush);

    expect(run).toMatchObject({
      status: 'succeeded',
      trigger: 'schedule',
      counts: { succeeded: 2, failed: 0, unknown: 0, skipped: 0, notStarted: 0 },
    });
    expect(flushed.map((id) => simulator.fleet.applied(id).flush)).toEqual([1, 1]);
    expect(flushed.map((id) => simulator.fleet.sent(id))).toEqual([1, 1]);
    expect(log.entries.map(({ message, facts }) => [message, facts['execution']])).toEqual([
      ['an invocation failed and will be repeated', flush],
    ]);
  });

  test('find the same runs long after, and start nothing', async () => {
    const started = aws.started.length;
    const invoked = lambda.invocations.length;
    await markEarlierTick();

    const again = await ask('webhook', hook);
    const late = await tick();

    expect(again).toMatchObject({ status: 200, body: { runId: restart, status: 'succeeded', duplicate: true } });
    expect(late).toEqual({ accepted: [], started: [] });
    expect([aws.started.length, lambda.invocations.length]).toEqual([started, invoked]);
  });

  test('had their runs as durable executions, asleep between invocations, within the limits', () => {
    for (const name of [restart, flush]) {
      expect(backend.end(name)).toMatchObject({ status: 'SUCCEEDED', result: '"succeeded"' });
      expect(lambda.invocations.filter((each) => each === name).length).toBeGreaterThan(3);
      expect(backend.operations(name).count).toBeLessThan(100);
    }
  });

  test('called nothing that the stand-in does not know, and nobody who did not know them', () => {
    expect(aws.unknown).toEqual([]);
    expect(simulator.refused()).toBe(0);
  });
});

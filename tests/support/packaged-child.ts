// The packaged functions in a process of their own, whose time is a number: the tests send it scenarios, and it plays each
// one in a fresh world. The packaged tick finds the stored run and starts it over the wire; the packaged run works on it,
// loaded anew, against DynamoDB, Lambda, Parameter Store and DCS behind real sockets.

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import timers from 'node:timers/promises';
import type { DurableExecutionInvocationOutput } from '@aws/durable-execution-sdk-js';
import type { Context } from 'aws-lambda';
import { DynamoState } from '../../lib/aws/state-dynamodb.ts';
import type { Job } from '../../lib/config.ts';
import type { Clock } from '../../lib/local/clock.ts';
import { openDatabase } from '../../lib/local/database.ts';
import { DurableBackend } from '../../lib/local/durable.ts';
import type { End } from '../../lib/local/journal.ts';
import { lambdaContext } from '../../lib/local/lambda-context.ts';
import { Fleet } from '../../lib/local/simulator/fleet.ts';
import { startSimulator } from '../../lib/local/simulator/server.ts';
import { readRecord } from '../../lib/record.ts';
import { runView } from '../../lib/report.ts';
import { runAlias, startAwsStandIn } from './aws-stand-in.ts';
import { eventOf } from './door-world.ts';
import { clientOf } from './dynamo-table.ts';
import { type DurableService, LambdaDurable } from './lambda-durable.ts';
import { MemoryLog } from './memory-log.ts';
import type { Order, Reply } from './packaged-play.ts';
import { prepare } from './scenario.ts';
import { SdkRunner, setUpRunner } from './sdk-runner.ts';

const key = { ak: 'EXAMPLEACCESSKEY', sk: 'example-secret-key-made-up' };
const start = Date.parse('2026-11-23T02:00:00Z');
const require = createRequire(import.meta.url);

/** Time stands still until somebody waits, and then that wait is over. */
class JumpingClock implements Clock {
  time = start;

  readonly now = (): number => this.time;

  readonly advance = async (milliseconds = 0): Promise<void> => {
    this.time += Math.max(0, milliseconds);
  };

  /** Done before each jump, while everybody waits. */
  meanwhile: () => Promise<void> = async () => undefined;

  at(time: number, wake: () => void): () => void {
    let isCancelled = false;
    setImmediate(async () => {
      await this.meanwhile();
      if (isCancelled) return;
      void this.advance(time - this.time);
      wake();
    });
    return () => {
      isCancelled = true;
    };
  }
}

const clock = new JumpingClock();
// For the bundles, which take time from nowhere else. What the durable SDK does with timers of its own is 20 ms long.
globalThis.Date = new Proxy(Date, {
  construct: (target, given, made) => Reflect.construct(target, given.length === 0 ? [clock.now()] : given, made),
  get: (target, name) => (name === 'now' ? clock.now : Reflect.get(target, name)),
});
Object.assign(timers, { setTimeout: clock.advance });
syncBuiltinESMExports();

type Handler = (event: object, context: Context) => Promise<DurableExecutionInvocationOutput>;

/** A bundle as a fresh process has it. */
function load(file: string): Handler {
  delete require.cache[file];
  return require(file).handler;
}

/** Plays one scenario with the bundles, in a world that is gone afterwards. */
async function play(order: Order): Promise<Reply> {
  const { scenario, bundles } = order;
  clock.time = start;
  const fleet = new Fleet({ seed: 7, ...scenario.fleet, now: clock.now });
  const { projectId = '' } = scenario.job.project;
  const simulator = await startSimulator({ fleet, keys: [key], projectId, now: clock.now, sleep: untilGone });
  const run = new Process(bundles.run);
  const { service, writes } = serviceOf(order, run.die);
  const { invoke } = run;
  const lambda = new LambdaDurable({ alias: runAlias, service, invoke, ...(order.page && { page: order.page }) });
  const aws = await startAwsStandIn((call) => lambda.answer(call));
  try {
    aws.parameters.set('/test/dcs', JSON.stringify(key));
    aws.parameters.set('/test/bob', 'token-of-bob');
    Object.assign(process.env, aws.env);
    const state = new DynamoState(clientOf(aws.endpoint), 'state');
    const id = await prepare(state, { ...scenario, job: reaching(scenario.job, simulator.url) }, clock.now);
    clock.meanwhile = async () => {
      if (order.approve) await approve(state, id, bundles.console);
    };
    const ended = endOf(service);
    await load(bundles.schedule)({}, lambdaContext('schedule', 'request-1'));
    await ended;
    const record = await readRecord(state, id);
    if (record === undefined) throw new Error('the run has no record');
    if (aws.unknown.length > 0) throw new Error(`calls that AWS does not know: ${aws.unknown}`);
    return {
      view: await runView(state, record),
      now: clock.now(),
      writes: writes(),
      pages: lambda.pages,
      ...countsOf(fleet),
    };
  } finally {
    clock.meanwhile = async () => undefined;
    aws.close();
    await simulator.close();
  }
}

/** Bob approves a run that waits for it, ten minutes later, at the packaged console. */
async function approve(state: DynamoState, id: string, file: string): Promise<void> {
  const record = await readRecord(state, id);
  if (record?.status !== 'awaiting_approval' || record.approval?.decision !== undefined) return;
  await clock.advance(600_000);
  const body = JSON.stringify({ planHash: record.approval?.planHash });
  const headers = { authorization: 'Bearer token-of-bob' };
  const answer = await load(file)(
    eventOf({ path: `/runs/${id}/approve`, headers, body }),
    lambdaContext('console', 'r'),
  );
  if (!JSON.stringify(answer).includes('"statusCode":202')) throw new Error(JSON.stringify(answer));
}

/** A delayed answer comes when nobody waits for it any more. */
async function untilGone(_: number, gone: AbortSignal): Promise<void> {
  await once(gone, 'abort');
}

/** A job as it is frozen, but for where its DCS and its key are. Time-outs are real time. */
function reaching(job: Job, endpoint: string): Job {
  return { ...job, project: { ...job.project, endpoint, credentials: { aksk: 'ssm:/test/dcs' }, timeout: 1 } };
}

async function endOf(service: DurableService): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<End>();
  service.onEnded((_, end) => resolve(end));
  const { status, error } = await promise;
  if (status !== 'SUCCEEDED') throw new Error(`the execution failed: ${error}`);
}

function countsOf(fleet: Fleet): Pick<Reply, 'calls' | 'applied' | 'sent'> {
  const ids = fleet.views().map(({ id }) => id);
  return {
    calls: fleet.calls(),
    applied: Object.fromEntries(ids.map((id) => [id, fleet.applied(id)])),
    sent: Object.fromEntries(ids.map((id) => [id, fleet.sent(id)])),
  };
}

/** The service behind Lambda: its embedded stand-in, which may be killed at one checkpoint, or the SDK's own runner. */
function serviceOf({ scenario, bundles, on }: Order, die: () => Promise<never>): Counted {
  if (on === 'sdk-runner') return { service: new SdkRunner(clock), writes: () => 0 };
  const database = openDatabase(join(bundles.folder, `world-${randomUUID()}`));
  // Nobody reads it again.
  database.exec('PRAGMA synchronous = OFF');
  const service = new DurableBackend({ database, clock, log: new MemoryLog() });
  const { client } = service;
  const { checkpoint } = client;
  let writes = 0;
  client.checkpoint = async (request, logger) => {
    writes += 1;
    const isHere = writes === scenario.crash?.at;
    if (isHere && scenario.crash?.when === 'before') return die();
    const response = await checkpoint(request, logger);
    return isHere ? die() : response;
  };
  return { service, writes: () => writes };
}

interface Counted {
  readonly service: DurableService;
  readonly writes: () => number;
}

/** The packaged run as a process that may die: it leaves its call without an answer, and a fresh one is invoked. */
class Process {
  readonly #file: string;
  #handler: Handler;
  #dead = Promise.withResolvers<never>();

  constructor(file: string) {
    this.#file = file;
    this.#handler = load(file);
  }

  readonly die = (): Promise<never> => {
    this.#dead.reject(new Error('the process is gone'));
    this.#handler = load(this.#file);
    return new Promise<never>(() => undefined);
  };

  readonly invoke = (event: object): Promise<DurableExecutionInvocationOutput> => {
    this.#dead = Promise.withResolvers<never>();
    const overTheWire = JSON.parse(JSON.stringify(event));
    return Promise.race([this.#handler(overTheWire, lambdaContext('run', 'request-1')), this.#dead.promise]);
  };
}

let isSetUp = false;

process.on('message', async (order: Order) => {
  try {
    if (order.on === 'sdk-runner' && !isSetUp) await setUpRunner();
    isSetUp = order.on === 'sdk-runner';
    process.send?.({ nth: order.nth, reply: await play(order) });
  } catch (error) {
    process.send?.({ nth: order.nth, error: error instanceof Error ? error.stack : String(error) });
  }
});

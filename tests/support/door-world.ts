// The world around a door: a runtime over fakes whose calls are counted and can be made to fail, and requests in the
// shape of API Gateway. No network and no clock; every secret here is made up.

import { createHmac } from 'node:crypto';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import * as v from 'valibot';
import type { Json } from '../../lib/canonical.ts';
import { alertStorm, builtIn, unlimited } from '../../lib/config/defaults.ts';
import {
  type Config,
  type Job,
  type JobTrigger,
  type Operator,
  type Project,
  type Ref,
  rights,
  type Target,
} from '../../lib/config.ts';
import { EnvironmentError } from '../../lib/errors.ts';
import type { LambdaDoor } from '../../lib/local/gateway.ts';
import { toContext } from '../../lib/local/gateway.ts';
import { updateRecord } from '../../lib/record.ts';
import { keptFor } from '../../lib/retention.ts';
import type { Log, Runtime } from '../../lib/runtime.ts';
import type { State } from '../../lib/state.ts';
import { MemoryMetrics } from './memory-metrics.ts';
import { MemoryState } from './memory-state.ts';

/** 2026-11-23T13:37:00Z, the time of the signed fixture. */
export const noon = 1_795_441_020_000;

export const signingSecret = 'whsec_ZXhhbXBsZS1zdGFuZGFyZC13ZWJob29rcy1rZXktMzI=';
export const olderSigningSecret = 'whsec_ZXhhbXBsZS1vbGRlci1yb3RhdGVkLW91dC1rZXktMzI=';
export const hookToken = 'example-hook-token-made-up';
export const operatorToken = 'example-operator-token-made-up';
export const readerToken = 'example-token-of-bob-made-up';
export const approverToken = 'example-token-of-carol-made-up';

export const ids = [
  '11111111-1111-4111-8111-111111111111',
  '22222222-2222-4222-8222-222222222222',
  '33333333-3333-4333-8333-333333333333',
] as const;

const project: Project = {
  name: 'staging',
  region: 'eu-de',
  projectId: '0a1b2c3d4e5f60718293a4b5c6d7e8f9',
  endpoint: 'http://127.0.0.1:1',
  credentials: { aksk: 'env:HUAWEICLOUD_SDK' },
  protectedTag: { key: 'dcs-autopilot-protected', value: 'true' },
  ...unlimited,
  rate: { callsPerSecond: 10, retriesPerHour: 200 },
  timeout: 30,
};

const byTag: Target = {
  name: 'staging-caches',
  project: 'staging',
  tags: { env: 'staging' },
  names: [],
  ids: [],
  exclude: { tags: {}, names: [], ids: [] },
};

/** A target of the first two ids, one of them written in upper case. */
export const byIds: Target = { ...byTag, name: 'two-caches', tags: {}, ids: [ids[0], ids[1].toUpperCase()] };

/** A job with a trigger; `changes` replace its members. */
export function jobOf(name: string, trigger: JobTrigger, changes: Partial<Job> = {}): Job {
  return {
    ...builtIn,
    name,
    action: 'soft_restart',
    ladder: null,
    enabled: true,
    dryRun: false,
    project,
    target: byTag,
    trigger,
    guards: { ...builtIn.guards, stated: true },
    waves: {
      canary: { count: 1 },
      size: { percent: 10 },
      soak: 120,
      maxFailures: 1,
      order: { tag: 'env', values: [] },
      healthCheck: null,
    },
    retry: { maxAttempts: 6, baseDelay: 10, maxDelay: 300, for: 3600 },
    verify: { interval: 10, settle: 60, timeout: 1800 },
    retention: 7 * 86_400,
    ...changes,
  };
}

function hook(auth: 'standard-webhooks' | 'bearer', secrets: readonly Ref[], instances: 'none' | 'subset'): JobTrigger {
  return { type: 'webhook', auth, secrets, instances };
}

function github(events: readonly string[], match: Readonly<Record<string, string>> = {}): JobTrigger {
  return { type: 'webhook', auth: 'github', secrets: ['env:TOKEN'], events, match };
}

const nightly: JobTrigger = {
  type: 'schedule',
  cron: '0 2 * * *',
  timezone: 'Europe/Berlin',
  startDeadline: 1800,
  overlap: 'skip',
};

/** One job for each way to call one. */
export const jobs: Readonly<Record<string, Job>> = Object.fromEntries(
  [
    jobOf('signed', hook('standard-webhooks', ['env:SIGNING', 'env:SIGNING_OLD'], 'subset')),
    jobOf('token', hook('bearer', ['env:TOKEN'], 'subset')),
    jobOf('two', hook('bearer', ['env:TOKEN'], 'subset'), { target: byIds }),
    jobOf('whole', hook('bearer', ['env:TOKEN'], 'none')),
    jobOf('github', github(['deployment_status', 'push'], { 'deployment_status.state': 'success' })),
    jobOf('any', github(['push'])),
    jobOf('github-off', github(['push']), { enabled: false }),
    jobOf('off', hook('bearer', ['env:TOKEN'], 'subset'), { enabled: false }),
    jobOf('broken', hook('standard-webhooks', ['env:MALFORMED'], 'subset')),
    jobOf('keyless', hook('bearer', ['env:MISSING'], 'subset')),
    jobOf('nightly', nightly),
  ].map((job) => [job.name, job]),
);

/** One of them. */
export function jobNamed(name: string): Job {
  const job = jobs[name];
  if (job === undefined) throw new Error(`no job ${name}`);
  return job;
}

/** Alice may do everything, Bob only look; Carol starts and approves runs. */
const operators: readonly Operator[] = [
  { name: 'bob', token: 'env:BOB', may: ['read'] },
  { name: 'carol', token: 'env:CAROL', may: ['read', 'run', 'approve'] },
  { name: 'alice', token: 'env:ALICE', may: rights },
];

/** A runtime over fakes, and what a test may look at or change. */
export interface DoorWorld {
  readonly runtime: Runtime;
  readonly open: () => Promise<Runtime>;
  readonly state: MemoryState;
  /** Run ids in the order of their starts. */
  readonly starts: string[];
  /** Answers given to executions that wait. */
  readonly answers: string[];
  /** Lines of the log, as JSON. */
  readonly log: string[];
  readonly metrics: MemoryMetrics;
  /** What each Ref holds when it is read fresh; `cached` when it is not. */
  readonly secrets: Map<Ref, string>;
  readonly cached: Map<Ref, string>;
  /** Milliseconds. */
  now: number;
  /** Milliseconds of each sleep; the clock goes on by as much. */
  readonly sleeps: number[];
  /** What happens while somebody sleeps. */
  meanwhile: () => Promise<unknown>;
  /** Number of the port call that fails, from 1; 0: none. */
  failAt: number;
  /** Whether that call is done all the same, and only its answer is lost. */
  applied: boolean;
  /** Port calls so far: state and executions. */
  calls: number;
}

/** A fresh world. */
export function doorWorld(): DoorWorld {
  const secrets = new Map<Ref, string>([
    ['env:SIGNING', signingSecret],
    ['env:SIGNING_OLD', olderSigningSecret],
    ['env:TOKEN', hookToken],
    ['env:MALFORMED', 'whsec_c2hvcnQ='],
    ['env:BOB', readerToken],
    ['env:CAROL', approverToken],
    ['env:ALICE', operatorToken],
  ]);
  const world: Omit<DoorWorld, 'runtime' | 'open'> = {
    state: new MemoryState(),
    starts: [],
    answers: [],
    log: [],
    metrics: new MemoryMetrics(),
    secrets,
    cached: new Map(),
    now: noon,
    sleeps: [],
    meanwhile: async () => undefined,
    failAt: 0,
    applied: false,
    calls: 0,
  };
  const runtime = runtimeOf(world);
  return Object.assign(world, { runtime, open: async () => runtime });
}

function runtimeOf(world: Omit<DoorWorld, 'runtime' | 'open'>): Runtime {
  const projects = { staging: project };
  const config: Config = { stage: 'prod', projects, operators, sources: {}, alertStorm, notify: [], jobs };
  let random = 0;
  return {
    config,
    state: failing(world),
    executions: {
      start: (runId, name = runId) => counted(world, async () => void world.starts.push(name)),
      tell: (name) => counted(world, async () => void world.starts.push(name)),
      status: async (name) => (world.starts.includes(name) ? 'running' : 'absent'),
      answer: (answerId) => counted(world, async () => void world.answers.push(answerId)),
    },
    secrets: { get: async (ref, options) => secretOf(world, ref, options?.fresh ?? false) },
    operators,
    log: logInto(world.log),
    metrics: world.metrics,
    now: () => world.now,
    randomId: () => `random-${++random}`,
    sleep: async (milliseconds) => {
      world.sleeps.push(milliseconds);
      world.now += milliseconds;
      await world.meanwhile();
    },
  };
}

/** Ends a run, and goes on to when nothing is remembered of it. */
export async function forgetRun(world: DoorWorld, id: string): Promise<void> {
  const finishedAt = new Date(world.now).toISOString();
  const { job } = await updateRecord(world.state, id, (record) => ({ ...record, status: 'succeeded', finishedAt }));
  world.now += keptFor(job);
  world.state.forget(world.now);
}

/** A log that keeps its lines. */
export function logInto(lines: string[]): Log {
  const at = (level: string) => (message: string, facts?: object) => {
    lines.push(JSON.stringify({ level, message, ...facts }));
  };
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}

function secretOf(world: Pick<DoorWorld, 'secrets' | 'cached'>, ref: Ref, fresh: boolean): string {
  const value = (fresh ? undefined : world.cached.get(ref)) ?? world.secrets.get(ref);
  if (value === undefined) throw new EnvironmentError('secret_missing', `${ref} is not set`);
  return value;
}

function failing(world: Omit<DoorWorld, 'runtime' | 'open'>): State {
  const { state } = world;
  return {
    get: (key) => counted(world, () => state.get(key)),
    putIfAbsent: (key, value, options) => counted(world, () => state.putIfAbsent(key, value, options)),
    updateIf: (key, version, value, options) => counted(world, () => state.updateIf(key, version, value, options)),
    put: (key, value, options) => counted(world, () => state.put(key, value, options)),
    query: (pk, prefix) => counted(world, () => state.query(pk, prefix)),
    byJob: (job, limit, before) => counted(world, () => state.byJob(job, limit, before)),
  };
}

async function counted<T>(world: Pick<DoorWorld, 'calls' | 'failAt' | 'applied'>, work: () => Promise<T>): Promise<T> {
  world.calls += 1;
  const fails = world.calls === world.failAt;
  if (fails && world.applied) await work();
  if (fails) throw new Error('the port does not answer');
  return await work();
}

/** A request before it becomes an event. */
export interface Sent {
  readonly method?: string;
  readonly path: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes are sent in Base64, as API Gateway does with what is no text. */
  readonly body?: string | Uint8Array;
}

/** An event of API Gateway. */
export function eventOf({ method = 'POST', path, query = '', headers = {}, body }: Sent): APIGatewayProxyEventV2 {
  const isText = body === undefined || typeof body === 'string';
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: query,
    headers: { 'content-type': 'application/json', ...headers },
    requestContext: {
      accountId: '111122223333',
      apiId: 'a1b2c3d4e5',
      domainName: 'a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com',
      domainPrefix: 'a1b2c3d4e5',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '203.0.113.10', userAgent: 'test' },
      requestId: 'ZhNHJhhLjoEEPiw=',
      routeKey: '$default',
      stage: '$default',
      time: '23/Nov/2026:13:37:00 +0000',
      timeEpoch: noon,
    },
    ...(body !== undefined && { body: isText ? body : Buffer.from(body).toString('base64') }),
    isBase64Encoded: !isText,
  };
}

/** What came back: JSON, or a text where it says so. */
export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Json;
}

/** Sends a request through a composed door. */
export async function call(door: LambdaDoor, sent: Sent): Promise<Answered> {
  return await invoke(door, eventOf(sent));
}

/** Hands an event to a composed door. */
export async function invoke(door: LambdaDoor, event: APIGatewayProxyEventV2): Promise<Answered> {
  const { statusCode = 0, headers = {}, body = '' } = await door(event, toContext('test', 'test'));
  const isJson = String(headers['content-type']).startsWith('application/json');
  return { status: statusCode, headers, body: isJson ? JSON.parse(body) : body };
}

/** The error of an answer. */
export function errorOf({ body }: Answered): { code: string; message: string; details?: { path: string }[] } {
  const detail = v.object({ path: v.string(), message: v.string() });
  const error = v.strictObject({ code: v.string(), message: v.string(), details: v.exactOptional(v.array(detail)) });
  return v.parse(v.strictObject({ error }), body).error;
}

/** The headers of a request signed after standard-webhooks; `at` in milliseconds. */
export function signature(
  body: string | Uint8Array,
  { id = 'msg_1', at = noon, secret = signingSecret }: { id?: string; at?: number; secret?: string } = {},
): Record<string, string> {
  const timestamp = String(Math.floor(at / 1000));
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const mac = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${mac}` };
}

/** The header of a request that GitHub signed. */
export function githubSignature(body: string | Uint8Array, secret: string = hookToken): Record<string, string> {
  return { 'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}` };
}

/** A delivery of GitHub: signed, with its event and id. */
export function fromGithub(
  event: string,
  body: string | Uint8Array,
  { id = '72d3162e-cc78-11e3-81ab-4c9367dc0958', type = 'application/json' } = {},
): Record<string, string> {
  return { ...githubSignature(body), 'x-github-event': event, 'x-github-delivery': id, 'content-type': type };
}

/** A bearer token with a key. */
export function bearer(key: string, token: string = hookToken): Record<string, string> {
  return { authorization: `Bearer ${token}`, 'idempotency-key': key };
}

// The composition of everything on one machine: state and durable runs in one file, the doors' runtime, and the world
// that runs work in. Nothing is listened on and nothing begins before `resume`.

import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { runHandler } from '../../functions/run.ts';
import { type Config, type Notify, type Ref, rights } from '../config.ts';
import { type ClientsOptions, dcsClients } from '../huawei/clients.ts';
import type { Told } from '../report/tell.ts';
import type { World } from '../run.ts';
import type { Log, Metrics, Runtime, Secrets } from '../runtime.ts';
import { asker } from '../web/ask.ts';
import { probe } from '../web/probe.ts';
import { tellWebhook } from '../web/webhook.ts';
import type { Clock } from './clock.ts';
import { DurableBackend } from './durable.ts';
import { SqliteState } from './state-sqlite.ts';

export interface LocalOptions extends Pick<ClientsOptions, 'proxies'> {
  readonly config: Config;
  readonly database: DatabaseSync;
  readonly secrets: Secrets;
  /** The token of the operator `local`. */
  readonly token: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborted when the process is about to stop: requests that wait for the end of a run then answer at once. */
  readonly stopping?: AbortSignal;
}

/** Where the token of the operator `local` is read; made anew at each start where the environment has none. */
const localToken: Ref = 'env:AUTOPILOT_TOKEN';

/** Everything on one machine, put together. */
export interface Local {
  readonly runtime: Runtime;
  readonly backend: DurableBackend;
  readonly state: SqliteState;
}

/** Puts it together. Call `backend.resume()` once the doors are open. */
export function composeLocal(options: LocalOptions): Local {
  const { config, database, secrets, token, clock, log, proxies, stopping } = options;
  const state = new SqliteState(database);
  const backend = new DurableBackend({ database, clock, log });
  const dcs = dcsClients({
    secrets,
    proxies,
    state,
    log,
    random: Math.random,
    now: clock.now,
    sleep: (milliseconds, signal) => sleep(milliseconds, undefined, signal === undefined ? {} : { signal }),
  });
  const metrics = loggedMetrics(log);
  const web = { ask: asker({ proxies, now: clock.now }), secrets };
  const world: World = {
    state,
    dcs,
    now: clock.now,
    log,
    metrics,
    config,
    messenger: async (to, message) => (to.to === 'webhook' ? await tellWebhook(to, message, web) : notHere(to)),
    probe: (check) => probe(check, web),
  };
  backend.attach(runHandler(async () => world, backend.client));
  const runtime: Runtime = {
    config,
    state,
    executions: backend,
    secrets: withToken(secrets, token),
    operators: [{ name: 'local', token: localToken, may: rights }, ...config.operators],
    log,
    metrics,
    now: clock.now,
    randomId: randomUUID,
    sleep: (milliseconds) => sleep(milliseconds, undefined, stopping === undefined ? {} : { signal: stopping }),
  };
  return { runtime, backend, state };
}

/** One machine has nobody that counts: its metrics are lines of the log. */
function loggedMetrics(log: Log): Metrics {
  return { count: (metric, value, dimensions) => log.info('metric', { metric, value, ...dimensions }) };
}

/** A configuration that asks for it is refused at the start; a run may have begun under another one. */
function notHere({ to }: Notify): Told {
  return { ok: false, again: false, reason: `${to} is on AWS, and this runtime is not` };
}

/** Secrets that know the token of the operator `local`. */
function withToken(secrets: Secrets, token: string): Secrets {
  return { get: async (ref, options) => (ref === localToken ? token : await secrets.get(ref, options)) };
}

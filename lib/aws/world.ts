// The composition root of the run on AWS: what the doors have, Huawei Cloud, and whoever is told or asked.

import { setTimeout as sleep } from 'node:timers/promises';
import { dcsClients } from '../huawei/clients.ts';
import type { World } from '../run.ts';
import type { Secrets } from '../runtime.ts';
import { asker } from '../web/ask.ts';
import { probe } from '../web/probe.ts';
import { tellWebhook } from '../web/webhook.ts';
import { AwsError } from './client.ts';
import { packagedConfig } from './config.ts';
import { type ProcessEnvironment, readEnvironment } from './environment.ts';
import { tellAws } from './messages.ts';
import { openServices } from './runtime.ts';

let world: Promise<World> | undefined;

/** The world that runs work in on AWS, one for the life of the process. Rejects with EnvironmentError. */
export function awsWorld(): Promise<World> {
  world ??= openWorld(process.env);
  return world;
}

/** Tries of one call, about half a minute of them: what fails between two steps ends the execution of a run for good. */
const patience = 12;

/** The world in an environment. Rejects with EnvironmentError `environment_incomplete`. */
export async function openWorld(env: ProcessEnvironment): Promise<World> {
  const environment = readEnvironment(env);
  const { state, log, metrics, ...services } = openServices(environment, patience);
  const secrets = forClients(services.secrets);
  // A notice has tries of its own.
  const { client } = openServices(environment);
  const web = { ask: asker({ proxies: env, now: Date.now }), secrets };
  const dcs = dcsClients({
    secrets,
    proxies: env,
    state,
    log,
    random: Math.random,
    now: Date.now,
    sleep: (milliseconds, signal) => sleep(milliseconds, undefined, signal === undefined ? {} : { signal }),
  });
  return {
    state,
    dcs,
    now: Date.now,
    log,
    metrics,
    config: packagedConfig,
    messenger: (to, message) => (to.to === 'webhook' ? tellWebhook(to, message, web) : tellAws(to, message, client)),
    probe: (check) => probe(check, web),
  };
}

/**
 * Secrets for the clients of DCS. One that AWS does not hand out at the moment is no fault of the configuration: with an
 * error of another family the client calls it passing, and the run waits for it.
 */
export function forClients(secrets: Secrets): Secrets {
  return {
    get: async (ref, options) => {
      try {
        return await secrets.get(ref, options);
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        throw new Error('the secret cannot be read at the moment', { cause: error });
      }
    },
  };
}

// The composition root of the doors on AWS: state in DynamoDB, runs as durable executions, secrets of AWS, the
// configuration that was packaged. What it imports every door loads, so that nothing of Huawei Cloud or of the durable
// engine stands here; the run has its own root (world.ts).

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log, Metrics, Runtime } from '../runtime.ts';
import { type AwsClient, awsClient } from './client.ts';
import { packagedConfig } from './config.ts';
import { type AwsEnvironment, type ProcessEnvironment, readEnvironment } from './environment.ts';
import { LambdaExecutions } from './executions.ts';
import { powertoolsLog } from './logger.ts';
import { embeddedMetrics } from './metrics.ts';
import { AwsSecrets } from './secrets.ts';
import { DynamoState } from './state-dynamodb.ts';

/** What doors and runs have in common on AWS. */
export interface AwsServices {
  readonly client: AwsClient;
  readonly state: DynamoState;
  readonly secrets: AwsSecrets;
  readonly log: Log;
  readonly metrics: Metrics;
}

let runtime: Promise<Runtime> | undefined;

/** The runtime of a door on AWS, one for the life of the process. Rejects with EnvironmentError. */
export function awsRuntime(): Promise<Runtime> {
  runtime ??= openRuntime(process.env);
  return runtime;
}

/** The runtime in an environment. Rejects with EnvironmentError `environment_incomplete`. */
export async function openRuntime(env: ProcessEnvironment): Promise<Runtime> {
  const environment = readEnvironment(env);
  const { client, state, secrets, log, metrics } = openServices(environment);
  return {
    config: packagedConfig,
    state,
    executions: new LambdaExecutions(client, environment.runAlias),
    secrets,
    operators: packagedConfig.operators,
    log,
    metrics,
    now: Date.now,
    randomId: randomUUID,
    sleep: (milliseconds) => sleep(milliseconds),
  };
}

/** The services of AWS, and the log. `calls`: how often one call is tried, where nobody waits for the answer. */
export function openServices(
  { region, table, logLevel, credentials, endpoint }: AwsEnvironment,
  calls?: number,
): AwsServices {
  const client = awsClient({
    ...(calls !== undefined && { calls }),
    region,
    credentials: () => credentials,
    endpoint,
    now: Date.now,
    random: Math.random,
    sleep: (milliseconds) => sleep(milliseconds),
  });
  return {
    client,
    state: new DynamoState(client, table),
    secrets: new AwsSecrets(client, Date.now),
    log: powertoolsLog('dcs-autopilot', logLevel),
    metrics: embeddedMetrics({ stage: packagedConfig.stage, now: Date.now }),
  };
}

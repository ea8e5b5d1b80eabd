// What a function finds in its environment: set by serverless.yml (TABLE_NAME, RUN_ALIAS, LOG_LEVEL) and by Lambda itself
// (the region and the credentials of its role). Read once, whole, with everything that is missing told together.

import * as v from 'valibot';
import { EnvironmentError } from '../errors.ts';
import type { LogLevel } from './logger.ts';
import type { AwsCredentials } from './sign.ts';

/** The environment of a process, or anything like it. */
export type ProcessEnvironment = Readonly<Record<string, string | undefined>>;

/** It, read. */
export interface AwsEnvironment {
  readonly region: string;
  /** Name of the table of the state. */
  readonly table: string;
  /** ARN of the alias that runs are started at. */
  readonly runAlias: string;
  readonly logLevel: LogLevel;
  readonly credentials: AwsCredentials;
  /** Instead of AWS's own endpoints, for emulators: https, or http on loopback. */
  readonly endpoint?: string | undefined;
}

const filled = v.pipe(v.string(), v.nonEmpty());

const schema = v.object({
  AWS_REGION: filled,
  AWS_ACCESS_KEY_ID: filled,
  AWS_SECRET_ACCESS_KEY: filled,
  AWS_SESSION_TOKEN: v.optional(v.string(), ''),
  TABLE_NAME: filled,
  RUN_ALIAS: v.pipe(v.string(), v.regex(/^arn:[\w-]+:lambda:[\w-]+:\d{12}:function:[\w-]+:[\w-]+$/)),
  LOG_LEVEL: v.optional(v.picklist(['debug', 'info', 'warn', 'error']), 'info'),
  AWS_ENDPOINT_URL: v.optional(
    v.pipe(v.string(), v.regex(/^(https:\/\/[^/?#@\s]+|http:\/\/(127\.0\.0\.1|localhost)(:\d+)?)\/?$/)),
  ),
});

/** Reads it. Throws EnvironmentError `environment_incomplete` that names every faulty variable, and no value. */
export function readEnvironment(env: ProcessEnvironment): AwsEnvironment {
  const read = v.safeParse(schema, env);
  if (!read.success) {
    const names = read.issues.map((issue) => String(issue.path?.[0]?.key)).join(', ');
    throw new EnvironmentError('environment_incomplete', `missing or malformed in the environment: ${names}`);
  }
  const found = read.output;
  const keys = { accessKeyId: found.AWS_ACCESS_KEY_ID, secretAccessKey: found.AWS_SECRET_ACCESS_KEY };
  return {
    region: found.AWS_REGION,
    table: found.TABLE_NAME,
    runAlias: found.RUN_ALIAS,
    logLevel: found.LOG_LEVEL,
    credentials: found.AWS_SESSION_TOKEN === '' ? keys : { ...keys, sessionToken: found.AWS_SESSION_TOKEN },
    endpoint: found.AWS_ENDPOINT_URL,
  };
}

// Runs one measurement in a fresh process: nothing that was loaded, compiled or allocated for another one falls on it.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import * as v from 'valibot';

const run = promisify(execFile);

/**
 * What the process printed as the last line of its output, a JSON object, read by `schema`. Rejects where the process
 * fails, with what it wrote to stderr.
 */
export async function measured<T>(
  args: readonly string[],
  schema: v.GenericSchema<unknown, T>,
  env: NodeJS.ProcessEnv = process.env,
): Promise<T> {
  const { stdout } = await run(process.execPath, args, { env });
  return v.parse(schema, JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? ''));
}

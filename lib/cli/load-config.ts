// The configuration file, read from disk for the commands that need it.

import { readFileSync } from 'node:fs';
import { type CheckedConfig, checkConfig, type Place } from '../config/file.ts';
import type { Config, Job } from '../config.ts';
import { AutopilotError, ConfigError, EnvironmentError } from '../errors.ts';
import { errorCode } from './error-code.ts';
import type { Io } from './io.ts';

/** The file that is used when none is named: AUTOPILOT_CONFIG, else `autopilot.yml` in the working folder. */
export function defaultFile(env: Io['env']): string {
  return env['AUTOPILOT_CONFIG'] || 'autopilot.yml';
}

/**
 * Reads and checks a file. Throws ConfigError with all faults, EnvironmentError `config_unreadable` where the file
 * cannot be read.
 */
export function loadConfig(file: string, place: Place = 'anywhere'): CheckedConfig {
  return checkConfig(readText(file), file, place);
}

/** A job by its name. Throws AutopilotError `job_unknown`, which names those that there are. */
export function chooseJob({ jobs }: Config, name: string): Job {
  const job = Object.hasOwn(jobs, name) ? jobs[name] : undefined;
  if (job !== undefined) return job;
  throw new AutopilotError('job_unknown', `there is no job ${name}; there are: ${Object.keys(jobs).join(', ')}`);
}

/** The text of a file. Throws EnvironmentError `config_unreadable`, and ConfigError where it is not UTF-8. */
export function readText(file: string): string {
  return decode(readBytes(file), file);
}

function readBytes(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new EnvironmentError('config_unreadable', `${file}: ${whyUnreadable(cause)}`, { cause });
  }
}

function whyUnreadable(cause: unknown): string {
  const code = errorCode(cause);
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'this file may not be read';
  if (code === 'EISDIR') return 'this is a folder, not a file';
  return `the file cannot be read (${code ?? 'no reason given'})`;
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ConfigError([{ file, line: 1, path: '', message: 'the file is not UTF-8 text' }]);
  }
}

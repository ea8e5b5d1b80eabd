// What a composition root hands to the doors: the world, as ports. Each port is implemented in a room.

import type { Config, Operator, Ref } from './config.ts';
import type { State } from './state.ts';

/** Starts and looks at the executions of runs. */
export interface Executions {
  /**
   * Starts an execution for a stored run, under its id or another name; starting it again is harmless. A run that has
   * ended is only told of by it.
   */
  start(runId: string, name?: string): Promise<void>;
  /** Starts the execution that tells a posted message (post.ts), under its name; starting it again is harmless. */
  tell(name: string): Promise<void>;
  /** Of the execution with this name. `absent`: never started; `ended`: it returned, failed or was stopped. */
  status(name: string): Promise<'absent' | 'running' | 'ended'>;
  /** Wakes the execution that waits for an answer under this id; harmless where none waits any more. */
  answer(answerId: string): Promise<void>;
}

/** Resolves names of secrets. Throws EnvironmentError `secret_missing`, which names the Ref and never a value. */
export interface Secrets {
  /** The value behind a Ref; `fresh` bypasses the cache, once after a signature or credential failed. */
  get(ref: Ref, options?: { readonly fresh?: boolean }): Promise<string>;
}

/**
 * Structured log. error: our fault, someone must look. warn: the service's fault, retried or given up. info: one line
 * per run and outcome. debug: the plan. Messages are constant, facts are fields; never secrets, signatures or bodies.
 */
export interface Log {
  error(message: string, facts?: Readonly<Record<string, unknown>>): void;
  warn(message: string, facts?: Readonly<Record<string, unknown>>): void;
  info(message: string, facts?: Readonly<Record<string, unknown>>): void;
  debug(message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** What is counted. */
export type MetricName =
  | 'RunsEnded'
  | 'RunsRefused'
  | 'InstancesExcluded'
  | 'Outcomes'
  | 'NoticesLost'
  | 'DoorRefusals'
  | 'AlertsIgnored';

/**
 * Counts that alarms can be set on. Each value of a dimension is a metric of its own that is paid for: only words of ours,
 * of which there are few. In a run, called in steps only: what is replayed is not counted again.
 */
export interface Metrics {
  count(name: MetricName, value: number, dimensions?: Readonly<Partial<Record<'Status' | 'Code', string>>>): void;
}

export interface Runtime {
  readonly config: Config;
  readonly state: State;
  readonly executions: Executions;
  readonly secrets: Secrets;
  /** Who may come in through the console: those of the configuration, and `local` on one machine. */
  readonly operators: readonly Operator[];
  readonly log: Log;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A fresh random identity that nobody can guess (a UUID): of manual runs without an Idempotency-Key, of read keys. */
  readonly randomId: () => string;
  /** Waits. Rejects when the process is about to stop: whoever waits then answers at once. Absent: nothing waits. */
  readonly sleep?: (milliseconds: number) => Promise<void>;
}

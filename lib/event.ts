// 1. What happened: one shape for every door, and the run id it implies.

import { hashOf } from './canonical.ts';
import type { Config } from './config.ts';

/** What starts a run; `manual` is an operator. */
export const triggers = ['schedule', 'webhook', 'manual'] as const;
export type Trigger = (typeof triggers)[number];

/** One arrival at a door. Times are ISO 8601 UTC. */
export interface Event {
  readonly trigger: Trigger;
  /**
   * What makes a repeated arrival the same one. schedule: the planned instant. webhook: auth kind and key.
   * manual: the Idempotency-Key or a random one.
   */
  readonly identity: string | readonly string[];
  /** `schedule`, `webhook:JOB` or `operator:NAME`. */
  readonly requestedBy: string;
  readonly receivedAt: string;
  /** Explicit instances, already known to be UUIDs, lower case, distinct, at least one. Absent: the whole target. */
  readonly instances?: readonly string[];
  readonly reason?: string;
  readonly dryRun?: boolean;
  /** The hash of a plan that was seen before; the run refuses when its own plan differs. */
  readonly plan?: string;
}

/** `<job>-<first 20 hex of SHA-256([stage, job, identity])>`: at most 61 characters of `a-z0-9-`. */
export function runId(stage: Config['stage'], job: string, identity: Event['identity']): string {
  return `${job}-${hashOf([stage, job, identity]).slice(0, 20)}`;
}

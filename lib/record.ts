// What is remembered of a run, and where: its head, its plan and its outcomes, in items that stay small at any fleet size.
// The items of a plan are written once; those of the outcomes are overwritten by the one execution of the run.

import type { Action, Job } from './config.ts';
import type { Event } from './event.ts';
import type { Key } from './state.ts';

/** Ended: every status from `planned` on. */
export const statuses = [
  'accepted',
  'running',
  'planned',
  'succeeded',
  'partial',
  'failed',
  'refused',
  'cancelled',
  'missed',
] as const;
export type RunStatus = (typeof statuses)[number];

/** Instances by outcome. `skipped` counts planned ones that turned out to need or allow no action. */
export interface Counts {
  readonly succeeded: number;
  readonly failed: number;
  readonly unknown: number;
  readonly skipped: number;
  readonly notStarted: number;
}

/** The head of a run: everything but the lists. Times are ISO 8601 UTC. */
export interface RunRecord {
  readonly v: 1;
  readonly runId: string;
  /** The job as it was when the event came in, so that a redeploy changes nothing for it. */
  readonly job: Job;
  readonly action: Action;
  readonly event: Event;
  readonly status: RunStatus;
  /** Why a run was refused, missed or ended early; in lower case for programs, in a sentence for people. */
  readonly code?: string;
  readonly reason?: string;
  /** Whether an execution was started for it; one that was not is started by the next duplicate or tick. */
  readonly started: boolean;
  readonly plan?: { readonly hash: string; readonly waves: readonly number[]; readonly excluded: number };
  readonly counts: Counts;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
}

/** Instances per stored item: 500 of the longest entries stay far below DynamoDB's 400 KB. */
export const itemSize = 500;

export function runKey(runId: string): Key {
  return { pk: `run#${runId}`, sk: 'run' };
}

/** Key of the nth part of a list of a run; parts sort in order. */
export function partKey(
  runId: string,
  list: 'inventory' | 'details' | 'plan' | 'excluded' | 'outcomes',
  part: number,
): Key {
  return { pk: `run#${runId}`, sk: `${list}#${String(part).padStart(4, '0')}` };
}

/** Key of a delivery at a door: what a repeated one is recognised by. */
export function deliveryKey(door: string, key: string): Key {
  return { pk: `delivery#${door}`, sk: key };
}

// A backup before data is destroyed: one that is recent enough, or a fresh one that is started, waited for and seen to
// have succeeded. An instance that cannot be backed up is left alone; the others go on. Pure: lib/execute/back-up.ts does the calls.

import type { Problem } from '../classify.ts';
import type { Backup as BackupPolicy } from '../config.ts';

/** The record of one backup, newest first in a list of them. */
export interface BackupRecord {
  readonly id: string;
  /** `going`: waiting or at work, or in a state nobody has listed yet; `gone`: expired or deleted. */
  readonly status: 'going' | 'succeeded' | 'failed' | 'gone';
  /** When it was begun, ISO 8601 UTC; null where that was not told. */
  readonly takenAt: string | null;
  readonly remark: string;
  /** The service's code for why it failed, or empty. */
  readonly error: string;
}

/** A backup that an instance can be restored from. `takenAt`: ISO 8601 UTC, when it was begun. */
export interface Kept {
  readonly id: string;
  readonly takenAt: string;
}

/**
 * What is to be done for one instance: `start` a backup, `wait` for one that goes on or for the instance, `kept`: it has
 * one, `failed`: it cannot have one.
 */
export type Step =
  | { readonly kind: 'start' }
  | { readonly kind: 'wait' }
  | { readonly kind: 'kept'; readonly backup: Kept }
  | { readonly kind: 'failed'; readonly reason: string };

/** What decides about one instance. */
export interface BackupWish {
  readonly policy: BackupPolicy;
  /** What the run's own backups are remarked with. */
  readonly remark: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What the records of an instance call for. An own backup comes first: it was started before, whatever was seen of it. */
export function nextStep(records: readonly BackupRecord[], { policy, remark, now }: BackupWish): Step {
  const own = records.find((record) => record.remark === remark);
  if (own !== undefined && own.status !== 'gone') return ofOwn(own);
  // Somebody else's: DCS takes one at a time, and data that is written meanwhile is not in it.
  if (records.some(({ status }) => status === 'going')) return { kind: 'wait' };
  if (policy.mode === 'fresh') return { kind: 'start' };
  const kept = records.flatMap(keptOf).find(({ takenAt }) => now - Date.parse(takenAt) <= policy.maxAge * 1000);
  return kept === undefined ? { kind: 'start' } : { kind: 'kept', backup: kept };
}

function ofOwn(own: BackupRecord): Step {
  if (own.status === 'going') return { kind: 'wait' };
  const [backup] = keptOf(own);
  if (backup !== undefined) return { kind: 'kept', backup };
  return { kind: 'failed', reason: `the backup ${own.id} failed${own.error === '' ? '' : `: ${own.error}`}` };
}

/** One that succeeded and whose time is known; newest first stays newest first. */
function keptOf({ id, status, takenAt }: BackupRecord): Kept[] {
  return status === 'succeeded' && takenAt !== null ? [{ id, takenAt }] : [];
}

/** What a refused start means: an instance that is at work is waited for, anything else makes a backup impossible. */
export function afterRefusal(problem: Problem): Step {
  if (['busy', 'throttled', 'unreachable', 'unknown'].includes(problem.class)) return { kind: 'wait' };
  return { kind: 'failed', reason: `no backup can be made: ${problem.code}: ${problem.message}`.slice(0, 300) };
}

/** How to get the data back, for people; the ids are in the outcomes. */
export function howToRestore(projectId: string | undefined): string {
  const project = projectId ?? '{project_id}';
  return `POST /v2/${project}/instances/{instanceId}/restores {"backup_id": "<backup.id>"}, or Backups & Restorations in the console`;
}

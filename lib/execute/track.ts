// The unit of state of the work: one planned instance on its way to an outcome. Values only; what moves it from phase to
// phase is execute.ts (an answer came), verify.ts (it was looked at) and retry.ts (time or a limit ran out).

import type { PlannedInstance } from '../plan.ts';
import type { Outcome } from '../report.ts';
import type { Kept } from './backup.ts';

/**
 * - `due`: to be sent at or after `dueAt`
 * - `asking`: an answer gave no reason, or was about a whole batch; it is looked at before anything is decided
 * - `busy`: something else is being done to it; it is looked at until that ends
 * - `lost`: sent, and whether it was applied is unknown; it is looked at for evidence
 * - `accepted`: DCS took it, or it was seen at work; it is looked at until verified
 * - `ended`: it has its outcome
 */
export type Phase = 'due' | 'asking' | 'busy' | 'lost' | 'accepted' | 'ended';

/** Times in ms since the epoch; null: not yet. */
export interface Track {
  readonly id: string;
  readonly name: string;
  /** The action destroys its data: then it is never sent where it may have been applied already. */
  readonly dataLoss: boolean;
  readonly phase: Phase;
  /** Sends that reached DCS and could have been applied; what `maxAttempts` counts. */
  readonly attempts: number;
  /** Calls that carried it, refused ones included; what makes another call a retry for the budget. */
  readonly calls: number;
  readonly dueAt: number;
  /** What its data can be restored from, where the job wants a backup. */
  readonly backup: Kept | null;
  /** Another run holds its lease, and it waits for that. */
  readonly queued: boolean;
  /** Calls never mix groups; 0 is the common one, others come from splitting a refused batch. */
  readonly group: number;
  /** When a call that named it among others was refused as a whole, and how many it named; null: that is settled. */
  readonly refused: { readonly at: number; readonly size: number } | null;
  /** What is known of it is old: it is looked at, and then sent at once. */
  readonly recheck: boolean;
  /** Its last send may have been applied: no answer told. */
  readonly maybeDone: boolean;
  /** DCS took its last call as a whole and told no results: to send again would most likely do it twice. */
  readonly taken: boolean;
  /** Sends of which no answer told whether they were applied. */
  readonly doubts: number;
  readonly sentAt: number | null;
  /** When it was last looked at. */
  readonly seenAt: number;
  readonly acceptedAt: number | null;
  readonly evidence: 'state' | 'keys' | null;
  /** Consecutive reads of RUNNING without a task, after the evidence or the settle time. */
  readonly goodReads: number;
  /** When the last of them was. */
  readonly goodAt: number;
  /** Since when it has been RUNNING in every read; starts at the acceptance. */
  readonly runningSince: number;
  readonly problem: { readonly code: string; readonly reason: string } | null;
  readonly status: Outcome['status'];
  readonly verifiedAt: number | null;
  readonly verifiedBy: 'state' | 'keys' | 'quiet' | null;
}

/** A planned instance before anything was done. */
export function freshTrack({ instanceId, name, dataLoss }: PlannedInstance, now: number): Track {
  return {
    id: instanceId,
    name,
    dataLoss,
    phase: 'due',
    attempts: 0,
    calls: 0,
    dueAt: now,
    backup: null,
    queued: false,
    group: 0,
    refused: null,
    recheck: false,
    maybeDone: false,
    taken: false,
    doubts: 0,
    sentAt: null,
    seenAt: 0,
    acceptedAt: null,
    evidence: null,
    goodReads: 0,
    goodAt: 0,
    runningSince: 0,
    problem: null,
    status: 'not_started',
    verifiedAt: null,
    verifiedBy: null,
  };
}

/** The track at its end. `code` and `reason` replace the last problem where they are given. */
export function ended(track: Track, status: Outcome['status'], problem: Track['problem'] = track.problem): Track {
  return { ...track, phase: 'ended', status, problem };
}

/**
 * Whether it may have been acted on although no answer said so: its last answer told nothing, or a call that was refused
 * as a whole may have got as far as this instance, and it has not been looked at for long enough since.
 */
export function mayBeDone({ maybeDone, refused, phase }: Track): boolean {
  return maybeDone || (refused !== null && (phase === 'asking' || phase === 'busy'));
}

/** The track at an end that is no success: `unknown` where it may have been acted on, else `failed`. */
export function gaveUp(track: Track, problem: Track['problem'] = track.problem): Track {
  return ended(track, mayBeDone(track) ? 'unknown' : 'failed', problem);
}

/** The track of whoever may not be sent to any more: left out where it never was. */
export function leftOut(track: Track, why: NonNullable<Track['problem']>): Track {
  return track.attempts === 0 && !mayBeDone(track) ? ended(track, 'skipped', why) : gaveUp(track, why);
}

/** Due again at `dueAt`, in the common group unless said otherwise. */
export function dueAgain(track: Track, dueAt: number, group = 0): Track {
  return { ...track, phase: 'due', dueAt, group };
}

/** Whether the track counts towards `waves.maxFailures`. */
export function isFailure(track: Track): boolean {
  return track.phase === 'ended' && (track.status === 'failed' || track.status === 'unknown');
}

/** What the world is told of a track, at its end or on the way there. */
export function outcomeOf(track: Track): Outcome {
  const { id, name, attempts, problem, acceptedAt, verifiedAt, verifiedBy } = track;
  const isUntouched = track.sentAt === null && !mayBeDone(track);
  const status = track.phase === 'ended' ? track.status : isUntouched ? 'not_started' : 'unknown';
  return {
    instanceId: id,
    name,
    status,
    attempts,
    ...notes(track, status, problem),
    ...(acceptedAt !== null && { acceptedAt: iso(acceptedAt) }),
    ...(verifiedAt !== null && { verifiedAt: iso(verifiedAt) }),
    ...(verifiedBy !== null && { verifiedBy }),
    ...(track.backup !== null && { backup: track.backup }),
  };
}

function notes(
  track: Track,
  status: Outcome['status'],
  problem: Track['problem'],
): { readonly code?: string; readonly reason?: string } {
  if (status === 'succeeded') return {};
  if (track.phase === 'accepted') return { code: 'verifying', reason: 'DCS accepted it; its end is being watched for' };
  return problem ?? {};
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

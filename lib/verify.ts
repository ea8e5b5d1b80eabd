// 6. Did it come back: what a look at an instance means for it. `success` from DCS only means accepted; an outcome that
// got lost is settled here by evidence, never by sending again blindly.

import type { Action, VerifyPolicy } from './config.ts';
import { dueAgain, ended, gaveUp, leftOut, type Track } from './execute/track.ts';
import { isActionable } from './plan/instance.ts';
import { again, type RetryLimits } from './retry.ts';

/** One instance as it was seen. */
export interface Look {
  /** null: it does not exist any more. */
  readonly status: string | null;
  /** What is being done to it; null: nothing, undefined: it was not asked for. */
  readonly task?: string | null;
  /** Its key count fell by nine tenths or more since before the flush; null where that cannot be told. */
  readonly emptied: boolean | null;
  /** It carries the protected tag, or its tags could not be read. */
  readonly isProtected: boolean;
  /** Its tags do not allow to destroy its data. */
  readonly isForbidden?: boolean;
  /** The target does not select it any more. */
  readonly isOutside?: boolean;
}

export interface LookRules {
  readonly action: Action;
  readonly verify: VerifyPolicy;
  readonly limits: RetryLimits;
}

/** States that no waiting will change (vendor's state table): they need a person. */
const permanent = ['FROZEN', 'CREATEFAILED', 'DELETED'];

/** The state that shows an action at work. That of `soft_restart` is not documented; RESTARTING is assumed. */
const atWork: Readonly<Record<Action, string>> = {
  restart: 'RESTARTING',
  soft_restart: 'RESTARTING',
  flush: 'FLUSHING',
};

/** Whether the task of this instance must be known to decide; reading it costs a call for each instance. */
export function needsTask(track: Track, now: number, { settle }: VerifyPolicy): boolean {
  const isSettled = (since: number | null): boolean => since !== null && now - since >= settle * 1000;
  switch (track.phase) {
    case 'asking':
    case 'busy':
      return true;
    case 'lost':
      return isSettled(track.sentAt);
    case 'accepted':
      return track.evidence !== null || isSettled(track.runningSince);
    default:
      return false;
  }
}

/** The track after a look at its instance. */
export function applyLook(track: Track, look: Look, at: number, rules: LookRules): Track {
  if (track.phase === 'due' || track.phase === 'ended') return track;
  const gone = goneForGood(look);
  if (gone !== null) return endedByWorld(track, gone);
  switch (track.phase) {
    case 'asking':
    case 'busy':
      return decide(track, look, at, rules);
    case 'lost':
      return resolve(track, look, at, rules);
    case 'accepted':
      return watch(withEvidence(track, look, rules.action), look, at, rules.verify);
  }
}

/**
 * Gives up what was sent and could not be proved in time; called after a look. Between two good reads there is still
 * hope, but not for long: the process may have been away for longer than the limit, and now sees that all is well.
 */
export function lapse(track: Track, now: number, { timeout, interval }: VerifyPolicy): Track {
  if (track.phase === 'lost' && now - (track.sentAt ?? now) >= timeout * 1000) return ended(track, 'unknown');
  if (track.phase !== 'accepted' || now - (track.acceptedAt ?? now) < timeout * 1000) return track;
  const hope = 3 * Math.max(60, interval) * 1000;
  if (track.goodReads > 0 && now - track.goodAt < hope) return track;
  return ended(track, 'unknown', { code: 'not_verified', reason: `accepted, but not seen to end within ${timeout} s` });
}

/** Before a send: whoever is at work waits, and whoever could have been acted on already is not sent to lightly. */
function decide(track: Track, look: Look, at: number, rules: LookRules): Track {
  const objection = objectionTo(track, look);
  if (objection !== null) return leftOut(track, objection);
  const isSettled = track.refused === null || at - track.refused.at >= rules.verify.settle * 1000;
  const settled = isSettled ? { refused: null } : {};
  if (track.refused !== null && track.dataLoss) {
    // The documents leave open whether the instances before the refused one were acted on: nobody is sent to again
    // before it has been seen idle for the settle time.
    if (shows(look, rules.action) !== null) return ended(track, 'unknown', seenAfterRefusal);
    if (isIdle(look, rules.action) && !isSettled) return track;
  }
  if (!isIdle(look, rules.action)) return noteBusy({ ...track, phase: 'busy', group: 0, ...settled }, look);
  if (track.phase === 'asking' && track.refused !== null) return { ...track, phase: 'due', dueAt: at };
  return track.recheck && track.phase === 'asking' ? dueAgain(track, at) : again(track, rules.limits);
}

/**
 * A lost outcome: settled by evidence. Without, a restart is sent again, but not where data is at stake, nor where DCS
 * took the call without telling results; and a soft_restart once only, since nobody knows whether it can be seen at all.
 */
function resolve(track: Track, look: Look, at: number, rules: LookRules): Track {
  const evidence = shows(look, rules.action);
  if (evidence !== null) return takenHold(track, at, evidence);
  if (at - (track.sentAt ?? at) < rules.verify.settle * 1000) return track;
  const isDoubtful = track.taken || (rules.action === 'soft_restart' && track.doubts > 1);
  if (track.dataLoss || isDoubtful) return ended(track, 'unknown');
  return isIdle(look, rules.action) && objectionTo(track, look) === null ? again(track, rules.limits) : track;
}

function watch(track: Track, look: Look, at: number, { settle }: VerifyPolicy): Track {
  const isRunning = look.status === 'RUNNING' && (look.task ?? null) === null;
  if (!isRunning) {
    // Right after the answer a faulty instance still shows ERROR; later it means that it did not come back.
    const hadTime = track.evidence !== null || at - (track.acceptedAt ?? at) >= settle * 1000;
    if (look.status === 'ERROR' && hadTime) return ended(track, 'failed', unhealthy);
    return { ...track, goodReads: 0, runningSince: at };
  }
  if (look.task === undefined) return track;
  const isProof = track.evidence !== null || at - track.runningSince >= settle * 1000;
  const goodReads = isProof ? track.goodReads + 1 : 0;
  if (goodReads < 2) return { ...track, goodReads, goodAt: at };
  return ended({ ...track, goodReads, verifiedAt: at, verifiedBy: track.evidence ?? 'quiet' }, 'succeeded', null);
}

const unhealthy = { code: 'unhealthy_after', reason: 'it is in ERROR after the action' };

const seenAfterRefusal = {
  code: 'outcome_unknown',
  reason: 'its call was refused as a whole, yet it was seen at work: by this call or by somebody else',
};

function withEvidence(track: Track, look: Look, action: Action): Track {
  const evidence = track.evidence ?? shows(look, action);
  // Reads count from after the evidence, so the read that brought it does not.
  return evidence === track.evidence ? track : { ...track, evidence, goodReads: -1 };
}

function shows(look: Look, action: Action): 'state' | 'keys' | null {
  if (look.status === atWork[action]) return 'state';
  return action === 'flush' && look.emptied === true ? 'keys' : null;
}

function takenHold(track: Track, at: number, evidence: Track['evidence']): Track {
  const acceptedAt = track.sentAt ?? at;
  return {
    ...track,
    phase: 'accepted',
    group: 0,
    maybeDone: false,
    acceptedAt,
    runningSince: at,
    evidence,
    problem: null,
  };
}

function noteBusy(track: Track, look: Look): Track {
  const what = look.task == null ? `it is ${look.status}` : `the task ${look.task} is going on`;
  return { ...track, problem: { code: 'busy', reason: what } };
}

/** Why it may not be sent to any more although it was planned. */
function objectionTo({ dataLoss }: Track, look: Look): Track['problem'] {
  if (look.isProtected) return { code: 'protected', reason: 'it has been protected since the plan was made' };
  if (look.isForbidden === true && dataLoss) {
    return { code: 'not_allowed', reason: 'its tag does not allow to destroy its data any more' };
  }
  if (look.isOutside !== true) return null;
  return { code: 'drifted', reason: 'the target does not select it any more' };
}

/** Gone or frozen: what was accepted or lost before may have been done all the same. */
function endedByWorld(track: Track, why: { readonly code: string; readonly reason: string }): Track {
  if (track.phase === 'accepted') return ended(track, 'unknown', { ...why, code: 'not_verified' });
  // A call that names one which is gone is refused for it.
  if (why.code === 'not_found' && !track.maybeDone) return ended(track, 'failed', why);
  return gaveUp(track, track.maybeDone ? { ...why, code: 'outcome_unknown' } : why);
}

function isIdle(look: Look, action: Action): boolean {
  return look.status !== null && isActionable(action, look.status) && look.task === null;
}

function goneForGood(look: Look): { readonly code: string; readonly reason: string } | null {
  if (look.status === null) return { code: 'not_found', reason: 'it does not exist any more' };
  if (permanent.includes(look.status)) return { code: 'wrong_state', reason: `it is ${look.status}` };
  return null;
}

// 6. Did it come back: what a look at an instance means for it. `success` from DCS only means accepted; an outcome that
// got lost is settled here by evidence, never by sending again blindly.

import type { Action, VerifyPolicy } from './config.ts';
import { isActionable } from './plan.ts';
import { again, type RetryLimits } from './retry.ts';
import { ended, type Track } from './track.ts';

/** One instance as it was seen. */
export interface Look {
  /** null: it does not exist any more. */
  readonly status: string | null;
  /** What is being done to it; null: nothing, undefined: it was not asked for. */
  readonly task?: string | null;
  /** Its key count fell below half of what it was before the flush; null where that cannot be told. */
  readonly emptied: boolean | null;
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
export function needsTask(track: Track, now: number, verify: VerifyPolicy): boolean {
  if (track.phase === 'asking' || track.phase === 'busy') return true;
  return track.phase === 'accepted' && (track.evidence !== null || now - track.runningSince >= verify.settle * 1000);
}

/** The track after a look at its instance. */
export function applyLook(track: Track, look: Look, at: number, rules: LookRules): Track {
  if (track.phase === 'due' || track.phase === 'ended') return track;
  const gone = goneForGood(look);
  if (gone !== null) return ended(track, 'failed', gone);
  switch (track.phase) {
    case 'asking':
      return decide(track, look, at, rules);
    case 'busy':
      return isIdle(look, rules.action) ? again(track, rules.limits) : noteBusy(track, look);
    case 'lost':
      return resolve(track, look, at, rules);
    case 'accepted':
      return watch(withEvidence(track, look, rules.action), look, at, rules.verify);
  }
}

/**
 * Gives up what was sent and could not be proved in time. Between two good reads there is still hope: the process may
 * have been away for longer than the limit, and now sees for the first time that all is well.
 */
export function lapse(track: Track, now: number, { timeout }: VerifyPolicy): Track {
  if (track.phase === 'accepted' && track.goodReads < 1 && now - (track.acceptedAt ?? now) >= timeout * 1000) {
    return ended(track, 'unknown', {
      code: 'not_verified',
      reason: `accepted, but not seen to end within ${timeout} s`,
    });
  }
  if (track.phase === 'lost' && now - (track.sentAt ?? now) >= timeout * 1000) return ended(track, 'unknown');
  return track;
}

/** An answer that named no reason: busy waits, a flush that is seen at work is never sent again, the rest retries. */
function decide(track: Track, look: Look, at: number, rules: LookRules): Track {
  if (rules.action === 'flush' && shows(look, rules.action) !== null) {
    return takenHold(track, at, shows(look, rules.action));
  }
  if (!isIdle(look, rules.action)) return noteBusy({ ...track, phase: 'busy', group: 0 }, look);
  // A refused batch: the refusal was not about this instance, so it goes on at once and has lost no attempt.
  return track.group > 0 ? { ...track, phase: 'due', dueAt: at } : again(track, rules.limits);
}

function resolve(track: Track, look: Look, at: number, rules: LookRules): Track {
  const evidence = shows(look, rules.action);
  if (evidence !== null) return takenHold(track, track.sentAt ?? at, evidence);
  if (at - (track.sentAt ?? at) < rules.verify.settle * 1000) return track;
  if (rules.action === 'flush') return ended(track, 'unknown');
  return isIdle(look, rules.action) ? again(track, rules.limits) : track;
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
  if (goodReads < 2) return { ...track, goodReads };
  return ended({ ...track, goodReads, verifiedAt: at, verifiedBy: track.evidence ?? 'quiet' }, 'succeeded', null);
}

const unhealthy = { code: 'unhealthy_after', reason: 'it is in ERROR after the action' };

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
  const sentAt = track.sentAt ?? at;
  return { ...track, phase: 'accepted', group: 0, sentAt, acceptedAt: at, runningSince: at, evidence, problem: null };
}

function noteBusy(track: Track, look: Look): Track {
  const what = look.task == null ? `it is ${look.status}` : `the task ${look.task} is going on`;
  return { ...track, problem: { code: 'busy', reason: what } };
}

function isIdle(look: Look, action: Action): boolean {
  return look.status !== null && isActionable(action, look.status) && (look.task ?? null) === null;
}

function goneForGood(look: Look): Track['problem'] {
  if (look.status === null) return { code: 'not_found', reason: 'it does not exist any more' };
  if (permanent.includes(look.status)) return { code: 'wrong_state', reason: `it is ${look.status}` };
  return null;
}

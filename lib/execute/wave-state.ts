// A wave between two turns, and what answers, looks and time make of it. Pure: lib/execute/wave.ts does the turns, this says what
// they come to, so that a replay which gets the same results takes the same turns.

import type { Problem } from '../classify.ts';
import type { Job } from '../config.ts';
import { applySent, type Sent, takeApart, type Unsent } from '../execute.ts';
import type { Verdict } from '../guards/moment.ts';
import type { PlannedInstance } from '../plan.ts';
import { backoffDelay, chanceOf, expire, type Halt, halted } from '../retry.ts';
import { applyLook, type Look, type LookRules, lapse } from '../verify.ts';
import type { BackedUp } from './back-up.ts';
import { closed, coolingDown, haltFor, heldElsewhere, stateSilent } from './halts.ts';
import { stops } from './look.ts';
import { ended, isFailure, leftOut, type Track } from './track.ts';

/** One wave of a run. */
export interface WaveTask {
  readonly runId: string;
  /** Of a ladder, from 1. */
  readonly rung: number | null;
  readonly job: Job;
  /** From 1. */
  readonly number: number;
  readonly planned: readonly PlannedInstance[];
  /** Failed and unknown instances of the waves before. */
  readonly failures: number;
  /** When the instances were last looked at before, in ms. */
  readonly seenAt: number;
  /** Planned instances that changed before the plan was approved, and how. */
  readonly drift: ReadonlyMap<string, string>;
}

/** A wave between two turns. Times in ms since the epoch, `gap` in seconds. */
export interface Wave {
  readonly task: WaveTask;
  readonly tracks: readonly Track[];
  readonly now: number;
  readonly deadline: number;
  /** Backoffs so far. */
  readonly round: number;
  readonly nextGroup: number;
  readonly gap: number;
  readonly lookAt: number;
  /** When the leases were last taken or renewed. */
  readonly leasedAt: number;
  /** Until when a throttled project wants to be left alone. */
  readonly heldUntil: number;
  /** An answer wants a look before anything else. */
  readonly ask: boolean;
  readonly turn: number;
  readonly halt: Halt | null;
  /** The halt has ended something that would have gone on. */
  readonly stopped: boolean;
  readonly baseline: ReadonlyMap<string, number>;
}

/** Groups from here on are refused batches; 0 is the common one. */
export const firstGroup = 1;

/** The longest gap between two polls, in seconds (design rule 9). */
const longestGap = 60;

/** The wave as it begins at `at`. */
export function beginning(task: WaveTask, tracks: readonly Track[], at: number, ask: boolean): Wave {
  const { job } = task;
  return {
    task,
    tracks,
    now: at,
    deadline: at + job.retry.for * 1000,
    round: 0,
    nextGroup: firstGroup,
    gap: job.verify.interval,
    lookAt: at + job.verify.interval * 1000,
    ask,
    leasedAt: at,
    heldUntil: 0,
    turn: 0,
    halt: null,
    stopped: false,
    baseline: new Map(),
  };
}

/**
 * The wave once its backups were seen to: whoever has none is left out, and the others are looked at again, since that
 * took a while. The time for retries begins here.
 */
export function applyBackups(wave: Wave, { kept, failed, verdict, leasedAt }: BackedUp, at: number): Wave {
  const tracks = wave.tracks.map((track): Track => {
    if (track.phase === 'ended' || !track.dataLoss || track.queued) return track;
    const backup = kept.get(track.id) ?? null;
    if (backup !== null) return { ...rechecked(track), backup };
    const reason = failed.get(track.id);
    return reason === undefined ? track : ended(track, 'skipped', { code: 'backup_failed', reason });
  });
  const next = { ...beginning(wave.task, tracks, at, true), leasedAt, halt: wave.halt };
  return verdict === null ? next : applyVerdict(next, verdict, at);
}

/** The wave after one answer. */
export function applyAnswer(wave: Wave, batch: readonly Track[], sent: Sent): Wave {
  if ('unsent' in sent) return applyUnsent(wave, sent);
  const left = new Set(sent.left);
  const called = batch.filter((_, i) => !left.has(i));
  const lost = batch.filter((_, i) => left.has(i)).map((track) => leftOut(track, heldElsewhere));
  const after = [...lost, ...applySent(called, sent, retryAt(wave), wave.nextGroup)];
  const problem = 'problem' in sent ? sent.problem : null;
  const accepted = after.some(({ phase }) => phase === 'accepted' || phase === 'lost');
  const { interval } = wave.task.job.verify;
  const next = replace(
    {
      ...wave,
      now: Math.max(wave.now, sent.at),
      nextGroup: wave.nextGroup + 1,
      ask: wave.ask || after.some(({ phase }) => phase === 'asking'),
      halt: wave.halt ?? (problem !== null && stops(problem) ? haltFor(problem, problem.class === 'auth') : null),
      ...(accepted && { gap: interval, lookAt: sent.at + interval * 1000 }),
    },
    after,
  );
  const heldUntil = Math.max(wave.heldUntil, sent.at + (problem?.retryAfter ?? 0) * 1000);
  return heldBack({ ...next, heldUntil });
}

function applyUnsent(wave: Wave, { unsent, why = stateSilent, at }: Unsent & { readonly at: number }): Wave {
  const now = Math.max(wave.now, at);
  // What is late runs out of time in `judge`, or is looked at before its next turn; where the state did not answer, it is asked again at the next retry.
  if (unsent === 'late' || unsent === 'state') return { ...wave, now };
  return applyVerdict(wave, unsent === 'closed' ? { kind: 'closed' } : { kind: unsent, why }, now);
}

/** The wave after a verdict that is not "go": what is due waits a while, or nothing more is sent at all. */
export function applyVerdict(wave: Wave, verdict: Exclude<Verdict, { kind: 'go' }>, at: number): Wave {
  const now = Math.max(wave.now, at);
  if (verdict.kind === 'closed') return { ...wave, now, halt: wave.halt ?? closed };
  const { code, reason } = verdict.why;
  if (verdict.kind === 'halt') return { ...wave, now, halt: wave.halt ?? { code, reason, blind: false } };
  const waiting = wave.tracks
    .filter((track) => track.phase === 'due')
    .map((track) => ({ ...track, problem: { code, reason } }));
  const next = { ...replace(wave, waiting), now };
  return heldBack({ ...next, heldUntil: Math.max(wave.heldUntil, now + holdGap * 1000) });
}

/** Seconds until a run that is held asks again: an hour of it costs 240 durable operations. */
const holdGap = 30;

/** Ms for which what was seen of an instance is good enough to act on. */
export const freshFor = 60_000;

/**
 * Seen so long ago that it may be protected, or at work, since then: it is looked at before anything is sent. Seen in the
 * future, it was seen by a clock that has been put back.
 */
export function isStale({ seenAt }: Track, at: number): boolean {
  return Math.abs(at - seenAt) > freshFor;
}

/** Looked at, and sent at once where nothing speaks against it. */
export function rechecked(track: Track): Track {
  return { ...track, phase: 'asking', recheck: true };
}

/** The wave when some of what is due was seen too long ago: that is looked at first. */
export function asking(wave: Wave, at: number): Wave {
  const stale = wave.tracks.filter((track) => isDue(track, wave.now) && !track.queued && isStale(track, at));
  return { ...replace(wave, stale.map(rechecked)), now: Math.max(wave.now, at), ask: true };
}

/** The wave after those that wait for another run have asked for their leases; `letters` in the order of `waiting`. */
export function applyQueue(wave: Wave, waiting: readonly Track[], letters: string, at: number): Wave {
  const after = waiting.map((track, i): Track => {
    if (letters[i] === 'h') return { ...track, dueAt: at + holdGap * 1000 };
    if (letters[i] === 'c') return ended(track, 'skipped', coolingDown);
    return { ...rechecked(track), queued: false, problem: null };
  });
  return { ...replace(wave, after), now: Math.max(wave.now, at), ask: wave.ask || /[tr]/.test(letters) };
}

/** Who has waited for another run for too long. */
export function expireQueued(wave: Wave): Wave {
  const { retry } = wave.task.job;
  const tracks = wave.tracks.map((track) => (track.queued ? expire(track, retry, wave.now, wave.deadline) : track));
  return { ...wave, tracks };
}

/** A throttled project is left alone for as long as it says: nothing that is or becomes due goes out before. */
function heldBack(wave: Wave): Wave {
  const { heldUntil } = wave;
  const isEarly = ({ phase, dueAt }: Track): boolean => phase === 'due' && dueAt < heldUntil;
  if (!wave.tracks.some(isEarly)) return wave;
  return { ...wave, tracks: wave.tracks.map((track) => (isEarly(track) ? { ...track, dueAt: heldUntil } : track)) };
}

/** What this turn did not come to goes with the next retry, so that a throttled project is left alone until then. */
export function postpone(wave: Wave, turnStart: number): Wave {
  const at = retryAt(wave);
  return replace(
    wave,
    wave.tracks.filter((track) => isDue(track, turnStart)).map((track) => ({ ...track, dueAt: at })),
  );
}

/** The wave after a look; `looks` in the order of `watched`, null: not seen this time. */
export function applyLooks(
  wave: Wave,
  watched: readonly Track[],
  looks: readonly (Look | null)[],
  at: number,
  problem: Problem | null,
): Wave {
  const { job } = wave.task;
  const limits = { policy: job.retry, retryAt: retryAt({ ...wave, now: at }) };
  const rules: LookRules = { action: job.action, verify: job.verify, limits };
  const after = watched.map((track, i) => {
    const look = looks[i] ?? null;
    return look === null ? track : { ...applyLook(track, look, at, rules), seenAt: at };
  });
  const gap = Math.min(Math.max(longestGap, job.verify.interval), wave.gap * 1.5);
  const halt = wave.halt ?? (problem !== null && stops(problem) ? haltFor(problem, true) : null);
  const next = { ...wave, now: at, ask: false, gap, lookAt: at + wave.gap * 1000, halt };
  const lapsed = after.map((track) => lapse(track, at, job.verify));
  return heldBack(regroup(replace(next, lapsed), watched, lapsed));
}

/** What time and limits do to the tracks: deadlines, the failure threshold, a halt. */
export function judge(wave: Wave): Wave {
  const { job, failures } = wave.task;
  const timed = wave.tracks.map((track) => expire(track, job.retry, wave.now, wave.deadline));
  const failed = failures + timed.filter(isFailure).length;
  const tripped: Halt = {
    code: 'max_failures',
    reason: `stopped at ${failed} failed or unknown; waves.maxFailures is ${job.waves.maxFailures}`,
    blind: false,
  };
  const halt = wave.halt ?? (failed >= job.waves.maxFailures ? tripped : null);
  if (halt === null) return { ...wave, tracks: timed };
  const tracks = timed.map((track) => halted(track, halt));
  return { ...wave, halt, tracks, stopped: wave.stopped || tracks.some((track, i) => track !== timed[i]) };
}

/** Batches that were refused as a whole, after the look: taken apart into smaller calls. */
function regroup(wave: Wave, before: readonly Track[], after: readonly Track[]): Wave {
  let next = wave;
  for (const group of new Set(before.filter(({ phase }) => phase === 'asking').map((track) => track.group))) {
    if (group < firstGroup) continue;
    const isOfGroup = (_: Track, i: number): boolean => before[i]?.phase === 'asking' && before[i]?.group === group;
    const parted = takeApart(before.filter(isOfGroup), after.filter(isOfGroup), next.nextGroup);
    next = replace({ ...next, nextGroup: next.nextGroup + 2 }, parted);
  }
  return next;
}

/** When the next retry goes out: with one that is waiting already, so that calls stay full; else after a backoff. */
function retryAt(wave: Wave): number {
  const { job, runId, number } = wave.task;
  const waiting = wave.tracks
    .filter(({ phase, dueAt }) => phase === 'due' && dueAt > wave.now)
    .map(({ dueAt }) => dueAt);
  if (waiting.length > 0) return Math.min(...waiting);
  return wave.now + backoffDelay(job.retry, wave.round + 1, chanceOf(runId, number, wave.round + 1)) * 1000;
}

/** Puts changed tracks in the place of the old ones; a first track that waits for a retry begins a new round. */
function replace(wave: Wave, changed: readonly Track[]): Wave {
  const byId = new Map(changed.map((track) => [track.id, track]));
  const tracks = wave.tracks.map((track) => byId.get(track.id) ?? track);
  const waits = (list: readonly Track[]): boolean =>
    list.some(({ phase, dueAt }) => phase === 'due' && dueAt > wave.now);
  const isNewRound = !waits(wave.tracks) && waits(tracks);
  return { ...wave, tracks, round: wave.round + (isNewRound ? 1 : 0) };
}

/** To be sent now. */
export function isDue({ phase, dueAt }: Track, now: number): boolean {
  return phase === 'due' && dueAt <= now;
}

/** Out, and looked at until it is decided. */
export function isWatched({ phase }: Track): boolean {
  return phase === 'asking' || phase === 'busy' || phase === 'lost' || phase === 'accepted';
}

// 5. Again for those that failed: policy, full jitter, deadline, and the reasons for giving up. Knows nothing of DCS, and
// nothing else in the program retries.

import { hashOf } from './canonical.ts';
import type { Problem } from './classify.ts';
import type { RetryPolicy } from './config.ts';
import { type CountedEngine, mostOperations } from './engine.ts';
import { dueAgain, ended, gaveUp, mayBeDone, type Track } from './execute/track.ts';
import type { Reading } from './execute.ts';

/** The shortest backoff, in seconds: durable waits are whole seconds. */
const floor = 1;

/**
 * Seconds before retry number `round` (from 1): uniform between the floor and `baseDelay` doubled each round, capped at
 * `maxDelay` (full jitter). `chance` is in [0, 1).
 */
export function backoffDelay(policy: RetryPolicy, round: number, chance: number): number {
  const cap = Math.max(floor, Math.min(policy.maxDelay, policy.baseDelay * 2 ** (round - 1)));
  return floor + chance * (cap - floor);
}

/** Chance that is the same at every replay of a run and different for every run: uniform in [0, 1). */
export function chanceOf(...seed: readonly (string | number)[]): number {
  return Number.parseInt(hashOf(seed).slice(0, 12), 16) / 2 ** 48;
}

/** The limits of one wave's retries. Times in ms. */
export interface RetryLimits {
  readonly policy: RetryPolicy;
  /** When the next retry of this wave may be sent. */
  readonly retryAt: number;
}

/** To be sent again at the next round, unless it has had all its attempts. */
export function again(track: Track, { policy, retryAt }: RetryLimits): Track {
  if (track.attempts < policy.maxAttempts) return dueAgain(track, retryAt);
  const last = track.problem === null ? '' : `, the last: ${track.problem.reason}`;
  const attempts = `${track.attempts} ${track.attempts === 1 ? 'attempt' : 'attempts'}`;
  return gaveUp(track, {
    code: track.maybeDone ? 'outcome_unknown' : 'attempts_exhausted',
    reason: `${attempts}${last}`,
  });
}

/**
 * Gives up what cannot be sent any more: its time is over, or would be over before its next turn. What is sent already
 * is not touched here.
 */
export function expire(track: Track, policy: RetryPolicy, now: number, deadline: number): Track {
  const isOver = track.phase === 'due' ? track.dueAt > deadline || now > deadline : now >= deadline;
  const waits = track.phase === 'due' || track.phase === 'busy' || track.phase === 'asking';
  if (!waits || !isOver) return track;
  if (track.calls === 0) return ended(track, 'not_started', track.problem ?? tooLate);
  const code = track.problem?.code ?? 'retry_deadline';
  return gaveUp(track, {
    code: code === 'failed' || code === 'refused' ? 'retry_deadline' : code,
    reason: `given up after ${policy.for} s${track.problem === null ? '' : `: ${track.problem.reason}`}`,
  });
}

const tooLate = { code: 'retry_deadline', reason: 'its turn came too late' };

/** Why a run sends nothing more. `blind`: DCS cannot be read any more either. */
export interface Halt {
  readonly code: string;
  readonly reason: string;
  readonly blind: boolean;
}

/** Why a run ends that has come to the operations that an execution has room for. */
export const spentOperations: Halt = {
  code: 'too_many_operations',
  reason:
    'the run took more steps than one execution has room for; larger waves or a longer verify.interval need fewer',
  blind: false,
};

/** A track once the run has been halted: what is sent is still watched, unless nothing can be read any more. */
export function halted(track: Track, halt: Halt): Track {
  const why = { code: halt.code, reason: halt.reason };
  switch (track.phase) {
    case 'ended':
      return track;
    case 'accepted':
    case 'lost':
      return halt.blind ? ended(track, 'unknown', why) : track;
    default:
      return track.attempts === 0 && !mayBeDone(track)
        ? ended(track, 'not_started', why)
        : gaveUp(track, track.problem ?? why);
  }
}

/**
 * Reads until it works: again after every passing problem, within `policy.for` and as long as the execution has room for
 * more; other problems are handed on at once.
 * Each try is a durable step named `name`, each pause a durable wait. `now` is read inside the steps. `read` is told
 * which try it is, from 1: a count of its own would begin anew at every wake.
 */
export async function readUntil<T>(
  engine: CountedEngine,
  name: string,
  policy: RetryPolicy,
  now: () => number,
  read: (round: number) => Promise<Reading<T>>,
): Promise<Reading<T>> {
  let deadline = Number.POSITIVE_INFINITY;
  for (let round = 1; ; round++) {
    const { at, reading } = await engine.step(name, async () => ({ reading: await read(round), at: now() }));
    if (reading.ok || !isPassing(reading.problem)) return reading;
    deadline = Math.min(deadline, at + policy.for * 1000);
    const delay = Math.max(backoffDelay(policy, round, chanceOf(name, at)), reading.problem.retryAfter ?? 0);
    if (at + delay * 1000 > deadline || engine.spent() > mostOperations) return reading;
    await engine.wait(`${name} again`, Math.ceil(delay));
  }
}

/** Whether a problem may be gone at the next try. */
export function isPassing(problem: Problem): boolean {
  return ['throttled', 'unreachable', 'unknown', 'busy'].includes(problem.class);
}

// What the processes of a project tell each other about an access key. More than five wrong signatures in a row lock a key
// for everybody who uses it (vendor's IAM page), so that a key which nobody knows to be good is tried by one call alone,
// and one that was refused by one call in ten minutes. Pure: lib/huawei/key-gate.ts asks, waits and writes.

import * as v from 'valibot';
import { hashOf } from './canonical.ts';
import type { Problem } from './classify.ts';

/** What is known of a key. Times in ms since the epoch. */
export interface Trial {
  /** `trying`: one call is out with it; `good`: it was accepted; `refused`: it was not. */
  readonly status: 'trying' | 'good' | 'refused';
  /** Since when. */
  readonly at: number;
  /** When the next call may try it, unless it is good. */
  readonly nextAt: number;
  /** The code of the refusal, empty where there was none. */
  readonly code: string;
  /** The id of the request that was refused, where there was one. */
  readonly requestId?: string;
}

/** A trial as it is stored. */
export const trialSchema = v.object({
  status: v.picklist(['trying', 'good', 'refused']),
  at: v.number(),
  nextAt: v.number(),
  code: v.string(),
  requestId: v.exactOptional(v.string()),
}) satisfies v.GenericSchema<unknown, Trial>;

/** What an answer says of the key its call was signed with: nothing (`open`), or that the clock is wrong (`skewed`). */
export type Verdict = 'good' | 'open' | { readonly status: 'refused' | 'skewed'; readonly problem: Problem };

/** What a call with a key may do; `try` after it has written this trial in the place of the known one. */
export type Advice =
  | { readonly kind: 'go' }
  | { readonly kind: 'wait' }
  | { readonly kind: 'try'; readonly trial: Trial }
  | { readonly kind: 'stop'; readonly problem: Problem };

const minute = 60_000;
/** A call that tries a key has an answer by then, or is taken for lost. */
const longestTry = 2 * minute;
/** Between two calls with a key that was refused (design rule 2), or by a clock that is wrong. */
const betweenProbes = 10 * minute;
/** By how much the clocks of processes differ at most; what is later was written by one that is wrong. */
const drift = 2 * minute;

/**
 * A name for a secret that tells nothing useful of it: 32 bits of a SHA-256 over secret and project. Whoever reads it could
 * rule out guesses, but a secret key has far more bits than could be guessed; and keys of two projects cannot be compared.
 */
export function fingerprintOf(project: string, secrets: readonly string[]): string {
  return hashOf([project, ...secrets]).slice(0, 8);
}

/** What a call may do whose key is known like this; undefined: nobody has tried it. */
export function adviceOn(trial: Trial | undefined, now: number): Advice {
  if (trial === undefined) return { kind: 'try', trial: trying(now) };
  if (trial.status === 'good') return { kind: 'go' };
  const longest = trial.status === 'trying' ? longestTry : betweenProbes;
  const isDue = now >= trial.nextAt || trial.nextAt > now + longest + drift;
  if (trial.status === 'trying') return isDue ? { kind: 'try', trial: trying(now) } : { kind: 'wait' };
  return isDue ? { kind: 'try', trial: { ...trial, nextAt: now + betweenProbes } } : stopped(trial);
}

/** What is known after a call that was allowed to try. `claimed`: the trial that it wrote. */
export function afterTry(claimed: Trial, verdict: Verdict, now: number): Trial {
  if (verdict === 'good') return { status: 'good', at: now, nextAt: now, code: '' };
  if (verdict !== 'open' && verdict.status === 'refused') return refusedTrial(verdict.problem, now);
  // Nothing was learnt. A key that was refused stays so, for a lost answer may have been one refusal more.
  return claimed.status === 'trying' ? { ...claimed, nextAt: now } : claimed;
}

/**
 * Whether a process sends nothing, since its clock was found wrong at that moment of it. Every call that is signed by it is
 * refused, which counts against the key; a clock that is put right has jumped out of this time, in either direction.
 */
export function isClockWrong(foundAt: number, now: number): boolean {
  return foundAt <= now && now < foundAt + betweenProbes;
}

/** A key that was refused right now. */
export function refusedTrial({ code, requestId }: Problem, now: number): Trial {
  const refused = { status: 'refused', at: now, nextAt: now + betweenProbes, code } as const;
  return requestId === undefined ? refused : { ...refused, requestId };
}

function trying(now: number): Trial {
  return { status: 'trying', at: now, nextAt: now + longestTry, code: '' };
}

function stopped({ at, nextAt, code, requestId }: Trial): Advice {
  const [since, next] = [at, nextAt].map((time) => new Date(time).toISOString());
  const why = requestId === undefined ? code : `${code}, request ${requestId}`;
  const message = `The key or password was refused at ${since} (${why}). It is tried again at ${next}, a new one at once.`;
  return { kind: 'stop', problem: { class: 'auth', code: 'credentials_rejected', message } };
}

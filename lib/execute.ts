// 4. Do it once: batches of at most 50, and what an answer means for each instance of its batch. Declares the port to
// DCS. A batch that is refused as a whole is taken apart until the instance that it was refused for stands alone.

import type { Problem } from './classify.ts';
import type { Action } from './config.ts';
import type { BackupRecord } from './execute/backup.ts';
import { dueAgain, gaveUp, type Track } from './execute/track.ts';
import type { InstanceDetail, ListedInstance } from './plan/instance.ts';

/** A read that worked, or what went wrong. Never throws for anything that a service or network can do. */
export type Reading<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

/** The answer to one status call. Results are matched by id; an id that is missing has no entry. */
export type Answer =
  | {
      readonly kind: 'answered';
      readonly results: ReadonlyMap<string, 'success' | 'failed'>;
      readonly requestId?: string;
    }
  /** The whole call was refused, or never reached DCS (`problem.class` tells). */
  | { readonly kind: 'refused'; readonly problem: Problem }
  /** Whether it was applied cannot be known from the answer (5xx, time-out, lost connection, no results). */
  | { readonly kind: 'lost'; readonly problem: Problem };

/** Everything the work needs of DCS, for one project. Implemented by lib/huawei/dcs.ts, and by lib/local/rehearsal/memory-dcs.ts without a network. */
export interface DcsApi {
  /** All instances that carry all of `tags` (none: all instances), every page of it. */
  list(tags: Readonly<Record<string, string>>): Promise<Reading<readonly ListedInstance[]>>;
  /** The number of all instances of the project, unfiltered. */
  total(): Promise<Reading<number>>;
  /** One instance; null when it does not exist. */
  show(id: string): Promise<Reading<InstanceDetail | null>>;
  /** Whether data survives a process: the parameter `appendonly`; null where the instance has no such parameter. */
  appendonly(id: string): Promise<Reading<boolean | null>>;
  /** Key counts of the running instances. */
  keyCounts(): Promise<Reading<ReadonlyMap<string, number>>>;
  /** The newest backups of an instance, newest first. */
  backups(id: string): Promise<Reading<readonly BackupRecord[]>>;
  /** Starts a backup, once; the value is its id. A problem of class `unknown`: it may have been started. */
  backUp(id: string, remark: string): Promise<Reading<string>>;
  /** Sends one action to 1-50 distinct instances, once. */
  act(action: Action, ids: readonly string[]): Promise<Answer>;
}

/** The most ids that one call takes (error DCS.4100). */
export const batchSize = 50;

/**
 * What came of one call, small enough to be remembered for good: one letter per id that was sent, in its order
 * (`s` success, `f` failed, `-` no result), or the problem of the whole call, or why nothing was sent at all. `at`: ms
 * since the epoch; `left`: places of the batch that were not sent, since another run had taken the instance.
 */
export type Sent = {
  readonly at: number;
  readonly left?: readonly number[];
} /** `requestId`: of an answer that was no success for everybody. */ & (
  | { readonly results: string; readonly requestId?: string }
  | { readonly lost: boolean; readonly problem: Problem }
  | Unsent
);

type Results = Extract<Sent, { readonly results: string }>;

/**
 * Nothing went out. `late`: its deadline is past, or what was known of it is old; `state`: the state did not answer; the others are verdicts of
 * moment.ts, with their reason in `why`.
 */
export interface Unsent {
  readonly unsent: 'late' | 'state' | 'closed' | 'hold' | 'halt';
  readonly why?: { readonly code: string; readonly reason: string };
}

/** Cuts what is due into calls: full batches, groups kept apart, every instance in exactly one. */
export function batchesOf(due: readonly Track[]): Track[][] {
  const batches: Track[][] = [];
  for (const members of Map.groupBy(due, ({ group }) => group).values()) {
    for (let from = 0; from < members.length; from += batchSize) batches.push(members.slice(from, from + batchSize));
  }
  return batches;
}

/** Sends one batch, once. */
export async function send(dcs: DcsApi, action: Action, ids: readonly string[], now: () => number): Promise<Sent> {
  const answer = await dcs.act(action, ids);
  const at = now();
  if (answer.kind !== 'answered') return { at, lost: answer.kind === 'lost', problem: answer.problem };
  const letters = { success: 's', failed: 'f' } as const;
  const letter = (id: string): string => {
    const result = answer.results.get(id);
    return result === undefined ? '-' : letters[result];
  };
  const results = ids.map(letter).join('');
  const { requestId } = answer;
  return { at, results, ...(requestId !== undefined && /[^s]/.test(results) && { requestId }) };
}

/** The batch after its answer. `retryAt`: when a throttled call may go again; `group`: a number no other batch has. */
export function applySent(batch: readonly Track[], sent: Sent, retryAt: number, group: number): Track[] {
  if ('unsent' in sent) return [...batch];
  const called = batch.map((track) => ({ ...track, calls: track.calls + 1, refused: null, recheck: false }));
  if ('results' in sent) return called.map((track, i) => applyResult(track, sent.results[i], sent));
  if (sent.lost) return called.map((track) => lost(track, sent.at, sent.problem));
  return called.map((track) => applyRefusal(track, sent.problem, sent.at, { retryAt, group, size: batch.length }));
}

/** After the look at a refused batch: whoever is still due goes on together, or in halves if nothing was found. */
export function takeApart(before: readonly Track[], after: readonly Track[], group: number): Track[] {
  const due = after.filter(({ phase }) => phase === 'due');
  const half = due.length === before[0]?.refused?.size ? Math.ceil(due.length / 2) : due.length;
  const first = new Set(due.slice(0, half));
  return after.map((track) =>
    track.phase === 'due' ? { ...track, group: first.has(track) ? group : group + 1 } : track,
  );
}

/** The service's own words about a problem, and the id by which its support finds the call. */
export function sentence({ code, message, requestId }: Problem): string {
  return withRequest(message === '' ? code : `${code}: ${message}`, requestId);
}

/** At most 300 characters, the id in any case: without it the vendor's support cannot help. */
function withRequest(text: string, requestId: string | undefined): string {
  const end = requestId === undefined ? '' : ` (request ${requestId})`;
  return text.slice(0, 300 - end.length) + end;
}

function applyResult(track: Track, letter: string | undefined, { at, requestId }: Omit<Results, 'results'>): Track {
  const isTold = letter === 'f' || letter === 's';
  const doubts = track.doubts + (isTold ? 0 : 1);
  const sent = {
    ...track,
    attempts: track.attempts + 1,
    sentAt: at,
    group: 0,
    maybeDone: !isTold,
    taken: false,
    doubts,
  };
  if (letter === 's') return { ...sent, phase: 'accepted', acceptedAt: at, runningSince: at, problem: null };
  if (letter === 'f') {
    const reason = withRequest('DCS answered "failed", without a reason', requestId);
    return { ...sent, phase: 'asking', problem: { code: 'failed', reason } };
  }
  const reason = withRequest('the answer had no result for it', requestId);
  return { ...sent, phase: 'lost', problem: { code: 'outcome_unknown', reason } };
}

function lost(track: Track, at: number, { status = 0, ...cause }: Problem): Track {
  const problem = { code: 'outcome_unknown', reason: sentence(cause) };
  const { attempts, doubts } = track;
  const taken = status >= 200 && status < 300;
  const sent = { ...track, attempts: attempts + 1, sentAt: at, group: 0, maybeDone: true, taken, doubts: doubts + 1 };
  return { ...sent, phase: 'lost', problem };
}

interface RefusalContext {
  readonly retryAt: number;
  readonly group: number;
  /** Instances in the call. */
  readonly size: number;
}

function applyRefusal(track: Track, problem: Problem, at: number, context: RefusalContext): Track {
  const reason = sentence(problem);
  switch (problem.class) {
    case 'throttled':
    case 'unreachable': {
      const dueAt = Math.max(context.retryAt, at + (problem.retryAfter ?? 0) * 1000);
      return dueAgain({ ...track, problem: { code: problem.class, reason } }, dueAt, track.group);
    }
    case 'auth':
    case 'config':
      // Nothing was applied, and the run is about to be stopped for it: that decides what becomes of the track.
      return dueAgain(track, at);
    default:
      if (context.size > 1) {
        const refused = { at, size: context.size };
        return { ...track, phase: 'asking', group: context.group, refused, problem: { code: 'refused', reason } };
      }
      if (problem.class === 'busy') return { ...track, phase: 'busy', group: 0, problem: { code: 'busy', reason } };
      return gaveUp({ ...track, attempts: track.attempts + 1, sentAt: at }, { code: 'rejected', reason });
  }
}

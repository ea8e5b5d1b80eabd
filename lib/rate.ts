// The rate of calls to one project, as one small value that all its processes hand on: who may call when, and what a 429
// makes of it. Pure: lib/huawei/bucket.ts keeps the value, lib/huawei/pace.ts does the waiting.
// Calls get places in time, one gap apart. A place may be used for as long as the burst lasts, so that no span of time
// holds more calls than a bucket of that burst would let through, whoever reserved them.

import * as v from 'valibot';

/** The bucket of a project. Times in ms since the epoch. */
export interface Bucket {
  /** The first place that nobody has. */
  readonly next: number;
  /** The last 429 that counted: the rate (calls per second) that it left, and when it began to rise. null: none was met. */
  readonly cut: { readonly rate: number; readonly at: number } | null;
}

/** A bucket as it is stored. */
export const bucketSchema = v.object({
  next: v.number(),
  cut: v.nullable(v.object({ rate: v.number(), at: v.number() })),
}) satisfies v.GenericSchema<unknown, Bucket>;

/** Places in time for calls, oldest first, and the bucket without them; where there are none, `next` is still away. */
export interface Reserved {
  readonly places: readonly number[];
  readonly bucket: Bucket;
}

/** A call that was answered with 429. Times in ms since the epoch. */
export interface Throttled {
  readonly sentAt: number;
  readonly now: number;
  /** Seconds for which the service wants to be left alone. */
  readonly retryAfter?: number | undefined;
}

/** Nobody has called yet. */
export const freshBucket: Bucket = { next: 0, cut: null };

/**
 * Ms ahead of its time that a place may be reserved. What is reserved goes out at the rate of that moment, so that after a
 * cut a longer queue would go on to meet 429s, and be cut again for them.
 */
export const near = 100;

/** What is left of the rate after a 429, and by which share of itself it then rises again in each second. */
const cutTo = 0.85;
const risePerSecond = 0.05;

/** Calls per second below which no 429 brings the rate: one call in five seconds finds out whether it may rise. */
const slowest = 0.2;

/** A service that asks for more is asked again after so many ms. */
const longestHold = 3600_000;

/** Ms ahead that places are reserved at most, at least one. Whatever is much later was written by a clock that was wrong. */
const longestQueue = 60_000;

/** Calls per second at `now`, where the configuration allows `configured`. Never more than that, and never falling. */
export function rateOf({ cut }: Bucket, configured: number, now: number): number {
  if (cut === null || cut.at > now + longestHold) return configured;
  const seconds = Math.max(0, now - cut.at) / 1000;
  return Math.min(configured, cut.rate * (1 + risePerSecond) ** seconds);
}

/** Ms after its time for which a place may be used: at this rate a second's calls, at least one, may go at once. */
export function patienceOf(rate: number): number {
  return ((Math.max(1, Math.floor(rate)) - 1) * 1000) / rate;
}

/** Reserves up to `calls` places from `now` on; none as long as the first that nobody has is not near. */
export function reserve(bucket: Bucket, calls: number, configured: number, now: number): Reserved {
  const rate = rateOf(bucket, configured, now);
  const next = nextOf(bucket, now);
  if (next > now + near) return { places: [], bucket: { ...bucket, next } };
  const first = Math.max(next, now - patienceOf(rate));
  const length = Math.min(calls, Math.max(1, Math.floor((rate * longestQueue) / 1000)));
  const places = Array.from({ length }, (_, i) => first + (i * 1000) / rate);
  return { places, bucket: { ...bucket, next: first + (length * 1000) / rate } };
}

/** The first place that nobody has, by a clock that may have been put back, or be behind that of another process. */
function nextOf({ next, cut }: Bucket, now: number): number {
  const heldUntil = cut !== null && isHeld(cut.at, now) ? cut.at : now;
  if (next > Math.max(now, heldUntil) + 2 * longestQueue) return heldUntil;
  return Math.min(next, now + longestHold);
}

/**
 * The bucket after a 429: slower, and with nothing saved up. One for a call that was on its way before the last cut tells
 * nothing new about the rate. Whoever says when to come back is left alone until then.
 */
export function throttle(bucket: Bucket, configured: number, call: Throttled): Bucket {
  const { sentAt, now } = call;
  const hold = holdOf(call);
  const isOld = bucket.cut !== null && sentAt <= bucket.cut.at && bucket.cut.at <= now + longestHold;
  const left = Math.max(slowest, rateOf(bucket, configured, now) * cutTo);
  // Nothing is learnt while nothing is sent: the rate rises from the end of the hold on.
  const cut = isOld ? laterOf(bucket.cut, call) : { rate: left, at: hold };
  const gap = 1000 / rateOf({ ...bucket, cut }, configured, now);
  return { cut, next: Math.max(bucket.next, hold, now + gap) };
}

/** A cut after one more 429 that tells nothing new about the rate, but perhaps of a longer hold. */
function laterOf(cut: Bucket['cut'], call: Throttled): Bucket['cut'] {
  const hold = holdOf(call);
  return cut === null || hold <= Math.max(cut.at, call.now) ? cut : { ...cut, at: hold };
}

/** Whether calls are held until then. What is further away than the longest hold was told by a clock that was wrong. */
export function isHeld(until: number, now: number): boolean {
  return now < until && until <= now + longestHold + longestQueue;
}

/** Until when a 429 asks to be left alone, as far as it is listened to; its own time where it does not ask. */
export function holdOf({ now, retryAfter = 0 }: Throttled): number {
  return now + Math.min(retryAfter * 1000, longestHold);
}

/** Places that were reserved before a cut, as far apart as they are after it; none before the end of a hold. */
export function spread(places: readonly number[], call: Throttled): readonly number[] {
  const { now } = call;
  if (holdOf(call) > now) return [];
  return places.map((place) => (place <= now ? place : now + (place - now) / cutTo));
}

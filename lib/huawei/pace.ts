// The turn of each call: it waits for its place in the project's bucket. A process takes places in blocks, so that a busy
// one writes the shared bucket about twice a second and not once a call. Clock and sleep are injected: tests need no time.

import { holdOf, isHeld, near, patienceOf, rateOf, reserve, spread, type Throttled, throttle } from '../rate.ts';
import { type Buckets, OwnBucket } from './bucket.ts';

/** Waits `ms` milliseconds; ends early (by rejecting or not) when the signal is aborted. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

/** How the calls of one process are paced. */
export interface PaceOptions {
  /** The project's bucket; absent: one of this process alone. */
  readonly bucket?: Buckets;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: Sleep;
  /** 0 to 1, at random: processes that wait for the same moment do not all write in it. Absent: there is only one. */
  readonly random?: () => number;
}

/** A turn: the place of a call, or the seconds after which to come again. */
type Turn = { readonly place: number } | { readonly later: number };

/** Ms of places that are reserved at once. For longer ones the other processes would have to wait. */
const blockTime = 500;

/** Ms without a call after which a process is taken for an idle one, that has no use for a block. */
const idleTime = 1000;

/** Ms that a call waits here. For longer it is better to come again: a run waits at no cost, an invocation does not. */
const longestWait = 20_000;

/** Lets the calls of one process through in the order they came. */
export class Pace {
  readonly #options: PaceOptions;
  readonly #bucket: Buckets;
  /** Places that are ours and not yet used, and when the last one was. */
  #places: readonly number[] = [];
  #usedAt = 0;
  #block = 1;
  #waiting = 0;
  #heldUntil = 0;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: PaceOptions) {
    this.#options = options;
    this.#bucket = options.bucket ?? new OwnBucket();
  }

  /**
   * Waits for the turn of a call whose configuration allows `configured` calls per second. Resolves to 0 when it may be
   * sent, to the seconds after which to come again where that is too far away, and to 0 as soon as the signal is aborted:
   * the caller looks at the signal.
   */
  async enter(configured: number, signal?: AbortSignal): Promise<number> {
    const { now } = this.#options;
    while (signal?.aborted !== true) {
      const turn = await this.#inOrder(() => this.#take(configured, signal));
      if ('later' in turn) return turn.later;
      if (turn.place > now()) await this.#sleep(turn.place - now(), signal);
      // Another call may have heard meanwhile that the project wants to be left alone.
      if (!isHeld(this.#heldUntil, now())) return 0;
    }
    return 0;
  }

  /** Tells that a call was answered with 429. */
  async throttled(configured: number, call: Throttled): Promise<void> {
    this.#heldUntil = Math.max(this.#heldUntil, holdOf(call));
    this.#places = spread(this.#places, call);
    await this.#bucket.change((bucket) => ({ bucket: throttle(bucket, configured, call), value: null }));
  }

  /** The next place. Where there is none yet, everybody who came later waits behind this one. */
  async #take(configured: number, signal?: AbortSignal): Promise<Turn> {
    const { now, random = () => 0.5 } = this.#options;
    const patience = now() + longestWait;
    const wasBusy = now() - this.#usedAt < idleTime;
    while (signal?.aborted !== true) {
      const rate = rateOf(this.#bucket.known, configured, now());
      const left = this.#places.filter((place) => place >= now() - patienceOf(rate));
      const [place, ...rest] = left.length > 0 ? left : await this.#reserve(configured, wasBusy ? mostAt(rate) : 1);
      this.#places = rest;
      if (place !== undefined) {
        this.#usedAt = now();
        return { place };
      }
      const { next } = this.#bucket.known;
      if (next > patience) return { later: Math.ceil((next - now()) / 1000) };
      await this.#sleep(Math.max(1, next - now() - near * random()), signal);
    }
    return { place: 0 };
  }

  /** A block of places: twice as many as the last time for whoever has used them up at once, up to `most`. */
  async #reserve(configured: number, most: number): Promise<readonly number[]> {
    const block = Math.min(this.#block * 2, most);
    const calls = Math.max(block, this.#waiting);
    const { now } = this.#options;
    const places = await this.#bucket.change((bucket) => {
      const reserved = reserve(bucket, calls, configured, now());
      return { bucket: reserved.bucket, value: reserved.places };
    });
    if (places.length > 0) this.#block = block;
    return places;
  }

  async #inOrder<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    const mine = this.#queue.then(work);
    this.#queue = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      this.#waiting -= 1;
    }
  }

  async #sleep(ms: number, signal?: AbortSignal): Promise<void> {
    try {
      await this.#options.sleep(ms, signal);
    } catch (error) {
      // An aborted sleep rejects with whatever its implementation likes; the signal is what counts.
      if (signal?.aborted !== true) throw error;
    }
  }
}

/** Places in a block at this rate, at most. */
function mostAt(rate: number): number {
  return Math.ceil((rate * blockTime) / 1000);
}

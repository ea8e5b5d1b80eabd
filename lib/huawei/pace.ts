// The rate of calls to one project: a token bucket that every call passes before it is sent. The clock and the sleep are
// injected, so tests need no time. It holds a fixed rate; adapting it to 429s would be a change inside this class.

/** Waits `ms` milliseconds; ends early (by rejecting or not) when the signal is aborted. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

/** `callsPerSecond` is the rate, and also how many calls may go at once after a pause (at least one). */
export interface PaceOptions {
  readonly callsPerSecond: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: Sleep;
}

/** Lets calls through in the order they came, never more than the rate allows. */
export class Pace {
  readonly #options: PaceOptions;
  /** Milliseconds: when the bucket would be full again. One number instead of a count that has to be topped up. */
  #full = 0;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /** Resolves when the next call may be sent, or as soon as the signal is aborted: the caller looks at the signal. */
  async enter(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return;
    const wait = this.#reserve();
    if (wait > 0) await this.#sleep(wait, signal);
  }

  #reserve(): number {
    const { callsPerSecond } = this.#options;
    const now = this.#options.now();
    const gap = 1000 / callsPerSecond;
    const burst = Math.max(1, Math.floor(callsPerSecond)) * gap;
    this.#full = Math.max(this.#full, now) + gap;
    return Math.max(0, this.#full - burst - now);
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

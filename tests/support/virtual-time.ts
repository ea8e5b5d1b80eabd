// Time that passes only when nobody has anything left to do, so that what waits for hours is played in a moment.

/** A clock whose sleeps are alarms: the next one rings as soon as everything else stands still. */
export class VirtualTime {
  #now: number;
  readonly #alarms: { readonly at: number; readonly ring: () => void }[] = [];

  constructor(now = Date.UTC(2026, 10, 23)) {
    this.#now = now;
  }

  readonly now = (): number => this.#now;

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#alarms.push({ at: this.#now + ms, ring: resolve });
    signal?.addEventListener('abort', () => reject(new Error('the sleep was aborted')));
    return promise;
  };

  /** Plays until `work` is done. Rejects where it waits for something that is no sleep. */
  async play<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const end = (): void => {
      isDone = true;
    };
    work.then(end, end);
    for (;;) {
      await standstill();
      if (isDone) return work;
      const next = this.#alarms.sort((a, b) => a.at - b.at).shift();
      if (next === undefined) throw new Error('everybody waits for something that never comes');
      this.#now = Math.max(this.#now, next.at);
      next.ring();
    }
  }
}

/** Resolves when every promise that can go on has gone on. */
function standstill(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

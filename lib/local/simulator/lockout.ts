// Locks a name after too many failures in a row: the gateway does so with access keys, IAM with accounts.

/** How many failures in a row lock, and for how many milliseconds. */
export interface LockoutOptions {
  readonly failures: number;
  readonly time: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The failures of each name since its last success. */
export class Lockout {
  readonly #options: LockoutOptions;
  readonly #names = new Map<string, { readonly count: number; readonly lockedUntil: number }>();

  constructor(options: LockoutOptions) {
    this.#options = options;
  }

  /** Whether the name is locked now. */
  isLocked(name: string): boolean {
    return (this.#names.get(name)?.lockedUntil ?? 0) > this.#options.now();
  }

  /** Counts a try; a success starts the count anew. */
  remember(name: string, failed: boolean): void {
    const { failures, time, now } = this.#options;
    const count = failed ? (this.#names.get(name)?.count ?? 0) + 1 : 0;
    const locks = count >= failures;
    this.#names.set(name, { count: locks ? 0 : count, lockedUntil: locks ? now() + time : 0 });
  }
}

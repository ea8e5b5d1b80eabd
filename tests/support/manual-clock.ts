// A clock that stands still until a test moves it.

import type { Clock } from '../../lib/local/clock.ts';

/** Time as a number that a test sets; what was to wake meanwhile wakes in order. */
export class ManualClock implements Clock {
  #now: number;
  readonly #alarms = new Set<{ readonly time: number; readonly wake: () => void }>();

  constructor(now = Date.UTC(2026, 2, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  at(time: number, wake: () => void): () => void {
    const alarm = { time, wake };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  }

  /** When the next alarm is due, in milliseconds from now; undefined when none is set. */
  next(): number | undefined {
    const [first] = [...this.#alarms].sort((a, b) => a.time - b.time);
    return first === undefined ? undefined : first.time - this.#now;
  }

  /** Moves on by `milliseconds`, waking what is due on the way. */
  advance(milliseconds: number): void {
    this.#now += milliseconds;
    const due = [...this.#alarms].filter((alarm) => alarm.time <= this.#now).sort((a, b) => a.time - b.time);
    for (const alarm of due) {
      this.#alarms.delete(alarm);
      alarm.wake();
    }
  }
}

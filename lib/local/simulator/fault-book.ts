// Which of the scripted faults is due: counts the calls that each of them matches, and draws those that are a share. The
// same seed and the same calls give the same faults.

import { chance } from './chance.ts';
import { type CallFault, type FaultAnswer, isRead, type Route, type SendFault } from './script.ts';

/** One call as the faults see it; `at` in milliseconds since the fleet's start. */
export interface Call {
  readonly route: Route;
  readonly ids: readonly string[];
  readonly at: number;
}

/** What is due at one call. */
export interface Due {
  /** In place of the proper answer. */
  readonly answer: FaultAnswer | undefined;
  /** In place of the proper entry of one instance. */
  readonly entryOf: (id: string) => SendFault | undefined;
}

interface Entry {
  readonly index: number;
  readonly fault: CallFault;
  seen: number;
}

/** Milliseconds for which a key that failed too often is locked. */
const lockTime = 5 * 60_000;

/** The faults of a fleet with their counts. */
export class FaultBook {
  readonly #seed: number;
  readonly #entries: Entry[] = [];
  #lockedUntil = Number.NEGATIVE_INFINITY;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Adds faults behind those that are there. */
  add(faults: readonly CallFault[]): void {
    for (const fault of faults) this.#entries.push({ index: this.#entries.length, fault, seen: 0 });
  }

  /** Forgets all faults. */
  clear(): void {
    this.#entries.length = 0;
    this.#lockedUntil = Number.NEGATIVE_INFINITY;
  }

  /** Counts the call with every fault it matches; of those that are due, the first answers. */
  next(call: Call): Due {
    const due = this.#entries.filter((entry) => matches(entry.fault, call) && this.#isDue(entry));
    const entryOf = (id: string) => this.#entryFault(due, id);
    if (call.at < this.#lockedUntil) return { answer: { kind: 'lockout' }, entryOf };
    const answer = due.map(({ fault }) => fault.answer).find(({ kind }) => kind !== 'entries');
    if (answer?.kind === 'lockout') this.#lockedUntil = call.at + lockTime;
    return { answer, entryOf };
  }

  #isDue(entry: Entry): boolean {
    entry.seen += 1;
    const { nth, share, seed = this.#seed, answer } = entry.fault;
    if (nth !== undefined && !nth.includes(entry.seen)) return false;
    // A share of entries is drawn for each instance.
    if (answer.kind === 'entries') return true;
    return share === undefined || chance(seed, 'call', entry.index, entry.seen) < share;
  }

  #entryFault(due: readonly Entry[], id: string): SendFault | undefined {
    for (const { index, fault, seen } of due) {
      const { answer, instances, share = 1, seed = this.#seed } = fault;
      const isNamed = instances === undefined || instances.includes(id);
      const isDrawn = share >= 1 || chance(seed, 'entry', index, seen, id) < share;
      if (answer.kind === 'entries' && isNamed && isDrawn) return answer.each;
    }
    return undefined;
  }
}

function matches({ on, instances, period }: CallFault, call: Call): boolean {
  const isRoute = on === 'all' || on === call.route || (on === 'reads' && isRead(call.route));
  const isNamed = instances === undefined || instances.some((id) => call.ids.includes(id));
  const isInTime = period === undefined || (call.at >= period.from && call.at < period.from + period.for);
  return isRoute && isNamed && isInTime;
}

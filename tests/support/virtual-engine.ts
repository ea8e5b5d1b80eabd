// The durable engine on a clock of its own: no real time passes. Like the real one it runs the flow again from the start
// at every wake and after every crash, hands out remembered results, and refuses a replay that takes another path.

import type { Engine, Once } from '../../lib/engine.ts';

/** A clock that only moves when it is told to. */
export class VirtualClock {
  #now: number;

  constructor(start: string) {
    this.#now = Date.parse(start);
  }

  readonly now = (): number => this.#now;

  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }
}

type Entry =
  | { readonly kind: 'step' | 'once'; readonly name: string; readonly text: string }
  | { readonly kind: 'begun' | 'interrupted'; readonly name: string }
  | { readonly kind: 'wait'; readonly name: string; readonly until: number }
  | { readonly kind: 'answer'; readonly name: string; readonly until: number; readonly answered: boolean };

/** What somebody else does while the flow sleeps; ms since the epoch. */
export interface Happening {
  readonly at: number;
  readonly does: () => Promise<void>;
}

/** Kills the flow at the nth write of the journal, just before or just after that write. */
export interface Crash {
  readonly at: number;
  readonly when: 'before' | 'after';
}

/** The journal of one execution, and what it costs. */
export class VirtualEngine {
  /** Writes of the journal so far, each of which a crash can come before or after. */
  writes = 0;
  /** Bytes of the largest remembered result. */
  largest = 0;
  /** Milliseconds of the longest step, and of the longest time without a sleep: an invocation has 15 minutes. */
  readonly longest = { step: 0, invocation: 0 };
  /** The name of the execution. */
  readonly name: string;
  /** Durable operations, as AWS counts them: steps and waits. */
  readonly operations: string[] = [];
  readonly #clock: VirtualClock;
  readonly #journal: (Entry | undefined)[] = [];
  readonly #late: (wake: number) => number;
  readonly #happenings: Happening[] = [];
  #crash: Crash | null;
  #wakes = 0;
  #answered = false;

  constructor(
    clock: VirtualClock,
    crash: Crash | null = null,
    name = 'execution-1',
    late: (wake: number) => number = () => 0,
  ) {
    this.name = name;
    this.#late = late;
    this.#clock = clock;
    this.#crash = crash;
  }

  /** Runs the flow to its end, over all its waits and crashes. */
  async drive<T>(flow: (engine: Engine) => Promise<T>): Promise<T> {
    for (;;) {
      const outcome = await this.#invoke(flow);
      if ('value' in outcome) return outcome.value;
      this.#wakes += 1;
      await this.#sleep(outcome.wakeAt + this.#late(this.#wakes));
    }
  }

  /** Has something happen when the flow next sleeps past that time. */
  meanwhile(happening: Happening): void {
    this.#happenings.push(happening);
    this.#happenings.sort((a, b) => a.at - b.at);
  }

  /** Wakes the flow where it waits for this answer. */
  async answer(answerId: string): Promise<void> {
    const index = Number(answerId.slice(answerId.lastIndexOf('/') + 1));
    const entry = this.#journal[index];
    if (entry?.kind !== 'answer' || entry.until <= this.#clock.now()) return;
    this.#journal[index] = { ...entry, answered: true };
    this.#answered = true;
  }

  /** Until it is time, or somebody has answered. */
  async #sleep(until: number): Promise<void> {
    this.#answered = false;
    for (;;) {
      const next = this.#happenings[0];
      if (this.#answered) return;
      if (next === undefined || next.at > until) break;
      this.#happenings.shift();
      this.#clock.advance(Math.max(0, next.at - this.#clock.now()));
      await next.does();
    }
    this.#clock.advance(Math.max(0, until - this.#clock.now()));
  }

  async #invoke<T>(flow: (engine: Engine) => Promise<T>): Promise<{ value: T } | { wakeAt: number }> {
    let suspend: (wakeAt: number) => void = () => undefined;
    const suspended = new Promise<{ wakeAt: number }>((resolve) => {
      suspend = (wakeAt) => resolve({ wakeAt });
    });
    const invocation = new Invocation(this.name, this, this.#clock, this.#journal, suspend);
    const begunAt = this.#clock.now();
    const outcome = await Promise.race([flow(invocation).then((value) => ({ value })), suspended]);
    this.longest.invocation = Math.max(this.longest.invocation, this.#clock.now() - begunAt);
    return outcome;
  }

  /** Writes one entry, unless this is where it crashes. */
  write(index: number, entry: Entry): boolean {
    this.writes += 1;
    const isHere = this.#crash !== null && this.#crash.at === this.writes;
    const isLost = isHere && this.#crash?.when === 'before';
    if (isHere) this.#crash = null;
    if (isLost) return false;
    if (this.#journal[index] === undefined) this.operations.push(entry.name);
    if ('text' in entry) this.largest = Math.max(this.largest, Buffer.byteLength(entry.text));
    this.#journal[index] = entry;
    return !isHere;
  }
}

class Invocation implements Engine {
  readonly execution: string;
  readonly #engine: VirtualEngine;
  readonly #clock: VirtualClock;
  readonly #journal: readonly (Entry | undefined)[];
  readonly #suspend: (wakeAt: number) => void;
  #next = 0;
  #isOver = false;

  constructor(
    execution: string,
    engine: VirtualEngine,
    clock: VirtualClock,
    journal: readonly (Entry | undefined)[],
    suspend: (wakeAt: number) => void,
  ) {
    this.execution = execution;
    this.#engine = engine;
    this.#clock = clock;
    this.#journal = journal;
    this.#suspend = suspend;
  }

  async step<T>(name: string, work: () => Promise<T>): Promise<T> {
    const index = this.#next++;
    const entry = this.#recall(index, name);
    if (entry?.kind === 'step') return JSON.parse(entry.text);
    const begunAt = this.#clock.now();
    const text = JSON.stringify((await this.#alive(work)) ?? null);
    const { longest } = this.#engine;
    longest.step = Math.max(longest.step, this.#clock.now() - begunAt);
    await this.#commit(index, { kind: 'step', name, text });
    return JSON.parse(text);
  }

  async once<T>(name: string, work: () => Promise<T>): Promise<Once<T>> {
    const index = this.#next++;
    const entry = this.#recall(index, name);
    if (entry?.kind === 'once') return { interrupted: false, value: JSON.parse(entry.text) };
    if (entry?.kind === 'interrupted') return { interrupted: true };
    if (entry?.kind === 'begun') {
      await this.#commit(index, { kind: 'interrupted', name });
      return { interrupted: true };
    }
    await this.#commit(index, { kind: 'begun', name });
    const text = JSON.stringify(await this.#alive(work));
    await this.#commit(index, { kind: 'once', name, text });
    return { interrupted: false, value: JSON.parse(text) };
  }

  async wait(name: string, seconds: number): Promise<void> {
    if (!Number.isInteger(seconds) || seconds < 1) throw new RangeError(`${name} waits ${seconds} s`);
    const index = this.#next++;
    let entry = this.#recall(index, name);
    if (entry === undefined) {
      entry = { kind: 'wait', name, until: this.#clock.now() + seconds * 1000 };
      await this.#commit(index, entry);
    }
    if (entry.kind === 'wait' && entry.until > this.#clock.now()) await this.#stop(entry.until);
  }

  async answer(
    name: string,
    seconds: number,
    ask: (answerId: string) => Promise<boolean>,
    meanwhile?: () => Promise<void>,
  ): Promise<boolean> {
    const index = this.#next++;
    let entry = this.#recall(index, name);
    if (entry === undefined) {
      entry = { kind: 'answer', name, until: this.#clock.now() + seconds * 1000, answered: false };
      await this.#commit(index, entry);
    }
    if (!(await this.step(`${name} asked`, () => ask(`${this.execution}/${index}`)))) return false;
    await meanwhile?.();
    const now = this.#recall(index, name);
    if (now?.kind !== 'answer') throw new Error(`"${name}" was no question before`);
    if (!now.answered && now.until > this.#clock.now()) await this.#stop(now.until);
    return now.answered;
  }

  #recall(index: number, name: string): Entry | undefined {
    const entry = this.#journal[index];
    if (entry !== undefined && entry.name !== name) {
      throw new Error(`a replay came to "${name}" where "${entry.name}" was before`);
    }
    return entry;
  }

  async #alive<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isOver) await this.#stop(0);
    return work();
  }

  async #commit(index: number, entry: Entry): Promise<void> {
    if (this.#isOver || !this.#engine.write(index, entry)) await this.#stop(this.#clock.now());
  }

  /** Ends this invocation: whoever awaits it waits for ever, as in a process that is gone. */
  #stop(wakeAt: number): Promise<never> {
    this.#isOver = true;
    this.#suspend(wakeAt);
    return new Promise<never>(() => undefined);
  }
}

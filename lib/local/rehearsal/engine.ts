// The engine of a run that nobody has to take up again: it goes straight through, in one process, and keeps nothing. How
// its waits pass and who answers its questions is said by whoever has it.

import type { Engine, Once } from '../../engine.ts';

/** What surrounds such a run. */
export interface Surroundings {
  /** Lets so many seconds pass. */
  readonly wait: (seconds: number) => Promise<void>;
  /** Says to the run that asks what it waits for. */
  readonly answer: () => Promise<void>;
}

/** The flow's engine without journal and wakes. */
export class StraightEngine implements Engine {
  readonly execution = 'rehearsal';
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** Results are plain JSON, as where they are remembered. */
  async step<T>(_name: string, work: () => Promise<T>): Promise<T> {
    return JSON.parse(JSON.stringify((await work()) ?? null));
  }

  async once<T>(name: string, work: () => Promise<T>): Promise<Once<T>> {
    return { interrupted: false, value: await this.step(name, work) };
  }

  async wait(_name: string, seconds: number): Promise<void> {
    await this.#around.wait(seconds);
  }

  async answer(
    name: string,
    _seconds: number,
    ask: (answerId: string) => Promise<boolean>,
    meanwhile?: () => Promise<void>,
  ): Promise<boolean> {
    if (!(await ask(`${this.execution}/${name}`))) return false;
    await meanwhile?.();
    await this.#around.answer();
    return true;
  }
}

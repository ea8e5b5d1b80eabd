// A state that takes its time, as one over a network does, so that processes can come in between each other's read and
// write; and what it was asked for.

import { MemoryState } from './memory-state.ts';
import type { VirtualTime } from './virtual-time.ts';

/** Each call takes `ms`; half of it passes before anything is read or written. */
export class SlowState extends MemoryState {
  reads = 0;
  writes = 0;
  readonly #time: Pick<VirtualTime, 'sleep'>;
  readonly #ms: number;

  constructor(time: Pick<VirtualTime, 'sleep'>, ms: number) {
    super();
    this.#time = time;
    this.#ms = ms;
  }

  override async get(...args: Parameters<MemoryState['get']>) {
    this.reads += 1;
    return this.#slowly(() => super.get(...args));
  }

  override async putIfAbsent(...args: Parameters<MemoryState['putIfAbsent']>) {
    this.writes += 1;
    return this.#slowly(() => super.putIfAbsent(...args));
  }

  override async updateIf(...args: Parameters<MemoryState['updateIf']>) {
    this.writes += 1;
    return this.#slowly(() => super.updateIf(...args));
  }

  async #slowly<T>(work: () => Promise<T>): Promise<T> {
    await this.#time.sleep(this.#ms / 2);
    const result = await work();
    await this.#time.sleep(this.#ms / 2);
    return result;
  }
}

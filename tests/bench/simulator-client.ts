// Starts a simulator process and talks with it: where it listens, how far its clock is ahead, what was really done.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';

/** What the process is asked: to set its clock ahead by `value` ms, or what was done (`value` means nothing then). */
export interface Wish {
  readonly asks: 'skip' | 'done';
  readonly value: number;
}

/** What it tells: its place at first, then an answer to each wish. */
export type Told = { readonly url: string } | { readonly calls: null } | Done;

/** What was really done. `once`, `repeated`: instances that an action took hold of once, more than once. */
export type Done = v.InferOutput<typeof doneSchema>;

const urlSchema = v.object({ url: v.string() });
export const doneSchema = v.object({
  calls: v.object({ act: v.number(), list: v.number(), show: v.number(), statistic: v.number(), configs: v.number() }),
  sends: v.number(),
  once: v.number(),
  repeated: v.number(),
});

/** A running simulator process. */
export class SimulatorProcess {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  /** A fleet of `count` instances, of which a tenth fails its first `failingSends` sends. */
  static async start(count: number, failingSends: number): Promise<SimulatorProcess> {
    const file = fileURLToPath(new URL('simulator-process.ts', import.meta.url));
    const child = fork(file, [String(count), String(failingSends)], { execArgv: [] });
    const [told] = await once(child, 'message');
    return new SimulatorProcess(child, v.parse(urlSchema, told).url);
  }

  /** Resolves when its clock is `ahead` milliseconds ahead of the machine's. */
  async skipTo(ahead: number): Promise<void> {
    await this.#ask({ asks: 'skip', value: ahead });
  }

  async done(): Promise<Done> {
    return v.parse(doneSchema, await this.#ask({ asks: 'done', value: 0 }));
  }

  async stop(): Promise<void> {
    this.#child.disconnect();
    await once(this.#child, 'exit');
  }

  async #ask(wish: Wish): Promise<unknown> {
    const answer = once(this.#child, 'message');
    this.#child.send(wish);
    const [told] = await answer;
    return told;
  }
}

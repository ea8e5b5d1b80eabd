// A command without a process: what it writes is kept, and nobody sits at a terminal unless a test says so.

import type { Io } from '../../lib/cli/io.ts';

/** What is there of a process, besides its streams and its environment, when there is none. */
export const noProcess = {
  now: () => 0,
  sleep: () => Promise.resolve(),
  fetch: () => Promise.reject(new Error('this command has no network')),
  ask: null,
  onInterrupt: () => () => undefined,
} satisfies Partial<Io>;

/** What a command had to say, and its exit code. */
export interface Heard {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command with an Io that keeps what is written; `change` replaces members of it. */
export async function hear(command: (io: Io) => Promise<number>, change: Partial<Io> = {}): Promise<Heard> {
  const written = { stdout: '', stderr: '' };
  const io: Io = {
    ...noProcess,
    stdout: (text) => {
      written.stdout += text;
    },
    stderr: (text) => {
      written.stderr += text;
    },
    env: {},
    ...change,
  };
  const code = await command(io);
  return { code, ...written };
}

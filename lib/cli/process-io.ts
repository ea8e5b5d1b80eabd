// The process as commands see it: its streams, its clock, and the terminal, where there is one.

import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Io } from './io.ts';

/** The real one. */
export function processIo(): Io {
  const isAttended = process.stdin.isTTY && process.stderr.isTTY;
  return {
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
    env: process.env,
    now: Date.now,
    sleep: async (milliseconds) => sleep(milliseconds),
    fetch,
    ask: isAttended ? ask : null,
    onInterrupt: (does) => {
      process.once('SIGINT', does);
      return () => process.off('SIGINT', does);
    },
  };
}

/** On stderr, so that a result which is piped elsewhere stays whole. The end of the input is an empty answer. */
async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await new Promise((resolve) => {
      lines.once('close', () => resolve(''));
      lines.question(question).then(resolve, () => resolve(''));
    });
  } finally {
    lines.close();
  }
}

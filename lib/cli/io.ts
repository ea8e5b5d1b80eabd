// What a command may touch of the process that runs it: handed in, so that tests run commands without one.

/** The streams, the environment, the clock, the network and the terminal of a command. */
export interface Io {
  /** Results, for people or (`--json`) for programs; the text brings its own line ends. */
  readonly stdout: (text: string) => void;
  /** Errors, usage and progress; the text brings its own line ends. */
  readonly stderr: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Waits so many milliseconds. */
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly fetch: typeof fetch;
  /** Asks whoever sits at the terminal for a line; null where nobody does. */
  readonly ask: ((question: string) => Promise<string>) | null;
  /** Calls back, once, when whoever started the command wants it to stop. Returns what takes that back. */
  readonly onInterrupt: (does: () => void) => () => void;
}

// What a command may touch of the process that runs it: handed in, so that tests run commands without one.

/** The streams, the environment and the clock of a command. */
export interface Io {
  /** Results, for people or (`--json`) for programs; the text brings its own line ends. */
  readonly stdout: (text: string) => void;
  /** Errors and usage; the text brings its own line ends. */
  readonly stderr: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

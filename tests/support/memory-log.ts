// A log that tests read: every entry with its level, in order.

import type { Log } from '../../lib/runtime.ts';

/** One line of the log. */
export interface LogEntry {
  readonly level: keyof Log;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Keeps what is logged in `entries`. */
export class MemoryLog implements Log {
  readonly entries: LogEntry[] = [];

  error(message: string, facts: LogEntry['facts'] = {}): void {
    this.entries.push({ level: 'error', message, facts });
  }

  warn(message: string, facts: LogEntry['facts'] = {}): void {
    this.entries.push({ level: 'warn', message, facts });
  }

  info(message: string, facts: LogEntry['facts'] = {}): void {
    this.entries.push({ level: 'info', message, facts });
  }

  debug(message: string, facts: LogEntry['facts'] = {}): void {
    this.entries.push({ level: 'debug', message, facts });
  }
}

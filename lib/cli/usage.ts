// A command line that cannot be understood: told with the usage, exit code 64 (EX_USAGE of sysexits.h).

import { AutopilotError } from '../errors.ts';

/** Thrown by commands for arguments that make no sense; main answers with the usage. */
export class UsageError extends AutopilotError {
  override readonly name = 'UsageError';

  constructor(message: string) {
    super('usage', message);
  }
}

/** The one argument of a command that takes one. Throws UsageError with `rule`. */
export function theOne(positionals: readonly string[], rule: string): string {
  const [only, ...more] = positionals;
  if (only === undefined || more.length > 0) throw new UsageError(rule);
  return only;
}

/** A whole number of an option. Throws UsageError. */
export function wholeNumber(option: string, text: string, smallest: number, largest: number): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= smallest && number <= largest) return number;
  throw new UsageError(`${option}: "${text}" is not a number from ${smallest} to ${largest}`);
}

/** The ids of `--instances`, with commas between them or each on its own. Throws UsageError. */
export function idsIn(lists: readonly string[]): string[] {
  const ids = lists.flatMap((list) => list.split(',')).map((id) => id.trim());
  if (!ids.includes('')) return ids;
  throw new UsageError('--instances takes ids with commas between them');
}

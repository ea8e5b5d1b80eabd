// How long things take in the simulated service, in milliseconds.

import type { Action } from '../../config.ts';
import type { Range } from './chance.ts';
import type { Switches } from './unknowns.ts';

/** How long things take, in milliseconds: `lag` is the time until the status of an accepted action shows. */
export interface Timing extends Readonly<Record<Action, Range>> {
  readonly lag: Range;
  /** From a backup's record to its beginning, and from there to its end. */
  readonly backupWait: Range;
  readonly backup: Range;
  /** A switchover from master to standby. */
  readonly swap: Range;
}

/**
 * Restart: 10 s to 30 min by size, says the vendor; this is a small instance. Backup: 10 to 15 min, switchover: up to 10 s
 * (vendor). The others are guesses.
 */
export const usualTiming: Timing = {
  lag: { min: 1_000, max: 2_000 },
  restart: { min: 10_000, max: 30_000 },
  soft_restart: { min: 5_000, max: 15_000 },
  flush: { min: 2_000, max: 8_000 },
  backupWait: { min: 1_000, max: 5_000 },
  backup: { min: 600_000, max: 900_000 },
  swap: { min: 2_000, max: 10_000 },
};

/** The lag of `workLag: long`. */
const longLag: Range = { min: 20_000, max: 20_000 };
/** At once. */
export const noTime: Range = { min: 0, max: 0 };

/** How long an accepted action does not show. */
export function lagOf({ lag }: Timing, workLag: Switches['workLag']): Range {
  if (workLag === 'timed') return lag;
  return workLag === 'none' ? noTime : longLag;
}

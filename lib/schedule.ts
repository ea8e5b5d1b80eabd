// When scheduled jobs fire. Fire times are a product of this program, not of a library: what a clock change does to a
// job, what a late tick may still start and what counts as missed have one meaning, in every runtime and every zone.

import { parseCron } from './cron.ts';

/** null for a cron expression that this program can run, else one sentence that says what is wrong with it. */
export function checkCron(cron: string): string | null {
  const reading = parseCron(cron);
  return reading.ok ? null : reading.fault;
}

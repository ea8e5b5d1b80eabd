// How long what belongs to a run is remembered. Every item of it names its time when it is written, so that nothing has to
// be looked for later, and no item goes while the run still needs it.

import type { Job } from './config.ts';

/** Milliseconds. */
export const day = 24 * 3600_000;

/** No execution lasts longer, in ms: `executionTimeout` in serverless.yml. */
export const longestRun = 366 * day;

/** What a run says about it; times are ISO 8601 UTC. */
interface Kept {
  readonly job: Pick<Job, 'retention' | 'trigger'>;
  readonly createdAt: string;
  readonly finishedAt?: string;
}

/**
 * Milliseconds for which a run is kept after its end. Never less than a day, nor than a fire may be late or an alert old:
 * until then, a repeated event is recognised by the run that it has.
 */
export function keptFor({ retention, trigger }: Kept['job']): number {
  return Math.max(retention * 1000, lateness(trigger) * 1000, day);
}

/** Seconds after which its event starts nothing any more by itself. */
function lateness(trigger: Job['trigger']): number {
  if (trigger.type === 'schedule') return trigger.startDeadline;
  return trigger.type === 'alert' ? trigger.maxAge : 0;
}

/**
 * When the items of a run may be forgotten, in ms since the epoch: counted from its end, or, as long as it has none, from
 * the latest end that it can have.
 */
export function expiryOf({ job, createdAt, finishedAt }: Kept): number {
  const end = finishedAt === undefined ? Date.parse(createdAt) + longestRun : Date.parse(finishedAt);
  return end + keptFor(job);
}

// The fires of one scheduled job: each gets its one record, as a run, as missed or as refused for overlap. A mark per
// job tells up to when that is done; it is moved last, so that a tick which dies in between is simply done again.

import * as v from 'valibot';
import type { Job, ScheduleTrigger } from '../config.ts';
import { AutopilotError } from '../errors.ts';
import { type Event, runId } from '../event.ts';
import { readRecord, runKey } from '../record.ts';
import { tickPartition } from '../report/post.ts';
import { isGoing } from '../report.ts';
import { type DueFires, dueFires, type Fire, judgeFire } from '../schedule.ts';
import type { Item, Key } from '../state.ts';
import { accept, recordEnded } from './accept.ts';
import type { TickWork } from './open-runs.ts';

/** A job that a schedule starts. */
export type ScheduledJob = Job & { readonly trigger: ScheduleTrigger };

export const markPrefix = 'mark#';

/** How many missed fires one tick records for a job; the rest of a long standstill is recorded by the next ticks. */
const missedPerTick = 100;

const markSchema = v.object({
  cron: v.string(),
  timezone: v.string(),
  /** Every fire up to this instant has its record. null: the job was switched off; its next fire is a first one. */
  until: v.nullable(v.number()),
});
type Mark = v.InferOutput<typeof markSchema>;

/** Whether the tick has anything to do for a job's schedule: it has one, and it is enabled. */
export function isScheduled(job: Job | undefined): job is ScheduledJob {
  return job?.enabled === true && job.trigger.type === 'schedule';
}

/**
 * The mark of a job, made where there is none for its schedule. `item` is what the last tick left under `mark#JOB`. A
 * schedule that is new, changed or switched on again starts now: nothing before was missed.
 */
export async function markOf(work: TickWork, job: ScheduledJob, item: Item | undefined): Promise<Item> {
  if (item !== undefined && untilOf(job.trigger, item) !== null) return item;
  const key: Key = { pk: tickPartition, sk: `${markPrefix}${job.name}` };
  const mark: Mark = { cron: job.trigger.cron, timezone: job.trigger.timezone, until: work.now - 1 };
  if (item === undefined) await work.runtime.state.putIfAbsent(key, mark);
  else await work.runtime.state.updateIf(key, item.version, mark);
  const written = await work.runtime.state.get(key);
  if (written !== undefined) return written;
  throw new AutopilotError('mark_lost', `the mark of the job ${job.name} was written and is gone`);
}

/** Notes that a job has no schedule at the moment (disabled, removed, other trigger). */
export async function switchOff(work: TickWork, item: Item): Promise<void> {
  const mark = v.parse(markSchema, item.value);
  if (mark.until !== null) await work.runtime.state.updateIf(item, item.version, { ...mark, until: null });
}

/**
 * Gives every fire between the mark and now its record, then moves the mark. `going` are the runs of the job that have
 * not ended. Where that could not be found out (undefined), due fires wait: a fire is not given up for a passing fault,
 * but nor does it start beside a run that may be going.
 */
export async function fireJob(
  work: TickWork,
  job: ScheduledJob,
  mark: Item,
  going: readonly string[] | undefined,
): Promise<void> {
  // Another tick, of another version of the configuration, has switched it off or changed it meanwhile.
  const since = untilOf(job.trigger, mark);
  if (since === null) return;
  const found = dueFires({ trigger: job.trigger, now: work.now, since });
  if (found.due.length + found.missed.length === 0) return;
  if (found.forgotten > 0) work.runtime.log.warn('fires forgotten', { job: job.name, count: found.forgotten });
  // Those that can still start come first: the others are late anyway.
  const waiting = going === undefined ? found.due[0] : await startDue(work, job, found.due, going);
  const left = await recordMissed(work, job, found.missed, going ?? []);
  const open = left ?? waiting;
  const until = open === undefined ? work.now : open.at - 1;
  // Where another tick moved it meanwhile, its mark is as true as this one: it too had recorded all that came before.
  await work.runtime.state.updateIf(mark, mark.version, { ...v.parse(markSchema, mark.value), until });
}

/** Up to when the fires of this very schedule have their records; null where it was not known or not switched on. */
function untilOf(trigger: ScheduleTrigger, item: Item): number | null {
  const mark = v.parse(markSchema, item.value);
  return mark.cron === trigger.cron && mark.timezone === trigger.timezone ? mark.until : null;
}

/** Returns the fire that waits for an earlier run to end, if one does. */
async function startDue(
  work: TickWork,
  job: ScheduledJob,
  due: DueFires['due'],
  going: readonly string[],
): Promise<Fire | undefined> {
  let waiting: Fire | undefined;
  let [other] = going;
  for (const fire of due) {
    const record = await readRecord(work.runtime.state, runIdOf(work, job, fire));
    if (record !== undefined) {
      // Another tick may have started it before the index showed it.
      if (isGoing(record.status)) other ??= record.runId;
      continue;
    }
    const verdict = judgeFire(job.trigger, { going: other !== undefined, waiting: waiting !== undefined });
    if (verdict === 'wait' || (verdict === 'start' && work.startsLeft() <= 0)) waiting = fire;
    else if (verdict === 'start') other = await startRun(work, job, fire);
    else await recordOverlap(work, job, fire, other);
  }
  return waiting;
}

async function startRun(work: TickWork, job: Job, fire: Fire): Promise<string> {
  const accepted = await accept(work.runtime, job, eventOf(work, fire));
  if (!accepted.duplicate) work.note('accepted', accepted.runId);
  return accepted.runId;
}

async function recordOverlap(work: TickWork, job: Job, fire: Fire, other: string | undefined): Promise<void> {
  const reason = `planned for ${fire.local}, when the run ${other} had not ended`;
  const ended = await recordEnded(work.runtime, job, eventOf(work, fire), 'refused', 'overlap', reason);
  if (!ended.duplicate) work.note('overlapped', ended.runId);
}

/** Returns the first fire that is left to the next tick, if there are too many. */
async function recordMissed(
  work: TickWork,
  job: ScheduledJob,
  missed: DueFires['missed'],
  going: readonly string[],
): Promise<Fire | undefined> {
  for (const fire of missed.slice(0, missedPerTick)) {
    if (await hasRecord(work, job, fire)) continue;
    const reason = missedReason(work, job, fire, going);
    const ended = await recordEnded(work.runtime, job, eventOf(work, fire), 'missed', 'start_deadline', reason);
    if (!ended.duplicate) work.note('missed', ended.runId);
  }
  return missed[missedPerTick];
}

function missedReason(work: TickWork, job: ScheduledJob, fire: Fire, going: readonly string[]): string {
  const late = Math.floor((work.now - fire.at) / 60_000);
  const limit = Math.floor(job.trigger.startDeadline / 60);
  const behind = going.length > 0 && job.trigger.overlap === 'queue' ? `; the run ${going[0]} has not ended yet` : '';
  return `planned for ${fire.local}, now ${late} min ago, and the start deadline is ${limit} min${behind}`;
}

async function hasRecord(work: TickWork, job: Job, fire: Fire): Promise<boolean> {
  return (await work.runtime.state.get(runKey(runIdOf(work, job, fire)))) !== undefined;
}

function runIdOf(work: TickWork, job: Job, fire: Fire): string {
  return runId(work.runtime.config.stage, job.name, identityOf(fire));
}

function eventOf(work: TickWork, fire: Fire): Event {
  return {
    trigger: 'schedule',
    identity: identityOf(fire),
    requestedBy: 'schedule',
    receivedAt: new Date(work.now).toISOString(),
    ...(fire.note === undefined ? {} : { reason: fire.note }),
  };
}

function identityOf(fire: Fire): string {
  return new Date(fire.at).toISOString();
}

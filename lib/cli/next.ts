// `next`: when scheduled jobs fire, local and in UTC, and what the clock changes on the way do to them. Offline.

import { parseArgs } from 'node:util';
import type { Config, Job, ScheduleTrigger } from '../config.ts';
import { AutopilotError } from '../errors.ts';
import { type Fire, nextFires } from '../schedule.ts';
import type { Io } from './io.ts';
import { defaultFile, loadConfig } from './load-config.ts';
import { UsageError } from './usage.ts';

type ScheduledJob = Job & { readonly trigger: ScheduleTrigger };

/** One line of the answer. `at` is ISO 8601 UTC. */
interface ComingFire {
  readonly job: string;
  readonly at: string;
  readonly local: string;
  readonly timezone: string;
  readonly note?: string;
}

const defaultCount = 5;
const largestCount = 1000;

/**
 * `next [job] [--count N] [--from ISO] [--json]`: the next N fires of one job, or of each scheduled job, as text or as
 * `{fires: [{job, at, local, timezone, note?}]}`, job by job; answers 0. A disabled job has no fires.
 * Throws AutopilotError for an unknown job, one without a schedule, and values that make no sense; main exits 1.
 */
export async function next(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { count: { type: 'string' }, from: { type: 'string' }, json: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  if (positionals.length > 1) throw new UsageError('next takes one job');
  const count = values.count === undefined ? defaultCount : readCount(values.count);
  const from = values.from === undefined ? io.now() : readInstant(values.from);
  const { config } = loadConfig(defaultFile(io.env));
  const jobs = chooseJobs(config, positionals[0]);
  const asleep = jobs.filter((job) => !job.enabled);
  for (const { name } of asleep) io.stderr(`the job ${name} is disabled (enabled: false), so it does not fire\n`);
  // A fire at the very instant is still to come.
  const lists = jobs
    .filter((job) => job.enabled)
    .map((job) => comingFires(job, nextFires(job.trigger, from - 1, count)));
  if (jobs.length === 0) io.stderr('no job has a schedule\n');
  io.stdout(values.json ? `${JSON.stringify({ fires: lists.flat() })}\n` : lists.map(listText).join('\n'));
  return 0;
}

function chooseJobs(config: Config, name: string | undefined): readonly ScheduledJob[] {
  const scheduled = Object.values(config.jobs).filter(isScheduled);
  if (name === undefined) return scheduled;
  const job = scheduled.find((each) => each.name === name);
  if (job !== undefined) return [job];
  const names = scheduled.map((each) => each.name).join(', ') || 'none';
  if (!Object.hasOwn(config.jobs, name)) {
    throw new AutopilotError('job_unknown', `there is no job ${name}; jobs with a schedule: ${names}`);
  }
  const trigger = config.jobs[name]?.trigger.type;
  throw new AutopilotError(
    'job_unscheduled',
    `the job ${name} is started by a ${trigger}; jobs with a schedule: ${names}`,
  );
}

function isScheduled(job: Job): job is ScheduledJob {
  return job.trigger.type === 'schedule';
}

function readCount(text: string): number {
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= largestCount) return count;
  throw new AutopilotError('count_invalid', `--count: "${text}" is not a number from 1 to ${largestCount}`);
}

/** A date, or a date and time; UTC where no offset is given, for the machine's own zone would be one more to know. */
function readInstant(text: string): number {
  const [, date, time = '00:00', zone = 'Z'] =
    /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:\d\d)?)?$/i.exec(text) ?? [];
  // JavaScript reads 30 February as 2 March.
  const isDate = date !== undefined && new Date(Date.parse(date)).toJSON()?.startsWith(date);
  const at = isDate ? Date.parse(`${date}T${time}${zone.toUpperCase()}`) : Number.NaN;
  if (at >= 0) return at;
  throw new AutopilotError(
    'from_invalid',
    `--from: "${text}" is not an ISO 8601 time since 1970, such as 2026-03-28T12:00Z`,
  );
}

function comingFires({ name, trigger }: ScheduledJob, fires: readonly Fire[]): readonly ComingFire[] {
  const { timezone } = trigger;
  return fires.map(({ at, ...fire }) => ({ job: name, at: new Date(at).toISOString(), timezone, ...fire }));
}

function listText(fires: readonly ComingFire[]): string {
  const lines = fires.map(
    ({ at, local, note }) => `  ${[local, at.replace('.000Z', 'Z'), note].join('  ').trimEnd()}\n`,
  );
  return fires[0] === undefined ? '' : `${fires[0].job} (${fires[0].timezone})\n${lines.join('')}`;
}

// When scheduled jobs fire. Fire times are a product of this program, not of a library: what a clock change does to a
// job, what a late tick may still start and what counts as missed have one meaning, in every runtime and every zone.

import type { ScheduleTrigger } from './config.ts';
import { AutopilotError } from './errors.ts';
import { type Cron, parseCron } from './schedule/cron.ts';
import { localIso, type Resolution, type Wall, type ZoneClock, zoneClock } from './schedule/zone.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** The longest stretch that `nextFires` looks through at once. */
const widestSpan = 512 * dayMs;
/** `nextFires` ends here: ISO 8601 has no year 10000. */
const lastInstant = Date.UTC(9999, 11, 31);

/** How far back a tick looks for fires without a record; what is older is never recorded. */
export const lookBack = 7 * dayMs;
/** How many of the latest fires a tick looks back at; 1,000 are 16 hours of a job that runs each minute. */
export const lookBackFires = 1000;

/** The part of a trigger that decides when it fires. */
export type Timetable = Pick<ScheduleTrigger, 'cron' | 'timezone'>;

/** One planned instant of a job. */
export interface Fire {
  /** Milliseconds since the epoch, a whole minute. This is the identity of the event. */
  readonly at: number;
  /** The same in the zone of the job: `2026-03-29T03:00:00+02:00`. */
  readonly local: string;
  /** What a clock change did to it, in a sentence. */
  readonly note?: string;
}

/** What a tick finds: fires that may still start, and those whose start deadline is over. Both ascending. */
export interface DueFires {
  readonly due: readonly Fire[];
  readonly missed: readonly Fire[];
  /** How many fires within `lookBack` are too many to look at (`lookBackFires`). */
  readonly forgotten: number;
}

/** What to do about a due fire. `overlap`: it is not to run. `wait`: look at it again at the next tick. */
export type Verdict = 'start' | 'overlap' | 'wait';

/** null for a cron expression that this program can run, else one sentence that says what is wrong with it. */
export function checkCron(cron: string): string | null {
  const reading = parseCron(cron);
  return reading.ok ? null : reading.fault;
}

/**
 * All fires in `after < at <= until`, ascending, each instant once. A fixed hour runs once a day: a time that the clocks
 * skip runs at the first minute after the gap, one that comes twice runs the first time. A wildcard hour runs whenever
 * a clock shows the time: in both of two equal hours, in none of a missing one. Cron.fixedHour tells them apart.
 * Throws AutopilotError `cron_invalid` for what `checkCron` refuses, RangeError for an unknown zone.
 */
export function fires(timetable: Timetable, after: number, until: number): readonly Fire[] {
  const cron = readCron(timetable.cron);
  const clock = zoneClock(timetable.timezone);
  const occurrences = new Map<number, Occurrence[]>();
  for (const wall of wallTimes(cron, ...wallSpan(clock, after, until))) {
    for (const occurrence of occurrencesOf(cron, wall, clock.resolve(wall))) {
      if (occurrence.at <= after || occurrence.at > until) continue;
      const others = occurrences.get(occurrence.at);
      if (others === undefined) occurrences.set(occurrence.at, [occurrence]);
      else others.push(occurrence);
    }
  }
  return [...occurrences].sort(([a], [b]) => a - b).map(([at, list]) => fireOf(clock, at, list));
}

/** The first `count` fires after an instant; fewer only at the end of the year 9999. Throws as `fires` does. */
export function nextFires(timetable: Timetable, after: number, count: number): readonly Fire[] {
  const found: Fire[] = [];
  let from = after;
  // Every date that passes checkCron comes at least once in eight years, so this ends.
  for (let span = dayMs; found.length < count && from < lastInstant; span = Math.min(span * 2, widestSpan)) {
    const until = Math.min(from + span, lastInstant);
    found.push(...fires(timetable, from, until));
    from = until;
  }
  return found.slice(0, count);
}

/**
 * The fires of `since < at <= now`, by whether they may still start: a delay of exactly the deadline still may. Looks
 * back `lookBack` (or the start deadline, if that is longer) and at the latest `lookBackFires`: after a long
 * standstill there is one record per fire, but not a flood of them.
 */
export function dueFires(args: {
  readonly trigger: Timetable & Pick<ScheduleTrigger, 'startDeadline'>;
  readonly now: number;
  readonly since: number;
}): DueFires {
  const { trigger, now, since } = args;
  const deadline = trigger.startDeadline * 1000;
  // One millisecond further, because `fires` begins after its first argument and the deadline includes its end.
  const all = fires(trigger, Math.max(since, now - Math.max(lookBack, deadline) - 1), now);
  const latest = all.slice(-lookBackFires);
  return {
    due: latest.filter((fire) => now - fire.at <= deadline),
    missed: latest.filter((fire) => now - fire.at > deadline),
    forgotten: all.length - latest.length,
  };
}

/**
 * What to do about a due fire that has no record yet. `going`: an earlier run of the job has not ended. `waiting`: an
 * earlier fire is queued already; one is the most.
 */
export function judgeFire(
  trigger: Pick<ScheduleTrigger, 'overlap'>,
  others: { readonly going: boolean; readonly waiting: boolean },
): Verdict {
  if (!others.going && !others.waiting) return 'start';
  return trigger.overlap === 'queue' && !others.waiting ? 'wait' : 'overlap';
}

/** A wall time of the cron expression at one of its instants. */
interface Occurrence {
  readonly at: number;
  readonly wall: Wall;
  readonly kind: 'plain' | 'moved' | 'first' | 'again' | 'only-first';
}

function readCron(text: string): Cron {
  const reading = parseCron(text);
  if (reading.ok) return reading.cron;
  throw new AutopilotError('cron_invalid', `"${text}": ${reading.fault}`);
}

/**
 * Bounds of the wall times that can fire within a stretch of time. Clocks change at most once within a day, so that
 * the offsets at an end and a day inside hold for whatever lies near that end.
 */
function wallSpan(clock: ZoneClock, after: number, until: number): readonly [Wall, Wall] {
  const low = Math.min(clock.offset(after), clock.offset(after + dayMs));
  const high = Math.max(clock.offset(until), clock.offset(until - dayMs));
  return [after + low, until + high];
}

function* wallTimes(cron: Cron, low: Wall, high: Wall): Generator<Wall> {
  for (let day = Math.floor(low / dayMs) * dayMs; day <= high; day += dayMs) {
    if (!isDay(cron, day)) continue;
    for (const hour of cron.hours) {
      for (const minute of cron.minutes) {
        const wall = day + hour * hourMs + minute * minuteMs;
        if (wall >= low && wall <= high) yield wall;
      }
    }
  }
}

function isDay(cron: Cron, day: Wall): boolean {
  const date = new Date(day);
  return (
    cron.months.has(date.getUTCMonth() + 1) &&
    cron.daysOfMonth.has(date.getUTCDate()) &&
    cron.daysOfWeek.has(date.getUTCDay())
  );
}

function occurrencesOf(cron: Cron, wall: Wall, { instants, gap }: Resolution): readonly Occurrence[] {
  if (gap) return cron.fixedHour ? instants.map((at) => ({ at, wall, kind: 'moved' })) : [];
  if (instants.length < 2) return instants.map((at) => ({ at, wall, kind: 'plain' }));
  if (cron.fixedHour) return instants.slice(0, 1).map((at) => ({ at, wall, kind: 'only-first' }));
  return instants.map((at, index) => ({ at, wall, kind: index === 0 ? 'first' : 'again' }));
}

function fireOf(clock: ZoneClock, at: number, occurrences: readonly Occurrence[]): Fire {
  const note = noteOf(occurrences);
  return { at, local: localIso(clock, at), ...(note === null ? {} : { note }) };
}

function noteOf(occurrences: readonly Occurrence[]): string | null {
  const moved = occurrences.filter((occurrence) => occurrence.kind === 'moved');
  const [first] = moved.length > 0 ? moved : occurrences;
  if (first === undefined || first.kind === 'plain') return null;
  const time = timeOfDay(first.wall);
  if (first.kind === 'only-first') return `first of two ${time} on this day; the second is left out`;
  if (first.kind === 'first') return `first of two ${time} on this day`;
  if (first.kind === 'again') return `second of two ${time} on this day`;
  const more = moved.length > 1 ? ` (and ${moved.length - 1} more)` : '';
  const verb = moved.length < occurrences.length ? 'also stands for' : 'moved from';
  return `${verb} ${time}${more}, which the clocks skip on this day`;
}

function timeOfDay(wall: Wall): string {
  return new Date(wall).toISOString().slice(11, 16);
}

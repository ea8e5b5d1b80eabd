// An independent reading of rule 16, to judge lib/schedule.ts by: it walks every minute around a clock change, asks Intl
// what the clocks show, and applies the rule in words. It shares no code with the program and knows no offsets.

const minuteMs = 60_000;
/** How far the walk goes to each side of a clock change. */
const reachMs = 4 * 60 * minuteMs;

/** One change of the clocks of a zone: `at` is its first minute. */
export interface ClockChange {
  readonly zone: string;
  readonly at: number;
}

/** A minute of real time and what the wall clocks show in it, as `2026-03-29T02:30`. */
export interface Minute {
  readonly at: number;
  readonly wall: string;
}

/** One field of a cron expression: its text, and which numbers it names. */
export interface FieldCase {
  readonly text: string;
  readonly has: (number: number) => boolean;
}

/** A cron expression that names minutes and hours of every day. */
export interface CronCase {
  readonly minute: FieldCase;
  readonly hour: FieldCase;
  readonly fixed: boolean;
}

/** Every clock change of the zones between two instants, but each kind of change at one instant only once. */
export function clockChanges(zones: readonly string[], from: number, until: number): readonly ClockChange[] {
  const distinct = new Map<string, ClockChange>();
  for (const zone of zones) {
    const show = wallReader(zone);
    for (const at of changesOf(show, from, until)) {
      distinct.set(`${show(at - minuteMs)} ${show(at)} ${at}`, { zone, at });
    }
  }
  return [...distinct.values()];
}

/** Every minute around a clock change; walked once, as Intl takes its time. */
export function minutesAround(change: ClockChange): readonly Minute[] {
  const known = walked.get(change);
  if (known !== undefined) return known;
  const minutes = walk(change);
  walked.set(change, minutes);
  return minutes;
}

const walked = new WeakMap<ClockChange, readonly Minute[]>();

function walk(change: ClockChange): readonly Minute[] {
  const show = wallReader(change.zone);
  const count = (2 * reachMs) / minuteMs;
  return Array.from({ length: count }, (_, index) => {
    const at = change.at - reachMs + index * minuteMs;
    return { at, wall: show(at) };
  });
}

/**
 * The rule in words. A wildcard hour runs in every minute whose clock shows it. Of a fixed hour, every minute that the
 * calendar has runs once: in the first minute whose clock shows it or, if none does, in the first one that shows more.
 */
export function expectedFires(cron: CronCase, minutes: readonly Minute[]): readonly number[] {
  if (!cron.fixed) return minutes.filter(({ wall }) => matches(cron, wall)).map(({ at }) => at);
  // Turned round, so that of two minutes with one wall time the first is the one that stays.
  const shown = new Map(minutes.toReversed().map(({ at, wall }) => [wall, at]));
  const walls = [...shown.keys()].sort();
  const runs = new Set<number>();
  for (const wall of calendar(walls[0] ?? '', walls.at(-1) ?? '')) {
    if (!matches(cron, wall)) continue;
    const at = shown.get(wall) ?? minutes.find((minute) => minute.wall > wall)?.at;
    if (at !== undefined) runs.add(at);
  }
  return [...runs].sort((a, b) => a - b);
}

function matches(cron: CronCase, wall: string): boolean {
  return cron.hour.has(Number(wall.slice(11, 13))) && cron.minute.has(Number(wall.slice(14, 16)));
}

/** Every minute of the calendar from one wall time to another, whether or not a clock shows it. */
function* calendar(from: string, until: string): Generator<string> {
  const date = new Date(`${from}:00Z`);
  for (let wall = from; wall <= until; wall = date.toISOString().slice(0, 16)) {
    yield wall;
    date.setUTCMinutes(date.getUTCMinutes() + 1);
  }
}

/** What the clocks of a zone show, as `2026-03-29T02:30`. */
export function wallReader(zone: string): (at: number) => string {
  // Swedish writes 2026-03-29 02:30.
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' });
  return (at) => format.format(at).replace(' ', 'T');
}

/** Morocco has two changes a month apart, so that a step of a week misses none. */
function changesOf(show: (at: number) => string, from: number, until: number): readonly number[] {
  const step = 7 * 24 * 60 * minuteMs;
  const found: number[] = [];
  for (let low = from; low < until; low += step) {
    if (ahead(show, low) !== ahead(show, low + step)) found.push(changeIn(show, low, low + step));
  }
  return found;
}

function changeIn(show: (at: number) => string, low: number, high: number): number {
  if (high - low <= minuteMs) return high;
  const middle = low + Math.floor((high - low) / 2 / minuteMs) * minuteMs;
  return ahead(show, middle) === ahead(show, high) ? changeIn(show, low, middle) : changeIn(show, middle, high);
}

function ahead(show: (at: number) => string, at: number): number {
  return Date.parse(`${show(at)}:00Z`) - at;
}

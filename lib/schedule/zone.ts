// What the clocks on the wall show in an IANA zone, in both directions: from instants to wall times and back, through
// the hours that do not exist and those that come twice. All knowledge of zones is the one that Intl brings.

const minuteMs = 60_000;
const dayMs = 86_400_000;
/** Days remembered per zone before the memory starts over: some 30 years. */
const rememberedDays = 10_000;

/** A reading of a wall clock, as the milliseconds since the epoch at which a clock in UTC reads the same. */
export type Wall = number;

/** Which instants show a wall time. */
export interface Resolution {
  /** One, or two where clocks go back. In a gap: the first instant after it, which shows a later wall time. */
  readonly instants: readonly number[];
  /** Whether no clock ever shows that wall time. */
  readonly gap: boolean;
}

/** The clocks of one zone. Offsets are milliseconds east of UTC, in whole minutes. */
export interface ZoneClock {
  offset(at: number): number;
  resolve(wall: Wall): Resolution;
}

/** One day in UTC: the offset it starts with, and the change in it, if there is one. */
interface Day {
  readonly offset: number;
  readonly change?: Change;
}

interface Change {
  /** The first whole minute of the new offset. */
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

// Making a formatter takes as long as a hundred uses of it; a zone's clock never changes within a process.
const clocks = new Map<string, ZoneClock>();

/** null for an IANA zone (`Europe/Berlin`, `UTC`), else one sentence. Bare offsets (`+02:00`) are no zones. */
export function checkZone(zone: string): string | null {
  if (/^[A-Za-z]/.test(zone) && knowsZone(zone)) return null;
  return `"${zone}" is not a time zone of the IANA database, such as Europe/Berlin`;
}

/** The clocks of an IANA zone. Throws RangeError for a name that `checkZone` refuses. */
export function zoneClock(zone: string): ZoneClock {
  const known = clocks.get(zone);
  if (known !== undefined) return known;
  const clock = makeClock(zone);
  clocks.set(zone, clock);
  return clock;
}

/** ISO 8601 with the zone's offset: `2026-03-29T03:00:00+02:00`. */
export function localIso(clock: ZoneClock, at: number): string {
  const offset = clock.offset(at);
  const minutes = Math.abs(offset) / minuteMs;
  const hhmm = `${twoDigits(Math.floor(minutes / 60))}:${twoDigits(minutes % 60)}`;
  return `${new Date(at + offset).toISOString().slice(0, -5)}${offset < 0 ? '-' : '+'}${hhmm}`;
}

function knowsZone(zone: string): boolean {
  try {
    zoneFormat(zone);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function zoneFormat(zone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
}

function makeClock(zone: string): ZoneClock {
  const format = zoneFormat(zone);
  const days = new Map<number, Day>();
  const day = (number: number): Day => {
    const known = days.get(number);
    if (known !== undefined) return known;
    if (days.size >= rememberedDays) days.clear();
    const read = readDay(format, number * dayMs);
    days.set(number, read);
    return read;
  };
  const dayOf = (at: number): Day => day(Math.floor(at / dayMs));
  return {
    offset: (at) => offsetIn(dayOf(at), at),
    // No zone is more than a day off UTC, so that these three hold every instant that could show the wall time.
    resolve: (wall) => resolveAmong([dayOf(wall - dayMs), dayOf(wall), dayOf(wall + dayMs)], dayOf, wall),
  };
}

function readDay(format: Intl.DateTimeFormat, start: number): Day {
  const offset = readOffset(format, start);
  const next = readOffset(format, start + dayMs);
  if (offset === next) return { offset };
  return { offset, change: { at: changeBetween(format, start, start + dayMs), from: offset, to: next } };
}

/** The first whole minute after `low` whose offset is that of `high`. */
function changeBetween(format: Intl.DateTimeFormat, low: number, high: number): number {
  if (high - low <= minuteMs) return high;
  const middle = low + Math.floor((high - low) / 2 / minuteMs) * minuteMs;
  const changed = readOffset(format, middle) === readOffset(format, high);
  return changed ? changeBetween(format, low, middle) : changeBetween(format, middle, high);
}

/** Seconds, which offsets had before 1972, are cut off: fires are whole minutes. */
function readOffset(format: Intl.DateTimeFormat, at: number): number {
  const [, sign, hours = '0', minutes = '0'] = /GMT([+-])(\d\d):(\d\d)/.exec(format.format(at)) ?? [];
  const size = (Number(hours) * 60 + Number(minutes)) * minuteMs;
  return sign === '-' ? -size : size;
}

function offsetIn(day: Day, at: number): number {
  return day.change !== undefined && at >= day.change.at ? day.change.to : day.offset;
}

function resolveAmong(days: readonly Day[], dayOf: (at: number) => Day, wall: Wall): Resolution {
  const offsets = new Set(days.flatMap((day) => (day.change ? [day.offset, day.change.to] : [day.offset])));
  const instants = [...offsets].map((offset) => wall - offset).filter((at) => at + offsetIn(dayOf(at), at) === wall);
  if (instants.length > 0) return { instants: instants.sort((a, b) => a - b), gap: false };
  const skipping = days.map((day) => day.change).find((change) => change !== undefined && skips(change, wall));
  if (skipping === undefined)
    throw new RangeError(`no clock shows ${new Date(wall).toISOString()}, and no change skips it`);
  return { instants: [skipping.at], gap: true };
}

function skips(change: Change, wall: Wall): boolean {
  return wall >= change.at + change.from && wall < change.at + change.to;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}

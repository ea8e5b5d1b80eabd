// Times as a user writes them into autopilot.yml: times of day, days of the week, times on the wall of a zone.

import * as v from 'valibot';
import type { Freeze, Window } from '../config.ts';
import { checkZone, zoneClock } from '../schedule/zone.ts';
import * as defaults from './defaults.ts';
import { closed, may, says, sound } from './keys.ts';
import { checkedText, duration, listOf, text, textLike } from './values.ts';

/** An IANA zone. */
export const zone = checkedText('expected a time zone such as Europe/Berlin', checkZone);

const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const dayWanted = 'expected a day or a range of days, such as mon, mon-fri or sat-sun';

/** The numbers of `mon` or `fri-mon`, Sunday as 0; empty for any other text. */
function daysOf(range: string): readonly number[] {
  const [first = '', last = first, ...more] = range.split('-');
  const [from, to] = [dayNames.indexOf(first), dayNames.indexOf(last)];
  if (from < 0 || to < 0 || more.length > 0) return [];
  return Array.from({ length: ((to - from + 7) % 7) + 1 }, (_, index) => (from + index) % 7);
}

const days = v.pipe(
  listOf(checkedText(dayWanted, (range) => (daysOf(range).length > 0 ? null : dayWanted))),
  v.minLength(1, 'expected a list of days, such as [mon-fri]'),
  v.transform((ranges) => [...new Set(ranges.flatMap(daysOf))].sort((a, b) => a - b)),
);

/** A time of day, read to its minute. */
function timeOfDay(pattern: RegExp, wanted: string) {
  return v.pipe(
    textLike(pattern, wanted),
    v.transform((time) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3))),
  );
}

const hhmm = '([01][0-9]|2[0-3]):[0-5][0-9]';

/** A window, read to what the program uses. */
export const window = v.pipe(
  closed({
    days: may(days, 'Days on which it starts; names and ranges (mon-fri). Default: every day'),
    from: says(timeOfDay(new RegExp(`^${hhmm}$`), 'expected a time of day such as "22:00"'), 'When it opens'),
    to: says(
      timeOfDay(new RegExp(`^(${hhmm}|24:00)$`), 'expected a time of day such as "05:00", at most "24:00"'),
      'When it closes; a time before `from` is on the next day',
    ),
    timezone: may(zone, 'IANA time zone. Default: UTC'),
    cutoff: may(duration(), 'Time before its end in which nothing new starts. Default: 15m'),
  }),
  v.transform(
    ({ days, from, to, timezone, cutoff }): Window => ({
      days: days ?? [0, 1, 2, 3, 4, 5, 6],
      from,
      to,
      timezone: timezone ?? defaults.timezone,
      cutoff: cutoff ?? defaults.cutoff,
    }),
  ),
  sound(windowFault),
);

function windowFault({ from, to, cutoff }: Window): string | null {
  if (from === to) return '`from` and `to` are the same; write from: "00:00" and to: "24:00" for whole days';
  const length = (to > from ? to - from : to - from + 1440) * 60;
  return cutoff < length ? null : `\`cutoff\` (${cutoff}s) leaves nothing of the window (${length}s)`;
}

const wallWanted = 'expected a date and a time such as 2026-12-20T00:00';

/** The milliseconds since the epoch at which a clock in UTC shows a text, or undefined where none ever does. */
function wallOf(text: string): number | undefined {
  const wall = Date.parse(`${text}Z`);
  const isShown = !Number.isNaN(wall) && new Date(wall).toISOString() === `${text}:00.000Z`;
  return isShown ? wall : undefined;
}

const wallTime = v.pipe(
  checkedText(wallWanted, (text) => (wallOf(text) === undefined ? wallWanted : null)),
  v.metadata({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}$' }),
  v.transform((text) => wallOf(text) ?? 0),
);

/** Times in which nothing runs, read to what the program uses. */
export const freezes = listOf(
  v.pipe(
    closed({
      from: says(wallTime, 'When it begins'),
      to: says(wallTime, 'When it is over'),
      timezone: may(zone, 'IANA time zone of both. Default: UTC'),
      reason: says(text, 'Why; refusals tell it'),
    }),
    v.transform((freeze) => freezeOf(freeze)),
    sound(({ from, to }: Freeze) => (from < to ? null : '`to` is not after `from`')),
  ),
);

interface FreezeFile {
  readonly from: number;
  readonly to: number;
  readonly timezone?: string;
  readonly reason: string;
}

/** A time that the clocks skip is the first minute after it; of one that comes twice, the freeze takes in both. */
function freezeOf({ from, to, timezone = defaults.timezone, reason }: FreezeFile): Freeze {
  const clock = zoneClock(timezone);
  const [first = from] = clock.resolve(from).instants;
  const last = clock.resolve(to).instants.at(-1) ?? to;
  return { from: first, to: last, timezone, reason };
}

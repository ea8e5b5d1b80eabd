// An independent reading of what a window is, to judge lib/guards/calendar.ts by: it walks a year minute by minute, asks Intl what
// the clocks show, and opens the window in every minute between its two ends. It knows no offsets and no gaps.

import type { Window } from '../../lib/config.ts';
import { wallReader } from './clock-oracle.ts';

const minuteMs = 60_000;
const dayMinutes = 1440;

/** A year of a zone, and the furthest that its clocks had shown by each minute: `2026-03-29T02:30`. */
export interface Year {
  readonly zone: string;
  readonly start: number;
  readonly shown: readonly string[];
}

/** Walks the zone's year, from its first minute in UTC. */
export function walkYear(zone: string, year: number): Year {
  const start = Date.UTC(year, 0, 1);
  const count = (Date.UTC(year + 1, 0, 1) - start) / minuteMs;
  const walls = readWalls(wallReader(zone), start, count);
  let furthest = '';
  const shown = walls.map((wall) => {
    if (wall > furthest) furthest = wall;
    return furthest;
  });
  return { zone, start, shown };
}

/** Intl takes its time, so it is asked for each quarter; for each minute only of those in which the clocks were set. */
function readWalls(show: (at: number) => string, start: number, count: number): readonly string[] {
  return Array.from({ length: count / 15 }, (_, quarter) => start + quarter * 15 * minuteMs).flatMap((at) => {
    const minutes = Array.from({ length: 15 }, (_, minute) => minute * minuteMs);
    const first = Date.parse(`${show(at)}Z`);
    const isPlain = Date.parse(`${show(at + 14 * minuteMs)}Z`) - first === 14 * minuteMs;
    return minutes.map((each) => (isPlain ? new Date(first + each).toISOString().slice(0, 16) : show(at + each)));
  });
}

/**
 * When the window is open, in minutes of the year as `[first, end)`: from the first minute whose clock shows its beginning
 * or more to the first whose clock shows its end or more, for each of its days; less the cutoff at the end of a stretch.
 */
export function openMinutes(window: Window, { start, shown }: Year): readonly (readonly [number, number])[] {
  const open = new Uint8Array(shown.length);
  for (let day = -2; day < shown.length / dayMinutes + 1; day++) {
    const midnight = start / minuteMs + day * dayMinutes;
    if (!window.days.includes(new Date(midnight * minuteMs).getUTCDay())) continue;
    const end = window.to + (window.to > window.from ? 0 : dayMinutes);
    open.fill(1, firstShowing(shown, midnight + window.from), firstShowing(shown, midnight + end));
  }
  return stretches(open)
    .map(([first, end]): [number, number] => [first, end === open.length ? end : end - window.cutoff / 60])
    .filter(([first, end]) => first < end);
}

/** The first minute whose clock shows that much, found by halving: what is furthest never falls. */
function firstShowing(shown: readonly string[], wallMinute: number): number {
  const wall = new Date(wallMinute * minuteMs).toISOString().slice(0, 16);
  let [low, high] = [0, shown.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((shown[middle] ?? '') >= wall) high = middle;
    else low = middle + 1;
  }
  return low;
}

function stretches(open: Uint8Array): readonly [number, number][] {
  const found: [number, number][] = [];
  for (let minute = open.indexOf(1); minute >= 0; minute = open.indexOf(1, found.at(-1)?.[1])) {
    const end = open.indexOf(0, minute);
    found.push([minute, end < 0 ? open.length : end]);
  }
  return found;
}

// When a run may work: inside its job's window and outside its project's freezes, and when that changes. Windows are
// wall times, which clock changes move; freezes are instants. The two guards over them are the ones that break glass passes.

import type { Freeze, Job, Project, Window } from '../config.ts';
import { localIso, type Wall, type ZoneClock, zoneClock } from '../schedule/zone.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;
/** A window that goes over midnight is yesterday's. */
const daysBack = 1;
/** A week's only window can fall into a spring gap, or be no longer than its cutoff on that night. */
const daysAhead = 21;

/** Milliseconds since the epoch. */
export type WindowState =
  | { readonly open: true; readonly until: number }
  | { readonly open: false; readonly opensAt: number };

/** `until` is in milliseconds since the epoch. */
export type FreezeState =
  | { readonly frozen: false }
  | { readonly frozen: true; readonly until: number; readonly reason: string };

/** What the two guards are told. */
export interface CalendarFacts {
  readonly job: Pick<Job, 'window'> & { readonly project: Pick<Project, 'name' | 'freeze'> };
  /** Whoever breaks the glass passes windows and freezes. */
  readonly event: { readonly breakGlass?: boolean };
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** A refusal that time lifts: ISO 8601 UTC. */
export interface TimedRefusal {
  readonly code: 'outside_window' | 'frozen';
  readonly reason: string;
  readonly liftsAt: string;
}

/** Instants: `from <= at < to`. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * Whether something new may begin. A window is one stretch of time, from the first instant that shows its beginning to the
 * first that shows its end: one that begins or ends in a spring gap does so at the first valid minute, and of an hour
 * that comes twice the first counts, as for fires. It belongs to the day it begins on. Windows that touch are one.
 * `until` is the end less the cutoff; of a window that never ends, some weeks from now. Throws RangeError for a window that
 * never opens, which no configuration has: it names a day, and its cutoff is shorter than the window.
 */
export function windowState(window: Window, now: number): WindowState {
  const next = joined(spansAround(window, now))
    .map(({ from, to }) => ({ from, to: to - window.cutoff * 1000 }))
    .find(({ from, to }) => from < to && now < to);
  if (next === undefined) throw new RangeError(`the window ${shownWindow(window)} never opens`);
  return next.from <= now ? { open: true, until: next.to } : { open: false, opensAt: next.from };
}

/** Whether nothing is to be sent; `until` is the end of all freezes that overlap or touch, `reason` names theirs. */
export function freezeState(freezes: readonly Freeze[], now: number): FreezeState {
  const current = joined(freezes).find(({ from, to }) => from <= now && now < to);
  if (current === undefined) return { frozen: false };
  const parts = freezes.filter(({ from, to }) => from < current.to && current.from < to);
  const reasons = new Set(parts.toSorted((a, b) => a.from - b.from).map(({ reason }) => reason));
  return { frozen: true, until: current.to, reason: [...reasons].join('; ') };
}

/** The guard of the job's window. */
export function outsideWindow({ job: { window }, event, now }: CalendarFacts): TimedRefusal | null {
  if (window === null || event.breakGlass === true) return null;
  const state = windowState(window, now);
  if (state.open) return null;
  const local = localIso(zoneClock(window.timezone), state.opensAt);
  const reason = `nothing may begin outside the window ${shownWindow(window)}; it opens at ${local}`;
  return { code: 'outside_window', reason, liftsAt: new Date(state.opensAt).toISOString() };
}

/** The guard of the project's freezes. */
export function inFreeze({ job: { project }, event, now }: CalendarFacts): TimedRefusal | null {
  if (event.breakGlass === true) return null;
  const state = freezeState(project.freeze, now);
  if (!state.frozen) return null;
  const liftsAt = new Date(state.until).toISOString();
  return { code: 'frozen', reason: `the project ${project.name} is frozen until ${liftsAt}: ${state.reason}`, liftsAt };
}

/** The windows that begin on the days around an instant, ascending. */
function spansAround(window: Window, now: number): readonly Span[] {
  const clock = zoneClock(window.timezone);
  const today = Math.floor((now + clock.offset(now)) / dayMs) * dayMs;
  return Array.from({ length: daysBack + daysAhead + 1 }, (_, i) => today + (i - daysBack) * dayMs)
    .filter((day) => window.days.includes(new Date(day).getUTCDay()))
    .map((day) => spanOf(window, clock, day));
}

function spanOf(window: Window, clock: ZoneClock, day: Wall): Span {
  const length = window.to > window.from ? 0 : dayMs;
  return {
    from: firstShowing(clock, day + window.from * minuteMs),
    to: firstShowing(clock, day + window.to * minuteMs + length),
  };
}

function firstShowing(clock: ZoneClock, wall: Wall): number {
  return Math.min(...clock.resolve(wall).instants);
}

/** Spans that overlap or touch, as one. */
function joined(spans: readonly Span[]): readonly Span[] {
  const found: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = found.at(-1);
    if (last === undefined || last.to < span.from) found.push({ from: span.from, to: span.to });
    else found[found.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
  }
  return found;
}

const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** `sat, sun 22:00-05:00 Europe/Berlin or in its last 900 seconds`. */
function shownWindow({ days, from, to, timezone, cutoff }: Window): string {
  const names = days.length === 7 ? 'daily' : days.map((day) => dayNames[day]).join(', ');
  const ending = cutoff === 0 ? '' : ` or in its last ${cutoff} seconds`;
  return `${names} ${timeOfDay(from)}-${timeOfDay(to)} ${timezone}${ending}`;
}

function timeOfDay(minutes: number): string {
  return [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');
}

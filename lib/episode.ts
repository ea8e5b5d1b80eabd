// What one more message makes of what is known of an alert. Messages repeat, come from two peers at once and overtake each
// other, so that nothing here depends on their order: whoever has seen the same messages knows the same.

import type { Alert } from './alert.ts';
import type { AlertTrigger } from './config.ts';
import type { Refusal } from './guards.ts';

/** All that is remembered of alerts with the same source, rule and fingerprint: their newest episode. ISO 8601 UTC. */
export interface Series {
  /** When the newest episode began. */
  readonly startsAt: string;
  /** The latest time at which it was said to fire: its start, where the source tells that. */
  readonly firesAt: string;
  /** Whatever began no later than this is over; null: nothing is known to be. */
  readonly endedBy: string | null;
  /** When its newest episode was first heard of, and when anything was last heard, in ms since the epoch. */
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** What the newest episode has started: run ids by job. */
  readonly runs: Readonly<Record<string, string>>;
  /** Runs of episodes that are over which may not have been told yet. */
  readonly toStop: readonly string[];
  /** Whom it is about, for whoever counts alerts: a project's key and how the instance is named, between the jobs. */
  readonly about: readonly (readonly [project: string, instance: string])[];
}

/**
 * What a message turned out to be. `begun`: a new episode; `again`: the newest one, still open; `over`: it had ended
 * before this came; `superseded`: a newer one is known; `ended`: it tells an end; `overtaken`: an end, but the alert was
 * seen firing later than that.
 */
export type Arrival = 'begun' | 'again' | 'over' | 'superseded' | 'ended' | 'overtaken';

/** What decides about an alert at the door. */
export type Heard = Pick<Alert, 'status' | 'startsAt' | 'startKnown' | 'endsAt'>;

/** Whether the newest episode is still open. */
export function isOpen({ startsAt, endedBy }: Series): boolean {
  return endedBy === null || endedBy < startsAt;
}

/** What is known after a message that fires or ends. `now`: ms since the epoch. */
export function hear(known: Series | null, alert: Heard, now: number): { series: Series; arrival: Arrival } {
  const before = known ?? silence(alert, now);
  const heard = { ...before, lastSeen: Math.max(now, before.lastSeen) };
  if (alert.status === 'resolved') return hearEnd(heard, known === null, alert, lastOf(alert, now));
  const { startsAt: at } = alert;
  if (before.endedBy !== null && at <= before.endedBy) return { series: heard, arrival: 'over' };
  if (known === null) return { series: heard, arrival: 'begun' };
  if (!alert.startKnown && isOpen(heard)) {
    return { series: at > heard.firesAt ? { ...heard, firesAt: at } : heard, arrival: 'again' };
  }
  if (at < heard.startsAt) return { series: heard, arrival: 'superseded' };
  if (at === heard.startsAt && isOpen(heard)) return { series: heard, arrival: 'again' };
  return { series: { ...closed(heard), startsAt: at, firesAt: at, firstSeen: now, about: [] }, arrival: 'begun' };
}

/** The run that a job has got for the newest episode. */
export function withRun(series: Series, job: string, runId: string): Series {
  return { ...series, runs: { ...series.runs, [job]: runId } };
}

/** Why a job does not act on an open episode, as far as time tells: nobody expects it any more. */
export function stale({ maxAge }: Pick<AlertTrigger, 'maxAge'>, startsAt: string, now: number): Refusal | null {
  const age = Math.floor((now - Date.parse(startsAt)) / 1000);
  if (age <= maxAge) return null;
  return { code: 'stale', reason: `it began ${age} s ago; the job takes alerts of the last ${maxAge} s` };
}

/**
 * The latest start that an end is about. Two Prometheus see an alert begin at times of their own, and Alertmanager takes the
 * earlier one once it knows both: an episode that began before this one ended is the same. An end to come is not believed.
 */
function lastOf({ startsAt, startKnown, endsAt }: Heard, now: number): string {
  if (!startKnown || endsAt === undefined) return startsAt;
  const last = new Date(Math.min(Date.parse(endsAt), now) - 1).toISOString();
  return last > startsAt ? last : startsAt;
}

function hearEnd(
  heard: Series,
  isNew: boolean,
  { startsAt: at, startKnown }: Heard,
  last: string,
): ReturnType<typeof hear> {
  const endedBy = heard.endedBy === null || heard.endedBy < last ? last : heard.endedBy;
  if (isNew) return { series: { ...heard, endedBy }, arrival: 'ended' };
  if (startKnown && at > heard.startsAt) {
    return { series: { ...closed(heard), startsAt: at, firesAt: at, endedBy }, arrival: 'ended' };
  }
  // It fired again after the end that is only heard of now: what has begun goes on.
  if (last < heard.firesAt) {
    const begins = last >= heard.startsAt ? heard.firesAt : heard.startsAt;
    return { series: { ...heard, startsAt: begins, endedBy }, arrival: 'overtaken' };
  }
  return { series: { ...closed(heard), endedBy }, arrival: 'ended' };
}

/** What the newest episode has started is to be stopped: it is over, or a newer one has begun. */
function closed(series: Series): Series {
  return { ...series, runs: {}, toStop: [...new Set([...series.toStop, ...Object.values(series.runs)])] };
}

function silence({ startsAt }: Heard, now: number): Series {
  return {
    startsAt,
    firesAt: startsAt,
    endedBy: null,
    firstSeen: now,
    lastSeen: now,
    runs: {},
    toStop: [],
    about: [],
  };
}

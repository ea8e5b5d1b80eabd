// The first half of a delivery: what each alert says of its episode is stored, and what an episode that is over has begun
// is stopped. It may be done again at any time, by a message that comes twice or by the peer of its sender.

import type { Alert } from '../alert.ts';
import { projectKey } from '../config.ts';
import { type Alerting, noteAlerting, readSeries, updateSeries, writeSeries } from '../episode/alerting.ts';
import { echoes, isEcho, type OwnWork } from '../episode/echo.ts';
import { type Arrival, hear, type Series } from '../episode.ts';
import { AutopilotError } from '../errors.ts';
import { holderOf } from '../execute/lease.ts';
import { readSuccess } from '../guards/cooldown.ts';
import { readRecord, type Stop } from '../record.ts';
import type { State } from '../state.ts';
import type { Entry } from './accept.ts';
import { type Found, instanceKey } from './alert-jobs.ts';
import { stopRun } from './stopping.ts';

/** An alert, and what its message turned out to be. `series` null: nothing is known of it, and nobody asks. */
export interface HeardAlert extends Found {
  readonly series: Series | null;
  readonly arrival: Arrival;
  /** Runs that were told to stop. */
  readonly stopped: readonly string[];
  /** It says what our own work has caused. */
  readonly isEcho: boolean;
}

/** A message that repeats what is known is written down once in so many ms. */
const lastSeenEvery = 10 * 60_000;

/** Stores what an alert that fires or is resolved says. `now`: ms since the epoch. */
export async function hearAlert(runtime: Entry, found: Found, now: number): Promise<HeardAlert> {
  const { alert, candidates } = found;
  const { state } = runtime;
  const about = aboutOf(found);
  const work = candidates.length === 0 ? null : await ownWork(state, found, now);
  let noted: Series['about'] = [];
  for (;;) {
    const { series: before, version } = await readSeries(state, alert);
    if (before === null && candidates.length === 0) {
      return { ...found, series: null, arrival: 'over', stopped: [], isEcho: false };
    }
    const { series: heard, arrival } = hear(before, alert, now);
    const series = arrival === 'begun' ? { ...heard, about } : heard;
    const echo = isEcho({ ...alert, startsAt: series.startsAt }, work);
    // Before the episode is stored: whoever ends it later has seen it there, and notes that after this.
    if (arrival === 'begun') {
      await note(state, alert, about, series, { isFiring: true, isEcho: echo });
      noted = about;
    }
    const isNews = before === null || arrival !== 'again' || differs(before, series);
    if (isNews && !(await writeSeries(state, alert, version, series))) continue;
    const isOver = arrival === 'ended' || arrival === 'over';
    const calm = arrival === 'ended' ? [...series.about, ...noted] : isOver ? noted : [];
    const [stopped] = await Promise.all([
      stopAll(runtime, alert, series.toStop),
      note(state, alert, calm, series, { isFiring: false, isEcho: echo }),
    ]);
    return { ...found, series, arrival, stopped, isEcho: echo };
  }
}

/** Stops runs of episodes that are over; those that are not stored yet are left to whoever stores them. */
export async function stopAll(runtime: Entry, alert: Alert, runIds: readonly string[]): Promise<readonly string[]> {
  const stopped: string[] = [];
  for (const runId of runIds) {
    if (await stop(runtime, runId, alert)) stopped.push(runId);
  }
  if (stopped.length > 0) {
    await updateSeries(runtime.state, alert, (series) => series && without(series, stopped));
  }
  return stopped;
}

async function stop(runtime: Entry, runId: string, { source, rule, status }: Alert): Promise<boolean> {
  const reason = status === 'resolved' ? `${rule} is resolved` : `an episode of ${rule} that began later is known`;
  const at = new Date(runtime.now()).toISOString();
  try {
    await stopRun(runtime, runId, { code: 'resolved', reason, by: `alert:${source}`, at } satisfies Stop);
    return true;
  } catch (error) {
    if (error instanceof AutopilotError && error.code === 'run_unknown') return false;
    throw error;
  }
}

function without(series: Series, stopped: readonly string[]): Series {
  return { ...series, toStop: series.toStop.filter((runId) => !stopped.includes(runId)) };
}

function differs(before: Series, after: Series): boolean {
  return after.firesAt !== before.firesAt || after.lastSeen - before.lastSeen >= lastSeenEvery;
}

/** Each instance of each project that the jobs would work on, once. */
function aboutOf({ candidates }: Found): Series['about'] {
  const pairs = candidates.flatMap(({ job, reference }): [string, string][] =>
    reference === null ? [] : [[projectKey(job.project), instanceKey(reference)]],
  );
  return [...new Map(pairs.map((pair) => [pair.join(' '), pair])).values()];
}

async function note(
  state: State,
  alert: Alert,
  about: Series['about'],
  { startsAt, firstSeen }: Series,
  how: Pick<Alerting, 'isFiring' | 'isEcho'>,
): Promise<void> {
  for (const [project, instance] of about) {
    const facts = { instance, rule: alert.rule, startsAt: Date.parse(startsAt), firstSeen, ...how };
    await noteAlerting(state, project, alert, facts);
  }
}

/** The last work of ours on the instance of an alert. Only ids tell: which instance a name means, nobody knows here. */
async function ownWork(state: State, { alert, candidates }: Found, now: number): Promise<OwnWork | null> {
  const id = candidates.map(({ reference }) => reference).find((each) => each?.by === 'id')?.value;
  if (id === undefined || alert.status !== 'firing' || !echoes.has(alert.metric ?? '')) return null;
  const holder = await holderOf(state, id, now);
  if (holder !== null) return { from: (await beganAt(state, holder)) ?? now, until: null };
  const last = await readSuccess(state, id);
  return last === null ? null : { from: (await beganAt(state, last.runId)) ?? last.at, until: last.at };
}

async function beganAt(state: State, runId: string): Promise<number | undefined> {
  const began = (await readRecord(state, runId))?.startedAt;
  return began === undefined ? undefined : Date.parse(began);
}

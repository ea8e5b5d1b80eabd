// What is remembered of alerts: each series with its newest episode, which instances alert in a project and since when,
// and which run a job has going for an instance. All of it by conditional writes of single items.

import * as v from 'valibot';
import { type Alert, alertSources } from '../alert.ts';
import { hashOf } from '../canonical.ts';
import { type Project, projectKey } from '../config.ts';
import type { Series } from '../episode.ts';
import { holderOf } from '../execute/lease.ts';
import { asJson, type RunRecord, readRecord, type Stop } from '../record.ts';
import { isGoing } from '../report.ts';
import { day } from '../retention.ts';
import type { Item, Key, State } from '../state.ts';

/** Milliseconds for which a series is kept after it was last heard of; sooner than that a source repeats itself. */
const seriesKept = 30 * day;

/** A claim whose run nobody has stored within this time is void, in ms. */
const claimTime = 60_000;

const seriesSchema = v.object({
  startsAt: v.string(),
  firesAt: v.string(),
  endedBy: v.nullable(v.string()),
  firstSeen: v.number(),
  lastSeen: v.number(),
  runs: v.record(v.string(), v.string()),
  toStop: v.array(v.string()),
  about: v.array(v.tuple([v.string(), v.string()])),
}) satisfies v.GenericSchema<unknown, Series>;

/** Which series an alert is of. */
export type SeriesName = Pick<Alert, 'source' | 'rule' | 'fingerprint'>;

/** A series as it is stored; `version` undefined: it is not. */
export interface StoredSeries {
  readonly series: Series | null;
  readonly version: number | undefined;
}

/** What is known of a series. */
export async function readSeries(state: State, name: SeriesName): Promise<StoredSeries> {
  const item = await state.get(seriesKey(name));
  return { series: item === undefined ? null : v.parse(seriesSchema, item.value), version: item?.version };
}

/** Writes a series over what was read of it; false where somebody else was in between. */
export function writeSeries(
  state: State,
  name: SeriesName,
  version: number | undefined,
  series: Series,
): Promise<boolean> {
  const options = { expiresAt: series.lastSeen + seriesKept };
  const value = asJson(series);
  const key = seriesKey(name);
  return version === undefined ? state.putIfAbsent(key, value, options) : state.updateIf(key, version, value, options);
}

/** Changes a series by a pure function until nobody was in between; null from `change` leaves it as it is. */
export async function updateSeries(
  state: State,
  name: SeriesName,
  change: (series: Series | null) => Series | null,
): Promise<Series | null> {
  for (;;) {
    const { series, version } = await readSeries(state, name);
    const after = change(series);
    if (after === null) return series;
    if (await writeSeries(state, name, version, after)) return after;
  }
}

const episodeSchema = v.tuple([v.picklist(alertSources), v.string(), v.string(), v.string()]);

/**
 * The stop of a run whose alert is over, where whoever heard so could not say it to the run: it was killed in between, or
 * the run was not stored yet. undefined: there is none.
 */
export async function lateStop(
  state: State,
  { runId, event }: Pick<RunRecord, 'runId' | 'event'>,
): Promise<Stop | undefined> {
  const episode = v.safeParse(episodeSchema, event.identity);
  if (event.trigger !== 'alert' || !episode.success) return undefined;
  const [source, rule, fingerprint] = episode.output;
  const { series } = await readSeries(state, { source, rule, fingerprint });
  if (series === null || !series.toStop.includes(runId)) return undefined;
  return {
    code: 'resolved',
    reason: 'the alert is over',
    by: `alert:${source}`,
    at: series.endedBy ?? series.startsAt,
  };
}

/** An instance that alerts, or did; times in ms since the epoch. */
export interface Alerting {
  /** Its id, or how the alert names it. */
  readonly instance: string;
  readonly rule: string;
  /** When the episode began, and when it was first heard of. */
  readonly startsAt: number;
  readonly firstSeen: number;
  /** Whether it still fires, as far as is known. */
  readonly isFiring: boolean;
  /** Whether it is what our own work has caused. */
  readonly isEcho: boolean;
}

const alertingSchema = v.object({
  instance: v.string(),
  rule: v.string(),
  startsAt: v.number(),
  firstSeen: v.number(),
  isFiring: v.boolean(),
  isEcho: v.boolean(),
}) satisfies v.GenericSchema<unknown, Alerting>;

/** Notes whether an instance alerts, for each series once; kept for two days. `project`: its key. */
export async function noteAlerting(state: State, project: string, name: SeriesName, note: Alerting): Promise<void> {
  const key = { pk: alertingPartition(project), sk: `${note.instance}#${hashOfSeries(name)}` };
  await state.put(key, asJson(note), { expiresAt: note.firstSeen + 2 * day });
}

/** All that was noted of a project within two days. `project`: its key. */
export async function readAlerting(state: State, project: string): Promise<readonly Alerting[]> {
  const items = await state.query(alertingPartition(project), '');
  return items.map(({ value }) => v.parse(alertingSchema, value));
}

/**
 * Which of the instances have an alert that began after `since` (ms since the epoch), still fires, and is not what our own
 * work causes: the ids, each once, with the rules that fire.
 */
export async function firingSince(
  state: State,
  project: Project,
  ids: readonly string[],
  since: number,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const wanted = new Set(ids);
  const found = new Map<string, readonly string[]>();
  for (const { instance, rule, startsAt, isFiring, isEcho } of await readAlerting(state, projectKey(project))) {
    if (!isFiring || isEcho || startsAt <= since || !wanted.has(instance)) continue;
    found.set(instance, [...(found.get(instance) ?? []), rule]);
  }
  return found;
}

const claimSchema = v.object({ runId: v.string(), series: v.string(), startsAt: v.string(), at: v.number() });
type StoredClaim = v.InferOutput<typeof claimSchema>;

/** An instance that an episode claims for the run of a job. `project`: its key; `instance`: its id, or its other name. */
export interface Claim {
  readonly job: string;
  readonly project: string;
  readonly instance: string;
  readonly runId: string;
  readonly series: SeriesName;
  readonly startsAt: string;
}

/**
 * Claims an instance, so that two alerts about it do not start a job twice. Answers with the run that has it already, or
 * null: it is ours. A later episode takes over from an earlier one of its own series; else whoever has it keeps it until
 * its run has ended, or was stopped before it did anything. `now`: ms since the epoch.
 */
export async function claimInstance(state: State, claim: Claim, now: number): Promise<string | null> {
  const key = claimKey(claim);
  const own = { runId: claim.runId, series: hashOfSeries(claim.series), startsAt: claim.startsAt, at: now };
  for (;;) {
    const item = await state.get(key);
    const holder = item === undefined ? null : v.parse(claimSchema, item.value);
    if (holder?.runId === own.runId) return null;
    if (holder !== null && (await isHeld(state, claim.instance, holder, own))) return holder.runId;
    if (await write(state, key, item, own, now)) return null;
  }
}

/** Gives a claim back whose run will not be. */
export async function releaseClaim(state: State, claim: Claim, now: number): Promise<void> {
  const key = claimKey(claim);
  const item = await state.get(key);
  const holder = item === undefined ? null : v.parse(claimSchema, item.value);
  if (holder?.runId === claim.runId) await write(state, key, item, { ...holder, at: 0 }, now);
}

async function isHeld(state: State, instance: string, holder: StoredClaim, own: StoredClaim): Promise<boolean> {
  const isLater = holder.series === own.series && holder.startsAt < own.startsAt;
  const record = await readRecord(state, holder.runId);
  if (record === undefined) return !isLater && own.at - holder.at < claimTime;
  if (!isGoing(record.status)) return false;
  if (record.stop === undefined && !isLater) return true;
  // It was stopped, but what it has sent goes on.
  return (await holderOf(state, instance, own.at)) === holder.runId;
}

function claimKey({ project, instance, job }: Claim): Key {
  return { pk: `instance#${project}#${instance}`, sk: `alert#${job}` };
}

function write(state: State, key: Key, item: Item | undefined, value: object, now: number): Promise<boolean> {
  const options = { expiresAt: now + seriesKept };
  return item === undefined
    ? state.putIfAbsent(key, asJson(value), options)
    : state.updateIf(key, item.version, asJson(value), options);
}

function alertingPartition(project: string): string {
  return `alerting#${project}`;
}

/** One partition for each series, so that a thousand of them are not written to one. */
function seriesKey(name: SeriesName): Key {
  return { pk: `series#${hashOfSeries(name)}`, sk: 'episode' };
}

function hashOfSeries({ source, rule, fingerprint }: SeriesName): string {
  return hashOf([source, rule, fingerprint]).slice(0, 32);
}

// The caps on how much may be done: per run, per day and project over all jobs, per hour for alerts. Decided by pure
// functions; what has been used is kept in the state, taken before the first send and given back where nothing was sent.

import * as v from 'valibot';
import { type Guards, type Job, type Project, projectKey } from '../config.ts';
import { asJson } from '../record.ts';
import { day } from '../retention.ts';
import type { Item, Key, State } from '../state.ts';

/** What runs have used of a project's caps. */
export interface Used {
  /** Instances acted on in the last 24 hours, over all jobs; one that was acted on twice counts twice. */
  readonly today: number;
  /** Distinct instances that alert jobs acted on in the last hour. */
  readonly alerted: readonly string[];
}

/** When what did not fit will, as far as the runs so far tell. ISO 8601 UTC; null: never, it is too much by itself. */
export interface Lifts {
  readonly day: string | null;
  readonly hour: string | null;
}

const hour = 3600_000;

/** What each run took in the last 24 hours, by its id, so that taking twice is like taking once. */
const dailySchema = v.record(v.string(), v.object({ at: v.number(), count: v.number() }));
type Daily = v.InferOutput<typeof dailySchema>;

/** When alert jobs last took each instance, in ms. */
const alertedSchema = v.record(v.string(), v.number());

/** The smaller of the two caps of a run: the count, and the share of the project, rounded down, at least 1. */
export function capOf(guards: Guards, total: number): { readonly instances: number; readonly why: string } {
  const share = Math.max(1, Math.floor((total * guards.maxPercent) / 100));
  return share < guards.maxInstances
    ? { instances: share, why: `maxPercent ${guards.maxPercent}% of ${total} instances` }
    : { instances: guards.maxInstances, why: 'maxInstances' };
}

/**
 * How many instances a plan may hold where it is trimmed instead of refused; null: it is not trimmed. A total that is
 * not known trims nothing: such a run is refused. `isAlert`: the caps of a run then hold for the hour.
 */
export function roomOf(job: Job, total: number | null, used: Used, isAlert: boolean): number | null {
  if (job.guards.onExceed !== 'trim' || total === null) return null;
  const ofRun = capOf(job.guards, total).instances - (isAlert ? used.alerted.length : 0);
  return Math.max(0, Math.min(ofRun, job.guards.maxPerDay - used.today));
}

/** What is used of the caps of a project at the moment. */
export async function readUsed(state: State, project: Project, now: number): Promise<Used> {
  const { daily, alerted } = await readTaken(state, project, now);
  return { today: sum(Object.values(daily)), alerted: Object.keys(alerted) };
}

/** When so many instances fit under the caps of a job's project. `ids`: those that are planned. */
export async function readLifts(
  state: State,
  { guards, project }: Job,
  ids: readonly string[],
  total: number,
  now: number,
): Promise<Lifts> {
  const { daily, alerted } = await readTaken(state, project, now);
  const others = Object.entries(alerted).filter(([id]) => !ids.includes(id));
  const runs = Object.values(daily).map(({ at, count }) => ({ until: at + day, count }));
  const instances = others.map(([, at]) => ({ until: at + hour, count: 1 }));
  return {
    day: freeAt(runs, ids.length, guards.maxPerDay),
    hour: freeAt(instances, ids.length, capOf(guards, total).instances),
  };
}

interface Use {
  readonly until: number;
  readonly count: number;
}

/** When enough of what is used counts no more. */
function freeAt(uses: readonly Use[], wanted: number, cap: number): string | null {
  let over = sum(uses) + wanted - cap;
  for (const { until, count } of uses.toSorted((a, b) => a.until - b.until)) {
    over -= count;
    if (over <= 0) return iso(until);
  }
  return null;
}

async function readTaken(
  state: State,
  project: Project,
  now: number,
): Promise<{ readonly daily: Daily; readonly alerted: Readonly<Record<string, number>> }> {
  const [daily, alerted] = await Promise.all([state.get(dailyKey(project)), state.get(alertedKey(project))]);
  return {
    daily: ofDay(storedIn(daily, dailySchema), now),
    alerted: ofHour(storedIn(alerted, alertedSchema), now),
  };
}

/** Takes `count` instances from the cap of the day for a run; false, and nothing taken, where they do not fit. */
export function takeDay(state: State, job: Job, runId: string, count: number, now: number): Promise<boolean> {
  return change(state, dailyKey(job.project), dailySchema, now, (before) => {
    const runs: Daily = { ...ofDay(before, now), [runId]: { at: now, count } };
    return sum(Object.values(runs)) > job.guards.maxPerDay ? null : folded(runs);
  });
}

/** Runs that are kept apart: an item has room for some twenty thousand, and each write of it costs by its size. */
const mostApart = 2000;

/**
 * Of very many runs the older ones, by the hour: what they took counts until the last of its hour counts no more, and
 * cannot be given back.
 */
function folded(runs: Daily): Daily {
  const all = Object.entries(runs).sort(([, a], [, b]) => a.at - b.at);
  if (all.length <= mostApart) return runs;
  const older = Map.groupBy(all.slice(0, -mostApart / 2), ([, { at }]) => Math.floor(at / hour));
  const hours = [...older].map(([each, taken]): [string, Daily[string]] => {
    const entries = taken.map(([, entry]) => entry);
    return [`hour#${each}`, { at: Math.max(...entries.map(({ at }) => at)), count: sum(entries) }];
  });
  return Object.fromEntries([...hours, ...all.slice(-mostApart / 2)]);
}

/** Gives back what a run took and did not use: `used` is what counts from here on. */
export async function settleDay(
  state: State,
  { project }: Job,
  runId: string,
  used: number,
  now: number,
): Promise<void> {
  await change(state, dailyKey(project), dailySchema, now, (before) => {
    const { [runId]: taken, ...others } = ofDay(before, now);
    if (taken === undefined || taken.count === used) return null;
    return used === 0 ? others : { ...others, [runId]: { ...taken, count: used } };
  });
}

/** Takes instances for an alert job; false, and nothing taken, where more than `cap` distinct ones would be in the hour. */
export function takeAlerted(
  state: State,
  project: Project,
  ids: readonly string[],
  cap: number,
  now: number,
): Promise<boolean> {
  return change(state, alertedKey(project), alertedSchema, now, (before) => {
    const taken = { ...ofHour(before, now), ...Object.fromEntries(ids.map((id) => [id, now])) };
    return Object.keys(taken).length > cap ? null : taken;
  });
}

/** Writes what `to` makes of the stored value, again and again until nobody was in between; false where it is null. */
async function change<T>(
  state: State,
  key: Key,
  schema: v.GenericSchema<unknown, Record<string, T>>,
  now: number,
  to: (before: Readonly<Record<string, T>>) => Record<string, T> | null,
): Promise<boolean> {
  for (;;) {
    const item = await state.get(key);
    const after = to(storedIn(item, schema));
    if (after === null) return false;
    const options = { expiresAt: now + 2 * day };
    const written =
      item === undefined
        ? await state.putIfAbsent(key, asJson(after), options)
        : await state.updateIf(key, item.version, asJson(after), options);
    if (written) return true;
  }
}

function storedIn<T>(
  item: Item | undefined,
  schema: v.GenericSchema<unknown, Record<string, T>>,
): Readonly<Record<string, T>> {
  return item === undefined ? {} : v.parse(schema, item.value);
}

function ofDay(runs: Readonly<Daily>, now: number): Daily {
  return Object.fromEntries(Object.entries(runs).filter(([, { at }]) => at > now - day));
}

function ofHour(taken: Readonly<Record<string, number>>, now: number): Record<string, number> {
  return Object.fromEntries(Object.entries(taken).filter(([, at]) => at > now - hour));
}

function sum(runs: readonly { readonly count: number }[]): number {
  return runs.reduce((total, { count }) => total + count, 0);
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

function dailyKey(project: Project): Key {
  return { pk: `project#${projectKey(project)}`, sk: 'acted' };
}

function alertedKey(project: Project): Key {
  return { pk: `project#${projectKey(project)}`, sk: 'alerted' };
}

// What is remembered of a run, and where: its head, its plan and its outcomes, in items that stay small at any fleet size.
// The items of a plan are written once; those of the outcomes are overwritten by the one execution of the run.

import * as v from 'valibot';
import type { Json } from './canonical.ts';
import { type FrozenJob, thawed } from './config/thawed.ts';
import type { Action, Job } from './config.ts';
import { AutopilotError } from './errors.ts';
import type { Event } from './event.ts';
import { expiryOf } from './retention.ts';
import type { Item, Key, State } from './state.ts';

/** Ended: every status from `planned` on. */
export const statuses = [
  'accepted',
  'awaiting_approval',
  'running',
  'planned',
  'succeeded',
  'partial',
  'failed',
  'refused',
  'cancelled',
  'missed',
] as const;
export type RunStatus = (typeof statuses)[number];

/** Instances by outcome. `skipped` counts planned ones that turned out to need or allow no action. */
export interface Counts {
  readonly succeeded: number;
  readonly failed: number;
  readonly unknown: number;
  readonly skipped: number;
  readonly notStarted: number;
}

/** What opens a run for whoever started it by a hook, as long as it lasts: the SHA-256 (hex) of a key, never the key. */
export interface ReadKey {
  readonly hash: string;
  readonly expiresAt: string;
}

/** How a repeated arrival is told from another one: `key` is the sender's, unique at its `door`. */
export interface Delivery {
  /** `hooks/JOB/AUTH` or `jobs/JOB`. */
  readonly door: string;
  readonly key: string;
  /** SHA-256 of the raw body, hex. */
  readonly bodyHash: string;
}

/** Somebody wants the run to send nothing more; read in the step of each send. `at`: ISO 8601 UTC. */
export interface Stop {
  readonly code: 'cancelled' | 'resolved' | 'paused';
  readonly reason: string;
  /** `operator:NAME`, `alert:SOURCE`. */
  readonly by: string;
  readonly at: string;
}

/** What was said to a plan. `at`: ISO 8601 UTC. */
export interface Decision {
  readonly verdict: 'approved' | 'rejected';
  readonly by: string;
  readonly at: string;
  readonly reason?: string;
}

/** A plan that waits, or waited, for another operator. Times are ISO 8601 UTC. */
export interface Approval {
  /** Under which the execution is woken. */
  readonly answerId: string;
  /** The plan that is asked about, and no other one. */
  readonly planHash: string;
  readonly requestedAt: string;
  readonly lapsesAt: string;
  readonly decision?: Decision;
}

/** One rung of a ladder that was taken; `number` counts from 1, over all rounds. */
export interface Rung {
  readonly number: number;
  readonly action: Action;
  readonly status: RunStatus;
  readonly endedAt: string;
}

/** The head of a run: everything but the lists. Times are ISO 8601 UTC. */
export interface RunRecord {
  readonly v: 1;
  readonly runId: string;
  /** The job as it was when the event came in, so that a redeploy changes nothing for it. */
  readonly job: Job;
  readonly action: Action;
  readonly event: Event;
  /** What brought it: marked as stored before the run is started. */
  readonly delivery?: Delivery;
  readonly status: RunStatus;
  /** Why a run was refused, missed or ended early; in lower case for programs, in a sentence for people. */
  readonly code?: string;
  readonly reason?: string;
  /** When what a run was refused for is expected to be over. */
  readonly liftsAt?: string;
  readonly stop?: Stop;
  readonly approval?: Approval;
  /** Under which an execution that waits between two pieces of work is woken. */
  readonly waits?: string;
  /** Of a run that climbs a ladder. */
  readonly rungs?: readonly Rung[];
  /** Whether an execution was started for it; one that was not is started by the next duplicate or tick. */
  readonly started: boolean;
  /** The execution that works on it: a second one would do everything again. */
  readonly execution?: string;
  readonly readKey?: ReadKey;
  readonly plan?: { readonly hash: string; readonly waves: readonly number[]; readonly excluded: number };
  readonly counts: Counts;
  /**
   * Of a run that has ended, where somebody wanted to hear of that: `due` in the write that ends it, then what came of
   * telling. Whoever finds it due, and nothing at work on it, sends the notice.
   */
  readonly notice?: 'due' | 'told' | 'lost';
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
}

/** Instances per stored item: 500 of the longest entries stay far below DynamoDB's 400 KB. */
export const itemSize = 500;

export function runKey(runId: string): Key {
  return { pk: `run#${runId}`, sk: 'run' };
}

/**
 * The lists of a run. All are written once, but for the outcomes, which its one execution writes again and again. Those
 * with a 2 are read after an approval.
 */
export type RunList =
  | 'inventory'
  | 'details'
  | 'plan'
  | 'excluded'
  | 'outcomes'
  | 'inventory2'
  | 'details2'
  | 'drifted';

/** Key of the nth part of a list of a run; parts sort in order. */
export function partKey(runId: string, list: RunList, part: number): Key {
  return { pk: `run#${runId}`, sk: `${list}#${String(part).padStart(4, '0')}` };
}

/** Key of a delivery at a door: what a repeated one is recognised by. */
export function deliveryKey(door: string, key: string): Key {
  return { pk: `delivery#${door}`, sk: key };
}

/** A stored value as the record that this program wrote. Throws AutopilotError `record_unreadable` for anything else. */
export function recordOf(value: unknown): RunRecord {
  if (!isStoredRecord(value)) {
    throw new AutopilotError('record_unreadable', 'a stored run was not written by this version of the program');
  }
  return { ...value, job: thawed(value.job) };
}

/** The record of a run, or undefined. */
export async function readRecord(state: State, runId: string): Promise<RunRecord | undefined> {
  const item = await state.get(runKey(runId));
  return item === undefined ? undefined : recordOf(item.value);
}

/**
 * Changes the head of a run by a pure function, again and again until no other writer was in between; `change` may
 * return null to leave it as it is. With its end a run gets the time at which it may be forgotten. Returns the record as it then is. Throws AutopilotError `run_unknown`.
 */
export async function updateRecord(
  state: State,
  runId: string,
  change: (record: RunRecord) => RunRecord | null,
): Promise<RunRecord> {
  for (;;) {
    const item = await existing(state, runId);
    const before = recordOf(item.value);
    const after = change(before);
    if (after === null) return before;
    const options = { expiresAt: expiryOf(after) };
    if (await state.updateIf(runKey(runId), item.version, asJson(after), options)) return after;
  }
}

/** Writes a list in items of at most 500 entries, over whatever was there: a longer list of an earlier try is emptied. */
export async function writeList(
  state: State,
  record: RunRecord,
  list: RunList,
  entries: readonly object[],
): Promise<void> {
  const parts = Math.ceil(entries.length / itemSize);
  for (let part = 0; part < parts; part++) {
    await writePart(state, record, list, part, entries.slice(part * itemSize, (part + 1) * itemSize));
  }
  for (let part = parts; (await state.get(partKey(record.runId, list, part))) !== undefined; part++) {
    await writePart(state, record, list, part, []);
  }
}

/** Writes one item of a list. */
export async function writePart(
  state: State,
  record: RunRecord,
  list: RunList,
  part: number,
  entries: readonly object[],
): Promise<void> {
  await state.put(partKey(record.runId, list, part), asJson(entries), { expiresAt: expiryOf(record) });
}

/** Lets the lists of a run that has ended be forgotten together with its head. */
export async function expireLists(state: State, record: RunRecord): Promise<void> {
  const head = runKey(record.runId);
  const items = await state.query(head.pk, '');
  for (const item of items.filter(({ sk }) => sk !== head.sk)) {
    // Whatever another writer has just written there keeps the time that it was written with.
    await state.updateIf(item, item.version, item.value, { expiresAt: expiryOf(record) });
  }
}

/** A whole list, in order; each entry is read by `schema`. */
export async function readList<T>(
  state: State,
  runId: string,
  list: RunList,
  schema: v.GenericSchema<unknown, T>,
): Promise<T[]> {
  const items = await state.query(runKey(runId).pk, `${list}#`);
  const entries = v.array(schema);
  return items.flatMap((item) => v.parse(entries, item.value));
}

/** One item of a list; empty where there is none. */
export async function readPart<T>(
  state: State,
  runId: string,
  list: RunList,
  part: number,
  schema: v.GenericSchema<unknown, T>,
): Promise<T[]> {
  const item = await state.get(partKey(runId, list, part));
  return item === undefined ? [] : v.parse(v.array(schema), item.value);
}

/** Any value made of plain data, as JSON sees it: members that are undefined are left out. */
export function asJson(value: object): Json {
  const json: Json = JSON.parse(JSON.stringify(value));
  return json;
}

async function existing(state: State, runId: string): Promise<Item> {
  const item = await state.get(runKey(runId));
  if (item === undefined) throw new AutopilotError('run_unknown', `there is no run ${runId}`);
  return item;
}

/** As it is in the state: its job may have been frozen by an earlier version. */
interface StoredRecord extends Omit<RunRecord, 'job'> {
  readonly job: FrozenJob;
}

function isStoredRecord(value: unknown): value is StoredRecord {
  if (typeof value !== 'object' || value === null || !('v' in value) || value.v !== 1) return false;
  return 'runId' in value && 'job' in value && typeof value.job === 'object' && value.job !== null;
}

// The one way in for all doors: an event becomes a stored run, then an execution, in an order that loses nothing.
// What is stored is certain; what comes after it is repeated by the next duplicate or tick, and is harmless to repeat.

import * as v from 'valibot';
import type { Job } from '../config.ts';
import { AutopilotError, DoorError } from '../errors.ts';
import { type Event, runId } from '../event.ts';
import type { HttpAnswer } from '../http.ts';
import { asJson, deliveryKey, type RunRecord, type RunStatus, readRecord, runKey, updateRecord } from '../record.ts';
import { isGoing, noCounts } from '../report.ts';
import { expiryOf } from '../retention.ts';
import type { Runtime } from '../runtime.ts';
import { type NewReadKey, statusUrlOf } from './read-key.ts';

/** What accepting an event needs of the world. */
export type Entry = Pick<Runtime, 'state' | 'executions' | 'config' | 'now' | 'log'>;

/** How a repeated arrival is told from another one: `key` is the sender's, unique at its `door`. */
export interface Delivery {
  /** `hooks/JOB/AUTH` or `jobs/JOB`. */
  readonly door: string;
  readonly key: string;
  /** SHA-256 of the raw body, hex. */
  readonly bodyHash: string;
}

/** What a door answers. `duplicate`: the run was there before this arrival. `readKey`: only to who made it. */
export interface Accepted {
  readonly runId: string;
  readonly status: RunStatus;
  readonly duplicate: boolean;
  readonly readKey?: string;
}

const deliverySchema = v.object({ bodyHash: v.string(), runId: v.string() });

/**
 * Stores the delivery, then the event with the frozen job, then starts the execution, then marks the run as started. An
 * event that came before finds its run; whatever step of it was lost is made up for. Once the run is stored nothing
 * makes this fail: a lost start is logged, and repaired by the next duplicate or tick.
 * `readKey` is stored with a new run and with no other. Throws DoorError 409 `key_reused` for a known key with another
 * body.
 */
export async function accept(
  runtime: Entry,
  job: Job,
  event: Event,
  delivery?: Delivery,
  readKey?: NewReadKey,
): Promise<Accepted> {
  const own = newRecord(runtime, runId(runtime.config.stage, job.name, event.identity), job, event);
  const id = delivery === undefined ? own.runId : await claim(runtime, delivery, own);
  const fresh = { ...own, runId: id, ...(readKey !== undefined && { readKey: readKey.stored }) };
  const stored = await store(runtime, fresh);
  const record = stored ? fresh : await storedRecord(runtime, id);
  if (stored) runtime.log.info('run accepted', { runId: id, job: job.name, requestedBy: event.requestedBy });
  await ensureStarted(runtime, record);
  const key = stored && readKey !== undefined ? { readKey: readKey.text } : {};
  return { runId: id, status: record.status, duplicate: !stored, ...key };
}

/**
 * The answer to a delivery that has its run already, or undefined: it is given before the body is judged again, so that
 * a changed configuration changes nothing for a sender that repeats itself. Throws DoorError 409 `key_reused`.
 */
export async function repeated(runtime: Entry, delivery: Delivery): Promise<Accepted | undefined> {
  const known = await readDelivery(runtime, delivery);
  const record = known === undefined ? undefined : await readRecord(runtime.state, known);
  if (record === undefined) return undefined;
  await ensureStarted(runtime, record);
  return { runId: record.runId, status: record.status, duplicate: true };
}

/**
 * What a sender is told: 202 with the run's place for a new run, 200 for one that was there already. The place is without
 * scheme and host: the sender knows them, and a Host header is anybody's to set.
 */
export function acceptedAnswer({ runId, status, duplicate, readKey }: Accepted): HttpAnswer {
  if (duplicate) return { status: 200, body: { runId, status, duplicate } };
  const statusUrl = statusUrlOf(runId, readKey);
  return { status: 202, body: { runId, status, statusUrl }, headers: { location: statusUrl } };
}

/** Stores a run that ended before it began, once, and starts nothing. `code` is for programs, `reason` for people. */
export async function recordEnded(
  runtime: Pick<Entry, 'state' | 'config' | 'now'>,
  job: Job,
  event: Event,
  status: 'missed' | 'refused',
  code: string,
  reason: string,
): Promise<Accepted> {
  const id = runId(runtime.config.stage, job.name, event.identity);
  const fresh = newRecord(runtime, id, job, event);
  const ended: RunRecord = { ...fresh, status, code, reason, finishedAt: fresh.createdAt };
  const stored = await store(runtime, ended);
  const record = stored ? ended : await storedRecord(runtime, id);
  return { runId: id, status: record.status, duplicate: !stored };
}

/**
 * The id of the run that this delivery belongs to: its own, or the one that was stored with it before. The delivery is
 * remembered for as long as a run that is stored now can be.
 */
async function claim(runtime: Entry, { door, key, bodyHash }: Delivery, own: RunRecord): Promise<string> {
  const options = { expiresAt: expiryOf(own) };
  const place = deliveryKey(door, key);
  if (await runtime.state.putIfAbsent(place, { bodyHash, runId: own.runId }, options)) return own.runId;
  const known = (await readDelivery(runtime, { door, key, bodyHash })) ?? own.runId;
  // The run of a known delivery is being stored, was lost on its way, or is forgotten: it is stored (again) now.
  await runtime.state.put(place, { bodyHash, runId: known }, options);
  return known;
}

async function readDelivery(runtime: Entry, delivery: Delivery): Promise<string | undefined> {
  const item = await runtime.state.get(deliveryKey(delivery.door, delivery.key));
  if (item === undefined) return undefined;
  const known = v.parse(deliverySchema, item.value);
  if (known.bodyHash === delivery.bodyHash) return known.runId;
  throw new DoorError(409, 'key_reused', 'This key was used before, with another body.');
}

function newRecord(runtime: Pick<Entry, 'now'>, id: string, job: Job, event: Event): RunRecord {
  const createdAt = new Date(runtime.now()).toISOString();
  const { action } = job;
  return { v: 1, runId: id, job, action, event, status: 'accepted', started: false, counts: noCounts, createdAt };
}

function store(runtime: Pick<Entry, 'state'>, record: RunRecord): Promise<boolean> {
  const index = { job: record.job.name, createdAt: record.createdAt };
  return runtime.state.putIfAbsent(runKey(record.runId), asJson(record), { index, expiresAt: expiryOf(record) });
}

async function storedRecord(runtime: Pick<Entry, 'state'>, id: string): Promise<RunRecord> {
  const record = await readRecord(runtime.state, id);
  if (record === undefined) throw new AutopilotError('run_unknown', `the run ${id} was there and is gone`);
  return record;
}

async function ensureStarted(runtime: Entry, record: RunRecord): Promise<void> {
  if (record.started || !isGoing(record.status)) return;
  try {
    await runtime.executions.start(record.runId);
    await updateRecord(runtime.state, record.runId, (now) => (now.started ? null : { ...now, started: true }));
  } catch (error) {
    runtime.log.warn('run stored but not started', { runId: record.runId, job: record.job.name, error });
  }
}

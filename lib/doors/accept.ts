// The one way in for all doors: an event becomes a stored run, then an execution, in an order that loses nothing.
// What is stored is certain; what comes after it is repeated by the next duplicate or tick, and is harmless to repeat.

import type { Job } from '../config.ts';
import { AutopilotError } from '../errors.ts';
import { type Event, runId } from '../event.ts';
import type { HttpAnswer } from '../http.ts';
import { asJson, type Delivery, type RunRecord, type RunStatus, readRecord, runKey, updateRecord } from '../record.ts';
import { owed } from '../report/notice.ts';
import { isGoing, noCounts } from '../report.ts';
import { expiryOf } from '../retention.ts';
import type { Runtime } from '../runtime.ts';
import { type Claim, claim, noteStored, readDelivery } from './delivery.ts';
import { type NewReadKey, statusUrlOf } from './read-key.ts';

/** What accepting an event needs of the world. */
export type Entry = Pick<Runtime, 'state' | 'executions' | 'config' | 'now' | 'log'>;

/** What a door answers. `duplicate`: the run was there before this arrival. `readKey`: only to who made it. */
export interface Accepted {
  readonly runId: string;
  readonly status: RunStatus;
  readonly duplicate: boolean;
  readonly readKey?: string;
}

/**
 * Stores the delivery, then the event with the frozen job, notes at the delivery that this is done, starts the execution,
 * and marks the run as started. An event that came before finds its run; whatever step of it was lost is made up for. Once
 * the run is stored nothing makes this fail: a lost start is logged, and repaired by the next duplicate or tick.
 * A delivery is remembered longer than its run and starts nothing then. An event without one is known by its run alone:
 * whoever brings such events again after the retention has to know their age.
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
  const claimed = delivery === undefined ? undefined : await claim(runtime.state, delivery, own);
  const found = claimed?.stored === true ? await findAgain(runtime, claimed) : undefined;
  if (found !== undefined) return found;
  const id = claimed?.runId ?? own.runId;
  const brought = delivery === undefined ? own : { ...own, runId: id, delivery };
  const fresh = readKey === undefined ? brought : { ...brought, readKey: readKey.stored };
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
  const known = await readDelivery(runtime.state, delivery);
  return known === undefined ? undefined : findAgain(runtime, known);
}

/**
 * Stores the run of an event that is known by its identity alone, and starts nothing: whoever stores many starts them
 * afterwards. `isNew`: it was not there yet.
 */
export async function storeRun(
  runtime: Pick<Entry, 'state' | 'now' | 'config' | 'log'>,
  job: Job,
  event: Event,
): Promise<{ readonly record: RunRecord; readonly isNew: boolean }> {
  const fresh = newRecord(runtime, runId(runtime.config.stage, job.name, event.identity), job, event);
  if (!(await store(runtime, fresh))) return { record: await storedRecord(runtime, fresh.runId), isNew: false };
  runtime.log.info('run accepted', { runId: fresh.runId, job: job.name, requestedBy: event.requestedBy });
  return { record: fresh, isNew: true };
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

/**
 * Stores a run that ended before it began, once, and starts nothing: whoever has to be told of it is told by the next
 * tick. `code` is for programs, `reason` for people.
 */
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
  const told = owed(runtime.config, status);
  const ended: RunRecord = { ...fresh, status, code, reason, finishedAt: fresh.createdAt, ...told };
  const stored = await store(runtime, ended);
  const record = stored ? ended : await storedRecord(runtime, id);
  return { runId: id, status: record.status, duplicate: !stored };
}

/** The run of a known delivery; undefined where it was not stored yet. */
async function findAgain(runtime: Entry, { runId, stored }: Claim): Promise<Accepted | undefined> {
  const record = await readRecord(runtime.state, runId);
  if (record !== undefined) await ensureStarted(runtime, record);
  else if (!stored) return undefined;
  // How a forgotten run ended nobody knows any more. That it was accepted is what its sender was told, and still true.
  return { runId, status: record?.status ?? 'accepted', duplicate: true };
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

/** Starts a stored run that was not started yet. Where that fails it is logged: the next duplicate or tick starts it. */
export async function ensureStarted(
  runtime: Pick<Entry, 'state' | 'executions' | 'log'>,
  record: RunRecord,
): Promise<void> {
  if (record.started || !isGoing(record.status)) return;
  try {
    await noteStored(runtime.state, record);
    await runtime.executions.start(record.runId);
    await noteStarted(runtime.state, record);
  } catch (error) {
    runtime.log.warn('run stored but not started', { runId: record.runId, job: record.job.name, error });
  }
}

async function noteStarted(state: Entry['state'], record: RunRecord): Promise<void> {
  const { runId } = record;
  const options = { expiresAt: expiryOf(record) };
  // As it was stored, in most cases, which spares reading it again.
  if (await state.updateIf(runKey(runId), 1, asJson({ ...record, started: true }), options)) return;
  await updateRecord(state, runId, (now) => (now.started ? null : { ...now, started: true }));
}

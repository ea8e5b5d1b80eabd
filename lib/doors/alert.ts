// What comes of deliveries of alerts: everything is stored before anything is started, so that a delivery that comes again,
// comes twice at once or comes out of order finds what it has caused already. DCS is never asked.

import type { AlertDelivery, IgnoredAlert } from '../alert.ts';
import type { Project } from '../config.ts';
import { watchStorm } from '../episode/storm.ts';
import { readFlags, type Storm } from '../guards/flags.ts';
import type { Refusal } from '../guards.ts';
import type { HttpAnswer } from '../http.ts';
import { asJson, deliveryKey, type RunRecord } from '../record.ts';
import { day } from '../retention.ts';
import type { Runtime } from '../runtime.ts';
import type { State } from '../state.ts';
import { type Entry, ensureStarted } from './accept.ts';
import { act, type Circumstances } from './alert-act.ts';
import { type HeardAlert, hearAlert } from './alert-hear.ts';
import { type Found, findJobs, nameOf, notFiring } from './alert-jobs.ts';

/** A run that an alert has started. `instanceId` null: the alert names the instance otherwise, and the run finds it. */
export interface StartedRun {
  readonly runId: string;
  readonly job: string;
  readonly instanceId: string | null;
}

/** An alert that started nothing; `job`: which job took it, `runId`: the run that it has already. */
export interface IgnoredJob extends IgnoredAlert {
  readonly job?: string;
  readonly runId?: string;
}

/** What came of deliveries. */
export interface Taken {
  readonly started: readonly StartedRun[];
  readonly ignored: readonly IgnoredJob[];
}

/** Executions that one delivery starts; the rest is stored and started by the tick. */
const maxStarts = 200;
/** Nothing more is started after so many ms: SMN waits five seconds for its answer. */
const startsWithin = 2_500;
/** Executions that are started at once; the time is looked at between them. */
const startsAtOnce = 20;
/** Alerts that are worked on at once: each turn waits for what else the state has to do. */
const atOnce = 1_000;
/** A delivery is known by its id for so many ms; longer than its source repeats it. */
const deliveryKept = 3 * day;

/** Takes what came: stores it, starts what is to be started, and says what became of each alert. */
export async function takeAlerts(
  runtime: Entry & Pick<Runtime, 'metrics'>,
  deliveries: readonly AlertDelivery[],
): Promise<Taken> {
  const began = runtime.now();
  const parts: Taken[] = [];
  for (const delivery of deliveries) parts.push(await takeDelivery(runtime, delivery, began));
  return { started: parts.flatMap(({ started }) => started), ignored: parts.flatMap(({ ignored }) => ignored) };
}

/** The answer to a delivery over HTTP. */
export function takenAnswer(taken: Taken): HttpAnswer {
  return { status: 202, body: asJson(taken) };
}

async function takeDelivery(
  runtime: Entry & Pick<Runtime, 'metrics'>,
  delivery: AlertDelivery,
  began: number,
): Promise<Taken> {
  const { source, deliveryId, alerts } = delivery;
  if (deliveryId !== undefined && (await wasTaken(runtime.state, delivery))) {
    const reason = 'this message was taken before';
    return { started: [], ignored: [{ alert: deliveryId, code: 'duplicate', reason }] };
  }
  const heard = await hearAll(runtime, findJobs(runtime.config, alerts), began);
  const circumstances = { now: began, storms: await stormsOf(runtime, heard, began) };
  const parts = await inTurns(heard, (each) => partOf(runtime, each, circumstances));
  await startSome(runtime, parts, began);
  await noteTaken(runtime.state, delivery, began);
  const started = parts.flatMap((part) => part.started);
  const ignored = [...delivery.ignored, ...truncatedOf(delivery), ...parts.flatMap((part) => part.ignored)];
  const codes = tally(ignored);
  for (const [Code, count] of Object.entries(codes)) runtime.metrics.count('AlertsIgnored', count, { Code });
  runtime.log.info('alerts taken', { source, alerts: alerts.length, started: started.length, ignored: codes });
  return { started, ignored };
}

/** Alerts of one series stay in their order; others do not wait for each other. */
async function hearAll(runtime: Entry, found: readonly Found[], now: number): Promise<readonly HeardAlert[]> {
  const clear = found.filter(({ alert }) => alert.status !== 'unclear');
  const series = Map.groupBy(clear, ({ alert }) => JSON.stringify([alert.source, alert.rule, alert.fingerprint]));
  const heard = new Map<Found, HeardAlert>();
  await inTurns([...series.values()], async (alike) => {
    for (const each of alike) heard.set(each, await hearAlert(runtime, each, now));
  });
  return found.map((each) => heard.get(each) ?? { ...each, series: null, arrival: 'over', stopped: [], isEcho: false });
}

/**
 * What stands in each project that somebody may act in; counted anew where an alert has no run yet, whoever was the first
 * to hear of it: the peer of its sender, or we ourselves before something failed, may not have come to the counting.
 */
async function stormsOf(
  { state, log, config }: Entry,
  heard: readonly HeardAlert[],
  now: number,
): Promise<ReadonlyMap<string, Storm | null>> {
  const projects = new Map<string, { project: Project; mayAct: boolean }>();
  for (const { candidates, series } of heard.filter(isFiring)) {
    for (const { job } of candidates) {
      const mayAct = series?.runs[job.name] === undefined || projects.get(job.project.name)?.mayAct === true;
      projects.set(job.project.name, { project: job.project, mayAct });
    }
  }
  const storms = new Map<string, Storm | null>();
  for (const [name, { project, mayAct }] of projects) {
    const ports = { state, log, alertStorm: config.alertStorm, now };
    storms.set(name, mayAct ? await watchStorm(ports, project) : (await readFlags(state, name)).storm);
  }
  return storms;
}

/** What came of one alert, and the runs that it has. */
interface Part extends Taken {
  readonly records: readonly RunRecord[];
}

async function partOf(runtime: Entry, heard: HeardAlert, circumstances: Circumstances): Promise<Part> {
  const name = nameOf(heard.alert);
  const refusal = refusalOf(heard);
  if (refusal !== null || heard.series === null) return { ...nothing, ignored: [ignoring(name, refusal ?? noMatch)] };
  const part: { started: StartedRun[]; ignored: IgnoredJob[]; records: RunRecord[] } = {
    started: [],
    ignored: [],
    records: [],
  };
  for (const candidate of heard.candidates) {
    const done = await act(runtime, { ...heard, series: heard.series }, candidate, circumstances);
    const job = candidate.name;
    if (done.record !== undefined) part.records.push(done.record);
    if (done.kind === 'started') {
      part.started.push({ runId: done.record.runId, job, instanceId: done.instanceId });
      continue;
    }
    const known = done.record === undefined ? {} : { runId: done.record.runId };
    part.ignored.push({ ...ignoring(name, done.refusal), job, ...known });
  }
  return part;
}

const nothing: Part = { started: [], ignored: [], records: [] };
const noMatch: Refusal = { code: 'no_match', reason: 'no job takes it' };

/** Why nobody acts on an alert, whatever the job. */
function refusalOf({ alert, arrival, candidates, series }: HeardAlert): Refusal | null {
  if (candidates.length === 0 && series === null) return noMatch;
  const status = notFiring(alert);
  if (status !== null) return status;
  if (candidates.length === 0) return noMatch;
  if (arrival === 'over') return { code: 'resolved', reason: 'its end came before this message' };
  return arrival === 'superseded' ? { code: 'superseded', reason: 'a later episode of it is known' } : null;
}

function isFiring({ arrival, series }: HeardAlert): boolean {
  return series !== null && (arrival === 'begun' || arrival === 'again');
}

/** Last of all, since a start is the slowest of it: all that is left over is stored, and the tick's. */
async function startSome(runtime: Entry, parts: readonly Part[], began: number): Promise<void> {
  const waiting = parts.flatMap(({ records }) => records).filter(({ started }) => !started);
  const start = async (record: RunRecord): Promise<void> => {
    if (runtime.now() - began < startsWithin) await ensureStarted(runtime, record);
  };
  await inTurns(waiting.slice(0, maxStarts), start, startsAtOnce);
}

async function wasTaken(state: State, { source, deliveryId = '' }: AlertDelivery): Promise<boolean> {
  return (await state.get(deliveryKey(`alerts/${source}`, deliveryId))) !== undefined;
}

/** Only now: a message that was taken in part comes again. */
async function noteTaken(state: State, { source, deliveryId }: AlertDelivery, now: number): Promise<void> {
  if (deliveryId === undefined) return;
  await state.put(deliveryKey(`alerts/${source}`, deliveryId), { at: now }, { expiresAt: now + deliveryKept });
}

function truncatedOf({ truncated }: AlertDelivery): readonly IgnoredJob[] {
  if (truncated === 0) return [];
  return [{ alert: 'truncated', code: 'truncated', reason: `the sender left out ${truncated} alerts of this group` }];
}

function ignoring(alert: string, { code, reason }: Refusal): IgnoredJob {
  return { alert, code, reason };
}

function tally(ignored: readonly IgnoredJob[]): Readonly<Record<string, number>> {
  const codes = Map.groupBy(ignored, ({ code }) => code);
  return Object.fromEntries([...codes].map(([code, all]) => [code, all.length]));
}

/** Works on all items, some at a time; results in the order of the items. */
async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>, most = atOnce): Promise<R[]> {
  const results: R[] = [];
  for (let from = 0; from < items.length; from += most) {
    results.push(...(await Promise.all(items.slice(from, from + most).map(work))));
  }
  return results;
}

// The second half of a delivery: what speaks against acting on an open episode, in the order of the guards, and the run
// where nothing does. The run is noted with its episode before it is stored, so that whoever ends the episode finds it.

import type { Alert } from '../alert.ts';
import { projectKey } from '../config.ts';
import { type Claim, claimInstance, readSeries, releaseClaim, updateSeries } from '../episode/alerting.ts';
import { isOpen, type Series, stale, withRun } from '../episode.ts';
import { type Event, runId } from '../event.ts';
import { readCoolsUntil } from '../guards/cooldown.ts';
import type { Storm } from '../guards/flags.ts';
import type { Refusal } from '../guards.ts';
import type { InstanceReference } from '../match/reference.ts';
import { type RunRecord, readRecord } from '../record.ts';
import { type Entry, storeRun } from './accept.ts';
import { type HeardAlert, stopAll } from './alert-hear.ts';
import { type Candidate, instanceKey } from './alert-jobs.ts';

/** What came of one job for one alert that fires. `record`: the run, which may not have been started yet. */
export type Act =
  | { readonly kind: 'started'; readonly record: RunRecord; readonly instanceId: string | null }
  | Ignored;

interface Ignored {
  readonly kind: 'ignored';
  readonly refusal: Refusal;
  /** The run that it has already. */
  readonly record?: RunRecord;
}

/** What is the same for all alerts of a delivery. `now`: ms since the epoch. */
export interface Circumstances {
  readonly now: number;
  /** The storms that stand, by the name of the project. */
  readonly storms: ReadonlyMap<string, Storm | null>;
}

/** Decides on one job for one alert, and stores its run where it acts. */
export async function act(
  runtime: Entry,
  { alert, series, isEcho }: HeardAlert & { readonly series: Series },
  candidate: Candidate,
  { now, storms }: Circumstances,
): Promise<Act> {
  const { job, trigger, reference, refusal } = candidate;
  if (refusal !== null || reference === null) return ignored(refusal ?? noInstance);
  const event = eventOf(alert, series.startsAt, reference, now);
  const own = runId(runtime.config.stage, job.name, event.identity);
  const isLate = stale(trigger, series.startsAt, now);
  const known = series.runs[job.name];
  if (known !== undefined) return repeated(runtime, candidate, event, { alert, known, isLate: isLate !== null });
  const claim = { ...claimOf(candidate, reference), runId: own, series: alert, startsAt: series.startsAt };
  const storm = storms.get(job.project.name) ?? null;
  const against =
    isLate ??
    (storm === null ? null : inStorm(storm)) ??
    (isEcho ? ownEcho : null) ??
    (await cooling(runtime, candidate, now)) ??
    (await inWork(runtime, claim, now));
  if (against !== null) return ignored(against);
  const after = await updateSeries(runtime.state, alert, (current) =>
    current !== null && isSame(current, series) && current.runs[job.name] === undefined
      ? withRun(current, job.name, own)
      : null,
  );
  if (after === null || !isSame(after, series)) {
    await releaseClaim(runtime.state, claim, now);
    return ignored(goneBy);
  }
  return give(runtime, candidate, event, alert);
}

/** The run that the episode has already. Where it got lost on the way it is made up for, unless nobody expects it any more. */
async function repeated(
  runtime: Entry,
  candidate: Candidate,
  event: Event,
  { alert, known, isLate }: { readonly alert: Alert; readonly known: string; readonly isLate: boolean },
): Promise<Act> {
  const record = await readRecord(runtime.state, known);
  if (record !== undefined) return { ...ignored(duplicate(known)), record };
  const isOwn = known === runId(runtime.config.stage, candidate.name, event.identity);
  return isLate || !isOwn ? ignored(duplicate(known)) : give(runtime, candidate, event, alert);
}

/** Stores the run; a peer that did so a moment before has started it. */
async function give(runtime: Entry, { job, reference }: Candidate, event: Event, alert: Alert): Promise<Act> {
  const { record, isNew } = await storeRun(runtime, job, event);
  await stopLate(runtime, alert, record.runId);
  if (!isNew) return { ...ignored(duplicate(record.runId)), record };
  return { kind: 'started', record, instanceId: reference?.by === 'id' ? reference.value : null };
}

function duplicate(known: string): Refusal {
  return { code: 'duplicate', reason: `the run ${known} is its run already` };
}

/** Whoever ended the episode while its run was being stored could not stop the run; this can. */
async function stopLate(runtime: Entry, alert: Alert, own: string): Promise<void> {
  const { series } = await readSeries(runtime.state, alert);
  if (series?.toStop.includes(own)) await stopAll(runtime, { ...alert, status: 'resolved' }, [own]);
}

function isSame(current: Series, heard: Series): boolean {
  return isOpen(current) && current.startsAt === heard.startsAt;
}

async function cooling({ state }: Entry, { job, reference }: Candidate, now: number): Promise<Refusal | null> {
  if (reference?.by !== 'id') return null;
  const until = await readCoolsUntil(state, job, reference.value, now);
  if (until === null) return null;
  return {
    code: 'cooling_down',
    reason: `it was acted on a short while ago and is left alone until ${until}`,
    liftsAt: until,
  };
}

async function inWork({ state }: Entry, claim: Claim, now: number): Promise<Refusal | null> {
  const holder = await claimInstance(state, claim, now);
  return holder === null ? null : { code: 'in_work', reason: `the run ${holder} of another alert works on it` };
}

function claimOf({ job }: Candidate, reference: InstanceReference): Pick<Claim, 'job' | 'project' | 'instance'> {
  return { job: job.name, project: projectKey(job.project), instance: instanceKey(reference) };
}

function inStorm({ reason, until }: Storm): Refusal {
  return { code: 'alert_storm', reason, liftsAt: until };
}

const noInstance: Refusal = { code: 'no_instance', reason: 'the alert names no instance' };
const ownEcho: Refusal = { code: 'own_echo', reason: 'our own work on the instance causes this alert' };
const goneBy: Refusal = { code: 'resolved', reason: 'its episode ended in the meantime' };

/** The event of an episode: its identity is that of the episode, whichever message told of it. */
function eventOf(
  { source, rule, fingerprint }: Alert,
  startsAt: string,
  reference: InstanceReference,
  now: number,
): Event {
  return {
    trigger: 'alert',
    identity: [source, rule, fingerprint, startsAt],
    requestedBy: `alert:${source}`,
    receivedAt: new Date(now).toISOString(),
    ...(reference.by === 'id' ? { instances: [reference.value] } : { reference }),
    reason: `${rule.replace(/[\p{Cc}\u2028\u2029]/gu, ' ').slice(0, 200)} fires`,
  };
}

function ignored(refusal: Refusal): Ignored {
  return { kind: 'ignored', refusal };
}

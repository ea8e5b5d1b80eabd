// `POST /runs/{id}/retry`: a new run of what an ended one has not done. There is one such run for each ended one, so that
// a request which is sent twice does not act twice; whoever wants more retries the retry.

import * as v from 'valibot';
import { hashOf } from '../canonical.ts';
import { type Job, projectKey } from '../config.ts';
import { DoorError } from '../errors.ts';
import { type Event, reasonText, refuseDisabled } from '../event.ts';
import { type HttpAnswer, type HttpRequest, limitBody, notFound, readJson, readMembers } from '../http.ts';
import { admit } from '../operator.ts';
import { plannedSchema } from '../plan.ts';
import { type RunRecord, readList, readRecord } from '../record.ts';
import { intoWaves, isGoing, outcomeSchema } from '../report.ts';
import type { Runtime } from '../runtime.ts';
import { accept, acceptedAnswer } from './accept.ts';
import { findJob } from './manual.ts';
import { refuseParameters } from './query.ts';
import { notInState } from './steer.ts';

/** A retry. */
export const retryBody = v.strictObject({ reason: v.exactOptional(reasonText) });

/**
 * Starts it with the job as it is configured now: whoever has made its guards stricter since means it. What it does, and
 * to which project, has to be the same: a job that flushes by now is no retry of a restart. What ended as `unknown` is not
 * sent again: it may have been done. Throws DoorError 404, 409 `wrong_status`, 422 `job_changed`, `nothing_to_retry`.
 */
export async function retryRun(runtime: Runtime, request: HttpRequest, id: string): Promise<HttpAnswer> {
  const operator = await admit(runtime, request.headers, 'run');
  limitBody(request);
  refuseParameters(request);
  const { reason } = readMembers(retryBody, readJson(request.body), 'body');
  const record = await readRecord(runtime.state, id);
  if (record === undefined) throw notFound('There is no such run.');
  if (isGoing(record.status)) throw notInState(record);
  const job = findJob(runtime.config, record.job.name);
  refuseDisabled(job);
  refuseChanged(record.job, job);
  const event: Event = {
    trigger: 'manual',
    identity: ['retry', id],
    requestedBy: `operator:${operator.name}`,
    receivedAt: new Date(runtime.now()).toISOString(),
    instances: await undone(runtime, record),
    reason: reason ?? `retry of ${id}`,
    retryOf: id,
  };
  return acceptedAnswer(await accept(runtime, job, event));
}

function refuseChanged(before: Job, now: Job): void {
  const what = ({ action, ladder, project }: Job): string =>
    hashOf([action, [...(ladder?.rungs ?? [])], projectKey(project)]);
  if (what(before) === what(now)) return;
  const message = `The job ${now.name} was configured anew since: it does not do the same to the same project any more.`;
  throw new DoorError(422, 'job_changed', message);
}

/**
 * Failed, not started, or planned and without an outcome, as in a run that was stopped before its first wave. One that
 * ended before its plan leaves what it was asked for. A dry run was never meant to do anything.
 */
async function undone({ state }: Runtime, { runId, status, event, job, plan }: RunRecord): Promise<string[]> {
  const outcomes = await readList(state, runId, 'outcomes', outcomeSchema);
  const planned = intoWaves(await readList(state, runId, 'plan', plannedSchema), plan?.waves ?? []).flat();
  const known = new Map(outcomes.map((outcome) => [outcome.instanceId, outcome.status]));
  const asked = plan === undefined ? (event.instances ?? []) : planned.map(({ instanceId }) => instanceId);
  const ids = [...new Set([...asked, ...known.keys()])].filter((id) => {
    return ['failed', 'not_started'].includes(known.get(id) ?? 'not_started');
  });
  const isDry = job.dryRun || event.dryRun === true;
  if (ids.length > 0 && !isDry) return ids;
  throw new DoorError(422, 'nothing_to_retry', `The run is ${status}; it left nothing failed or not started.`);
}

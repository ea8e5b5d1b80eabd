// `POST /runs/{id}/retry`: a new run of what an ended one has not done. There is one such run for each ended one, so that
// a request which is sent twice does not act twice; whoever wants more retries the retry.

import * as v from 'valibot';
import { DoorError } from '../errors.ts';
import { type Event, reasonText, refuseDisabled } from '../event.ts';
import { type HttpAnswer, type HttpRequest, limitBody, notFound, readJson, readMembers } from '../http.ts';
import { admit } from '../operator.ts';
import { type RunRecord, readList, readRecord } from '../record.ts';
import { isGoing, outcomeSchema } from '../report.ts';
import type { Runtime } from '../runtime.ts';
import { accept, acceptedAnswer } from './accept.ts';
import { findJob } from './manual.ts';
import { refuseParameters } from './query.ts';
import { notInState } from './steer.ts';

const retryBody = v.strictObject({ reason: v.exactOptional(reasonText) });

/**
 * Starts it with the job as it is configured now: whoever has made its guards stricter since means it. What ended as
 * `unknown` is not sent again: it may have been done. Throws DoorError 404, 409 `wrong_status`, 422 `nothing_to_retry`.
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

async function undone({ state }: Runtime, { runId, status }: RunRecord): Promise<string[]> {
  const outcomes = await readList(state, runId, 'outcomes', outcomeSchema);
  const ids = outcomes
    .filter((outcome) => outcome.status === 'failed' || outcome.status === 'not_started')
    .map(({ instanceId }) => instanceId);
  if (ids.length > 0) return ids;
  throw new DoorError(422, 'nothing_to_retry', `The run is ${status}; it left nothing failed or not started.`);
}

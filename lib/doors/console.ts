// What operators can do: look at runs, and start one by hand. Each of these lets nobody in who is not an operator with the
// right to it, but for the run of a read key.

import { type HttpAnswer, type HttpRequest, limitBody, notFound } from '../http.ts';
import { admit } from '../operator.ts';
import { asJson } from '../record.ts';
import { runView } from '../report.ts';
import type { Runtime } from '../runtime.ts';
import { accept, acceptedAnswer, repeated } from './accept.ts';
import { listRuns, readListQuery } from './listing.ts';
import { findJob, manualDelivery, manualEvent } from './manual.ts';
import { refuseParameters } from './query.ts';
import { readableRecord, readWait, whenEnded } from './watch.ts';

/** `GET /runs?job&status&limit&cursor`: `{runs, next?}`, newest first, over all jobs of the configuration or one. */
export async function showRuns(runtime: Runtime, request: HttpRequest): Promise<HttpAnswer> {
  await admit(runtime, request.headers, 'read');
  const query = readListQuery(request);
  const jobs = query.job === undefined ? Object.keys(runtime.config.jobs) : [query.job];
  return { status: 200, body: asJson(await listRuns(runtime.state, jobs, query)) };
}

/** `GET /runs/{id}?wait&key`: a run with its plan and outcomes, at once or when it has ended. */
export async function showRun(runtime: Runtime, request: HttpRequest, id: string): Promise<HttpAnswer> {
  const record = await readableRecord(runtime, request, id);
  const wait = readWait(request);
  if (record === undefined) throw notFound('There is no such run.');
  const last = await whenEnded(runtime, record, wait);
  return { status: 200, body: asJson(await runView(runtime.state, last)) };
}

/** `POST /jobs/{job}/runs`: any job may be run by hand; a repeated Idempotency-Key finds its run. */
export async function startRun(runtime: Runtime, request: HttpRequest, name: string): Promise<HttpAnswer> {
  const operator = await admit(runtime, request.headers, 'run');
  const job = findJob(runtime.config, name);
  limitBody(request);
  refuseParameters(request);
  const delivery = manualDelivery(job, request);
  const known = delivery === undefined ? undefined : await repeated(runtime, delivery);
  if (known !== undefined) return acceptedAnswer(known);
  const event = manualEvent(job, operator, delivery?.key ?? runtime.randomId(), request, runtime.now());
  return acceptedAnswer(await accept(runtime, job, event, delivery));
}

// What somebody says to a run that is there already: approve its plan, reject it, stop it. What is said is written into
// the record first; waking the execution comes after it and is repeated by the tick where it is lost.

import * as v from 'valibot';
import type { Operator, Right } from '../config.ts';
import { DoorError } from '../errors.ts';
import { reasonText } from '../event.ts';
import { type HttpAnswer, type HttpRequest, limitBody, notFound, readJson, readMembers } from '../http.ts';
import { admit } from '../operator.ts';
import { type Approval, type Decision, type RunRecord, readRecord, type Stop, updateRecord } from '../record.ts';
import { isGoing } from '../report.ts';
import type { Runtime } from '../runtime.ts';
import { refuseParameters } from './query.ts';
import { stopRun, wake } from './stopping.ts';

/** A word on a plan. */
export const decisionBody = v.strictObject({
  planHash: v.pipe(v.string('must be a hash'), v.regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits')),
  reason: v.exactOptional(reasonText),
});

/** A cancel. */
export const cancelBody = v.strictObject({ reason: v.exactOptional(reasonText) });

/** `POST /runs/{id}/approve`: another operator than the requester lets a plan go on, by its hash. */
export async function approveRun(runtime: Runtime, request: HttpRequest, id: string): Promise<HttpAnswer> {
  return decide(runtime, request, id, 'approved');
}

/** `POST /runs/{id}/reject`: the run ends as refused. */
export async function rejectRun(runtime: Runtime, request: HttpRequest, id: string): Promise<HttpAnswer> {
  return decide(runtime, request, id, 'rejected');
}

/** `POST /runs/{id}/cancel`: nothing more is sent; what was sent is verified. */
export async function cancelRun(runtime: Runtime, request: HttpRequest, id: string): Promise<HttpAnswer> {
  const { operator, record, body } = await receive(runtime, request, id, 'cancel', cancelBody);
  const by = `operator:${operator.name}`;
  const reason = body.reason ?? 'cancelled';
  const stop: Stop = { code: 'cancelled', reason, by, at: new Date(runtime.now()).toISOString() };
  const after = await stopRun(runtime, record.runId, stop);
  if (!isGoing(after.status)) throw notInState(after);
  return accepted(after);
}

async function decide(
  runtime: Runtime,
  request: HttpRequest,
  id: string,
  verdict: Decision['verdict'],
): Promise<HttpAnswer> {
  const { operator, record, body } = await receive(runtime, request, id, 'approve', decisionBody);
  const by = `operator:${operator.name}`;
  if (verdict === 'approved' && record.event.requestedBy === by) {
    throw new DoorError(403, 'own_request', 'Whoever asked for a run cannot approve it.');
  }
  const now = runtime.now();
  const at = new Date(now).toISOString();
  const decision: Decision = { verdict, by, at, ...(body.reason !== undefined && { reason: body.reason }) };
  const after = await updateRecord(runtime.state, id, (before) => {
    const approval = openApproval(before, body.planHash);
    if (approval.decision === undefined) {
      // The execution may sleep a while longer than it asked to; it would not take this word either.
      if (now > Date.parse(approval.lapsesAt)) throw new DoorError(409, 'approval_lapsed', 'The word came too late.');
      return { ...before, approval: { ...approval, decision } };
    }
    if (approval.decision.verdict === verdict && approval.decision.by === by) return null;
    throw new DoorError(409, 'decided', `The plan was ${approval.decision.verdict} already.`);
  });
  runtime.log.info(`plan ${verdict}`, { runId: id, job: record.job.name, by, planHash: body.planHash });
  await wake(runtime, after);
  return accepted(after);
}

/** The approval that is waited for. Throws DoorError 409 where none is, or one of another plan. */
function openApproval(record: RunRecord, planHash: string): Approval {
  const { status, approval, stop } = record;
  if (status !== 'awaiting_approval' || approval === undefined || stop !== undefined) throw notInState(record);
  if (approval.planHash === planHash) return approval;
  throw new DoorError(409, 'other_plan', `The run waits for a word on the plan ${approval.planHash}.`);
}

interface Received<T> {
  readonly operator: Operator;
  readonly record: RunRecord;
  readonly body: T;
}

async function receive<E extends v.ObjectEntries>(
  runtime: Runtime,
  request: HttpRequest,
  id: string,
  right: Right,
  schema: v.StrictObjectSchema<E, undefined>,
): Promise<Received<v.InferOutput<v.StrictObjectSchema<E, undefined>>>> {
  const operator = await admit(runtime, request.headers, right);
  limitBody(request);
  refuseParameters(request);
  const record = await readRecord(runtime.state, id);
  if (record === undefined) throw notFound('There is no such run.');
  return { operator, record, body: readMembers(schema, readJson(request.body), 'body') };
}

/** The refusal of what a run cannot take in its state. */
export function notInState({ status, stop }: RunRecord): DoorError {
  const what = stop !== undefined && isGoing(status) ? 'is being stopped' : `is ${status}`;
  return new DoorError(409, 'wrong_status', `The run ${what}.`);
}

function accepted({ runId, status }: RunRecord): HttpAnswer {
  return { status: 202, body: { runId, status, statusUrl: `/runs/${runId}` } };
}

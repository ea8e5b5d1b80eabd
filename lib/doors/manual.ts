// What a request to `/jobs/{job}/runs` means: which job an operator wants to run, and what of it.

import { sha256 } from '../canonical.ts';
import type { Config, Job, Operator } from '../config.ts';
import { type Event, readManualBody, refuseDisabled } from '../event.ts';
import { type HttpRequest, malformed, notFound, readJson, readKey } from '../http.ts';
import { withoutRight } from '../operator.ts';
import type { Delivery } from '../record.ts';

/** A job by its name. Throws DoorError 404. */
export function findJob(config: Config, name: string): Job {
  const job = Object.hasOwn(config.jobs, name) ? config.jobs[name] : undefined;
  if (job === undefined) throw notFound('There is no such job.');
  return job;
}

/**
 * What a repeated request is recognised by: its Idempotency-Key; undefined without one. An instant is no such key, since
 * it is the identity of a scheduled run, which must not be started early under its own id.
 * Throws DoorError 400 `malformed`.
 */
export function manualDelivery(job: Job, request: HttpRequest): Delivery | undefined {
  const header = 'idempotency-key';
  if (request.headers[header] === undefined) return undefined;
  const key = readKey(request.headers, header);
  if (key === undefined) throw faultyKey(header, 'must have 1 to 128 printable ASCII characters');
  if (/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(key)) throw faultyKey(header, 'must not be an instant');
  return { door: `jobs/${job.name}`, key, bodyHash: sha256(request.body) };
}

/** The event of an operator's request. Throws DoorError 400 and 422 for what it must not ask for. */
export function manualEvent(job: Job, operator: Operator, key: string, request: HttpRequest, now: number): Event {
  refuseDisabled(job);
  const asked = readManualBody(job, readJson(request.body));
  if (asked.breakGlass === true && !operator.may.includes('breakGlass')) throw withoutRight(operator, 'breakGlass');
  const receivedAt = new Date(now).toISOString();
  return { trigger: 'manual', identity: key, requestedBy: `operator:${operator.name}`, receivedAt, ...asked };
}

function faultyKey(header: string, message: string) {
  return malformed(`The header ${header} ${message}.`, [{ path: header, message }]);
}

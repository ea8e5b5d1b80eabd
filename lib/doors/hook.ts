// What a request to `/hooks/{job}` means: which job it is for, what a repeated one is recognised by, what it asks for.

import { sha256 } from '../canonical.ts';
import type { Config, Job, WebhookTrigger } from '../config.ts';
import { DoorError } from '../errors.ts';
import { type Event, readHookBody, refuseDisabled } from '../event.ts';
import { type HttpRequest, notFound, readJson, readKey } from '../http.ts';
import type { Delivery } from './accept.ts';

/** A job that has a webhook, and its trigger. */
export interface Hook {
  readonly job: Job;
  readonly trigger: WebhookTrigger;
}

/** The hook of a job. Throws DoorError 404 for a job that does not exist or has no webhook. */
export function findHook(config: Config, name: string): Hook {
  const job = Object.hasOwn(config.jobs, name) ? config.jobs[name] : undefined;
  if (job?.trigger.type !== 'webhook') throw notFound('There is no such hook.');
  return { job, trigger: job.trigger };
}

/**
 * What a repeated delivery is recognised by: the webhook-id of a signed one, the Idempotency-Key of another one.
 * Throws DoorError 400 `key_required`.
 */
export function hookDelivery({ job, trigger }: Hook, request: HttpRequest): Delivery {
  const header = trigger.auth === 'bearer' ? 'idempotency-key' : 'webhook-id';
  const key = readKey(request.headers, header);
  if (key !== undefined) return { door: `hooks/${job.name}/${trigger.auth}`, key, bodyHash: sha256(request.body) };
  const message = 'must have 1 to 128 printable ASCII characters';
  throw new DoorError(400, 'key_required', `The header ${header} ${message}.`, [{ path: header, message }]);
}

/** The event of a hook's request that is let in. Throws DoorError 400 and 422 for what it must not ask for. */
export function hookEvent({ job, trigger }: Hook, key: string, request: HttpRequest, now: number): Event {
  refuseDisabled(job);
  const asked = readHookBody(job, readJson(request.body));
  const receivedAt = new Date(now).toISOString();
  return {
    trigger: 'webhook',
    identity: [trigger.auth, key],
    requestedBy: `webhook:${job.name}`,
    receivedAt,
    ...asked,
  };
}

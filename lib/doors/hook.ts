// What a request to `/hooks/{job}` means: which job it is for, what a repeated one is recognised by, what it asks for.

import { sha256 } from '../canonical.ts';
import type { Config, Job, WebhookTrigger } from '../config.ts';
import { DoorError } from '../errors.ts';
import { type Asked, type Event, readHookBody, refuseDisabled } from '../event.ts';
import { type HttpAnswer, type HttpRequest, notFound, readJson, readKey } from '../http.ts';
import type { Delivery } from '../record.ts';
import { eventName, whyIgnored } from './github.ts';

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

/** A delivery that starts nothing, and why. */
export interface Ignored {
  readonly ignored: string;
}

/** The header that tells one delivery from another. */
const keyHeader = {
  'standard-webhooks': 'webhook-id',
  github: 'x-github-delivery',
  bearer: 'idempotency-key',
} as const;

/**
 * What a repeated delivery is recognised by: webhook-id, X-GitHub-Delivery or Idempotency-Key, whichever goes with the
 * hook's `auth`. Throws DoorError 400 `key_required`.
 */
export function hookDelivery({ job, trigger }: Hook, request: HttpRequest): Delivery {
  const header = keyHeader[trigger.auth];
  const key = readKey(request.headers, header);
  if (key !== undefined) return { door: `hooks/${job.name}/${trigger.auth}`, key, bodyHash: sha256(request.body) };
  const message = 'must have 1 to 128 printable ASCII characters';
  throw new DoorError(400, 'key_required', `The header ${header} ${message}.`, [{ path: header, message }]);
}

/** The answer to a delivery that starts nothing: GitHub is told that all is well. */
export function ignoredAnswer({ ignored }: Ignored): HttpAnswer {
  return { status: 200, body: { ignored } };
}

/**
 * The event of a hook's request that is let in, or why there is none. Throws DoorError 400 and 422 for what it must not
 * ask for.
 */
export function hookEvent({ job, trigger }: Hook, key: string, request: HttpRequest, now: number): Event | Ignored {
  const ignored = trigger.auth === 'github' ? whyIgnored(trigger, request) : undefined;
  if (ignored !== undefined) return { ignored };
  refuseDisabled(job);
  // GitHub's payload is no body of ours: such an event means the whole target, and its name is the reason.
  const asked: Asked =
    trigger.auth === 'github' ? { reason: `GitHub ${eventName(request)}` } : readHookBody(job, readJson(request.body));
  const receivedAt = new Date(now).toISOString();
  return {
    trigger: 'webhook',
    identity: [trigger.auth, key],
    requestedBy: `webhook:${job.name}`,
    receivedAt,
    ...asked,
  };
}

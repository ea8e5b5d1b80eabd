// 1. What happened: one shape for every door, and the run id it implies.

import * as v from 'valibot';
import { hashOf } from './canonical.ts';
import type { Config, Job } from './config.ts';
import { DoorError } from './errors.ts';
import { readMembers } from './http.ts';
import { type InstanceReference, instanceOf, type Naming } from './match/reference.ts';

/** What starts a run; `manual` is an operator. */
export const triggers = ['schedule', 'webhook', 'alert', 'manual'] as const;
export type Trigger = (typeof triggers)[number];

/** One arrival at a door. Times are ISO 8601 UTC. */
export interface Event {
  readonly trigger: Trigger;
  /**
   * What makes a repeated arrival the same one. schedule: the planned instant. webhook: auth kind and key. alert: its
   * episode. manual: the Idempotency-Key or a random one.
   */
  readonly identity: string | readonly string[];
  /** `schedule`, `webhook:JOB`, `alert:SOURCE` or `operator:NAME`. */
  readonly requestedBy: string;
  readonly receivedAt: string;
  /** Explicit instances, already known to be UUIDs, lower case, distinct, at least one. Absent: the whole target. */
  readonly instances?: readonly string[];
  /** An instance that is named otherwise than by its id: which one that is, the run finds in the fleet. */
  readonly reference?: InstanceReference;
  readonly reason?: string;
  readonly dryRun?: boolean;
  /** The hash of a plan that was seen before; the run refuses when its own plan differs. */
  readonly plan?: string;
  /** An operator with the right to it passes windows and freezes, for `reason`. */
  readonly breakGlass?: boolean;
  /** The run whose failed and not started instances this one takes up. */
  readonly retryOf?: string;
}

/** `<job>-<first 20 hex of SHA-256([stage, job, identity])>`: at most 61 characters of `a-z0-9-`. */
export function runId(stage: Config['stage'], job: string, identity: Event['identity']): string {
  return `${job}-${hashOf([stage, job, identity]).slice(0, 20)}`;
}

/** What the body of a hook or of a manual run asks for. */
export type Asked = Pick<Event, 'reference' | 'instances' | 'reason' | 'dryRun' | 'plan' | 'breakGlass'>;

/** Instances of one run at most. */
const maxInstances = 10_000;

const instanceId = v.pipe(
  v.string('must be a UUID'),
  v.regex(/^[\dA-Fa-f]{8}-[\dA-Fa-f]{4}-[\dA-Fa-f]{4}-[\dA-Fa-f]{4}-[\dA-Fa-f]{12}$/, 'must be a UUID'),
  v.toLowerCase(),
);

/** A reason that somebody gives: one line of at most 500 characters. */
export const reasonText = v.pipe(
  v.string('must be a text'),
  v.maxLength(500, 'must have at most 500 characters'),
  v.check((text) => text.isWellFormed() && !/[\p{Cc}\u2028\u2029]/u.test(text), 'must have no control characters'),
);

/** One that is required says something. */
export const givenReason = v.pipe(
  reasonText,
  v.check((text) => text.trim() !== '', 'must say why'),
);

/** The body of a hook that is not GitHub’s. */
export const hookBody = v.strictObject({
  instances: v.exactOptional(v.array(instanceId, 'must be a list of UUIDs')),
  reason: v.exactOptional(reasonText),
  dryRun: v.exactOptional(v.boolean('must be true or false')),
});

const texts = v.optional(v.record(v.string(), v.string('must be a text'), 'must be a mapping'), {});
const alertBody = v.object({ labels: texts, annotations: texts, dimensions: texts }, 'must be an alert');

/** The body of a run that an operator starts. */
export const manualBody = v.strictObject({
  ...hookBody.entries,
  plan: v.exactOptional(v.pipe(v.string('must be a hash'), v.regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits'))),
  breakGlass: v.exactOptional(v.boolean('must be true or false')),
  event: v.exactOptional(alertBody),
});

/** Throws DoorError 422 `disabled` for a job that is switched off. */
export function refuseDisabled(job: Job): void {
  if (!job.enabled) throw new DoorError(422, 'disabled', `The job ${job.name} is switched off (enabled: false).`);
}

/**
 * Reads the body of a webhook: `{instances?, reason?, dryRun?}`; ids come back in lower case, each once. Throws DoorError
 * 400 `malformed` for what cannot be read, 422 for what is not allowed: `instances_not_allowed`, `instances_empty`,
 * `too_many`, `outside_target`.
 */
export function readHookBody(job: Job, body: unknown): Asked {
  const asked = readMembers(hookBody, body, 'body');
  const takesNone = job.trigger.type === 'webhook' && job.trigger.auth !== 'github' && job.trigger.instances === 'none';
  if (asked.instances !== undefined && takesNone) {
    throw notAllowed('instances_not_allowed', 'This hook takes no instances; it always means the whole target.');
  }
  return withInstances(job, asked);
}

/**
 * Reads the body of a manual run: `{instances?, event?, plan?, reason?, dryRun?, breakGlass?}`. `event` is an alert as
 * Alertmanager sends one, or its labels alone: what the job's trigger looks for the instance in. Throws what readHookBody
 * throws, and 422: `reason_required` where the glass is broken without one; `event_not_allowed` for a job that no alert
 * starts, or beside `instances`; `no_instance`.
 */
export function readManualBody(job: Job, body: unknown): Asked {
  const { event, ...asked } = readMembers(manualBody, body, 'body');
  if (asked.breakGlass === true && (asked.reason ?? '').trim() === '') {
    const fault = { path: 'reason', message: 'is required with breakGlass' };
    throw new DoorError(422, 'reason_required', 'Whoever breaks the glass has to say why.', [fault]);
  }
  return withInstances(job, event === undefined ? asked : { ...asked, ...namedBy(job, event, asked) });
}

/** The instance that an alert means to a job: by its id, or as the run will find it. */
function namedBy({ trigger }: Job, event: Naming, asked: Asked): Pick<Event, 'instances' | 'reference'> {
  if (trigger.type !== 'alert') throw eventFault('event_not_allowed', 'No alert starts this job.');
  if (asked.instances !== undefined) throw eventFault('event_not_allowed', 'An event stands beside instances.');
  const reference = instanceOf(event, trigger.instance);
  if (reference === null) throw eventFault('no_instance', `The event names no instance in ${trigger.instance}.`);
  return reference.by === 'id' ? { instances: [reference.value] } : { reference };
}

function eventFault(code: string, message: string): DoorError {
  return new DoorError(422, code, message, [{ path: 'event', message }]);
}

function withInstances(job: Job, asked: Asked): Asked {
  if (asked.instances === undefined) return asked;
  const instances = [...new Set(asked.instances)];
  if (instances.length === 0) throw notAllowed('instances_empty', 'An empty list selects nobody.');
  if (instances.length > maxInstances) throw notAllowed('too_many', 'A run is at most 10,000 instances.');
  const outside = outsideTarget(job, instances);
  if (outside === undefined) return { ...asked, instances };
  throw notAllowed('outside_target', `The instance ${outside} is outside the target ${job.target.name}.`);
}

/** The first id outside a target that is given by ids; of any other target only the run can tell. */
export function outsideTarget({ target }: Pick<Job, 'target'>, ids: readonly string[]): string | undefined {
  if (target.ids.length === 0) return undefined;
  const inside = new Set(target.ids.map((id) => id.toLowerCase()));
  for (const id of target.exclude.ids) inside.delete(id.toLowerCase());
  return ids.find((id) => !inside.has(id));
}

function notAllowed(code: string, message: string): DoorError {
  return new DoorError(422, code, message, [{ path: 'instances', message }]);
}

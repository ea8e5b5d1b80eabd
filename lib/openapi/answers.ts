// What the doors answer, as schemas: for the description of the doors, and for the tests that hold the doors to it. Each
// is checked against the type that the door writes, so that a member which is added there is missed here.

import * as v from 'valibot';
import { actions } from '../config.ts';
import type { Taken } from '../doors/alert.ts';
import type { JobView } from '../doors/jobs.ts';
import type { RunPage } from '../doors/listing.ts';
import { triggers } from '../event.ts';
import { pauseSchema } from '../guards/flags.ts';
import { excludedSchema, plannedSchema } from '../plan.ts';
import { statuses } from '../record.ts';
import { outcomeSchema, type RunSummary, type RunView } from '../report.ts';

const time = v.pipe(v.string(), v.isoTimestamp());
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const status = v.picklist(statuses);

const summaryEntries = {
  runId: v.string(),
  job: v.string(),
  action: v.string(),
  trigger: v.picklist(triggers),
  status,
  code: v.exactOptional(v.string()),
  reason: v.exactOptional(v.string()),
  liftsAt: v.exactOptional(time),
  requestedBy: v.pipe(v.string(), v.description('`schedule`, `webhook:JOB`, `alert:SOURCE` or `operator:NAME`')),
  breakGlass: v.exactOptional(
    v.pipe(v.string(), v.description('why the glass was broken, where it was: the run passed windows and freezes')),
  ),
  counts: v.strictObject({ succeeded: count, failed: count, unknown: count, skipped: count, notStarted: count }),
  createdAt: time,
  startedAt: v.exactOptional(time),
  finishedAt: v.exactOptional(time),
};

const said = { by: v.string(), at: time };

const decision = v.strictObject({
  verdict: v.picklist(['approved', 'rejected']),
  ...said,
  reason: v.exactOptional(v.string()),
});

/** A run in a list. */
export const summarySchema = v.strictObject(summaryEntries) satisfies v.GenericSchema<unknown, RunSummary>;

/** A whole run. */
export const runSchema = v.strictObject({
  ...summaryEntries,
  plan: v.strictObject({
    hash: v.nullable(hash),
    waves: v.array(v.array(v.strictObject(plannedSchema.entries))),
    excluded: v.array(v.strictObject(excludedSchema.entries)),
  }),
  outcomes: v.array(v.strictObject(outcomeSchema.entries)),
  approval: v.exactOptional(
    v.strictObject({ planHash: hash, requestedAt: time, lapsesAt: time, decision: v.exactOptional(decision) }),
  ),
  stop: v.exactOptional(
    v.strictObject({ code: v.picklist(['cancelled', 'resolved', 'paused']), reason: v.string(), ...said }),
  ),
  rungs: v.exactOptional(
    v.array(v.strictObject({ number: count, action: v.picklist(actions), status, endedAt: time })),
  ),
  restore: v.exactOptional(v.string()),
}) satisfies v.GenericSchema<unknown, RunView>;

/** `GET /runs`. */
export const runsSchema = v.strictObject({
  runs: v.array(summarySchema),
  next: v.exactOptional(v.pipe(v.string(), v.description('The cursor of the next page'))),
}) satisfies v.GenericSchema<unknown, RunPage>;

const jobSchema = v.strictObject({
  name: v.string(),
  action: v.picklist(actions),
  rungs: v.exactOptional(v.array(v.picklist(actions))),
  project: v.string(),
  target: v.string(),
  trigger: v.picklist(['schedule', 'webhook', 'alert']),
  enabled: v.boolean(),
  dryRun: v.boolean(),
  approval: v.picklist(['none', 'required']),
  next: v.exactOptional(time),
}) satisfies v.GenericSchema<unknown, JobView>;

/** `GET /jobs`. */
export const jobsSchema = v.strictObject({ jobs: v.array(jobSchema) });

/** Every answer about pauses. */
export const pausesSchema = v.strictObject({ paused: v.array(v.strictObject(pauseSchema.entries)) });

/** A new run, or one that was spoken to. */
export const acceptedSchema = v.strictObject({ runId: v.string(), status, statusUrl: v.string() });

/** A run that was there already. */
export const duplicateSchema = v.strictObject({ runId: v.string(), status, duplicate: v.literal(true) });

/** An event of GitHub that starts nothing. */
export const ignoredSchema = v.strictObject({ ignored: v.string() });

/** A message of SMN about a subscription. */
export const acknowledgedSchema = v.strictObject({
  acknowledged: v.picklist(['subscription_confirmed', 'subscription_cancelled']),
  topic: v.string(),
});

/** What came of alerts. */
export const takenSchema = v.strictObject({
  started: v.array(v.strictObject({ runId: v.string(), job: v.string(), instanceId: v.nullable(v.string()) })),
  ignored: v.array(
    v.strictObject({
      alert: v.string(),
      code: v.string(),
      reason: v.string(),
      job: v.exactOptional(v.string()),
      runId: v.exactOptional(v.string()),
    }),
  ),
}) satisfies v.GenericSchema<unknown, Taken>;

/** `GET /healthz`. */
export const healthSchema = v.strictObject({ status: v.literal('ok'), version: v.string() });

/** Every error. */
export const errorSchema = v.strictObject({
  error: v.strictObject({
    code: v.string(),
    message: v.string(),
    details: v.exactOptional(v.array(v.strictObject({ path: v.string(), message: v.string() }))),
  }),
});

// What a server tells of runs, read back: the same shapes that lib/report.ts writes. What a newer server tells besides is
// left out here, and printed as it came with `--json`.

import * as v from 'valibot';
import { excludedSchema, plannedSchema } from '../plan.ts';
import { statuses } from '../record.ts';
import { outcomeSchema, type RunSummary, type RunView } from '../report.ts';

const counts = v.object({
  succeeded: v.number(),
  failed: v.number(),
  unknown: v.number(),
  skipped: v.number(),
  notStarted: v.number(),
});

const summaryEntries = {
  runId: v.string(),
  job: v.string(),
  action: v.string(),
  trigger: v.string(),
  status: v.picklist(statuses),
  code: v.exactOptional(v.string()),
  reason: v.exactOptional(v.string()),
  liftsAt: v.exactOptional(v.string()),
  requestedBy: v.string(),
  breakGlass: v.exactOptional(v.string()),
  counts,
  createdAt: v.string(),
  startedAt: v.exactOptional(v.string()),
  finishedAt: v.exactOptional(v.string()),
};

const approval = v.object({
  planHash: v.string(),
  requestedAt: v.string(),
  lapsesAt: v.string(),
  decision: v.exactOptional(
    v.object({
      verdict: v.picklist(['approved', 'rejected']),
      by: v.string(),
      at: v.string(),
      reason: v.exactOptional(v.string()),
    }),
  ),
});

const stop = v.object({
  code: v.picklist(['cancelled', 'resolved', 'paused']),
  reason: v.string(),
  by: v.string(),
  at: v.string(),
});

/** One run of `GET /runs`. */
export const summarySchema = v.object(summaryEntries) satisfies v.GenericSchema<unknown, RunSummary>;

/** `GET /runs/{id}`. */
export const viewSchema = v.object({
  ...summaryEntries,
  plan: v.object({
    hash: v.nullable(v.string()),
    waves: v.array(v.array(plannedSchema)),
    excluded: v.array(excludedSchema),
  }),
  outcomes: v.array(outcomeSchema),
  approval: v.exactOptional(approval),
  stop: v.exactOptional(stop),
}) satisfies v.GenericSchema<unknown, RunView>;

/** `GET /runs`, its runs as they came: `summarySchema` reads each. */
export const pageSchema = v.object({ runs: v.array(v.unknown()), next: v.exactOptional(v.string()) });

/** What starting or steering a run answers. */
export const acceptedSchema = v.object({
  runId: v.string(),
  status: v.picklist(statuses),
  duplicate: v.exactOptional(v.boolean()),
});

/** `GET /pause`, `POST /pause`, `POST /resume`. */
export const pausesSchema = v.object({
  paused: v.array(v.object({ project: v.nullable(v.string()), reason: v.string(), by: v.string(), at: v.string() })),
});

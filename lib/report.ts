// 7. What came of it: the outcome of every instance, their counts, the status of the run, and how a run is shown.

import * as v from 'valibot';
import { howToRestore, type Kept } from './execute/backup.ts';
import { type ExcludedInstance, excludedSchema, type PlannedInstance, plannedSchema } from './plan.ts';
import {
  type Approval,
  type Counts,
  type Rung,
  type RunRecord,
  type RunStatus,
  readList,
  type Stop,
} from './record.ts';
import type { State } from './state.ts';

/** What became of one planned instance. Times are ISO 8601 UTC. */
export interface Outcome {
  readonly instanceId: string;
  readonly name: string;
  readonly status: 'succeeded' | 'failed' | 'unknown' | 'skipped' | 'not_started';
  /** Sends that reached DCS. */
  readonly attempts: number;
  readonly code?: string;
  readonly reason?: string;
  /** DCS said success, or was seen at work. */
  readonly acceptedAt?: string;
  readonly verifiedAt?: string;
  /** What proved it: the state passed through, the key count fell, or nothing but a quiet time. */
  readonly verifiedBy?: 'state' | 'keys' | 'quiet';
  /** What its data can be restored from; how, is in the run's `restore`. */
  readonly backup?: Kept;
}

/** A stored outcome, read back. */
export const outcomeSchema = v.object({
  instanceId: v.string(),
  name: v.string(),
  status: v.picklist(['succeeded', 'failed', 'unknown', 'skipped', 'not_started']),
  attempts: v.number(),
  code: v.exactOptional(v.string()),
  reason: v.exactOptional(v.string()),
  acceptedAt: v.exactOptional(v.string()),
  verifiedAt: v.exactOptional(v.string()),
  verifiedBy: v.exactOptional(v.picklist(['state', 'keys', 'quiet'])),
  backup: v.exactOptional(v.object({ id: v.string(), takenAt: v.string() })),
}) satisfies v.GenericSchema<unknown, Outcome>;

/** No instance in any state. */
export const noCounts: Counts = { succeeded: 0, failed: 0, unknown: 0, skipped: 0, notStarted: 0 };

/** Outcomes by status; their sum is the number of instances planned. */
export function countOutcomes(outcomes: readonly Outcome[]): Counts {
  const counts = { ...noCounts };
  const member = { succeeded: 'succeeded', failed: 'failed', unknown: 'unknown', skipped: 'skipped' } as const;
  for (const { status } of outcomes) counts[status === 'not_started' ? 'notStarted' : member[status]] += 1;
  return counts;
}

/** All succeeded or skipped: `succeeded`. None succeeded: `failed`. Else `partial`. */
export function statusOf(counts: Counts): Extract<RunStatus, 'succeeded' | 'partial' | 'failed'> {
  if (counts.failed + counts.unknown + counts.notStarted === 0) return 'succeeded';
  return counts.succeeded === 0 ? 'failed' : 'partial';
}

/** Whether a run with this status goes on. */
export function isGoing(status: RunStatus): boolean {
  return status === 'accepted' || status === 'awaiting_approval' || status === 'running';
}

/** A run without its lists, as `GET /runs` shows it. */
export interface RunSummary {
  readonly runId: string;
  readonly job: string;
  readonly action: string;
  readonly trigger: string;
  readonly status: RunStatus;
  readonly code?: string;
  readonly reason?: string;
  /** When what a run was refused for is expected to be over. */
  readonly liftsAt?: string;
  readonly requestedBy: string;
  /** Why the glass was broken, where it was: the run passed windows and freezes. */
  readonly breakGlass?: string;
  readonly counts: Counts;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
}

/** A run as `GET /runs/{id}` shows it. The plan is there once it was made. */
export interface RunView extends RunSummary {
  readonly plan: {
    readonly hash: string | null;
    readonly waves: readonly (readonly PlannedInstance[])[];
    readonly excluded: readonly ExcludedInstance[];
  };
  readonly outcomes: readonly Outcome[];
  /** Of a run whose plan waits, or waited, for another operator. */
  readonly approval?: Omit<Approval, 'answerId'>;
  /** Who wanted it to send nothing more. */
  readonly stop?: Stop;
  /** What was done so far by a run that climbs a ladder; the outcomes are those of the last rung. */
  readonly rungs?: readonly Rung[];
  /** How an instance is restored from the backup in its outcome, for people; where there is one. */
  readonly restore?: string;
}

/** The head of a run for the outside: `reason` falls back to the one that the requester gave. */
export function runSummary(record: RunRecord): RunSummary {
  const { runId, job, action, event, status, code, liftsAt, counts, createdAt, startedAt, finishedAt } = record;
  const reason = record.reason ?? event.reason;
  return {
    runId,
    job: job.name,
    action,
    trigger: event.trigger,
    status,
    ...(code !== undefined && { code }),
    ...(reason !== undefined && { reason }),
    ...(liftsAt !== undefined && { liftsAt }),
    requestedBy: event.requestedBy,
    ...(event.breakGlass === true && { breakGlass: event.reason ?? '' }),
    counts,
    createdAt,
    ...(startedAt !== undefined && { startedAt }),
    ...(finishedAt !== undefined && { finishedAt }),
  };
}

/** The whole run, with its lists read from the state. */
export async function runView(state: State, record: RunRecord): Promise<RunView> {
  const { runId, plan } = record;
  const [planned, excluded, outcomes] = await Promise.all([
    readList(state, runId, 'plan', plannedSchema),
    readList(state, runId, 'excluded', excludedSchema),
    readList(state, runId, 'outcomes', outcomeSchema),
  ]);
  const waves = intoWaves(planned, plan?.waves ?? []);
  const whole = { ...runSummary(record), plan: { hash: plan?.hash ?? null, waves, excluded }, outcomes };
  const { stop, rungs } = record;
  return {
    ...whole,
    ...approvalOf(record),
    ...(stop !== undefined && { stop }),
    ...(rungs !== undefined && { rungs }),
    ...(outcomes.some(({ backup }) => backup !== undefined) && { restore: howToRestore(record.job.project.projectId) }),
  };
}

/** Without the id that wakes the execution: whoever has it could wake it without a word in the record. */
function approvalOf({ approval }: RunRecord): Pick<RunView, 'approval'> {
  if (approval === undefined) return {};
  const { answerId: _, ...shown } = approval;
  return { approval: shown };
}

/** Cuts the stored list of planned instances into its waves. */
export function intoWaves<T>(planned: readonly T[], sizes: readonly number[]): T[][] {
  let from = 0;
  return sizes.map((size) => {
    from += size;
    return planned.slice(from - size, from);
  });
}

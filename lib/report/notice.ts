// What somebody is told of a run: who is to hear of which status, what a notice says, and its forms for programs, chats, buses and
// topics. Made of the record and of nothing secret; the id is the same each time, so that a second copy can be told.

import type { Config, Notify } from '../config.ts';
import type { PlannedInstance } from '../plan.ts';
import type { RunRecord, RunStatus } from '../record.ts';
import { type Outcome, type RunSummary, runSummary } from '../report.ts';

/** What notices depend on. */
export type NoticeConfig = Pick<Config, 'stage' | 'notify'>;

/** Who is told of runs with this status. */
export function listenersOf({ notify }: NoticeConfig, status: RunStatus): readonly Notify[] {
  return notify.filter(({ on }) => on.some((each) => each === status));
}

/** For the write that ends a run: whether somebody has to be told of it still. */
export function owed(config: NoticeConfig, status: RunStatus): Pick<RunRecord, 'notice'> {
  return listenersOf(config, status).length === 0 ? {} : { notice: 'due' };
}

/** One thing to tell, ready to be put into any form. Lines are plain text for people, `data` is for programs. */
export interface Message {
  /** The same for the same thing, however often it is sent. */
  readonly id: string;
  /** In few words what kind of thing it is: `Run failed`. */
  readonly kind: string;
  readonly title: string;
  readonly lines: readonly string[];
  readonly data: object;
}

/** A run as programs are told of it; additions are possible, changes are not. Times are ISO 8601 UTC. */
export interface Notice extends RunSummary {
  readonly v: 1;
  readonly id: string;
  readonly stage: string;
  readonly project: string;
  /** Where the program shows the run, below its own address. */
  readonly path: string;
  readonly planned?: number;
  readonly planHash?: string;
  /** Of a run that awaits approval. `dataLoss`: instances that lose their data. */
  readonly approval?: { readonly path: string; readonly lapsesAt: string; readonly dataLoss: number };
  readonly approvedBy?: string;
  readonly stop?: { readonly code: string; readonly reason: string; readonly by: string };
  /** The first of those that failed, or of which nobody knows. */
  readonly failed?: readonly Failed[];
}

type Failed = Pick<Outcome, 'instanceId' | 'name' | 'status' | 'attempts' | 'code' | 'reason'>;

/** So many of the instances that failed are named. */
const namedFailures = 5;

/** The notice of a run as it is. `planned` matters while it awaits approval, `outcomes` when it has ended. */
export function noticeOf(
  record: RunRecord,
  stage: string,
  lists: { readonly planned: readonly PlannedInstance[]; readonly outcomes: readonly Outcome[] },
): Notice {
  const { runId, job, status, plan, approval, stop } = record;
  const failed = lists.outcomes.filter((each) => each.status === 'failed' || each.status === 'unknown');
  const { decision } = approval ?? {};
  return {
    v: 1,
    id: `${runId}/${status}`,
    stage,
    ...runSummary(record),
    project: job.project.name,
    path: `/runs/${runId}`,
    ...(plan !== undefined && { planned: plan.waves.reduce((sum, size) => sum + size, 0), planHash: plan.hash }),
    ...(status === 'awaiting_approval' &&
      approval !== undefined && { approval: asked(record, approval, lists.planned) }),
    ...(decision?.verdict === 'approved' && { approvedBy: decision.by }),
    ...(stop !== undefined && { stop: { code: stop.code, reason: stop.reason, by: stop.by } }),
    ...(failed.length > 0 && { failed: failed.slice(0, namedFailures).map(failure) }),
  };
}

function asked(
  { runId }: RunRecord,
  { lapsesAt }: { readonly lapsesAt: string },
  planned: readonly PlannedInstance[],
): NonNullable<Notice['approval']> {
  return { path: `/runs/${runId}/approve`, lapsesAt, dataLoss: planned.filter(({ dataLoss }) => dataLoss).length };
}

function failure({ instanceId, name, status, attempts, code, reason }: Outcome): Failed {
  const why = { ...(code !== undefined && { code }), ...(reason !== undefined && { reason }) };
  return { instanceId, name, status, attempts, ...why };
}

/** The notice in words. */
export function messageOf(notice: Notice): Message {
  const { id, job, action, status, stage, project, runId, requestedBy, createdAt, finishedAt, liftsAt, stop } = notice;
  const words = status === 'awaiting_approval' ? 'awaits approval' : status;
  const until = finishedAt === undefined ? '' : `, ended ${finishedAt}`;
  return {
    id,
    kind: `Run ${status}`,
    title: `${job}: ${action} ${words}${gist(notice)}`,
    lines: [
      ...(notice.reason === undefined ? [] : [notice.reason]),
      ...(liftsAt === undefined ? [] : [`It lifts at ${liftsAt}.`]),
      ...(stop === undefined ? [] : [`Stopped by ${stop.by}: ${stop.reason}`]),
      ...(notice.breakGlass === undefined ? [] : [`The glass was broken: ${notice.breakGlass}`]),
      ...approvalLines(notice),
      ...failureLines(notice),
      `Run ${runId} on ${project} (${stage}), asked for by ${requestedBy}, came ${createdAt}${until}.`,
    ],
    data: notice,
  };
}

/** What the title says behind the status: how many, or the code. */
function gist({ status, code, counts, planned, approval }: Notice): string {
  if (approval !== undefined) {
    const loss = approval.dataLoss === 0 ? '' : `, of which ${approval.dataLoss} lose their data`;
    return `, ${planned} instance${planned === 1 ? '' : 's'}${loss}`;
  }
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const why = code === undefined ? '' : ` (${code})`;
  return all === 0 || status === 'refused' || status === 'missed' ? why : `, ${tally(counts)}${why}`;
}

function tally(counts: Notice['counts']): string {
  const words: readonly (readonly [string, number])[] = [
    ['succeeded', counts.succeeded],
    ['failed', counts.failed],
    ['unknown', counts.unknown],
    ['skipped', counts.skipped],
    ['not started', counts.notStarted],
  ];
  const some = words.filter(([, count]) => count > 0);
  return some.map(([word, count]) => `${count} ${word}`).join(', ');
}

function approvalLines({ approval, runId, planHash }: Notice): string[] {
  if (approval === undefined) return [];
  return [
    `Another operator may approve it until ${approval.lapsesAt}: dcs-autopilot approve ${runId} --plan ${planHash}`,
    `To look at it first: dcs-autopilot show ${runId}`,
  ];
}

function failureLines({ failed = [], counts }: Notice): string[] {
  const rest = counts.failed + counts.unknown - failed.length;
  const lines = failed.map(({ name, status, attempts, code, reason }) => {
    const tries = `${attempts} attempt${attempts === 1 ? '' : 's'}`;
    const why = [code, reason].filter((part) => part !== undefined).join(': ');
    return `${name} ${status} after ${tries}${why === '' ? '' : `, ${why}`}`;
  });
  return rest > 0 && failed.length > 0 ? [...lines, `and ${rest} more`] : lines;
}

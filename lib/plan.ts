// 2. What to do: which instances, in which waves, each with a reason; and every excluded one with a code. Pure: the same
// code makes the plan of a dry run, of a plan that is only looked at, and of the real run.

import * as v from 'valibot';
import { hashOf } from './canonical.ts';
import type { Action, Amount, Job, Project, Waves } from './config.ts';
import {
  type Detail,
  type Instance,
  isActionable,
  isAllowed,
  isProtected,
  losesData,
  states,
  unsupported,
} from './plan/instance.ts';

export interface PlannedInstance {
  readonly instanceId: string;
  readonly name: string;
  readonly reason: string;
  /** The action destroys data: always for flush, and for a restart of an instance that does not persist. */
  readonly dataLoss: boolean;
}

export const exclusionCodes = [
  'not_found',
  'unreadable',
  'protected',
  'not_allowed',
  'unsupported_engine',
  'wrong_state',
  'busy',
  'cooling_down',
  'trimmed',
] as const;

export type ExclusionCode = (typeof exclusionCodes)[number];

export interface ExcludedInstance {
  readonly instanceId: string;
  readonly name: string;
  readonly code: ExclusionCode;
  readonly reason: string;
  /** When that is expected to be over, ISO 8601 UTC; absent where nobody can tell. */
  readonly liftsAt?: string;
}

/** Stored entries, read back. */
export const plannedSchema = v.object({
  instanceId: v.string(),
  name: v.string(),
  reason: v.string(),
  dataLoss: v.boolean(),
}) satisfies v.GenericSchema<unknown, PlannedInstance>;

export const excludedSchema = v.object({
  instanceId: v.string(),
  name: v.string(),
  code: v.picklist(exclusionCodes),
  reason: v.string(),
  liftsAt: v.exactOptional(v.string()),
}) satisfies v.GenericSchema<unknown, ExcludedInstance>;

/** The frozen decision of a run. */
export interface Plan {
  readonly job: string;
  readonly action: Action;
  readonly waves: readonly (readonly PlannedInstance[])[];
  readonly excluded: readonly ExcludedInstance[];
  /** SHA-256 of `{version, job, action, waves of ids, excluded id + code}` as canonical JSON. */
  readonly hash: string;
}

/**
 * A candidate with all that was read of it; `instance` is null when an explicit id does not exist, `detail` when there
 * was no need to ask, or it was gone, or (`unreadable`) it could not be read.
 */
export interface Candidate {
  readonly id: string;
  readonly instance: Instance | null;
  readonly detail: Detail | null;
  readonly unreadable: boolean;
}

/** Why this instance may not be acted on as far as the list tells, in the order of the guards; null when it may. */
export function exclusion(action: Action, project: Tags, instance: Instance): ExcludedInstance | null {
  const out = (code: ExclusionCode, reason: string): ExcludedInstance => leftOut(instance, code, reason);
  const { protectedTag } = project;
  if (instance.tags === null) return out('protected', 'its tags could not be read, so it counts as protected');
  if (isProtected(protectedTag, instance.tags)) {
    return out('protected', `it carries the tag ${protectedTag.key}=${protectedTag.value}`);
  }
  if (action === 'flush' && !isAllowed(action, project, instance.tags))
    return out('not_allowed', notAllowed(action, project));
  const engine = unsupported(action, instance);
  if (engine !== null) return out('unsupported_engine', engine);
  if (!isActionable(action, instance.status)) {
    return out('wrong_state', `it is ${instance.status}; ${action} needs ${states[action].join(' or ')}`);
  }
  return null;
}

/** The tags that decide whether an instance may be touched. */
type Tags = Pick<Project, 'protectedTag' | 'allowTag'>;

function notAllowed(action: Action, { allowTag }: Tags): string {
  return `its tag ${allowTag ?? ''} does not list ${action}, which destroys its data`;
}

function leftOut(instance: Pick<Instance, 'id' | 'name'>, code: ExclusionCode, reason: string): ExcludedInstance {
  return { instanceId: instance.id, name: instance.name, code, reason };
}

/**
 * Puts candidates into waves and says why the others are out. The order of `candidates` does not matter. `room`: how many
 * may be planned where the caps trim a plan; the last ones in the order of the waves are left out then.
 */
export function makePlan(job: Job, candidates: readonly Candidate[], room: number | null = null): Plan {
  if (new Set(candidates.map(({ id }) => id)).size !== candidates.length) throw new Error('a candidate stands twice');
  const excluded: ExcludedInstance[] = [];
  const planned: { readonly instance: Instance; readonly entry: PlannedInstance }[] = [];
  for (const candidate of candidates) {
    const verdict = judge(job, candidate);
    if ('code' in verdict) excluded.push(verdict);
    else if (candidate.instance !== null) planned.push({ instance: candidate.instance, entry: verdict });
  }
  planned.sort((a, b) => byRank(job.waves.order, a.instance, b.instance));
  // Where there is no room at all the plan stays whole, and the guards refuse it.
  const kept = room === null || room === 0 ? planned : planned.slice(0, room);
  const reason = `the caps leave room for ${kept.length} of ${planned.length}`;
  excluded.push(...planned.slice(kept.length).map(({ instance }) => leftOut(instance, 'trimmed', reason)));
  excluded.sort((a, b) => compare(a.instanceId, b.instanceId));
  const waves = cutWaves(
    job.waves,
    kept.map(({ entry }) => entry),
  );
  return { job: job.name, action: job.action, waves, excluded, hash: planHash(job, waves, excluded) };
}

function judge(job: Job, { id, instance, detail, unreadable }: Candidate): ExcludedInstance | PlannedInstance {
  if (instance === null) return leftOut({ id, name: '' }, 'not_found', 'the project has no such instance');
  const seen = detail === null ? instance : { ...instance, status: detail.status, tags: detail.tags };
  const out = exclusion(job.action, job.project, seen);
  if (out !== null) return out;
  if (unreadable) return leftOut(instance, 'unreadable', 'it could not be read');
  if (detail === null) return leftOut(instance, 'not_found', 'it is gone');
  const destroying = actionsOf(job).filter((action) => losesData(action, instance, detail));
  if (detail.task !== null && !(destroying.length > 0 && isWaitedFor(job, detail.task))) {
    return leftOut(instance, 'busy', `the task ${detail.task} is going on`);
  }
  const impossible = actionsOf(job)
    .map((action) => unsupported(action, instance))
    .find((why) => why !== null);
  if (impossible !== undefined) return leftOut(instance, 'unsupported_engine', impossible);
  const forbidden = destroying.find((action) => !isAllowed(action, job.project, seen.tags));
  if (forbidden !== undefined) return leftOut(instance, 'not_allowed', notAllowed(forbidden, job.project));
  const dataLoss = destroying.length > 0;
  const { coolsUntil } = detail;
  if (coolsUntil !== null) {
    const reason = `it was acted on a short while ago and is left alone until ${coolsUntil}`;
    return { ...leftOut(instance, 'cooling_down', reason), liftsAt: coolsUntil };
  }
  return { instanceId: id, name: instance.name, reason: whyPlanned(job, seen, dataLoss), dataLoss };
}

/** Whoever is to be backed up waits for somebody else's backup, which may even be the one that it needs. */
function isWaitedFor({ backup }: Job, task: string): boolean {
  return backup.mode !== 'off' && /backup/i.test(task);
}

/** Everything that a run of the job may do to an instance: a ladder may come to any of its rungs. */
function actionsOf({ action, ladder }: Job): readonly Action[] {
  return ladder === null ? [action] : ladder.rungs;
}

function whyPlanned(job: Job, instance: Instance, dataLoss: boolean): string {
  const what = `${instance.status} ${instance.engine} ${instance.version} of ${job.target.name}`;
  return dataLoss && job.action !== 'flush' ? `${what}; does not persist, so a restart loses its data` : what;
}

function cutWaves(waves: Waves, planned: readonly PlannedInstance[]): PlannedInstance[][] {
  const canary = amountOf(waves.canary, planned.length);
  const size = amountOf(waves.size, planned.length);
  const cut: PlannedInstance[][] = [];
  for (let from = 0; from < planned.length; ) {
    const to = from + (from === 0 ? canary : size);
    cut.push(planned.slice(from, to));
    from = to;
  }
  return cut;
}

/** A share is rounded up, and nothing is less than one. */
function amountOf(amount: Amount, of: number): number {
  return Math.max(1, 'count' in amount ? amount.count : Math.ceil((of * amount.percent) / 100));
}

function planHash(job: Job, waves: Plan['waves'], excluded: Plan['excluded']): string {
  return hashOf({
    version: 1,
    job: job.name,
    action: job.action,
    waves: waves.map((wave) => wave.map(({ instanceId }) => instanceId)),
    excluded: excluded.map(({ instanceId, code }) => ({ instanceId, code })),
  });
}

function byRank(order: Waves['order'], a: Instance, b: Instance): number {
  return rank(order, a) - rank(order, b) || compare(a.name, b.name) || compare(a.id, b.id);
}

function rank(order: Waves['order'], instance: Instance): number {
  const at = order.values.indexOf(instance.tags?.[order.tag] ?? '');
  return at === -1 ? order.values.length : at;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

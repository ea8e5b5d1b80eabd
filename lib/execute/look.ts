// Looks at the instances of a wave with as few calls as can tell: whole lists for many, details only where a decision
// needs the task, key counts only where they can still be evidence.

import type { Problem } from '../classify.ts';
import type { Job } from '../config.ts';
import type { DcsApi, Reading } from '../execute.ts';
import { type Instance, isAllowed, isProtected } from '../plan/instance.ts';
import { select } from '../plan/select.ts';
import type { Look } from '../verify.ts';

/** What is asked of a look. */
export interface LookWish {
  readonly ids: readonly string[];
  /** Those of `ids` whose task has to be known. */
  readonly tasks: ReadonlySet<string>;
  /** Key counts before the flush, of those whose keys can be evidence; empty for every other action. */
  readonly baseline: ReadonlyMap<string, number>;
  /** What its tags and its name have to allow. */
  readonly job: Pick<Job, 'action' | 'project' | 'target'>;
  /** Whether it has taken so long that nobody else is asked for. */
  readonly isLate: () => boolean;
}

/** A task is free text of the service, or JSON; so much of it is remembered. */
export const longestTask = 40;

/** What was seen, in the order of the ids; null: not seen this time. `problem`: why, the gravest one. */
export interface Looks {
  readonly looks: readonly (Look | null)[];
  readonly problem?: Problem;
}

/** Calls at once. At most five: a sixth wrong signature in a row would lock the key (vendor's IAM page). */
export const atOnce = 5;

/** Up to this many instances are asked for one by one; for more, listing the project is cheaper. */
const few = 20;

/** The states in which an action may be taken, so that only the task tells whether the instance is idle. */
const mayBeIdle: readonly string[] = ['RUNNING', 'ERROR'];

/** Reads what the wish asks for. What cannot be read is null, never an error. */
export async function lookAt(dcs: DcsApi, wish: LookWish): Promise<Looks> {
  const emptied = await readEmptied(dcs, wish.baseline);
  if (!emptied.ok && stops(emptied.problem)) return { looks: wish.ids.map(() => null), problem: emptied.problem };
  const keys = emptied.ok ? emptied.value : new Map<string, boolean>();
  if (wish.ids.length <= few) return showAll(dcs, wish.ids, wish, keys);
  const listed = await dcs.list({});
  if (!listed.ok) return { looks: wish.ids.map(() => null), problem: listed.problem };
  return fillIn(dcs, wish, new Map(listed.value.map((instance) => [instance.id, instance])), keys);
}

/**
 * Runs `work` over all items, `atOnce` at a time; results in the order of the items. Once it `isLate` nothing more is
 * begun: the results are those of the first items, of `atOnce` at the least.
 */
export async function inParallel<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
  isLate: () => boolean = () => false,
): Promise<R[]> {
  const results: R[] = [];
  for (let from = 0; from < items.length && (from === 0 || !isLate()); from += atOnce) {
    results.push(...(await Promise.all(items.slice(from, from + atOnce).map(work))));
  }
  return results;
}

/** Whether a problem means that nothing else will be answered either. */
export function stops(problem: Problem): boolean {
  return problem.class === 'auth' || problem.class === 'config';
}

async function showAll(
  dcs: DcsApi,
  ids: readonly string[],
  { job, isLate }: LookWish,
  keys: ReadonlyMap<string, boolean>,
): Promise<Looks> {
  let problem: Problem | undefined;
  const show = async (id: string): Promise<Look | null> => {
    if (problem !== undefined && stops(problem)) return null;
    const shown = await dcs.show(id);
    if (!shown.ok) {
      problem = problem !== undefined && stops(problem) ? problem : shown.problem;
      return null;
    }
    const emptied = keys.get(id) ?? null;
    if (shown.value === null) return { status: null, emptied, isProtected: false };
    const { status, task } = shown.value;
    return { status, task: task?.slice(0, longestTask) ?? null, emptied, ...objections(job, shown.value) };
  };
  const seen = await inParallel(ids, show, isLate);
  const looks = ids.map((_, i) => seen[i] ?? null);
  return problem === undefined ? { looks } : { looks, problem };
}

/** The list says who is at work; only those that look idle, or are missing, are asked for themselves. */
async function fillIn(
  dcs: DcsApi,
  wish: LookWish,
  listed: ReadonlyMap<string, Instance>,
  keys: ReadonlyMap<string, boolean>,
): Promise<Looks> {
  const asked = wish.ids.filter((id) => {
    const status = listed.get(id)?.status;
    return status === undefined || (wish.tasks.has(id) && mayBeIdle.includes(status));
  });
  const shown = await showAll(dcs, asked, wish, keys);
  const details = new Map(asked.map((id, i) => [id, shown.looks[i] ?? null]));
  const looks = wish.ids.map((id): Look | null => {
    const detail = details.get(id);
    if (detail !== undefined) return detail;
    const emptied = keys.get(id) ?? null;
    const instance = listed.get(id);
    // Whoever is missing in the list was asked for.
    if (instance === undefined) return { status: '', emptied, isProtected: true };
    return { status: instance.status, emptied, ...objections(wish.job, instance) };
  });
  return shown.problem === undefined ? { looks } : { looks, problem: shown.problem };
}

/** What speaks against acting on it, whatever the plan has said of it when it was made. */
function objections(
  { action, project, target }: LookWish['job'],
  instance: Instance,
): Pick<Look, 'isProtected' | 'isForbidden' | 'isOutside'> {
  return {
    isProtected: isProtected(project.protectedTag, instance.tags),
    ...(!isAllowed(action, project, instance.tags) && { isForbidden: true }),
    ...(select(target, [instance]).length === 0 && { isOutside: true }),
  };
}

/** Which instances lost at least nine tenths of their keys: less than that can be keys that merely expired. */
async function readEmptied(
  dcs: DcsApi,
  baseline: ReadonlyMap<string, number>,
): Promise<Reading<ReadonlyMap<string, boolean>>> {
  if (baseline.size === 0) return { ok: true, value: new Map() };
  const now = await dcs.keyCounts();
  if (!now.ok) return now;
  const emptied = new Map<string, boolean>();
  for (const [id, before] of baseline) {
    const after = now.value.get(id);
    if (after !== undefined && before > 0) emptied.set(id, after <= before / 10);
  }
  return { ok: true, value: emptied };
}

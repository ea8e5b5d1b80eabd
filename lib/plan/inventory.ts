// What a plan is made from: the instances that the target selects, read through the port in durable steps and stored in
// items of 500, so that neither a step's result nor an item grows with the fleet.

import * as v from 'valibot';
import type { Problem } from '../classify.ts';
import type { Job } from '../config.ts';
import { type CountedEngine, stepTime } from '../engine.ts';
import { noteSize } from '../episode/storm.ts';
import type { Event } from '../event.ts';
import { inParallel, longestTask, stops } from '../execute/look.ts';
import type { DcsApi, Reading } from '../execute.ts';
import { readCoolsUntil } from '../guards/cooldown.ts';
import type { Refusal } from '../guards.ts';
import { resolveReference } from '../match/reference.ts';
import { type Candidate, exclusion } from '../plan.ts';
import { itemSize, type RunList, type RunRecord, readList, readPart, writeList, writePart } from '../record.ts';
import { isPassing, readUntil } from '../retry.ts';
import type { State } from '../state.ts';
import type { Detail, Instance, ListedInstance } from './instance.ts';
import { select } from './select.ts';

/** What is known after the list was read. `outside`: at most 20 of the ids that the target does not select. */
export interface Inventory {
  /** When that began, in ms since the epoch. */
  readonly at: number;
  readonly total: number | null;
  /** Instances that may be acted on as far as the list tells. */
  readonly eligible: number;
  /** All that were chosen, in as many stored parts of 500 as it takes. */
  readonly candidates: number;
  readonly outside: readonly string[];
  /** Why nobody can tell which instance the event means. */
  readonly doubt?: Refusal;
}

/** Where an inventory is read from and kept. */
export interface InventoryPorts {
  readonly dcs: DcsApi;
  readonly state: State;
  readonly now: () => number;
}

/** Which reading of the fleet it is: the one that the plan is made from, or the one after an approval. */
export type Pass = 'first' | 'again';

const lists = {
  first: { inventory: 'inventory', details: 'details' },
  again: { inventory: 'inventory2', details: 'details2' },
} as const satisfies Record<Pass, { readonly inventory: RunList; readonly details: RunList }>;

/** Tries to read what is one of many before it is given up as unreadable. */
const enoughTries = 3;

/** Reads the list of the project and stores the candidates. A retryable problem is retried within the job's policy. */
export function readInventory(
  engine: CountedEngine,
  record: RunRecord,
  ports: InventoryPorts,
  pass: Pass = 'first',
): Promise<Reading<Inventory>> {
  const { job, event } = record;
  const list = lists[pass].inventory;
  return readUntil(engine, list, job.retry, ports.now, async (round) => {
    const at = ports.now();
    // Whoever is named by id shall be seen even where its tags have changed.
    // One that is named otherwise is looked for in the whole project: another one may have the same name.
    const isWhole = job.target.ids.length > 0 || event.reference !== undefined;
    const listed = await ports.dcs.list(isWhole ? {} : job.target.tags);
    if (!listed.ok) return listed;
    const total = await ports.dcs.total();
    if (!total.ok && (stops(total.problem) || (isPassing(total.problem) && round < enoughTries))) return total;
    if (total.ok) await noteSize(ports.state, job.project, total.value, ports.now());
    const named = namedBy(event, listed.value);
    const { candidates, outside } = choose(job, named.instances, listed.value);
    await writeList(ports.state, record, list, candidates);
    const value: Inventory = {
      at,
      total: total.ok ? total.value : null,
      eligible: candidates.filter((candidate) => isEligible(job, candidate)).length,
      candidates: candidates.length,
      outside: outside.slice(0, 20),
      ...(named.doubt !== undefined && { doubt: named.doubt }),
    };
    return { ok: true, value };
  });
}

/**
 * Reads what the list does not tell of every eligible candidate. A step reads as many as the project's rate allows in
 * about a minute, of one stored part, and fewer where that takes too long; a short rest follows it: an invocation of a
 * function has 15 minutes, and ends with each rest.
 */
export async function readDetails(
  engine: CountedEngine,
  record: RunRecord,
  inventory: Inventory,
  ports: InventoryPorts,
  pass: Pass = 'first',
): Promise<Reading<null>> {
  const most = record.job.project.rate.callsPerSecond * 30;
  for (let from = 0, step = 0; from < inventory.candidates; step++) {
    if (step > 0) await engine.wait(`${lists[pass].details} ${step} read`, 1);
    const read = await readSome(engine, record, { from, most, step, pass }, ports);
    if (!read.ok) return read;
    from += Math.max(1, read.value);
  }
  return { ok: true, value: null };
}

/** At most so many candidates from one place on, and the number of the step that reads them. */
interface Slice {
  readonly from: number;
  readonly most: number;
  readonly step: number;
  readonly pass: Pass;
}

/** Reads a slice, to the end of its stored part at most. The value is how many candidates are done with. */
function readSome(
  engine: CountedEngine,
  record: RunRecord,
  slice: Slice,
  ports: InventoryPorts,
): Promise<Reading<number>> {
  const { job, runId } = record;
  const { inventory, details } = lists[slice.pass];
  const part = Math.floor(slice.from / itemSize);
  const from = slice.from % itemSize;
  return readUntil(engine, `${details} ${slice.step + 1}`, job.retry, ports.now, async (round) => {
    const candidates = (await readPart(ports.state, runId, inventory, part, candidateSchema)).slice(from);
    const some = candidates.slice(0, slice.most);
    const wanted = some.filter((candidate) => isEligible(job, candidate));
    const known = new Map<string, Detail | null>();
    const { failed, asked } = await fillDetails(ports, job, wanted, known);
    // One that cannot be read is left out of the plan; when nobody can be read, DCS is what is wrong.
    const isHopeless = failed !== null && (stops(failed.problem) || known.size === 0);
    if (failed !== null && (isHopeless || (isPassing(failed.problem) && round < enoughTries))) return failed;
    const read = wanted
      .slice(0, asked)
      .map(({ id }) => ({ id, detail: known.get(id) ?? null, unreadable: !known.has(id) }));
    await writePart(ports.state, record, details, slice.step, read);
    const next = wanted[asked];
    return { ok: true, value: next === undefined ? some.length : some.indexOf(next) };
  });
}

/**
 * The candidates of a run with all that was read of them. Only the parts of this inventory: an earlier try of its step
 * may have left more, when the fleet shrank in between.
 */
export async function readCandidates(
  state: State,
  runId: string,
  { candidates }: Inventory,
  pass: Pass = 'first',
): Promise<Candidate[]> {
  const stored: StoredCandidate[] = [];
  for (let part = 0; part * itemSize < candidates; part++) {
    stored.push(...(await readPart(state, runId, lists[pass].inventory, part, candidateSchema)));
  }
  const details = await readList(state, runId, lists[pass].details, detailSchema);
  const byId = new Map(details.map((each) => [each.id, each]));
  return stored.map(({ id, instance }) => {
    const read = byId.get(id);
    return { id, instance, detail: read?.detail ?? null, unreadable: read?.unreadable ?? false };
  });
}

interface StoredCandidate {
  readonly id: string;
  readonly instance: Instance | null;
}

const candidateSchema = v.object({
  id: v.string(),
  instance: v.nullable(
    v.object({
      id: v.string(),
      name: v.string(),
      engine: v.string(),
      version: v.string(),
      status: v.string(),
      tags: v.nullable(v.record(v.string(), v.string())),
      specCode: v.string(),
    }),
  ),
}) satisfies v.GenericSchema<unknown, StoredCandidate>;

const detailSchema = v.object({
  id: v.string(),
  unreadable: v.boolean(),
  detail: v.nullable(
    v.object({
      status: v.string(),
      tags: v.nullable(v.record(v.string(), v.string())),
      cacheMode: v.nullable(v.string()),
      task: v.nullable(v.string()),
      appendonly: v.nullable(v.boolean()),
      coolsUntil: v.nullable(v.string()),
    }),
  ),
});

/** Whom the event names: by ids, or otherwise and then found in the fleet; `instances` undefined: the whole target. */
function namedBy(event: Event, fleet: readonly ListedInstance[]): { instances?: readonly string[]; doubt?: Refusal } {
  if (event.reference === undefined) return event.instances === undefined ? {} : { instances: event.instances };
  const resolved = resolveReference(event.reference, fleet);
  return 'id' in resolved ? { instances: [resolved.id] } : { instances: [], doubt: resolved };
}

/** Explicit ids narrow the target, never widen it; those of the target itself that do not exist stay in sight. */
function choose(
  job: Job,
  instances: readonly string[] | undefined,
  listed: readonly ListedInstance[],
): { readonly candidates: StoredCandidate[]; readonly outside: string[] } {
  const selected = new Map(select(job.target, listed).map((instance) => [instance.id, instance]));
  const isNamed = (id: string): boolean =>
    job.target.ids.includes(id) && !listed.some((instance) => instance.id === id);
  const wanted = instances ?? [...selected.keys(), ...job.target.ids.filter(isNamed)];
  const outside = wanted.filter((id) => !selected.has(id) && !isNamed(id));
  const candidates = wanted
    .filter((id) => selected.has(id) || isNamed(id))
    .map((id) => ({ id, instance: stored(job, selected.get(id) ?? null) }));
  return { candidates, outside };
}

/** Only the tags that are still asked for after the selection: an item of 500 instances has to stay small. */
function stored(job: Job, listed: ListedInstance | null): Instance | null {
  if (listed === null) return null;
  const { addresses: _, port: __, ...instance } = listed;
  return { ...instance, tags: neededTags(job, instance.tags) };
}

function neededTags(job: Job, tags: Instance['tags']): Instance['tags'] {
  const needed = [job.project.protectedTag.key, job.waves.order.tag, job.project.allowTag];
  return tags === null ? null : Object.fromEntries(Object.entries(tags).filter(([key]) => needed.includes(key)));
}

function isEligible(job: Job, { instance }: StoredCandidate): boolean {
  return instance !== null && exclusion(job.action, job.project, instance) === null;
}

/**
 * Fills `known` with whoever can be read, and answers with the gravest problem it met, and of how many it asked before it
 * got late.
 */
async function fillDetails(
  ports: InventoryPorts,
  job: Job,
  wanted: readonly StoredCandidate[],
  known: Map<string, Detail | null>,
): Promise<{ readonly failed: Extract<Reading<null>, { ok: false }> | null; readonly asked: number }> {
  const begunAt = ports.now();
  let failed: Extract<Reading<null>, { ok: false }> | null = null;
  const ask = async ({ id }: StoredCandidate): Promise<void> => {
    if (failed !== null && stops(failed.problem)) return;
    const detail = await readDetail(ports, job, id);
    if (detail.ok) known.set(id, detail.value);
    else if (failed === null || gravity(detail.problem) > gravity(failed.problem)) failed = detail;
  };
  const asked = await inParallel(wanted, ask, () => ports.now() - begunAt > stepTime);
  return { failed, asked: asked.length };
}

/** What ends the run comes before what may pass, and that before what is about one instance only. */
function gravity(problem: Problem): number {
  return stops(problem) ? 2 : isPassing(problem) ? 1 : 0;
}

/** Type and task; and, where a restart might keep the data, whether it does. null: gone since it was listed. */
async function readDetail(ports: InventoryPorts, job: Job, id: string): Promise<Reading<Detail | null>> {
  const shown = await ports.dcs.show(id);
  if (!shown.ok) return shown;
  if (shown.value === null) return { ok: true, value: null };
  const { cacheMode, status } = shown.value;
  const task = shown.value.task?.slice(0, longestTask) ?? null;
  const coolsUntil = await readCoolsUntil(ports.state, job, id, ports.now());
  const seen = { status, tags: neededTags(job, shown.value.tags), cacheMode, task, coolsUntil };
  if (job.action === 'flush' || cacheMode === 'single') return { ok: true, value: { ...seen, appendonly: null } };
  const appendonly = await ports.dcs.appendonly(id);
  // Unreadable for good counts as "does not persist"; a passing problem is read again.
  if (!appendonly.ok && appendonly.problem.class !== 'final' && appendonly.problem.class !== 'config')
    return appendonly;
  return { ok: true, value: { ...seen, appendonly: appendonly.ok ? appendonly.value : null } };
}

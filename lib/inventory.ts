// What a plan is made from: the instances that the target selects, read through the port in durable steps and stored in
// items of 500, so that neither a step's result nor an item grows with the fleet.

import * as v from 'valibot';
import type { Action, Job } from './config.ts';
import type { Engine } from './engine.ts';
import type { Event } from './event.ts';
import type { DcsApi, Reading } from './execute.ts';
import { inParallel } from './look.ts';
import { type Candidate, type Detail, exclusion, type Instance, select } from './plan.ts';
import { itemSize, type RunRecord, readList, readPart, writeList, writePart } from './record.ts';
import { readUntil } from './retry.ts';
import type { State } from './state.ts';

/** What is known after the list was read. `outside`: at most 20 of the ids that the target does not select. */
export interface Inventory {
  readonly total: number | null;
  /** Instances that may be acted on as far as the list tells. */
  readonly eligible: number;
  readonly parts: number;
  readonly outside: readonly string[];
}

/** Where an inventory is read from and kept. */
export interface InventoryPorts {
  readonly dcs: DcsApi;
  readonly state: State;
  readonly now: () => number;
}

/** Reads the list of the project and stores the candidates. A retryable problem is retried within the job's policy. */
export function readInventory(engine: Engine, record: RunRecord, ports: InventoryPorts): Promise<Reading<Inventory>> {
  const { job, event, runId } = record;
  return readUntil(engine, 'inventory', job.retry, ports.now, async () => {
    const listed = await ports.dcs.list(job.target.tags);
    if (!listed.ok) return listed;
    const total = await ports.dcs.total();
    if (!total.ok && total.problem.class !== 'final') return total;
    const { candidates, outside } = choose(job, event, listed.value);
    await writeList(ports.state, runId, 'inventory', candidates);
    const value: Inventory = {
      total: total.ok ? total.value : null,
      eligible: candidates.filter((candidate) => isEligible(job, candidate)).length,
      parts: Math.ceil(candidates.length / itemSize),
      outside: outside.slice(0, 20),
    };
    return { ok: true, value };
  });
}

/**
 * Reads what the list does not tell of every eligible candidate. A step reads as many as the project's rate allows in
 * about a minute, at most one stored part: it has to end well within one invocation of a function.
 */
export async function readDetails(
  engine: Engine,
  record: RunRecord,
  inventory: Inventory,
  ports: InventoryPorts,
): Promise<Reading<null>> {
  const size = Math.min(itemSize, record.job.project.rate.callsPerSecond * 30);
  let step = 0;
  for (let part = 0; part < inventory.parts; part++) {
    for (let from = 0; from < itemSize; from += size) {
      const read = await readSome(engine, record, { part, from, to: Math.min(itemSize, from + size), step }, ports);
      if (!read.ok) return read;
      step += 1;
    }
  }
  return { ok: true, value: null };
}

/** Candidates `from` to `to` of one stored part, and the number of the step that reads them. */
interface Slice {
  readonly part: number;
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

function readSome(engine: Engine, record: RunRecord, slice: Slice, ports: InventoryPorts): Promise<Reading<null>> {
  const { job, runId } = record;
  const known = new Map<string, Detail | null>();
  return readUntil(engine, `details ${slice.step + 1}`, job.retry, ports.now, async () => {
    const candidates = await readPart(ports.state, runId, 'inventory', slice.part, candidateSchema);
    const wanted = candidates.slice(slice.from, slice.to).filter((candidate) => isEligible(job, candidate));
    const problem = await fillDetails(ports.dcs, job.action, wanted, known);
    if (problem !== null) return problem;
    const details = wanted.map(({ id }) => ({ id, detail: known.get(id) ?? null }));
    await writePart(ports.state, runId, 'details', slice.step, details);
    return { ok: true, value: null };
  });
}

/** The candidates of a run with all that was read of them. */
export async function readCandidates(state: State, runId: string): Promise<Candidate[]> {
  const stored = await readList(state, runId, 'inventory', candidateSchema);
  const details = await readList(state, runId, 'details', detailSchema);
  const byId = new Map(details.map(({ id, detail }) => [id, detail]));
  return stored.map(({ id, instance }) => ({ id, instance, detail: byId.get(id) ?? null }));
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
  detail: v.nullable(
    v.object({
      cacheMode: v.nullable(v.string()),
      task: v.nullable(v.string()),
      appendonly: v.nullable(v.boolean()),
    }),
  ),
});

/** Explicit ids narrow the target, never widen it; those of the target itself that do not exist stay in sight. */
function choose(
  job: Job,
  event: Event,
  listed: readonly Instance[],
): { readonly candidates: StoredCandidate[]; readonly outside: string[] } {
  const selected = new Map(select(job.target, listed).map((instance) => [instance.id, instance]));
  const isNamed = (id: string): boolean =>
    job.target.ids.includes(id) && !listed.some((instance) => instance.id === id);
  const wanted = event.instances ?? [...selected.keys(), ...job.target.ids.filter(isNamed)];
  const outside = wanted.filter((id) => !selected.has(id) && !isNamed(id));
  const candidates = wanted
    .filter((id) => selected.has(id) || isNamed(id))
    .map((id) => ({ id, instance: selected.get(id) ?? null }));
  return { candidates, outside };
}

function isEligible(job: Job, { instance }: StoredCandidate): boolean {
  return instance !== null && exclusion(job.action, job.project.protectedTag, instance) === null;
}

/** Fills `known` for whoever is missing in it; the first problem ends it, what is known by then is kept. */
async function fillDetails(
  dcs: DcsApi,
  action: Action,
  wanted: readonly StoredCandidate[],
  known: Map<string, Detail | null>,
): Promise<Extract<Reading<null>, { ok: false }> | null> {
  let failed: Extract<Reading<null>, { ok: false }> | null = null;
  const missing = wanted.filter(({ id }) => !known.has(id));
  await inParallel(missing, async ({ id }) => {
    if (failed !== null) return;
    const detail = await readDetail(dcs, action, id);
    if (detail.ok) known.set(id, detail.value);
    else failed = detail;
  });
  return failed;
}

/** Type and task; and, where a restart might keep the data, whether it does. null: gone since it was listed. */
async function readDetail(dcs: DcsApi, action: Action, id: string): Promise<Reading<Detail | null>> {
  const shown = await dcs.show(id);
  if (!shown.ok) return shown;
  if (shown.value === null) return { ok: true, value: null };
  const { cacheMode, task } = shown.value;
  if (action === 'flush' || cacheMode === 'single') return { ok: true, value: { cacheMode, task, appendonly: null } };
  const appendonly = await dcs.appendonly(id);
  // Unreadable for good counts as "does not persist"; a passing problem is read again.
  if (!appendonly.ok && appendonly.problem.class !== 'final' && appendonly.problem.class !== 'config')
    return appendonly;
  return { ok: true, value: { cacheMode, task, appendonly: appendonly.ok ? appendonly.value : null } };
}

// Approval: a plan waits for another operator, bound to its hash, for an hour at most. What is said stands in the record;
// whoever says it wakes the execution, which reads it there.

import type { CountedEngine, Engine } from '../engine.ts';
import type { Reading } from '../execute.ts';
import type { Refusal } from '../guards.ts';
import { drifted, driftedSchema } from '../plan/drift.ts';
import { type InventoryPorts, readCandidates, readDetails, readInventory } from '../plan/inventory.ts';
import { makePlan, type Plan } from '../plan.ts';
import { type Decision, type RunRecord, readList, type Stop, updateRecord, writeList } from '../record.ts';
import type { Desk } from '../report/keep.ts';
import { type TellDesk, tellAsked } from '../report/tell.ts';

/** Seconds after which nobody has approved (design rule 18). */
export const approvalTime = 3600;

/** What came of asking. */
export type Answered =
  | { readonly kind: 'approved' }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** Somebody stopped the run in the meantime. */
  | { readonly kind: 'stopped'; readonly stop: Stop };

/** Asks for the approval of a plan and waits for the answer. */
export async function askApproval(engine: Engine, record: RunRecord, plan: Plan, desk: TellDesk): Promise<Answered> {
  const { runId } = record;
  const ask = async (answerId: string): Promise<boolean> => {
    const now = desk.now();
    const requestedAt = new Date(now).toISOString();
    const lapsesAt = new Date(now + approvalTime * 1000).toISOString();
    const asked = await updateRecord(desk.state, runId, (before) => {
      if (before.status !== 'running' || before.stop !== undefined) return null;
      const approval = { answerId, planHash: plan.hash, requestedAt, lapsesAt };
      return { ...before, status: 'awaiting_approval', approval };
    });
    // A step that runs again after it has written finds somebody waited for already.
    const waits = asked.status === 'awaiting_approval' && asked.approval?.decision === undefined;
    if (waits) desk.log.info('run awaits approval', { runId, job: record.job.name, planHash: plan.hash, lapsesAt });
    return waits && asked.stop === undefined;
  };
  await engine.answer('approval', approvalTime, ask, () => tellAsked(engine, runId, desk));
  return engine.step('approval answered', () => answered(runId, plan, desk));
}

/** From here on nothing can be said to the plan any more. */
async function answered(runId: string, plan: Plan, desk: Desk): Promise<Answered> {
  const record = await updateRecord(desk.state, runId, (before) =>
    before.status === 'awaiting_approval' ? { ...before, status: 'running' } : null,
  );
  const decision = record.approval?.decision;
  desk.log.info('approval answered', { runId, verdict: decision?.verdict, by: decision?.by, stop: record.stop?.code });
  if (record.stop !== undefined) return { kind: 'stopped', stop: record.stop };
  const refusal = objectionTo(record, plan);
  return refusal === null ? { kind: 'approved' } : { kind: 'refused', refusal };
}

/**
 * Why the plan is not approved. The doors take no word that is late, of whoever asked, or about another plan; whatever
 * stands in the record all the same counts for nothing.
 */
function objectionTo({ approval, event }: RunRecord, { hash }: Plan): Refusal | null {
  const { decision, lapsesAt = '', planHash } = approval ?? {};
  if (decision === undefined || Date.parse(decision.at) > Date.parse(lapsesAt)) return lapsed;
  if (decision.verdict === 'rejected') return rejected(decision);
  if (decision.by === event.requestedBy) return ownRequest;
  return planHash === hash ? null : otherPlan;
}

const lapsed: Refusal = { code: 'approval_lapsed', reason: `nobody approved the plan within ${approvalTime / 60} min` };

const ownRequest: Refusal = { code: 'own_request', reason: 'whoever asked for the run has approved it' };
const otherPlan: Refusal = { code: 'other_plan', reason: 'what was approved is another plan' };

function rejected({ by, reason }: Decision): Refusal {
  return { code: 'rejected', reason: `${by} rejected the plan${reason === undefined ? '' : `: ${reason}`}` };
}

/** Of the planned instances, so many percent may have changed while the plan waited (design rule 18). */
const mostDrift = 10;

/**
 * Reads the planned instances again by the same code that made the plan, and stores which have changed. Answers with a
 * refusal where too many have.
 */
export async function checkDrift(
  engine: CountedEngine,
  record: RunRecord,
  plan: Plan,
  ports: InventoryPorts,
): Promise<Reading<Refusal | null>> {
  const inventory = await readInventory(engine, record, ports, 'again');
  if (!inventory.ok) return inventory;
  const details = await readDetails(engine, record, inventory.value, ports, 'again');
  if (!details.ok) return details;
  const changed = await engine.step('drift', async () => {
    const now = makePlan(record.job, await readCandidates(ports.state, record.runId, inventory.value, 'again'));
    const list = drifted(plan, now);
    await writeList(ports.state, record, 'drifted', list);
    return list.length;
  });
  const planned = plan.waves.flat().length;
  if (changed * 100 <= planned * mostDrift) return { ok: true, value: null };
  const reason = `${changed} of ${planned} planned instances have changed since the plan was made; at most ${mostDrift}% may`;
  return { ok: true, value: { code: 'drifted', reason } };
}

/** Which planned instances have changed since the plan was made, and how; fixed once it was stored. */
export async function readDrifted({ runId }: RunRecord, desk: Desk): Promise<ReadonlyMap<string, string>> {
  const list = await readList(desk.state, runId, 'drifted', driftedSchema);
  return new Map(list.map(({ instanceId, reason }) => [instanceId, reason]));
}

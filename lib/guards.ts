// 3. May we: the ordered guards of a run, each a pure function with a code. They see the finished plan; an instance that
// may not be touched has fallen out of it before (plan.ts). The first refusal ends the run, with a sentence for people.

import type { Job } from './config.ts';
import type { Event } from './event.ts';
import type { Plan } from './plan.ts';

/** What the guards are told. */
export interface GuardFacts {
  readonly job: Job;
  readonly event: Event;
  readonly plan: Plan;
  /** All instances of the project, unfiltered; null when it could not be read. */
  readonly total: number | null;
  /** Explicit ids of the event that the target does not select. */
  readonly outside: readonly string[];
}

export interface Refusal {
  readonly code: string;
  readonly reason: string;
}

type Guard = (facts: GuardFacts) => Refusal | null;

/** The largest run; a durable execution has room for no more (design section 3). */
export const maxRun = 10_000;

const maxWaves = 200;

/** In this order; each is named by the code that it refuses with. */
export const guards: readonly Guard[] = [
  outsideTarget,
  targetEmpty,
  allExcluded,
  tooMany,
  tooManyWaves,
  planChanged,
  guardsStated,
  totalUnknown,
  overCap,
];

/** The first refusal, or null when the run may go on. */
export function firstRefusal(facts: GuardFacts): Refusal | null {
  for (const guard of guards) {
    const refusal = guard(facts);
    if (refusal !== null) return refusal;
  }
  return null;
}

function outsideTarget({ job, outside }: GuardFacts): Refusal | null {
  if (outside.length === 0) return null;
  return { code: 'outside_target', reason: `${listed(outside)} not selected by the target ${job.target.name}` };
}

function targetEmpty({ job, plan }: GuardFacts): Refusal | null {
  if (count(plan) + plan.excluded.length > 0) return null;
  return { code: 'target_empty', reason: `the target ${job.target.name} selects no instance` };
}

/** All at work already is nothing to do; all protected, unsupported or gone is a job that cannot do what it says. */
function allExcluded({ plan }: GuardFacts): Refusal | null {
  if (count(plan) > 0 || plan.excluded.every(({ code }) => code === 'wrong_state' || code === 'busy')) return null;
  return { code: 'all_excluded', reason: `no instance may be touched: ${reasonsOf(plan)}` };
}

function tooMany({ plan }: GuardFacts): Refusal | null {
  if (count(plan) <= maxRun) return null;
  return { code: 'too_many', reason: `${count(plan)} instances are planned; a run takes at most ${maxRun}` };
}

/** Each wave takes a dozen steps at the least, and an execution has room for 3,000. */
function tooManyWaves({ plan }: GuardFacts): Refusal | null {
  if (plan.waves.length <= maxWaves) return null;
  const reason = `${plan.waves.length} waves are planned; a run takes at most ${maxWaves}: make waves.size larger`;
  return { code: 'too_many_waves', reason };
}

function planChanged({ event, plan }: GuardFacts): Refusal | null {
  if (event.plan === undefined || event.plan === plan.hash) return null;
  return { code: 'plan_changed', reason: `the plan is now ${plan.hash}, the run was asked for ${event.plan}` };
}

/** Nobody watches a scheduled run: where data can be lost, the job itself has to say how much. */
function guardsStated({ job, event, plan }: GuardFacts): Refusal | null {
  if (event.trigger !== 'schedule' || job.guards.stated || !losesData(plan)) return null;
  return {
    code: 'guards_not_stated',
    reason: `this ${job.action} destroys data: a scheduled job has to state its own guards for that`,
  };
}

function totalUnknown({ plan, total }: GuardFacts): Refusal | null {
  if (total !== null || count(plan) === 0) return null;
  return { code: 'total_unknown', reason: 'the number of instances of the project could not be read' };
}

function overCap({ job, plan, total }: GuardFacts): Refusal | null {
  const planned = count(plan);
  const cap = capOf(job.guards, total ?? 0);
  if (planned <= cap.instances) return null;
  return { code: 'over_cap', reason: `${planned} instances are planned; ${cap.why} allows ${cap.instances}` };
}

/** The smaller of the two caps: the count, and the share of the project, rounded down, at least 1. */
function capOf(guards: Job['guards'], total: number): { readonly instances: number; readonly why: string } {
  const share = Math.max(1, Math.floor((total * guards.maxPercent) / 100));
  return share < guards.maxInstances
    ? { instances: share, why: `maxPercent ${guards.maxPercent}% of ${total} instances` }
    : { instances: guards.maxInstances, why: 'maxInstances' };
}

function count(plan: Plan): number {
  return plan.waves.reduce((sum, wave) => sum + wave.length, 0);
}

function losesData(plan: Plan): boolean {
  return plan.waves.some((wave) => wave.some(({ dataLoss }) => dataLoss));
}

function reasonsOf(plan: Plan): string {
  const tally = new Map<string, number>();
  for (const { code } of plan.excluded) tally.set(code, (tally.get(code) ?? 0) + 1);
  return [...tally].map(([code, n]) => `${n} ${code}`).join(', ');
}

function listed(ids: readonly string[]): string {
  const shown = ids.slice(0, 3).join(', ');
  return ids.length === 1
    ? `${shown} is`
    : ids.length <= 3
      ? `${shown} are`
      : `${shown} and ${ids.length - 3} more are`;
}

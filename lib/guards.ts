// 3. May we: the ordered guards of a run, each a pure function with a code. Those of the moment need no plan and are asked
// again before each send; the others see the finished plan. An instance that may not be touched has fallen out before
// (plan.ts). The first refusal ends the run, with a sentence for people and the time when it lifts.

import type { Job } from './config.ts';
import type { Event } from './event.ts';
import { inFreeze, outsideWindow } from './guards/calendar.ts';
import type { Flags } from './guards/flags.ts';
import { capOf, type Lifts, type Used } from './guards/quota.ts';
import type { Plan } from './plan.ts';

/** What holds at one moment. `now`: ms since the epoch. */
export interface Moment {
  readonly job: Job;
  readonly event: Event;
  readonly now: number;
  readonly flags: Flags;
}

/** What the guards of a plan are told. */
export interface GuardFacts {
  readonly job: Job;
  readonly event: Event;
  readonly plan: Plan;
  /** All instances of the project, unfiltered; null when it could not be read. */
  readonly total: number | null;
  /** Explicit ids of the event that the target does not select. */
  readonly outside: readonly string[];
  /** What other runs have used of the project's caps. */
  readonly used: Used;
  /** When the plan would fit under them. */
  readonly lifts: Lifts;
  /** How this plan differs from the one that was asked for, in sentences; empty where there is nothing to compare. */
  readonly drift: readonly string[];
}

/** `liftsAt`: ISO 8601 UTC; absent where nobody can tell. */
export interface Refusal {
  readonly code: string;
  readonly reason: string;
  readonly liftsAt?: string;
}

type Guard<Facts> = (facts: Facts) => Refusal | null;

/** The largest run; a durable execution has room for no more (design section 3). */
export const maxRun = 10_000;

const maxWaves = 200;

/** In this order; each is named by the code that it refuses with. */
export const momentGuards: readonly Guard<Moment>[] = [paused, outsideWindow, inFreeze, inStorm];

/** In this order; each is named by the code that it refuses with. */
export const planGuards: readonly Guard<GuardFacts>[] = [
  outsideTarget,
  targetEmpty,
  allExcluded,
  tooMany,
  tooManyWaves,
  planChanged,
  guardsStated,
  totalUnknown,
  overCap,
  overDay,
];

/** The first refusal, or null when the run may go on. */
export function firstRefusal<Facts>(guards: readonly Guard<Facts>[], facts: Facts): Refusal | null {
  for (const guard of guards) {
    const refusal = guard(facts);
    if (refusal !== null) return refusal;
  }
  return null;
}

function paused({ flags: { pause } }: Moment): Refusal | null {
  if (pause === null) return null;
  const what = pause.project === null ? 'everything' : `the project ${pause.project}`;
  return { code: 'paused', reason: `${pause.by} has paused ${what}: ${pause.reason}` };
}

function inStorm({ event, flags: { storm } }: Moment): Refusal | null {
  if (event.trigger !== 'alert' || storm === null) return null;
  return { code: 'alert_storm', reason: storm.reason, liftsAt: storm.until };
}

function outsideTarget({ job, outside }: GuardFacts): Refusal | null {
  if (outside.length === 0) return null;
  return { code: 'outside_target', reason: `${listed(outside)} not selected by the target ${job.target.name}` };
}

function targetEmpty({ job, plan }: GuardFacts): Refusal | null {
  if (count(plan) + plan.excluded.length > 0) return null;
  return { code: 'target_empty', reason: `the target ${job.target.name} selects no instance` };
}

/**
 * All at work already is nothing to do; all cooling down is told as that; all protected, unsupported or gone is a job
 * that cannot do what it says.
 */
function allExcluded({ plan }: GuardFacts): Refusal | null {
  if (count(plan) > 0 || plan.excluded.every(({ code }) => code === 'wrong_state' || code === 'busy')) return null;
  const first = plan.excluded[0];
  if (first?.code === 'cooling_down' && plan.excluded.every(({ code }) => code === 'cooling_down')) {
    const liftsAt = plan.excluded.flatMap((each) => each.liftsAt ?? []).toSorted()[0];
    return { code: 'cooling_down', reason: first.reason, ...(liftsAt !== undefined && { liftsAt }) };
  }
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

function planChanged({ event, plan, drift }: GuardFacts): Refusal | null {
  if (event.plan === undefined || (event.plan === plan.hash && drift.length === 0)) return null;
  const what = drift.length === 0 ? '' : `: ${drift.join('; ')}`;
  // The hash is of who is acted on, and not of what that destroys.
  if (event.plan === plan.hash) return { code: 'plan_changed', reason: `since the plan was made${what}` };
  return { code: 'plan_changed', reason: `the plan is now ${plan.hash}, the run was asked for ${event.plan}${what}` };
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

/** An alert is one of many: what other alerts have acted on within the hour counts with it. */
function overCap({ job, event, plan, total, used, lifts }: GuardFacts): Refusal | null {
  const planned = new Set(plan.waves.flat().map(({ instanceId }) => instanceId));
  const others = event.trigger === 'alert' ? used.alerted.filter((id) => !planned.has(id)).length : 0;
  const cap = capOf(job.guards, total ?? 0);
  if (count(plan) === 0 || count(plan) + others <= cap.instances) return null;
  const beside = others === 0 ? '' : `, ${others} were acted on by alerts within the hour`;
  const reason = `${count(plan)} instances are planned${beside}; ${cap.why} allows ${cap.instances}`;
  return { code: 'over_cap', reason, ...(others > 0 && lifts.hour !== null && { liftsAt: lifts.hour }) };
}

function overDay({ job, plan, used, lifts }: GuardFacts): Refusal | null {
  const planned = count(plan);
  if (used.today + planned <= job.guards.maxPerDay) return null;
  const reason = `${planned} instances are planned, ${used.today} were acted on within a day; maxPerDay allows ${job.guards.maxPerDay}`;
  return { code: 'over_day_cap', reason, ...(lifts.day !== null && { liftsAt: lifts.day }) };
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

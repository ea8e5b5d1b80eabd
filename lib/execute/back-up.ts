// Sees to the backups of a wave before anything is sent: looks at the records, starts what is missing, waits. Steps are
// cut so that each ends well within one invocation, and remember a few bytes for each instance.

import type { Job } from '../config.ts';
import { type Engine, mostOperations, stepTime } from '../engine.ts';
import type { DcsApi } from '../execute.ts';
import type { Verdict } from '../guards/moment.ts';
import type { Refusal } from '../guards.ts';
import { spentOperations } from '../retry.ts';
import { afterRefusal, type BackupWish, type Kept, nextStep, type Step } from './backup.ts';
import { type Leases, leaseTime } from './lease.ts';
import { inParallel, stops } from './look.ts';

/** What is backed up. `number`: of the wave. */
export interface BackUpTask {
  readonly runId: string;
  /** Of a ladder, from 1: each rung destroys what was written since the one before. */
  readonly rung: number | null;
  readonly job: Job;
  readonly number: number;
  readonly ids: readonly string[];
  /** Whose leases are kept meanwhile, and when they were last taken or renewed, in ms. */
  readonly leased: readonly string[];
  readonly leasedAt: number;
}

/** What it is done with; all but the engine are only used inside steps. */
export interface BackUpPorts {
  readonly engine: Engine;
  readonly dcs: DcsApi;
  readonly now: () => number;
  readonly mayGoOn: () => Promise<Verdict>;
  readonly leases: Pick<Leases, 'keep'>;
  /** Durable operations of the run so far. */
  readonly spent: () => number;
}

/** What came of it, by id; who is in neither was given up since the run has to stop (`verdict`). */
export interface BackedUp {
  readonly kept: ReadonlyMap<string, Kept>;
  readonly failed: ReadonlyMap<string, string>;
  readonly verdict: Exclude<Verdict, { kind: 'go' | 'hold' }> | null;
  readonly leasedAt: number;
}

/** Seconds between two looks: the first, and the longest. A backup takes 10 to 15 minutes (vendor's guide). */
const firstGap = 10;
const longestGap = 60;

/** Sees to a backup of each instance, for `retry.for` at most, and as long as the execution has room for it. */
export async function backUp(task: BackUpTask, ports: BackUpPorts): Promise<BackedUp> {
  const kept = new Map<string, Kept>();
  const failed = new Map<string, string>();
  let pending = task.ids;
  let { leasedAt } = task;
  let deadline = Number.POSITIVE_INFINITY;
  let held: Refusal | null = null;
  for (let round = 1; pending.length > 0; round++) {
    const left: string[] = [];
    const missed: string[] = [];
    let at = 0;
    for (const [i, some] of slices(pending, task.job).entries()) {
      if (ports.spent() > mostOperations)
        return { kept, failed, leasedAt, verdict: { kind: 'halt', why: spentOperations } };
      const name = `wave ${task.number} backup ${round}.${i + 1}`;
      // An invocation of a function has 15 minutes, and ends with each rest.
      if (i > 0) await ports.engine.wait(`${name} rests`, 1);
      const turn = await takeTurn(name, some, { ...task, leasedAt }, ports);
      if (turn.verdict !== null) return { kept, failed, leasedAt, verdict: turn.verdict };
      at = Math.max(at, turn.at);
      leasedAt = turn.leasedAt;
      held = turn.held;
      // Whoever was not come to is the first at the next turn.
      missed.push(...some.slice(turn.steps.length));
      for (const [k, step] of turn.steps.entries()) {
        const id = some[k] ?? '';
        if (step.kind === 'kept') kept.set(id, step.backup);
        else if (step.kind === 'failed') failed.set(id, step.reason);
        else left.push(id);
      }
    }
    deadline = Math.min(deadline, at + task.job.retry.for * 1000);
    const gap = Math.min(longestGap, Math.round(firstGap * 1.5 ** (round - 1)));
    pending = [...missed, ...left];
    if (pending.length > 0 && at + gap * 1000 > deadline) {
      // Not begun since nothing may be: that is no backup which failed.
      if (held !== null) return { kept, failed, leasedAt, verdict: { kind: 'halt', why: held } };
      for (const id of pending) failed.set(id, `no backup was there within ${task.job.retry.for} s`);
      return { kept, failed, leasedAt, verdict: null };
    }
    if (pending.length > 0) await ports.engine.wait(`wave ${task.number} backup ${round} goes on`, gap);
  }
  return { kept, failed, leasedAt, verdict: null };
}

interface Turn {
  readonly at: number;
  /** Of the first ones: when it gets late nobody else is asked for. */
  readonly steps: readonly Step[];
  readonly verdict: Exclude<Verdict, { kind: 'go' | 'hold' }> | null;
  /** Why nothing new is begun for the moment. */
  readonly held: Refusal | null;
  readonly leasedAt: number;
}

async function takeTurn(name: string, ids: readonly string[], task: BackUpTask, ports: BackUpPorts): Promise<Turn> {
  const looked = await ports.engine.step(`${name} look`, () => look(ids, task, ports));
  const starting = looked.steps.flatMap((step, i) => (step.kind === 'start' ? [i] : []));
  if (looked.verdict !== null || starting.length === 0) return looked;
  // An interrupted start is looked for at the next turn, by its remark.
  const begun = await ports.engine.once(`${name} start`, () => {
    return start(
      starting.map((i) => ids[i] ?? ''),
      task,
      ports,
    );
  });
  const started = new Map(starting.map((i, k) => [i, begun.interrupted ? undefined : begun.value[k]]));
  const steps = looked.steps.map((step, i): Step => (started.has(i) ? (started.get(i) ?? { kind: 'wait' }) : step));
  return { ...looked, steps };
}

async function look(ids: readonly string[], task: BackUpTask, ports: BackUpPorts): Promise<Turn> {
  const { job } = task;
  const at = ports.now();
  const verdict = await ports.mayGoOn();
  const held = verdict.kind === 'hold' ? verdict.why : null;
  if (verdict.kind === 'closed' || verdict.kind === 'halt') {
    return { at, steps: [], verdict, held, leasedAt: task.leasedAt };
  }
  const leasedAt = await renewed(task, ports);
  const wish: BackupWish = { policy: job.backup, remark: remarkOf(task), now: at };
  const lookAt = async (id: string): Promise<Step> => {
    const records = await ports.dcs.backups(id);
    if (!records.ok)
      return stops(records.problem) || records.problem.class === 'final' ? afterRefusal(records.problem) : wait;
    const step = nextStep(records.value, wish);
    // Paused: nothing new is begun, what goes on is waited for.
    return step.kind === 'start' && held !== null ? wait : step;
  };
  const steps = await inParallel(ids, lookAt, () => ports.now() - at > stepTime);
  return { at: ports.now(), steps, verdict: null, held, leasedAt };
}

/** All of them, since the turn of each may come later than the end of its lease. Answers with their time. */
async function renewed({ leased, leasedAt }: BackUpTask, { leases, now }: BackUpPorts): Promise<number> {
  const at = now();
  if (at - leasedAt < leaseTime / 4) return leasedAt;
  await leases.keep(leased);
  return at;
}

const wait: Step = { kind: 'wait' };

async function start(ids: readonly string[], task: BackUpTask, ports: BackUpPorts): Promise<Step[]> {
  const begunAt = ports.now();
  const startOne = async (id: string): Promise<Step> => {
    const started = await ports.dcs.backUp(id, remarkOf(task));
    return started.ok ? wait : afterRefusal(started.problem);
  };
  return inParallel(ids, startOne, () => ports.now() - begunAt > stepTime);
}

/** At most 128 characters (DCS.4098). */
function remarkOf({ runId, rung }: BackUpTask): string {
  return `dcs-autopilot ${runId}${rung === null ? '' : ` rung ${rung}`}`;
}

/** As many as the project's rate allows in half a minute, where it is what the job says. */
function slices(ids: readonly string[], { project }: Job): string[][] {
  const size = Math.min(500, project.rate.callsPerSecond * 30);
  const cut: string[][] = [];
  for (let from = 0; from < ids.length; from += size) cut.push(ids.slice(from, from + size));
  return cut;
}

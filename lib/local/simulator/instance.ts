// One simulated instance as a state machine whose time is an argument: its state at any moment follows from what was
// accepted and when. Nothing ticks; looking is what advances it.

import type { Action } from '../../config.ts';
import { type Backup, isBackingUp, killedAt } from './backup.ts';
import { between } from './chance.ts';
import { lagOf, noTime, type Timing } from './timing.ts';
import type { Switches } from './unknowns.ts';

/** What an instance starts as. Everything but id and name has a plausible default. */
export interface InstanceSpec {
  readonly id: string;
  readonly name: string;
  /** `Redis` (default) or `Memcached`. */
  readonly engine?: string;
  /** Default `5.0`. */
  readonly version?: string;
  readonly specCode?: string;
  /** `single`, `ha` (default), `cluster`, `proxy`, `ha_rw_split`. */
  readonly cacheMode?: string;
  /** Copies of each shard, the master included. Default: 1 for a single node, else 2. */
  readonly replicas?: number;
  /** GB; default 0.125. */
  readonly capacity?: number;
  readonly ip?: string;
  /** null: the list and the detail come without tags. Default: none. */
  readonly tags?: Readonly<Record<string, string>> | null;
  /** The parameter `appendonly`; null: it has no such parameter. Default by type: new-instance.ts. */
  readonly appendonly?: boolean | null;
  /** Default 1000. */
  readonly keys?: number;
  /** Default `RUNNING`. */
  readonly status?: string;
  /** Default null: idle, but for what `backups` and `tasks` say. */
  readonly task?: string | null;
  /** Oldest first. Default: none. */
  readonly backups?: readonly Backup[];
  /** Background tasks, oldest first. Restarts and flushes are none. Default: none. */
  readonly tasks?: readonly Task[];
}

/** A background task, such as a switchover. Times in milliseconds since the epoch. */
export interface Task {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly endsAt: number;
}

/** A stretch of time (milliseconds since the epoch) in which an idle instance shows another status or task. */
export interface Period {
  readonly from: number;
  readonly until: number;
  readonly status?: string;
  readonly task?: string;
}

/** An accepted action: from `startsAt` on it shows, at `endsAt` it is over. Milliseconds since the epoch. */
export interface Work {
  readonly action: Action;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly endsAs: string;
  /** The status that it shows as. */
  readonly shows: string;
  readonly losesData: boolean;
}

/** When keys were lost, and how many there were. */
export interface Loss {
  readonly at: number;
  readonly keys: number;
}

/** An instance with its past: `status`, `task` and `keys` are those from before `work`. */
export interface InstanceState extends Required<InstanceSpec> {
  readonly periods: readonly Period[];
  readonly work: Work | null;
  readonly applied: Readonly<Record<Action, number>>;
  readonly updatedAt: number;
  readonly lastLoss: Loss | null;
}

/** An instance at one moment. `working`: an accepted action is not over, even if the status does not show it. */
export interface InstanceView extends Required<InstanceSpec> {
  readonly working: boolean;
  /** Milliseconds since the epoch. */
  readonly updatedAt: number;
  readonly lastLoss: Loss | null;
}

/** The moment at which all instances were made, as their `created_at` says it. */
export const createdAt = Date.parse('2026-01-05T08:00:00.000Z');

/** What `task` shows while a backup goes on; the status stays RUNNING. */
export const backupTask = 'BACKUPING';

/** Whether an action empties the instance: flush always; a restart of a single node or without `appendonly`. */
export function losesData(action: Action, instance: Pick<InstanceState, 'cacheMode' | 'appendonly'>): boolean {
  return action === 'flush' || instance.cacheMode === 'single' || instance.appendonly !== true;
}

/** The instance at a moment (milliseconds since the epoch), which may not be before its last change. */
export function viewAt(state: InstanceState, at: number): InstanceView {
  const { periods, work, applied: _, ...rest } = state;
  const working = work !== null && at < work.endsAt;
  const begun = work !== null && at >= work.startsAt;
  const period = working ? undefined : periods.find((each) => covers(each, at));
  return {
    ...rest,
    status: period?.status ?? statusAt(state, at),
    task: period?.task ?? rest.task ?? ownTaskAt(state, at),
    ...(begun && work.losesData ? { keys: 0, lastLoss: { at: work.startsAt, keys: rest.keys } } : {}),
    working,
  };
}

/** The instance with its work folded in where that is over: what further changes start from. */
export function settledAt(state: InstanceState, at: number): InstanceState {
  if (state.work === null || at < state.work.endsAt) return state;
  const { keys, lastLoss } = viewAt(state, at);
  return { ...state, status: state.work.endsAs, keys, lastLoss, work: null };
}

/** The instance with its work ended now, wherever it was: data that is lost stays lost. */
export function stoppedAt(state: InstanceState, at: number): InstanceState {
  const { keys, lastLoss } = viewAt(state, at);
  return { ...settledAt(state, at), keys, lastLoss, work: null };
}

/**
 * The idle instance with an action accepted now; `seed` and what was applied before decide how long it takes. A backup that
 * goes on is killed by it.
 */
export function accept(
  state: InstanceState,
  action: Action,
  at: number,
  how: Acceptance,
): InstanceState & { readonly work: Work } {
  const nth = state.applied[action];
  const { switches, seed, endsAs } = how;
  const settled = settledAt(state, at);
  const startsAt = at + between(lagOf(how.timing, switches.workLag), seed, 'lag', state.id, action, nth);
  const isSeen = action !== 'flush' || switches.flushVisible;
  const endsAt = startsAt + between(isSeen ? how.timing[action] : noTime, seed, 'work', state.id, action, nth);
  const isKept = action === 'soft_restart' && switches.softRestartData === 'kept';
  const shows = statusOf(action, settled.status, switches);
  return {
    ...withoutBackup(settled, at),
    work: { action, startsAt, endsAt, endsAs, shows, losesData: !isKept && losesData(action, state) },
    applied: { ...state.applied, [action]: nth + 1 },
    updatedAt: switches.updatedAt === 'moves' ? at : state.updatedAt,
  };
}

/** The number of keys that the statistics tell, which may come late. */
export function toldKeys({ keys, lastLoss }: InstanceView, at: number, lag: Switches['keysLag']): number {
  return lag === 'a-minute' && lastLoss !== null && at < lastLoss.at + 60_000 ? lastLoss.keys : keys;
}

/** Circumstances of an accepted action. */
export interface Acceptance {
  readonly timing: Timing;
  readonly seed: number;
  readonly switches: Switches;
  /** The status it ends in, `RUNNING` or `ERROR`. */
  readonly endsAs: string;
}

/** The instance after whatever backup goes on was ended: its own ones, and those that a script only shows as a task. */
export function withoutBackup(state: InstanceState, at: number): InstanceState {
  return {
    ...state,
    task: state.task === backupTask ? null : state.task,
    backups: state.backups.map((backup) => killedAt(backup, at)),
    periods: state.periods.map((each) =>
      each.task === backupTask && covers(each, at) ? { ...each, until: at } : each,
    ),
  };
}

function covers({ from, until }: Period, at: number): boolean {
  return from <= at && at < until;
}

function ownTaskAt({ backups, tasks }: InstanceState, at: number): string | null {
  if (backups.some((backup) => isBackingUp(backup, at))) return backupTask;
  return tasks.find(({ endsAt }) => at < endsAt)?.name ?? null;
}

function statusAt({ status, work }: InstanceState, at: number): string {
  if (work === null || at < work.startsAt) return status;
  return at < work.endsAt ? work.shows : work.endsAs;
}

function statusOf(action: Action, before: string, { softRestartVisible }: Switches): string {
  if (action === 'flush') return 'FLUSHING';
  return action === 'soft_restart' && !softRestartVisible ? before : 'RESTARTING';
}

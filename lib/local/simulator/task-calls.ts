// What DCS tells of background tasks and jobs, and the one that it can start here: a switchover from master to standby.
// Restarts, flushes and backups are in neither list, as with the vendor.

import { between, uuid } from './chance.ts';
import type { Task } from './instance.ts';
import { busyCode } from './judge.ts';
import { inTimeSpan, type TimeSpan } from './listing.ts';
import type { Result } from './reply.ts';
import { wireError } from './wire-errors.ts';
import type { World } from './world.ts';

/** One page of tasks, newest first; `at` is the moment they are seen at. */
export interface TaskPage {
  readonly total: number;
  readonly items: readonly Task[];
  readonly at: number;
}

const swapTask = 'masterStandbySwapJob';

/** The background tasks of an instance. */
export function listTasks(world: World, id: string, span: TimeSpan): Result<TaskPage> {
  const found = world.existing(id);
  if (found.kind !== 'ok') return found;
  const matching = found.value.tasks.filter(({ createdAt }) => inTimeSpan(createdAt, span)).toReversed();
  const items = matching.slice(span.offset, span.offset + span.limit);
  return { kind: 'ok', value: { total: matching.length, items, at: world.now() } };
}

/** Switches master and standby; the value is the job's id. */
export function swap(world: World, id: string): Result<string> {
  const found = world.existing(id);
  if (found.kind !== 'ok') return found;
  const { cacheMode, status, tasks } = found.value;
  if (cacheMode !== 'ha') return { kind: 'error', error: wireError('DCS.4086') };
  const code = busyCode(found.value, world.switches) ?? (status === 'RUNNING' ? null : 'DCS.4049');
  if (code !== null) return { kind: 'error', error: wireError(code) };
  const at = world.now();
  const { seed, timing } = world;
  const nth = tasks.length;
  const task = { id: uuid(seed, 'job', id, nth), name: swapTask, createdAt: at };
  world.set(id, { tasks: [...tasks, { ...task, endsAt: at + between(timing.swap, seed, 'swap', id, nth) }] });
  return { kind: 'ok', value: task.id };
}

/** A job by its id, and whether it is over. */
export function findJob(world: World, jobId: string): Result<{ readonly job: Task; readonly at: number }> {
  const job = world
    .views()
    .flatMap(({ tasks }) => tasks)
    .find(({ id }) => id === jobId);
  if (job === undefined) return { kind: 'error', error: wireError('DCS.4070') };
  return { kind: 'ok', value: { job, at: world.now() } };
}

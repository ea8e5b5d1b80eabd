// The tick of each minute, in every runtime: fires that are due, runs that were stored but not started, runs whose
// execution died, storms that are over. Whatever a late, lost or broken tick left undone, the next one does; doing it twice changes nothing.

import type { Job } from '../config.ts';
import { tendStorms } from '../episode/storm.ts';
import { AutopilotError } from '../errors.ts';
import type { RunStatus } from '../record.ts';
import type { Message } from '../report/notice.ts';
import { duePosts, tickPartition } from '../report/post.ts';
import type { Metrics } from '../runtime.ts';
import type { Item } from '../state.ts';
import { fireJob, isScheduled, markOf, markPrefix, switchOff } from './fire.ts';
import { inTurn, openPrefix, type TickResult, type TickWork, tendRuns } from './open-runs.ts';
import { tellPosted, tendPost } from './untold.ts';

const messages = {
  accepted: 'fire accepted',
  missed: 'fire missed',
  overlapped: 'fire refused for overlap',
  started: 'stored run started',
  died: 'execution died',
  telling: 'notice started',
} as const satisfies Record<keyof TickResult, string>;

/** Runs that end in a tick, and how. */
const endings: Readonly<Partial<Record<keyof TickResult, { readonly Status: RunStatus; readonly Code: string }>>> = {
  missed: { Status: 'missed', Code: 'start_deadline' },
  overlapped: { Status: 'refused', Code: 'overlap' },
  died: { Status: 'failed', Code: 'execution_died' },
};

/** Executions that one tick starts for notices: after a long standstill there are many missed fires to tell of. */
const maxTellings = 50;

/** Ms after which a tick begins nothing more: its function has a minute, and what it writes at the end needs some of it. */
const tickTime = 40_000;

/** Executions that one tick starts. AWS takes 300 a second, of all functions together, and a tick has one minute. */
const maxStarts = 200;

const levels = {
  accepted: 'info',
  missed: 'warn',
  overlapped: 'warn',
  started: 'info',
  died: 'error',
  telling: 'info',
} as const satisfies Record<keyof TickResult, keyof TickWork['runtime']['log']>;

/**
 * One tick. Jobs do not depend on each other: what goes wrong with one is logged, the others go on, and at the end the
 * tick fails all the same, so that it shows.
 * Throws AutopilotError `tick_failed`, whose cause is an AggregateError of everything that went wrong.
 */
export async function tick(runtime: TickWork['runtime']): Promise<TickResult> {
  const result: Record<keyof TickResult, string[]> = {
    accepted: [],
    missed: [],
    overlapped: [],
    started: [],
    died: [],
    telling: [],
  };
  const failures: unknown[] = [];
  const work: TickWork = {
    runtime,
    now: runtime.now(),
    note: (what, runId) => {
      result[what].push(runId);
      runtime.log[levels[what]](messages[what], { runId });
      countEnding(runtime.metrics, what);
    },
    hasTime: () => runtime.now() - work.now < tickTime,
    startsLeft: () => maxStarts - result.accepted.length - result.started.length,
    tellingsLeft: () => maxTellings - result.telling.length,
    attempt: async (facts, part) => {
      try {
        return await part();
      } catch (error) {
        failures.push(error);
        runtime.log.error('part of a tick failed', { ...facts, error });
        return undefined;
      }
    },
  };
  const items = await runtime.state.query(tickPartition, '');
  await tendJobs(work, items);
  const { config, state, log } = runtime;
  const storms = {
    state,
    log,
    alertStorm: config.alertStorm,
    now: work.now,
    stage: config.stage,
    post: (message: Message) => tellPosted(work, message),
  };
  await work.attempt({ part: 'storms' }, () => tendStorms(storms, config.projects));
  for (const name of duePosts(items)) await work.attempt({ notice: name }, () => tendPost(work, name));
  if (failures.length > 0) throw tickFailed(failures);
  return result;
}

function countEnding(metrics: Metrics, what: keyof TickResult): void {
  const ending = endings[what];
  if (ending === undefined) return;
  const { Status, Code } = ending;
  metrics.count('RunsEnded', 1, { Status });
  if (Status === 'refused') metrics.count('RunsRefused', 1, { Code });
}

async function tendJobs(work: TickWork, items: readonly Item[]): Promise<void> {
  const remembered = new Map(items.map((item) => [item.sk, item]));
  const { config } = work.runtime;
  const jobs = jobNames(work, items).map((name) => ({
    name,
    job: Object.hasOwn(config.jobs, name) ? config.jobs[name] : undefined,
  }));
  // Fires first: looking after many runs may take more time than there is.
  const scheduled = jobs.filter(({ job }) => isScheduled(job));
  const others = jobs.filter(({ job }) => !isScheduled(job));
  for (const { name, job } of [...inTurn(scheduled, work.now), ...inTurn(others, work.now)]) {
    if (work.hasTime()) await work.attempt({ job: name }, () => tendJob(work, name, job, remembered));
  }
}

/** All jobs, also those that the configuration has no more: their runs may still be going. */
function jobNames(work: TickWork, items: readonly Item[]): readonly string[] {
  const ofJobs = items.filter(({ sk }) => sk.startsWith(openPrefix) || sk.startsWith(markPrefix));
  const known = ofJobs.map(({ sk }) => sk.replace(openPrefix, '').replace(markPrefix, ''));
  return [...new Set([...Object.keys(work.runtime.config.jobs), ...known])];
}

async function tendJob(
  work: TickWork,
  name: string,
  job: Job | undefined,
  remembered: ReadonlyMap<string, Item>,
): Promise<void> {
  const item = remembered.get(`${markPrefix}${name}`);
  // First of all: from here on the fires of a new schedule count, whatever goes wrong below.
  const mark = isScheduled(job) ? await markOf(work, job, item) : item;
  const open = remembered.get(`${openPrefix}${name}`);
  const going = await work.attempt({ job: name }, () => tendRuns(work, name, open));
  if (mark === undefined) return;
  if (isScheduled(job)) await fireJob(work, job, mark, going);
  else await switchOff(work, mark);
}

function tickFailed(failures: readonly unknown[]): AutopilotError {
  const first = failures[0] instanceof Error ? failures[0].message : String(failures[0]);
  const more = failures.length > 1 ? `, and ${failures.length - 1} more` : '';
  return new AutopilotError('tick_failed', `the tick failed in part: ${first}${more}`, {
    cause: new AggregateError(failures),
  });
}

// Runs that have not ended, job by job, and what the tick does for them: starts those that were stored but not started,
// closes those whose execution died, has those told of that ended without a word. Whoever is still going afterwards
// stands in the way of the job's next fire.

import * as v from 'valibot';
import type { Json } from '../canonical.ts';
import { expireLists, type RunRecord, readRecord, recordOf, updateRecord } from '../record.ts';
import { owed } from '../report/notice.ts';
import { tickPartition } from '../report/post.ts';
import { isGoing } from '../report.ts';
import type { Runtime } from '../runtime.ts';
import { lookBack } from '../schedule.ts';
import type { IndexedItem, IndexPosition, Item } from '../state.ts';
import { noteStored } from './delivery.ts';
import { wake } from './stopping.ts';
import { isUntold, tellOf } from './untold.ts';

/** What a tick did, by run id. */
export interface TickResult {
  /** Fires that became runs. */
  readonly accepted: readonly string[];
  /** Fires that are recorded as `missed`. */
  readonly missed: readonly string[];
  /** Fires that are recorded as `refused` `overlap`. */
  readonly overlapped: readonly string[];
  /** Runs of any trigger that were stored but not started, and are now. */
  readonly started: readonly string[];
  /** Runs whose execution ended without a word; they are recorded as `failed` `execution_died`. */
  readonly died: readonly string[];
  /** Runs that ended without anybody being told, and whose notice is under way now. */
  readonly telling: readonly string[];
}

/** One tick at work: its world, its instant, and where it notes what it did and what went wrong. */
export interface TickWork {
  readonly runtime: Pick<Runtime, 'config' | 'state' | 'executions' | 'log' | 'metrics' | 'now'>;
  /** Milliseconds since the epoch; the same for every decision of the tick. */
  readonly now: number;
  note(what: keyof TickResult, runId: string): void;
  /** Whether there is time for more: what is not come to is the next tick's. */
  hasTime(): boolean;
  /** How many executions this tick may still start; the rest is left to the next ones. */
  startsLeft(): number;
  /** The same for executions that only send a notice: they never stand in the way of the others. */
  tellingsLeft(): number;
  /**
   * Does a part whose failure must not stop the others: what it throws is logged, kept, and thrown when the tick ends.
   * Returns undefined for a part that failed.
   */
  attempt<T>(facts: Readonly<Record<string, string>>, part: () => Promise<T>): Promise<T | undefined>;
}

/** In the partition of what ticks remember: `open#JOB` here, `mark#JOB` in fire.ts. */
export const openPrefix = 'open#';

const minuteMs = 60_000;
/** Each tick reads a page of each job, new runs or not: a larger one would be paid for every minute. */
const pageSize = 25;
/** An index may lag and clocks differ: runs this much older than the last look are looked at again. */
const scanMargin = 10 * minuteMs;
/** How old the last look may become before it is written anew although no run was found or ended. */
const scanAge = 60 * minuteMs;
/** Runs of one job that one tick looks at: with more, each is looked at every few minutes, and no schedule waits. */
const looksPerJob = 300;
/** Ended runs of one job that one tick has told of: after a long standstill there are many missed fires. */
const tellingsPerJob = 50;
/** An execution that was just started may not be listed yet. */
const absenceGrace = 10 * minuteMs;

const memory = v.object({
  scannedTo: v.number(),
  runs: v.array(v.string()),
  /** Runs that have ended, and of which somebody still has to be told. */
  untold: v.optional(v.array(v.string()), []),
});
type Memory = v.InferOutput<typeof memory>;

/**
 * Finds the runs of one job that have not ended, mends those that are stuck, and returns the ids of those that are
 * still going, or undefined where one of them could not be looked at. `item` is what the last tick remembered under
 * `open#JOB`. Has those told of, too, that ended without a word; nothing of a job waits for that.
 */
export async function tendRuns(
  work: TickWork,
  job: string,
  item: Item | undefined,
): Promise<readonly string[] | undefined> {
  const last = item === undefined ? null : v.parse(memory, item.value);
  const found = await leftSince(work, job, (last?.scannedTo ?? work.now - lookBack) - scanMargin);
  const untold = new Set([...(last?.untold ?? []), ...found.filter(isUntold).map(({ runId }) => runId)]);
  const open = [...new Set([...(last?.runs ?? []), ...found.filter(isOpen).map(({ runId }) => runId)])];
  const turn = inTurn(open, work.now, looksPerJob);
  const looks = new Map<string, Left | undefined>();
  for (const runId of turn) {
    if (!work.hasTime()) break;
    looks.set(runId, await work.attempt({ job, runId }, () => tend(work, runId)));
  }
  for (const [runId, left] of looks) if (left === 'untold') untold.add(runId);
  const going = open.filter((runId) => (looks.get(runId) ?? 'run') === 'run');
  await remember(work, job, item, last, { runs: going, untold: await stillUntold(work, job, [...untold]) });
  return turn.every((runId) => looks.get(runId) !== undefined) ? going : undefined;
}

async function stillUntold(work: TickWork, job: string, untold: readonly string[]): Promise<string[]> {
  const done = new Set<string>();
  for (const runId of inTurn(untold, work.now, tellingsPerJob)) {
    if (!work.hasTime()) break;
    if ((await work.attempt({ job, runId }, () => tellOf(work, runId))) === true) done.add(runId);
  }
  return untold.filter((runId) => !done.has(runId));
}

/** Steps of this share of a circle come near every place of it soon, however far each of them is then followed. */
const golden = (Math.sqrt(5) - 1) / 2;

/** Whose turn it is, the first one first: another one with each minute, around and around, since a tick may end early. */
export function inTurn<T>(all: readonly T[], now: number, most = all.length): readonly T[] {
  const first = Math.floor(((Math.floor(now / minuteMs) * golden) % 1) * all.length);
  return [...all.slice(first), ...all.slice(0, first)].slice(0, most);
}

/** Candidates only: the index may show an older state of a run than its record. */
async function leftSince(work: TickWork, job: string, since: number): Promise<readonly RunRecord[]> {
  const found: RunRecord[] = [];
  let before: IndexPosition | undefined;
  for (;;) {
    const page: readonly IndexedItem[] = await work.runtime.state.byJob(job, pageSize, before);
    const recent = page.filter((item) => Date.parse(item.createdAt) >= since);
    found.push(...recent.map((item) => recordOf(item.value)).filter((record) => isOpen(record) || isUntold(record)));
    before = recent.at(-1);
    if (recent.length < pageSize || before === undefined) return found.reverse();
  }
}

function isOpen(record: RunRecord): boolean {
  return isGoing(record.status);
}

/** All of a run, its notice, or nothing. */
type Left = 'run' | 'untold' | 'nothing';

/** What is left to do for a run. */
async function tend(work: TickWork, runId: string): Promise<Left> {
  const found = await readRecord(work.runtime.state, runId);
  if (found === undefined) return 'nothing';
  const record = isOpen(found) ? await mend(work, found) : found;
  if (isOpen(record)) return 'run';
  return isUntold(record) ? 'untold' : 'nothing';
}

async function mend(work: TickWork, record: RunRecord): Promise<RunRecord> {
  // Whoever answered could not wake it, perhaps.
  await wake(work.runtime, record);
  const status = await work.runtime.executions.status(record.runId);
  if (!record.started && record.status === 'accepted') {
    if (status === 'absent' && isTooLate(work, record)) return recordMissed(work, record);
    // An execution that is there already was started by a door that could not note it; it must not get a second one.
    if (status === 'running') return noteStarted(work, record);
    return work.startsLeft() > 0 ? start(work, record) : record;
  }
  // A start is safe to repeat under its name; a run that nothing has begun on yet is not dead.
  if (record.status === 'accepted' && status === 'absent') return startAgain(work, record);
  const age = work.now - Date.parse(record.startedAt ?? record.createdAt);
  if (status === 'running' || (status === 'absent' && age < absenceGrace)) return record;
  return recordDeath(work, record);
}

/** A schedule's deadline holds for the start itself, not only for the event: nobody expects the run any more. */
function isTooLate(work: TickWork, { event, job: { trigger } }: RunRecord): boolean {
  if (event.trigger !== 'schedule' || trigger.type !== 'schedule' || typeof event.identity !== 'string') return false;
  return work.now - Date.parse(event.identity) > trigger.startDeadline * 1000;
}

async function start(work: TickWork, record: RunRecord): Promise<RunRecord> {
  await noteStored(work.runtime.state, record);
  await work.runtime.executions.start(record.runId);
  return noteStarted(work, record);
}

/** Started long enough ago to be listed, and is not: its start got lost on the way. */
async function startAgain(work: TickWork, record: RunRecord): Promise<RunRecord> {
  if (work.now - Date.parse(record.createdAt) >= absenceGrace && work.startsLeft() > 0) {
    await work.runtime.executions.start(record.runId);
  }
  return record;
}

async function noteStarted(work: TickWork, record: RunRecord): Promise<RunRecord> {
  const started = await updateRecord(work.runtime.state, record.runId, (now) =>
    now.started ? null : { ...now, started: true },
  );
  work.note('started', record.runId);
  return started;
}

async function recordMissed(work: TickWork, record: RunRecord): Promise<RunRecord> {
  const reason = 'the run was stored in time but could not be started before the start deadline';
  const ended = await end(work, record, { status: 'missed', code: 'start_deadline', reason });
  if (ended.status === 'missed') work.note('missed', record.runId);
  return ended;
}

async function recordDeath(work: TickWork, record: RunRecord): Promise<RunRecord> {
  const reason =
    'the execution of the run ended without recording a result; what it had sent to DCS is in its outcomes';
  const ended = await end(work, record, { status: 'failed', code: 'execution_died', reason });
  if (ended.code === 'execution_died') work.note('died', record.runId);
  await expireLists(work.runtime.state, ended);
  return ended;
}

/**
 * Ends a record, unless the run ended it itself. The record is read again here, after its execution was looked at: an
 * execution writes its result before it ends, so that one which still is open now will stay open for ever.
 */
async function end(
  work: TickWork,
  record: RunRecord,
  change: Pick<RunRecord, 'status'> & Required<Pick<RunRecord, 'code' | 'reason'>>,
): Promise<RunRecord> {
  const finishedAt = new Date(work.now).toISOString();
  return updateRecord(work.runtime.state, record.runId, (now) =>
    isOpen(now) ? { ...now, ...change, finishedAt, ...owed(work.runtime.config, change.status) } : null,
  );
}

async function remember(
  work: TickWork,
  job: string,
  item: Item | undefined,
  last: Memory | null,
  left: Pick<Memory, 'runs' | 'untold'>,
): Promise<void> {
  const same = last !== null && isSame(last.runs, left.runs) && isSame(last.untold, left.untold);
  if (same && work.now - last.scannedTo < scanAge) return;
  const key = { pk: tickPartition, sk: `${openPrefix}${job}` };
  const value: Json = { scannedTo: work.now, ...left };
  // Where another tick was in between, its memory is as good as this one, and the next tick looks back over both.
  if (item === undefined) await work.runtime.state.putIfAbsent(key, value);
  else await work.runtime.state.updateIf(key, item.version, value);
}

function isSame(before: readonly string[], after: readonly string[]): boolean {
  return before.length === after.length && after.every((id) => before.includes(id));
}

// `GET /runs`: which runs are asked for, and the newest of them over all jobs, page by page. A cursor is a place in the
// index, so that a page stays where it was while new runs come in.

import * as v from 'valibot';
import type { HttpRequest } from '../http.ts';
import { recordOf, statuses } from '../record.ts';
import { type RunSummary, runSummary } from '../report.ts';
import type { IndexedItem, IndexPosition, State } from '../state.ts';
import { readQuery } from './query.ts';

/** What a list is narrowed to. */
export interface ListQuery {
  readonly job?: string | undefined;
  readonly status?: string | undefined;
  /** 1 to 100. */
  readonly limit: number;
  /** Only runs after this place, newest first. */
  readonly cursor?: IndexPosition | undefined;
}

/** One page; `next` is the cursor of the next one, and absent at the end. */
export interface RunPage {
  readonly runs: readonly RunSummary[];
  readonly next?: string;
}

/** Pages of the index that one answer reads at most while a status leaves much of them out. */
const maxReads = 10;

const notACursor = 'must be a cursor of ours';

const position = v.object(
  {
    createdAt: v.pipe(v.string(notACursor), v.isoTimestamp(notACursor)),
    pk: v.pipe(v.string(notACursor), v.startsWith('run#', notACursor)),
  },
  notACursor,
);

const listQuery = v.strictObject({
  job: v.exactOptional(v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,39}$/, 'must be the name of a job'))),
  status: v.exactOptional(v.picklist(statuses, `must be one of ${statuses.join(', ')}`)),
  limit: v.exactOptional(
    v.pipe(v.string(), v.regex(/^([1-9]\d?|100)$/, 'must be a number from 1 to 100'), v.transform(Number)),
    '50',
  ),
  cursor: v.exactOptional(v.pipe(v.string(), v.transform(decoded), position)),
});

/** Reads `job`, `status`, `limit` (50) and `cursor`. Throws DoorError 400 `malformed`, naming each faulty parameter. */
export function readListQuery(request: Pick<HttpRequest, 'query'>): ListQuery {
  return readQuery(listQuery, request);
}

/** The newest runs of `jobs` that a query asks for. A page may be short of its limit while there are more (`next`). */
export async function listRuns(state: State, jobs: readonly string[], query: ListQuery): Promise<RunPage> {
  const runs: RunSummary[] = [];
  let place = query.cursor;
  for (let read = 0; read < maxReads; read++) {
    const items = await newest(state, jobs, query.limit + 1, place);
    for (const { createdAt, pk, value } of items) {
      if (runs.length === query.limit) return page(runs, place);
      const run = runSummary(recordOf(value));
      if (query.status === undefined || run.status === query.status) runs.push(run);
      place = { createdAt, pk };
    }
    if (items.length <= query.limit) return { runs };
  }
  return page(runs, place);
}

/** The newest items over all jobs: each job gives as many as are wanted, so none can be missing from the merged ones. */
async function newest(
  state: State,
  jobs: readonly string[],
  limit: number,
  after?: IndexPosition,
): Promise<IndexedItem[]> {
  const pages = await Promise.all(jobs.map((job) => state.byJob(job, limit, after)));
  return pages.flat().sort(newestFirst).slice(0, limit);
}

function newestFirst(a: IndexPosition, b: IndexPosition): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? 1 : -1;
  return a.pk < b.pk ? 1 : -1;
}

function page(runs: readonly RunSummary[], last: IndexPosition | undefined): RunPage {
  if (last === undefined) return { runs };
  return { runs, next: Buffer.from(JSON.stringify(last)).toString('base64url') };
}

function decoded(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return undefined;
  }
}

// Each call of DCS that is used, as two pure functions: what to ask, and what the answer means. So every odd answer is a
// one-line test, and lib/huawei/dcs.ts is left with sending.

import * as v from 'valibot';
import type { Problem } from '../classify.ts';
import type { Action } from '../config.ts';
import type { BackupRecord } from '../execute/backup.ts';
import type { Answer, Reading } from '../execute.ts';
import type { InstanceDetail } from '../plan/instance.ts';
import * as schema from './dcs-schema.ts';
import type { Exchange, Received } from './http.ts';
import { problemOf, type ReadContext, requestIdOf, unreadable } from './problem.ts';
import type { Query } from './sign.ts';

/** A call before it is addressed and signed. An empty body is none. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly query: Query;
  readonly body: string;
}

/** The most ids that one status call may carry (DCS.4100). */
export const batchLimit = 50;
/** The most rows that one page of the list may have. */
export const pageLimit = 1000;

/** Asks for one action on some instances; throws RangeError unless there are 1 to 50: what `[]` would do is not documented. */
export function actRequest(projectId: string, action: Action, ids: readonly string[]): Call {
  const instances = [...new Set(ids.map((id) => id.toLowerCase()))];
  if (instances.length < 1 || instances.length > batchLimit) {
    throw new RangeError(`A status call takes 1 to ${batchLimit} instances, not ${instances.length}.`);
  }
  const body = JSON.stringify({ instances, action });
  return { method: 'PUT', path: `/v2/${projectId}/instances/status`, query: {}, body };
}

/** Results by lower-cased id, only of the ids that were asked for. */
export function readAct(exchange: Exchange, ids: readonly string[], context: ReadContext): Answer {
  if (!isSuccess(exchange)) return refusedOrLost(problemOf(exchange, context));
  const parsed = v.safeParse(schema.results, schema.parseJson(exchange.body));
  if (!parsed.success) {
    const message = 'DCS accepted the call without telling a result for each instance.';
    return { kind: 'lost', problem: unreadable(exchange, 'no_results', message, context) };
  }
  const results = resultsById(parsed.output, new Set(ids.map((id) => id.toLowerCase())));
  return { kind: 'answered', results, ...requestIdOf(exchange, context) };
}

/** Asks for one page of the instances that carry all tags, as far as they can be asked for: callers filter again. */
export function listRequest(
  projectId: string,
  tags: Readonly<Record<string, string>>,
  offset: number,
  limit: number = pageLimit,
): Call {
  // The list is `key=value,key=value` with no way to escape either sign; leaving a tag out finds more, never less.
  const askable = Object.entries(tags).filter((pair) => !pair.some((part) => /[,=]/.test(part)));
  const filter = askable.map(([key, value]) => `${key}=${value}`).join(',');
  const query = { offset: String(offset), limit: String(limit), ...(filter === '' ? {} : { tags: filter }) };
  return get(projectId, 'instances', query);
}

/** One page of the list. */
export function readPage(exchange: Exchange, context: ReadContext): Reading<schema.Page> {
  return read(exchange, schema.page, context);
}

/**
 * Whether a page is the last, given the offset after it. A short page alone is not: a service may allow less per page. Nor
 * is a full page that counts as many as it holds: `instance_num` may mean the page.
 */
export function isLastPage(page: schema.Page, offset: number): boolean {
  const { length } = page.instances;
  if (length === 0) return true;
  return page.total === null || countsItself(page) ? length < pageLimit : offset >= page.total;
}

/** Whether a page brought nothing new (`found` ids after it, `known` before) although some are still to come. */
export function isRepeatedPage(page: schema.Page, found: number, known: number): boolean {
  if (page.instances.length === 0 || found > known) return false;
  return page.total === null || found < page.total || countsItself(page);
}

function countsItself({ instances, total }: schema.Page): boolean {
  return total === instances.length && instances.length >= pageLimit;
}

/** The problem of a list whose pages repeat: without their offset the rest of the fleet cannot be seen. */
export const repeatedPage: Problem = {
  class: 'unknown',
  code: 'answer_unreadable',
  message: 'The list of instances cannot be read: the service gave the same page for another offset.',
};

/** Asks for the number of all instances. */
export function totalRequest(projectId: string): Call {
  return listRequest(projectId, {}, 0, 1);
}

/** The number of all instances. */
export function readTotal(exchange: Exchange, context: ReadContext): Reading<number> {
  return read(exchange, schema.total, context);
}

/** Asks for everything about one instance. */
export function showRequest(projectId: string, id: string): Call {
  return get(projectId, `instances/${id}`);
}

/** One instance; null only where DCS itself says that it does not exist, not where a URL is unknown to a gateway. */
export function readShow(exchange: Exchange, id: string, context: ReadContext): Reading<InstanceDetail | null> {
  const reading = read(exchange, schema.detail, context);
  if (reading.ok) return reading.value.id === id.toLowerCase() ? reading : otherInstance;
  return isGone(reading.problem) ? { ok: true, value: null } : reading;
}

function isGone({ code, status, class: errorClass }: Problem): boolean {
  return code === 'DCS.3022' || code === '111404022' || (status === 404 && errorClass === 'final');
}

const otherInstance: Reading<never> = {
  ok: false,
  problem: { class: 'unknown', code: 'answer_unreadable', message: 'The answer is about another instance.' },
};

/** Asks for the load of all running instances. */
export function statisticRequest(projectId: string): Call {
  return get(projectId, 'instances/statistic');
}

/** The number of keys by id. */
export function readKeyCounts(exchange: Exchange, context: ReadContext): Reading<ReadonlyMap<string, number>> {
  return read(exchange, schema.keyCounts, context);
}

/** Asks for the parameters of one instance. */
export function configsRequest(projectId: string, id: string): Call {
  return get(projectId, `instances/${id}/configs`);
}

/** Whether `appendonly` is on; null where the instance has no such parameter. */
export function readAppendonly(exchange: Exchange, context: ReadContext): Reading<boolean | null> {
  return read(exchange, schema.appendonly, context);
}

/** Asks for the newest backups of one instance: no more are kept than 24. */
export function backupsRequest(projectId: string, id: string): Call {
  return get(projectId, `instances/${id}/backups`, { limit: '100' });
}

/** The records, newest first; an answer without content means that there are none. */
export function readBackups(exchange: Exchange, context: ReadContext): Reading<readonly BackupRecord[]> {
  if (isSuccess(exchange) && exchange.status === 204) return { ok: true, value: [] };
  return read(exchange, schema.backups, context);
}

/** Starts a backup. `remark`: at most 128 characters. */
export function backUpRequest(projectId: string, id: string, remark: string): Call {
  const body = JSON.stringify({ remark, backup_format: 'rdb' });
  return { method: 'POST', path: `/v2/${projectId}/instances/${id}/backups`, query: {}, body };
}

/** The id of the backup that was started. */
export function readBackUp(exchange: Exchange, context: ReadContext): Reading<string> {
  return read(exchange, schema.startedBackup, context);
}

function get(projectId: string, resource: string, query: Query = {}): Call {
  return { method: 'GET', path: `/v2/${projectId}/${resource}`, query, body: '' };
}

function isSuccess(exchange: Exchange): exchange is Received {
  return exchange.kind === 'received' && exchange.status >= 200 && exchange.status < 300;
}

function read<T>(exchange: Exchange, wanted: v.GenericSchema<unknown, T>, context: ReadContext): Reading<T> {
  if (!isSuccess(exchange)) return { ok: false, problem: problemOf(exchange, context) };
  const parsed = v.safeParse(wanted, schema.parseJson(exchange.body));
  if (parsed.success) return { ok: true, value: parsed.output };
  const where = v.getDotPath(parsed.issues[0]) ?? 'its beginning';
  const message = `The answer cannot be read at ${where}.`;
  return { ok: false, problem: unreadable(exchange, 'answer_unreadable', message, context) };
}

function refusedOrLost(problem: Problem): Answer {
  return { kind: problem.class === 'unknown' ? 'lost' : 'refused', problem };
}

type Result = v.InferOutput<typeof schema.results>[number];

function resultsById(results: readonly Result[], asked: ReadonlySet<string>): Map<string, Result['result']> {
  const said = results.filter(({ instance }) => asked.has(instance));
  // An instance that is said to have succeeded and failed has no result: it is read like any missing one.
  const torn = said.filter((a) => said.some((b) => a.instance === b.instance && a.result !== b.result));
  const clear = said.filter((entry) => !torn.includes(entry));
  return new Map(clear.map(({ instance, result }) => [instance, result]));
}

// Which instances a list call selects, and which part of them it shows, as `GET /v2/{project_id}/instances` documents
// it; and the part of a list that two moments select.

import type { InstanceView } from './instance.ts';

/** The parameters of the list call after reading. No member but the page: all instances. */
export interface ListQuery {
  readonly id?: string;
  readonly name?: string;
  /** Whether `name` must be the whole name; else a part of it is enough. Default false. */
  readonly nameEqual?: boolean;
  readonly status?: string;
  /** One of its addresses. */
  readonly ip?: string;
  /** GB. */
  readonly capacity?: number;
  /** An instance must carry all of them. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Also those that failed to be created. Default false. */
  readonly includeFailure?: boolean;
  /** Also deleted ones. Default false. */
  readonly includeDelete?: boolean;
  readonly offset: number;
  readonly limit: number;
}

/** One page: `total` counts all that match. */
export interface Page {
  readonly total: number;
  readonly items: readonly InstanceView[];
}

/** Part of a list that is ordered in time: between two moments (milliseconds since the epoch, both included). */
export interface TimeSpan {
  readonly from: number;
  readonly until: number;
  readonly offset: number;
  readonly limit: number;
}

/** Whether a moment is in the span. */
export function inTimeSpan(at: number, { from, until }: TimeSpan): boolean {
  return from <= at && at <= until;
}

/** The page that a query selects. */
export function select(views: readonly InstanceView[], query: ListQuery): Page {
  const matching = views.filter((view) => isListed(view, query) && matches(view, query));
  return { total: matching.length, items: matching.slice(query.offset, query.offset + query.limit) };
}

function isListed({ status }: InstanceView, query: ListQuery): boolean {
  if (status === 'CREATEFAILED') return query.includeFailure === true;
  return status !== 'DELETED' || query.includeDelete === true;
}

function matches(view: InstanceView, query: ListQuery): boolean {
  const { id, name, nameEqual, status, ip, capacity, tags } = query;
  if (id !== undefined && view.id !== id) return false;
  if (status !== undefined && view.status !== status) return false;
  if (ip !== undefined && !view.ip.split(',').includes(ip)) return false;
  if (capacity !== undefined && view.capacity !== capacity) return false;
  if (name !== undefined && !(nameEqual === true ? view.name === name : view.name.includes(name))) return false;
  return Object.entries(tags ?? {}).every(([key, value]) => view.tags?.[key] === value);
}

// Which instances a list call selects, and which part of them it shows, as `GET /v2/{project_id}/instances` documents
// it.

import type { InstanceView } from './instance.ts';

/** The parameters of the list call after reading. No member but the page: all instances. */
export interface ListQuery {
  readonly id?: string;
  readonly name?: string;
  /** Whether `name` must be the whole name; else a part of it is enough. Default false. */
  readonly nameEqual?: boolean;
  readonly status?: string;
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

/** The page that a query selects. */
export function select(views: readonly InstanceView[], query: ListQuery): Page {
  const matching = views.filter((view) => isListed(view, query) && matches(view, query));
  return { total: matching.length, items: matching.slice(query.offset, query.offset + query.limit) };
}

function isListed({ status }: InstanceView, query: ListQuery): boolean {
  if (status === 'CREATEFAILED') return query.includeFailure === true;
  return status !== 'DELETED' || query.includeDelete === true;
}

function matches(view: InstanceView, { id, name, nameEqual, status, tags }: ListQuery): boolean {
  if (id !== undefined && view.id !== id) return false;
  if (status !== undefined && view.status !== status) return false;
  if (name !== undefined && !(nameEqual === true ? view.name === name : view.name.includes(name))) return false;
  return Object.entries(tags ?? {}).every(([key, value]) => view.tags?.[key] === value);
}

// The calls about instances: the status call at the centre of it all, the list, one instance with its parameters, and
// the load of all.

import type { Json } from '../../../canonical.ts';
import type { ListQuery } from '../listing.ts';
import { configs, counters, detail, listItem, oldCounters, statistic } from '../render.ts';
import { mapReply, type Reply } from '../reply.ts';
import { type WireError, wireError } from '../wire-errors.ts';
import { isError, type Rendered, type Route, type RoutedCall, readJson, readPaging, rendered } from './route.ts';

/** Below `/v2/{project_id}`. */
export const instanceRoutes: readonly Route[] = [
  { method: 'PUT', path: '/instances/status', needs: 'write', handle: act },
  { method: 'GET', path: '/instances/status', needs: 'read', handle: count },
  {
    method: 'GET',
    path: '/instances/statistic',
    needs: 'read',
    handle: ({ fleet }) => rendered(fleet.statistic(), statistic),
  },
  { method: 'GET', path: '/instances', needs: 'read', handle: list },
  {
    method: 'GET',
    path: '/instances/{}/configs',
    needs: 'read',
    handle: ({ fleet, ids: [id] }) => rendered(fleet.configs(id), configs),
  },
  { method: 'GET', path: '/instances/{}', needs: 'read', handle: show },
];

/** What the older version of the API had of this: an answer without a body, and two actions. Below `/v1.0/{project_id}`. */
export const oldInstanceRoutes: readonly Route[] = [
  { method: 'PUT', path: '/instances/status', needs: 'write', handle: oldAct },
  { method: 'GET', path: '/instances/status', needs: 'read', handle: oldCount },
];

function act({ fleet, body }: RoutedCall): Reply<Rendered> {
  const read = readJson(body);
  if (isError(read)) return fleet.refuse('act', read);
  return rendered(fleet.act(read.json), (results) => ({ results: results.map((result) => ({ ...result })) }));
}

function oldAct({ fleet, body }: RoutedCall): Reply<Rendered> {
  const read = readJson(body);
  if (isError(read)) return fleet.refuse('act', read);
  if (read.json['action'] === 'soft_restart') return fleet.refuse('act', wireError('DCS.4064'));
  return mapReply(fleet.act(read.json), () => ({ status: 204, body: null }));
}

function count({ fleet, query }: RoutedCall): Reply<Rendered> {
  return rendered(fleet.counters(query.get('include_failure') === 'true'), counters);
}

function oldCount({ fleet, query }: RoutedCall): Reply<Rendered> {
  return rendered(fleet.counters(query.get('includeFailure') === 'true'), oldCounters);
}

function show({ fleet, ids: [id] }: RoutedCall): Reply<Rendered> {
  return rendered(fleet.show(id), (view) => detail(view, fleet.switches));
}

function list({ fleet, query }: RoutedCall): Reply<Rendered> {
  const read = readListQuery(query);
  if (isError(read)) return fleet.refuse('list', read);
  return rendered(
    fleet.list(read),
    ({ total, items }): Json => ({
      instance_num: total,
      instances: items.map((view) => listItem(view, fleet.switches)),
    }),
  );
}

function readListQuery(query: URLSearchParams): ListQuery | WireError {
  const paging = readPaging(query);
  if (isError(paging)) return paging;
  const tags = readTags(query.get('tags') ?? '');
  if (tags === null) return wireError('DCS.4800', 'tags');
  const capacity = Number(query.get('capacity') ?? Number.NaN);
  if (query.has('capacity') && Number.isNaN(capacity)) return wireError('DCS.4012');
  return { ...paging, tags, ...(query.has('capacity') ? { capacity } : {}), ...readFilters(query) };
}

function readFilters(query: URLSearchParams): Omit<ListQuery, 'offset' | 'limit' | 'tags' | 'capacity'> {
  const id = query.get('instance_id');
  const name = query.get('name');
  const status = query.get('status');
  const ip = query.get('ip');
  return {
    ...(id === null ? {} : { id }),
    ...(name === null ? {} : { name, nameEqual: query.get('name_equal') === 'true' }),
    ...(status === null ? {} : { status }),
    ...(ip === null ? {} : { ip }),
    includeFailure: query.get('include_failure') === 'true',
    includeDelete: query.get('include_delete') === 'true',
  };
}

/** `key=value`, several joined by commas. */
function readTags(text: string): Readonly<Record<string, string>> | null {
  const tags: Record<string, string> = {};
  for (const pair of text.split(',').filter((part) => part !== '')) {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
    if (key === undefined || value === undefined) return null;
    tags[key] = value;
  }
  return tags;
}

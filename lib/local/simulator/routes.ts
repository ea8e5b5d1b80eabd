// The paths of the DCS API that the simulator knows: from method, path, query and body of a request to the fleet's
// reply as JSON. A further route is a further line of the table.

import * as v from 'valibot';
import type { Json } from '../../canonical.ts';
import type { Fleet } from './fleet.ts';
import type { ListQuery } from './listing.ts';
import { configs, counters, detail, listItem, statistic } from './render.ts';
import { mapReply, type Reply } from './reply.ts';
import { type WireError, wireError } from './wire-errors.ts';

/** A request whose sender is known. `path` is what follows `/v2/{project_id}`. */
export interface RoutedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Uint8Array;
}

type Handler = (fleet: Fleet, request: RoutedRequest, id: string) => Reply<Json>;

const table: readonly { readonly method: string; readonly path: RegExp; readonly handle: Handler }[] = [
  { method: 'PUT', path: /^\/instances\/status$/, handle: act },
  { method: 'GET', path: /^\/instances\/status$/, handle: (fleet) => mapReply(fleet.counters(), counters) },
  { method: 'GET', path: /^\/instances\/statistic$/, handle: (fleet) => mapReply(fleet.statistic(), statistic) },
  { method: 'GET', path: /^\/instances$/, handle: list },
  {
    method: 'GET',
    path: /^\/instances\/([^/]+)\/configs$/,
    handle: (fleet, _, id) => mapReply(fleet.configs(id), configs),
  },
  { method: 'GET', path: /^\/instances\/([^/]+)$/, handle: show },
];

/** The reply to a request; undefined where there is no such route. */
export function answer(fleet: Fleet, request: RoutedRequest): Reply<Json> | undefined {
  for (const { method, path, handle } of table) {
    const match = method === request.method ? path.exec(request.path) : null;
    if (match !== null) return handle(fleet, request, match[1] ?? '');
  }
  return undefined;
}

const actBody = v.object({ action: v.optional(v.unknown()), instances: v.optional(v.unknown()) });

function act(fleet: Fleet, { body }: RoutedRequest): Reply<Json> {
  const text = new TextDecoder().decode(body);
  if (text === '') return fleet.refuse('act', wireError('DCS.4004'));
  const members = v.safeParse(v.pipe(v.string(), v.parseJson(), actBody), text);
  if (!members.success) return fleet.refuse('act', wireError('DCS.4005'));
  return mapReply(fleet.act(members.output), (results) => ({ results: results.map((result) => ({ ...result })) }));
}

function show(fleet: Fleet, _: RoutedRequest, id: string): Reply<Json> {
  return mapReply(fleet.show(id), (view) => detail(view, fleet.switches));
}

function list(fleet: Fleet, { query }: RoutedRequest): Reply<Json> {
  const read = readListQuery(query);
  if ('code' in read) return fleet.refuse('list', read);
  return mapReply(fleet.list(read), ({ total, items }) => ({
    instance_num: total,
    instances: items.map((view) => listItem(view, fleet.switches)),
  }));
}

function readListQuery(query: URLSearchParams): ListQuery | WireError {
  const offset = readCount(query.get('offset') ?? '0', 0, Number.MAX_SAFE_INTEGER);
  const limit = readCount(query.get('limit') ?? '10', 1, 1_000);
  if (offset === null) return wireError('DCS.4800', 'offset');
  if (limit === null) return wireError('DCS.4800', 'limit');
  const tags = readTags(query.get('tags') ?? '');
  if (tags === null) return wireError('DCS.4800', 'tags');
  return { offset, limit, tags, ...readFilters(query) };
}

function readFilters(query: URLSearchParams): Omit<ListQuery, 'offset' | 'limit' | 'tags'> {
  const id = query.get('instance_id');
  const name = query.get('name');
  const status = query.get('status');
  return {
    ...(id === null ? {} : { id }),
    ...(name === null ? {} : { name, nameEqual: query.get('name_equal') === 'true' }),
    ...(status === null ? {} : { status }),
    includeFailure: query.get('include_failure') === 'true',
    includeDelete: query.get('include_delete') === 'true',
  };
}

function readCount(text: string, min: number, max: number): number | null {
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return count >= min && count <= max ? count : null;
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

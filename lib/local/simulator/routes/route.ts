// What a route of the simulator is: method, path and handler; and reading what comes with a request.

import type { IncomingHttpHeaders } from 'node:http';
import * as v from 'valibot';
import type { Json } from '../../../canonical.ts';
import type { Fleet } from '../fleet.ts';
import type { Caller, Iam } from '../iam.ts';
import type { TimeSpan } from '../listing.ts';
import { mapReply, type Reply } from '../reply.ts';
import { type WireError, wireError } from '../wire-errors.ts';

/** A request whose sender is known, where that is asked for. */
export interface RoutedCall {
  readonly fleet: Fleet;
  readonly iam: Iam;
  readonly caller: Caller | null;
  /** What stands in the path for its `{}`, the project left out. */
  readonly ids: readonly [string, string];
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/** An answer that went well, before it is text. `body` null: none. */
export interface Rendered {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Json | null;
}

/** One line of a table of routes. */
export interface Route {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** After the prefix of its service, with `{}` for each id. */
  readonly path: string;
  /** Who may call it: anybody at all, or who may read or change things. */
  readonly needs: 'nothing' | 'read' | 'write';
  readonly handle: (call: RoutedCall) => Reply<Rendered>;
}

/** The reply as a 200 with this body. */
export function rendered<T>(reply: Reply<T>, body: (value: T) => Json): Reply<Rendered> {
  return mapReply(reply, (value) => ({ body: body(value) }));
}

/** The members of a body. */
export type Members = Readonly<Record<string, unknown>>;

/** The JSON of a body; an error where it has none, or is empty and `absent` is not given. */
export function readJson(body: Uint8Array, absent?: Members): { readonly json: Members } | WireError {
  const text = new TextDecoder().decode(body);
  if (text === '') return absent === undefined ? wireError('DCS.4004') : { json: absent };
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), v.looseObject({})), text);
  return parsed.success ? { json: parsed.output } : wireError('DCS.4005');
}

/** Whether what was read is an error. */
export function isError(read: object): read is WireError {
  return 'code' in read && 'status' in read;
}

/** `offset` and `limit` of a list of at most a thousand. */
export function readPaging(query: URLSearchParams): Pick<TimeSpan, 'offset' | 'limit'> | WireError {
  const offset = readCount(query.get('offset') ?? '0', 0, Number.MAX_SAFE_INTEGER);
  const limit = readCount(query.get('limit') ?? '10', 1, 1_000);
  if (offset === null) return wireError('DCS.4800', 'offset');
  return limit === null ? wireError('DCS.4800', 'limit') : { offset, limit };
}

/** Paging with two moments, `yyyyMMddHHmmss` in UTC, whose parameters have these names. */
export function readSpan(query: URLSearchParams, first: string, last: string): TimeSpan | WireError {
  const paging = readPaging(query);
  if (isError(paging)) return paging;
  const from = readMoment(query.get(first), Number.NEGATIVE_INFINITY);
  const until = readMoment(query.get(last), Number.POSITIVE_INFINITY);
  if (from === null) return wireError('DCS.4800', first);
  if (until === null) return wireError('DCS.4800', last);
  return from > until ? wireError('DCS.4025') : { ...paging, from, until };
}

function readCount(text: string, min: number, max: number): number | null {
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return count >= min && count <= max ? count : null;
}

function readMoment(text: string | null, absent: number): number | null {
  if (text === null) return absent;
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text) ?? [];
  const [year, month, day, hour, minute, second] = parts;
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(at) ? null : at;
}

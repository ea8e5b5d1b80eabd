// Requests and answers as the doors see them, whatever carried them here; and JSON from a stranger, read with care.
// A body is bytes until it was authenticated, and `unknown` until a schema has read it.

import * as v from 'valibot';
import type { Json } from './canonical.ts';
import { DoorError, type Fault } from './errors.ts';

/** Header names in lower case; repeated ones joined by commas. */
export type Headers = Readonly<Record<string, string | undefined>>;

export interface HttpRequest {
  readonly method: string;
  /** As sent, without the query. */
  readonly path: string;
  /** Without its question mark. */
  readonly query: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
  readonly requestId: string;
}

/** An answer; its body is JSON, or a text as it is where the headers name another content type. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: Json;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer as it is sent: its headers, those that every answer has among them, and the text of its body. */
export function written({ body, headers }: HttpAnswer): {
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
} {
  const standard = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' };
  const isText = typeof body === 'string' && headers?.['content-type'] !== undefined;
  return { headers: { ...standard, ...headers }, text: isText ? body : JSON.stringify(body) };
}

/** Bytes of a body at most: 256 KiB. */
export const maxBody = 256 * 1024;

/** Levels of arrays and objects at most; ours have two. */
const maxDepth = 32;

/** Faults that one answer names at most. */
const maxFaults = 20;

/** The refusal of a body over 256 KiB. */
export function bodyTooLarge(): DoorError {
  return new DoorError(413, 'body_too_large', 'The body is over 256 KiB.');
}

/** Throws DoorError 413 `body_too_large`. */
export function limitBody(request: Pick<HttpRequest, 'body'>): void {
  if (request.body.length > maxBody) throw bodyTooLarge();
}

/** The refusal of a path, or of what it names. */
export function notFound(message: string): DoorError {
  return new DoorError(404, 'not_found', message);
}

/** The refusal of a request that cannot be read; `faults` names each faulty field. */
export function malformed(message: string, faults: readonly Fault[] = []): DoorError {
  return new DoorError(400, 'malformed', message, faults);
}

/** The answer to a method that a path does not have. */
export function methodNotAllowed(allowed: string): HttpAnswer {
  return {
    ...refusal(405, 'method_not_allowed', `This path answers to ${allowed} only.`),
    headers: { allow: allowed },
  };
}

/**
 * An error as an answer: a DoorError says what it is; anything else is `internal`, and its details stay in the log.
 */
export function errorAnswer(error: unknown): HttpAnswer {
  if (!(error instanceof DoorError)) return refusal(500, 'internal', 'Something went wrong on our side.');
  const answer = refusal(error.status, error.code, error.message, error.details);
  const takesToken = error.code.startsWith('token_') || error.code === 'read_key_invalid';
  const challenge = takesToken ? 'Bearer' : error.code.startsWith('password_') ? 'Basic' : undefined;
  return challenge === undefined ? answer : { ...answer, headers: { 'www-authenticate': challenge } };
}

/**
 * The JSON value of a body: UTF-8, no byte order mark, at most 32 levels deep, no member twice at the top. An empty body
 * is `{}`. The content type is not looked at. Throws DoorError 400 `malformed`.
 */
export function readJson(body: Uint8Array): unknown {
  const text = decode(body);
  if (text.trim() === '') return {};
  const value = parse(text);
  const twice = firstTwice(scan(text));
  if (twice === undefined) return value;
  throw malformed('A member of the body is there twice.', [{ path: twice, message: 'is there twice' }]);
}

/**
 * The members of an object from outside, read by a strict schema. Throws DoorError 400 `malformed`, which names every
 * faulty, missing and unknown member, twenty at most.
 */
export function readMembers<E extends v.ObjectEntries>(
  schema: v.StrictObjectSchema<E, undefined>,
  value: unknown,
  what: string,
): v.InferOutput<v.StrictObjectSchema<E, undefined>> {
  if (!isObject(value)) throw malformed(`The ${what} is not an object.`);
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const unknown = Object.keys(value).filter((name) => !Object.hasOwn(schema.entries, name));
  // Valibot tells the first unknown member only; all of them are named above.
  const faulty = result.issues.filter((issue) => issue.type !== 'strict_object' || issue.expected !== 'never');
  const faults = [
    ...unknown.map((name) => ({ path: shown(name), message: 'is not known' })),
    ...faulty.map((issue) => ({ path: pathOf(issue), message: whatIsWrong(issue) })),
  ];
  throw malformed(`The ${what} has faulty members.`, faults.slice(0, maxFaults));
}

/** A header that tells one request from another: 1 to 128 printable ASCII characters, or undefined. */
export function readKey(headers: Headers, name: string): string | undefined {
  const value = headers[name]?.trim() ?? '';
  return /^[\x20-\x7e]{1,128}$/.test(value) ? value : undefined;
}

function refusal(status: number, code: string, message: string, details: readonly Fault[] = []): HttpAnswer {
  const faults = details.map(({ path, message }) => ({ path, message }));
  return { status, body: { error: { code, message, ...(faults.length > 0 && { details: faults }) } } };
}

function decode(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    throw malformed('The body is not UTF-8.');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed('The body is not JSON.');
  }
}

/**
 * The names at the top of a text that is JSON; refuses deep nesting before anything recurses into it. The parser goes
 * first: it does not recurse, and without it a string that never ends would be looked for from every quote in it.
 */
function scan(text: string): string[] {
  const names: string[] = [];
  let depth = 0;
  for (const [token] of text.matchAll(/[[{]|[\]}]|"[^"\\]*(?:\\.[^"\\]*)*"(?:\s*:)?/g)) {
    if (token === '[' || token === '{') depth += 1;
    else if (token === ']' || token === '}') depth -= 1;
    else if (depth === 1 && token.endsWith(':')) names.push(nameOf(token));
    if (depth > maxDepth) throw malformed(`The body is nested more than ${maxDepth} levels deep.`);
  }
  return names;
}

/** Linear: a stranger's body may have as many members as fit into it. */
function firstTwice(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}

/** A member's name as it was meant: the same one can be spelled with and without escapes. */
function nameOf(token: string): string {
  return String(parse(token.slice(0, token.lastIndexOf('"') + 1)));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function whatIsWrong(issue: v.BaseIssue<unknown>): string {
  return issue.type === 'strict_object' ? 'is required' : issue.message;
}

/** `instances[2]`: where an issue is. Names come from outside, so they are cut. */
function pathOf(issue: v.BaseIssue<unknown>): string {
  const parts = (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`));
  return shown(parts.join('').replace(/^\./, ''));
}

function shown(name: string): string {
  return name.length > 100 ? `${name.slice(0, 100)}…` : name;
}

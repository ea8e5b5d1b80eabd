// Canonical JSON and its SHA-256: run ids, plan hashes and body hashes all rest on this one spelling.

import { createHash } from 'node:crypto';

/** Anything that JSON can carry. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** JSON with sorted keys and no spaces. Keys are compared by UTF-16 code unit, like JavaScript's default sort. */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
}

/** SHA-256 of the UTF-8 text or the bytes, lower-case hex, 64 characters. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** SHA-256 over the canonical JSON of `value`. */
export function hashOf(value: Json): string {
  return sha256(canonicalJson(value));
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

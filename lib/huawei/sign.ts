// AK/SK request signing, SDK-HMAC-SHA256, with permanent and temporary keys: the 60 lines of the official SDK that are
// needed, without its 45 packages. Pure: the date is an argument. What is encoded here is also what goes over the wire.

import { createHash, createHmac } from 'node:crypto';

/** An access key; `securityToken` makes it a temporary one. */
export interface Credentials {
  readonly ak: string;
  readonly sk: string;
  readonly securityToken?: string;
}

/** Query parameters, not encoded; a list repeats its key. */
export type Query = Readonly<Record<string, string | readonly string[]>>;

/** A request before it is signed: `path` is not encoded, `body` is the exact text that is sent (empty: no body). */
export interface Unsigned {
  readonly method: string;
  readonly path: string;
  readonly query: Query;
  /** Everything here is signed, so it must arrive unchanged; `host` has to be among them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The headers to send, and the two texts behind the signature, for tests and for debugging a refusal. */
export interface Signed {
  readonly headers: Readonly<Record<string, string>>;
  readonly canonicalRequest: string;
  readonly stringToSign: string;
}

const algorithm = 'SDK-HMAC-SHA256';

/**
 * Signs a request at `date` (the gateway refuses more than 15 minutes of skew).
 * Source: Huawei Cloud "API Request Signing Guide"; equal to AKSKSigner of @huaweicloud/huaweicloud-sdk-core 3.1.
 */
export function sign(request: Unsigned, credentials: Credentials, date: Date): Signed {
  const timestamp = sdkDate(date);
  const headers: Record<string, string> = { ...request.headers, 'X-Sdk-Date': timestamp };
  if (credentials.securityToken !== undefined) headers['X-Security-Token'] = credentials.securityToken;
  const sorted = sortedHeaders(headers);
  const names = sorted.map(([name]) => name).join(';');
  const canonicalRequest = [
    request.method,
    canonicalPath(request.path),
    encodeQuery(request.query),
    sorted.map(([name, value]) => `${name}:${value}\n`).join(''),
    names,
    sha256(request.body),
  ].join('\n');
  const stringToSign = [algorithm, timestamp, sha256(canonicalRequest)].join('\n');
  const signature = createHmac('sha256', credentials.sk).update(stringToSign).digest('hex');
  const authorization = `${algorithm} Access=${credentials.ak}, SignedHeaders=${names}, Signature=${signature}`;
  return { headers: { ...headers, Authorization: authorization }, canonicalRequest, stringToSign };
}

/** `YYYYMMDDTHHMMSSZ`, in UTC: the value of X-Sdk-Date. */
export function sdkDate(date: Date): string {
  return date.toISOString().replace(/[-:]|\.\d{3}/g, '');
}

/** Each segment of a path percent-encoded as UTF-8, all but `A-Z a-z 0-9 - _ . ~`. */
export function encodePath(path: string): string {
  return path.split('/').map(encode).join('/');
}

/** `key=value` pairs, encoded like a path's segments, sorted by key and then by value before they are encoded. */
export function encodeQuery(query: Query): string {
  return Object.keys(query)
    .toSorted()
    .flatMap((key) =>
      [query[key] ?? []]
        .flat()
        .toSorted()
        .map((value) => `${encode(key)}=${encode(value)}`),
    )
    .join('&');
}

function canonicalPath(path: string): string {
  const encoded = encodePath(path);
  // Only the signed form ends in a slash; the request is sent without it.
  return encoded.endsWith('/') ? encoded : `${encoded}/`;
}

function sortedHeaders(headers: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.entries(headers)
    .map(([name, value]) => [name.toLowerCase(), value.trim()] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, percent);
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

// The gateway's check of SDK-HMAC-SHA256, written from the vendor's guide (devg-apisign, api-sign-algorithm-002) and
// not from the client's signer, so that one cannot hide the other's mistakes. It also locks a key that fails too
// often.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Caller, SimulatorKey } from './iam.ts';
import { Lockout } from './lockout.ts';
import { type WireError, wireError } from './wire-errors.ts';

/** A request as it came in; `url` is the request target (path and query), header names are in lower case. */
export interface ReceivedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/** What the check of signatures needs. */
export interface SignatureOptions {
  readonly key: (ak: string) => SimulatorKey | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** How far a request's time may be off, either way, and how long a key is locked: milliseconds. */
const maxSkew = 15 * 60_000;
const lockTime = 5 * 60_000;
/** The sixth failure in a row locks the key: "more than five", says the vendor. */
const lockingFailure = 6;

const authorizationForm =
  /^SDK-HMAC-SHA256 Access=(?<ak>[^,\s]+), SignedHeaders=(?<signed>[a-z0-9;-]+), Signature=(?<signature>[0-9a-f]{64})$/;

interface Authorization {
  readonly ak: string;
  readonly signed: string;
  readonly signature: string;
}

/** Checks who calls. Keeps, per key, how often in a row it failed. */
export class SignatureGate {
  readonly #options: SignatureOptions;
  readonly #lockout: Lockout;

  constructor(options: SignatureOptions) {
    this.#options = options;
    this.#lockout = new Lockout({ failures: lockingFailure, time: lockTime, now: options.now });
  }

  /** Who signed the request, or why it is refused. */
  check(request: ReceivedRequest): Caller | WireError {
    const authorization = readAuthorization(request.headers.authorization);
    if (authorization === null) return refused('authorization format error');
    const { ak } = authorization;
    const key = this.#options.key(ak);
    if (key === undefined) return refused(`Get secretKey failed,ak:${ak},err:ak not exist`);
    if (this.#lockout.isLocked(ak)) return refused('AK access failed to reach the limit,forbidden');
    const fault = this.#faultOf(request, authorization, key);
    this.#lockout.remember(ak, fault !== null);
    return fault === null ? { name: ak, rights: key.rights ?? 'all', projects: 'all' } : refused(fault);
  }

  #faultOf(request: ReceivedRequest, authorization: Authorization, key: SimulatorKey): string | null {
    const now = this.#options.now();
    const date = headerOf(request.headers, 'x-sdk-date');
    if (date === null || !authorization.signed.split(';').includes('x-sdk-date')) return 'x-sdk-date must be signed';
    if (!(Math.abs(timeOf(date) - now) <= maxSkew)) return 'calc ak sk signature fail:signature expired';
    if (!tokenFits(request.headers, key, now)) return 'decrypt token fail';
    const expected = signatureOf(request, authorization.signed, date, key.sk);
    return expected !== null && sameText(expected, authorization.signature) ? null : 'verify aksk signature fail';
  }
}

/**
 * The signature (hex) that the request should carry when the headers named in `signed` (joined by `;`) are signed with
 * `sk` at `date` (`YYYYMMDDTHHMMSSZ`); null when one of the headers is missing or the payload hash is false.
 */
export function signatureOf(request: ReceivedRequest, signed: string, date: string, sk: string): string | null {
  const names = signed.split(';');
  const lines = names.map((name) => ({ name, value: headerOf(request.headers, name) }));
  const payload = payloadHash(request);
  if (payload === null || lines.some(({ value }) => value === null)) return null;
  const [path = '', query = ''] = request.url.split(/\?(.*)/s);
  const headers = lines.map(({ name, value }) => `${name}:${value}\n`).join('');
  const canonical = [request.method, canonicalPath(path), canonicalQuery(query), headers, signed, payload].join('\n');
  const text = ['SDK-HMAC-SHA256', date, sha256(canonical)].join('\n');
  return createHmac('sha256', sk).update(text).digest('hex');
}

function payloadHash({ headers, body }: ReceivedRequest): string | null {
  const actual = sha256(body);
  const claimed = headerOf(headers, 'x-sdk-content-sha256');
  if (claimed === null || claimed === 'UNSIGNED-PAYLOAD') return claimed ?? actual;
  return claimed === actual ? actual : null;
}

function canonicalPath(path: string): string {
  const encoded = path.split('/').map((segment) => encode(decode(segment)));
  const joined = encoded.join('/');
  return joined.endsWith('/') ? joined : `${joined}/`;
}

/** Sorted as decoded, by UTF-16 code unit, as the official SDK does it: encoded, `/` would come before `-`. */
function canonicalQuery(query: string): string {
  const parts = query.split('&').filter((part) => part !== '');
  const pairs = parts.map((part) => part.split(/=(.*)/s).map((text) => decode(text.replaceAll('+', ' '))));
  const sorted = pairs.toSorted(([a = '', x = ''], [b = '', y = '']) => compare(a, b) || compare(x, y));
  return sorted.map(([key = '', value = '']) => `${encode(key)}=${encode(value)}`).join('&');
}

/** Keeps letters, digits and `-_.~`; encodeURIComponent also keeps `!'()*`. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** What cannot be decoded stays as it came; its signature will not match then. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function readAuthorization(header: string | undefined): Authorization | null {
  const { ak, signed, signature } = authorizationForm.exec(header ?? '')?.groups ?? {};
  return ak === undefined || signed === undefined || signature === undefined ? null : { ak, signed, signature };
}

function tokenFits(headers: IncomingHttpHeaders, key: SimulatorKey, now: number): boolean {
  if (key.expiresAt !== undefined && now >= key.expiresAt) return false;
  return headerOf(headers, 'x-security-token') === (key.securityToken ?? null);
}

function headerOf(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name];
  if (value === undefined) return null;
  return (typeof value === 'string' ? value : value.join(',')).trim();
}

/** Milliseconds since the epoch of `YYYYMMDDTHHMMSSZ`; NaN for anything else. */
function timeOf(date: string): number {
  return Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

function sameText(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function refused(detail: string): WireError {
  return wireError('APIGW.0301', detail);
}

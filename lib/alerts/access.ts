// Whether it is Alertmanager or Grafana that calls: a bearer token, a user and password, or Grafana's HMAC over the raw
// body. Two secrets may be live at once. SMN proves itself otherwise: see smn-signature.ts.

import { createHmac } from 'node:crypto';
import {
  type AuthFault,
  anyEqual,
  basicCredentials,
  digest,
  faultWith,
  malformedSecret,
  type NamedSecret,
  notAuthentic,
  textKey,
} from '../authentic.ts';
import type { GrafanaSource, Source } from '../config.ts';
import type { Headers, HttpRequest } from '../http.ts';
import type { Runtime } from '../runtime.ts';
import { tokenFault } from '../signature.ts';

/** Seconds that a signed timestamp may lie before or after now. */
const tolerance = 300;

/** A source that proves itself by what is in its headers. */
export type SecretSource = Extract<Source, { readonly type: 'alertmanager' | 'grafana' }>;

/**
 * Lets a request of a source pass. Throws DoorError 401 with an AuthFault as its code, EnvironmentError
 * `secret_malformed` (naming the Ref) where a secret cannot be one.
 */
export async function authenticateSource(
  { secrets, now }: Pick<Runtime, 'secrets' | 'now'>,
  source: SecretSource,
  request: Pick<HttpRequest, 'headers' | 'body'>,
): Promise<void> {
  const fault = await faultWith(secrets, source.secrets, (live) => check(source, request, live, now()));
  if (fault === undefined) return;
  const missing = fault === 'signature_missing' ? missingHeaders(source, request.headers) : [];
  throw notAuthentic(
    fault,
    missing.map((path) => ({ path, message: 'is required' })),
  );
}

/** Checks `Authorization: Basic <Base64 of user:password>` against the live pairs. */
export function basicFault(headers: Headers, secrets: readonly NamedSecret[]): AuthFault | undefined {
  const expected = secrets.map(pairDigest);
  const pair = basicCredentials(headers);
  if (pair === undefined) return 'password_missing';
  return anyEqual([digest(pair)], expected) ? undefined : 'password_invalid';
}

/**
 * Checks Grafana's HMAC-SHA256 in hex, over the raw body or, where a time is signed, over `<unix seconds>:<raw body>`.
 * Without a time a request may come again whenever somebody likes; only its episodes tell that it did. `now` in
 * milliseconds. (Docs: "Configure webhook notifications", HMAC signature.)
 */
export function hmacFault(
  { signatureHeader, timestampHeader }: Pick<GrafanaSource, 'signatureHeader' | 'timestampHeader'>,
  { headers, body }: Pick<HttpRequest, 'headers' | 'body'>,
  secrets: readonly NamedSecret[],
  now: number,
): AuthFault | undefined {
  const keys = secrets.map(textKey);
  const signature = headers[signatureHeader.toLowerCase()];
  const timestamp = timestampHeader === null ? undefined : headers[timestampHeader.toLowerCase()];
  if (!signature || (timestampHeader !== null && !timestamp)) return 'signature_missing';
  if (timestamp !== undefined && !/^\d{1,12}$/.test(timestamp)) return 'signature_invalid';
  const away = timestamp === undefined ? 0 : Math.abs(Math.floor(now / 1000) - Number(timestamp));
  if (away > tolerance) return 'timestamp_outside_window';
  const before = timestamp === undefined ? '' : `${timestamp}:`;
  const expected = keys.map((key) => createHmac('sha256', key).update(before).update(body).digest());
  const hex = /^[0-9a-f]{64}$/.test(signature) ? signature : '';
  return anyEqual([Buffer.from(hex, 'hex')], expected) ? undefined : 'signature_invalid';
}

function check(
  source: SecretSource,
  request: Pick<HttpRequest, 'headers' | 'body'>,
  live: readonly NamedSecret[],
  now: number,
): AuthFault | undefined {
  if (source.auth === 'hmac') return hmacFault(source, request, live, now);
  return source.auth === 'basic' ? basicFault(request.headers, live) : tokenFault(request.headers, live);
}

function missingHeaders(source: SecretSource, headers: Headers): string[] {
  if (source.auth !== 'hmac') return [];
  const names = [source.signatureHeader, source.timestampHeader ?? ''].map((name) => name.toLowerCase());
  return names.filter((name) => name !== '' && !headers[name]);
}

function pairDigest({ ref, value }: NamedSecret): Buffer {
  const pair = value.replace(/\r?\n$/, '');
  if (/^[^:]+:./.test(pair)) return digest(pair);
  throw malformedSecret(ref, 'must be user:password');
}

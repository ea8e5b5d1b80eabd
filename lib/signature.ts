// Who is calling: signed webhooks (standard-webhooks) and bearer tokens, compared in constant time over the raw bytes.
// Two secrets may be live at once, so that one can be exchanged without a gap.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Ref, WebhookTrigger } from './config.ts';
import { DoorError, EnvironmentError } from './errors.ts';
import type { Headers, HttpRequest } from './http.ts';
import type { Operator, Runtime } from './runtime.ts';

/** Why a caller is not let in; stable, for programs. */
export type AuthFault =
  | 'signature_missing'
  | 'signature_invalid'
  | 'timestamp_outside_window'
  | 'token_missing'
  | 'token_invalid';

const sentences: Readonly<Record<AuthFault, string>> = {
  signature_missing: 'The headers webhook-id, webhook-timestamp and webhook-signature are required.',
  signature_invalid: 'No signature of this request matches its id, timestamp and body.',
  timestamp_outside_window: 'The timestamp of this request is more than five minutes away from our clock.',
  token_missing: 'The header Authorization: Bearer <token> is required.',
  token_invalid: 'This token is not known.',
};

/** Seconds that a signed timestamp may lie before or after now: the reference library's tolerance. */
const tolerance = 300;

/** A secret with the name it goes by. */
export interface NamedSecret {
  readonly ref: Ref;
  readonly value: string;
}

/**
 * Lets a request of a webhook's sender pass. Secrets come from the cache first; where they do not fit they are read once
 * more, since one may have been exchanged. Throws DoorError 401 with an AuthFault as its code, EnvironmentError
 * `secret_malformed` (naming the Ref) where a secret cannot be one.
 */
export async function authenticate(
  runtime: Pick<Runtime, 'secrets' | 'now'>,
  trigger: WebhookTrigger,
  request: Pick<HttpRequest, 'headers' | 'body'>,
): Promise<void> {
  const fault = await check(runtime, trigger, request, false);
  if (fault === undefined) return;
  const mayBeExchanged = fault === 'signature_invalid' || fault === 'token_invalid';
  const last = mayBeExchanged ? await check(runtime, trigger, request, true) : fault;
  if (last !== undefined) throw notAuthentic(last);
}

/** The refusal that goes with a fault. */
function notAuthentic(fault: AuthFault): DoorError {
  return new DoorError(401, fault, sentences[fault]);
}

/**
 * Checks a request signed after standard-webhooks: HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<raw body>`, any
 * `v1` signature of the list may match any secret (https://www.standardwebhooks.com). `now` in milliseconds.
 */
export function signatureFault(
  headers: Headers,
  body: Uint8Array,
  secrets: readonly NamedSecret[],
  now: number,
): AuthFault | undefined {
  const keys = secrets.map(signingKey);
  const [id, timestamp, signature] = [
    headers['webhook-id'],
    headers['webhook-timestamp'],
    headers['webhook-signature'],
  ];
  if (!id || !timestamp || !signature) return 'signature_missing';
  if (!/^\d{1,12}$/.test(timestamp)) return 'signature_invalid';
  if (Math.abs(Math.floor(now / 1000) - Number(timestamp)) > tolerance) return 'timestamp_outside_window';
  const expected = keys.map((key) => createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest());
  return anyEqual(presentedSignatures(signature), expected) ? undefined : 'signature_invalid';
}

/** Checks `Authorization: Bearer <token>` against the live tokens. */
export function tokenFault(headers: Headers, secrets: readonly NamedSecret[]): AuthFault | undefined {
  const expected = secrets.map(({ ref, value }) => digest(filled(ref, value)));
  const token = bearerToken(headers);
  if (token === undefined) return 'token_missing';
  return anyEqual([digest(token)], expected) ? undefined : 'token_invalid';
}

/** The token of an `Authorization: Bearer` header, or undefined. */
function bearerToken(headers: Headers): string | undefined {
  const { authorization = '' } = headers;
  return /^bearer +(\S+) *$/i.exec(authorization)?.[1];
}

/** The operator whose token a request carries. Throws DoorError 401 `token_missing` or `token_invalid`. */
export function operatorOf(operators: readonly Operator[], headers: Headers): Operator {
  const token = bearerToken(headers);
  if (token === undefined) throw notAuthentic('token_missing');
  const presented = [digest(token)];
  const known = operators.filter(({ tokenHash }) => anyEqual(presented, [Buffer.from(tokenHash, 'hex')]));
  if (known[0] === undefined) throw notAuthentic('token_invalid');
  return known[0];
}

async function check(
  runtime: Pick<Runtime, 'secrets' | 'now'>,
  trigger: WebhookTrigger,
  request: Pick<HttpRequest, 'headers' | 'body'>,
  fresh: boolean,
): Promise<AuthFault | undefined> {
  const named = async (ref: Ref) => ({ ref, value: await runtime.secrets.get(ref, { fresh }) });
  const secrets = await Promise.all(trigger.secrets.map(named));
  if (trigger.auth === 'bearer') return tokenFault(request.headers, secrets);
  return signatureFault(request.headers, request.body, secrets, runtime.now());
}

/** The key of a `whsec_` secret: Base64 of 24 to 64 bytes. */
function signingKey({ ref, value }: NamedSecret): Buffer {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(value.trim())?.[1] ?? '';
  const key = Buffer.from(encoded, 'base64');
  if (key.length >= 24 && key.length <= 64) return key;
  throw malformed(ref, 'must be whsec_ and the Base64 of 24 to 64 bytes');
}

function filled(ref: Ref, value: string): string {
  const token = value.trim();
  if (/^\S+$/.test(token)) return token;
  throw malformed(ref, 'must be a token without spaces');
}

function malformed(ref: Ref, rule: string): EnvironmentError {
  return new EnvironmentError('secret_malformed', `the secret behind ${ref} ${rule}`);
}

function presentedSignatures(header: string): Buffer[] {
  const entries = header.split(' ').filter((entry) => entry.startsWith('v1,'));
  return entries.map((entry) => Buffer.from(entry.slice(3), 'base64'));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Compares every pair, so that the time it takes tells nothing about which one matched. */
function anyEqual(presented: readonly Buffer[], expected: readonly Buffer[]): boolean {
  let equal = false;
  for (const mine of expected) {
    for (const theirs of presented) {
      if (theirs.length === mine.length && timingSafeEqual(theirs, mine)) equal = true;
    }
  }
  return equal;
}

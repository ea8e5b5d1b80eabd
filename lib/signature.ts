// Whether a webhook's sender is who they say: signatures (standard-webhooks, GitHub) over the raw bytes, bearer tokens.
// Two secrets may be live at once, so that one can be exchanged without a gap.

import { createHmac } from 'node:crypto';
import {
  type AuthFault,
  anyEqual,
  bearerToken,
  digest,
  faultWith,
  malformedSecret,
  type NamedSecret,
  notAuthentic,
  textKey,
  tokenDigest,
} from './authentic.ts';
import type { WebhookTrigger } from './config.ts';
import type { Fault } from './errors.ts';
import type { Headers, HttpRequest } from './http.ts';
import type { Runtime } from './runtime.ts';

/** Seconds that a signed timestamp may lie before or after now: the reference library's tolerance. */
const tolerance = 300;

/**
 * Lets a request of a webhook's sender pass. Secrets come from the cache first; where they do not fit they are read once
 * more, since one may have been exchanged. Throws DoorError 401 with an AuthFault as its code, EnvironmentError
 * `secret_malformed` (naming the Ref) where a secret cannot be one.
 */
export async function authenticate(
  { secrets, now }: Pick<Runtime, 'secrets' | 'now'>,
  trigger: WebhookTrigger,
  request: Pick<HttpRequest, 'headers' | 'body'>,
): Promise<void> {
  const fault = await faultWith(secrets, trigger.secrets, (live) => check(trigger, request, live, now()));
  if (fault !== undefined) throw notAuthentic(fault, missingHeaders(trigger, fault, request.headers));
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

/**
 * Checks a request signed by GitHub: `X-Hub-Signature-256: sha256=<hex HMAC-SHA256 of the raw body>`. It has no time in
 * it: what keeps a delivery from working twice is its id. (https://docs.github.com/webhooks/securing)
 */
export function githubFault(
  headers: Headers,
  body: Uint8Array,
  secrets: readonly NamedSecret[],
): AuthFault | undefined {
  const keys = secrets.map(textKey);
  const signature = headers['x-hub-signature-256'];
  if (!signature) return 'signature_missing';
  const hex = /^sha256=([0-9a-f]{64})$/.exec(signature)?.[1] ?? '';
  const expected = keys.map((key) => createHmac('sha256', key).update(body).digest());
  return anyEqual([Buffer.from(hex, 'hex')], expected) ? undefined : 'signature_invalid';
}

/** Checks `Authorization: Bearer <token>` against the live tokens. */
export function tokenFault(headers: Headers, secrets: readonly NamedSecret[]): AuthFault | undefined {
  const expected = secrets.map(tokenDigest);
  const token = bearerToken(headers);
  if (token === undefined) return 'token_missing';
  return anyEqual([digest(token)], expected) ? undefined : 'token_invalid';
}

function check(
  { auth }: WebhookTrigger,
  { headers, body }: Pick<HttpRequest, 'headers' | 'body'>,
  secrets: readonly NamedSecret[],
  now: number,
): AuthFault | undefined {
  if (auth === 'github') return githubFault(headers, body, secrets);
  if (auth === 'bearer') return tokenFault(headers, secrets);
  return signatureFault(headers, body, secrets, now);
}

const signedBy: Readonly<Record<WebhookTrigger['auth'], readonly string[]>> = {
  'standard-webhooks': ['webhook-id', 'webhook-timestamp', 'webhook-signature'],
  github: ['x-hub-signature-256'],
  bearer: [],
};

function missingHeaders({ auth }: WebhookTrigger, fault: AuthFault, headers: Headers): Fault[] {
  if (fault !== 'signature_missing') return [];
  return signedBy[auth].filter((name) => !headers[name]).map((path) => ({ path, message: 'is required' }));
}

/** The key of a `whsec_` secret: Base64 of 24 to 64 bytes. */
function signingKey({ ref, value }: NamedSecret): Buffer {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(value.trim())?.[1] ?? '';
  const key = Buffer.from(encoded, 'base64');
  if (key.length >= 24 && key.length <= 64) return key;
  throw malformedSecret(ref, 'must be whsec_ and the Base64 of 24 to 64 bytes');
}

function presentedSignatures(header: string): Buffer[] {
  const entries = header.split(' ').filter((entry) => entry.startsWith('v1,'));
  return entries.map((entry) => Buffer.from(entry.slice(3), 'base64'));
}

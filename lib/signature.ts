// Whether a webhook's sender is who they say: signatures (standard-webhooks, GitHub) over the raw bytes, bearer tokens.
// Two secrets may be live at once, so that one can be exchanged without a gap.

import { createHmac } from 'node:crypto';
import {
  type AuthFault,
  anyEqual,
  bearerToken,
  digest,
  malformedSecret,
  type NamedSecret,
  notAuthentic,
  tokenDigest,
} from './authentic.ts';
import type { Ref, WebhookTrigger } from './config.ts';
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
  runtime: Pick<Runtime, 'secrets' | 'now'>,
  trigger: WebhookTrigger,
  request: Pick<HttpRequest, 'headers' | 'body'>,
): Promise<void> {
  const fault = await check(runtime, trigger, request, false);
  if (fault === undefined) return;
  const mayBeExchanged = fault === 'signature_invalid' || fault === 'token_invalid';
  const last = mayBeExchanged ? await check(runtime, trigger, request, true) : fault;
  if (last !== undefined) throw notAuthentic(last, missingHeaders(trigger, last, request.headers));
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
  const keys = secrets.map(githubKey);
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

async function check(
  runtime: Pick<Runtime, 'secrets' | 'now'>,
  trigger: WebhookTrigger,
  request: Pick<HttpRequest, 'headers' | 'body'>,
  fresh: boolean,
): Promise<AuthFault | undefined> {
  const secrets = await readable(runtime, trigger.secrets, fresh);
  if (trigger.auth === 'github') return githubFault(request.headers, request.body, secrets);
  if (trigger.auth === 'bearer') return tokenFault(request.headers, secrets);
  return signatureFault(request.headers, request.body, secrets, runtime.now());
}

/** The secrets that can be read: one that is missing while it is rotated does not shut out who has the other. */
async function readable(
  runtime: Pick<Runtime, 'secrets'>,
  refs: readonly Ref[],
  fresh: boolean,
): Promise<NamedSecret[]> {
  const read = await Promise.allSettled(refs.map((ref) => runtime.secrets.get(ref, { fresh })));
  const named = read.flatMap((each, i): NamedSecret[] => {
    const ref = refs[i];
    return each.status === 'fulfilled' && ref !== undefined ? [{ ref, value: each.value }] : [];
  });
  const failed = read.find((each) => each.status === 'rejected');
  if (named.length === 0 && failed !== undefined) throw failed.reason;
  return named;
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

/** GitHub takes any text as a secret; a line end after it is the file's that it was kept in. */
function githubKey({ ref, value }: NamedSecret): string {
  const key = value.replace(/\r?\n$/, '');
  if (key !== '') return key;
  throw malformedSecret(ref, 'must not be empty');
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

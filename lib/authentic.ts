// What every way of proving who calls has in common: the refusals, the tokens, and comparing in constant time.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { Ref } from './config.ts';
import { DoorError, EnvironmentError } from './errors.ts';
import type { Headers } from './http.ts';
import type { Secrets } from './runtime.ts';

/** Why a caller is not let in; stable, for programs. */
export type AuthFault =
  | 'signature_missing'
  | 'signature_invalid'
  | 'timestamp_outside_window'
  | 'token_missing'
  | 'token_invalid'
  | 'password_missing'
  | 'password_invalid'
  | 'read_key_invalid';

const sentences: Readonly<Record<AuthFault, string>> = {
  signature_missing: 'A header that this hook is signed with is missing.',
  signature_invalid: 'No signature of this request matches what was sent.',
  timestamp_outside_window: 'The timestamp of this request is more than five minutes away from our clock.',
  token_missing: 'The header Authorization: Bearer <token> is required.',
  token_invalid: 'This token is not known.',
  password_missing: 'The header Authorization: Basic <user:password in Base64> is required.',
  password_invalid: 'This user and password are not known.',
  read_key_invalid: 'This key does not open this run. It opens the one that it was given out with, for 24 hours.',
};

/** A secret with the name it goes by. */
export interface NamedSecret {
  readonly ref: Ref;
  readonly value: string;
}

/** The refusal that goes with a fault; `details` names what is missing. */
export function notAuthentic(fault: AuthFault, details: DoorError['details'] = []): DoorError {
  return new DoorError(401, fault, sentences[fault], details);
}

/** A secret that cannot be one; its value is not told. */
export function malformedSecret(ref: Ref, rule: string): EnvironmentError {
  return new EnvironmentError('secret_malformed', `the secret behind ${ref} ${rule}`);
}

/**
 * What `faultOf` finds with the secrets behind some Refs: with those of the cache first and, where they do not fit, once
 * more with fresh ones, since one may have been exchanged. One that is missing does not shut out who has the other.
 * Throws EnvironmentError `secret_missing` where all are, DoorError 503 `secrets_unavailable` where none fits and one
 * could not be asked for: whoever sends again after a 5xx only must not be told that it was refused.
 */
export async function faultWith(
  secrets: Secrets,
  refs: readonly Ref[],
  faultOf: (live: readonly NamedSecret[]) => AuthFault | undefined,
): Promise<AuthFault | undefined> {
  const { named } = await liveSecrets(secrets, refs, false);
  const fault = faultOf(named);
  if (named.length > 0 && !fault?.endsWith('_invalid')) return fault;
  const fresh = await liveSecrets(secrets, refs, true);
  const last = faultOf(fresh.named);
  if (last === undefined || fresh.failures.length === 0) return last;
  const cause = fresh.failures.find((failure) => !(failure instanceof EnvironmentError));
  if (cause !== undefined) {
    throw new DoorError(503, 'secrets_unavailable', 'Not every secret can be checked now; send this again.', [], {
      cause,
    });
  }
  if (fresh.named.length === 0) throw fresh.failures[0];
  return last;
}

/** The token of an `Authorization: Bearer` header, or undefined. */
export function bearerToken(headers: Headers): string | undefined {
  const { authorization = '' } = headers;
  return /^bearer +(\S+) *$/i.exec(authorization)?.[1];
}

/** What a token that is stored as a secret is compared by. Throws EnvironmentError `secret_malformed`. */
export function tokenDigest({ ref, value }: NamedSecret): Buffer {
  const token = value.trim();
  if (/^\S+$/.test(token)) return digest(token);
  throw malformedSecret(ref, 'must be a token without spaces');
}

/** The user and password of an `Authorization: Basic` header, as `user:password`, or undefined. */
export function basicCredentials(headers: Headers): string | undefined {
  const { authorization = '' } = headers;
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(authorization)?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString();
}

/** A secret that may be any text but none; a line end after it is the file's that it was kept in. */
export function textKey({ ref, value }: NamedSecret): string {
  const key = value.replace(/\r?\n$/, '');
  if (key !== '') return key;
  throw malformedSecret(ref, 'must not be empty');
}

/** SHA-256: texts of any length become equally long, so that comparing them tells nothing about their length. */
export function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Compares every pair, so that the time it takes tells nothing about which one matched. */
export function anyEqual(presented: readonly Buffer[], expected: readonly Buffer[]): boolean {
  let equal = false;
  for (const mine of expected) {
    for (const theirs of presented) {
      if (theirs.length === mine.length && timingSafeEqual(theirs, mine)) equal = true;
    }
  }
  return equal;
}

interface LiveSecrets {
  readonly named: readonly NamedSecret[];
  /** Why the others could not be read. */
  readonly failures: readonly unknown[];
}

async function liveSecrets(secrets: Secrets, refs: readonly Ref[], fresh: boolean): Promise<LiveSecrets> {
  const read = await Promise.allSettled(refs.map((ref) => secrets.get(ref, { fresh })));
  const named = read.flatMap((each, i): NamedSecret[] => {
    const ref = refs[i];
    return each.status === 'fulfilled' && ref !== undefined ? [{ ref, value: each.value }] : [];
  });
  return { named, failures: read.flatMap((each): unknown[] => (each.status === 'rejected' ? [each.reason] : [])) };
}

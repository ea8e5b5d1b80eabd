// What every way of proving who calls has in common: the refusals, the tokens, and comparing in constant time.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { Ref } from './config.ts';
import { DoorError, EnvironmentError } from './errors.ts';
import type { Headers } from './http.ts';

/** Why a caller is not let in; stable, for programs. */
export type AuthFault =
  | 'signature_missing'
  | 'signature_invalid'
  | 'timestamp_outside_window'
  | 'token_missing'
  | 'token_invalid'
  | 'read_key_invalid';

const sentences: Readonly<Record<AuthFault, string>> = {
  signature_missing: 'A header that this hook is signed with is missing.',
  signature_invalid: 'No signature of this request matches what was sent.',
  timestamp_outside_window: 'The timestamp of this request is more than five minutes away from our clock.',
  token_missing: 'The header Authorization: Bearer <token> is required.',
  token_invalid: 'This token is not known.',
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

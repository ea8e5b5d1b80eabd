// An address that stands behind the name of a secret: read late, judged, and never shown.

import type { Ref } from '../config.ts';
import { AutopilotError } from '../errors.ts';
import type { Secrets } from '../runtime.ts';
import { isAskable } from './ask.ts';

/** The address, or a sentence about why there is none; `again`: it may be there later. */
export type SecretUrl = { readonly url: string } | { readonly again: boolean; readonly reason: string };

/** Reads it. What `secrets` throw by other than an AutopilotError counts as passing. */
export async function secretUrl(secrets: Secrets, ref: Ref, fresh: boolean): Promise<SecretUrl> {
  try {
    const url = (await secrets.get(ref, { fresh })).trim();
    if (isAskable(url)) return { url };
    return { again: false, reason: `the secret ${ref} is no https URL without a user` };
  } catch (error) {
    if (error instanceof AutopilotError) return { again: false, reason: error.message };
    return { again: true, reason: `the secret ${ref} cannot be read at the moment` };
  }
}

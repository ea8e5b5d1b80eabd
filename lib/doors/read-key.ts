// The key in the statusUrl of a hook's answer: with it the sender can look at the run that it started, and at nothing
// else, for a day and without being an operator. It is made by chance and not kept: only its SHA-256 is.

import { anyEqual, digest } from '../authentic.ts';
import { sha256 } from '../canonical.ts';
import type { ReadKey } from '../record.ts';
import type { Runtime } from '../runtime.ts';

/** Milliseconds for which a key opens its run. */
const lifetime = 24 * 3600_000;

/** A key that was just made: `text` is given out, `stored` is kept. */
export interface NewReadKey {
  readonly text: string;
  readonly stored: ReadKey;
}

/** Makes a key. */
export function newReadKey({ randomId, now }: Pick<Runtime, 'randomId' | 'now'>): NewReadKey {
  const text = randomId();
  return { text, stored: { hash: sha256(text), expiresAt: new Date(now() + lifetime).toISOString() } };
}

/** Where a run is looked at; with its key, by whoever has this link. */
export function statusUrlOf(runId: string, key?: string): string {
  return key === undefined ? `/runs/${runId}` : `/runs/${runId}?key=${encodeURIComponent(key)}`;
}

/** The key in a query, or undefined; read before anything else in it is judged. */
export function keyIn(query: string): string | undefined {
  return new URLSearchParams(query).get('key') ?? undefined;
}

/** Whether a key opens the run that this one was stored with. `now` in milliseconds. */
export function opens(stored: ReadKey | undefined, key: string, now: number): boolean {
  if (stored === undefined || now >= Date.parse(stored.expiresAt)) return false;
  return anyEqual([digest(key)], [Buffer.from(stored.hash, 'hex')]);
}

// What the simulated service answers before anyone has put it on a wire: the HTTP server renders it, and a fake of the
// client reads it without HTTP.

import { applies, errorOf, type FaultAnswer, lockedOut } from './script.ts';
import type { WireError } from './wire-errors.ts';

/** The answer itself. `dropped`: the connection ends without one; `truncated`: in the middle of one. */
export type Result<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'error'; readonly error: WireError }
  | { readonly kind: 'empty' }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'truncated' }
  | { readonly kind: 'dropped' };

/** An answer with its request id and how many milliseconds late it comes. */
export type Reply<T> = Result<T> & { readonly requestId: string; readonly delay: number };

/** The entry of one instance in the answer to a status call. */
export interface BatchResult {
  readonly instance: string;
  readonly result: 'success' | 'failed';
}

/** The proper answer, or the fault in its place; `proper` is called only where the action takes hold. */
export function replyWith<T>(requestId: string, fault: FaultAnswer | undefined, proper: () => Result<T>): Reply<T> {
  if (fault === undefined || fault.kind === 'entries') return { ...proper(), requestId, delay: 0 };
  if (fault.kind === 'delay') return { ...proper(), requestId, delay: fault.ms };
  if (applies(fault)) proper();
  return { ...faultResult(fault), requestId, delay: 0 };
}

/** The reply with its value converted. */
export function mapReply<T, U>(reply: Reply<T>, convert: (value: T) => U): Reply<U> {
  return reply.kind === 'ok' ? { ...reply, value: convert(reply.value) } : reply;
}

type Replacing = Exclude<FaultAnswer, { readonly kind: 'delay' | 'entries' }>;

function faultResult(fault: Replacing): Exclude<Result<never>, { kind: 'ok' }> {
  if (fault.kind === 'error') return { kind: 'error', error: errorOf(fault) };
  if (fault.kind === 'lockout') return { kind: 'error', error: lockedOut };
  return { kind: fault.kind === 'drop' ? 'dropped' : fault.kind };
}

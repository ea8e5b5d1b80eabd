// A status call as it is remembered: who was named, and what the caller was told. Together with what took hold it shows
// whether a client knew what it did.

import type { ActMembers } from './judge.ts';
import type { BatchResult, Reply } from './reply.ts';
import type { WireError } from './wire-errors.ts';

/** A status call that came to the service, and what its caller was told. */
export interface StatusCall {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly requestId: string;
  readonly action: string;
  readonly ids: readonly string[];
  /** `200`, `400 DCS.4111`, or how the answer broke: `empty`, `malformed`, `truncated`, `dropped`. */
  readonly answer: string;
  /** By instance, where the answer has entries. */
  readonly told: ReadonlyMap<string, BatchResult['result']>;
}

/** The record of a call that came at this moment (milliseconds since the epoch). */
export function statusCall(
  at: number,
  { action, instances }: ActMembers,
  reply: Reply<readonly BatchResult[]>,
): StatusCall {
  const ids = Array.isArray(instances) ? instances.map(textOf) : [];
  const results = reply.kind === 'ok' ? reply.value : [];
  const answer = reply.kind === 'ok' ? '200' : reply.kind === 'error' ? errorText(reply.error) : reply.kind;
  const told = new Map(results.map(({ instance, result }) => [instance, result]));
  return { at, requestId: reply.requestId, action: textOf(action), ids, answer, told };
}

/** Of whatever JSON was sent: String() would fail for an object that has a `toString` of its own. */
function textOf(sent: unknown): string {
  return typeof sent === 'string' ? sent : (JSON.stringify(sent) ?? 'absent');
}

function errorText({ status, code }: WireError): string {
  return `${status} ${code}`;
}

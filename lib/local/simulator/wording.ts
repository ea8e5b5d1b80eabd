// An error in the words of the service that the switches make: which prefix the gateway has, which of its two spellings
// a DCS code comes in, and whether a throttled caller hears when to come again.

import type { Switches } from './unknowns.ts';
import { numericCode, type WireError } from './wire-errors.ts';

/** The error as it is sent at this moment (milliseconds since the epoch). */
export function asSent(error: WireError, switches: Switches, now: number): WireError {
  return { ...comeAgain(error, switches, now), code: codeOf(error, switches) };
}

function codeOf({ code, status }: WireError, { codes, gatewayPrefix }: Switches): string {
  if (code.startsWith('APIGW.')) return code.replace('APIGW', gatewayPrefix);
  return codes === 'numeric' ? numericCode({ code, status }) : code;
}

function comeAgain(error: WireError, { retryAfter }: Switches, now: number): WireError {
  if (error.status !== 429 || error.retryAfter !== undefined || retryAfter === 'none') return error;
  const seconds = Math.max(1, Math.ceil((error.wait ?? 0) / 1000));
  return { ...error, retryAfter: retryAfter === 'seconds' ? seconds : new Date(now + seconds * 1000).toUTCString() };
}

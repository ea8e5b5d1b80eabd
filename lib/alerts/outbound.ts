// The two requests that receiving alerts may cause: SMN's certificate, and the confirmation of a subscription. One GET,
// no redirect, little time, little space. Which URL may be asked for is decided by who calls.

import fetch, { type RequestInit, type Response } from 'node-fetch';
import * as v from 'valibot';
import { AutopilotError } from '../errors.ts';

/**
 * The text at a URL, at most `limit` bytes of it. Rejects with AutopilotError `get_failed` where nothing, too much or
 * nothing in time came back; it tells the host alone, since a query may hold a token.
 */
export type Get = (url: string, limit: number) => Promise<{ readonly status: number; readonly body: string }>;

/** Milliseconds: SMN waits five seconds for the answer that needs this one. */
const timeLimit = 2000;

/** The requests over node-fetch, or over something that answers like it. */
export function gettingOver(
  fetching: (url: string, init: RequestInit) => Promise<Response> = fetch,
  patience = timeLimit,
): Get {
  return async (url, limit) => {
    try {
      const signal = AbortSignal.timeout(patience);
      const response = await fetching(url, { method: 'GET', redirect: 'manual', size: limit, signal });
      return { status: response.status, body: await response.text() };
    } catch (error) {
      throw new AutopilotError('get_failed', `GET ${new URL(url).host}: ${reasonOf(error)}`);
    }
  };
}

const failure = v.object({ name: v.string(), type: v.optional(v.string()), code: v.optional(v.string()) });

/** `ECONNREFUSED`, `max-size`, `AbortError`: whatever says it shortest. Messages quote the URL. */
function reasonOf(error: unknown): string {
  const { name, type, code } = v.is(failure, error) ? error : { name: 'failed' };
  return code ?? (type === 'system' ? name : (type ?? name));
}

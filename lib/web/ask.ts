// One small HTTP request to a place that somebody configured: a time limit, no redirects, and of the answer its status alone.
// Nothing that it says shows the address, which may be a secret.

import type { Readable } from 'node:stream';
import fetch, { FetchError } from 'node-fetch';
import { Connections, type ProxyVariables } from './connections.ts';

/** A request. Without a body it is a GET, with one a POST of JSON. */
export interface Asking {
  readonly url: string;
  readonly body?: string;
}

/** Its status, or in a few words why there is none: `did not answer within 10 s`. */
export type Answered = { readonly status: number } | { readonly silent: string };

/** Asks; never rejects for what a network or a server does. */
export type Ask = (asking: Asking) => Promise<Answered>;

/** How to ask. */
export interface AskOptions {
  /** The environment's proxies; none where absent. */
  readonly proxies?: ProxyVariables | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds for the whole exchange. Default: 10 seconds. */
  readonly timeout?: number;
}

const usualTimeout = 10_000;

/** An Ask over connections of its own. Throws EnvironmentError `proxy_invalid`. */
export function asker({ proxies, now, timeout = usualTimeout }: AskOptions): Ask {
  const connections = new Connections({ proxies });
  return async ({ url, body }) => {
    const signal = AbortSignal.timeout(timeout);
    try {
      const response = await fetch(url, {
        ...(body === undefined ? { method: 'GET' } : { method: 'POST', body, headers: asJson }),
        agent: connections.agentFor(url, now()),
        redirect: 'manual',
        signal,
      });
      letGo(response.body);
      return { status: response.status };
    } catch (error) {
      if (signal.aborted) return { silent: `did not answer within ${timeout / 1000} s` };
      if (error instanceof FetchError) return { silent: `could not be reached${codeOf(error)}` };
      // Whatever else it is must not end the run that asks; its message may show the address.
      return { silent: `could not be asked (${error instanceof Error ? error.name : 'Error'})` };
    }
  };
}

/**
 * Whether this is an address that may be asked: https, or http on this machine, without a user. What is behind a secret is
 * only seen here.
 */
export function isAskable(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '') return false;
  return (
    url.protocol === 'https:' || (url.protocol === 'http:' && /^(127(\.\d+){3}|localhost|\[::1\])$/.test(url.hostname))
  );
}

const asJson = { 'content-type': 'application/json; charset=utf-8' };

/** What follows the status is not wanted, however long it is. */
function letGo(body: NodeJS.ReadableStream | null): void {
  if (body === null) return;
  body.on('error', () => undefined);
  if (isReadable(body)) body.destroy();
}

function isReadable(body: NodeJS.ReadableStream): body is Readable {
  return 'destroy' in body;
}

/** Its message would show the address. */
function codeOf({ code }: FetchError): string {
  return code === undefined ? '' : ` (${code})`;
}

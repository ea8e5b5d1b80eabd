// A server without a network: what is fetched is handed to a composed door, as the server of the local runtime does it.

import type { LambdaDoor } from '../../lib/local/gateway.ts';
import { call } from './door-world.ts';

/** A fetch that reaches nothing but this door. */
export function doorFetch(door: LambdaDoor): typeof fetch {
  return async (input, init = {}) => {
    const { pathname, search } = new URL(String(input));
    const sent = {
      method: init.method ?? 'GET',
      path: pathname,
      query: search.slice(1),
      headers: Object.fromEntries(new Headers(init.headers)),
      ...(typeof init.body === 'string' && { body: init.body }),
    };
    init.signal?.throwIfAborted();
    const { status, body } = await call(door, sent);
    return new Response(JSON.stringify(body), { status });
  };
}

// What stands before the services: finds the route of a request, lets in who may call it, and gives errors the form of
// the service that answers.

import type { IncomingHttpHeaders } from 'node:http';
import type { Fleet } from './fleet.ts';
import { Gate, mayNot, projectFault } from './gate.ts';
import type { Caller, Iam } from './iam.ts';
import { errorBody, keystoneError, oldErrorBody } from './render-errors.ts';
import type { Reply } from './reply.ts';
import type { Rendered } from './routes/route.ts';
import { type Found, findRoute, type Service, serviceOf } from './routes.ts';
import type { ReceivedRequest } from './signature.ts';
import { type WireCode, type WireError, wireError } from './wire-errors.ts';

/** What a gateway stands before. */
export interface GatewayOptions {
  readonly fleet: Fleet;
  readonly iam: Iam;
  readonly projectId: string;
  /** Milliseconds since the epoch: the clock of signatures and tokens. */
  readonly now: () => number;
}

/** A request as it came in; `body` null: it was too long. */
export interface Incoming {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array | null;
}

/** An answer ready for the wire. `dropped`: the connection ends without one; `truncated`: in the middle of it. */
export type Outgoing =
  | { readonly kind: 'dropped'; readonly delay: number }
  | {
      readonly kind: 'answer' | 'truncated';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly text: string;
      readonly delay: number;
    };

/** Bytes of a request's target that the gateway takes (error table of the gateway, 0201). */
const maxUrl = 32 * 1024;

/** Knows who may call, and counts whom it sent away. */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #gate: Gate;
  #refused = 0;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#gate = new Gate({ iam: options.iam, front: options.fleet.switches.front, now: options.now });
  }

  /** Requests that were sent away. */
  get refused(): number {
    return this.#refused;
  }

  /** The answer to a request. */
  answer({ body, ...head }: Incoming): Outgoing {
    if (body === null) return this.#refuse(wireError('APIGW.0201'), 'dcs');
    const request = { ...head, body };
    if (request.url.length > maxUrl) return this.#refuse({ ...wireError('APIGW.0201'), status: 414 }, 'dcs');
    // Not relative to a base: `//x` would be a host then.
    const { pathname, searchParams } = URL.parse(`http://simulator${request.url}`) ?? new URL('http://simulator');
    const found = findRoute(request.method, pathname);
    if (typeof found === 'string') return this.#refuse(this.#notFound(found), serviceOf(pathname));
    const caller = this.#admit(found, request);
    if (caller !== null && 'code' in caller) return this.#refuse(caller, found.service);
    const { fleet, iam } = this.#options;
    const reply = found.route.handle({
      fleet,
      iam,
      caller,
      ids: found.ids,
      query: searchParams,
      headers: request.headers,
      body,
    });
    return this.#outgoing(reply, found.service);
  }

  /** Who calls (null: nobody known, which does not matter here), or why not. */
  #admit({ service, route, project }: Found, request: ReceivedRequest): Caller | WireError | null {
    const { needs } = route;
    const { authorization = '', 'x-auth-token': token } = request.headers;
    // A bearer's token is nothing that the gateway knows: the handler looks at it.
    const isAnonymous = token === undefined && (authorization === '' || authorization.startsWith('Bearer '));
    if (needs === 'nothing' && isAnonymous) return null;
    const caller = this.#gate.check(request, service === 'iam' ? 'iam' : 'dcs');
    if ('code' in caller || service === 'iam' || needs === 'nothing') return caller;
    const fault = projectFault(this.#options.projectId, project, caller, request) ?? mayNot(caller, needs);
    return fault ?? caller;
  }

  #notFound(what: 'path' | 'method'): WireError {
    if (this.#options.fleet.switches.front === 'gateway') return wireError('APIGW.0101');
    const code: WireCode = what === 'path' ? 'DCS.4001' : 'DCS.5001';
    return wireError(code);
  }

  #refuse(error: WireError, service: Service): Outgoing {
    this.#refused += 1;
    const requestId = `9a7e${String(this.#refused).padStart(28, '0')}`;
    const spelled = this.#options.fleet.spell(error);
    return this.#outgoing({ kind: 'error', error: spelled, requestId, delay: 0 }, service);
  }

  #outgoing(reply: Reply<Rendered>, service: Service): Outgoing {
    if (reply.kind === 'dropped') return { kind: 'dropped', delay: reply.delay };
    const { status, headers = {}, text } = this.#written(reply, service);
    const type: Readonly<Record<string, string>> = text === '' ? {} : { 'Content-Type': 'application/json' };
    const always = { 'X-Request-Id': reply.requestId, ...type };
    const kind = reply.kind === 'truncated' ? 'truncated' : 'answer';
    return { kind, status, headers: { ...always, ...headers }, text, delay: reply.delay };
  }

  #written(reply: Exclude<Reply<Rendered>, { kind: 'dropped' }>, service: Service): Written {
    switch (reply.kind) {
      case 'ok': {
        const { status = 200, headers = {}, body } = reply.value;
        return { status, headers, text: body === null ? '' : JSON.stringify(body) };
      }
      case 'empty':
        return { status: 204, text: '' };
      case 'malformed':
      case 'truncated':
        return { status: 200, text: '{"results":[{"instance":' };
      case 'error':
        return this.#writtenError(reply.error, reply.requestId, service);
    }
  }

  #writtenError(error: WireError, requestId: string, service: Service): Written {
    const { retryAfter, status } = error;
    const headers: Readonly<Record<string, string>> =
      retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) };
    const isGateway = error.code.startsWith('APIG');
    const isKeystone = service === 'iam' && this.#options.fleet.switches.iamErrors === 'keystone';
    if (!isGateway && isKeystone) return { status, headers, text: JSON.stringify(keystoneError(error)) };
    const render = service === 'dcs-v1' && !isGateway ? oldErrorBody : errorBody;
    return { status, headers, text: JSON.stringify(render(error, requestId)) };
  }
}

interface Written {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text: string;
}

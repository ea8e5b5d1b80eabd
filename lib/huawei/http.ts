// One HTTP exchange with Huawei Cloud: connections that are kept, a time limit, a size limit, no redirects. It tells what
// came back or why nothing did, and above all whether the request can have been sent. It knows nothing of DCS.

import { type Agent, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import { FetchError, type RequestInit, type Response } from 'node-fetch';
import type { ErrorClass, Problem } from '../classify.ts';

/** node-fetch, or something that answers like it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A request, signed. An empty body is none. */
export interface Outgoing {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What came back: the headers that matter, each null where it is absent, and the whole body. */
export interface Received {
  readonly kind: 'received';
  readonly status: number;
  readonly body: string;
  readonly date: string | null;
  readonly retryAfter: string | null;
  readonly requestId: string | null;
}

/** Nothing came back: class `unknown` where the request may have arrived, another one where it cannot have. */
export interface Failed {
  readonly kind: 'failed';
  readonly problem: Problem;
}

/** One exchange, either way. */
export type Exchange = Received | Failed;

/** How to send, and how long to wait. */
export interface SendOptions {
  readonly fetch: Fetch;
  /** Seconds for the whole exchange, body included. */
  readonly timeout: number;
  /** Milliseconds since the epoch, at the time of sending. */
  readonly now: number;
  readonly signal?: AbortSignal | undefined;
}

/** Milliseconds. Servers close idle connections after 60 s or so: one that is used much earlier is still there. */
const idleLimit = 5000;
/** Bytes: 1,000 instances in one page are below 4 MB. */
const sizeLimit = 32 * 1024 * 1024;

/**
 * Marks what fails before the handshake is done (a certificate, a protocol, a reset) as a failed connect: the request
 * was not sent then, and neither the code of the error nor node-fetch would tell.
 */
class TlsAgent extends HttpsAgent {
  override createConnection(...args: Parameters<HttpsAgent['createConnection']>): Duplex | null | undefined {
    const socket = super.createConnection(...args);
    const mark = (error: Error) => Object.assign(error, { syscall: 'connect' });
    socket?.prependListener('error', mark).once('secureConnect', () => socket.off('error', mark));
    return socket;
  }
}

const agentOptions = { keepAlive: true, maxSockets: 16, maxFreeSockets: 16, timeout: idleLimit };
/** For the whole process, so that connections outlive a single client. */
const agents = { http: new HttpAgent(agentOptions), https: new TlsAgent(agentOptions) };
const lastUse = new WeakMap<Agent, number>();

/** Sends once and never throws for anything that a network or server can do. */
export async function send(outgoing: Outgoing, options: SendOptions): Promise<Exchange> {
  const { signal } = options;
  if (isAborted(signal)) return failed('unreachable', 'aborted', 'The call was given up before it was sent.');
  const timeout = AbortSignal.timeout(Math.ceil(options.timeout * 1000));
  try {
    return await exchange(outgoing, options, signal === undefined ? timeout : AbortSignal.any([timeout, signal]));
  } catch (error) {
    if (timeout.aborted) return failed('unknown', 'timeout', `No answer within ${options.timeout} s.`);
    if (isAborted(signal)) return failed('unknown', 'aborted', 'The call was given up while it was under way.');
    if (error instanceof FetchError) return failureOf(error);
    throw error;
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

/** An exchange that failed with a problem of our own. */
export function failed(errorClass: ErrorClass, code: string, message: string): Failed {
  return { kind: 'failed', problem: { class: errorClass, code, message } };
}

async function exchange(outgoing: Outgoing, options: SendOptions, signal: AbortSignal): Promise<Received> {
  const response = await options.fetch(outgoing.url, {
    method: outgoing.method,
    headers: outgoing.headers,
    ...(outgoing.body === '' ? {} : { body: outgoing.body }),
    agent: agentFor(outgoing.url, options.now),
    redirect: 'manual',
    size: sizeLimit,
    signal,
  });
  return {
    kind: 'received',
    status: response.status,
    body: await response.text(),
    date: response.headers.get('date'),
    retryAfter: response.headers.get('retry-after'),
    requestId: response.headers.get('x-request-id'),
  };
}

/**
 * The agent of the URL's scheme, without connections that may be dead. Its own timer closes idle ones, but a Lambda
 * that was frozen wakes up with its timers late and its connections gone; a status call that meets such a one is lost.
 */
function agentFor(url: string, now: number): Agent {
  const agent = url.startsWith('https:') ? agents.https : agents.http;
  if (now - (lastUse.get(agent) ?? now) > idleLimit) closeIdle(agent);
  lastUse.set(agent, now);
  return agent;
}

function closeIdle(agent: Agent): void {
  for (const sockets of Object.values(agent.freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}

function failureOf(error: FetchError): Failed {
  const detail = error.code === undefined ? '' : ` (${error.code})`;
  if (error.type === 'max-size') {
    return failed('unknown', 'answer_too_large', `The answer is larger than ${sizeLimit} bytes.`);
  }
  if (isBeforeSending(error)) return failed('unreachable', 'connect_failed', `No connection${detail}.`);
  return failed('unknown', 'connection_lost', `The connection was lost before the answer was complete${detail}.`);
}

function isBeforeSending(error: FetchError): boolean {
  const call = 'erroredSysCall' in error ? error.erroredSysCall : undefined;
  if (call === 'connect' || call === 'getaddrinfo') return true;
  // Where several addresses were tried, Node names no system call; an established connection always names one.
  const code = error.code ?? '';
  return call === undefined && /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)$/.test(code);
}

// One HTTP exchange with Huawei Cloud: a time limit, a size limit, no redirects. It tells what came back or why nothing did,
// and above all whether the request can have been sent. It knows nothing of DCS.

import defaultFetch, { FetchError, type RequestInit, type Response } from 'node-fetch';
import type { ErrorClass, Problem } from '../classify.ts';
import { Connections } from '../web/connections.ts';

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
  /** X-Subject-Token: a token of IAM, as secret as a password. */
  readonly subjectToken: string | null;
}

/** Nothing came back: class `unknown` where the request may have arrived, another one where it cannot have. */
export interface Failed {
  readonly kind: 'failed';
  readonly problem: Problem;
}

/** One exchange, either way. */
export type Exchange = Received | Failed;

/** Sends one request at a time (ms since the epoch) and tells what came of it. */
export type Send = (outgoing: Outgoing, now: number, signal?: AbortSignal) => Promise<Exchange>;

/** How to send, and how long to wait. */
export interface SendOptions {
  /** Seconds for the whole exchange, body included. */
  readonly timeout: number;
  /** Those of the whole process where absent, without a proxy. */
  readonly connections?: Connections;
  /** node-fetch where absent. */
  readonly fetch?: Fetch;
}

/** Bytes: 1,000 instances in one page are below 4 MB. */
const sizeLimit = 32 * 1024 * 1024;

/** For the whole process, so that connections outlive a single client. */
const direct = new Connections();

/** A Send over given connections that never throws for anything that a network or server can do. */
export function sender(options: SendOptions): Send {
  return (outgoing, now, signal) => send(outgoing, options, now, signal);
}

async function send(outgoing: Outgoing, options: SendOptions, now: number, signal?: AbortSignal): Promise<Exchange> {
  if (isAborted(signal)) return failed('unreachable', 'aborted', 'The call was given up before it was sent.');
  const timeout = AbortSignal.timeout(Math.ceil(options.timeout * 1000));
  try {
    const given = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
    return await exchange(outgoing, options, now, given);
  } catch (error) {
    const { host } = new URL(outgoing.url);
    if (timeout.aborted) return failed('unknown', 'timeout', `No answer from ${host} within ${options.timeout} s.`);
    if (isAborted(signal)) return failed('unknown', 'aborted', 'The call was given up while it was under way.');
    if (error instanceof FetchError) return failureOf(error, host);
    throw error;
  }
}

/** Whether it is a Failed, and not whatever else it could have been. */
export function isFailed(value: object): value is Failed {
  return 'kind' in value && value.kind === 'failed';
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

/** An exchange that failed with a problem of our own. */
export function failed(errorClass: ErrorClass, code: string, message: string): Failed {
  return { kind: 'failed', problem: { class: errorClass, code, message } };
}

async function exchange(
  outgoing: Outgoing,
  { fetch = defaultFetch, connections = direct }: SendOptions,
  now: number,
  signal: AbortSignal,
): Promise<Received> {
  const response = await fetch(outgoing.url, {
    method: outgoing.method,
    headers: outgoing.headers,
    ...(outgoing.body === '' ? {} : { body: outgoing.body }),
    agent: connections.agentFor(outgoing.url, now),
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
    subjectToken: response.headers.get('x-subject-token'),
  };
}

function failureOf(error: FetchError, host: string): Failed {
  const detail = error.code === undefined ? '' : ` (${error.code})`;
  if (error.type === 'max-size') {
    return failed('unknown', 'answer_too_large', `The answer of ${host} is larger than ${sizeLimit} bytes.`);
  }
  if (isBeforeSending(error)) return failed('unreachable', 'connect_failed', `No connection to ${host}${detail}.`);
  const message = `The connection to ${host} was lost before the answer was complete${detail}.`;
  return failed('unknown', 'connection_lost', message);
}

function isBeforeSending(error: FetchError): boolean {
  const call = 'erroredSysCall' in error ? error.erroredSysCall : undefined;
  if (call === 'connect' || call === 'getaddrinfo') return true;
  // Where several addresses were tried, Node names no system call; an established connection always names one.
  const code = error.code ?? '';
  return call === undefined && /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)$/.test(code);
}

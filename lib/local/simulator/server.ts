// The simulator over HTTP, on loopback: checks who calls like the gateway does, answers like DCS does, and breaks off,
// dawdles or babbles where the fleet's script says so. GET /__state shows what was really done, without a signature.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '../../canonical.ts';
import type { Fleet } from './fleet.ts';
import { errorBody } from './render.ts';
import type { Reply, Result } from './reply.ts';
import { answer } from './routes.ts';
import { SignatureGate, type SimulatorKey } from './signature.ts';
import { type WireError, wireError } from './wire-errors.ts';
import { asSent } from './wording.ts';

/** What a simulator serves, to whom. */
export interface SimulatorOptions {
  readonly fleet: Fleet;
  readonly keys: readonly SimulatorKey[];
  readonly projectId: string;
  /** Default 0: any free one. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Milliseconds since the epoch: the clock of signatures and of the Date header; usually the fleet's. */
  readonly now: () => number;
  /** Waits before a delayed answer, until the caller hangs up; default: real time. */
  readonly sleep?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** A running simulator. `url` has no trailing slash. */
export interface Simulator {
  readonly url: string;
  readonly port: number;
  readonly fleet: Fleet;
  /** Calls that never reached the fleet: not authentic, too long, or for no known route. */
  refused(): number;
  /** Ends all connections and resolves when the port is free. */
  close(): Promise<void>;
}

/** Bytes that the gateway takes as the body of a signed request (OTC-IAM, calling_apis/authentication.rst). */
const maxBody = 12 * 1024 * 1024;

/** Starts a simulator; rejects when the port is in use. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const gateway = new Gateway(options);
  const server = createServer((request, response) => {
    serve(options, gateway, request, response).catch(() => request.socket.destroy());
  });
  const host = options.host ?? '127.0.0.1';
  const port = await listen(server, options.port ?? 0, host);
  const url = `http://${host}:${port}`;
  return { url, port, fleet: options.fleet, refused: () => gateway.refused, close: () => close(server) };
}

async function serve(
  options: SimulatorOptions,
  gateway: Gateway,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const reply = gateway.replyTo(request, await readBody(request));
  if (reply.delay > 0) await (options.sleep ?? realSleep)(reply.delay, hangUp(response));
  if (reply.kind === 'dropped') request.socket.destroy();
  else send(response, reply, options.now());
}

function realSleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return sleep(milliseconds, undefined, { signal });
}

/** Aborted when the connection is gone, so that nothing waits to answer nobody. */
function hangUp(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return gone.signal;
}

/** What stands before DCS: it knows who may call, and counts whom it sent away. */
class Gateway {
  readonly #options: SimulatorOptions;
  readonly #gate: SignatureGate;
  #refused = 0;

  constructor(options: SimulatorOptions) {
    this.#options = options;
    this.#gate = new SignatureGate(options);
  }

  get refused(): number {
    return this.#refused;
  }

  /** The reply to a request with this body; null: it was too long. */
  replyTo({ method = '', url = '', headers }: IncomingMessage, body: Uint8Array | null): Reply<Json> {
    const { fleet, projectId, now } = this.#options;
    if (method === 'GET' && url === '/__state') return ownReply({ kind: 'ok', value: stateOf(fleet, now()) }, 0);
    if (body === null) return this.#refuse(wireError('APIGW.0201'));
    const refusal = this.#gate.check({ method, url, headers, body });
    if (refusal !== null) return this.#refuse(refusal);
    const { pathname, searchParams } = new URL(url, 'http://simulator');
    const prefix = `/v2/${projectId}`;
    const path = pathname.startsWith(`${prefix}/`) ? pathname.slice(prefix.length) : '';
    return answer(fleet, { method, path, query: searchParams, body }) ?? this.#refuse(wireError('APIGW.0101'));
  }

  #refuse(error: WireError): Reply<never> {
    this.#refused += 1;
    const { fleet, now } = this.#options;
    return ownReply({ kind: 'error', error: asSent(error, fleet.switches, now()) }, this.#refused);
  }
}

/** A reply of the gateway itself, which no fleet has numbered. */
function ownReply<T>(result: Result<T>, nth: number): Reply<T> {
  return { ...result, requestId: `9a7e${String(nth).padStart(28, '0')}`, delay: 0 };
}

function stateOf(fleet: Fleet, now: number): Json {
  const instances = fleet.views().map((view) => ({
    ...view,
    lastLoss: view.lastLoss === null ? null : { ...view.lastLoss },
    applied: { ...fleet.applied(view.id) },
    sent: fleet.sent(view.id),
  }));
  return { now, calls: { ...fleet.calls() }, instances, log: fleet.log().map((entry) => ({ ...entry })) };
}

function send(response: ServerResponse, reply: Exclude<Reply<Json>, { kind: 'dropped' }>, now: number): void {
  response.setHeader('Date', new Date(now).toUTCString());
  response.setHeader('X-Request-Id', reply.requestId);
  if (reply.kind === 'error' && reply.error.retryAfter !== undefined) {
    response.setHeader('Retry-After', reply.error.retryAfter);
  }
  const { status, text } = rendered(reply);
  if (text !== '') response.setHeader('Content-Type', 'application/json');
  if (reply.kind === 'truncated') breakOff(response, text);
  else response.writeHead(status).end(text);
}

/** Announces more than it sends, and ends the connection once that is out. */
function breakOff(response: ServerResponse, text: string): void {
  response.setHeader('Content-Length', Buffer.byteLength(text) + 100);
  response.writeHead(200).write(text, () => response.socket?.destroy());
}

function rendered(reply: Exclude<Reply<Json>, { kind: 'dropped' }>): {
  readonly status: number;
  readonly text: string;
} {
  switch (reply.kind) {
    case 'ok':
      return { status: 200, text: JSON.stringify(reply.value) };
    case 'empty':
      return { status: 204, text: '' };
    case 'malformed':
    case 'truncated':
      return { status: 200, text: '{"results":[{"instance":' };
    case 'error':
      return { status: reply.error.status, text: JSON.stringify(errorBody(reply.error, reply.requestId)) };
  }
}

async function readBody(request: IncomingMessage): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request) {
    const bytes = new Uint8Array(chunk);
    length += bytes.length;
    if (length <= maxBody) chunks.push(bytes);
  }
  return length > maxBody ? null : Buffer.concat(chunks);
}

async function listen(server: Server, port: number, host: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen(port, host, resolve);
  await promise;
  return portOf(server.address());
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeAllConnections();
  await promise;
}

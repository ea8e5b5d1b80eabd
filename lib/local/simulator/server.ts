// The simulator over HTTP, on loopback: checks who calls like the gateway does, answers like DCS does, and breaks off,
// dawdles or babbles where the fleet's script says so. GET /__state shows what was really done, without a signature.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fleet } from './fleet.ts';
import { Gateway, type Outgoing } from './gateway.ts';
import { Iam, type IamOptions, type SimulatorKey } from './iam.ts';
import { stateOf } from './state.ts';
import { statePage } from './state-page.ts';

/** What a simulator serves, to whom. */
export interface SimulatorOptions {
  readonly fleet: Fleet;
  readonly keys: readonly SimulatorKey[];
  readonly projectId: string;
  /** Users, agencies and projects; default: none but the project, which is then called `eu-de`, of `simulated`. */
  readonly iam?: Partial<IamOptions>;
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
  readonly iam: Iam;
  /** Calls that never reached the fleet: not authentic, too long, or for no known route. */
  refused(): number;
  /** Ends all connections and resolves when the port is free. */
  close(): Promise<void>;
}

/** Bytes that the gateway takes as the body of a signed request (OTC-IAM, calling_apis/authentication.rst). */
const maxBody = 12 * 1024 * 1024;

/** Bytes: what Node takes has to be more than what the gateway takes (32 KiB of target), so that the gateway refuses it. */
const maxHeaderSize = 64 * 1024;

/** Starts a simulator; rejects when the port is in use. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const iam = new Iam({ ...usualIam(options.projectId), ...options.iam }, options.keys, options.now);
  const gateway = new Gateway({ ...options, iam });
  const server = createServer({ maxHeaderSize }, (request, response) => {
    serve(options, gateway, request, response).catch(() => request.socket.destroy());
  });
  const host = options.host ?? '127.0.0.1';
  const port = await listen(server, options.port ?? 0, host);
  const url = `http://${host}:${port}`;
  return { url, port, fleet: options.fleet, iam, refused: () => gateway.refused, close: () => close(server) };
}

function usualIam(projectId: string): IamOptions {
  return {
    domain: { id: 'd0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0', name: 'simulated' },
    projects: [{ id: projectId, name: 'eu-de' }],
    users: [],
    agencies: [],
    identities: [],
    tokenLifetime: 86_400,
  };
}

async function serve(
  options: SimulatorOptions,
  gateway: Gateway,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = '', url = '', headers } = request;
  const body = await readBody(request);
  if (url === '/__state') return sendState(options, request, response);
  const answer = gateway.answer({ method, url, headers, body });
  if (answer.delay > 0) await (options.sleep ?? realSleep)(answer.delay, hangUp(response));
  if (answer.kind === 'dropped') request.socket.destroy();
  else send(response, answer, options.now());
}

/** For whoever is on this machine, without a signature; as a page where HTML is asked for. */
function sendState({ fleet, now }: SimulatorOptions, request: IncomingMessage, response: ServerResponse): void {
  const { method, headers, socket } = request;
  if (!isLoopback(socket.remoteAddress) || method !== 'GET') {
    response.writeHead(method === 'GET' ? 403 : 405).end();
    return;
  }
  const isPage = headers.accept?.includes('text/html') === true;
  const text = isPage ? statePage(fleet, now()) : JSON.stringify(stateOf(fleet, now()));
  const type = isPage ? 'text/html; charset=utf-8' : 'application/json';
  const policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
  response.setHeader('Content-Security-Policy', policy).setHeader('Cache-Control', 'no-store');
  response.setHeader('Content-Type', type).writeHead(200).end(text);
}

/** Whether an address of a connection is one of this machine itself. */
export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && (address === '::1' || /^(::ffff:)?127\./.test(address));
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

function send(response: ServerResponse, answer: Exclude<Outgoing, { kind: 'dropped' }>, now: number): void {
  response.setHeader('Date', new Date(now).toUTCString());
  for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
  if (answer.kind === 'truncated') breakOff(response, answer.text);
  else response.writeHead(answer.status).end(answer.text);
}

/** Announces more than it sends, and ends the connection once that is out. */
function breakOff(response: ServerResponse, text: string): void {
  response.setHeader('Content-Length', Buffer.byteLength(text) + 100);
  response.writeHead(200).write(text, () => response.socket?.destroy());
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

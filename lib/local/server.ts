// Node's HTTP server in front of the doors: bounded in size and time, and quiet about its inside. It does what API
// Gateway does on AWS and nothing more, so that the doors behave the same in both places.

import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { EnvironmentError } from '../errors.ts';
import { bodyTooLarge, errorAnswer, type HttpAnswer, maxBody, written } from '../http.ts';
import type { Log } from '../runtime.ts';
import { type LambdaDoor, toContext, toEvent, writeResult } from './gateway.ts';

export interface ServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly webhook: LambdaDoor;
  readonly alert: LambdaDoor;
  readonly console: LambdaDoor;
  readonly log: Log;
  readonly limits?: Partial<Limits>;
}

/** Milliseconds. */
export interface Limits {
  /** Until a request's headers are there. */
  readonly headers: number;
  /** Until a whole request is there. */
  readonly request: number;
  /** How long an idle connection stays open. */
  readonly idle: number;
  /** How long the rest of an oversized body is thrown away before its connection is. */
  readonly linger: number;
  /** How long requests may take to end when the server closes. */
  readonly close: number;
}

export interface RunningServer {
  /** Without a trailing slash. */
  readonly url: string;
  readonly port: number;
  /** Takes no more requests, lets those under way end, then resolves. */
  close(): Promise<void>;
}

const defaults: Limits = { headers: 10_000, request: 30_000, idle: 5_000, linger: 2_000, close: 5_000 };

/** Bytes of all headers of a request at most; API Gateway allows 10,240. */
const maxHeaders = 16 * 1024;

/**
 * Serves `/hooks/*` by the webhook's door, `/alerts/*` by that of alerts and everything else by the console's. Throws EnvironmentError `port_in_use`,
 * `port_not_allowed` or `host_invalid`, which name the variable to change.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const limits = { ...defaults, ...options.limits };
  const server = createServer({
    headersTimeout: limits.headers,
    requestTimeout: limits.request,
    keepAliveTimeout: limits.idle,
    connectionsCheckingInterval: Math.min(1_000, limits.headers),
    maxHeaderSize: maxHeaders,
  });
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    void answer(server, { ...options, limits }, request, response);
  };
  server.on('request', serve);
  server.on('checkContinue', (request, response) => {
    if (!announcesTooMuch(request)) response.writeContinue();
    serve(request, response);
  });
  server.on('clientError', refuseBadHttp);
  const port = await listen(server, options);
  return { url: `http://${shownHost(options.host)}:${port}`, port, close: () => close(server, limits.close) };
}

async function answer(
  server: Server,
  options: ServerOptions & { readonly limits: Limits },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const body = await readBody(request);
    if (body === 'aborted') return;
    if (body === 'too_large') return refuseOversized(request, response, options.limits.linger);
    const event = toEvent(request, body, Date.now());
    const name = doorOf(event.rawPath);
    const result = await options[name](event, toContext(name, event.requestContext.requestId));
    if (!server.listening) response.setHeader('connection', 'close');
    writeResult(response, result);
  } catch (error) {
    options.log.error('door failed', { method: request.method, error });
    if (!response.headersSent) writeAnswer(response, errorAnswer(error));
  }
}

function doorOf(path: string): 'webhook' | 'alert' | 'console' {
  if (path.startsWith('/hooks/')) return 'webhook';
  return path.startsWith('/alerts/') ? 'alert' : 'console';
}

/** The body, kept only up to the cap; what comes after it is dropped as it arrives. */
function readBody(request: IncomingMessage): Promise<Buffer | 'too_large' | 'aborted'> {
  return new Promise((resolve) => {
    if (announcesTooMuch(request)) return resolve('too_large');
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBody) chunks.push(chunk);
      else resolve('too_large');
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('close', () => resolve('aborted'));
    request.on('error', () => resolve('aborted'));
  });
}

function announcesTooMuch(request: IncomingMessage): boolean {
  return Number(request.headers['content-length'] ?? 0) > maxBody;
}

/**
 * Answers at once, and reads on without keeping anything: a connection that is closed while its sender still writes is
 * reset, and the answer lost. A sender that does not come to an end is cut off.
 */
function refuseOversized(request: IncomingMessage, response: ServerResponse, linger: number): void {
  const timer = setTimeout(() => request.socket.destroy(), linger);
  request.on('close', () => clearTimeout(timer));
  request.on('end', () => clearTimeout(timer));
  request.resume();
  writeAnswer(response, errorAnswer(bodyTooLarge()));
}

function writeAnswer(response: ServerResponse, answer: HttpAnswer): void {
  const { headers, text } = written(answer);
  writeResult(response, { statusCode: answer.status, headers, body: text });
}

/** What is no HTTP gets its answer straight into the socket: there is no request to answer. */
function refuseBadHttp(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return;
  const status = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }[error.code ?? ''] ?? 400;
  const reason = STATUS_CODES[status] ?? '';
  const body = JSON.stringify({ error: { code: 'malformed', message: `${reason}.` } });
  const head = `HTTP/1.1 ${status} ${reason}\r\ncontent-type: application/json; charset=utf-8\r\n`;
  socket.end(`${head}content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`);
}

function listen(server: Server, { host, port }: ServerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(notListening(error, host, port)));
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function notListening(cause: NodeJS.ErrnoException, host: string, port: number): Error {
  if (cause.code === 'EADDRINUSE') {
    const message = `port ${port} on ${host} is in use; end the other program, or set PORT to another one`;
    return new EnvironmentError('port_in_use', message, { cause });
  }
  if (cause.code === 'EACCES') {
    return new EnvironmentError('port_not_allowed', `port ${port} needs more rights; set PORT to another one`, {
      cause,
    });
  }
  return new EnvironmentError('host_invalid', `cannot listen on ${host}; set HOST to an address of this machine`, {
    cause,
  });
}

function close(server: Server, grace: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), grace);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** A host as a client on this machine can reach it. */
function shownHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

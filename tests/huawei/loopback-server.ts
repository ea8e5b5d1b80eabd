// A server on the loopback that answers as a test says, for what only a real connection can show: what was sent, over how
// many connections, and what becomes of a call that is cut off.

import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

/** One request as it arrived. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Answers the nth request, counted from 1. */
export type Handler = (response: ServerResponse, seen: Seen, nth: number) => void;

export interface Loopback {
  readonly url: string;
  readonly seen: Seen[];
  /** How many connections were opened so far. */
  connections(): number;
  /** Resets every connection below TLS, as a dying host or a firewall does. */
  reset(): void;
  close(): Promise<void>;
}

/** Starts a server on a free port, over TLS where it is given a certificate. */
export async function startLoopback(
  handler: Handler,
  tls?: { readonly key: string; readonly cert: string },
): Promise<Loopback> {
  const seen: Seen[] = [];
  const sockets: Socket[] = [];
  const listener = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = '', url = '', headers } = request;
    const entry = { method, url, headers, body: Buffer.concat(chunks).toString() };
    seen.push(entry);
    handler(response, entry, seen.length);
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  server.on('connection', (socket: Socket) => {
    sockets.push(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = addressOf(server.address());
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    seen,
    connections: () => sockets.length,
    reset: () => {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Sends JSON. */
export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function addressOf(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new TypeError('The server has no port.');
  return address;
}

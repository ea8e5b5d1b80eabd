// One HTTP exchange with AWS over Node's own client: connections that are kept, a time limit, a size limit, no redirects.
// node-fetch would cost a door 20 ms of its start for the same POST; what is left of it here is these hundred lines.

import {
  type Agent,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** A request, signed. */
export interface Outgoing {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What came back, or why nothing did: `unsent` where the request cannot have arrived, `lost` where it may have. */
export type Exchange =
  | {
      readonly kind: 'received';
      readonly status: number;
      readonly body: string;
      readonly errorType: string | undefined;
    }
  | { readonly kind: 'unsent' | 'lost'; readonly cause: Error };

/** Milliseconds since the epoch, and for how many an exchange may last, its body included. */
export interface SendOptions {
  readonly now: number;
  readonly timeout: number;
}

/** Sends once; never rejects for what a network or a server does. */
export type Send = (outgoing: Outgoing, options: SendOptions) => Promise<Exchange>;

/** Milliseconds. A Lambda that was frozen wakes up with connections that are long gone; a write must not meet one. */
const idleLimit = 5000;
/** Bytes: a page of DynamoDB is 1 MB before it is JSON. */
const sizeLimit = 8 * 1024 * 1024;

const agentOptions = { keepAlive: true, maxSockets: 50, timeout: idleLimit };
/** For the whole process. */
const agents = { 'http:': new HttpAgent(agentOptions), 'https:': new HttpsAgent(agentOptions) };
const lastUse = new WeakMap<Agent, number>();

/** Sends over http or https, whichever the URL names. */
export const send: Send = (outgoing, options) => {
  const { promise, resolve } = Promise.withResolvers<Exchange>();
  const url = new URL(outgoing.url);
  const secure = url.protocol === 'https:';
  const agent = freshAgent(secure ? agents['https:'] : agents['http:'], options.now);
  const signal = AbortSignal.timeout(options.timeout);
  const { method, headers } = outgoing;
  const settings: RequestOptions = { method, headers, agent, signal };
  let connected = false;
  const fail = (cause: Error) => resolve({ kind: connected ? 'lost' : 'unsent', cause });
  const request = (secure ? httpsRequest : httpRequest)(url, settings, (response) => receive(response, resolve, fail));
  request.on('error', fail);
  request.once('socket', (socket) => {
    connected = request.reusedSocket;
    if (connected) return;
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      connected = true;
    });
  });
  request.end(outgoing.body);
  return promise;
};

function receive(response: IncomingMessage, resolve: (exchange: Exchange) => void, fail: (cause: Error) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    chunks.push(chunk);
    if (size > sizeLimit) response.destroy(new Error(`the answer is larger than ${sizeLimit} bytes`));
  });
  response.on('error', fail);
  response.once('end', () => {
    const errorType = response.headers['x-amzn-errortype'];
    resolve({
      kind: 'received',
      status: response.statusCode ?? 0,
      body: Buffer.concat(chunks).toString('utf8'),
      errorType: typeof errorType === 'string' ? errorType : undefined,
    });
  });
}

/** The agent without connections that may be dead: timers of a frozen process come late. */
function freshAgent<Some extends Agent>(agent: Some, now: number): Some {
  if (now - (lastUse.get(agent) ?? now) > idleLimit) {
    for (const sockets of Object.values(agent.freeSockets)) {
      for (const socket of sockets ?? []) socket.destroy();
    }
  }
  lastUse.set(agent, now);
  return agent;
}

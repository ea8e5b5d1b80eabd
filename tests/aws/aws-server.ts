// A server on the loopback that stands in for AWS: it answers each request with the next of its answers, and keeps what
// was asked. An answer can be a broken connection or none at all.

import { createServer } from 'node:http';
import { afterAll, beforeAll, beforeEach } from '@jest/globals';

/** What it answers: a status and a body, a connection that ends in the middle, or silence. */
export type Answer =
  | { readonly status: number; readonly body?: object | string; readonly type?: string }
  | 'broken'
  | 'cut'
  | 'silent';

/** What was asked. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface AwsServer {
  readonly answers: Answer[];
  readonly asked: Asked[];
  /** Number of connections that were made. */
  connections: number;
  endpoint: string;
}

/** A server for all tests of a file; each test begins with no answers. Without any left it answers 200 `{}`. */
export function awsServer(): AwsServer {
  const world: AwsServer = { answers: [], asked: [], connections: 0, endpoint: '' };
  const server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = '', url = '', headers } = request;
    world.asked.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
    const answer: Answer = world.answers.shift() ?? { status: 200, body: {} };
    if (answer === 'broken') return void request.socket.destroy();
    if (answer === 'silent') return;
    if (answer === 'cut') {
      response.writeHead(200, { 'content-length': '100' }).write('{"a":');
      return void setTimeout(() => request.socket.destroy(), 20);
    }
    const body = typeof answer.body === 'object' ? JSON.stringify(answer.body) : answer.body;
    response.writeHead(answer.status, answer.type === undefined ? {} : { 'x-amzn-errortype': answer.type });
    response.end(body ?? '');
  });
  server.on('connection', () => {
    world.connections += 1;
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    world.endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  });
  beforeEach(() => {
    world.answers.length = 0;
    world.asked.length = 0;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return world;
}

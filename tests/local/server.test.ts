// Node's server in front of the doors, over real loopback connections: what API Gateway would hand on is handed on, and
// what is too large, too slow or no HTTP at all is refused without harm to anyone else.

import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import * as v from 'valibot';
import { alertDoor } from '../../functions/alert.ts';
import { consoleDoor } from '../../functions/console.ts';
import { webhookDoor } from '../../functions/webhook.ts';
import type { Json } from '../../lib/canonical.ts';
import { EnvironmentError } from '../../lib/errors.ts';
import type { LambdaDoor } from '../../lib/local/gateway.ts';
import { type RunningServer, type ServerOptions, startServer } from '../../lib/local/server.ts';
import {
  bearer,
  type DoorWorld,
  doorWorld,
  hookToken,
  ids,
  jobs,
  logInto,
  noon,
  olderSigningSecret,
  operatorToken,
  signature,
} from '../support/door-world.ts';

const limit = 256 * 1024;
const running: RunningServer[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
});

async function serve(options: Partial<ServerOptions> = {}): Promise<RunningServer> {
  const world = doorWorld();
  const doors = {
    webhook: webhookDoor(world.open),
    alert: alertDoor(world.open),
    console: consoleDoor(world.open),
    log: logInto(world.log),
  };
  const server = await startServer({ host: '127.0.0.1', port: 0, ...doors, ...options });
  running.push(server);
  return server;
}

async function serveWorld(world: DoorWorld, options: Partial<ServerOptions> = {}): Promise<RunningServer> {
  return await serve({
    webhook: webhookDoor(world.open),
    alert: alertDoor(world.open),
    console: consoleDoor(world.open),
    ...options,
  });
}

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
}

async function send(server: RunningServer, path: string, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(`${server.url}${path}`, init);
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}

function post(server: RunningServer, path: string, headers: Record<string, string>, body = ''): Promise<Reply> {
  return send(server, path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
}

/** Writes bytes into a connection and gives back whatever comes until it ends. */
function raw(server: RunningServer, ...parts: string[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(server.port, '127.0.0.1', () => {
      for (const part of parts) socket.write(part);
    });
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', () => resolve(answer));
  });
}

/** A door that keeps the events that it gets. */
function keeping(events: APIGatewayProxyEventV2[]): LambdaDoor {
  return async (event) => {
    events.push(event);
    return { statusCode: 200, headers: { 'content-type': 'application/json' }, body: '{}' };
  };
}

describe('a request', () => {
  it('comes to the doors as API Gateway would hand it on', async () => {
    const events: APIGatewayProxyEventV2[] = [];
    const server = await serve({ webhook: keeping(events) });
    const lines = [
      'POST /hooks/a%20b?x=1&y=2&x=3 HTTP/1.1',
      'Host: localhost:1',
      'User-Agent: test/1',
      'X-Twice: one',
      'x-twice: two',
      'Authorization: Bearer a',
      'authorization: Bearer b',
      'Cookie: c=1; d=2',
      'Content-Type: application/json',
      'Content-Length: 4',
      'Connection: close',
    ];

    await raw(server, `${lines.join('\r\n')}\r\n\r\n{"":`);

    expect(events).toMatchObject([
      {
        version: '2.0',
        routeKey: '$default',
        rawPath: '/hooks/a%20b',
        rawQueryString: 'x=1&y=2&x=3',
        cookies: ['c=1', 'd=2'],
        headers: {
          host: 'localhost:1',
          'user-agent': 'test/1',
          'x-twice': 'one,two',
          authorization: 'Bearer a,Bearer b',
          'content-type': 'application/json',
        },
        queryStringParameters: { x: '1,3', y: '2' },
        requestContext: {
          domainName: 'localhost:1',
          http: {
            method: 'POST',
            path: '/hooks/a%20b',
            protocol: 'HTTP/1.1',
            sourceIp: '127.0.0.1',
            userAgent: 'test/1',
          },
          requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
          stage: '$default',
          time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
          timeEpoch: expect.any(Number),
        },
        body: '{"":',
        isBase64Encoded: false,
      },
    ]);
    expect(events[0]?.headers).not.toHaveProperty('cookie');
  });

  it.each<[string, string | undefined, Buffer, boolean]>([
    ['JSON', 'application/json; charset=utf-8', Buffer.from('{"a":"ü"}'), false],
    ['text', 'text/plain', Buffer.from('ü'), false],
    ['other bytes', 'application/octet-stream', Buffer.from('ü'), true],
    ['bytes of no type', undefined, Buffer.from('{}'), true],
    ['JSON that is no text', 'application/json', Buffer.from([0x7b, 0xff, 0x7d]), true],
  ])('hands on %s byte for byte', async (_name, type, bytes, base64) => {
    const events: APIGatewayProxyEventV2[] = [];
    const server = await serve({ webhook: keeping(events) });

    await send(server, '/hooks/a', {
      method: 'POST',
      body: new Uint8Array(bytes),
      ...(type && { headers: { 'content-type': type } }),
    });

    const { body = '', isBase64Encoded } = events[0] ?? { isBase64Encoded: undefined };
    expect(isBase64Encoded).toBe(base64);
    expect(Buffer.from(body, base64 ? 'base64' : 'utf8')).toEqual(bytes);
  });

  it('goes to the door of its path', async () => {
    const [hooks, others]: APIGatewayProxyEventV2[][] = [[], []];
    const server = await serve({ webhook: keeping(hooks ?? []), console: keeping(others ?? []) });

    for (const path of ['/hooks/a', '/hooks', '/healthz', '/', '/runs?x=/hooks/a']) await send(server, path);

    expect(hooks?.map(({ rawPath }) => rawPath)).toEqual(['/hooks/a']);
    expect(others?.map(({ rawPath }) => rawPath)).toEqual(['/hooks', '/healthz', '/', '/runs']);
  });

  it('gets its answer as the door gave it', async () => {
    const console: LambdaDoor = async () => ({
      statusCode: 418,
      headers: { 'x-number': 7 },
      cookies: ['a=1', 'b=2'],
      body: Buffer.from('"tea"').toString('base64'),
      isBase64Encoded: true,
    });

    const reply = await send(await serve({ console }), '/');

    expect([reply.status, reply.body, reply.headers.get('x-number')]).toEqual([418, 'tea', '7']);
    expect(reply.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });

  it('gets 500 without a word of the reason when a door breaks', async () => {
    const log: string[] = [];
    const console: LambdaDoor = () => Promise.reject(new Error('made-up detail'));

    const reply = await send(await serve({ console, log: logInto(log) }), '/');

    expect(reply).toMatchObject({ status: 500, body: { error: { code: 'internal' } } });
    expect(JSON.stringify(reply.body)).not.toContain('made-up');
    expect(log.join()).toContain('door failed');
  });
});

describe('a hook over the wire', () => {
  const body = JSON.stringify({ instances: [ids[0]], reason: 'Grüße' });

  it('starts one run, however often it is sent', async () => {
    const world = doorWorld();
    const server = await serveWorld(world);

    const replies = await Promise.all([1, 2, 3, 4, 5].map(() => post(server, '/hooks/token', bearer('k'), body)));

    expect(replies.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 202]);
    expect(new Set(world.starts).size).toBe(1);
    expect(await post(server, '/hooks/token', bearer('k'), '{}')).toMatchObject({ status: 409 });
  });

  it.each([
    ['signed with the secret of today', '/hooks/signed', signature(body), 202],
    ['signed with the secret of yesterday', '/hooks/signed', signature(body, { secret: olderSigningSecret }), 202],
    ['signed 20 minutes ago', '/hooks/signed', signature(body, { at: noon - 1_200_000 }), 401],
    ['signed 20 minutes from now', '/hooks/signed', signature(body, { at: noon + 1_200_000 }), 401],
    ['signed for another body', '/hooks/signed', signature('{}'), 401],
    ['for an unknown job', '/hooks/nobody', bearer('k'), 404],
    ['with a wrong token', '/hooks/token', bearer('k', 'nope'), 401],
    ['without a key', '/hooks/token', { authorization: `Bearer ${hookToken}` }, 400],
  ])('%s', async (_name, path, headers, status) => {
    expect((await post(await serve(), path, headers, body)).status).toBe(status);
  });

  it('may come in chunks', async () => {
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        for (const part of [body.slice(0, 7), body.slice(7)]) controller.enqueue(new TextEncoder().encode(part));
        controller.close();
      },
    });
    const init = { method: 'POST', headers: signature(body), body: stream, duplex: 'half' as const };

    expect(await send(await serve(), '/hooks/signed', init)).toMatchObject({ status: 202 });
  });

  it.each([
    ['{', 400],
    ['null', 400],
    ['{"instance":[]}', 400],
    ['{"dryRun":"yes"}', 400],
    [`${'['.repeat(100_000)}${']'.repeat(100_000)}`, 400],
    ['{"instances":[]}', 422],
    [`{"reason":"${'x'.repeat(limit)}"}`, 413],
  ])('with a body that it must not have: %.20s', async (text, status) => {
    const world = doorWorld();

    const reply = await post(await serveWorld(world), '/hooks/token', bearer('k'), text);

    expect(reply.status).toBe(status);
    expect(world.starts).toEqual([]);
    expect(await world.state.byJob('token', 1)).toEqual([]);
  });
});

describe('the console over the wire', () => {
  it('lists what was started by hand', async () => {
    const server = await serve();
    const operator = { authorization: `Bearer ${operatorToken}` };

    const started = await post(server, '/jobs/nightly/runs', operator, '');
    const listed = await send(server, '/runs?limit=1', { headers: operator });
    const { statusUrl } = v.parse(v.looseObject({ statusUrl: v.string() }), started.body);
    const shown = await send(server, statusUrl, { headers: operator });

    expect([started.status, listed.status, shown.status]).toEqual([202, 200, 200]);
    expect(listed.body).toMatchObject({ runs: [{ job: 'nightly' }] });
    expect(shown.body).toMatchObject({ job: 'nightly', status: 'accepted' });
    expect(Object.keys(jobs)).toContain('nightly');
  });

  it('answers a HEAD without a body', async () => {
    const response = await fetch(`${(await serve()).url}/healthz`, { method: 'HEAD' });

    expect([response.status, await response.text()]).toEqual([405, '']);
  });
});

describe('a body over 256 KiB', () => {
  it('is refused by its announced length, before it comes', async () => {
    const server = await serve({ limits: { linger: 50 } });
    const head = `POST /hooks/token HTTP/1.1\r\nhost: x\r\ncontent-length: ${limit + 1}\r\n\r\n`;

    expect(await raw(server, head)).toMatch(/^HTTP\/1\.1 413 .*body_too_large/s);
  });

  it('is refused where the sender waits for leave to send it', async () => {
    const server = await serve({ limits: { linger: 50 } });
    const head = `POST /hooks/token HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: ${limit + 1}\r\n\r\n`;

    expect(await raw(server, head)).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('is refused where its length was not announced', async () => {
    const server = await serve({ limits: { linger: 50 } });
    const chunk = `${(64 * 1024).toString(16)}\r\n${'x'.repeat(64 * 1024)}\r\n`;
    const head = 'POST /hooks/token HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n';

    expect(await raw(server, head, chunk, chunk, chunk, chunk, chunk)).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('is answered in full to one that sends it all', async () => {
    const server = await serve();

    const replies = await Promise.all(
      [1, 2, 3].map(() => post(server, '/hooks/token', bearer('k'), 'x'.repeat(4 * 1024 * 1024))),
    );

    expect(replies.map(({ status }) => status)).toEqual([413, 413, 413]);
  });

  it('may have 256 KiB exactly', async () => {
    const text = `{"reason":"x"${' '.repeat(limit - 14)}}`;

    expect(Buffer.byteLength(text)).toBe(limit);
    expect(await post(await serve(), '/hooks/token', bearer('k'), text)).toMatchObject({ status: 202 });
  });

  it('gets leave to send what is not too large', async () => {
    const server = await serve();
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { ...bearer('k'), expect: '100-continue', 'content-length': 2 };
      const sent = httpRequest(`${server.url}/hooks/token`, { method: 'POST', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on('continue', () => sent.end('{}'));
      sent.on('error', reject);
      sent.flushHeaders();
    });

    expect(status).toBe(202);
  });
});

describe('what is no good HTTP', () => {
  it.each([
    ['no HTTP at all', 'hello\r\n\r\n', 400],
    ['a method that does not exist', 'JUMP / HTTP/1.1\r\nhost: x\r\n\r\n', 400],
    ['no host', 'GET /healthz HTTP/1.1\r\n\r\n', 400],
    ['two lengths', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab', 400],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['headers over 16 KiB', `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(17 * 1024)}\r\n\r\n`, 431],
  ])('gets a clean answer: %s', async (_name, bytes, status) => {
    const answer = await raw(await serve(), bytes);

    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).not.toMatch(/stack|\.ts|node:/);
  });

  it('gets cut off when it does not come to an end', async () => {
    const server = await serve({ limits: { headers: 50, request: 50 } });

    expect(await raw(server, 'POST /hooks/token HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{')).toMatch(
      /^HTTP\/1\.1 408 /,
    );
  });

  it('does no harm to others when it breaks off', async () => {
    const world = doorWorld();
    const server = await serveWorld(world);
    await new Promise<void>((resolve) => {
      const socket = connect(server.port, '127.0.0.1', () => {
        socket.write('POST /hooks/token HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{', () => socket.destroy());
      });
      socket.on('close', () => resolve());
    });

    expect(await send(server, '/healthz')).toMatchObject({ status: 200 });
    expect(world.calls).toBe(0);
  });
});

describe('startServer', () => {
  it('tells where it is', async () => {
    const server = await serve();

    expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
    expect(server.port).toBeGreaterThan(0);
  });

  it('says which port is in use, and which variable changes it', async () => {
    const { port } = await serve();

    const refused = await serve({ port }).catch((error) => error);

    expect(refused).toBeInstanceOf(EnvironmentError);
    expect(refused).toMatchObject({ code: 'port_in_use', message: expect.stringMatching(new RegExp(`${port}.*PORT`)) });
  });

  it('says that it cannot have an address', async () => {
    const refused = await serve({ host: '203.0.113.1' }).catch((error) => error);

    expect(refused).toMatchObject({ code: 'host_invalid', message: expect.stringContaining('HOST') });
  });

  it('lets requests end before it closes, and takes no more', async () => {
    const [arrived, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const console: LambdaDoor = async () => {
      arrived.resolve();
      await ended.promise;
      return { statusCode: 200, body: '"late"' };
    };
    const server = await serve({ console });
    const reply = send(server, '/');
    await arrived.promise;

    const closed = server.close();
    ended.resolve();

    expect(await reply).toMatchObject({ status: 200, body: 'late' });
    await closed;
    await expect(send(server, '/')).rejects.toThrow();
  });

  it('cuts off what does not end in time when it closes', async () => {
    const arrived = Promise.withResolvers<void>();
    const console: LambdaDoor = () => {
      arrived.resolve();
      return new Promise(() => {});
    };
    const server = await serve({ console, limits: { close: 20 } });
    const reply = send(server, '/').catch(() => 'cut off');
    await arrived.promise;

    await server.close();

    expect(await reply).toBe('cut off');
  });
});

// Proxies and certificates over real connections: a proxy on the loopback that opens tunnels to a server beside it, and what
// a call means that does not get through.

import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Exchange, sender } from '../../lib/huawei/http.ts';
import { Connections, type ProxyVariables } from '../../lib/web/connections.ts';
import { type Handler, json, type Loopback, startLoopback } from './loopback-server.ts';
import { selfSigned } from './self-signed.ts';

const run = promisify(execFile);
const host = 'dcs.example.test';
const certificate = selfSigned({ host });
const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

const accept: Handler = (response) => json(response, 200, { ok: true });

async function service(handler: Handler = accept, tls = true): Promise<Loopback & { readonly port: string }> {
  const server = await startLoopback(handler, tls ? certificate : undefined);
  closing.push(() => server.close());
  return { ...server, port: new URL(server.url).port };
}

type Answering = 'tunnels' | 'refuses' | 'hangs up' | 'is silent';

/** A proxy that sends every tunnel to this machine, whatever host was asked for. */
async function proxy(answering: Answering = 'tunnels') {
  const asked: { target: string; authorization: string | undefined }[] = [];
  const plain: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    plain.push(request.url ?? '');
    response.end('{}');
  });
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.on('connect', (request, socket: Socket) => {
    asked.push({ target: request.url ?? '', authorization: request.headers['proxy-authorization'] });
    if (answering === 'refuses') socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
    if (answering === 'hangs up') socket.destroy();
    if (answering !== 'tunnels') return;
    const through = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      through.pipe(socket).pipe(through);
    });
    const end = () => {
      through.destroy();
      socket.destroy();
    };
    for (const each of [through, socket]) each.on('error', end).on('close', end);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const address: AddressInfo = portOf(server.address());
  return { asked, plain, url: `http://127.0.0.1:${address.port}`, port: address.port };
}

function portOf(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new TypeError('The proxy has no port.');
  return address;
}

function call(url: string, connections: Connections, timeout = 5): Promise<Exchange> {
  return sender({ timeout, connections })({ method: 'GET', url, headers: {}, body: '' }, Date.now());
}

describe('a proxy', () => {
  it.each(['HTTPS_PROXY', 'https_proxy'] as const)('that %s names opens a tunnel, which is kept', async (name) => {
    const { port, seen } = await service();
    const { url, asked } = await proxy();
    const connections = new Connections({ proxies: { [name]: url }, ca: certificate.cert });

    const exchanges = [
      await call(`https://${host}:${port}/a`, connections),
      await call(`https://${host}:${port}/b`, connections),
    ];

    expect(exchanges).toMatchObject(Array(2).fill({ kind: 'received', status: 200 }));
    expect(asked).toEqual([{ target: `${host}:${port}`, authorization: undefined }]);
    expect(seen.map(({ url }) => url)).toEqual(['/a', '/b']);
  });

  it('may be named without a scheme, as curl has it', async () => {
    const { port } = await service();
    const { url, asked } = await proxy();
    const proxies = { HTTPS_PROXY: url.replace('http://', '') };

    await call(`https://${host}:${port}/`, new Connections({ proxies, ca: certificate.cert }));

    expect(asked).toHaveLength(1);
  });

  it('is told the user and password of its URL', async () => {
    const { port } = await service();
    const { port: proxyPort, asked } = await proxy();
    const connections = new Connections({
      proxies: { HTTPS_PROXY: `http://me:my%20word@127.0.0.1:${proxyPort}` },
      ca: certificate.cert,
    });

    await call(`https://${host}:${port}/`, connections);

    expect(asked).toMatchObject([{ authorization: `Basic ${Buffer.from('me:my word').toString('base64')}` }]);
  });

  it('that HTTP_PROXY names is for http alone', async () => {
    const { url, asked, plain } = await proxy();

    await call('http://plain.example.test/a', new Connections({ proxies: { HTTP_PROXY: url } }));

    expect({ asked, plain }).toEqual({ asked: [], plain: ['http://plain.example.test/a'] });
  });

  it.each(['127.0.0.1', 'localhost'])('is not on the way to this machine as %s', async (target) => {
    const { port } = await service();
    const { url, asked } = await proxy();

    await call(`https://${target}:${port}/`, new Connections({ proxies: { HTTPS_PROXY: url } }));

    expect(asked).toEqual([]);
  });

  it.each([
    { NO_PROXY: host },
    { no_proxy: '.example.test' },
    { NO_PROXY: 'example.test' },
    { NO_PROXY: 'other.test, EXAMPLE.TEST' },
    { NO_PROXY: '*' },
    { NO_PROXY: 'other.test', no_proxy: `one.test,${host}` },
  ] satisfies ProxyVariables[])('is not on the way to a host of %j', async (none) => {
    const { url, asked } = await proxy();

    const exchange = await call(`https://${host}:1/`, new Connections({ proxies: { HTTPS_PROXY: url, ...none } }));

    expect(exchange).toMatchObject({ problem: { class: 'unreachable', code: 'connect_failed' } });
    expect(asked).toEqual([]);
  });

  it.each(['ample.test', 'dcs', 'a.dcs.example.test', 'dcs.example.test:2', '10.0.0.0/8'])(
    'is on the way to a host that %s does not mean',
    async (none) => {
      const { url, asked } = await proxy();

      await call(`https://${host}:1/`, new Connections({ proxies: { HTTPS_PROXY: url, NO_PROXY: none } }));

      expect(asked).toHaveLength(1);
    },
  );

  it.each([
    [
      'refuses',
      'connect_failed',
      expect.stringMatching(/^No connection to dcs\.example\.test:\d+ \(ERR_PROXY_TUNNEL\)\.$/),
    ],
    ['hangs up', 'connect_failed', expect.stringMatching(/^No connection to dcs\.example\.test:\d+ \(/)],
  ] as const)('that %s lets nothing through, and nothing was sent', async (answering, code, message) => {
    const { port, seen } = await service();
    const { url } = await proxy(answering);
    const secret = url.replace('http://', 'http://me:proxy-password@');

    const exchange = await call(`https://${host}:${port}/`, new Connections({ proxies: { HTTPS_PROXY: secret } }));

    expect(exchange).toEqual({ kind: 'failed', problem: { class: 'unreachable', code, message } });
    expect(JSON.stringify(exchange)).not.toContain('proxy-password');
    expect(seen).toEqual([]);
  });

  it('that is not there lets nothing through, and nothing was sent', async () => {
    const { port } = await service();

    const exchange = await call(
      `https://${host}:${port}/`,
      new Connections({ proxies: { HTTPS_PROXY: 'http://127.0.0.1:1' } }),
    );

    expect(exchange).toMatchObject({ problem: { class: 'unreachable', code: 'connect_failed' } });
  });

  it('before a server whose certificate nobody trusts lets nothing be sent', async () => {
    const { port, seen } = await service();
    const { url, asked } = await proxy();

    const exchange = await call(`https://${host}:${port}/`, new Connections({ proxies: { HTTPS_PROXY: url } }));

    expect(exchange).toMatchObject({ problem: { class: 'unreachable', code: 'connect_failed' } });
    expect(asked).toHaveLength(1);
    expect(seen).toEqual([]);
  });

  it('leaves open what was done where the connection breaks after the request', async () => {
    const { port, seen } = await service((response) => response.socket?.destroy());
    const { url } = await proxy();
    const connections = new Connections({ proxies: { HTTPS_PROXY: url }, ca: certificate.cert });

    const exchange = await call(`https://${host}:${port}/`, connections);

    expect(exchange).toMatchObject({ problem: { class: 'unknown', code: 'connection_lost' } });
    expect(seen).toHaveLength(1);
  });

  it.each(['ftp://proxy:3128', 'http://', 'http://a b'])('cannot be %j, which is not shown', (url) => {
    const make = () => new Connections({ proxies: { HTTPS_PROXY: url } });

    expect(make).toThrow(expect.objectContaining({ name: 'EnvironmentError', code: 'proxy_invalid' }));
  });
});

describe('certificates of one project', () => {
  it('are trusted beside those of Node, and by nobody else', async () => {
    const { url } = await service();
    const { cert } = selfSigned({ host: 'proxy.example.test' });

    const [trusting, others] = await Promise.all([
      call(url, new Connections({ ca: `# of the proxy\n${cert}\n${certificate.cert}` })),
      call(url, new Connections()),
    ]);

    expect(trusting).toMatchObject({ kind: 'received', status: 200 });
    expect(others).toMatchObject({ problem: { class: 'unreachable', code: 'connect_failed' } });
  });

  it('are checked also where the environment tells Node not to', async () => {
    const { url, seen } = await service();
    const module = new URL('../../lib/huawei/http.ts', import.meta.url).href;
    const program = `
      const { sender } = await import(${JSON.stringify(module)});
      const request = { method: 'GET', url: ${JSON.stringify(url)}, headers: {}, body: '' };
      console.log((await sender({ timeout: 5 })(request, Date.now())).kind);`;
    const env = { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: '0' };

    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], { env });

    expect(stdout.trim()).toBe('failed');
    expect(seen).toEqual([]);
  });

  it.each([
    ['no PEM', 'super-secret'],
    ['an empty one', '-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----'],
    ['a broken one', `${certificate.cert.slice(0, 200)}\n-----END CERTIFICATE-----`],
  ])('cannot be %s', (_name, ca) => {
    expect(() => new Connections({ ca })).toThrow(expect.objectContaining({ code: 'ca_malformed' }));
  });
});

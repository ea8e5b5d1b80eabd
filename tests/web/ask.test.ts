// Small requests over real connections: what counts as an answer, and that no address is ever shown.

import { type AddressInfo, createServer } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Asking, asker, isAskable } from '../../lib/web/ask.ts';
import { type Handler, type Loopback, startLoopback } from '../huawei/loopback-server.ts';

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

async function server(handler: Handler): Promise<Loopback> {
  const started = await startLoopback(handler);
  closing.push(() => started.close());
  return started;
}

function ask(asking: Asking, timeout = 5000) {
  return asker({ now: Date.now, timeout })(asking);
}

/** A port on which nobody listens. */
async function freePort(): Promise<number> {
  const held = createServer();
  await new Promise<void>((resolve) => held.listen(0, '127.0.0.1', resolve));
  const address: AddressInfo | string | null = held.address();
  await new Promise<void>((resolve) => held.close(() => resolve()));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('asking', () => {
  it.each([200, 204, 404, 500])('answers with the status %i', async (status) => {
    const { url, seen } = await server((response) => response.writeHead(status).end());

    expect(await ask({ url: `${url}/ready?x=1` })).toEqual({ status });
    expect(seen).toMatchObject([{ method: 'GET', url: '/ready?x=1', body: '' }]);
  });

  it('posts JSON where there is a body', async () => {
    const { url, seen } = await server((response) => response.end());

    await ask({ url, body: '{"text":"größer"}' });

    expect(seen).toMatchObject([
      { method: 'POST', body: '{"text":"größer"}', headers: { 'content-type': 'application/json; charset=utf-8' } },
    ]);
  });

  it('follows no redirect', async () => {
    const { url, seen } = await server((response) => response.writeHead(302, { location: '/elsewhere' }).end());

    expect(await ask({ url })).toEqual({ status: 302 });
    expect(seen).toHaveLength(1);
  });

  it('does not wait for the end of an answer, nor read it', async () => {
    const { url } = await server((response) => void response.writeHead(200).write('x'.repeat(100_000)));

    expect(await ask({ url })).toEqual({ status: 200 });
  });

  it('does not wait for an answer for ever', async () => {
    const { url } = await server(() => undefined);

    expect(await ask({ url }, 200)).toEqual({ silent: 'did not answer within 0.2 s' });
  });

  it('tells where nobody is, without the address', async () => {
    const answered = await ask({ url: `http://127.0.0.1:${await freePort()}/services/SECRET` });

    expect(answered).toEqual({ silent: 'could not be reached (ECONNREFUSED)' });
  });

  it('tells a connection that breaks, without the address', async () => {
    const { url } = await server((response) => response.destroy());

    expect(JSON.stringify(await ask({ url: `${url}/SECRET` }))).toMatch(
      /^\{"silent":"could not be reached \(\w+\)"\}$/,
    );
  });
});

describe('an address', () => {
  it.each([
    ['https://hooks.example.com/services/T0/B0/x', true],
    ['http://127.0.0.1:9000/x', true],
    ['http://localhost:9000', true],
    ['http://[::1]:9000', true],
    ['http://hooks.example.com/x', false],
    ['http://127.0.0.1.example.com/x', false],
    ['https://user:word@hooks.example.com/x', false],
    ['ftp://hooks.example.com', false],
    ['hooks.example.com', false],
    ['', false],
  ])('%s may be asked: %s', (text, may) => {
    expect(isAskable(text)).toBe(may);
  });
});

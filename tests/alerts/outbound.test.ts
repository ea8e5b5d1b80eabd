// The two requests that alerts may cause, over real connections: what is not followed, not waited for, not read to its
// end, and not trusted.

import { afterEach, describe, expect, it } from '@jest/globals';
import fetch from 'node-fetch';
import { gettingOver } from '../../lib/alerts/outbound.ts';
import { fetchingCertificates } from '../../lib/alerts/smn-certificate.ts';
import { type Handler, type Loopback, startLoopback } from '../huawei/loopback-server.ts';
import { selfSigned } from '../huawei/self-signed.ts';
import { afternoon, certificate, rejection } from '../support/alert-world.ts';

const open: Loopback[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function serving(handler: Handler, tls?: Parameters<typeof startLoopback>[1]): Promise<Loopback> {
  const server = await startLoopback(handler, tls);
  open.push(server);
  return server;
}

describe('a GET', () => {
  it('gives the status and the text, and sends nothing along', async () => {
    const server = await serving((response) => response.end('hello'));

    await expect(gettingOver()(`${server.url}/x`, 100)).resolves.toEqual({ status: 200, body: 'hello' });
    expect(server.seen).toMatchObject([{ method: 'GET', url: '/x', body: '' }]);
    expect(server.seen[0]?.headers).not.toHaveProperty('authorization');
  });

  it('does not follow a redirect', async () => {
    const elsewhere = await serving((response) => response.end(certificate));
    const server = await serving((response) => response.writeHead(302, { location: elsewhere.url }).end());

    await expect(gettingOver()(server.url, 100)).resolves.toMatchObject({ status: 302 });
    expect(elsewhere.seen).toEqual([]);
  });

  it.each([
    ['says how long it is', { 'content-length': '101' }],
    ['does not', {}],
  ])('is given up over an answer that is too long, whether it %s', async (_, headers) => {
    const server = await serving((response) => response.writeHead(200, headers).end('x'.repeat(101)));

    expect(await rejection(gettingOver()(server.url, 100))).toMatchObject({
      message: `GET ${hostOf(server)}: max-size`,
    });
    await expect(gettingOver()(server.url, 101)).resolves.toMatchObject({ status: 200 });
  });

  it.each([
    ['begins', () => undefined],
    ['ends', (response: Parameters<Handler>[0]) => void response.writeHead(200).write('x')],
  ])('is given up over an answer that never %s', async (_, answer) => {
    const server = await serving(answer);

    expect(await rejection(gettingOver(fetch, 50)(server.url, 100))).toMatchObject({
      code: 'get_failed',
      message: `GET ${hostOf(server)}: aborted`,
    });
  });

  it('trusts no server whose certificate nobody vouches for', async () => {
    const server = await serving((response) => response.end(certificate), selfSigned());
    const certificates = fetchingCertificates(gettingOver());

    expect(await rejection(certificates(server.url, afternoon))).toMatchObject({
      code: 'certificate_unavailable',
      cause: { message: `GET ${hostOf(server)}: DEPTH_ZERO_SELF_SIGNED_CERT` },
    });
    expect(server.seen).toEqual([]);
  });

  it('that fails where nobody listens tells no more of the URL than the host', async () => {
    const server = await startLoopback((response) => response.end());
    await server.close();

    const error = await rejection(gettingOver()(`${server.url}/confirm?token=made-up`, 100));

    expect(error).toMatchObject({ code: 'get_failed', message: `GET ${hostOf(server)}: ECONNREFUSED` });
    expect(error).not.toHaveProperty('cause');
  });
});

function hostOf({ url }: Loopback): string {
  return new URL(url).host;
}

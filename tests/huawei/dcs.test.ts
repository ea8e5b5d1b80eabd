// DCS over real connections: what is sent, how often, and what an answer that never comes means.

import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import type defaultFetch from 'node-fetch';
import { FetchError } from 'node-fetch';
import { unlimited } from '../../lib/config/defaults.ts';
import type { Project } from '../../lib/config.ts';
import { EnvironmentError } from '../../lib/errors.ts';
import { ProjectAccess } from '../../lib/huawei/access.ts';
import { HuaweiDcs, type HuaweiDcsOptions } from '../../lib/huawei/dcs.ts';
import { type Fetch, sender } from '../../lib/huawei/http.ts';
import { Pace } from '../../lib/huawei/pace.ts';
import { type Credentials, sdkDate, sign } from '../../lib/huawei/sign.ts';
import { type Handler, json, type Loopback, type Seen, startLoopback } from './loopback-server.ts';
import { selfSigned } from './self-signed.ts';

const projectId = '0a1b2c3d4e5f60718293a4b5c6d7e8f9';
const one = '2e803f66-fbb0-47ad-b6cb-fb87f5bed4ef';
const two = 'b3c1a6de-7c1f-4a52-9f0e-1d2c3b4a5968';
const key = { ak: 'EXAMPLEACCESSKEY0001', sk: 'ExampleSecretKey/0001+abcdefghijklmnopqrs' };
const rotated = { ak: 'EXAMPLEACCESSKEY0002', sk: 'ExampleSecretKey/0002+abcdefghijklmnopqrs' };
const wrongKey = { error_code: 'APIGW.0301', error_msg: 'Incorrect IAM authentication information', request_id: 'r' };

/** What a test says about a client; `credentials` are those of an access key. */
interface Options extends Partial<Omit<HuaweiDcsOptions, 'send'>> {
  readonly credentials?: (fresh?: boolean) => Promise<Credentials>;
  readonly fetch?: Fetch;
}

let server: Loopback | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** A server that answers by `handler`, and a client of it. */
async function start(handler: Handler, options: Options = {}, change: Partial<Project> = {}) {
  server = await startLoopback(handler);
  return { server, dcs: client(server.url, options, change) };
}

function client(endpoint: string, options: Options = {}, change: Partial<Project> = {}): HuaweiDcs {
  const project: Project = {
    name: 'staging',
    region: 'eu-de',
    projectId,
    endpoint,
    credentials: { aksk: 'env:EXAMPLE' },
    protectedTag: { key: 'dcs-autopilot-protected', value: 'true' },
    ...unlimited,
    rate: { callsPerSecond: 1000, retriesPerHour: 200 },
    timeout: 5,
    ...change,
  };
  const { credentials = async () => key, fetch, now = Date.now, ...others } = options;
  const send = sender({ timeout: project.timeout, ...(fetch !== undefined && { fetch }) });
  const access = new ProjectAccess({ project, credentials, send, now });
  return new HuaweiDcs({ project, access, send, now, sleep: async () => {}, ...others });
}

/** Credentials that are `key` until they are asked for afresh, and how they were asked for. */
function credentialsOf(fresh: Credentials) {
  const asked: (boolean | undefined)[] = [];
  const credentials = async (again?: boolean) => {
    asked.push(again);
    return again === true ? fresh : key;
  };
  return { asked, credentials };
}

function accept(seen: Seen) {
  const { instances } = JSON.parse(seen.body);
  return { results: instances.map((instance: string) => ({ instance, result: 'success' })) };
}

const acceptAll: Handler = (response, seen) => json(response, 200, accept(seen));

describe('a call of HuaweiDcs', () => {
  it('is sent as the vendor documents it', async () => {
    const { server, dcs } = await start(acceptAll);

    const answer = await dcs.act('restart', [one, two]);

    expect(answer).toEqual({
      kind: 'answered',
      results: new Map(Object.entries({ [one]: 'success', [two]: 'success' })),
    });
    expect(server.seen).toHaveLength(1);
    expect(server.seen[0]).toMatchObject({
      method: 'PUT',
      url: `/v2/${projectId}/instances/status`,
      body: JSON.stringify({ instances: [one, two], action: 'restart' }),
      headers: {
        'content-type': 'application/json',
        'user-agent': 'dcs-autopilot',
        'x-project-id': projectId,
        connection: 'keep-alive',
      },
    });
  });

  it.each([
    ['a permanent key', key],
    ['a temporary key', { ...key, securityToken: 'example/token+==' }],
  ])('is signed with %s, over what really arrives', async (_name, credentials: Credentials) => {
    const now = Date.parse('2026-11-23T13:37:00Z');
    const { server, dcs } = await start((response) => json(response, 200, { instance_num: 0, instances: [] }), {
      credentials: async () => credentials,
      now: () => now,
    });

    await dcs.list({ env: 'prod & more', team: "it's (a)*" });

    const [seen] = server.seen;
    const url = new URL(seen?.url ?? '', server.url);
    const names = ['content-type', 'host', 'x-project-id'];
    const headers = Object.fromEntries(names.map((name) => [name, String(seen?.headers[name])]));
    const query = Object.fromEntries(url.searchParams);
    const signed = sign({ method: 'GET', path: url.pathname, query, headers, body: '' }, credentials, new Date(now));
    expect(query).toEqual({ limit: '1000', offset: '0', tags: "env=prod & more,team=it's (a)*" });
    expect(seen?.headers).toMatchObject({
      authorization: Object.entries(signed.headers).find(([name]) => name === 'Authorization')?.[1],
      'x-sdk-date': sdkDate(new Date(now)),
    });
    expect(seen?.headers['x-security-token']).toBe(credentials.securityToken);
  });

  it('waits for its turn before it is signed and sent', async () => {
    const rate = { callsPerSecond: 10, retriesPerHour: 200 };
    let time = Date.parse('2026-11-23T13:37:00Z');
    const sleep = async (ms: number) => {
      time += ms;
    };
    const { server, dcs } = await start(acceptAll, { now: () => time, sleep }, { rate });

    for (let call = 0; call < 25; call += 1) await dcs.act('restart', [one]);

    const stamps = server.seen.map(({ headers }) => headers['x-sdk-date']);
    expect(new Set(stamps)).toEqual(new Set(['20261123T133700Z', '20261123T133701Z']));
    expect(time).toBe(Date.parse('2026-11-23T13:37:01.500Z'));
  });

  it('uses a connection again while it is fresh', async () => {
    const { server, dcs } = await start(acceptAll);

    for (let call = 0; call < 5; call += 1) await dcs.act('restart', [one]);

    expect(server.seen).toHaveLength(5);
    expect(server.connections()).toBe(1);
  });

  it('does not use a connection again that was idle for long, even where timers stood still', async () => {
    let time = Date.now();
    const { server, dcs } = await start(acceptAll, { now: () => time });

    await dcs.act('restart', [one]);
    time += 60_000;
    await dcs.act('restart', [one]);

    expect(server.connections()).toBe(2);
  });

  it('is not sent without instances', async () => {
    const { server, dcs } = await start(acceptAll);

    await expect(dcs.act('flush', [])).rejects.toThrow(RangeError);

    expect(server.seen).toEqual([]);
  });
});

describe('an answer that does not come', () => {
  it.each([
    ['a slow answer', 'timeout', () => {}],
    ['a slow body', 'timeout', (response) => response.writeHead(200).write('{"results":')],
    ['a reset after the request', 'connection_lost', (response) => response.socket?.resetAndDestroy()],
    ['a hang-up after the request', 'connection_lost', (response) => response.socket?.end()],
    [
      'a hang-up inside the body',
      'connection_lost',
      (response) => response.writeHead(200, { 'content-length': '99' }).write('{"results":', () => response.destroy()),
    ],
  ] satisfies [string, string, Handler][])('leaves open what was done after %s', async (_name, code, handler) => {
    const { server, dcs } = await start(handler, {}, { timeout: 0.2 });

    const answer = await dcs.act('flush', [one]);

    expect(answer).toMatchObject({ kind: 'lost', problem: { class: 'unknown', code } });
    expect(server.seen).toHaveLength(1);
  });

  it('leaves open what was done after an answer that is too large', async () => {
    const chunk = Buffer.alloc(1024 * 1024, ' ');
    const { dcs } = await start((response) => {
      response.on('error', () => {});
      for (let count = 0; count < 33; count += 1) response.write(chunk);
      response.end();
    });

    const answer = await dcs.act('flush', [one]);

    expect(answer).toMatchObject({ kind: 'lost', problem: { class: 'unknown', code: 'answer_too_large' } });
  });

  it('says that nothing was sent where no connection came about', async () => {
    const { server, dcs } = await start(acceptAll);
    await server.close();

    const answer = await dcs.act('flush', [one]);

    expect(answer).toMatchObject({ kind: 'refused', problem: { class: 'unreachable', code: 'connect_failed' } });
  });

  it('says that nothing was sent where the server speaks no TLS', async () => {
    const { server } = await start(acceptAll);

    const answer = await client(server.url.replace('http:', 'https:')).act('flush', [one]);

    expect(answer).toMatchObject({ kind: 'refused', problem: { class: 'unreachable', code: 'connect_failed' } });
    expect(server.seen).toEqual([]);
  });

  it.each([
    [{ code: 'ENOTFOUND', syscall: 'getaddrinfo' }, 'refused'],
    [{ code: 'EAI_AGAIN', syscall: 'getaddrinfo' }, 'refused'],
    [{ code: 'ECONNREFUSED', syscall: 'connect' }, 'refused'],
    [{ code: 'ETIMEDOUT', syscall: 'connect' }, 'refused'],
    [{ code: 'CERT_HAS_EXPIRED', syscall: 'connect' }, 'refused'],
    // All of several addresses failed.
    [{ code: 'ECONNREFUSED' }, 'refused'],
    [{ code: 'ENETUNREACH' }, 'refused'],
    [{ code: 'ETIMEDOUT', syscall: 'read' }, 'lost'],
    [{ code: 'EHOSTUNREACH', syscall: 'write' }, 'lost'],
    [{ code: 'ECONNRESET', syscall: 'read' }, 'lost'],
    [{ code: 'ECONNRESET' }, 'lost'],
    [{ code: 'EPIPE', syscall: 'write' }, 'lost'],
    [{ code: 'EPROTO', syscall: 'write' }, 'lost'],
    [{ code: 'ERR_STREAM_PREMATURE_CLOSE' }, 'lost'],
    [{ code: 'HPE_INVALID_CONSTANT' }, 'lost'],
    [{}, 'lost'],
  ])('takes the failure %j for %s', async (failure, kind) => {
    const fetch = () => Promise.reject(new FetchError('request failed', 'system', failure));

    const answer = await client('https://dcs.example.com', { fetch }).act('flush', [one]);

    expect(answer.kind).toBe(kind);
  });

  it('does not hide a bug', async () => {
    const fetch = () => Promise.reject(new TypeError('a bug'));

    await expect(client('https://dcs.example.com', { fetch }).act('flush', [one])).rejects.toThrow('a bug');
  });

  it('leaves open what was done where it is given up on the way', async () => {
    const controller = new AbortController();
    const { dcs } = await start(() => controller.abort(), { signal: controller.signal });

    const answer = await dcs.act('flush', [one]);

    expect(answer).toMatchObject({ kind: 'lost', problem: { class: 'unknown', code: 'aborted' } });
  });

  it('sends nothing where it was given up before', async () => {
    const { server, dcs } = await start(acceptAll, { signal: AbortSignal.abort() });

    const answer = await dcs.act('flush', [one]);

    expect(answer).toMatchObject({ kind: 'refused', problem: { class: 'unreachable', code: 'aborted' } });
    expect(server.seen).toEqual([]);
  });
});

describe('a connection over TLS', () => {
  const certificate = selfSigned();
  const trusted = getCACertificates();

  afterEach(() => setDefaultCACertificates(trusted));

  it('carries calls, is kept, and is lost like any other after the request', async () => {
    setDefaultCACertificates([certificate.cert]);
    const handler: Handler = (response, seen, nth) =>
      nth < 3 ? acceptAll(response, seen, nth) : response.socket?.destroy();
    server = await startLoopback(handler, certificate);
    const dcs = client(server.url);

    const answers = [await dcs.act('flush', [one]), await dcs.act('flush', [one]), await dcs.act('flush', [one])];

    expect(answers.map(({ kind }) => kind)).toEqual(['answered', 'answered', 'lost']);
    expect(answers[2]).toMatchObject({ problem: { class: 'unknown', code: 'connection_lost' } });
    expect(server.connections()).toBe(1);
  });

  it('is lost after a reset, too', async () => {
    setDefaultCACertificates([certificate.cert]);
    server = await startLoopback(() => server?.reset(), certificate);

    const answer = await client(server.url).act('flush', [one]);

    expect(answer).toMatchObject({ kind: 'lost', problem: { class: 'unknown', code: 'connection_lost' } });
    expect(server.seen).toHaveLength(1);
  });

  it('sends nothing to a server whose certificate nobody trusts', async () => {
    server = await startLoopback(acceptAll, certificate);

    const answer = await client(server.url).act('flush', [one]);

    expect(answer).toMatchObject({ kind: 'refused', problem: { class: 'unreachable', code: 'connect_failed' } });
    const message = expect.stringMatching(/^No connection to [\w.]+:\d+ \(DEPTH_ZERO_SELF_SIGNED_CERT\)\.$/);
    expect(answer).toMatchObject({ problem: { message } });
    expect(server.seen).toEqual([]);
  });
});

describe('an answer that is no success', () => {
  it('does not follow a redirect', async () => {
    const { server, dcs } = await start((response) => response.writeHead(307, { location: '/elsewhere' }).end());

    const answer = await dcs.act('flush', [one]);

    expect(answer).toMatchObject({ kind: 'refused', problem: { class: 'config', code: 'http_307' } });
    expect(server.seen).toHaveLength(1);
  });

  it('leaves open what was done after 204', async () => {
    const { dcs } = await start((response) => response.writeHead(204, { 'x-request-id': 'req-1' }).end());

    const answer = await dcs.act('flush', [one]);

    expect(answer).toMatchObject({ kind: 'lost', problem: { code: 'no_results', status: 204, requestId: 'req-1' } });
  });

  it('says when to come back after 429, and does not come back by itself', async () => {
    const body = { error_code: 'APIG.0308', error_msg: 'throttled', request_id: 'req-2' };
    const { server, dcs } = await start((response) => json(response, 429, body, { 'retry-after': '3' }));

    const answer = await dcs.act('flush', [one]);

    const problem = { class: 'throttled', code: 'APIG.0308', status: 429, retryAfter: 3, requestId: 'req-2' };
    expect(answer).toMatchObject({ kind: 'refused', problem });
    expect(server.seen).toHaveLength(1);
  });

  it('makes all clients of the project wait after 429, reads and sends alike', async () => {
    let now = Date.now();
    const sleep = async (ms: number) => {
      now += ms;
    };
    const options = { now: () => now, sleep };
    const pace = new Pace(options);
    const begun = now;
    const { server, dcs } = await start(
      (response, seen, nth) =>
        nth === 1 ? json(response, 429, {}, { 'retry-after': '3' }) : acceptAll(response, seen, nth),
      { ...options, pace },
    );

    await dcs.total();
    await client(server.url, { ...options, pace }).act('flush', [one]);

    expect(now - begun).toBeGreaterThanOrEqual(3000);
    expect(server.seen).toHaveLength(2);
  });

  it('sends nothing where the project wants to be left alone for long', async () => {
    const { server, dcs } = await start((response) => json(response, 429, {}, { 'retry-after': '300' }));

    await dcs.total();
    const answer = await dcs.act('flush', [one]);

    expect(answer).toMatchObject({
      kind: 'refused',
      problem: { class: 'throttled', code: 'rate_held', retryAfter: 300 },
    });
    expect(server.seen).toHaveLength(1);
  });

  it.each([
    [502, 'APIGW.0307'],
    [500, 'DCS.1002'],
  ])('is not repeated in another name after HTTP %i %s: it may have been done', async (status, code) => {
    const { credentials } = credentialsOf(rotated);
    const body = { error_code: code, error_msg: 'x' };
    const { server, dcs } = await start((response) => json(response, status, body), { credentials });

    await dcs.act('flush', [one]);

    expect(server.seen).toHaveLength(1);
  });

  it.each([500, 503, 400, 403])('is not repeated after HTTP %i', async (status) => {
    const { server, dcs } = await start((response) => json(response, status, {}));

    await dcs.act('flush', [one]);

    expect(server.seen).toHaveLength(1);
  });
});

describe('a key that is refused', () => {
  it('makes one call where asking again brings the same key', async () => {
    const { asked, credentials } = credentialsOf({ ...key });
    const { server, dcs } = await start((response) => json(response, 401, wrongKey), { credentials });

    const answer = await dcs.act('flush', [one]);

    expect(answer).toMatchObject({ kind: 'refused', problem: { class: 'auth', code: 'APIGW.0301', status: 401 } });
    expect(server.seen).toHaveLength(1);
    expect(asked).toEqual([false, true]);
  });

  it.each([
    ['key', rotated],
    ['secret key', { ...key, sk: rotated.sk }],
    ['token', { ...key, securityToken: 'exampletoken' }],
  ])('makes a second call with a new %s, which may succeed', async (_name, fresh) => {
    const { credentials } = credentialsOf(fresh);
    const handler: Handler = (response, seen, nth) =>
      nth === 1 ? json(response, 401, wrongKey) : acceptAll(response, seen, nth);
    const { server, dcs } = await start(handler, { credentials });

    const answer = await dcs.act('flush', [one]);

    expect(answer.kind).toBe('answered');
    expect(server.seen.map(({ body }) => body)).toEqual(
      Array(2).fill(JSON.stringify({ instances: [one], action: 'flush' })),
    );
    expect(server.seen[1]?.headers.authorization).toContain(fresh.ak);
  });

  it('makes no third call', async () => {
    const { credentials } = credentialsOf(rotated);
    const { server, dcs } = await start((response) => json(response, 401, wrongKey), { credentials });

    const answer = await dcs.total();

    expect(answer).toMatchObject({ ok: false, problem: { class: 'auth' } });
    expect(server.seen).toHaveLength(2);
  });

  it('is not asked for again where a wrong clock is the reason', async () => {
    const { asked, credentials } = credentialsOf(rotated);
    const now = () => Date.now() + 20 * 60_000;
    const { server, dcs } = await start((response) => json(response, 401, wrongKey), { credentials, now });

    const answer = await dcs.act('flush', [one]);

    expect(answer).toMatchObject({ kind: 'refused', problem: { class: 'auth', code: 'clock_skew' } });
    expect(answer).toMatchObject({ problem: { message: expect.stringContaining('20 minutes ahead of') } });
    expect(server.seen).toHaveLength(1);
    expect(asked).toEqual([false]);
  });

  it('is reported as it was where no other key can be read', async () => {
    const credentials = (fresh?: boolean) => (fresh === true ? Promise.reject(new Error('no')) : Promise.resolve(key));
    const { dcs } = await start((response) => json(response, 401, wrongKey), { credentials });

    expect(await dcs.act('flush', [one])).toMatchObject({ kind: 'refused', problem: { code: 'APIGW.0301' } });
  });
});

describe('a key that cannot be used', () => {
  it.each([
    ['is missing', new EnvironmentError('secret_missing', 'env:EXAMPLE_AK is not set.'), 'config', 'secret_missing'],
    ['is out of reach', new Error(`request for ${key.sk} failed`), 'unreachable', 'credentials_unavailable'],
  ])('sends nothing where it %s', async (_name, error, errorClass, code) => {
    const { server, dcs } = await start(acceptAll, { credentials: () => Promise.reject(error) });

    const answer = await dcs.act('flush', [one]);

    expect(answer).toMatchObject({ kind: 'refused', problem: { class: errorClass, code } });
    expect(JSON.stringify(answer)).not.toContain(key.sk);
    expect(server.seen).toEqual([]);
  });

  it.each([
    { ...key, ak: `${key.ak}\n` },
    { ...key, ak: '' },
    { ...key, sk: '' },
    { ...key, sk: ' x' },
    { ...key, securityToken: '' },
    { ...key, securityToken: 'a\r\nb' },
  ])('sends nothing with %j', async (malformed) => {
    const { server, dcs } = await start(acceptAll, { credentials: async () => malformed });

    const answer = await dcs.act('flush', [one]);

    expect(answer).toMatchObject({ kind: 'refused', problem: { class: 'config', code: 'credentials_malformed' } });
    expect(server.seen).toEqual([]);
  });
});

describe('list', () => {
  /**
   * `count` instances, served in pages; `most` is how many the service gives at once, whatever it is asked for, and
   * `counts` what its instance_num means.
   */
  function fleet(count: number, most = 1000, counts: 'all' | 'page' = 'all'): Handler {
    const all = Array.from({ length: count }, (_, index) => ({ instance_id: `ID-${index}`, tags: [] }));
    return (response, seen) => {
      const query = new URL(seen.url, 'http://x').searchParams;
      const offset = Number(query.get('offset'));
      const limit = Math.min(most, Number(query.get('limit')));
      const instances = all.slice(offset, offset + limit);
      json(response, 200, { instance_num: counts === 'all' ? count : instances.length, instances });
    };
  }

  it.each([
    [0, 1000, 1],
    [1, 1000, 1],
    [999, 1000, 1],
    [1000, 1000, 2],
    [1001, 1000, 2],
    [2500, 1000, 3],
    [250, 100, 3],
  ])('reads %i instances, %i at once, in %i calls', async (count, most, pages) => {
    const { server, dcs } = await start(fleet(count, most));

    const reading = await dcs.list({});

    const ids = reading.ok ? reading.value.map(({ id }) => id) : [];
    expect(ids).toEqual(Array.from({ length: count }, (_, index) => `id-${index}`));
    expect(server.seen).toHaveLength(pages);
  });

  it.each([
    [3, 1],
    [1000, 2],
    [1001, 2],
    [2003, 3],
  ])('reads %i instances in %i calls where instance_num counts those on the page', async (count, pages) => {
    const { server, dcs } = await start(fleet(count, 1000, 'page'));

    const reading = await dcs.list({});

    expect(reading.ok && reading.value.length).toBe(count);
    expect(server.seen).toHaveLength(pages);
  });

  it.each(['all', 'page'] as const)('is what tells one instance from one on the page (counting %s)', async (counts) => {
    const totals: unknown[] = [];
    for (const count of [0, 1, 3]) {
      const { server, dcs } = await start(fleet(count, 1000, counts));
      totals.push(await dcs.total());
      await server.close();
    }

    expect(totals).toEqual([0, 1, 3].map((value) => ({ ok: true, value })));
  });

  it('counts an instance once that moved between two pages', async () => {
    const pages = [{ instance_num: 3, instances: [{ instance_id: one }, { instance_id: two }] }];
    const last = { instance_num: 3, instances: [{ instance_id: two, name: 'moved' }, { instance_id: 'three' }] };
    const { dcs } = await start((response, _seen, nth) => json(response, 200, pages[nth - 1] ?? last));

    const reading = await dcs.list({});

    const found = reading.ok ? reading.value.map(({ id, name }) => [id, name]) : [];
    expect(found).toEqual([
      [one, ''],
      [two, 'moved'],
      ['three', ''],
    ]);
  });

  it.each([1500, 1000])(
    'of %i fails where the service ignores the offset, and does not ask for ever',
    async (count) => {
      const instances = Array.from({ length: 1000 }, (_, index) => ({ instance_id: `id-${index}` }));
      const { server, dcs } = await start((response) => json(response, 200, { instance_num: count, instances }));

      const reading = await dcs.list({});

      expect(reading).toMatchObject({ ok: false, problem: { code: 'answer_unreadable' } });
      expect(server.seen).toHaveLength(2);
    },
  );

  it('fails as a whole where a later page fails', async () => {
    const { dcs } = await start((response, seen, nth) =>
      nth === 1 ? fleet(1500)(response, seen, nth) : json(response, 500, { error_code: 'DCS.5024', error_msg: 'x' }),
    );

    expect(await dcs.list({})).toMatchObject({ ok: false, problem: { class: 'unknown', code: 'DCS.5024' } });
  });
});

describe('the other readings', () => {
  it.each([
    ['total', `/v2/${projectId}/instances?limit=1&offset=0`, { instance_num: 7 }, 7],
    ['show', `/v2/${projectId}/instances/${one}`, { instance_id: one, cache_mode: 'ha' }, { id: one, cacheMode: 'ha' }],
    ['appendonly', `/v2/${projectId}/instances/${one}/configs`, { redis_config: [] }, null],
    ['keyCounts', `/v2/${projectId}/instances/statistic`, { statistics: [] }, new Map()],
  ] as const)('asks for %s at %s', async (method, url, body, value) => {
    const { server, dcs } = await start((response) => json(response, 200, body));

    const reading = await dcs[method](one);

    expect(reading).toMatchObject({ ok: true, value });
    expect(server.seen).toMatchObject([{ method: 'GET', url, body: '' }]);
  });

  it('reads null for an instance that does not exist', async () => {
    const { dcs } = await start((response) => json(response, 404, { error_code: 'DCS.3022', error_msg: 'x' }));

    expect(await dcs.show(one)).toEqual({ ok: true, value: null });
  });
});

describe('secrets', () => {
  it('reach no problem, even where the service repeats all that it was sent, before and after a rotation', async () => {
    const first = { ...key, securityToken: 'example/token/0001' };
    const second = { ...rotated, securityToken: 'example/token/0002' };
    const secrets = [first, second].flatMap(({ ak, sk, securityToken }) => [ak, sk, securityToken]);
    const credentials = async (fresh?: boolean) => (fresh === true ? second : first);
    const { dcs } = await start(
      (response, seen) => {
        const message = `${secrets.join(' ')} ${JSON.stringify(seen.headers)}`;
        const body = JSON.stringify({ error_code: first.ak, error_msg: message, request_id: first.sk });
        // JSON may write a slash like this, and then a search in the body as it came would find no secret.
        response.writeHead(401, { 'x-request-id': second.sk }).end(body.replaceAll('/', '\\/'));
      },
      { credentials },
    );

    const answers = await Promise.all([dcs.act('flush', [one]), dcs.list({}), dcs.total(), dcs.show(one)]);

    const text = JSON.stringify(answers);
    expect(text).toContain('***');
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
    expect(text).not.toMatch(/Signature=[0-9a-f]/);
  });

  it('reach no error of the transport', async () => {
    const fetch = async (...args: Parameters<typeof defaultFetch>) => {
      throw new FetchError(`failed with ${JSON.stringify(args[1]?.headers)}`, 'system', { code: 'ECONNRESET' });
    };

    const answer = await client('https://dcs.example.com', { fetch }).act('flush', [one]);

    expect(JSON.stringify(answer)).not.toContain(key.ak);
  });
});

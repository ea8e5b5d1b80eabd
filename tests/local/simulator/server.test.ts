// The simulator over HTTP as any client sees it: routes, pages, errors in the vendor's forms, and what needs no
// signature.

import { type IncomingHttpHeaders, request } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import { type Credentials, encodePath, encodeQuery, type Query, sign } from '../../../lib/huawei/sign.ts';
import { Fleet, type FleetOptions } from '../../../lib/local/simulator/fleet.ts';
import { makeInstances } from '../../../lib/local/simulator/make-fleet.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../../lib/local/simulator/server.ts';

const key = { ak: 'EXAMPLEACCESSKEY0001', sk: 'ExampleSecretKey/0001+abcdefghijklmnopqrs' };
const projectId = '0a1b2c3d4e5f60718293a4b5c6d7e8f9';
const start = Date.parse('2026-11-23T12:00:00Z');
const minute = 60_000;
const members = v.looseObject({
  instance_num: v.optional(v.unknown()),
  instances: v.optional(v.unknown()),
  error_code: v.optional(v.unknown()),
  error_msg: v.optional(v.unknown()),
});
const answerForm = v.pipe(v.string(), v.parseJson(), members);

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The body's JSON; empty where it has none. */
  readonly json: v.InferOutput<typeof members>;
}

interface Ask {
  readonly method?: string;
  /** After `/v2/{project}`. */
  readonly path?: string;
  readonly query?: Query;
  readonly body?: string;
  readonly credentials?: Credentials | null;
  /** Milliseconds by which the caller's clock is ahead. */
  readonly ahead?: number;
}

let simulator: Simulator | undefined;

afterEach(async () => {
  await simulator?.close();
  simulator = undefined;
});

async function serve(fleet: Partial<FleetOptions> = {}, options: Partial<SimulatorOptions> = {}): Promise<Simulator> {
  const world = new Fleet({ instances: makeInstances(12, 1), now: () => start, ...fleet });
  simulator = await startSimulator({ fleet: world, keys: [key], projectId, now: () => start, ...options });
  return simulator;
}

function send(url: string, method: string, headers: Readonly<Record<string, string>>, body: string): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const sent = request(url, { method, headers: { ...headers, connection: 'close' } }, (response) => {
    response.setEncoding('utf8');
    response.toArray().then((chunks) => {
      const text = chunks.join('');
      const parsed = v.safeParse(answerForm, text);
      const json = parsed.success ? parsed.output : {};
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text, json });
    }, reject);
  });
  sent.on('error', reject).end(body);
  return promise;
}

function ask({ url }: Simulator, { method = 'GET', path = '', query = {}, body = '', ...who }: Ask): Promise<Reply> {
  const fullPath = `/v2/${projectId}${path}`;
  const text = encodeQuery(query);
  const target = `${url}${encodePath(fullPath)}${text === '' ? '' : `?${text}`}`;
  const { credentials = key, ahead = 0 } = who;
  if (credentials === null) return send(target, method, {}, body);
  const headers = { host: new URL(url).host, 'content-type': 'application/json', 'X-Project-Id': projectId };
  const signed = sign({ method, path: fullPath, query, headers, body }, credentials, new Date(start + ahead));
  return send(target, method, signed.headers, body);
}

const item = v.object({ instance_id: v.string(), name: v.string() });

function namesOf({ json }: Reply): readonly string[] {
  return v.parse(v.array(item), json.instances).map(({ name }) => name);
}

describe('GET instances', () => {
  it('gives pages of ten, and the number of all', async () => {
    const running = await serve();

    const reply = await ask(running, { path: '/instances' });

    expect([reply.status, reply.json.instance_num, namesOf(reply).length]).toEqual([200, 12, 10]);
  });

  it.each<[Query, number]>([
    [{ limit: '1000' }, 12],
    [{ offset: '10' }, 2],
    [{ offset: '12' }, 0],
    [{ limit: '5', offset: '5' }, 5],
    [{ name: 'stg-', limit: '100' }, 6],
    [{ name: 'stg-', name_equal: 'true' }, 0],
    [{ name: 'stg-cache-03', name_equal: 'true' }, 1],
    [{ tags: 'env=staging', limit: '100' }, 6],
    [{ tags: 'env=staging,team=search', limit: '100' }, 3],
    [{ status: 'RUNNING', limit: '100' }, 12],
    [{ status: 'ERROR' }, 0],
    [{ instance_id: '00000000-0000-4000-8000-000000000001' }, 0],
  ])('selects by %j', async (query, expected) => {
    const running = await serve();

    const reply = await ask(running, { path: '/instances', query });

    expect(namesOf(reply).length).toBe(expected);
  });

  it.each<[Query, string]>([
    [{ limit: '0' }, 'Invalid limit in the request.'],
    [{ limit: '1001' }, 'Invalid limit in the request.'],
    [{ offset: '-1' }, 'Invalid offset in the request.'],
    [{ tags: 'env' }, 'Invalid tags in the request.'],
  ])('refuses %j', async (query, message) => {
    const running = await serve();

    const reply = await ask(running, { path: '/instances', query });

    expect(reply.status).toBe(400);
    expect(reply.json).toEqual({ error_code: 'DCS.4800', error_msg: message, error_ext_msg: null });
  });

  it.each<[Query, readonly string[]]>([
    [{}, ['stg-cache-01']],
    [{ include_failure: 'true' }, ['stg-cache-01', 'stg-cache-02']],
    [{ include_delete: 'true' }, ['stg-cache-01', 'stg-cache-03']],
  ])('shows what failed to be created or was deleted only when asked: %j', async (query, expected) => {
    const statuses = ['RUNNING', 'CREATEFAILED', 'DELETED'];
    const instances = statuses.map((status, index) => ({ id: `${index}`, name: `stg-cache-0${index + 1}`, status }));
    const running = await serve({ instances });

    const reply = await ask(running, { path: '/instances', query });

    expect(namesOf(reply)).toEqual(expected);
  });

  it('shows neither the type nor the task, which only the detail has', async () => {
    const [spec] = makeInstances(1, 1);
    const running = await serve({ instances: spec === undefined ? [] : [{ ...spec, task: 'BACKUPING' }] });

    const list = await ask(running, { path: '/instances' });
    const detail = await ask(running, { path: `/instances/${spec?.id}` });

    expect(list.body).not.toMatch(/cache_mode|"task"/);
    expect(detail.json).toMatchObject({ cache_mode: spec?.cacheMode, task: 'BACKUPING', status: 'RUNNING' });
  });

  it('has the odd types of the vendor’s samples where the switch is on', async () => {
    const instances = [{ id: '00000000-0000-4000-8000-000000000001', name: 'stg-cache-01', tags: { '1': 'a' } }];
    const running = await serve({ instances, switches: { oddTypes: true } });

    const reply = await ask(running, { path: '/instances' });

    const odd = {
      enterprise_project_id: 0,
      publicip_id: {},
      no_password_access: false,
      tags: [{ key: 1, value: 'a' }],
    };
    expect(reply.json.instances).toEqual([expect.objectContaining(odd)]);
  });
});

describe('other routes', () => {
  /** What JSON can hold and no text can be made of. */
  const oddAction = '{"action":{"toString":null},"instances":[]}';
  const oddIds = '{"action":"restart","instances":[{"toString":null}]}';

  it('count the instances by state on the path of the status call', async () => {
    const running = await serve({ instances: makeInstances(3, 1).map((spec) => ({ ...spec, status: 'ERROR' })) });

    const { json } = await ask(running, { path: '/instances/status' });

    expect(json).toMatchObject({
      error_count: 3,
      running_count: 0,
      redis: { error_count: 3 },
      memcached: { error_count: 0 },
    });
  });

  it.each<[string, Ask, number, string]>([
    ['no such path', { path: '/clusters' }, 404, 'APIGW.0101'],
    ['no such method', { path: '/instances', method: 'DELETE' }, 404, 'APIGW.0101'],
    ['no such instance', { path: '/instances/00000000-0000-4000-8000-00000000dead' }, 404, 'DCS.3022'],
    ['no body', { path: '/instances/status', method: 'PUT' }, 400, 'DCS.4004'],
    ['no JSON', { path: '/instances/status', method: 'PUT', body: '{' }, 400, 'DCS.4005'],
    ['no object', { path: '/instances/status', method: 'PUT', body: '7' }, 400, 'DCS.4005'],
    ['no action', { path: '/instances/status', method: 'PUT', body: '{"instances":[]}' }, 400, 'DCS.4064'],
    ['no ids', { path: '/instances/status', method: 'PUT', body: '{"action":"flush"}' }, 400, 'DCS.4065'],
    ['no text as action', { path: '/instances/status', method: 'PUT', body: oddAction }, 400, 'DCS.4064'],
    ['no texts as ids', { path: '/instances/status', method: 'PUT', body: oddIds }, 400, 'DCS.4061'],
  ])('answer with the vendor’s code: %s', async (_, what, status, code) => {
    const running = await serve();

    const reply = await ask(running, what);

    expect([reply.status, reply.json.error_code]).toEqual([status, code]);
  });
});

describe('every answer', () => {
  it.each(['//', '//evil/v2', '/%'])('is one, also to the odd path %s', async (path) => {
    const { url } = await serve();

    expect(await send(url + path, 'GET', {}, '')).toMatchObject({ status: 404, json: { error_code: 'APIGW.0101' } });
  });

  it('has the date by the simulator’s clock and a request id', async () => {
    const running = await serve({}, { now: () => start + 5 * minute });

    const replies = [await ask(running, { path: '/instances' }), await ask(running, { path: '/nowhere' })];

    for (const { headers } of replies) {
      expect(headers.date).toBe('Mon, 23 Nov 2026 12:05:00 GMT');
      expect(headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
    }
  });

  it('of the gateway names its request in the body too', async () => {
    const running = await serve();

    const { json, headers } = await ask(running, { path: '/instances', credentials: null });

    expect(json).toMatchObject({ error_code: 'APIGW.0301', request_id: headers['x-request-id'] });
  });

  it('that is throttled carries the scripted Retry-After', async () => {
    const answer = { kind: 'error', status: 429, retryAfter: 3 } as const;
    const running = await serve({ script: { calls: [{ on: 'list', answer }] } });

    const { status, headers } = await ask(running, { path: '/instances' });

    expect([status, headers['retry-after']]).toEqual([429, '3']);
  });
});

describe('a caller who is not let in', () => {
  it.each<[string, Ask]>([
    ['does not sign', { credentials: null }],
    ['has another key', { credentials: { ak: 'EXAMPLEACCESSKEY0002', sk: key.sk } }],
    ['has another secret', { credentials: { ak: key.ak, sk: 'ExampleSecretKey/0002' } }],
    ['has a clock 20 minutes ahead', { ahead: 20 * minute }],
    ['has a clock 20 minutes behind', { ahead: -20 * minute }],
  ])('%s, and reaches nothing', async (_, who) => {
    const running = await serve();

    const reply = await ask(running, { path: '/instances', ...who });

    expect([reply.status, reply.json.error_code]).toEqual([401, 'APIGW.0301']);
    expect([running.refused(), running.fleet.calls().list]).toEqual([1, 0]);
  });

  it('is let in with a clock that is ten minutes off', async () => {
    const running = await serve();

    const reply = await ask(running, { path: '/instances', ahead: 10 * minute });

    expect(reply.status).toBe(200);
  });

  it('locks the key with the sixth failure in a row', async () => {
    const running = await serve();

    const wrong = { path: '/instances', credentials: { ak: key.ak, sk: 'ExampleSecretKey/0002' } };
    for (let count = 0; count < 6; count += 1) await ask(running, wrong);
    const reply = await ask(running, { path: '/instances' });

    expect(reply.json.error_msg).toContain('AK access failed to reach the limit,forbidden');
  });
});

describe('GET /__state', () => {
  it('tells without a signature what was really done, and counts no call', async () => {
    const running = await serve({ instances: makeInstances(2, 1) });
    const ids = running.fleet.views().map(({ id }) => id);
    const body = JSON.stringify({ instances: ids, action: 'restart' });

    await ask(running, { method: 'PUT', path: '/instances/status', body });
    const { json } = await send(`${running.url}/__state`, 'GET', {}, '');

    const applied = { restart: 1, soft_restart: 0, flush: 0 };
    expect(json).toMatchObject({
      calls: { act: 1, list: 0 },
      instances: [
        { id: ids[0], applied, sent: 1 },
        { id: ids[1], applied, sent: 1 },
      ],
      log: [{ instanceId: ids[0], action: 'restart', at: start }, { instanceId: ids[1] }],
    });
  });

  it('is a page for browsers, under a policy that lets nothing else in', async () => {
    const running = await serve();

    const { status, headers, body } = await send(`${running.url}/__state`, 'GET', { accept: 'text/html,*/*' }, '');

    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(body).toContain('<title>Simulated DCS</title>');
  });

  it('can only be read', async () => {
    const running = await serve();

    expect((await send(`${running.url}/__state`, 'POST', {}, '')).status).toBe(405);
  });
});

describe('the server', () => {
  it('breaks off in the middle of an answer where the script says so', async () => {
    const running = await serve({ script: { calls: [{ on: 'list', answer: { kind: 'truncated' } }] } });

    await expect(ask(running, { path: '/instances' })).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('is throttled over HTTP too, with the time to wait in a header', async () => {
    const rate = { kind: 'window', calls: 1, per: 10_000 } as const;
    const running = await serve({ rate, switches: { retryAfter: 'seconds' } });

    const replies = [await ask(running, { path: '/instances' }), await ask(running, { path: '/instances' })];

    expect(replies.map(({ status }) => status)).toEqual([200, 429]);
    expect(replies[1]?.headers['retry-after']).toBe('10');
    expect(replies[1]?.json).toMatchObject({ error_code: 'APIGW.0308', request_id: expect.any(String) });
  });

  it('breaks off the connection where the script says so', async () => {
    const running = await serve({ script: { calls: [{ on: 'list', answer: { kind: 'drop' } }] } });

    await expect(ask(running, { path: '/instances' })).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('waits before a late answer as long as the script says', async () => {
    const waits: number[] = [];
    const sleep = async (ms: number) => {
      waits.push(ms);
    };
    const running = await serve(
      { script: { calls: [{ on: 'list', answer: { kind: 'delay', ms: 7_000 } }] } },
      { sleep },
    );

    const reply = await ask(running, { path: '/instances' });

    expect([reply.status, waits]).toEqual([200, [7_000]]);
  });

  it('refuses a body of more than 12 MiB', async () => {
    const running = await serve();

    const reply = await ask(running, {
      method: 'PUT',
      path: '/instances/status',
      body: ' '.repeat(12 * 1024 ** 2 + 1),
    });

    expect([reply.status, reply.json.error_code]).toEqual([413, 'APIGW.0201']);
  });

  it('fails to start where its port is in use', async () => {
    const { port } = await serve();

    await expect(
      startSimulator({
        fleet: new Fleet({ instances: [], now: () => start }),
        keys: [],
        projectId,
        port,
        now: () => start,
      }),
    ).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

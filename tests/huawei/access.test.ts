// In whose name calls go out where a secret alone is not enough: tokens, agencies and projects that IAM knows. One server
// on the loopback plays IAM and DCS.

import { afterEach, describe, expect, it } from '@jest/globals';
import type { Credentials, Project } from '../../lib/config.ts';
import type { AccessKey, Login } from '../../lib/credentials.ts';
import { ProjectAccess } from '../../lib/huawei/access.ts';
import { HuaweiDcs } from '../../lib/huawei/dcs.ts';
import { sender } from '../../lib/huawei/http.ts';
import { type Handler, json, type Loopback, type Seen, startLoopback } from './loopback-server.ts';

const projectId = '0a1b2c3d4e5f60718293a4b5c6d7e8f9';
const one = '2e803f66-fbb0-47ad-b6cb-fb87f5bed4ef';
const minute = 60_000;
const hour = 60 * minute;
const begin = Date.parse('2026-11-23T13:37:00Z');

const login: Login = { domain: 'example-domain', user: 'autopilot', password: 'Example/Password+0001' };
const key: AccessKey = { ak: 'EXAMPLEACCESSKEY0001', sk: 'ExampleSecretKey/0001+abcdefghijklmnopqrs' };
const agency = { name: 'cache-operators', domainName: 'other-domain' };
const temporary = {
  access: 'EXAMPLETEMPORARY0001',
  secret: 'ExampleTemporary/0001',
  securitytoken: 'temporary-token==',
};

let server: Loopback | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** What the two services answer; each of them counts what it was asked from 1. */
interface Services {
  readonly tokens?: Handler;
  readonly temporaryKeys?: Handler;
  readonly projects?: Handler;
  readonly dcs?: Handler;
}

interface Site extends Services {
  readonly secret: AccessKey | Login;
  readonly change?: Partial<Project>;
  readonly credentials?: Credentials;
  readonly withoutId?: boolean;
}

const isTokens = ({ url }: Seen) => url.startsWith('/v3/auth/tokens');
const isKeys = ({ url }: Seen) => url.startsWith('/v3.0/OS-CREDENTIAL/');
const isProjects = ({ url }: Seen) => url.startsWith('/v3/projects');
const isDcs = ({ url }: Seen) => url.startsWith('/v2/');

/** A client of DCS in the name of `secret`, the clock and the secret behind it, and what both services saw. */
async function start(site: Site) {
  const world = { now: begin, secret: site.secret, reads: 0 };
  const dateHeader = () => new Date(world.now).toUTCString();
  const routes: [(seen: Seen) => boolean, Handler][] = [
    [isTokens, site.tokens ?? ((response, _, nth) => giveToken(response, nth, world.now))],
    [isKeys, site.temporaryKeys ?? ((response) => giveKey(response, world.now))],
    [isProjects, site.projects ?? ((response) => json(response, 200, { projects: [projectNamed('eu-de')] }))],
    [isDcs, site.dcs ?? ((response) => json(response, 200, { instance_num: 7 }))],
  ];
  const opened = await startLoopback((response, seen) => {
    response.setHeader('date', dateHeader());
    const [is, handler] = routes.find(([matches]) => matches(seen)) ?? [];
    if (is === undefined || handler === undefined) throw new Error(`unexpected ${seen.url}`);
    handler(response, seen, opened.seen.filter(is).length);
  });
  server = opened;
  const { url, seen } = opened;
  const project: Omit<Project, 'projectId'> = {
    name: 'staging',
    region: 'eu-de',
    endpoint: url,
    credentials: { ...(site.credentials ?? { aksk: 'env:EXAMPLE' }), iamEndpoint: url },
    protectedTag: { key: 'dcs-autopilot-protected', value: 'true' },
    allowTag: null,
    freeze: [],
    rate: { callsPerSecond: 1000, retriesPerHour: 200 },
    timeout: 5,
    ...site.change,
  };
  const whole: Project = site.withoutId ? project : { ...project, projectId };
  const send = sender({ timeout: 5 });
  const credentials = async () => {
    world.reads += 1;
    return world.secret;
  };
  const now = () => world.now;
  const access = new ProjectAccess({ project: whole, credentials, send, now });
  const dcs = new HuaweiDcs({ project: whole, access, send, now, sleep: async () => {} });
  return { dcs, world, seen, asked: (is: (seen: Seen) => boolean) => seen.filter(is) };
}

function giveToken(response: Parameters<Handler>[0], nth: number, now: number, life = 24 * hour) {
  const token = { expires_at: new Date(now + life).toISOString(), project: { id: projectId, name: 'eu-de' } };
  json(response, 201, { token }, { 'x-subject-token': `example-token-${nth}` });
}

function giveKey(response: Parameters<Handler>[0], now: number) {
  json(response, 201, { credential: { ...temporary, expires_at: new Date(now + hour).toISOString() } });
}

function projectNamed(name: string) {
  return { id: projectId, name, enabled: true };
}

function tokensOf(seen: readonly Seen[]) {
  return seen.map(({ headers }) => headers['x-auth-token']);
}

const refuse =
  (code: string, first: number, last: number): Handler =>
  (response, _seen, nth) =>
    nth >= first && nth <= last
      ? json(response, 401, { error_code: code, error_msg: 'refused', request_id: 'req-1' })
      : json(response, 200, { instance_num: 7 });

const fail =
  (status: number, code: string, headers: Record<string, string> = {}): Handler =>
  (response) =>
    json(response, status, { error_code: code, error_msg: 'refused', request_id: 'req-2' }, headers);

describe('a user of IAM', () => {
  it('gets one token for the project, which all calls carry', async () => {
    const { dcs, seen, asked } = await start({ secret: login });

    const readings = await Promise.all([dcs.total(), dcs.total(), dcs.total()]);

    expect(readings).toEqual(Array(3).fill({ ok: true, value: 7 }));
    expect(asked(isTokens)).toHaveLength(1);
    expect(seen[0]).toMatchObject({ method: 'POST', url: '/v3/auth/tokens?nocatalog=true' });
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({
      auth: {
        identity: {
          methods: ['password'],
          password: {
            user: { name: 'autopilot', password: login.password, domain: { name: 'example-domain' } },
          },
        },
        scope: { project: { id: projectId } },
      },
    });
    for (const { headers } of asked(isDcs)) {
      expect(headers).toMatchObject({ 'x-auth-token': 'example-token-1', 'x-project-id': projectId });
      expect(headers.authorization).toBeUndefined();
    }
  });

  it('finds the project by the name of its region where its id is not given, without another call', async () => {
    const { dcs, seen } = await start({ secret: login, withoutId: true });

    await dcs.total();

    expect(JSON.parse(seen[0]?.body ?? '').auth.scope).toEqual({ project: { name: 'eu-de' } });
    expect(seen.map(({ url }) => url)).toEqual([
      '/v3/auth/tokens?nocatalog=true',
      `/v2/${projectId}/instances?limit=1&offset=0`,
    ]);
  });

  it.each([
    ['half an hour before its end', 24 * hour, 23.5 * hour],
    ['a tenth of a short life before its end', 20 * minute, 18 * minute],
  ])('gets a new token %s', async (_name, life, renewAt) => {
    const tokens: Handler = (response, _seen, nth) => giveToken(response, nth, begin, life);
    const { dcs, world, asked } = await start({ secret: login, tokens });

    await dcs.total();
    world.now = begin + renewAt - 1000;
    await dcs.total();
    world.now = begin + renewAt;
    await dcs.total();

    expect(tokensOf(asked(isDcs))).toEqual(['example-token-1', 'example-token-1', 'example-token-2']);
  });

  it('takes the life of a token by the clock of IAM', async () => {
    const { dcs, world, asked } = await start({
      secret: login,
      // An hour of life, by a clock that is a day ahead.
      tokens: (response, _seen, nth) => {
        response.setHeader('date', new Date(world.now + 24 * hour).toUTCString());
        giveToken(response, nth, world.now + 24 * hour, hour);
      },
    });

    await dcs.total();
    world.now += hour;
    await dcs.total();

    expect(asked(isTokens)).toHaveLength(2);
  });

  it('goes on with a token that still holds where IAM does not give another one, and does not hammer it', async () => {
    const tokens: Handler = (response, seen, nth) =>
      nth === 1 ? giveToken(response, nth, begin) : fail(500, 'IAM.0006')(response, seen, nth);
    const { dcs, world, asked } = await start({ secret: login, tokens });

    await dcs.total();
    world.now = begin + 23.6 * hour;
    const during = await Promise.all([dcs.total(), dcs.total(), dcs.total()]);
    world.now = begin + 24 * hour;
    const after = await dcs.total();

    expect(during).toEqual(Array(3).fill({ ok: true, value: 7 }));
    expect(after).toMatchObject({ ok: false, problem: { class: 'unreachable', code: 'IAM.0006', requestId: 'req-2' } });
    expect(asked(isTokens)).toHaveLength(3);
  });

  it.each(['APIGW.0307', 'APIG.0307', 'DCS.1001', 'DCS.1002'])(
    'renews once for all calls that are refused with %s',
    async (code) => {
      const { dcs, world, asked } = await start({
        secret: login,
        dcs: (response, seen) =>
          seen.headers['x-auth-token'] === 'example-token-1' && world.now > begin
            ? json(response, 401, { error_code: code, error_msg: 'refused' })
            : json(response, 200, { instance_num: 7 }),
      });
      await dcs.total();
      world.now += 2 * minute;

      const readings = await Promise.all(Array.from({ length: 10 }, () => dcs.total()));

      expect(readings).toEqual(Array(10).fill({ ok: true, value: 7 }));
      expect(asked(isTokens)).toHaveLength(2);
      expect(asked(isDcs)).toHaveLength(1 + 2 * 10);
    },
  );

  it('has its token renewed also by a clock that was put back since', async () => {
    const { dcs, world, asked } = await start({ secret: login, dcs: refuse('APIGW.0307', 2, 2) });
    await dcs.total();
    world.now -= 48 * hour;

    expect(await dcs.total()).toEqual({ ok: true, value: 7 });
    expect(asked(isTokens)).toHaveLength(2);
  });

  it('is not forgotten by IAM’s refusal for longer than told, by a clock that was put back since', async () => {
    const { dcs, world, asked } = await start({
      secret: login,
      tokens: (response, seen, nth) =>
        nth === 1 ? fail(401, 'IAM.0062')(response, seen, nth) : giveToken(response, nth, world.now),
    });
    await dcs.total();
    world.now -= 48 * hour;

    expect(await dcs.total()).toEqual({ ok: true, value: 7 });
    expect(asked(isTokens)).toHaveLength(2);
  });

  it('stops where the new token is refused, too, and asks for no third one', async () => {
    const { dcs, world, asked } = await start({ secret: login, dcs: refuse('DCS.1002', 2, 99) });
    await dcs.total();
    world.now += 2 * minute;

    const first = await dcs.total();
    const second = await dcs.total();

    expect([first, second]).toMatchObject(Array(2).fill({ ok: false, problem: { class: 'auth', code: 'DCS.1002' } }));
    expect(asked(isTokens)).toHaveLength(2);
    expect(asked(isDcs)).toHaveLength(1 + 2 + 1);
  });

  it('blames no clock for a refused token', async () => {
    const { dcs, world, asked } = await start({
      secret: login,
      dcs: (response, seen, nth) => {
        response.setHeader('date', new Date(world.now - hour).toUTCString());
        refuse('APIGW.0307', 2, 2)(response, seen, nth);
      },
    });
    await dcs.total();
    world.now += 2 * minute;

    expect(await dcs.total()).toEqual({ ok: true, value: 7 });
    expect(asked(isTokens)).toHaveLength(2);
  });

  it.each([
    ['IAM.0061', 401],
    ['IAM.0062', 401],
    ['http_401', 401],
  ])('is asked for once in ten minutes after %s, and at once with another secret', async (code, status) => {
    const old = { error: { code: status, message: 'The username or password is wrong.', title: 'Unauthorized' } };
    const { dcs, world, asked } = await start({
      secret: login,
      tokens: (response, seen, nth) =>
        seen.body.includes('another')
          ? giveToken(response, nth, begin)
          : code.startsWith('http')
            ? json(response, status, old)
            : fail(status, code)(response, seen, nth),
    });

    const refused = await Promise.all([dcs.total(), dcs.act('flush', [one]), dcs.show(one)]);
    world.now += 9 * minute;
    const later = await dcs.total();

    expect([
      ...refused.flatMap((each) => ('problem' in each ? [each.problem] : [])),
      'problem' in later && later.problem,
    ]).toMatchObject(Array(4).fill({ class: 'auth', code }));
    expect(asked(isTokens)).toHaveLength(1);
    expect(asked(isDcs)).toHaveLength(0);
    world.now += minute;
    await dcs.total();
    expect(asked(isTokens)).toHaveLength(2);
    world.secret = { ...login, password: 'another-one' };
    expect(await dcs.total()).toEqual({ ok: true, value: 7 });
  });

  it.each([
    ['throttled', 429, 'IAM.0012', 'throttled'],
    ['in a failover', 410, 'IAM.0020', 'throttled'],
    ['broken', 500, 'IAM.0006', 'unreachable'],
    ['behind a broken gateway', 502, 'http_502', 'unreachable'],
    ['not allowing it', 403, 'IAM.0003', 'config'],
    ['not there', 404, 'APIGW.0101', 'config'],
  ])('sends nothing to DCS while IAM is %s', async (_name, status, code, errorClass) => {
    const { dcs, asked } = await start({ secret: login, tokens: fail(status, code, { 'retry-after': '7' }) });

    const answer = await dcs.act('flush', [one]);

    const problem = { class: errorClass, code, status, retryAfter: 7, requestId: 'req-2', message: 'IAM: refused' };
    expect(answer).toEqual({ kind: 'refused', problem });
    expect(asked(isDcs)).toHaveLength(0);
  });

  it('is asked for again within an hour, however much longer the service wants to be left alone', async () => {
    const { dcs, world, asked } = await start({
      secret: login,
      tokens: fail(429, 'IAM.0012', { 'retry-after': '31536000' }),
    });
    await dcs.total();

    world.now += hour - 1;
    await dcs.total();
    expect(asked(isTokens)).toHaveLength(1);
    world.now += 1;
    await dcs.total();

    expect(asked(isTokens)).toHaveLength(2);
  });

  it.each([
    ['hangs up', (response) => response.socket?.destroy(), 'unreachable'],
    ['gives no token', (response) => json(response, 201, { token: {} }), 'config'],
    [
      'gives a token that no header may hold',
      (response) => json(response, 201, {}, { 'x-subject-token': 'a b' }),
      'config',
    ],
  ] satisfies [string, Handler, string][])('sends nothing to DCS where IAM %s', async (_name, tokens, errorClass) => {
    const { dcs, asked } = await start({ secret: login, tokens });

    expect(await dcs.act('flush', [one])).toMatchObject({ kind: 'refused', problem: { class: errorClass } });
    expect(asked(isDcs)).toHaveLength(0);
  });

  it('shows neither password nor token, whatever the services repeat', async () => {
    const all = [login.password, 'example-token-1', encodeURIComponent(login.password)].join(' ');
    const said = { error_code: 'X.1', error_msg: all, request_id: all };
    const wrong = await start({ secret: login, tokens: (response) => json(response, 401, said) });
    const before = await wrong.dcs.total();
    await server?.close();
    const refused = await start({ secret: login, dcs: (response) => json(response, 401, said) });

    const text = JSON.stringify([before, await refused.dcs.total()]);

    expect(text).toContain('***');
    expect([before].map((each) => JSON.stringify(each).includes('Example/Password'))).toEqual([false]);
    expect(JSON.stringify(await refused.dcs.total())).not.toContain('example-token-1');
  });
});

describe('an agency', () => {
  it('lends its temporary key to an access key', async () => {
    const secret = { ...key, domainId: 'd'.repeat(32), agency: { ...agency, durationSeconds: 7200 } };
    const { dcs, asked } = await start({ secret });

    expect(await dcs.total()).toEqual({ ok: true, value: 7 });

    const [wish] = asked(isKeys);
    expect(wish?.headers).toMatchObject({
      authorization: expect.stringContaining(
        `Access=${key.ak}, SignedHeaders=content-type;host;x-domain-id;x-sdk-date`,
      ),
      'x-domain-id': 'd'.repeat(32),
    });
    expect(JSON.parse(wish?.body ?? '')).toEqual({
      auth: {
        identity: {
          methods: ['assume_role'],
          assume_role: { agency_name: agency.name, domain_name: agency.domainName, duration_seconds: 7200 },
        },
      },
    });
    expect(asked(isDcs)[0]?.headers).toMatchObject({
      authorization: expect.stringContaining(`Access=${temporary.access}`),
      'x-security-token': temporary.securitytoken,
    });
  });

  it('lends it to a user of IAM, whose token is for the account then', async () => {
    const secret = { ...login, agency: { name: agency.name, domainId: 'e'.repeat(32) } };
    const { dcs, asked, seen } = await start({ secret });

    await dcs.total();

    expect(JSON.parse(seen[0]?.body ?? '').auth.scope).toEqual({ domain: { name: 'example-domain' } });
    expect(tokensOf(asked(isKeys))).toEqual(['example-token-1']);
    expect(JSON.parse(asked(isKeys)[0]?.body ?? '').auth.identity.assume_role).toEqual({
      agency_name: agency.name,
      domain_id: 'e'.repeat(32),
      duration_seconds: 3600,
    });
    expect(tokensOf(asked(isDcs))).toEqual([undefined]);
  });

  it('is asked again before its key ends, and once after it was refused', async () => {
    const { dcs, world, asked } = await start({ secret: { ...key, agency }, dcs: refuse('APIGW.0301', 3, 3) });

    await dcs.total();
    world.now += 54 * minute;
    await dcs.total();
    world.now += 2 * minute;
    const refused = await dcs.total();

    expect(refused).toEqual({ ok: true, value: 7 });
    expect(asked(isKeys)).toHaveLength(3);
    expect(asked(isDcs)).toHaveLength(4);
  });

  it.each([
    ['refuses', fail(403, 'IAM.0003'), 'config', 'IAM.0003'],
    ['gives no key', (response) => json(response, 201, { credential: {} }), 'config', 'answer_unreadable'],
  ] satisfies [string, Handler, string, string][])(
    'sends nothing to DCS where it %s',
    async (_name, temporaryKeys, errorClass, code) => {
      const { dcs, asked } = await start({ secret: { ...key, agency }, temporaryKeys });

      expect(await dcs.act('flush', [one])).toMatchObject({ kind: 'refused', problem: { class: errorClass, code } });
      expect(asked(isDcs)).toHaveLength(0);
    },
  );

  it('says that the clock is wrong where IAM refuses for that', async () => {
    const { dcs } = await start({
      secret: { ...key, agency },
      temporaryKeys: (response, seen, nth) => {
        response.setHeader('date', new Date(begin - 20 * minute).toUTCString());
        fail(401, 'APIGW.0301')(response, seen, nth);
      },
    });

    const message = expect.stringContaining("IAM: This machine's clock is 20 minutes ahead of");
    expect(await dcs.total()).toMatchObject({ problem: { class: 'auth', code: 'clock_skew', message } });
  });
});

describe('a project without an id', () => {
  it('is found once by the name of its region', async () => {
    const { dcs, asked } = await start({ secret: { ...key, domainId: 'd'.repeat(32) }, withoutId: true });

    const readings = await Promise.all([dcs.total(), dcs.total()]);

    expect(readings).toEqual(Array(2).fill({ ok: true, value: 7 }));
    expect(asked(isProjects)).toMatchObject([
      { method: 'GET', url: '/v3/projects?name=eu-de', headers: { 'x-domain-id': 'd'.repeat(32) } },
    ]);
    expect(asked(isDcs)[0]).toMatchObject({
      url: `/v2/${projectId}/instances?limit=1&offset=0`,
      headers: { 'x-project-id': projectId },
    });
  });

  it('is not looked up again with each key of an agency, but with another secret', async () => {
    const { dcs, world, asked } = await start({ secret: { ...key, agency }, withoutId: true });

    await dcs.total();
    world.now += 55 * minute;
    await dcs.total();
    expect([asked(isKeys).length, asked(isProjects).length]).toEqual([2, 1]);
    world.secret = { ...key, sk: 'AnotherSecretKey' };
    await dcs.total();

    expect(asked(isProjects)).toHaveLength(2);
  });

  it.each([
    ['there is none', [projectNamed('eu-nl')], 'project_unknown'],
    ['there are only parts of it', [projectNamed('eu-de_team')], 'project_unknown'],
    ['there are several', [projectNamed('eu-de'), projectNamed('eu-de')], 'project_unknown'],
    ['the answer makes no sense', 'none', 'answer_unreadable'],
  ])('is a fault of the configuration where %s', async (_name, projects, code) => {
    const { dcs, asked } = await start({
      secret: key,
      withoutId: true,
      projects: (response) => json(response, 200, { projects }),
    });

    const reading = await dcs.total();

    expect(reading).toMatchObject({ ok: false, problem: { class: 'config', code } });
    expect(asked(isDcs)).toHaveLength(0);
  });
});

// Who is let in: tokens and temporary keys from IAM, how long they hold, and what they are good for.

import { describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import { sign } from '../../../lib/huawei/sign.ts';
import { projectFault } from '../../../lib/local/simulator/gate.ts';
import {
  codeOf,
  type GatewayWorld,
  gatewayWorld,
  key,
  loginBody,
  one,
  otherProject,
  projectId,
  start,
} from '../../support/gateway-world.ts';

const hour = 3_600_000;
const tokens = '/v3/auth/tokens';
const keys = '/v3.0/OS-CREDENTIAL/securitytokens';
const instances = `/v2/${projectId}/instances`;

interface Signer {
  readonly ak: string;
  readonly sk: string;
  readonly securityToken?: string;
}

/** A GET or POST that is signed at `offset` ms after the start. */
function signed(world: GatewayWorld, path: string, by: Signer, offset = 0, body = '') {
  const method = body === '' ? 'GET' : 'POST';
  const headers = { host: 'dcs.example.com', 'content-type': 'application/json' };
  const request = sign({ method, path, query: {}, headers, body }, by, new Date(start + offset));
  const lower = Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]);
  return world.call(method, path, { headers: Object.fromEntries(lower), body });
}

function agencyBody(change: object = {}): object {
  const role = { agency_name: 'operations', domain_name: 'example-domain', ...change };
  return { auth: { identity: { methods: ['assume_role'], assume_role: role } } };
}

const credential = v.object({
  credential: v.object({ access: v.string(), secret: v.string(), securitytoken: v.string(), expires_at: v.string() }),
});

function temporaryKey(world: GatewayWorld, body: object = agencyBody()): Signer & { readonly expiresAt: string } {
  const { status, json } = world.call('POST', keys, { token: world.login('all'), body });
  if (status !== 201) throw new Error(`${status}`);
  const { access, secret, securitytoken, expires_at } = v.parse(credential, json).credential;
  return { ak: access, sk: secret, securityToken: securitytoken, expiresAt: expires_at };
}

describe('a token', () => {
  it('comes for a password, in a header, with what it is and until when', () => {
    const said = gatewayWorld().call('POST', tokens, { body: loginBody('all', { name: 'eu-de' }) });

    expect(said.status).toBe(201);
    expect(said.headers['X-Subject-Token']).toMatch(/^\S{100,}$/);
    expect(said.headers['X-Request-Id']).toMatch(/^[0-9a-f]{32}$/);
    expect(said.json).toMatchObject({
      token: {
        issued_at: '2026-11-23T12:00:00.000000Z',
        expires_at: '2026-11-24T12:00:00.000000Z',
        methods: ['password'],
        user: { name: 'all', domain: { name: 'example-domain' } },
        project: { id: projectId, name: 'eu-de' },
        catalog: [],
      },
    });
  });

  it('comes without the catalogue where that is asked for', () => {
    const { json } = gatewayWorld().call('POST', `${tokens}?nocatalog=true`, { body: loginBody('all') });

    expect(JSON.stringify(json)).not.toContain('catalog');
  });

  it.each([
    ['another password', loginBody('all', undefined, 'Wrong-Password-1'), '401 IAM.0062'],
    ['an unknown user', loginBody('stranger'), '401 IAM.0062'],
    ['a disabled user', loginBody('left'), '403 IAM.0082'],
    ['an unknown project', loginBody('all', { name: 'cn-north-99' }), '404 IAM.0004'],
    ['no user', { auth: { identity: { methods: ['password'], password: {} } } }, '400 IAM.0011'],
    ['no method', { auth: { identity: { methods: [] } } }, '400 IAM.0011'],
    ['nothing', '', '400 IAM.0011'],
    ['no JSON', '{', '400 IAM.0011'],
    ['an agency without a token', agencyBody(), '401 IAM.0001'],
  ])('is refused for %s', (_, body, expected) => {
    expect(codeOf(gatewayWorld().call('POST', tokens, { body }))).toBe(expected);
  });

  it('opens what its project has, for 24 hours', () => {
    const world = gatewayWorld();
    const token = world.login('all');

    const codes = [0, 24 * hour - 1, 24 * hour].map((offset) => {
      world.at(offset);
      return codeOf(world.call('GET', instances, { token }));
    });

    expect(codes).toEqual(['200', '200', '401 APIGW.0307']);
  });

  it.each<[string, (world: GatewayWorld) => string]>([
    ['is for another project', (world) => world.login('all', otherProject)],
    ['is for none', (world) => world.call('POST', tokens, { body: loginBody('all') }).headers['X-Subject-Token'] ?? ''],
  ])('does not open the project where it %s', (_, login) => {
    const world = gatewayWorld();

    expect(codeOf(world.call('GET', instances, { token: login(world) }))).toBe('401 DCS.1004');
  });

  it('does not open the project where a header names another one', () => {
    const world = gatewayWorld();
    const ask = { token: world.login('all'), headers: { 'x-project-id': otherProject } };

    expect(codeOf(world.call('GET', instances, ask))).toBe('401 DCS.1004');
  });

  it('is void after the password was changed, and a new one leaves the old one valid', () => {
    const world = gatewayWorld();
    const [first, second] = [world.login('all'), world.login('all')];

    const before = [first, second].map((token) => codeOf(world.call('GET', instances, { token })));
    world.iam.revokeTokens();
    const after = codeOf(world.call('GET', instances, { token: second }));

    expect([first === second, before, after]).toEqual([false, ['200', '200'], '401 APIGW.0301']);
  });

  it('comes for an agency to who has one already', () => {
    const world = gatewayWorld();
    const body = { auth: { ...Object(agencyBody()).auth, scope: { project: { id: projectId } } } };

    const said = world.call('POST', tokens, { token: world.login('all'), body });

    const token = said.headers['X-Subject-Token'] ?? '';
    expect(said.json).toMatchObject({ token: { methods: ['assume_role'], user: { name: 'operations' } } });
    expect(codeOf(world.call('GET', instances, { token }))).toBe('200');
  });

  it.each([
    ['reader', 'GET', '200'],
    ['reader', 'PUT', '403 DCS.3002'],
    ['nobody', 'GET', '403 DCS.2003'],
    ['nobody', 'PUT', '403 DCS.2003'],
  ])('of %s may, by %s: %s', (user, method, expected) => {
    const world = gatewayWorld();
    const body = { action: 'restart', instances: [one] };
    const ask = { token: world.login(user), ...(method === 'PUT' ? { body } : {}) };

    const code = codeOf(world.call(method, method === 'PUT' ? `${instances}/status` : instances, ask));

    expect(code).toBe(expected);
    expect(world.fleet.log()).toEqual([]);
  });
});

describe('an identity provider’s token', () => {
  const path = (provider: string) => `/v3/OS-FEDERATION/identity_providers/${provider}/protocols/oidc/auth`;

  it.each([
    ['example-idp', 'Bearer example-id-token', '201'],
    ['example-idp', 'Bearer made-up', '401 IAM.0001'],
    ['another-idp', 'Bearer example-id-token', '401 IAM.0001'],
    ['example-idp', 'Basic example-id-token', '401 APIGW.0301'],
  ])('of %s as "%s" gives a token that opens no project by itself: %s', (provider, authorization, expected) => {
    const world = gatewayWorld();

    const said = world.call('POST', path(provider), { headers: { authorization }, body: {} });

    const token = said.headers['X-Subject-Token'] ?? 'none';
    expect(codeOf(said)).toBe(expected);
    expect(codeOf(world.call('GET', instances, { token }))).toMatch(/^401 (DCS.1004|APIGW.0301)$/);
  });
});

describe('an account', () => {
  it('is locked for 15 minutes after five wrong passwords in a row', () => {
    const world = gatewayWorld();
    const login = (password?: string) =>
      codeOf(world.call('POST', tokens, { body: loginBody('all', undefined, password) }));

    const wrong = [1, 2, 3, 4, 5].map(() => login('Wrong-Password-1'));
    const locked = login();
    world.at(hour / 4);

    expect([new Set(wrong), locked, login()]).toEqual([new Set(['401 IAM.0062']), '401 IAM.0061', '201']);
  });
});

describe('the project in a path', () => {
  const caller = { name: 'all', rights: 'all', projects: 'all' } as const;
  const request = { method: 'GET', url: '/', headers: {}, body: new Uint8Array() };

  it.each([
    [projectId, projectId, undefined],
    ['project7', 'project7', undefined],
    [projectId, otherProject, 'DCS.1004'],
    [projectId, 'project7', 'DCS.4002'],
  ])('is checked where %s is the own one: %s', (own, named, code) => {
    expect(projectFault(own, named, caller, request)?.code).toBe(code);
  });
});

describe('a temporary key', () => {
  it('signs calls until it expires', () => {
    const world = gatewayWorld();
    const temporary = temporaryKey(world);

    const codes = [0, 900_000 - 1, 900_000].map((offset) => {
      world.at(offset);
      return codeOf(signed(world, instances, temporary, offset));
    });

    expect(temporary.expiresAt).toBe('2026-11-23T12:15:00.000000Z');
    expect(codes).toEqual(['200', '200', '401 APIGW.0301']);
  });

  it('is nothing without its security token', () => {
    const world = gatewayWorld();
    const { ak, sk } = temporaryKey(world);

    expect(codeOf(signed(world, instances, { ak, sk }))).toBe('401 APIGW.0301');
  });

  it('lasts as long as was asked for', () => {
    expect(temporaryKey(gatewayWorld(), agencyBody({ duration_seconds: 86_400 })).expiresAt).toBe(
      '2026-11-24T12:00:00.000000Z',
    );
  });

  it.each([
    ['by the name in the vendor’s sample', { agency_name: undefined, xrole_name: 'operations' }],
    ['by the id of the account', { domain_name: undefined, domain_id: 'd0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0' }],
  ])('comes for an agency that is named %s', (_, change) => {
    expect(temporaryKey(gatewayWorld(), agencyBody(change)).ak).toMatch(/^SIMULATED/);
  });

  it('comes for a token of one’s own, and for a signed request', () => {
    const world = gatewayWorld();
    const own = { auth: { identity: { methods: ['token'], token: { duration_seconds: '3600' } } } };
    const byKey = signed(world, keys, key, 0, JSON.stringify(agencyBody()));

    expect(temporaryKey(world, own).expiresAt).toBe('2026-11-23T13:00:00.000000Z');
    expect(byKey.status).toBe(201);
  });

  it.each([
    ['too short', agencyBody({ duration_seconds: 899 }), '400 IAM.0011'],
    ['too long', agencyBody({ duration_seconds: 86_401 }), '400 IAM.0011'],
    ['an unknown agency', agencyBody({ agency_name: 'stranger' }), '404 IAM.0004'],
    ['an unknown account', agencyBody({ domain_name: 'stranger' }), '404 IAM.0004'],
    ['no agency', agencyBody({ agency_name: undefined }), '400 IAM.0011'],
  ])('is refused: %s', (_, body, expected) => {
    const world = gatewayWorld();

    expect(codeOf(world.call('POST', keys, { token: world.login('all'), body }))).toBe(expected);
  });

  it('is refused to who has no rights, and to strangers', () => {
    const world = gatewayWorld();
    const asked = { token: world.login('nobody'), body: agencyBody() };

    expect(codeOf(world.call('POST', keys, asked))).toBe('403 IAM.0002');
    expect(codeOf(world.call('POST', keys, { body: agencyBody() }))).toBe('401 IAM.0001');
  });
});

describe('the projects', () => {
  it.each([
    ['?name=eu-de', [projectId]],
    ['', [projectId, otherProject]],
    ['?name=eu', []],
  ])('are found by the whole name of their region: %s', (query, expected) => {
    const world = gatewayWorld();

    const { json } = world.call('GET', `/v3/projects${query}`, { token: world.login('all') });

    const { projects } = v.parse(v.object({ projects: v.array(v.object({ id: v.string() })) }), json);
    expect(projects.map(({ id }) => id)).toEqual(expected);
  });

  it('are shown to a key', () => {
    expect(signed(gatewayWorld(), '/v3/projects', key).status).toBe(200);
  });
});

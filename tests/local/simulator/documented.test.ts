// The answers have the members and the types that the vendor's references table: no more than those, so that nobody comes
// to rely on what the real service does not send, and no fewer.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import { type GatewayWorld, gatewayWorld, loginBody, one, projectId } from '../../support/gateway-world.ts';

const forms = v.objectWithRest({ about: v.string() }, v.record(v.string(), v.string()));
const file = readFileSync(new URL('../../fixtures/dcs-answers.json', import.meta.url), 'utf8');
const documented = v.parse(v.pipe(v.string(), v.parseJson(), forms), file);

type Members = Readonly<Record<string, unknown>>;

/** What stands in an answer at this path of members and indices. */
function at(value: unknown, path: readonly (string | number)[]): Members {
  return path.reduce((part: unknown, name) => Object(part)[name], value) as Members;
}

function get(world: GatewayWorld, path: string): Members {
  return world.call('GET', `/v2/${projectId}${path}`, { token: world.login('all') }).json;
}

function backedUp(world: GatewayWorld): GatewayWorld {
  world.code('POST', `/instances/${one}/backups`, { body: { remark: 'nightly' } });
  return world;
}

function swapped(world: GatewayWorld): readonly [GatewayWorld, unknown] {
  const token = world.login('all');
  return [world, world.call('PUT', `/v2/${projectId}/instances/${one}/async-swap`, { token }).json['job_id']];
}

const agency = { agency_name: 'operations', domain_name: 'example-domain' };
const keyBody = { auth: { identity: { methods: ['assume_role'], assume_role: agency } } };
const plain = (): GatewayWorld => gatewayWorld([{ tags: { env: 'prod' } }]);

const answers: Readonly<Record<string, () => Members>> = {
  instance: () => at(get(plain(), '/instances'), ['instances', 0]),
  features: () => at(get(plain(), '/instances'), ['instances', 0, 'features']),
  detail: () => {
    const listed = Object.keys(documented['instance'] ?? {});
    return Object.fromEntries(
      Object.entries(get(plain(), `/instances/${one}`)).filter(([name]) => !listed.includes(name)),
    );
  },
  counters: () => {
    const { redis: _, memcached: __, ...all } = get(plain(), '/instances/status');
    return all;
  },
  statistic: () => at(get(plain(), '/instances/statistic'), ['statistics', 0]),
  parameter: () => at(get(plain(), `/instances/${one}/configs`), ['redis_config', 0]),
  task: () => at(get(swapped(plain())[0], `/instances/${one}/tasks`), ['tasks', 0]),
  backup: () => at(get(backedUp(plain()), `/instances/${one}/backups`), ['backup_record_response', 0]),
  job: () => {
    const [world, id] = swapped(plain());
    return get(world, `/jobs/${id}`);
  },
  token: () =>
    at(plain().call('POST', '/v3/auth/tokens', { body: loginBody('all', { id: projectId }) }).json, ['token']),
  credential: () => {
    const world = plain();
    const asked = { token: world.login('all'), body: keyBody };
    return at(world.call('POST', '/v3.0/OS-CREDENTIAL/securitytokens', asked).json, ['credential']);
  },
  project: () => {
    const world = plain();
    return at(world.call('GET', '/v3/projects?name=eu-de', { token: world.login('all') }).json, ['projects', 0]);
  },
  result: () => {
    const world = plain();
    const asked = { token: world.login('all'), body: { action: 'restart', instances: [one] } };
    return at(world.call('PUT', `/v2/${projectId}/instances/status`, asked).json, ['results', 0]);
  },
};

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

describe('the members of', () => {
  it.each(Object.entries(answers))('%s are the documented ones, with their types', (name, answer) => {
    const { about: _, ...all } = documented;
    const expected = all[name] ?? {};

    const members = answer();

    expect(Object.keys(members).sort()).toEqual(Object.keys(expected).sort());
    const wrong = Object.entries(members).filter(
      ([member, value]) => !expected[member]?.split('|').includes(typeOf(value)),
    );
    expect(wrong).toEqual([]);
  });

  it('every documented answer are looked at', () => {
    const { about: _, ...all } = documented;

    expect(Object.keys(answers).sort()).toEqual(Object.keys(all).sort());
  });
});

const exchangesForm = v.object({
  exchanges: v.array(
    v.object({
      name: v.string(),
      request: v.object({ method: v.string(), path: v.string(), body: v.optional(v.unknown()) }),
      status: v.number(),
      answer: v.nullable(v.record(v.string(), v.unknown())),
    }),
  ),
});
const examples = readFileSync(new URL('../../fixtures/dcs-exchanges.json', import.meta.url), 'utf8');
const { exchanges } = v.parse(v.pipe(v.string(), v.parseJson(), exchangesForm), examples);

describe('the documented exchange', () => {
  it.each(exchanges.map((each) => [each.name, each] as const))('%s', (_, { request, status, answer }) => {
    const world = gatewayWorld([{ tags: { env: 'prod' } }, { version: '3.0' }, { status: 'RESTARTING' }]);
    const path = request.path.replace('{project}', projectId);
    const ask = { token: world.login('all'), ...(request.body === undefined ? {} : { body: request.body }) };

    const said = world.call(request.method, path, ask);

    expect([said.status, said.json]).toEqual([status, answer ?? {}]);
    expect(said.headers['X-Request-Id']).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe('the documented forms', () => {
  it('of an error have exactly these members', () => {
    const world = plain();

    expect(get(world, '/instances?offset=-1')).toEqual({
      error_code: 'DCS.4800',
      error_msg: 'Invalid offset in the request.',
      error_ext_msg: null,
    });
    expect(Object.keys(get(world, '/nowhere')).sort()).toEqual(['error_code', 'error_msg', 'request_id']);
  });

  it('of a time is UTC with milliseconds, for IAM with microseconds', () => {
    const { created_at: created, updated_at: updated } = answers['instance']?.() ?? {};
    const { expires_at: expires } = answers['token']?.() ?? {};

    for (const time of [created, updated]) expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(expires).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  });
});

// Tags, background tasks, counters and the old status call, as any client sees them.

import { describe, expect, it } from '@jest/globals';
import type { InstanceSpec } from '../../../lib/local/simulator/instance.ts';
import { type GatewayWorld, gatewayWorld, one, projectId, start, three, two } from '../../support/gateway-world.ts';

function get(world: GatewayWorld, path: string, prefix = '/v2') {
  return world.call('GET', `${prefix}/${projectId}${path}`, { token: world.login('all') }).json;
}

function changeTags(world: GatewayWorld, action: string, tags: readonly object[]): string {
  return world.code('POST', `/dcs/${one}/tags/action`, { body: { action, tags } });
}

describe('tags', () => {
  it('are listed for one instance, and for the project by key', () => {
    const world = gatewayWorld([{ tags: { env: 'prod' } }, { tags: { env: 'dev', team: 'a' } }, { status: 'DELETED' }]);

    expect(get(world, `/instances/${one}/tags`)).toEqual({ tags: [{ key: 'env', value: 'prod' }] });
    expect(get(world, '/dcs/tags')).toEqual({
      tags: [
        { key: 'env', values: ['dev', 'prod'] },
        { key: 'team', values: ['a'] },
      ],
    });
  });

  it('are added, replaced and taken away, which a list by tag shows', () => {
    const world = gatewayWorld([{ tags: { env: 'prod', team: 'a' } }]);

    const codes = [
      changeTags(world, 'create', [{ key: 'env', value: 'dev' }, { key: 'keep' }]),
      changeTags(world, 'delete', [{ key: 'team' }]),
    ];

    expect(codes).toEqual(['204', '204']);
    expect(world.fleet.view(one)?.tags).toEqual({ env: 'dev', keep: '' });
    expect(get(world, '/instances?tags=env%3Ddev')).toMatchObject({ instance_num: 1 });
  });

  it.each<[string, readonly object[]]>([
    ['create', []],
    ['create', [{ key: '' }]],
    ['create', [{ key: 'k'.repeat(129) }]],
    ['create', [{ key: 'k', value: 'v'.repeat(256) }]],
    ['create', Array.from({ length: 20 }, (_, n) => ({ key: `k${n}` }))],
    ['replace', [{ key: 'k' }]],
  ])('are refused: %s %j', (action, tags) => {
    const world = gatewayWorld([{ tags: { env: 'prod' } }]);

    expect(changeTags(world, action, tags)).toBe('400 DCS.4062');
    expect(world.fleet.view(one)?.tags).toEqual({ env: 'prod' });
  });
});

describe('background tasks', () => {
  it('have a switchover, its job, and neither restarts nor flushes', () => {
    const world = gatewayWorld([{}, {}]);
    world.fleet.act({ action: 'restart', instances: [two] });
    const token = world.login('all');
    const { job_id: jobId } = world.call('PUT', `/v2/${projectId}/instances/${one}/async-swap`, { token }).json;

    const during = [get(world, `/instances/${one}/tasks`), get(world, `/jobs/${jobId}`)];
    const busy = world.code('PUT', '/instances/status', { body: { action: 'restart', instances: [one] } });
    world.at(5_000);
    const after = [get(world, `/instances/${one}/tasks`), get(world, `/jobs/${jobId}`)];

    const name = 'masterStandbySwapJob';
    const begin = String(start);
    expect(during).toMatchObject([
      { task_count: '1', tasks: [{ name, status: 'RUNNING', created_at: '2026-11-23T12:00:00.000Z' }] },
      { job_id: jobId, job_type: name, status: 'RUNNING', begin_time: begin, end_time: null, fail_reason: null },
    ]);
    expect(busy).toBe('400 DCS.4017');
    expect(after).toMatchObject([
      { tasks: [{ name, status: 'SUCCESS', updated_at: '2026-11-23T12:00:05.000Z' }] },
      { status: 'SUCCESS', end_time: String(start + 5_000) },
    ]);
    expect(get(world, `/instances/${two}/tasks`)).toMatchObject({ task_count: '0', tasks: [] });
  });

  it('count as a number where the switch wants the vendor’s sample', () => {
    const world = gatewayWorld([{}], { switches: { oddTypes: true } });

    expect(get(world, `/instances/${one}/tasks`)).toMatchObject({ task_count: 0 });
  });

  it.each([
    ['', 2],
    ['?start_time=20261123110000', 1],
    ['?end_time=20261123105959', 1],
    ['?limit=1', 1],
    ['?offset=2', 0],
  ])('are selected by time and page: %s', (query, expected) => {
    const tasks = [2, 1].map((hours) => {
      const createdAt = start - hours * 3_600_000;
      return { id: `${hours}`, name: 'EXTEND', createdAt, endsAt: createdAt + 1 };
    });
    const world = gatewayWorld([{ tasks }]);

    expect(get(world, `/instances/${one}/tasks${query}`)['tasks']).toHaveLength(expected);
  });

  it.each(['start_time=yesterday', 'end_time=20261399000000', 'limit=0'])('are refused for %s', (query) => {
    expect(gatewayWorld().code('GET', `/instances/${one}/tasks?${query}`)).toBe('400 DCS.4800');
  });
});

describe('the list', () => {
  it.each<[string, number]>([
    ['ip=10.0.0.2', 1],
    ['ip=10.0.0.9', 0],
    ['capacity=8', 1],
    ['capacity=0.125', 2],
    ['capacity=8&ip=10.0.0.2', 0],
  ])('is filtered by %s', (query, expected) => {
    const world = gatewayWorld([{ capacity: 8 }, { ip: '10.0.0.1,10.0.0.2' }, {}]);

    expect(get(world, `/instances?${query}`)).toMatchObject({ instance_num: expected });
  });

  it('shows a size in whole GB, or as a part of one', () => {
    const world = gatewayWorld([{ capacity: 8 }, {}]);

    expect(get(world, '/instances')['instances']).toMatchObject([
      { capacity: 8, capacity_minor: '', max_memory: 8_192 },
      { capacity: 0, capacity_minor: '.125', max_memory: 128 },
    ]);
  });
});

describe('the counters', () => {
  const specs: Partial<InstanceSpec>[] = [
    { status: 'RUNNING' },
    { status: 'CREATEFAILED', engine: 'Memcached' },
    { status: 'EXTENDING', engine: 'Memcached' },
  ];

  it.each([
    ['', 0],
    ['?include_failure=false', 0],
    ['?include_failure=true', 1],
  ])('count those that failed to be created only when asked: %s', (query, failures) => {
    const world = gatewayWorld(specs);

    expect(get(world, `/instances/status${query}`)).toMatchObject({
      running_count: 1,
      extending_count: 1,
      createfailed_count: failures,
      redis: { running_count: 1, extending_count: 0 },
      memcached: { running_count: 0, extending_count: 1, createfailed_count: failures },
    });
  });
});

describe('the older version of the API', () => {
  const put = (world: GatewayWorld, body: object | string) => {
    const said = world.call('PUT', `/v1.0/${projectId}/instances/status`, { token: world.login('all'), body });
    return [said.status, said.json];
  };

  it.each(['restart', 'flush'])('takes %s and says nothing', (action) => {
    const world = gatewayWorld();

    expect(put(world, { action, instances: [one, two] })).toEqual([204, {}]);
    expect(world.fleet.log().map(({ instanceId }) => instanceId)).toEqual([one, two]);
  });

  it.each([
    ['GET', '/nonsense', 404, '111404001'],
    ['DELETE', '/instances/status', 405, '111405001'],
  ])('has errors of its own form where DCS itself does not know %s %s', (method, path, status, code) => {
    const world = gatewayWorld([{}], { switches: { front: 'service' } });

    const said = world.call(method, `/v1.0/${projectId}${path}`, { token: world.login('all') });

    expect([said.status, said.json]).toEqual([status, { error: { code, message: expect.any(String) } }]);
  });

  it('knows no soft_restart, and has errors of its own form', () => {
    const world = gatewayWorld([{}, { status: 'RESTARTING' }]);
    const message = 'The action parameter in the request must be start, stop, or restart.';

    expect(put(world, { action: 'soft_restart', instances: [one] })).toEqual([
      400,
      { error: { code: '111400064', message } },
    ]);
    expect(put(world, { action: 'restart', instances: [two] })).toEqual([
      400,
      { error: { code: '111400111', message: 'the instance is restarting.' } },
    ]);
    expect(put(world, { action: 'restart', instances: [three.replace('3', 'f')] })[1]).toMatchObject({
      error: { code: '111404022' },
    });
    expect(put(world, '{')[1]).toMatchObject({ error: { code: '111400005' } });
    expect(world.fleet.log()).toEqual([]);
  });

  it.each([
    ['', 0],
    ['?includeFailure=true', 1],
  ])('counts by state, in more of them: %s', (query, failures) => {
    const world = gatewayWorld([{ status: 'CLOSED' }, { status: 'CREATEFAILED' }, {}]);

    expect(get(world, `/instances/status${query}`, '/v1.0')).toMatchObject({
      ...{ running_count: 1, closed_count: 1, starting_count: 0, closing_count: 0, deleting_count: 0 },
      createfailed_count: failures,
    });
  });
});

describe('what a restart leaves', () => {
  it.each<[string, Partial<InstanceSpec>, number]>([
    ['a cluster of one replica', { cacheMode: 'cluster', replicas: 1 }, 0],
    ['a cluster of one replica with appendonly on', { cacheMode: 'cluster', replicas: 1, appendonly: true }, 1_000],
    ['a cluster of two', { cacheMode: 'cluster' }, 1_000],
    ['a Memcached', { engine: 'Memcached' }, 0],
  ])('of the keys of %s', (_, spec, keys) => {
    const world = gatewayWorld([spec]);

    world.fleet.act({ action: 'restart', instances: [one] });
    world.at(60_000);

    expect(world.fleet.view(one)?.keys).toBe(keys);
  });
});

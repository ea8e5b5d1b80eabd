// The vendor's own core package against the simulator: it signs, calls every route, asks IAM for what it needs, and takes
// errors apart into its own exceptions, as it would with the real service.

import { fork } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import { Fleet } from '../../../lib/local/simulator/fleet.ts';
import { type Simulator, startSimulator } from '../../../lib/local/simulator/server.ts';
import type { OfficialCall, Order, Outcome } from './official-child.ts';

const key = { ak: 'EXAMPLEACCESSKEY0001', sk: 'ExampleSecretKey/0001+abcdefghijklmnopqrs' };
const projectId = '0a1b2c3d4e5f60718293a4b5c6d7e8f9';
const domain = { id: 'd0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0', name: 'example-domain' };
const one = '00000000-0000-4000-8000-000000000001';
const two = '00000000-0000-4000-8000-000000000002';
const three = '00000000-0000-4000-8000-000000000003';
const missing = '00000000-0000-4000-8000-00000000dead';
const child = fileURLToPath(new URL('official-child.ts', import.meta.url));

let simulator: Simulator;
let folder: string;

beforeEach(async () => {
  const now = Date.now;
  const instances = [one, two, three].map((id, index) => ({
    id,
    name: `stg-cache-0${index + 1}`,
    tags: { env: 'prod' },
  }));
  const fleet = new Fleet({ instances, now });
  const identities = [{ name: 'ci', provider: 'example-idp', idToken: 'example-id-token' }];
  const iam = { domain, agencies: [{ name: 'operations' }], identities };
  simulator = await startSimulator({ fleet, keys: [key], projectId, iam, now });
  folder = await mkdtemp(join(tmpdir(), 'official-'));
});

afterEach(async () => {
  await simulator.close();
  await rm(folder, { recursive: true, force: true });
});

/** What came of these calls, in order. */
async function official(calls: readonly OfficialCall[], change: Partial<Order> = {}): Promise<readonly Outcome[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly Outcome[]>();
  const env = { HOME: folder, PATH: process.env['PATH'] ?? '' };
  const running = fork(child, { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let errors = '';
  running.stderr?.on('data', (chunk) => {
    errors += chunk;
  });
  running.once('message', (outcomes: readonly Outcome[]) => {
    running.disconnect();
    resolve(outcomes);
  });
  running.once('exit', (code) => reject(new Error(`the child ended with ${code}: ${errors}`)));
  running.send({ endpoint: simulator.url, key, projectId, calls, ...change });
  return promise;
}

const credentialForm = v.object({ access: v.string(), secret: v.string(), securitytoken: v.string() });

function credentialOf(credential: unknown): Order['key'] {
  const { access, secret, securitytoken } = v.parse(credentialForm, credential);
  return { ak: access, sk: secret, securityToken: securitytoken };
}

const path = '/v2/{project_id}';
const response = (members: object) => ({ kind: 'response', body: expect.objectContaining(members) });
const exception = (type: string, status: number, code: string) => ({
  kind: 'exception',
  type,
  status,
  code,
  message: expect.stringMatching(/\w/),
  requestId: expect.stringMatching(/^[0-9a-f]{32}$/),
});

describe('the vendor’s SDK', () => {
  it('makes every call about DCS', async () => {
    const outcomes = await official([
      { method: 'GET', url: `${path}/instances`, query: { tags: 'env=prod', name: 'cache-0', limit: '1' } },
      { method: 'GET', url: `${path}/instances/${one}` },
      { method: 'GET', url: `${path}/instances/${one}/configs` },
      { method: 'GET', url: `${path}/instances/statistic` },
      { method: 'GET', url: `${path}/instances/status`, query: { include_failure: 'true' } },
      { method: 'GET', url: `${path}/dcs/tags` },
      { method: 'POST', url: `${path}/dcs/${one}/tags/action`, data: { action: 'create', tags: [{ key: 'a b/ü' }] } },
      { method: 'GET', url: `${path}/instances/${one}/tags` },
      { method: 'GET', url: `${path}/instances/${one}/tasks`, query: { start_time: '20200101000000' } },
      { method: 'GET', url: `${path}/instances/${one}/backups` },
      { method: 'POST', url: `${path}/instances/${one}/backups`, data: { remark: 'größer' } },
      { method: 'GET', url: `${path}/instances/${one}/backups`, query: { limit: '5', offset: '0' } },
      { method: 'DELETE', url: `${path}/instances/${one}/backups/${missing}` },
      { method: 'GET', url: `${path}/jobs/${missing}` },
      { method: 'PUT', url: `${path}/instances/status`, data: { action: 'restart', instances: [one, two] } },
      { method: 'PUT', url: '/v1.0/{project_id}/instances/status', data: { action: 'restart', instances: [one] } },
      { method: 'PUT', url: `${path}/instances/${three}/async-swap` },
    ]);

    expect(outcomes).toEqual([
      response({ httpStatusCode: 200, instance_num: 3, instances: [expect.objectContaining({ instance_id: one })] }),
      response({ instance_id: one, cache_mode: 'ha', task: null }),
      response({ redis_config: expect.arrayContaining([expect.objectContaining({ param_name: 'appendonly' })]) }),
      response({ statistics: Array(3).fill(expect.objectContaining({ keys: 1_000 })) }),
      response({ running_count: 3, redis: expect.objectContaining({ running_count: 3 }) }),
      response({ tags: [{ key: 'env', values: ['prod'] }] }),
      response({ httpStatusCode: 204 }),
      response({ tags: expect.arrayContaining([{ key: 'a b/ü', value: '' }]) }),
      response({ task_count: '0' }),
      response({ httpStatusCode: 204 }),
      response({ backup_id: expect.stringMatching(/^[0-9a-f-]{36}$/) }),
      response({ total_num: 1, backup_record_response: [expect.objectContaining({ remark: 'größer' })] }),
      exception('ClientRequestException', 400, 'DCS.4062'),
      exception('ClientRequestException', 400, 'DCS.4070'),
      response({
        results: [
          { instance: one, result: 'success' },
          { instance: two, result: 'success' },
        ],
      }),
      exception('ClientRequestException', 400, '111400017'),
      response({ job_id: expect.stringMatching(/^[0-9a-f-]{36}$/) }),
    ]);
    expect(simulator.refused()).toBe(0);
  });

  it('takes errors of DCS and of its gateway apart', async () => {
    const answer = { kind: 'error', status: 500, code: 'DCS.5006' } as const;
    simulator.fleet.script({ calls: [{ on: 'statistic', answer }] });

    const outcomes = await official([
      { method: 'GET', url: `${path}/instances/${missing}` },
      { method: 'PUT', url: `${path}/instances/status`, data: { action: 'start', instances: [one] } },
      { method: 'GET', url: `${path}/clusters` },
      { method: 'GET', url: `/v2/ffffffffffffffffffffffffffffffff/instances` },
      { method: 'GET', url: `${path}/instances/statistic` },
    ]);

    expect(outcomes).toEqual([
      exception('ClientRequestException', 404, 'DCS.3022'),
      exception('ClientRequestException', 400, 'DCS.4064'),
      exception('ClientRequestException', 404, 'APIGW.0101'),
      exception('ClientRequestException', 401, 'DCS.1004'),
      exception('ServerResponseException', 500, 'DCS.5006'),
    ]);
  });

  it('is refused with another secret', async () => {
    const outcomes = await official([{ method: 'GET', url: `${path}/instances` }], {
      key: { ...key, sk: 'ExampleSecretKey/0002' },
    });

    expect(outcomes).toEqual([exception('ClientRequestException', 401, 'APIGW.0301')]);
  });

  it('asks IAM for the project of its region', async () => {
    const outcomes = await official([{ method: 'GET', url: `${path}/instances` }], { findsProject: true });

    expect(outcomes).toEqual([response({ instance_num: 3 })]);
    expect(simulator.fleet.calls()).toMatchObject({ projects: 1, list: 1 });
  });

  it('gets a temporary key from IAM, and signs with it', async () => {
    const role = { agency_name: 'operations', domain_id: domain.id, duration_seconds: 900 };
    const data = { auth: { identity: { methods: ['assume_role'], assume_role: role } } };
    const url = '/v3.0/OS-CREDENTIAL/securitytokens';

    const [got] = await official([{ method: 'POST', url, data }], { domainId: domain.id });
    const temporary = got?.kind === 'response' ? credentialOf(got.body['credential']) : key;
    const outcomes = await official([{ method: 'GET', url: `${path}/instances` }], { key: temporary });

    expect(got).toEqual(response({ httpStatusCode: 201 }));
    expect(temporary.ak).not.toBe(key.ak);
    expect(outcomes).toEqual([response({ instance_num: 3 })]);
  });

  it('gets temporary keys by itself for the token of an identity provider', async () => {
    const file = join(folder, 'id-token');
    await writeFile(file, 'example-id-token');

    const outcomes = await official([{ method: 'GET', url: `${path}/instances` }], {
      federated: { provider: 'example-idp', file },
    });

    expect(outcomes).toEqual([response({ instance_num: 3 })]);
    expect(simulator.fleet.calls()).toMatchObject({ token: 1, temporaryKey: 1, list: 1 });
  });
});

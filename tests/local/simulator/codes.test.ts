// Every code that the simulator can send is sent here once: the table has no promise in it that no call can bring about.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import { readFault } from '../../../lib/local/simulator/fault-text.ts';
import { numericCode, type WireCode, wireError } from '../../../lib/local/simulator/wire-errors.ts';
import {
  codeOf,
  type GatewayWorld,
  gatewayWorld,
  loginBody,
  one,
  otherProject,
  projectId,
} from '../../support/gateway-world.ts';

const missing = '00000000-0000-4000-8000-00000000dead';
const act = (action: string, ...instances: string[]) => ({ body: { action, instances } });
const plain = (): GatewayWorld => gatewayWorld();
const shown = (change: object): GatewayWorld => gatewayWorld([change]);
const service = (): GatewayWorld => gatewayWorld([{}], { switches: { front: 'service' } });

/** A world in which an answer to the list is this error. */
function scripted(status: number, code?: string): GatewayWorld {
  const answer = { kind: 'error', status, ...(code === undefined ? {} : { code }) } as const;
  return gatewayWorld([{}], { script: { calls: [{ on: 'list', answer }] } });
}

/** What a list is answered with where a fault in a few signs is this code: for those that nothing here leads to. */
function faulty(code: string): string {
  const fault = readFault(`${code}@list`);
  return typeof fault === 'string' ? fault : list(gatewayWorld([{}], { script: { calls: [fault] } }));
}

const list = (world: GatewayWorld): string => world.code('GET', '/instances');
const flush = (world: GatewayWorld): string => world.code('PUT', '/instances/status', act('flush', one));
const restart = (world: GatewayWorld): string => world.code('PUT', '/instances/status', act('restart', one));
const backup = (world: GatewayWorld): string => world.code('POST', `/instances/${one}/backups`);
const root = (world: GatewayWorld, path: string, token?: string): string =>
  codeOf(world.call('GET', path, token === undefined ? {} : { token }));
const login = (world: GatewayWorld, body: object | string): string =>
  codeOf(world.call('POST', '/v3/auth/tokens', { body }));
const assume = (agency: string): object => ({
  auth: { identity: { methods: ['assume_role'], assume_role: { agency_name: agency, domain_name: 'example-domain' } } },
});

function expired(world: GatewayWorld, path: string): string {
  const token = world.login('all');
  world.at(86_400_000);
  return root(world, path, token);
}

function locked(): string {
  const world = plain();
  for (let count = 0; count < 5; count += 1) login(world, loginBody('all', undefined, 'Wrong-Password-1'));
  return login(world, loginBody('all'));
}

/** For each code a call that brings it about, with its status. */
const ways: Readonly<Record<WireCode, readonly [number, () => string]>> = {
  'DCS.1001': [401, () => root(service(), `/v2/${projectId}/instances`, 'made-up')],
  'DCS.1002': [401, () => expired(service(), `/v2/${projectId}/instances`)],
  'DCS.1003': [401, () => root(service(), `/v2/${projectId}/instances`)],
  'DCS.1004': [
    401,
    () => ((world) => root(world, `/v2/${projectId}/instances`, world.login('all', otherProject)))(plain()),
  ],
  'DCS.2003': [403, () => ((world) => world.code('GET', '/instances', { token: world.login('nobody') }))(plain())],
  'DCS.3002': [
    403,
    () => ((world) => world.code('PUT', '/instances/status', { token: world.login('reader') }))(plain()),
  ],
  'DCS.3022': [404, () => plain().code('GET', `/instances/${missing}`)],
  'DCS.4001': [404, () => service().code('GET', '/clusters')],
  'DCS.4002': [400, () => ((world) => root(world, '/v2/my-project/instances', world.login('all')))(plain())],
  'DCS.4004': [400, () => plain().code('PUT', '/instances/status')],
  'DCS.4005': [400, () => plain().code('PUT', '/instances/status', { body: '{' })],
  'DCS.4008': [400, () => flush(gatewayWorld([{ version: '3.0' }], { switches: { unsupportedCode: 'DCS.4008' } }))],
  'DCS.4012': [400, () => plain().code('GET', '/instances?capacity=much')],
  'DCS.4017': [400, () => restart(shown({ task: 'EXTEND' }))],
  'DCS.4025': [
    400,
    () => plain().code('GET', `/instances/${one}/tasks?start_time=20261123120000&end_time=20261123110000`),
  ],
  'DCS.4026': [400, () => flush(shown({ version: '3.0' }))],
  'DCS.4027': [400, () => flush(gatewayWorld([{ version: '3.0' }], { switches: { unsupportedCode: 'DCS.4027' } }))],
  'DCS.4049': [400, () => flush(shown({ status: 'ERROR' }))],
  'DCS.4061': [400, () => plain().code('PUT', '/instances/status', act('restart', 'stg-cache-01'))],
  'DCS.4062': [400, () => plain().code('POST', `/dcs/${one}/tags/action`, { body: { action: 'replace' } })],
  'DCS.4063': [
    400,
    () =>
      gatewayWorld([{}], { switches: { duplicates: 'refused' } }).code(
        'PUT',
        '/instances/status',
        act('restart', one, one),
      ),
  ],
  'DCS.4064': [400, () => plain().code('PUT', '/instances/status', act('start', one))],
  'DCS.4065': [400, () => plain().code('PUT', '/instances/status', act('restart'))],
  'DCS.4070': [400, () => plain().code('GET', `/jobs/${missing}`)],
  'DCS.4086': [400, () => shown({ cacheMode: 'cluster' }).code('PUT', `/instances/${one}/async-swap`)],
  'DCS.4095': [400, () => backup(shown({ cacheMode: 'single' }))],
  'DCS.4096': [400, () => flush(shown({ task: 'BACKUPING' }))],
  'DCS.4097': [400, () => restart(shown({ status: 'RESTORING' }))],
  'DCS.4098': [400, () => plain().code('POST', `/instances/${one}/backups`, { body: { remark: 'x'.repeat(129) } })],
  'DCS.4100': [400, () => plain().code('PUT', '/instances/status', act('restart', ...Array(51).fill(one)))],
  'DCS.4104': [400, () => restart(shown({ task: 'RECOVERING' }))],
  'DCS.4107': [400, () => restart(shown({ task: 'UNPAID_ORDER' }))],
  'DCS.4108': [400, () => restart(shown({ task: 'SCALE_UP_ORDER' }))],
  'DCS.4111': [400, () => restart(shown({ status: 'RESTARTING' }))],
  'DCS.4113': [400, () => restart(shown({ status: 'EXTENDING' }))],
  'DCS.4114': [400, () => restart(shown({ task: 'CONFIGURING' }))],
  'DCS.4115': [400, () => restart(shown({ task: 'CHANGING_PASSWORD' }))],
  'DCS.4116': [400, () => restart(shown({ status: 'UPGRADING' }))],
  'DCS.4117': [400, () => restart(shown({ status: 'ROLLBACKING' }))],
  'DCS.4118': [400, () => restart(shown({ status: 'CREATING' }))],
  'DCS.4120': [400, () => restart(shown({ status: 'FREEZING' }))],
  'DCS.4800': [400, () => plain().code('GET', '/instances?offset=-1')],
  'DCS.5000': [500, () => list(scripted(500))],
  'DCS.5001': [405, () => service().code('DELETE', '/instances')],
  'DCS.5006': [500, () => list(scripted(500, 'DCS.5006'))],
  'APIGW.0101': [404, () => plain().code('GET', '/clusters')],
  'APIGW.0201': [414, () => plain().code('GET', `/instances?name=${'x'.repeat(33_000)}`)],
  'APIGW.0202': [502, () => list(scripted(502))],
  'APIGW.0203': [504, () => list(scripted(504))],
  'APIGW.0301': [401, () => root(plain(), `/v2/${projectId}/instances`, 'made-up')],
  'APIGW.0307': [401, () => expired(plain(), `/v2/${projectId}/instances`)],
  'APIGW.0308': [429, () => list(scripted(429))],
  'APIGW.0613': [503, () => list(scripted(503))],
  'IAM.0001': [401, () => root(service(), '/v3/projects')],
  'IAM.0002': [
    403,
    () =>
      ((world) =>
        codeOf(world.call('POST', '/v3/auth/tokens', { token: world.login('nobody'), body: assume('operations') })))(
        plain(),
      ),
  ],
  'IAM.0004': [404, () => login(plain(), loginBody('all', { name: 'cn-north-99' }))],
  'IAM.0006': [500, () => list(scripted(500, 'IAM.0006'))],
  'IAM.0011': [400, () => login(plain(), { auth: {} })],
  'IAM.0012': [429, () => list(scripted(429, 'IAM.0012'))],
  'IAM.0020': [410, () => list(scripted(410, 'IAM.0020'))],
  'IAM.0061': [401, locked],
  'IAM.0062': [401, () => login(plain(), loginBody('all', undefined, 'Wrong-Password-1'))],
  'IAM.0063': [401, () => root(plain(), '/v3/projects', 'made-up')],
  'IAM.0066': [401, () => expired(plain(), '/v3/projects')],
  'IAM.0080': [403, () => list(scripted(403, 'IAM.0080'))],
  'IAM.0082': [403, () => login(plain(), loginBody('left'))],
  'DCS.2007': [403, () => faulty('DCS.2007')],
  'DCS.3003': [403, () => faulty('DCS.3003')],
  'DCS.4069': [500, () => faulty('DCS.4069')],
  'DCS.4121': [400, () => faulty('DCS.4121')],
  'DCS.4231': [400, () => faulty('DCS.4231')],
  'DCS.4975': [400, () => faulty('DCS.4975')],
  'DCS.5017': [500, () => faulty('DCS.5017')],
  'DCS.5024': [500, () => faulty('DCS.5024')],
  'DCS.5070': [500, () => faulty('DCS.5070')],
  'DCS.5095': [500, () => faulty('DCS.5095')],
  'CBC.99003651': [400, () => faulty('CBC.99003651')],
  'APIGW.0302': [403, () => faulty('APIGW.0302')],
  'APIGW.0310': [403, () => faulty('APIGW.0310')],
  'APIGW.0601': [500, () => faulty('APIGW.0601')],
  'APIGW.0802': [403, () => faulty('APIGW.0802')],
  'IAM.0003': [403, () => faulty('IAM.0003')],
  'IAM.0005': [409, () => faulty('IAM.0005')],
  'IAM.0067': [401, () => faulty('IAM.0067')],
  'IAM.0081': [403, () => faulty('IAM.0081')],
  'IAM.0083': [403, () => faulty('IAM.0083')],
};

const listed = v.object({
  codes: v.array(
    v.object({ code: v.string(), httpStatus: v.number(), errorMsg: v.string(), sameAs: v.optional(v.string()) }),
  ),
});
const file = readFileSync(new URL('../../fixtures/error-codes.json', import.meta.url), 'utf8');
const { codes } = v.parse(v.pipe(v.string(), v.parseJson(), listed), file);

function isOurs(code: string): code is WireCode {
  return Object.hasOwn(ways, code);
}

describe('the code', () => {
  it.each(Object.entries(ways))('%s is sent', (code, [status, call]) => {
    expect(call()).toBe(`${status} ${code}`);
  });

  const worded = codes.filter(({ code, errorMsg }) => isOurs(code) && !errorMsg.startsWith('(message UNKNOWN'));
  it.each(worded.map((each) => [each.code, each] as const))(
    '%s has the status and the words of the vendor’s table',
    (code, { httpStatus, errorMsg }) => {
      expect(isOurs(code) && wireError(code)).toEqual({ code, status: httpStatus, message: errorMsg });
    },
  );

  it.each(['DCS.4231', 'DCS.5024', 'DCS.4111', 'IAM.0083'])('%s has its own words as a fault, too', (code) => {
    const fault = readFault(`${code}@list`);
    const world = gatewayWorld([{}], { script: { calls: typeof fault === 'string' ? [] : [fault] } });

    const { json } = world.call('GET', `/v2/${projectId}/instances`, { token: world.login('all') });

    expect(json['error_msg']).toBe(isOurs(code) && wireError(code).message);
  });

  it('has the numeric twin of the vendor’s table', () => {
    const twins = codes.flatMap(({ code, sameAs }) => (sameAs === undefined ? [] : [[code, sameAs] as const]));
    const statusOf = new Map(codes.map(({ code, httpStatus }) => [code, httpStatus]));

    const wrong = twins.filter(([number, code]) => numericCode({ code, status: statusOf.get(code) ?? 0 }) !== number);

    expect(twins.length).toBeGreaterThan(80);
    expect(wrong).toEqual([]);
  });
});

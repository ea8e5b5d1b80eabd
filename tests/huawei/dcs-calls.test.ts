// Each call of DCS, asked and answered: every odd answer in one line, without a server.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as calls from '../../lib/huawei/dcs-calls.ts';
import type { Exchange } from '../../lib/huawei/http.ts';

const project = '0a1b2c3d4e5f60718293a4b5c6d7e8f9';
const one = '2e803f66-fbb0-47ad-b6cb-fb87f5bed4ef';
const two = 'b3c1a6de-7c1f-4a52-9f0e-1d2c3b4a5968';
const context = { now: Date.parse('2026-11-23T13:37:00Z'), mask: (text: string) => text };

function answer(status: number, body: unknown): Exchange {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { kind: 'received', status, body: text, date: null, retryAfter: null, subjectToken: null, requestId: 'req-1' };
}

function lost(code: string): Exchange {
  return { kind: 'failed', problem: { class: 'unknown', code, message: 'x' } };
}

/** One instance of a list, with something changed. */
function item(change: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const plain = { instance_id: one, name: 'stg-cache-1', engine: 'Redis', engine_version: '5.0', status: 'RUNNING' };
  return { ...plain, spec_code: 'redis.ha.xu1.large.r2.2', tags: [{ key: 'env', value: 'staging' }], ...change };
}

const read = {
  id: one,
  name: 'stg-cache-1',
  engine: 'Redis',
  version: '5.0',
  status: 'RUNNING',
  tags: { env: 'staging' },
  specCode: 'redis.ha.xu1.large.r2.2',
};

const listed = { ...read, addresses: [], port: null };

describe('actRequest', () => {
  it('asks for one action on distinct instances in lower case', () => {
    expect(calls.actRequest(project, 'soft_restart', [one.toUpperCase(), two, one])).toEqual({
      method: 'PUT',
      path: `/v2/${project}/instances/status`,
      query: {},
      body: JSON.stringify({ instances: [one, two], action: 'soft_restart' }),
    });
  });

  it.each([0, 51])('refuses to be built with %d instances', (length) => {
    const ids = Array.from({ length }, (_, index) => `${one}${index}`);

    expect(() => calls.actRequest(project, 'flush', ids)).toThrow(RangeError);
  });

  it('takes 50 instances', () => {
    const ids = Array.from({ length: 50 }, (_, index) => `${one}${index}`);

    expect(calls.actRequest(project, 'flush', ids).body).toContain(`${one}49`);
  });
});

describe('readAct', () => {
  const success = { instance: one, result: 'success' };

  it.each([
    ['one result', [success], { [one]: 'success' }],
    ['a failed one', [success, { instance: two, result: 'failed' }], { [one]: 'success', [two]: 'failed' }],
    ['an id in upper case', [{ instance: one.toUpperCase(), result: 'failed' }], { [one]: 'failed' }],
    ['no results', [], {}],
    ['an id that was not asked for', [{ instance: 'other', result: 'success' }], {}],
    ['a result that is not known', [{ instance: one, result: 'accepted' }], {}],
    ['a result of another type', [{ instance: one, result: true }], {}],
    ['an entry that is none', [null, 7, 'x', [], {}, success], { [one]: 'success' }],
    ['the same result twice', [success, success], { [one]: 'success' }],
    ['two results for one instance', [success, { instance: one, result: 'failed' }], {}],
    ['more than is documented', [{ ...success, reason: 'x' }], { [one]: 'success' }],
  ])('reads %s', (_name, results, expected) => {
    const reading = calls.readAct(answer(200, { results, more: 1 }), [one.toUpperCase(), two], context);

    expect(reading).toEqual({ kind: 'answered', results: new Map(Object.entries(expected)), requestId: 'req-1' });
  });

  it('takes any 2xx with results for an answer', () => {
    expect(calls.readAct(answer(202, { results: [success] }), [one], context).kind).toBe('answered');
  });

  it.each([
    [204, ''],
    [200, ''],
    [200, '{"results":[{"instance":"2e80'],
    [200, '<html>'],
    [200, 'null'],
    [200, '[]'],
    [200, '{}'],
    [200, '{"results":null}'],
    [200, '{"results":{}}'],
    [200, '{"error_code":"DCS.4111","error_msg":"x"}'],
  ])('cannot tell from HTTP %i %j whether it was done', (status, body) => {
    expect(calls.readAct(answer(status, body), [one], context)).toMatchObject({
      kind: 'lost',
      problem: { class: 'unknown', code: 'no_results', status, requestId: 'req-1' },
    });
  });

  it.each([
    [400, 'DCS.4111', 'refused', 'busy'],
    [500, 'DCS.4069', 'refused', 'busy'],
    [400, 'DCS.4100', 'refused', 'split'],
    [404, 'DCS.3022', 'refused', 'final'],
    [403, 'DCS.2003', 'refused', 'config'],
    [401, 'APIGW.0301', 'refused', 'auth'],
    [429, 'APIG.0308', 'refused', 'throttled'],
    [503, 'APIG.0308', 'refused', 'throttled'],
    [302, '', 'refused', 'config'],
    [500, 'DCS.5000', 'lost', 'unknown'],
    [500, 'DCS.5006', 'lost', 'unknown'],
    [502, 'APIGW.0202', 'lost', 'unknown'],
    [504, 'APIGW.0201', 'lost', 'unknown'],
    [500, '', 'lost', 'unknown'],
    [408, '', 'lost', 'unknown'],
  ])('takes HTTP %i %s for %s, class %s', (status, code, kind, errorClass) => {
    const reading = calls.readAct(answer(status, { error_code: code, error_msg: 'x' }), [one], context);

    expect(reading).toMatchObject({ kind, problem: { class: errorClass, status } });
  });

  it('takes a lost connection for lost, and one that never was for refused', () => {
    const unreachable: Exchange = {
      kind: 'failed',
      problem: { class: 'unreachable', code: 'connect_failed', message: 'x' },
    };

    expect(calls.readAct(lost('timeout'), [one], context).kind).toBe('lost');
    expect(calls.readAct(unreachable, [one], context).kind).toBe('refused');
  });

  it('never throws, whatever the answer says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 599 }), fc.oneof(fc.json(), fc.string()), (status, body) => {
        expect(['answered', 'refused', 'lost']).toContain(calls.readAct(answer(status, body), [one], context).kind);
      }),
    );
  });
});

describe('listRequest', () => {
  it.each([
    [{}, undefined],
    [{ env: 'prod' }, 'env=prod'],
    [{ env: 'prod', team: 'a b&c' }, 'env=prod,team=a b&c'],
    [{ env: '' }, 'env='],
    [{ env: 'a,b', team: 'x' }, 'team=x'],
    [{ env: 'a=b' }, undefined],
    [{ 'a,b': 'x', 'c=d': 'y' }, undefined],
  ])('asks for the tags %j as %j', (tags, expected) => {
    const { tags: asked } = calls.listRequest(project, tags, 0).query;

    expect(asked).toBe(expected);
  });

  it('asks for a page of a thousand from an offset', () => {
    expect(calls.listRequest(project, {}, 2000)).toEqual({
      method: 'GET',
      path: `/v2/${project}/instances`,
      query: { offset: '2000', limit: '1000' },
      body: '',
    });
  });
});

describe('readPage', () => {
  it('reads a page', () => {
    const page = answer(200, { instance_num: 7, instances: [item({ ip: '10.0.0.1', publicip_id: {} })] });

    expect(calls.readPage(page, context)).toEqual({
      ok: true,
      value: { total: 7, instances: [{ ...listed, addresses: ['10.0.0.1'] }] },
    });
  });

  it.each([
    ['an id in upper case', { instance_id: one.toUpperCase() }, {}],
    ['a numeric version', { engine_version: 5 }, { version: '5' }],
    ['a numeric name', { name: 12345 }, { name: '12345' }],
    ['no name', { name: undefined }, { name: '' }],
    ['a name that is null', { name: null }, { name: '' }],
    ['a name that is an object', { name: {} }, { name: '' }],
    ['no engine', { engine: undefined }, { engine: '' }],
    ['a status that is not known', { status: 'DREAMING' }, { status: 'DREAMING' }],
    ['no status', { status: undefined }, { status: '' }],
    ['no spec_code', { spec_code: [] }, { specCode: '' }],
    ['several addresses', { ip: '192.168.0.1, 192.168.0.2' }, { addresses: ['192.168.0.1', '192.168.0.2'] }],
    [
      'names and a public address',
      {
        ip: '10.0.0.1',
        domain_name: 'Redis-1.DCS.example.com',
        readonly_domain_name: 'ro',
        publicip_address: '1.2.3.4',
      },
      { addresses: ['10.0.0.1', 'redis-1.dcs.example.com', 'ro', '1.2.3.4'] },
    ],
    ['no address', { ip: '', domain_name: null, publicip_address: {} }, { addresses: [] }],
    ['a port', { port: 6379 }, { port: 6379 }],
    ['a port as a text', { port: '6379' }, { port: 6379 }],
    ['a port that is none', { port: 70_000 }, { port: null }],
    ['an empty list of tags', { tags: [] }, { tags: {} }],
    ['no tags', { tags: undefined }, { tags: null }],
    ['tags that are null', { tags: null }, { tags: null }],
    ['tags that are an object', { tags: { env: 'prod' } }, { tags: null }],
    ['tags that are text', { tags: 'env=prod' }, { tags: null }],
    ['a numeric tag', { tags: [{ key: 1, value: 2 }] }, { tags: { 1: '2' } }],
    ['a boolean tag', { tags: [{ key: 'a', value: true }] }, { tags: { a: 'true' } }],
    ['a tag without a value', { tags: [{ key: 'a' }, { key: 'b', value: null }] }, { tags: { a: '', b: '' } }],
    ['a tag without a key', { tags: [{ value: 'a' }] }, { tags: null }],
    ['a tag with an empty key', { tags: [{ key: '', value: 'a' }] }, { tags: null }],
    ['a tag with a value of two', { tags: [{ key: 'a', value: ['b', 'c'] }] }, { tags: null }],
    [
      'one tag twice',
      {
        tags: [
          { key: 'a', value: '1' },
          { key: 'a', value: '2' },
        ],
      },
      { tags: null },
    ],
    ['one tag of two that cannot be read', { tags: [{ key: 'a', value: 'b' }, null] }, { tags: null }],
  ])('reads an instance with %s', (_name, change, expected) => {
    const page = calls.readPage(answer(200, { instance_num: 1, instances: [item(change)] }), context);

    expect(page).toEqual({ ok: true, value: { total: 1, instances: [{ ...listed, ...expected }] } });
  });

  it('keeps a tag with the name of a built-in property', () => {
    const tags = [{ key: '__proto__', value: 'x' }];

    const page = calls.readPage(answer(200, { instances: [item({ tags })] }), context);

    expect(JSON.stringify(page)).toContain('{"__proto__":"x"}');
  });

  it.each([
    ['7', 7],
    [0, 0],
    [-1, null],
    [1.5, null],
    ['many', null],
    [null, null],
    [undefined, null],
  ])('reads the total %j as %j', (total, expected) => {
    const page = calls.readPage(answer(200, { instance_num: total, instances: [] }), context);

    expect(page).toEqual({ ok: true, value: { total: expected, instances: [] } });
  });

  it.each([
    ['no instances', {}, 'instances'],
    ['instances that are null', { instances: null }, 'instances'],
    ['an item that is null', { instances: [item(), null] }, 'instances.1'],
    ['an item without an id', { instances: [item(), item({ instance_id: undefined })] }, 'instances.1.instance_id'],
    ['an item with a numeric id', { instances: [item({ instance_id: 7 })] }, 'instances.0.instance_id'],
    ['an item with an empty id', { instances: [item({ instance_id: '' })] }, 'instances.0.instance_id'],
    ['no JSON', '<html>', 'its beginning'],
    ['nothing', '', 'its beginning'],
  ])('cannot read a page with %s, and says where', (_name, body, where) => {
    const page = calls.readPage(answer(200, body), context);

    expect(page).toMatchObject({
      ok: false,
      problem: { class: 'unknown', code: 'answer_unreadable', message: expect.stringContaining(` ${where}.`) },
    });
  });

  it.each([
    [400, 'DCS.4800', 'final'],
    [403, 'DCS.2007', 'config'],
    [500, 'DCS.5024', 'unknown'],
  ])('hands on HTTP %i %s as %s', (status, code, errorClass) => {
    const page = calls.readPage(answer(status, { error_code: code, error_msg: 'x' }), context);

    expect(page).toMatchObject({ ok: false, problem: { class: errorClass, code } });
  });
});

describe('isLastPage', () => {
  const full = Array.from({ length: 1000 }, () => listed);

  it.each([
    ['an empty page ends the list, whatever the total', [], 5000, 1000, true],
    ['the total ends the list', full, 2000, 2000, true],
    ['the total goes on', full, 2001, 2000, false],
    ['a short page before the total goes on', [listed], 2000, 1, false],
    ['a short page without a total ends the list', [listed], null, 1001, true],
    ['a full page without a total goes on', full, null, 1000, false],
  ])('%s', (_name, instances, total, offset, last) => {
    expect(calls.isLastPage({ instances, total }, offset)).toBe(last);
  });
});

describe('isRepeatedPage', () => {
  it.each([
    ['nothing new with some still to come', [listed], 1500, 1000, 1000, true],
    ['nothing new without a total', [listed], null, 1000, 1000, true],
    ['nothing new with all seen, as others were deleted', [listed], 1000, 1000, 1000, false],
    ['something new', [listed], 1500, 1001, 1000, false],
    ['an empty page', [], 1500, 1000, 1000, false],
  ])('sees in %s whether a page repeats', (_name, instances, total, found, known, repeated) => {
    expect(calls.isRepeatedPage({ instances, total }, found, known)).toBe(repeated);
  });
});

describe('readTotal', () => {
  it('asks for one row only', () => {
    expect(calls.totalRequest(project).query).toEqual({ offset: '0', limit: '1' });
  });

  it.each([
    [7, 7],
    ['7', 7],
    [0, 0],
  ])('reads %j', (total, expected) => {
    expect(calls.readTotal(answer(200, { instance_num: total, instances: [{}] }), context)).toEqual({
      ok: true,
      value: expected,
    });
  });

  it.each([undefined, null, '', 'x', -1, 1.5, {}, '1e3'])('does not guess a total from %j', (total) => {
    expect(calls.readTotal(answer(200, { instance_num: total }), context)).toMatchObject({
      ok: false,
      problem: { code: 'answer_unreadable' },
    });
  });
});

describe('readShow', () => {
  it('asks for one instance', () => {
    expect(calls.showRequest(project, one).path).toBe(`/v2/${project}/instances/${one}`);
  });

  it.each([
    ['idle', { cache_mode: 'ha', task: null }, 'ha', null],
    ['idle, told by an empty text', { cache_mode: 'single', task: '' }, 'single', null],
    ['idle, told by nothing', { cache_mode: 'cluster' }, 'cluster', null],
    ['backing up', { cache_mode: 'ha', task: 'BACKUPING' }, 'ha', 'BACKUPING'],
    ['at a task with members', { cache_mode: 'ha', task: { name: 'x' } }, 'ha', '{"name":"x"}'],
    ['at a task without members', { cache_mode: 'ha', task: {} }, 'ha', '{}'],
    ['at a numbered task', { cache_mode: 'ha', task: 0 }, 'ha', '0'],
    ['at a task told by a boolean', { cache_mode: 'ha', task: false }, 'ha', 'false'],
    ['of a mode that is not told', {}, null, null],
    ['of an empty mode', { cache_mode: '' }, null, null],
    ['of a mode that is an object', { cache_mode: {} }, null, null],
  ])('reads an instance that is %s', (_name, change, cacheMode, task) => {
    const reading = calls.readShow(answer(200, item(change)), one.toUpperCase(), context);

    expect(reading).toEqual({ ok: true, value: { ...read, cacheMode, task } });
  });

  it.each([
    [404, 'DCS.3022'],
    [404, '111404022'],
    [400, 'DCS.3022'],
    [404, 'DCS.4888'],
  ])('takes HTTP %i %s for an instance that does not exist', (status, code) => {
    const gone = answer(status, { error_code: code, error_msg: 'x' });

    expect(calls.readShow(gone, one, context)).toEqual({ ok: true, value: null });
  });

  it.each([
    [404, 'APIGW.0101', 'config'],
    [404, 'DCS.4001', 'config'],
    [404, '', 'config'],
    [403, 'DCS.3003', 'config'],
    [400, 'DCS.4061', 'final'],
    [500, 'DCS.5000', 'unknown'],
  ])('does not take HTTP %i %s for an instance that does not exist', (status, code, errorClass) => {
    const reading = calls.readShow(answer(status, { error_code: code, error_msg: 'x' }), one, context);

    expect(reading).toMatchObject({ ok: false, problem: { class: errorClass } });
  });

  it.each([
    ['about another instance', item({ instance_id: two })],
    ['without an id', item({ instance_id: undefined })],
    ['that is no JSON', '<html>'],
  ])('cannot read an answer %s', (_name, body) => {
    expect(calls.readShow(answer(200, body), one, context)).toMatchObject({
      ok: false,
      problem: { class: 'unknown', code: 'answer_unreadable' },
    });
  });
});

describe('readKeyCounts', () => {
  it('asks for the load of all running instances', () => {
    expect(calls.statisticRequest(project).path).toBe(`/v2/${project}/instances/statistic`);
  });

  it.each([
    ['numbers', [{ instance_id: one, keys: 12 }], [[one, 12]]],
    ['numbers as text', [{ instance_id: one.toUpperCase(), keys: '12' }], [[one, 12]]],
    ['no keys', [{ instance_id: one }, { instance_id: two, keys: 0 }], [[two, 0]]],
    ['odd entries', [null, {}, { instance_id: 7, keys: 1 }, { instance_id: one, keys: -1 }], []],
    ['nothing', [], []],
  ] as const)('reads %s', (_name, statistics, expected) => {
    expect(calls.readKeyCounts(answer(200, { statistics }), context)).toEqual({ ok: true, value: new Map(expected) });
  });

  it('cannot read an answer without statistics', () => {
    expect(calls.readKeyCounts(answer(200, {}), context)).toMatchObject({ problem: { code: 'answer_unreadable' } });
  });
});

describe('readAppendonly', () => {
  const other = { param_id: 2, param_name: 'timeout', param_value: 0 };

  it('asks for the parameters of one instance', () => {
    expect(calls.configsRequest(project, one).path).toBe(`/v2/${project}/instances/${one}/configs`);
  });

  it.each([
    ['yes', [other, { param_name: 'appendonly', param_value: 'yes' }], true],
    ['no', [{ param_name: 'appendonly', param_value: 'no' }], false],
    ['absent', [other], null],
    ['absent from an empty list', [], null],
  ])('reads it as %s', (_name, redis_config, expected) => {
    expect(calls.readAppendonly(answer(200, { redis_config }), context)).toEqual({ ok: true, value: expected });
  });

  it.each([
    ['another value', { redis_config: [{ param_name: 'appendonly', param_value: 'everysec' }] }],
    ['no value', { redis_config: [{ param_name: 'appendonly' }] }],
    ['a parameter without a name', { redis_config: [{ param_value: 'yes' }] }],
    ['no parameters', {}],
  ])('does not guess it from %s', (_name, body) => {
    expect(calls.readAppendonly(answer(200, body), context)).toMatchObject({
      ok: false,
      problem: { class: 'unknown', code: 'answer_unreadable' },
    });
  });
});

// Every switch is shown by a request in each of its settings: a switch that changes nothing would be a promise that no
// test keeps.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import type { Json } from '../../../lib/canonical.ts';
import { Fleet } from '../../../lib/local/simulator/fleet.ts';
import { Gateway } from '../../../lib/local/simulator/gateway.ts';
import { Iam } from '../../../lib/local/simulator/iam.ts';
import type { InstanceSpec } from '../../../lib/local/simulator/instance.ts';
import { mapReply, type Reply } from '../../../lib/local/simulator/reply.ts';
import { findRoute } from '../../../lib/local/simulator/routes.ts';
import { type Switches, unknowns, usualSwitches } from '../../../lib/local/simulator/unknowns.ts';

const one = '00000000-0000-4000-8000-000000000001';
const two = '00000000-0000-4000-8000-000000000002';
const three = '00000000-0000-4000-8000-000000000003';
const missing = '00000000-0000-4000-8000-00000000dead';
const start = Date.parse('2026-11-23T12:00:00Z');
const timing = {
  lag: { min: 1_000, max: 1_000 },
  restart: { min: 10_000, max: 10_000 },
  soft_restart: { min: 5_000, max: 5_000 },
  flush: { min: 2_000, max: 2_000 },
};
const throttled = { calls: [{ on: 'list', answer: { kind: 'error', status: 429 } }] } as const;

const projectId = '0a1b2c3d4e5f60718293a4b5c6d7e8f9';

interface Stage {
  readonly fleet: Fleet;
  /** Milliseconds since the start. */
  at(offset: number): void;
  /** PUT instances/status: `success failed`, `400 DCS.4111` or the kind of the answer. */
  put(action: string, instances?: readonly string[]): string;
  /** GET: the JSON, or `404 DCS.3022`. */
  get(path: string): Json | string;
  /** How often each of the three was acted on. */
  applied(): string;
}

function stage(switches: Partial<Switches>, specs: readonly Partial<InstanceSpec>[] = [{}, {}, {}]): Stage {
  let now = start;
  const ids = [one, two, three];
  const instances = specs.map((spec, index) => ({ id: ids[index] ?? one, name: `stg-cache-0${index + 1}`, ...spec }));
  const fleet = new Fleet({ instances, now: () => now, seed: 2, timing, switches });
  const request = (method: string, path: string, body = ''): Reply<Json> | undefined => {
    const [pathname = '', query] = path.split('?');
    const found = findRoute(method, `/v2/${projectId}${pathname}`);
    if (typeof found === 'string') return undefined;
    const asked = { query: new URLSearchParams(query), headers: {}, body: Buffer.from(body) };
    const reply = found.route.handle({ fleet, iam: iamOf(() => now), caller: null, ids: found.ids, ...asked });
    return mapReply(reply, (value) => value.body);
  };
  return {
    fleet,
    at: (offset) => {
      now = start + offset;
    },
    put: (action, ids) => {
      const reply = request('PUT', '/instances/status', JSON.stringify({ action, instances: ids }));
      return reply?.kind === 'ok' ? wordsOf(reply.value) : refusalOf(reply);
    },
    get: (path) => {
      const reply = request('GET', path);
      return reply?.kind === 'ok' ? reply.value : refusalOf(reply);
    },
    applied: () =>
      fleet
        .views()
        .map(({ id }) => Object.values(fleet.applied(id)).reduce((a, b) => a + b))
        .join(' '),
  };
}

function iamOf(now: () => number): Iam {
  const domain = { id: 'd0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0', name: 'simulated' };
  const project = { id: projectId, name: 'eu-de' };
  return new Iam({ domain, projects: [project], users: [], agencies: [], identities: [], tokenLifetime: 60 }, [], now);
}

/** What a stranger gets: the status and the body. */
function strangersAnswer(
  { fleet }: Stage,
  [method, url, token]: readonly [method: string, url: string, token?: string],
): readonly [number, string] {
  const now = (): number => start;
  const gateway = new Gateway({ fleet, iam: iamOf(now), projectId, now });
  const headers = token === undefined ? {} : { 'x-auth-token': token };
  const answer = gateway.answer({ method, url, headers, body: Buffer.from('{}') });
  return answer.kind === 'answer' ? [answer.status, answer.text] : [0, answer.kind];
}

function codesOf(staged: Stage): readonly string[] {
  const requests: readonly (readonly [string, string, string?])[] = [
    ['GET', '/v2/nowhere'],
    ['DELETE', `/v2/${projectId}/instances`],
    ['GET', `/v2/${projectId}/instances`],
    ['GET', `/v2/${projectId}/instances`, 'made-up'],
  ];
  const form = v.pipe(v.string(), v.parseJson(), v.object({ error_code: v.string() }));
  return requests.map((request) => v.parse(form, strangersAnswer(staged, request)[1]).error_code);
}

const resultsForm = v.object({ results: v.array(v.object({ instance: v.string(), result: v.string() })) });

/** `1 success, 2 failed` */
function wordsOf(value: Json): string {
  const { results } = v.parse(resultsForm, value);
  return results.map(({ instance, result }) => `${instance.at(-1)} ${result}`).join(', ');
}

function refusalOf(reply: Reply<Json> | undefined): string {
  return reply?.kind === 'error' ? `${reply.error.status} ${reply.error.code}` : (reply?.kind ?? 'no route');
}

function memberOf(value: Json | string, name: string): unknown {
  return v.parse(v.looseObject({}), value)[name];
}

function keysTold({ get }: Stage): unknown {
  const form = v.object({ statistics: v.array(v.object({ keys: v.number() })) });
  return v
    .parse(form, get('/instances/statistic'))
    .statistics.map(({ keys }) => keys)
    .join(' ');
}

type Shown = Readonly<Record<string, unknown>>;

/** For each switch: a request, and what it shows in each setting. */
const shows = {
  unknownIn: [
    ({ put, applied }) => [put('flush', [one, missing]), applied()],
    { 'whole-call': ['404 DCS.3022', '0 0 0'], entry: ['1 success, d failed', '1 0 0'] },
  ],
  malformedIn: [
    ({ put, applied }) => [put('flush', [one, 'no-uuid']), applied()],
    { 'whole-call': ['400 DCS.4061', '0 0 0'], entry: ['1 success, d failed', '1 0 0'] },
  ],
  busyIn: [
    ({ put, fleet }) => {
      fleet.set(two, { status: 'EXTENDING' });
      return [put('restart', [two]), put('restart', [one, two])];
    },
    {
      auto: ['400 DCS.4113', '1 success, 2 failed'],
      'whole-call': ['400 DCS.4113', '400 DCS.4113'],
      entry: ['2 failed', '1 success, 2 failed'],
    },
  ],
  unsupportedIn: [
    ({ put, fleet }) => {
      fleet.set(two, { version: '3.0' });
      return [put('flush', [two]), put('flush', [one, two])];
    },
    {
      auto: ['400 DCS.4026', '1 success, 2 failed'],
      'whole-call': ['400 DCS.4026', '400 DCS.4026'],
      entry: ['2 failed', '1 success, 2 failed'],
    },
  ],
  appliesBeforeRefusal: [
    ({ put, applied }) => [put('flush', [one, missing, three]), applied()],
    { false: ['404 DCS.3022', '0 0 0'], true: ['404 DCS.3022', '1 0 0'] },
  ],
  unsupportedCode: [
    ({ put, fleet }) => {
      fleet.set(one, { version: '3.0' });
      return put('flush', [one]);
    },
    { 'DCS.4026': '400 DCS.4026', 'DCS.4027': '400 DCS.4027', 'DCS.4008': '400 DCS.4008' },
  ],
  flushingCode: [
    ({ put, fleet }) => {
      fleet.set(one, { status: 'FLUSHING' });
      return put('flush', [one]);
    },
    { 'DCS.4017': '400 DCS.4017', 'DCS.4026': '400 DCS.4026', 'DCS.4049': '400 DCS.4049' },
  ],
  codes: [
    ({ put, get }) => [put('stop', [one]), put('flush', [missing]), get('/instances?limit=0')],
    {
      named: ['400 DCS.4064', '404 DCS.3022', '400 DCS.4800'],
      numeric: ['400 111400064', '404 111404022', '400 111400800'],
    },
  ],
  resultOrder: [
    ({ put }) => put('flush', [one, two, three]),
    {
      asked: '1 success, 2 success, 3 success',
      reversed: '3 success, 2 success, 1 success',
      shuffled: '2 success, 1 success, 3 success',
    },
  ],
  missingEntries: [
    ({ put, fleet, applied }) => {
      fleet.set(two, { status: 'EXTENDING' });
      return [put('flush', [one, two, three]), applied()];
    },
    {
      none: ['1 success, 2 failed, 3 success', '1 0 1'],
      failed: ['1 success, 3 success', '1 0 1'],
      last: ['1 success, 2 failed', '1 0 1'],
    },
  ],
  duplicates: [
    ({ put, applied }) => [put('flush', [one, two, one]), applied()],
    {
      once: ['1 success, 2 success', '1 1 0'],
      each: ['1 success, 2 success, 1 success', '1 1 0'],
      busy: ['1 success, 2 success, 1 failed', '1 1 0'],
      refused: ['400 DCS.4063', '0 0 0'],
    },
  ],
  emptyInstances: [
    ({ put, applied }) => [put('flush', []), applied(), put('restart')],
    {
      refused: ['400 DCS.4065', '0 0 0', '400 DCS.4065'],
      nothing: ['', '0 0 0', ''],
      all: ['1 success, 2 success, 3 success', '1 1 1', '1 failed, 2 failed, 3 failed'],
    },
  ],
  successBody: [
    ({ put, applied }) => [put('flush', [one, two]), applied()],
    { results: ['1 success, 2 success', '1 1 0'], empty: ['empty', '1 1 0'] },
  ],
  updatedAt: [
    ({ put, at, get }) => {
      at(7_000);
      put('restart', [one]);
      return memberOf(get(`/instances/${one}`), 'updated_at');
    },
    { moves: '2026-11-23T12:00:07.000Z', stays: '2026-01-05T08:00:00.000Z' },
  ],
  keysLag: [
    (staged) => {
      staged.put('flush', [one]);
      return [10_000, 60_999, 61_000].map((offset) => {
        staged.at(offset);
        return keysTold(staged);
      });
    },
    {
      none: ['0 1000 1000', '0 1000 1000', '0 1000 1000'],
      'a-minute': ['1000 1000 1000', '1000 1000 1000', '0 1000 1000'],
    },
  ],
  workLag: [
    ({ put, at, fleet }) => {
      put('restart', [one]);
      return [0, 1_000, 11_000, 20_000].map((offset) => {
        at(offset);
        return fleet.view(one)?.status;
      });
    },
    {
      timed: ['RUNNING', 'RESTARTING', 'RUNNING', 'RUNNING'],
      none: ['RESTARTING', 'RESTARTING', 'RUNNING', 'RUNNING'],
      long: ['RUNNING', 'RUNNING', 'RUNNING', 'RESTARTING'],
    },
  ],
  flushVisible: [
    ({ put, at, fleet }) => {
      put('flush', [one]);
      at(1_000);
      return [fleet.view(one)?.status, fleet.view(one)?.keys];
    },
    { true: ['FLUSHING', 0], false: ['RUNNING', 0] },
  ],
  softRestartVisible: [
    ({ put, at, fleet }) => {
      put('soft_restart', [one]);
      at(1_000);
      return [fleet.view(one)?.status, put('restart', [one])];
    },
    { true: ['RESTARTING', '400 DCS.4111'], false: ['RUNNING', '400 DCS.4017'] },
  ],
  softRestartData: [
    ({ put, at, fleet }) => {
      fleet.set(one, { appendonly: false });
      put('soft_restart', [one]);
      put('soft_restart', [two]);
      at(60_000);
      return [one, two].map((id) => fleet.view(id)?.keys);
    },
    { 'by-rule': [0, 1_000], kept: [1_000, 1_000] },
  ],
  softRestartOfError: [
    ({ put, fleet }) => {
      fleet.set(one, { status: 'ERROR' });
      return put('soft_restart', [one]);
    },
    { accepted: '1 success', refused: '400 DCS.4026' },
  ],
  softRestartOfOld: [
    ({ put, fleet }) => {
      fleet.set(one, { version: '3.0' });
      return [put('soft_restart', [one]), put('soft_restart', [two])];
    },
    { accepted: ['1 success', '2 success'], refused: ['400 DCS.4026', '2 success'] },
  ],
  missingOnShow: [({ get }) => get(`/instances/${missing}`), { '404': '404 DCS.3022', '400': '400 DCS.3022' }],
  instanceNum: [({ get }) => memberOf(get('/instances?limit=2'), 'instance_num'), { total: 3, page: 2 }],
  subStatus: [
    ({ get, fleet }) => {
      fleet.set(two, { status: 'EXTENDING' });
      return [one, two].map((id) => memberOf(get(`/instances/${id}`), 'sub_status'));
    },
    { normal: ['normal', 'normal'], 'by-state': ['normal', 'extending'], absent: [undefined, undefined] },
  ],
  taskForm: [
    ({ get, fleet }) => {
      fleet.set(two, { task: 'BACKUPING' });
      return [one, two].map((id) => memberOf(get(`/instances/${id}`), 'task'));
    },
    {
      text: [null, 'BACKUPING'],
      object: [null, { name: 'BACKUPING', status: 'RUNNING' }],
      absent: [undefined, 'BACKUPING'],
    },
  ],
  oddTypes: [({ get }) => memberOf(get(`/instances/${one}`), 'publicip_id'), { false: null, true: {} }],
  retryAfter: [
    ({ fleet }) => {
      fleet.script(throttled);
      const reply = fleet.list({ offset: 0, limit: 10 });
      return reply.kind === 'error' ? reply.error.retryAfter : reply.kind;
    },
    { none: undefined, seconds: 1, date: 'Mon, 23 Nov 2026 12:00:01 GMT' },
  ],
  front: [
    codesOf,
    {
      gateway: ['APIGW.0101', 'APIGW.0101', 'APIGW.0301', 'APIGW.0301'],
      service: ['DCS.4001', 'DCS.5001', 'DCS.1003', 'DCS.1001'],
    },
  ],
  iamErrors: [
    (staged) => strangersAnswer(staged, ['POST', '/v3/auth/tokens']),
    {
      code: [400, '{"error_code":"IAM.0011","error_msg":"Request body is invalid."}'],
      keystone: [400, '{"error":{"code":400,"message":"Request body is invalid.","title":"Bad Request"}}'],
    },
  ],
  gatewayPrefix: [
    ({ fleet, get }) => {
      fleet.script(throttled);
      return get('/instances');
    },
    { APIGW: '429 APIGW.0308', APIG: '429 APIG.0308' },
  ],
} as const satisfies Readonly<Record<keyof Switches, readonly [(staged: Stage) => unknown, Shown]>>;

describe('the switch', () => {
  const cases = Object.entries(shows).flatMap(([name, [probe, settings]]) =>
    Object.entries(settings).map(([setting, expected]) => ({ name, setting, probe, expected })),
  );

  it.each(cases)('$name: $setting is seen in an answer', ({ name, setting, probe, expected }) => {
    const value = ['true', 'false'].includes(setting) ? setting === 'true' : setting;

    expect(probe(stage({ [name]: value }))).toEqual(expected);
  });

  it.each(Object.entries(unknowns))('%s is tried in all its settings', (name, { settings }) => {
    const tried = cases.filter((each) => each.name === name).map(({ setting }) => setting);

    expect(tried.sort()).toEqual(settings.map(String).sort());
  });
});

describe('a missing instance', () => {
  it('has the number of its code whatever the status is', () => {
    const { get } = stage({ codes: 'numeric', missingOnShow: '400' });

    expect(get(`/instances/${missing}`)).toBe('400 111404022');
  });
});

describe('an order that is shuffled', () => {
  it('is the same for the same seed and request, and another for the next request', () => {
    const ids = Array.from({ length: 20 }, (_, n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`);
    const answers = [0, 1].map(() => {
      const instances = ids.map((id) => ({ id, name: id }));
      const fleet = new Fleet({ instances, now: () => start, switches: { resultOrder: 'shuffled', busyIn: 'entry' } });
      return [0, 1].map(() => fleet.act({ action: 'restart', instances: ids }));
    });

    const orders = answers.map((replies) =>
      replies.map((reply) => (reply.kind === 'ok' ? reply.value.map(({ instance }) => instance) : [])),
    );
    expect(orders[1]).toEqual(orders[0]);
    expect(orders[0]?.[0]).not.toEqual(orders[0]?.[1]);
    expect(orders[0]?.[0]?.toSorted()).toEqual(ids);
  });
});

describe('what is usual', () => {
  it('is the first setting of each switch', () => {
    const first = Object.entries(unknowns).map(([name, { settings }]) => [name, settings[0]]);

    expect(usualSwitches).toEqual(Object.fromEntries(first));
  });

  it('is told in the documentation, with the other settings', () => {
    const text = readFileSync('docs/simulator.md', 'utf8');
    const rows = Object.entries(unknowns).map(([name, { settings, about }]) => {
      return `| \`${name}\` | ${settings.map((each) => `\`${each}\``).join(', ')} | ${about} |`;
    });

    expect(rows.filter((row) => !text.includes(row))).toEqual([]);
  });

  it('has a sentence for each', () => {
    expect(Object.values(unknowns).every(({ about }) => /^\w.*\.$/.test(about))).toBe(true);
  });
});

// What every implementation of the port to DCS does, held against a simulated fleet: the real client over HTTP and the
// fake in memory give the same answers, so that a test on the fake says something about the real one.

import { afterEach, describe, expect, it } from '@jest/globals';
import { actions } from '../../lib/config.ts';
import type { Answer, DcsApi } from '../../lib/execute.ts';
import { Fleet, type FleetOptions } from '../../lib/local/simulator/fleet.ts';
import type { InstanceSpec } from '../../lib/local/simulator/instance.ts';
import { makeFleet } from '../../lib/local/simulator/make-fleet.ts';
import type { FaultAnswer } from '../../lib/local/simulator/script.ts';

/** An implementation on a fleet, with whatever it needs to be taken down. */
export interface Subject {
  readonly api: DcsApi;
  close(): Promise<void>;
}

/** What the implementation is built for. */
export interface SubjectOptions {
  readonly fleet: Fleet;
  /** The fleet's clock. */
  readonly now: () => number;
  /** Seconds until a call is given up. */
  readonly timeout: number;
}

const ids = [1, 2, 3, 4].map((number) => `00000000-0000-4000-8000-00000000000${number}`);
const [one = '', two = '', three = '', four = ''] = ids;
const missing = '00000000-0000-4000-8000-00000000dead';
const start = Date.parse('2026-11-23T12:00:00Z');
const timing = {
  lag: { min: 1_000, max: 1_000 },
  restart: { min: 10_000, max: 10_000 },
  soft_restart: { min: 5_000, max: 5_000 },
  flush: { min: 2_000, max: 2_000 },
};

const mixed: readonly Partial<InstanceSpec>[] = [
  { tags: { env: 'staging', team: 'search' }, keys: 11 },
  { tags: { env: 'staging', team: 'r&d, b/c' }, keys: 22, version: '6.0', cacheMode: 'cluster' },
  { tags: { env: 'prod' }, keys: 33, version: '3.0', cacheMode: 'single', task: 'BACKUPING' },
  { tags: {}, keys: 44, status: 'EXTENDING', appendonly: false },
];

/** Registers the suite for one implementation. */
export function dcsContract(name: string, makeSubject: (options: SubjectOptions) => Promise<Subject>): void {
  describe(`${name}, like every DcsApi,`, () => {
    const open: Subject[] = [];
    let now = start;

    afterEach(async () => {
      await Promise.all(open.splice(0).map((subject) => subject.close()));
      now = start;
    });

    async function subjectOn(fleet: Fleet, timeout = 30): Promise<DcsApi> {
      const subject = await makeSubject({ fleet, now: () => now, timeout });
      open.push(subject);
      return subject.api;
    }

    async function stage(
      specs: readonly Partial<InstanceSpec>[],
      options: Partial<FleetOptions> = {},
      timeout?: number,
    ): Promise<{ readonly fleet: Fleet; readonly api: DcsApi }> {
      const instances = specs.map((spec, index) => ({
        id: ids[index] ?? '',
        name: `stg-cache-0${index + 1}`,
        ...spec,
      }));
      const fleet = new Fleet({ instances, now: () => now, timing, ...options });
      return { fleet, api: await subjectOn(fleet, timeout) };
    }

    describe('lists', () => {
      it('what the service tells of each instance', async () => {
        const { api } = await stage(mixed.slice(0, 2));

        const reading = await api.list({});

        const plain = { engine: 'Redis', status: 'RUNNING' };
        const [first, second] = [mixed[0]?.tags, mixed[1]?.tags];
        const [ha, cluster] = ['redis.ha.xu1.large.2', 'redis.cluster.xu1.large.2'];
        expect(reading).toEqual({
          ok: true,
          value: [
            { ...plain, id: one, name: 'stg-cache-01', version: '5.0', tags: first, specCode: ha },
            { ...plain, id: two, name: 'stg-cache-02', version: '6.0', tags: second, specCode: cluster },
          ].map((expected) => expect.objectContaining(expected)),
        });
      });

      it('where clients connect to each instance: addresses, the domain name and the port', async () => {
        const { api } = await stage([{ ip: '192.168.7.1,192.168.7.2' }, { ip: '' }]);

        const reading = await api.list({});

        const name = (id: string) => `redis-${id.slice(0, 8)}.dcs.example.com`;
        expect(reading.ok && reading.value.map(({ addresses, port }) => [addresses, port])).toEqual([
          [['192.168.7.1', '192.168.7.2', name(one)], 6379],
          [[name(two)], 6379],
        ]);
      });

      it.each<[string, Record<string, string>, readonly string[]]>([
        ['no tag', {}, [one, two, three, four]],
        ['one tag', { env: 'staging' }, [one, two]],
        ['two tags, of which all must match', { env: 'staging', team: 'search' }, [one]],
        ['a tag that nobody carries', { env: 'dev' }, []],
        ['a tag with odd signs', { odd: 'a&b/c d+é' }, []],
        [
          'a tag that cannot be asked for, which is then not asked for',
          { env: 'staging', team: 'r&d, b/c' },
          [one, two],
        ],
      ])('the instances that carry %s', async (_, tags, expected) => {
        const { api } = await stage(mixed);

        const reading = await api.list(tags);

        expect(reading.ok && reading.value.map(({ id }) => id)).toEqual(expected);
      });

      it('all of more than a thousand, each once', async () => {
        const fleet = makeFleet({ instances: 2_003, now: () => now });
        const api = await subjectOn(fleet);

        const [all, staging, total] = [await api.list({}), await api.list({ env: 'staging' }), await api.total()];

        expect(all.ok && all.value.map(({ id }) => id)).toEqual(fleet.views().map(({ id }) => id));
        expect(staging.ok && staging.value.length).toBe(1_002);
        expect(total).toEqual({ ok: true, value: 2_003 });
      });

      it('unreadable tags as null', async () => {
        const { api } = await stage([{ tags: null }]);

        const reading = await api.list({});

        expect(reading.ok && reading.value.map(({ tags }) => tags)).toEqual([null]);
      });

      it('the same whether or not the types are those of the vendor’s samples', async () => {
        const specs = [{ tags: { '2026': '7', env: 'staging' } }];
        const { api } = await stage(specs);
        const { api: odd } = await stage(specs, { switches: { oddTypes: true } });

        expect(await odd.list({})).toEqual(await api.list({}));
        expect(await odd.show(one)).toEqual(await api.show(one));
      });

      it('and counts neither deleted instances nor those that were never created', async () => {
        const { api } = await stage([{}, { status: 'DELETED' }, { status: 'CREATEFAILED' }]);

        const reading = await api.list({});

        expect(reading.ok && reading.value.map(({ id }) => id)).toEqual([one]);
        expect(await api.total()).toEqual({ ok: true, value: 1 });
      });
    });

    describe('reads one instance', () => {
      it('with its type and its task', async () => {
        const { api } = await stage(mixed);

        const readings = [await api.show(one), await api.show(three)];

        expect(readings).toMatchObject([
          { ok: true, value: { id: one, cacheMode: 'ha', task: null, status: 'RUNNING' } },
          { ok: true, value: { id: three, cacheMode: 'single', task: 'BACKUPING', status: 'RUNNING' } },
        ]);
      });

      it('as null when it does not exist, or no longer', async () => {
        const { api } = await stage([{ status: 'DELETED' }]);

        const readings = [await api.show(missing), await api.show(one)];

        expect(readings).toEqual([
          { ok: true, value: null },
          { ok: true, value: null },
        ]);
      });

      it('and does not take a 404 of the gateway for a missing instance', async () => {
        const { api } = await stage([{}], {
          script: { calls: [{ on: 'show', answer: { kind: 'error', status: 404 } }] },
        });

        const reading = await api.show(one);

        expect(reading).toMatchObject({ ok: false, problem: { class: 'config', code: 'APIGW.0101', status: 404 } });
      });

      it.each<[string, Partial<InstanceSpec>, boolean | null]>([
        ['on', { cacheMode: 'ha' }, true],
        ['off', { cacheMode: 'ha', appendonly: false }, false],
        ['not there', { cacheMode: 'single' }, null],
      ])('with appendonly %s', async (_, spec, expected) => {
        const { api } = await stage([spec]);

        const reading = await api.appendonly(one);

        expect(reading).toEqual({ ok: true, value: expected });
      });

      it('and has a problem with the parameters of one that does not exist', async () => {
        const { api } = await stage([{}]);

        const reading = await api.appendonly(missing);

        expect(reading).toMatchObject({ ok: false, problem: { class: 'final', code: 'DCS.3022', status: 404 } });
      });

      it('counts the keys of running ones only', async () => {
        const { api } = await stage(mixed);

        const reading = await api.keyCounts();

        const counts = { [one]: 11, [two]: 22, [three]: 33 };
        expect(reading).toEqual({ ok: true, value: new Map(Object.entries(counts)) });
      });
    });

    describe('tells of a read that failed', () => {
      const reads: readonly [string, (api: DcsApi) => Promise<unknown>][] = [
        ['list', (api) => api.list({})],
        ['total', (api) => api.total()],
        ['show', (api) => api.show(one)],
        ['appendonly', (api) => api.appendonly(one)],
        ['keyCounts', (api) => api.keyCounts()],
      ];
      const failures: readonly [string, FaultAnswer, Record<string, unknown>][] = [
        ['500', { kind: 'error', status: 500 }, { class: 'unknown', code: 'DCS.5000', status: 500 }],
        ['403', { kind: 'error', status: 403 }, { class: 'config', code: 'DCS.2003', status: 403 }],
        ['dropped', { kind: 'drop' }, { class: 'unknown', code: 'connection_lost' }],
        ['without content', { kind: 'empty' }, { class: 'unknown', code: 'answer_unreadable', status: 204 }],
        ['no JSON', { kind: 'malformed' }, { class: 'unknown', code: 'answer_unreadable', status: 200 }],
        ['broken off', { kind: 'truncated' }, { class: 'unknown', code: 'connection_lost' }],
        [
          'throttled',
          { kind: 'error', status: 429, retryAfter: 2 },
          { class: 'throttled', code: 'APIGW.0308', status: 429, retryAfter: 2 },
        ],
      ];
      const cases = reads.flatMap(([read, call]) =>
        failures.map(([what, ...rest]) => [read, what, call, ...rest] as const),
      );

      it.each(cases)('%s: %s', async (_read, _what, call, answer, expected) => {
        const { api } = await stage([{}], { script: { calls: [{ on: 'reads', answer }] } });

        const reading = await call(api);

        expect(reading).toMatchObject({ ok: false, problem: expected });
      });

      it('when the answer did not come in time', async () => {
        const calls = [{ on: 'reads', answer: { kind: 'delay', ms: 60_000 } }] as const;
        const { api } = await stage([{}], { script: { calls } }, 0.25);

        const reading = await api.show(one);

        expect(reading).toMatchObject({ ok: false, problem: { class: 'unknown', code: 'timeout' } });
      });
    });

    describe('sends', () => {
      it.each(actions)('%s, once, and tells the result and the request', async (action) => {
        const { api, fleet } = await stage([{}, {}]);

        const answer = await api.act(action, [one, two]);

        const requestId = fleet.log()[0]?.requestId;
        expect(answer).toEqual({
          kind: 'answered',
          results: results({ [one]: 'success', [two]: 'success' }),
          requestId,
        });
        expect(fleet.log().map((entry) => [entry.instanceId, entry.action])).toEqual([
          [one, action],
          [two, action],
        ]);
        expect(fleet.calls().act).toBe(1);
      });

      it('fifty instances in one call', async () => {
        const fleet = makeFleet({ instances: 50, now: () => now });
        const api = await subjectOn(fleet);

        const answer = await api.act(
          'restart',
          fleet.views().map(({ id }) => id),
        );

        expect(answer.kind === 'answered' && answer.results.size).toBe(50);
        expect([fleet.calls().act, fleet.log().length]).toEqual([1, 50]);
      });

      it.each([0, 51])('nothing at all for %i ids', async (count) => {
        const fleet = makeFleet({ instances: 60, now: () => now });
        const api = await subjectOn(fleet);
        const some = fleet.views().map(({ id }) => id);

        await expect(api.act('restart', some.slice(0, count))).rejects.toThrow(RangeError);

        expect(fleet.calls().act).toBe(0);
      });

      it('an instance once that is named twice', async () => {
        const { api, fleet } = await stage([{}]);

        const answer = await api.act('restart', [one, one]);

        expect(answer).toMatchObject({ kind: 'answered', results: results({ [one]: 'success' }) });
        expect(fleet.applied(one).restart).toBe(1);
      });

      it('an action that shows in the states, then is over', async () => {
        const { api } = await stage([{}, {}]);
        const seen: (string | false)[] = [];

        await api.act('soft_restart', [one]);
        await api.act('flush', [two]);
        for (const offset of [500, 2_500, 10_000]) {
          now = start + offset;
          const reading = await api.list({});
          seen.push(reading.ok && reading.value.map(({ status }) => status).join(' '));
        }

        expect(seen).toEqual(['RUNNING RUNNING', 'RESTARTING FLUSHING', 'RUNNING RUNNING']);
        expect(await api.keyCounts()).toEqual({ ok: true, value: results({ [one]: 1_000, [two]: 0 }) });
      });
    });

    describe('tells of a call that was answered in part', () => {
      it('which instances failed', async () => {
        const { api, fleet } = await stage([{}, {}], { script: { instances: { [two]: { sends: ['failed'] } } } });

        const answers = [await api.act('flush', [one, two]), await api.act('flush', [two])];

        expect(answers).toMatchObject([
          { kind: 'answered', results: results({ [one]: 'success', [two]: 'failed' }) },
          { kind: 'answered', results: results({ [two]: 'success' }) },
        ]);
        expect([fleet.applied(one).flush, fleet.applied(two).flush]).toEqual([1, 1]);
      });

      it.each([
        ['omitted', 1],
        ['ignored', 0],
      ] as const)('nothing of an instance that the answer leaves out: %s', async (fault, applied) => {
        const { api, fleet } = await stage([{}, {}], { script: { instances: { [two]: { sends: [fault] } } } });

        const answer = await api.act('flush', [one, two]);

        expect(answer).toMatchObject({ kind: 'answered', results: results({ [one]: 'success' }) });
        expect(fleet.applied(two).flush).toBe(applied);
      });

      it.each<[string, Partial<InstanceSpec>, FleetOptions['switches']]>([
        ['busy', { status: 'EXTENDING' }, {}],
        ['backing up', { task: 'BACKUPING' }, {}],
        ['too old', { version: '3.0' }, {}],
        ['unknown', {}, { unknownIn: 'entry' }],
      ])('that an instance failed because it is %s', async (_, spec, switches) => {
        const specs = switches?.unknownIn === undefined ? [{}, spec] : [{}];
        const { api, fleet } = await stage(specs, { switches: switches ?? {} });

        const answer = await api.act('flush', [one, two]);

        expect(answer).toMatchObject({ kind: 'answered', results: results({ [one]: 'success', [two]: 'failed' }) });
        expect(fleet.log().map(({ instanceId }) => instanceId)).toEqual([one]);
      });
    });

    describe('tells of a call that was refused as a whole', () => {
      it.each<[string, Partial<InstanceSpec>, string, string]>([
        ['restarting', { status: 'RESTARTING' }, 'busy', 'DCS.4111'],
        ['extending', { status: 'EXTENDING' }, 'busy', 'DCS.4113'],
        ['backing up', { task: 'BACKUPING' }, 'busy', 'DCS.4096'],
        ['too old', { version: '3.0' }, 'busy', 'DCS.4026'],
        ['not running', { status: 'ERROR' }, 'busy', 'DCS.4049'],
      ])('because the one instance is %s', async (_, spec, errorClass, code) => {
        const { api, fleet } = await stage([spec]);

        const answer = await api.act('flush', [one]);

        expect(answer).toMatchObject({ kind: 'refused', problem: { class: errorClass, code, status: 400 } });
        expect(fleet.log()).toEqual([]);
      });

      it('because one of many is busy, where the service does so', async () => {
        const { api, fleet } = await stage(mixed, { switches: { busyIn: 'whole-call' } });

        const answer = await api.act('restart', [one, four]);

        expect(answer).toMatchObject({ kind: 'refused', problem: { class: 'busy', code: 'DCS.4113', status: 400 } });
        expect(fleet.log()).toEqual([]);
      });

      it('because the instance is at work for an earlier call', async () => {
        const { api, fleet } = await stage([{}]);

        await api.act('restart', [one]);
        const answer = await api.act('restart', [one]);

        expect(answer).toMatchObject({ kind: 'refused', problem: { class: 'busy', code: 'DCS.4017', status: 400 } });
        expect(fleet.applied(one).restart).toBe(1);
      });

      it('because one of many does not exist', async () => {
        const { api, fleet } = await stage([{}]);

        const answer = await api.act('restart', [one, missing]);

        expect(answer).toMatchObject({ kind: 'refused', problem: { class: 'final', code: 'DCS.3022', status: 404 } });
        expect(fleet.log()).toEqual([]);
      });

      it.each<[string, FaultAnswer, Record<string, unknown>]>([
        ['429', { kind: 'error', status: 429 }, { class: 'throttled', code: 'APIGW.0308', status: 429 }],
        ['429 with a time', { kind: 'error', status: 429, retryAfter: 7 }, { class: 'throttled', retryAfter: 7 }],
        ['403', { kind: 'error', status: 403 }, { class: 'config', code: 'DCS.2003', status: 403 }],
        ['404', { kind: 'error', status: 404 }, { class: 'config', code: 'APIGW.0101', status: 404 }],
        ['a locked key', { kind: 'lockout' }, { code: 'APIGW.0301', status: 401 }],
        ['a numeric code', { kind: 'error', status: 400, code: '111400100' }, { class: 'split', code: '111400100' }],
      ])('with a class, the code, the status and the request: %s', async (_, fault, expected) => {
        const { api, fleet } = await stage([{}], { script: { calls: [{ on: 'act', answer: fault }] } });

        const answer = await api.act('restart', [one]);

        const problem = { requestId: expect.stringMatching(/^[0-9a-f]{32}$/), ...expected };
        expect(answer).toMatchObject({ kind: 'refused', problem });
        expect(fleet.log()).toEqual([]);
      });

      it.each([undefined, 'soon', '-'])('without a time to wait where Retry-After is %s', async (retryAfter) => {
        const error = { kind: 'error', status: 429 } as const;
        const fault = retryAfter === undefined ? error : { ...error, retryAfter };
        const { api } = await stage([{}], { script: { calls: [{ on: 'act', answer: fault }] } });

        const answer = await api.act('restart', [one]);

        expect(answer.kind === 'refused' && answer.problem.retryAfter).toBeUndefined();
      });
    });

    describe('tells of a call whose outcome cannot be known', () => {
      it.each<[string, FaultAnswer, string, number]>([
        ['500 before', { kind: 'error', status: 500 }, 'DCS.5000', 0],
        ['500 after', { kind: 'error', status: 500, applies: true }, 'DCS.5000', 1],
        ['500, job not submitted', { kind: 'error', status: 500, code: 'DCS.5006' }, 'DCS.5006', 0],
        ['502 after', { kind: 'error', status: 502, applies: true }, 'APIGW.0202', 1],
        ['504 after', { kind: 'error', status: 504, applies: true }, 'APIGW.0203', 1],
        ['dropped before', { kind: 'drop' }, 'connection_lost', 0],
        ['dropped after', { kind: 'drop', applies: true }, 'connection_lost', 1],
        ['204', { kind: 'empty' }, 'no_results', 1],
        ['no JSON', { kind: 'malformed' }, 'no_results', 1],
        ['broken off', { kind: 'truncated' }, 'connection_lost', 1],
      ])('%s', async (_, fault, code, applied) => {
        const { api, fleet } = await stage([{}], { script: { calls: [{ on: 'act', answer: fault }] } });

        const answer = await api.act('flush', [one]);

        expect(answer).toMatchObject({ kind: 'lost', problem: { class: 'unknown', code } });
        expect([fleet.applied(one).flush, fleet.calls().act]).toEqual([applied, 1]);
      });

      it('because the answer did not come in time', async () => {
        const calls = [{ on: 'act', answer: { kind: 'delay', ms: 60_000 } }] as const;
        const { api, fleet } = await stage([{}], { script: { calls } }, 0.25);

        const answer = await api.act('flush', [one]);

        expect(answer).toMatchObject({ kind: 'lost', problem: { class: 'unknown', code: 'timeout' } });
        expect(fleet.applied(one).flush).toBe(1);
      });
    });

    describe('about backups', () => {
      it('has none at first, then the one that was started, going and then done', async () => {
        const { api } = await stage([{}]);

        const none = await api.backups(one);
        const started = await api.backUp(one, 'dcs-autopilot nightly-1');
        const going = await api.backups(one);
        now += 3_600_000;
        const done = await api.backups(one);

        expect(none).toEqual({ ok: true, value: [] });
        expect(started).toEqual({ ok: true, value: expect.any(String) });
        const id = started.ok ? started.value : '';
        const record = { id, remark: 'dcs-autopilot nightly-1', error: '', takenAt: expect.stringMatching(/Z$/) };
        expect(going).toEqual({ ok: true, value: [{ ...record, status: 'going' }] });
        expect(done).toEqual({ ok: true, value: [{ ...record, status: 'succeeded' }] });
      });

      it('lists them newest first', async () => {
        const { api } = await stage([{}]);

        for (const remark of ['first', 'second']) {
          await api.backUp(one, remark);
          now += 3_600_000;
        }

        const listed = await api.backups(one);
        expect(listed.ok && listed.value.map(({ remark }) => remark)).toEqual(['second', 'first']);
      });

      it('tells the code of one that failed', async () => {
        const { api } = await stage([{}], { script: { instances: { [one]: { backupsEnd: ['failed'] } } } });

        await api.backUp(one, 'x');
        now += 3_600_000;

        expect(await api.backups(one)).toMatchObject({ ok: true, value: [{ status: 'failed', error: 'dcs.08.0002' }] });
      });

      it.each([
        ['a single node', { cacheMode: 'single' }, 'final'],
        ['one that is at work', { status: 'RESTARTING' }, 'busy'],
      ] as const)('refuses %s', async (_, spec, errorClass) => {
        const { api } = await stage([spec]);

        expect(await api.backUp(one, 'x')).toMatchObject({ ok: false, problem: { class: errorClass } });
      });

      it('knows no missing instance', async () => {
        const { api } = await stage([{}]);

        expect(await api.backups(missing)).toMatchObject({ ok: false, problem: { class: 'final' } });
        expect(await api.backUp(missing, 'x')).toMatchObject({ ok: false, problem: { class: 'final' } });
      });
    });

    it('takes an answer that is late, but in time', async () => {
      const calls = [{ on: 'all', answer: { kind: 'delay', ms: 5 } }] as const;
      const { api } = await stage([{}], { script: { calls } });

      const answer: Answer = await api.act('flush', [one]);

      expect(answer).toMatchObject({ kind: 'answered', results: results({ [one]: 'success' }) });
    });
  });
}

function results<T>(byId: Readonly<Record<string, T>>): ReadonlyMap<string, T> {
  return new Map(Object.entries(byId));
}

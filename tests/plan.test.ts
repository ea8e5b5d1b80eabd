// The plan: who is selected, who is excluded and why, who loses data, and in which waves the others go. Pure, so all of
// it can be tried in tables, and against oracles that are slower and simpler.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hashOf } from '../lib/canonical.ts';
import type { Action, Amount, Job, Selector } from '../lib/config.ts';
import { type Detail, type Instance, isActionable, isProtected, losesData } from '../lib/plan/instance.ts';
import { select } from '../lib/plan/select.ts';
import { type Candidate, exclusion, makePlan } from '../lib/plan.ts';
import { idOf, jobOf } from './support/scenario.ts';

const tag = { key: 'dcs-autopilot-protected', value: 'true' };
const tags = { protectedTag: tag, allowTag: null };
const none: Selector = { tags: {}, names: [], ids: [] };

function instanceOf(number: number, change: Partial<Instance> = {}): Instance {
  return {
    id: idOf(number),
    name: `cache-${number}`,
    engine: 'Redis',
    version: '5.0',
    status: 'RUNNING',
    tags: {},
    specCode: 'redis.ha.xu1.large.r2.2',
    ...change,
  };
}

function detailOf(change: Partial<Detail> = {}): Detail {
  return { status: 'RUNNING', tags: {}, cacheMode: 'ha', task: null, appendonly: true, coolsUntil: null, ...change };
}

function candidateOf(number: number, instance: Partial<Instance> = {}, detail: Partial<Detail> = {}): Candidate {
  const whole = instanceOf(number, instance);
  const { status, tags } = whole;
  return { id: whole.id, instance: whole, detail: detailOf({ status, tags, ...detail }), unreadable: false };
}

function candidates(count: number, change: (number: number) => Partial<Instance> = () => ({})): Candidate[] {
  return Array.from({ length: count }, (_, i) => candidateOf(i + 1, change(i + 1)));
}

function waved(canary: Amount, size: Amount): Job {
  return jobOf('flush', { waves: { ...jobOf('flush').waves, canary, size } });
}

describe('a target selects', () => {
  const fleet = [
    instanceOf(1, { name: 'stg-basket', tags: { env: 'staging', team: 'a' } }),
    instanceOf(2, { name: 'stg-rank', tags: { env: 'staging', team: 'b', keep: 'yes' } }),
    instanceOf(3, { name: 'prd-basket', tags: { env: 'prod' } }),
    instanceOf(4, { name: 'stg-odd', tags: null }),
    instanceOf(5, { name: 'plain', tags: {} }),
  ];
  const cases: [string, Partial<Selector>, Partial<Selector>, number[]][] = [
    ['everything', {}, {}, [1, 2, 3, 4, 5]],
    ['by one tag, unreadable ones included', { tags: { env: 'staging' } }, {}, [1, 2, 4]],
    ['by all of several tags', { tags: { env: 'staging', team: 'b' } }, {}, [2, 4]],
    ['by a tag that nobody carries', { tags: { env: 'dev' } }, {}, [4]],
    ['by a name', { names: ['stg-*'] }, {}, [1, 2, 4]],
    ['by any of several names', { names: ['prd-*', 'plain'] }, {}, [3, 5]],
    ['by ids', { ids: [idOf(5), idOf(3), idOf(99)] }, {}, [3, 5]],
    [
      'by tags and names and ids together',
      { tags: { env: 'staging' }, names: ['*-rank'], ids: [idOf(1), idOf(2)] },
      {},
      [2],
    ],
    ['all but one with a tag', {}, { tags: { keep: 'yes' } }, [1, 3, 4, 5]],
    ['all but those with any of several tags', {}, { tags: { keep: 'yes', env: 'prod' } }, [1, 4, 5]],
    ['all but some names', {}, { names: ['*basket', 'pl?in'] }, [2, 4]],
    ['all but some ids', {}, { ids: [idOf(1), idOf(4)] }, [2, 3, 5]],
    ['nobody who is excluded as well', { ids: [idOf(1)] }, { names: ['stg-*'] }, []],
  ];

  it.each(cases)('%s', (_, change, exclude, numbers) => {
    const selected = select({ ...none, ...change, exclude: { ...none, ...exclude } }, fleet);

    expect(selected.map(({ id }) => id)).toEqual(numbers.map(idOf));
  });
});

describe('a glob', () => {
  const isMatch = (glob: string, name: string): boolean =>
    select({ ...none, names: [glob], exclude: none }, [instanceOf(1, { name })]).length === 1;

  it.each([
    ['stg-*', 'stg-', true],
    ['stg-*', 'stg-a', true],
    ['stg-*', 'xstg-a', false],
    ['stg', 'stg-a', false],
    ['*', '', true],
    ['', '', true],
    ['', 'a', false],
    ['?', '', false],
    ['?', 'a', true],
    ['a?c', 'abc', true],
    ['a?c', 'abbc', false],
    ['a**c', 'ac', true],
    ['*a*b', 'aab', true],
    ['*ab', 'aab', true],
    ['a.c', 'abc', false],
    ['[a]', 'a', false],
    ['A*', 'abc', false],
    ['a*b*c', 'axxbyybc', true],
    ['a*b*c', 'axxbyyb', false],
  ])('%j against the name %j: %s', (glob, name, expected) => {
    expect(isMatch(glob, name)).toBe(expected);
  });

  it('means the same as the regular expression that it stands for', () => {
    const letters = (units: string[]): fc.Arbitrary<string> =>
      fc.array(fc.constantFrom(...units), { maxLength: 12 }).map((list) => list.join(''));

    fc.assert(
      fc.property(letters(['a', 'b', '.', '*', '?']), letters(['a', 'b', '.']), (glob, name) => {
        const source = glob.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');

        expect(isMatch(glob, name)).toBe(new RegExp(`^${source}$`).test(name));
      }),
      { numRuns: 3000 },
    );
  });

  it('that is made to be slow is not', () => {
    expect(isMatch(`${'*a'.repeat(60)}b`, 'a'.repeat(3000))).toBe(false);
  });
});

describe('protection', () => {
  it.each<[Instance['tags'], boolean]>([
    [{}, false],
    [{ 'dcs-autopilot-protected': 'true' }, true],
    [{ 'dcs-autopilot-protected': 'false' }, false],
    [{ 'dcs-autopilot-protected': 'TRUE' }, false],
    [{ 'dcs-autopilot-protected': 'true', other: 'x' }, true],
    [null, true],
  ])('of the tags %j: %s', (tags, expected) => {
    expect(isProtected(tag, tags)).toBe(expected);
  });
});

describe('an instance', () => {
  const states: [string, restart: boolean, flush: boolean][] = [
    ['RUNNING', true, true],
    ['ERROR', true, false],
    ['RESTARTING', false, false],
    ['FLUSHING', false, false],
    ['FROZEN', false, false],
    ['CREATING', false, false],
    ['running', false, false],
    ['', false, false],
  ];

  it.each(states)('that is %s may be restarted: %s, flushed: %s', (status, restart, flush) => {
    const actions = (['restart', 'soft_restart', 'flush'] as const).map((action) => isActionable(action, status));
    const codes = (['restart', 'flush'] as const).map(
      (action) => exclusion(action, tags, instanceOf(1, { status }))?.code,
    );

    expect(actions).toEqual([restart, restart, flush]);
    expect(codes).toEqual([restart ? undefined : 'wrong_state', flush ? undefined : 'wrong_state']);
  });

  const engines: [string, string, restart: boolean, soft: boolean, flush: boolean][] = [
    ['Redis', '3.0', true, true, false],
    ['Redis', '4.0', true, true, true],
    ['Redis', '5.0', true, true, true],
    ['Redis', '10.1', true, true, true],
    ['Redis', '', true, true, false],
    ['Redis', 'v5', true, true, false],
    ['Memcached', '', true, false, false],
    ['Memcached', '5.0', true, false, false],
  ];

  it.each(engines)('of %s %j may be restarted: %s, softly: %s, flushed: %s', (engine, version, ...allowed) => {
    const codes = (['restart', 'soft_restart', 'flush'] as const).map(
      (action) => exclusion(action, tags, instanceOf(1, { engine, version }))?.code,
    );

    expect(codes).toEqual(allowed.map((isAllowed) => (isAllowed ? undefined : 'unsupported_engine')));
  });

  it('that is all of it is protected first, then of the wrong engine, then in the wrong state', () => {
    const worst = { tags: null, version: '3.0', status: 'FROZEN' };

    expect(exclusion('flush', tags, instanceOf(1, worst))?.code).toBe('protected');
    expect(exclusion('flush', tags, instanceOf(1, { ...worst, tags: {} }))?.code).toBe('unsupported_engine');
    expect(exclusion('flush', tags, instanceOf(1, { ...worst, tags: {}, version: '5.0' }))?.code).toBe('wrong_state');
  });

  it.each<[Partial<Instance>, string]>([
    [{ tags: null }, 'its tags could not be read, so it counts as protected'],
    [{ tags: { [tag.key]: 'true' } }, 'it carries the tag dcs-autopilot-protected=true'],
    [{ version: '3.0' }, 'flush needs Redis 4.0 or later, this is 3.0'],
    [{ version: '' }, 'flush needs Redis 4.0 or later, this is of unknown version'],
    [{ engine: 'Memcached' }, 'flush is for Redis, this is Memcached'],
    [{ status: 'FROZEN' }, 'it is FROZEN; flush needs RUNNING'],
  ])('%j is told the reason %j', (change, reason) => {
    expect(exclusion('flush', tags, instanceOf(1, change))).toMatchObject({
      instanceId: idOf(1),
      name: 'cache-1',
      reason,
    });
  });
});

describe('a candidate', () => {
  const base = candidateOf(1);
  const cases: [string, Candidate, string][] = [
    ['does not exist', { ...base, instance: null, detail: null }, 'not_found'],
    ['is gone since it was listed', { ...base, detail: null }, 'not_found'],
    ['could not be read', { ...base, detail: null, unreadable: true }, 'unreadable'],
    ['is protected', candidateOf(1, { tags: null }), 'protected'],
    ['is protected in its details', candidateOf(1, {}, { tags: { [tag.key]: 'true' } }), 'protected'],
    ['has unreadable tags in its details', candidateOf(1, {}, { tags: null }), 'protected'],
    ['is of an old version', candidateOf(1, { version: '3.0' }), 'unsupported_engine'],
    ['is in another state', candidateOf(1, { status: 'EXTENDING' }), 'wrong_state'],
    ['is in another state in its details', candidateOf(1, {}, { status: 'EXTENDING' }), 'wrong_state'],
    ['is at work', candidateOf(1, {}, { task: 'BACKUPING' }), 'busy'],
  ];

  it.each(cases)('that %s is excluded', (_, candidate, code) => {
    const plan = makePlan(jobOf('flush'), [candidate, candidateOf(2)]);

    expect(plan.excluded.map((each) => [each.instanceId, each.code])).toEqual([[idOf(1), code]]);
    expect(plan.waves.flat().map(({ instanceId }) => instanceId)).toEqual([idOf(2)]);
  });

  it('whose details are newer than the list goes by its details', () => {
    const plan = makePlan(jobOf('flush'), [candidateOf(1, { status: 'EXTENDING' }, { status: 'RUNNING' })]);

    expect(plan.waves.flat()).toMatchObject([{ instanceId: idOf(1), reason: 'RUNNING Redis 5.0 of all' }]);
  });

  it('that stands twice is a fault of the program', () => {
    expect(() => makePlan(jobOf('flush'), [candidateOf(1), candidateOf(1)])).toThrow('a candidate stands twice');
  });
});

describe('data', () => {
  const cases: [Action, Partial<Instance>, Partial<Detail>, boolean][] = [
    ['flush', {}, {}, true],
    ['restart', {}, {}, false],
    ['soft_restart', {}, {}, false],
    ['restart', {}, { appendonly: false }, true],
    ['restart', {}, { appendonly: null }, true],
    ['restart', {}, { cacheMode: 'single' }, true],
    ['restart', {}, { cacheMode: 'cluster' }, false],
    ['restart', {}, { cacheMode: 'proxy' }, false],
    ['restart', {}, { cacheMode: 'ha_rw_split' }, false],
    ['restart', {}, { cacheMode: null }, false],
    ['restart', { specCode: 'redis.single.xu1.tiny.128' }, { cacheMode: null }, true],
    ['restart', { specCode: 'redis.cluster.xu1.large.r2.4' }, { cacheMode: null }, false],
    ['restart', { specCode: 'redis.proxy.xu1.large.4' }, { cacheMode: null }, false],
    ['restart', { specCode: 'dcs.master_standby' }, { cacheMode: null }, true],
    ['restart', { specCode: 'xredis.ha.xu1' }, { cacheMode: null }, true],
    ['restart', { specCode: '' }, { cacheMode: null }, true],
    ['restart', { specCode: 'redis.single.xu1.tiny.128' }, { cacheMode: 'ha' }, false],
    ['restart', { engine: 'Memcached' }, {}, true],
  ];

  it.each(cases)('after a %s of %j with %j is lost: %s', (action, instance, detail, isLost) => {
    expect(losesData(action, instanceOf(1, instance), detailOf(detail))).toBe(isLost);
  });

  it('that a restart loses is told in the plan', () => {
    const plan = makePlan(jobOf('restart'), [candidateOf(1, {}, { cacheMode: 'single' }), candidateOf(2)]);

    expect(plan.waves.flat()).toMatchObject([
      { dataLoss: true, reason: 'RUNNING Redis 5.0 of all; does not persist, so a restart loses its data' },
      { dataLoss: false, reason: 'RUNNING Redis 5.0 of all' },
    ]);
  });
});

describe('the waves', () => {
  const cases: [Amount, Amount, number, number[]][] = [
    [{ count: 1 }, { percent: 10 }, 0, []],
    [{ count: 1 }, { percent: 10 }, 1, [1]],
    [{ count: 1 }, { percent: 10 }, 12, [1, 2, 2, 2, 2, 2, 1]],
    [{ count: 1 }, { percent: 100 }, 12, [1, 11]],
    [{ count: 3 }, { count: 4 }, 12, [3, 4, 4, 1]],
    [{ percent: 25 }, { percent: 50 }, 10, [3, 5, 2]],
    [{ percent: 100 }, { count: 1 }, 7, [7]],
    [{ count: 50 }, { count: 1 }, 7, [7]],
    [{ percent: 1 }, { percent: 1 }, 4, [1, 1, 1, 1]],
    [{ count: 0 }, { percent: 0 }, 2, [1, 1]],
  ];

  it.each(cases)('with a canary of %j and a size of %j cut %i into %j', (canary, size, count, sizes) => {
    expect(makePlan(waved(canary, size), candidates(count)).waves.map(({ length }) => length)).toEqual(sizes);
  });

  it('hold everybody once, in the order of the tag, then the name, then the id', () => {
    const order = { tag: 'env', values: ['dev', 'prod'] };
    const job = jobOf('flush', { waves: { ...jobOf('flush').waves, order } });
    const of = (number: number, env: string | null, name: string): Candidate =>
      candidateOf(number, { name, tags: env === null ? {} : { env } });
    const fleet = [
      of(1, 'prod', 'b'),
      of(2, null, 'a'),
      of(3, 'dev', 'z'),
      of(4, 'prod', 'B'),
      of(5, 'other', 'a'),
      of(6, 'dev', 'z'),
      of(7, 'prod', 'a10'),
      of(8, 'prod', 'a9'),
    ];

    const plan = makePlan(job, fleet);

    expect(plan.waves.flat().map(({ instanceId }) => instanceId)).toEqual([3, 6, 4, 7, 8, 1, 2, 5].map(idOf));
  });

  it('go by the tags that the list told, not by an order in which they were read', () => {
    const job = jobOf('flush');
    const fleet = candidates(9, (n) => ({ tags: { env: ['prod', 'dev', 'staging'][n % 3] ?? '' }, name: `c${n % 2}` }));

    fc.assert(
      fc.property(fc.shuffledSubarray(fleet, { minLength: 9 }), (shuffled) => {
        expect(makePlan(job, shuffled)).toEqual(makePlan(job, fleet));
      }),
    );
  });
});

describe('the hash', () => {
  const fleet = [...candidates(3), candidateOf(4, { status: 'FROZEN' })];
  const base = makePlan(jobOf('flush'), fleet);

  it('is that of version, job, action, the ids of the waves and the excluded', () => {
    const waves = [[idOf(1)], [idOf(2), idOf(3)]];
    const excluded = [{ instanceId: idOf(4), code: 'wrong_state' }];

    expect(base.hash).toBe(hashOf({ version: 1, job: 'nightly', action: 'flush', waves, excluded }));
  });

  it.each<[string, Job, Candidate[]]>([
    ['another job', jobOf('flush', { name: 'weekly' }), fleet],
    ['another action', jobOf('restart'), fleet],
    ['other waves', waved({ count: 2 }, { percent: 100 }), fleet],
    ['one more', jobOf('flush'), [...fleet, candidateOf(5)]],
    ['another exclusion', jobOf('flush'), [...fleet.slice(0, 3), candidateOf(4, { tags: null })]],
  ])('is another for %s', (_, job, some) => {
    expect(makePlan(job, some).hash).not.toBe(base.hash);
  });

  it('does not change with what does not matter', () => {
    const renamed = fleet.map((each) => ({
      ...each,
      detail: each.detail === null ? null : { ...each.detail, appendonly: null },
    }));

    expect(makePlan(jobOf('flush'), renamed.toReversed()).hash).toBe(base.hash);
  });
});

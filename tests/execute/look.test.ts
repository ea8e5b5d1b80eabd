// How a wave is looked at: what it costs in calls, what is asked of whom, and what becomes of that which cannot be read.

import { describe, expect, it } from '@jest/globals';
import type { ErrorClass, Problem } from '../../lib/classify.ts';
import { inParallel, type LookWish, lookAt, stops } from '../../lib/execute/look.ts';
import type { DcsApi } from '../../lib/execute.ts';
import { MemoryDcs } from '../../lib/local/rehearsal/memory-dcs.ts';
import { Fleet } from '../../lib/local/simulator/fleet.ts';
import type { InstanceSpec } from '../../lib/local/simulator/instance.ts';
import { idOf, instances, jobOf, methodsOf } from '../support/scenario.ts';

const job = jobOf('flush');

function fleetOf(count: number, change?: (number: number) => Partial<InstanceSpec>): Fleet {
  return new Fleet({ instances: instances(count, change), now: () => 0 });
}

function ids(count: number): string[] {
  return Array.from({ length: count }, (_, i) => idOf(i + 1));
}

function wishOf(count: number, change: Partial<LookWish> = {}): LookWish {
  return { ids: ids(count), tasks: new Set(), baseline: new Map(), job, isLate: () => false, ...change };
}

function failing(errorClass: ErrorClass, code = 'as-scripted'): { readonly ok: false; readonly problem: Problem } {
  return { ok: false, problem: { class: errorClass, code, message: '' } };
}

describe('a look that takes long', () => {
  it('asks nobody else, and has not seen the rest', async () => {
    let calls = 0;
    const dcs = new MemoryDcs(fleetOf(20));
    const wish = wishOf(20, { isLate: () => ++calls > 1 });

    const { looks, problem } = await lookAt(dcs, wish);

    expect(looks.map((look) => look !== null)).toEqual([...Array(10).fill(true), ...Array(10).fill(false)]);
    expect(problem).toBeUndefined();
  });
});

describe('the calls of a look', () => {
  it.each([
    [1, 0, 1],
    [20, 0, 20],
    [21, 1, 0],
    [500, 1, 0],
  ])('at %i instances are %i lists and %i details', async (count, lists, details) => {
    const fleet = fleetOf(count);

    const { looks, problem } = await lookAt(new MemoryDcs(fleet), wishOf(count));

    expect(fleet.calls()).toMatchObject({ list: lists, show: details, statistic: 0 });
    expect(looks.map((look) => look?.status)).toEqual(Array(count).fill('RUNNING'));
    expect(problem).toBeUndefined();
  });

  it('are a list and one detail for each whose task is asked for, as far as it may be idle', async () => {
    const states: Record<number, Partial<InstanceSpec>> = {
      1: { task: 'BACKUPING' },
      2: { status: 'ERROR' },
      3: { status: 'RESTARTING' },
      4: { status: 'FLUSHING' },
    };
    const fleet = fleetOf(30, (n) => states[n] ?? {});
    const tasks = new Set(ids(5));

    const { looks } = await lookAt(new MemoryDcs(fleet), wishOf(30, { tasks }));

    expect(fleet.calls()).toMatchObject({ list: 1, show: 3 });
    expect(looks.slice(0, 6).map((look) => [look?.status, look?.task])).toEqual([
      ['RUNNING', 'BACKUPING'],
      ['ERROR', null],
      ['RESTARTING', undefined],
      ['FLUSHING', undefined],
      ['RUNNING', null],
      ['RUNNING', undefined],
    ]);
  });

  it('ask for an instance that the list does not show: it may be gone, or it is not shown there', async () => {
    const fleet = fleetOf(30, (n) => (n === 7 ? { status: 'DELETED' } : n === 8 ? { status: 'CREATEFAILED' } : {}));

    const { looks } = await lookAt(new MemoryDcs(fleet), wishOf(30));

    expect(fleet.calls()).toMatchObject({ list: 1, show: 2 });
    expect(looks[6]).toEqual({ status: null, emptied: null, isProtected: false });
    expect(looks[7]).toMatchObject({ status: 'CREATEFAILED' });
  });

  it('never go out more than five at a time, and keep their order', async () => {
    let out = 0;
    let most = 0;
    const results = await inParallel(ids(23), async (id) => {
      out += 1;
      most = Math.max(most, out);
      await Promise.resolve();
      out -= 1;
      return id;
    });

    expect(most).toBe(5);
    expect(results).toEqual(ids(23));
  });
});

describe('the keys', () => {
  it.each([
    [1000, 900, false],
    [1000, 101, false],
    [1000, 100, true],
    [1000, 90, true],
    [1000, 0, true],
    [3, 1, false],
    [10, 1, true],
    [0, 0, null],
  ])('that were %i and are %i: emptied %s', async (before, after, emptied) => {
    const fleet = fleetOf(1, () => ({ keys: after }));

    const { looks } = await lookAt(new MemoryDcs(fleet), wishOf(1, { baseline: new Map([[idOf(1), before]]) }));

    expect(looks[0]?.emptied).toBe(emptied);
    expect(fleet.calls().statistic).toBe(1);
  });

  it('are told beside a listed instance too, and of nobody who is not asked for', async () => {
    const fleet = fleetOf(30, () => ({ keys: 1 }));
    const baseline = new Map([[idOf(2), 1000]]);

    const { looks } = await lookAt(new MemoryDcs(fleet), wishOf(30, { baseline, tasks: new Set([idOf(2)]) }));
    const listed = await lookAt(new MemoryDcs(fleet), wishOf(30, { baseline }));

    expect(looks.slice(0, 3).map((look) => look?.emptied)).toEqual([null, true, null]);
    expect(listed.looks.slice(0, 3).map((look) => look?.emptied)).toEqual([null, true, null]);
  });

  it('of an instance that is not counted tell nothing', async () => {
    const fleet = fleetOf(1, () => ({ status: 'FLUSHING', keys: 0 }));

    const { looks } = await lookAt(new MemoryDcs(fleet), wishOf(1, { baseline: new Map([[idOf(1), 1000]]) }));

    expect(looks[0]?.emptied).toBeNull();
  });

  it('that cannot be read for now are no evidence, and the look goes on', async () => {
    const dcs: DcsApi = { ...methodsOf(new MemoryDcs(fleetOf(1))), keyCounts: async () => failing('unknown') };

    const { looks, problem } = await lookAt(dcs, wishOf(1, { baseline: new Map([[idOf(1), 1000]]) }));

    expect(looks).toEqual([{ status: 'RUNNING', task: null, emptied: null, isProtected: false }]);
    expect(problem).toBeUndefined();
  });

  it('that the key has no right to end the look before anything else is asked', async () => {
    const fleet = fleetOf(2);
    const dcs: DcsApi = { ...methodsOf(new MemoryDcs(fleet)), keyCounts: async () => failing('auth') };

    const seen = await lookAt(dcs, wishOf(2, { baseline: new Map([[idOf(1), 1000]]) }));

    expect(seen).toMatchObject({ looks: [null, null], problem: { class: 'auth' } });
    expect(fleet.calls().show).toBe(0);
  });
});

describe('protection', () => {
  it.each<[string, InstanceSpec['tags'], boolean]>([
    ['the tag', { 'dcs-autopilot-protected': 'true' }, true],
    ['another value of the tag', { 'dcs-autopilot-protected': 'false' }, false],
    ['no tag', {}, false],
    ['unreadable tags', null, true],
  ])('is seen in a detail and in the list: %s', async (_, tags, isProtected) => {
    const one = await lookAt(new MemoryDcs(fleetOf(1, () => ({ tags: tags ?? null }))), wishOf(1));
    const many = await lookAt(new MemoryDcs(fleetOf(30, () => ({ tags: tags ?? null }))), wishOf(30));

    expect([one.looks[0]?.isProtected, many.looks[0]?.isProtected]).toEqual([isProtected, isProtected]);
  });
});

describe('what cannot be read', () => {
  it('is not seen this time, the others are', async () => {
    const dcs = new MemoryDcs(fleetOf(3));
    const odd: DcsApi = {
      ...methodsOf(dcs),
      show: async (id) => (id === idOf(2) ? failing('unknown') : dcs.show(id)),
    };

    const { looks, problem } = await lookAt(odd, wishOf(3));

    expect(looks.map((look) => look?.status)).toEqual(['RUNNING', undefined, 'RUNNING']);
    expect(problem).toMatchObject({ class: 'unknown' });
  });

  it('in the list leaves everybody unseen', async () => {
    const dcs: DcsApi = { ...methodsOf(new MemoryDcs(fleetOf(30))), list: async () => failing('throttled') };

    const { looks, problem } = await lookAt(dcs, wishOf(30));

    expect(looks).toEqual(Array(30).fill(null));
    expect(problem).toMatchObject({ class: 'throttled' });
  });

  it.each([20, 30])(
    'for a wrong key stops the details after one group, and is what is told (%i instances)',
    async (count) => {
      const fleet = fleetOf(count);
      const dcs = new MemoryDcs(fleet);
      const asked: string[] = [];
      const odd: DcsApi = {
        ...methodsOf(dcs),
        show: async (id) => {
          asked.push(id);
          return id === idOf(2) ? failing('auth', 'wrong') : failing('unknown');
        },
      };

      const { problem } = await lookAt(odd, wishOf(count, { tasks: new Set(ids(count)) }));

      expect(asked.length).toBe(5);
      expect(problem).toMatchObject({ class: 'auth', code: 'wrong' });
    },
  );

  it('as the task of a listed instance is not seen at all this time', async () => {
    const dcs = new MemoryDcs(fleetOf(30));
    const odd: DcsApi = { ...methodsOf(dcs), show: async () => failing('unknown') };

    const { looks, problem } = await lookAt(odd, wishOf(30, { tasks: new Set([idOf(4)]) }));

    expect(looks.map((look) => look === null)).toEqual(ids(30).map((id) => id === idOf(4)));
    expect(problem).toMatchObject({ class: 'unknown' });
  });

  it.each<[ErrorClass, boolean]>([
    ['auth', true],
    ['config', true],
    ['throttled', false],
    ['unknown', false],
    ['unreachable', false],
    ['busy', false],
    ['final', false],
    ['split', false],
  ])('with the class %s stops everything: %s', (errorClass, isEnd) => {
    expect(stops(failing(errorClass).problem)).toBe(isEnd);
  });

  it('of a task beyond 40 characters is cut off', async () => {
    const { looks } = await lookAt(new MemoryDcs(fleetOf(1, () => ({ task: 'x'.repeat(99) }))), wishOf(1));

    expect(looks[0]?.task).toBe('x'.repeat(40));
  });
});

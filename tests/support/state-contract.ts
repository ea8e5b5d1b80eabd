// What every adapter of the State port must do: one suite for the fake, the local database and DynamoDB. It asks for
// nothing that single-item conditional writes and one index cannot do.

import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Json } from '../../lib/canonical.ts';
import type { Key, State } from '../../lib/state.ts';

const key: Key = { pk: 'run#a', sk: 'run' };

/** An empty state, and the way around the port to when an item of it may be forgotten: ms, in whole seconds. */
export interface OpenState {
  readonly state: State;
  readonly expiryOf: (key: Key) => Promise<number | undefined>;
}

/** Registers the suite under `name`; `open` is called before each test. */
export function describeState(name: string, open: () => Promise<OpenState>): void {
  describe(`the state port: ${name}`, () => {
    let state: State;
    let expiryOf: OpenState['expiryOf'];
    beforeEach(async () => {
      ({ state, expiryOf } = await open());
    });

    describe('one item', () => {
      test('an item that was never written is undefined', async () => {
        expect(await state.get(key)).toBeUndefined();
      });

      test('what was put is read back with version 1', async () => {
        expect(await state.putIfAbsent(key, { n: 1 })).toBe(true);

        expect(await state.get(key)).toEqual({ ...key, version: 1, value: { n: 1 } });
      });

      test('putIfAbsent leaves what is there and says so', async () => {
        await state.putIfAbsent(key, 'first');

        expect(await state.putIfAbsent(key, 'second')).toBe(false);
        expect(await state.get(key)).toMatchObject({ version: 1, value: 'first' });
      });

      test('of many that put the same item at once exactly one wins, and its value stays', async () => {
        const racers = Array.from({ length: 20 }, (_, n) => n);

        const won = await Promise.all(racers.map((n) => state.putIfAbsent(key, n)));

        expect(won.filter((one) => one)).toHaveLength(1);
        expect((await state.get(key))?.value).toBe(won.indexOf(true));
      });

      test('updateIf writes over the version that was read, and grows it by 1', async () => {
        await state.putIfAbsent(key, 'old');

        expect(await state.updateIf(key, 1, 'new')).toBe(true);
        expect(await state.get(key)).toEqual({ ...key, version: 2, value: 'new' });
      });

      test.each([0, 1, 3])('updateIf refuses version %i of an item at version 2', async (version) => {
        await state.putIfAbsent(key, 'one');
        await state.updateIf(key, 1, 'two');

        expect(await state.updateIf(key, version, 'late')).toBe(false);
        expect(await state.get(key)).toMatchObject({ version: 2, value: 'two' });
      });

      test('updateIf does not make an item that is not there', async () => {
        expect(await state.updateIf(key, 1, 'x')).toBe(false);
        expect(await state.updateIf(key, 0, 'x')).toBe(false);
        expect(await state.get(key)).toBeUndefined();
      });

      test('of many that update the same version at once exactly one wins', async () => {
        await state.putIfAbsent(key, 'start');

        const won = await Promise.all(Array.from({ length: 20 }, (_, n) => state.updateIf(key, 1, n)));

        expect(won.filter((one) => one)).toHaveLength(1);
        expect(await state.get(key)).toMatchObject({ version: 2, value: won.indexOf(true) });
      });

      test('counting by read, updateIf and repeat loses no count', async () => {
        await state.putIfAbsent(key, 0);
        const addOne = async (): Promise<void> => {
          const item = await state.get(key);
          const done = item !== undefined && (await state.updateIf(key, item.version, Number(item.value) + 1));
          if (!done) await addOne();
        };

        await Promise.all(Array.from({ length: 10 }, addOne));

        expect(await state.get(key)).toMatchObject({ version: 11, value: 10 });
      });

      test('put makes an item, and writes over any version of it', async () => {
        await state.put(key, 'one');
        await state.put(key, 'two');

        expect(await state.get(key)).toEqual({ ...key, version: 2, value: 'two' });
        expect(await state.updateIf(key, 1, 'stale')).toBe(false);
      });

      test('items differ by both parts of the key', async () => {
        await state.put({ pk: 'a', sk: 'b#c' }, 1);
        await state.put({ pk: 'a#b', sk: 'c' }, 2);
        await state.put({ pk: 'A', sk: 'b#c' }, 3);

        expect((await state.get({ pk: 'a', sk: 'b#c' }))?.value).toBe(1);
        expect((await state.get({ pk: 'a#b', sk: 'c' }))?.value).toBe(2);
        expect(await state.get({ pk: 'a', sk: 'B#c' })).toBeUndefined();
      });

      test('a value is a copy: what is done to it afterwards changes nothing', async () => {
        const list = ['one'];
        await state.put(key, list);
        list.push('two');

        expect((await state.get(key))?.value).toEqual(['one']);
      });

      test('an item whose time has not come is there', async () => {
        await state.putIfAbsent(key, 'kept', { expiresAt: Date.UTC(2100, 0, 1) });

        expect((await state.get(key))?.value).toBe('kept');
        expect(await state.putIfAbsent(key, 'again')).toBe(false);
      });

      test('a value of 300,000 characters comes back whole', async () => {
        const value = { text: 'é'.repeat(150_000), more: 'x'.repeat(150_000) };
        await state.put(key, value);

        expect((await state.get(key))?.value).toEqual(value);
      });

      test('any JSON under any key comes back as it went in', async () => {
        const anyKey = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' });
        await fc.assert(
          fc.asyncProperty(anyKey, anyKey, fc.jsonValue({ noUnicodeString: false }), async (pk, sk, made) => {
            // JSON knows no -0.
            const value: Json = JSON.parse(JSON.stringify(made));
            await state.put({ pk, sk }, value);
            expect((await state.get({ pk, sk }))?.value).toEqual(value);
          }),
          { numRuns: 100 },
        );
      });
    });

    describe('when an item may be forgotten', () => {
      const first = Date.UTC(2100, 0, 1);
      const second = Date.UTC(2100, 0, 2);
      const index = { job: 'job', createdAt: '2026-03-01T00:00:00.000Z' };

      test('an item that was written without a time has none', async () => {
        await state.putIfAbsent(key, 1);
        await state.put({ pk: 'a', sk: 'b' }, 1);

        expect(await expiryOf(key)).toBeUndefined();
        expect(await expiryOf({ pk: 'a', sk: 'b' })).toBeUndefined();
      });

      test.each(['putIfAbsent', 'put'] as const)('%s gives an item its time', async (write) => {
        await state[write](key, 1, { index, expiresAt: first });

        expect(await expiryOf(key)).toBe(first);
      });

      test('putIfAbsent leaves the time of what is there', async () => {
        await state.putIfAbsent(key, 1, { expiresAt: first });
        await state.putIfAbsent(key, 2, { expiresAt: second });

        expect(await expiryOf(key)).toBe(first);
      });

      test('updateIf and put keep the time where they name none', async () => {
        await state.putIfAbsent(key, 1, { index, expiresAt: first });
        await state.updateIf(key, 1, 2);
        expect(await expiryOf(key)).toBe(first);

        await state.put(key, 3);
        await state.put(key, 4, { index });
        expect(await expiryOf(key)).toBe(first);
      });

      test('updateIf and put change the time, and keep the place in the index', async () => {
        await state.putIfAbsent(key, 1, { index, expiresAt: second });

        expect(await state.updateIf(key, 1, 2, { expiresAt: first })).toBe(true);
        expect(await expiryOf(key)).toBe(first);
        await state.put(key, 3, { expiresAt: second });
        expect(await expiryOf(key)).toBe(second);
        expect(await state.byJob('job', 10)).toMatchObject([{ ...key, version: 3, value: 3 }]);
      });

      test('updateIf and put give a time to an item that had none', async () => {
        await state.putIfAbsent(key, 1);
        await state.updateIf(key, 1, 2, { expiresAt: first });
        await state.put({ pk: 'a', sk: 'b' }, 1);
        await state.put({ pk: 'a', sk: 'b' }, 2, { expiresAt: second });

        expect(await expiryOf(key)).toBe(first);
        expect(await expiryOf({ pk: 'a', sk: 'b' })).toBe(second);
      });

      test('updateIf over another version changes no time', async () => {
        await state.putIfAbsent(key, 1, { expiresAt: first });

        expect(await state.updateIf(key, 2, 2, { expiresAt: second })).toBe(false);
        expect(await expiryOf(key)).toBe(first);
      });
    });

    describe('query', () => {
      const put = async (pk: string, ...sks: readonly string[]) => {
        await Promise.all(sks.map((sk) => state.put({ pk, sk }, sk)));
      };
      const found = async (pk: string, prefix: string) => (await state.query(pk, prefix)).map((item) => item.sk);

      test('answers with whole items', async () => {
        await state.put(key, { n: 1 });

        expect(await state.query(key.pk, '')).toEqual([{ ...key, version: 1, value: { n: 1 } }]);
      });

      test('finds what starts with the prefix under that pk only, by sk ascending', async () => {
        await put('run#a', 'plan#0002', 'plan#0000', 'plan', 'plan#0010', 'plan#0001', 'planet', 'run');
        await put('run#b', 'plan#0000');

        expect(await found('run#a', 'plan#')).toEqual(['plan#0000', 'plan#0001', 'plan#0002', 'plan#0010']);
        expect(await found('run#a', 'plan')).toHaveLength(6);
        expect(await found('run#a', 'none')).toEqual([]);
        expect(await found('run#c', '')).toEqual([]);
      });

      test.each([
        ['letter case', ['B', 'a', 'A', 'b'], '', ['A', 'B', 'a', 'b']],
        ['wildcards of other languages', ['50%', '500', '5_0', '5*'], '5', ['5*', '50%', '500', '5_0']],
        ['a prefix with a wildcard', ['5%1', '501'], '5%', ['5%1']],
        ['letters beyond ASCII', ['é', 'e', 'ü', 'z'], '', ['e', 'z', 'é', 'ü']],
        ['a prefix beyond ASCII', ['ключ#2', 'ключ#1', 'клюв'], 'ключ#', ['ключ#1', 'ключ#2']],
        ['signs beyond U+FFFF, by code unit', ['\uffee', '😀', 'a'], '', ['a', '😀', '\uffee']],
      ])('orders and matches exactly: %s', async (_, sks, prefix, expected) => {
        await put('p', ...sks);

        expect(await found('p', prefix)).toEqual(expected);
      });
    });

    describe('the index by job', () => {
      const at = (minute: number) => `2026-03-01T00:${String(minute).padStart(2, '0')}:00.000Z`;
      const put = async (job: string, pk: string, createdAt: string) => {
        await state.putIfAbsent({ pk, sk: 'run' }, { pk }, { index: { job, createdAt } });
      };
      const pks = (items: readonly Key[]) => items.map((item) => item.pk);

      test('answers with whole items and their place', async () => {
        await put('job', 'run#1', at(1));

        expect(await state.byJob('job', 10)).toEqual([
          { pk: 'run#1', sk: 'run', version: 1, value: { pk: 'run#1' }, createdAt: at(1) },
        ]);
      });

      test('newest first, of one job, at most limit; items without a place are not in it', async () => {
        await put('job', 'run#1', at(1));
        await put('job', 'run#3', at(3));
        await put('job', 'run#2', at(2));
        await put('job-2', 'run#4', at(4));
        await state.put({ pk: 'run#5', sk: 'run' }, 1);

        expect(pks(await state.byJob('job', 10))).toEqual(['run#3', 'run#2', 'run#1']);
        expect(pks(await state.byJob('job', 2))).toEqual(['run#3', 'run#2']);
        expect(await state.byJob('none', 10)).toEqual([]);
      });

      test('ties are ordered by pk, descending, and pages neither repeat nor skip one', async () => {
        await Promise.all(['b', 'd', 'a', 'c'].map((pk) => put('job', pk, at(2))));
        await put('job', 'z', at(1));
        await put('job', 'e', at(3));

        const seen: string[] = [];
        let page = await state.byJob('job', 2);
        while (page.length > 0) {
          seen.push(...pks(page));
          page = await state.byJob('job', 2, page.at(-1));
        }

        expect(seen).toEqual(['e', 'd', 'c', 'b', 'a', 'z']);
      });

      test('a position need not be of an item', async () => {
        await put('job', 'b', at(2));
        await put('job', 'a', at(1));

        expect(pks(await state.byJob('job', 10, { createdAt: at(2), pk: 'a' }))).toEqual(['a']);
        expect(pks(await state.byJob('job', 10, { createdAt: at(2), pk: 'c' }))).toEqual(['b', 'a']);
      });

      test('updates and unconditional writes keep the place, and the index shows the newest value', async () => {
        await put('job', 'run#1', at(1));
        await state.updateIf({ pk: 'run#1', sk: 'run' }, 1, 'updated');
        await state.put({ pk: 'run#1', sk: 'run' }, 'put');

        expect(await state.byJob('job', 10)).toEqual([
          { pk: 'run#1', sk: 'run', version: 3, value: 'put', createdAt: at(1) },
        ]);
      });

      test('an unconditional write may give an item its place', async () => {
        await state.put(key, 1);
        await state.put(key, 2, { index: { job: 'job', createdAt: at(1) } });

        expect(pks(await state.byJob('job', 10))).toEqual([key.pk]);
      });
    });
  });
}

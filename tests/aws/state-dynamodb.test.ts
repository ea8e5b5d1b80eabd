// What the contract suite cannot see of the state in DynamoDB: what goes over the wire, pages, sizes and lost answers.

import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { type AwsCall, type AwsClient, AwsError, jsonCall } from '../../lib/aws/client.ts';
import { DynamoState } from '../../lib/aws/state-dynamodb.ts';
import { dynamo } from '../support/dynamo.ts';

const key = { pk: 'run#a', sk: 'run' };
const world = dynamo();

/** A state whose calls are kept; `before` may fail one of them. */
async function watched(before: (call: AwsCall) => void = () => undefined) {
  const table = await world.makeTable();
  const calls: AwsCall[] = [];
  const client: AwsClient = async (call) => {
    calls.push(call);
    before(call);
    return world.client(call);
  };
  const inputs = () => calls.map((call) => JSON.parse(call.body));
  const raw = () => world.client(jsonCall('dynamodb', 'Scan', { TableName: table }, 'harmless'));
  return { state: new DynamoState(client, table), calls, inputs, raw };
}

describe('over the wire', () => {
  test('reads by key are strongly consistent, those of the index cannot be', async () => {
    const { state, inputs } = await watched();

    await state.get(key);
    await state.query('run#a', '');
    await state.byJob('job', 5);

    expect(inputs()).toMatchObject([
      { ConsistentRead: true },
      { ConsistentRead: true },
      { IndexName: 'job-createdAt' },
    ]);
    expect(inputs()[2]).not.toHaveProperty('ConsistentRead');
  });

  test('only what is harmless to do twice is repeated after a lost answer', async () => {
    const { state, calls } = await watched();

    await state.get(key);
    await state.putIfAbsent(key, 1);
    await state.updateIf(key, 1, 2);
    await state.put(key, 3);
    await state.query('run#a', '');

    expect(calls.map(({ repeat }) => repeat)).toEqual(['harmless', 'once', 'once', 'harmless', 'harmless']);
  });

  test.each([
    ['putIfAbsent', (state: DynamoState) => state.putIfAbsent(key, 1)],
    ['updateIf', (state: DynamoState) => state.updateIf(key, 1, 1)],
  ])('%s that was lost is thrown, never told as refused', async (_, write) => {
    const { state } = await watched(() => {
      throw new AwsError('aws_unknown', '', 'lost');
    });

    await expect(write(state)).rejects.toMatchObject({ code: 'aws_unknown' });
  });

  test('an item is forgotten by its second, its place tells the tie', async () => {
    const { state, raw } = await watched();

    await state.putIfAbsent(
      key,
      { n: 1 },
      { index: { job: 'job', createdAt: '2026-03-01T00:00:00.000Z' }, expiresAt: 1500 },
    );

    expect(await raw()).toMatchObject({
      Items: [
        {
          pk: { S: 'run#a' },
          sk: { S: 'run' },
          version: { N: '1' },
          value: { S: '{"n":1}' },
          job: { S: 'job' },
          createdAt: { S: '2026-03-01T00:00:00.000Z#run#a' },
          expiresAt: { N: '2' },
        },
      ],
    });
  });
});

describe('large things', () => {
  test('a plan of 500 instances is stored compressed, at a tenth of its size', async () => {
    const { state, raw } = await watched();
    const plan = Array.from({ length: 500 }, (_, n) => ({
      instanceId: `5560df16-cebf-4473-95c4-${String(n).padStart(12, '0')}`,
      name: `stg-cache-${n}`,
      reason: 'tag env=staging',
      dataLoss: false,
    }));
    await state.put(key, plan);

    const stored = JSON.stringify(await raw());

    expect(stored).toContain('"value":{"B":');
    expect(stored.length).toBeLessThan(JSON.stringify(plan).length / 5);
    expect((await state.get(key))?.value).toEqual(plan);
  });

  test('what is too large even so is refused before it is sent', async () => {
    const { state, calls } = await watched();

    const put = state.put(key, randomBytes(600_000).toString('base64'));

    await expect(put).rejects.toMatchObject({ code: 'item_too_large' });
    expect(calls).toEqual([]);
  });

  test('a query goes on over all of its pages', async () => {
    const { state, calls } = await watched();
    const parts = Array.from({ length: 5 }, (_, n) => ({ n, noise: randomBytes(300_000).toString('base64') }));
    for (const part of parts) await state.put({ pk: 'run#a', sk: `plan#${part.n}` }, part);
    calls.length = 0;

    const found = await state.query('run#a', 'plan#');

    expect(found.map(({ value }) => value)).toEqual(parts);
    expect(calls.length).toBeGreaterThan(1);
  });

  test('the index is read no further than the limit', async () => {
    const { state, inputs } = await watched();
    const noise = randomBytes(300_000).toString('base64');
    for (const n of [1, 2, 3, 4, 5, 6, 7]) {
      const index = { job: 'job', createdAt: `2026-03-01T00:00:0${n}.000Z` };
      await state.putIfAbsent({ pk: `run#${n}`, sk: 'run' }, noise, { index });
    }

    const found = await state.byJob('job', 6);

    expect(found.map(({ pk }) => pk)).toEqual(['run#7', 'run#6', 'run#5', 'run#4', 'run#3', 'run#2']);
    const limits = inputs().flatMap((input) => ('IndexName' in input ? [input.Limit] : []));
    expect(limits.length).toBeGreaterThan(1);
    expect(limits[0]).toBe(6);
    expect(limits.at(-1)).toBeLessThan(6);
  });
});

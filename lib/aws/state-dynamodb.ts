// The state port on one DynamoDB table. Each write is one conditional call for one item, so that races are decided
// there. Reads by key are strongly consistent. The index is not: it lags behind by some tens of milliseconds, so what it
// lists are candidates and places, and whoever decides reads the record itself (see doors/open-runs.ts).

import * as v from 'valibot';
import { canonicalJson, type Json } from '../canonical.ts';
import type { IndexedItem, IndexPosition, Item, ItemOptions, Key, State } from '../state.ts';
import { type AwsClient, AwsError, jsonCall } from './client.ts';
import { type PackedValue, packedValue, packValue, unpackValue } from './packed-value.ts';

/** The index of a table; `createdAt` holds `<createdAt>#<pk>`, so that ties have an order. Everything is projected. */
export const indexName = 'job-createdAt';

type Attribute = { readonly S: string } | { readonly N: string } | { readonly B: string };
type Attributes = { readonly [name: string]: Attribute };
type Expiry = Pick<ItemOptions, 'expiresAt'>;
type Input = { readonly [name: string]: Json };

const text = v.object({ S: v.string() });
const count = v.pipe(
  v.object({ N: v.string() }),
  v.transform(({ N }) => Number(N)),
);
const itemSchema = v.pipe(
  v.object({ pk: text, sk: text, version: count, value: packedValue, createdAt: v.optional(text) }),
  v.transform(({ pk, sk, version, value, createdAt }) => ({
    item: { pk: pk.S, sk: sk.S, version, value: unpackValue(value) },
    createdAt: createdAt?.S.slice(0, -pk.S.length - 1) ?? '',
  })),
);
type Stored = v.InferOutput<typeof itemSchema>;

const getOutput = v.object({ Item: v.optional(itemSchema) });
const queryOutput = v.object({
  Items: v.array(itemSchema),
  LastEvaluatedKey: v.optional(v.record(v.string(), v.union([text, v.object({ N: v.string() })]))),
});

// `value` and `version` could become reserved words; `#` keeps them apart from the language.
const names = { '#value': 'value', '#version': 'version' };

/** State in the table `table`. Throws AwsError, and AutopilotError `item_too_large`. */
export class DynamoState implements State {
  readonly #client: AwsClient;
  readonly #table: string;

  constructor(client: AwsClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** The item, or undefined. */
  async get(key: Key): Promise<Item | undefined> {
    const output = await this.#call('GetItem', { Key: keyOf(key), ConsistentRead: true }, 'harmless');
    return v.parse(getOutput, output).Item?.item;
  }

  /** Writes only where nothing is; false when something is there already. */
  async putIfAbsent(key: Key, value: Json, options: ItemOptions = {}): Promise<boolean> {
    const item = { ...keyOf(key), version: { N: '1' }, value: packed(value), ...extras(key, options) };
    return this.#conditional('PutItem', { Item: item, ConditionExpression: 'attribute_not_exists(pk)' });
  }

  /** Writes only over the version that was read; the index entry is kept, and the expiry unless another one is named. */
  async updateIf(key: Key, version: number, value: Json, options: Expiry = {}): Promise<boolean> {
    const { sets, names: more, values } = settingOf(extras(key, options));
    return this.#conditional('UpdateItem', {
      Key: keyOf(key),
      ConditionExpression: '#version = :version',
      UpdateExpression: `SET ${['#value = :value', '#version = :next', ...sets].join(', ')}`,
      ExpressionAttributeNames: { ...names, ...more },
      ExpressionAttributeValues: {
        ':version': { N: String(version) },
        ':next': { N: String(version + 1) },
        ':value': packed(value),
        ...values,
      },
    });
  }

  /** Writes unconditionally; index entry and expiry of an item are kept where `options` names none. */
  async put(key: Key, value: Json, options: ItemOptions = {}): Promise<void> {
    const { sets, names: more, values } = settingOf(extras(key, options));
    const all = ['#value = :value', '#version = if_not_exists(#version, :none) + :one', ...sets];
    const input = {
      Key: keyOf(key),
      UpdateExpression: `SET ${all.join(', ')}`,
      ExpressionAttributeNames: { ...names, ...more },
      ExpressionAttributeValues: {
        ':value': packed(value),
        ':none': { N: '0' },
        ':one': { N: '1' },
        ...values,
      },
    };
    // Such an item has one writer: a version that grew by two is as good as one that grew by one.
    await this.#call('UpdateItem', input, 'harmless');
  }

  /** Items of one pk whose sk starts with `prefix`, by sk ascending. */
  async query(pk: string, prefix: string): Promise<readonly Item[]> {
    // DynamoDB refuses to compare a key with an empty text.
    const values: Attributes = { ':pk': { S: pk }, ...(prefix === '' ? {} : { ':prefix': { S: prefix } }) };
    const found = await this.#query({
      ConsistentRead: true,
      KeyConditionExpression: prefix === '' ? 'pk = :pk' : 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: values,
    });
    // DynamoDB orders by UTF-8, which differs from code units beyond U+FFFF.
    return found.map(({ item }) => item).sort((a, b) => (a.sk < b.sk ? -1 : 1));
  }

  /** Items of one job, newest first, at most `limit`, strictly after `before` in that order; a moment old at times. */
  async byJob(job: string, limit: number, before?: IndexPosition): Promise<readonly IndexedItem[]> {
    const place: Attributes = before === undefined ? {} : { ':before': { S: placeOf(before.createdAt, before.pk) } };
    const input = {
      IndexName: indexName,
      ScanIndexForward: false,
      KeyConditionExpression: before === undefined ? 'job = :job' : 'job = :job AND createdAt < :before',
      ExpressionAttributeValues: { ':job': { S: job }, ...place },
    };
    const found = await this.#query(input, limit);
    return found.map(({ item, createdAt }) => ({ ...item, createdAt }));
  }

  /** All pages of a query, or as many as it takes to have `limit` items. */
  async #query(input: Input, limit = Number.POSITIVE_INFINITY): Promise<Stored[]> {
    const found: Stored[] = [];
    let start: Input = {};
    for (;;) {
      const rest = Number.isFinite(limit) ? { Limit: limit - found.length } : {};
      const output = v.parse(queryOutput, await this.#call('Query', { ...input, ...rest, ...start }, 'harmless'));
      found.push(...output.Items);
      if (output.LastEvaluatedKey === undefined || found.length >= limit) return found;
      start = { ExclusiveStartKey: output.LastEvaluatedKey };
    }
  }

  /** A write that its condition may refuse: false then. One that was lost on its way back is not repeated, but thrown. */
  async #conditional(operation: 'PutItem' | 'UpdateItem', input: Input): Promise<boolean> {
    try {
      await this.#call(operation, input, 'once');
      return true;
    } catch (error) {
      if (error instanceof AwsError && error.type === 'ConditionalCheckFailedException') return false;
      throw error;
    }
  }

  async #call(operation: string, input: Input, repeat: 'harmless' | 'once'): Promise<unknown> {
    return this.#client(jsonCall('dynamodb', operation, { TableName: this.#table, ...input }, repeat));
  }
}

function keyOf({ pk, sk }: Key): Attributes {
  return { pk: { S: pk }, sk: { S: sk } };
}

/** DynamoDB forgets in seconds; an item goes up to two days after its time. */
function extras({ pk }: Key, { index, expiresAt }: ItemOptions): Attributes {
  return {
    ...(index === undefined ? {} : { job: { S: index.job }, createdAt: { S: placeOf(index.createdAt, pk) } }),
    ...(expiresAt === undefined ? {} : { expiresAt: { N: String(Math.ceil(expiresAt / 1000)) } }),
  };
}

/** What an update has to say to set `attributes`. */
function settingOf(attributes: Attributes) {
  const each = Object.entries(attributes);
  return {
    sets: each.map(([name]) => `#${name} = :${name}`),
    names: Object.fromEntries(each.map(([name]) => [`#${name}`, name])),
    values: Object.fromEntries(each.map(([name, attribute]) => [`:${name}`, attribute])),
  };
}

/** `#` sorts before everything that an instant is made of. */
function placeOf(createdAt: string, pk: string): string {
  return `${createdAt}#${pk}`;
}

function packed(value: Json): PackedValue {
  return packValue(canonicalJson(value));
}

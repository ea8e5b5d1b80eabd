// How large items are in DynamoDB, without one: what is written to a state in memory goes through the adapter too, as far as
// the wire, and is counted there by DynamoDB's rules.

import * as v from 'valibot';
import type { AwsCall } from '../../lib/aws/client.ts';
import { DynamoState } from '../../lib/aws/state-dynamodb.ts';
import type { MemoryState } from './memory-state.ts';

const attribute = v.union([v.object({ S: v.string() }), v.object({ N: v.string() }), v.object({ B: v.string() })]);
const attributes = v.optional(v.record(v.string(), attribute), {});
const writeInput = v.object({ Item: attributes, Key: attributes, ExpressionAttributeValues: attributes });

/** Bytes that an update does not name: the place in the index that an item keeps, and the names of its attributes. */
const kept = 512;

/** Counts every write from now on. Returns what tells the bytes of the largest item. */
export function itemSizes(state: MemoryState): () => number {
  let largest = 0;
  const dynamo = new DynamoState(async ({ body }) => {
    largest = Math.max(largest, sizeOf(body));
  }, 'state');
  const { put, putIfAbsent, updateIf } = state;
  state.put = async (key, value, options) => {
    await dynamo.put(key, value, options);
    return put.call(state, key, value, options);
  };
  state.putIfAbsent = async (key, value, options) => {
    await dynamo.putIfAbsent(key, value, options);
    return putIfAbsent.call(state, key, value, options);
  };
  state.updateIf = async (key, version, value, options) => {
    await dynamo.updateIf(key, version, value, options);
    return updateIf.call(state, key, version, value, options);
  };
  return () => largest;
}

/** Names and texts count in UTF-8, binary as it is, a number at most 21 bytes (developer guide, "Item sizes and formats"). */
function sizeOf(body: AwsCall['body']): number {
  const { Item, Key, ExpressionAttributeValues } = v.parse(writeInput, JSON.parse(body));
  const sizes = Object.entries({ ...Item, ...Key, ...ExpressionAttributeValues }).map(([name, value]) => {
    if ('S' in value) return name.length + Buffer.byteLength(value.S);
    return name.length + ('N' in value ? 21 : Buffer.from(value.B, 'base64').length);
  });
  return kept + sizes.reduce((sum, size) => sum + size, 0);
}

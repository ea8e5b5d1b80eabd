// Every adapter of the State port against the one suite; DynamoDB over the wire.

import * as v from 'valibot';
import { jsonCall } from '../lib/aws/client.ts';
import { DynamoState } from '../lib/aws/state-dynamodb.ts';
import { SqliteState } from '../lib/local/state-sqlite.ts';
import { temporaryDatabase } from './support/data-folder.ts';
import { dynamo } from './support/dynamo.ts';
import { MemoryState } from './support/memory-state.ts';
import { describeState } from './support/state-contract.ts';

describeState('SqliteState', async () => {
  const database = temporaryDatabase();
  const find = database.prepare('SELECT expires_at AS expiry FROM items WHERE pk = ? AND sk = ?');
  const row = v.object({ expiry: v.nullable(v.number()) });
  return {
    state: new SqliteState(database),
    expiryOf: async ({ pk, sk }) => v.parse(row, find.get(pk, sk)).expiry ?? undefined,
  };
});

describeState('MemoryState', async () => {
  const state = new MemoryState();
  return { state, expiryOf: async (key) => state.expiryOf(key) };
});

const tables = dynamo();
const seconds = v.object({ Item: v.object({ expiresAt: v.optional(v.object({ N: v.string() })) }) });

describeState('DynamoState', async () => {
  const table = await tables.makeTable();
  return {
    state: new DynamoState(tables.client, table),
    expiryOf: async ({ pk, sk }) => {
      const input = { TableName: table, Key: { pk: { S: pk }, sk: { S: sk } }, ConsistentRead: true };
      const { expiresAt } = v.parse(
        seconds,
        await tables.client(jsonCall('dynamodb', 'GetItem', input, 'harmless')),
      ).Item;
      return expiresAt === undefined ? undefined : Number(expiresAt.N) * 1000;
    },
  };
});

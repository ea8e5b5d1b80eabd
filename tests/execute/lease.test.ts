// The leases on every adapter of the state; the one of DynamoDB over the wire.

import { DynamoState } from '../../lib/aws/state-dynamodb.ts';
import { SqliteState } from '../../lib/local/state-sqlite.ts';
import { temporaryDatabase } from '../support/data-folder.ts';
import { dynamo } from '../support/dynamo.ts';
import { leaseContract } from '../support/lease-contract.ts';
import { MemoryState } from '../support/memory-state.ts';

leaseContract('the state in memory', async () => {
  const state = new MemoryState();
  return { states: [state, state], close: async () => undefined };
});

leaseContract('SQLite', async () => {
  const database = temporaryDatabase();
  return { states: [new SqliteState(database), new SqliteState(database)], close: async () => database.close() };
});

const tables = dynamo();

leaseContract('DynamoDB', async () => {
  const table = await tables.makeTable();
  const open = () => new DynamoState(tables.client, table);
  return { states: [open(), open()], close: async () => undefined };
});

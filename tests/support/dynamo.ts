// DynamoDB over the wire, without an account: dynalite in this process, with the table of serverless.yml in it.
// It knows conditional writes and queries; it forgets nothing by itself, and its index never lags.

import { afterAll, beforeAll } from '@jest/globals';
import dynalite from 'dynalite';
import type { AwsClient } from '../../lib/aws/client.ts';
import { DynamoState } from '../../lib/aws/state-dynamodb.ts';
import { clientOf, makeTable } from './dynamo-table.ts';

/** A client and tables for the tests of one file. */
export interface Dynamo {
  readonly client: AwsClient;
  /** A new table, and a state in it; the table is made before the first call gets through. */
  readonly open: () => DynamoState;
  /** Makes a table and resolves with its name. */
  readonly makeTable: () => Promise<string>;
  /** Known once the tests of the file begin. */
  endpoint: string;
}

/** Starts dynalite for all tests of a file. */
export function dynamo(): Dynamo {
  const server = dynalite({ createTableMs: 0 });
  let tables = 0;
  const client: AwsClient = (call) => clientOf(world.endpoint)(call);
  const makeOne = async () => {
    const name = `table-${++tables}`;
    await makeTable(world.endpoint, name);
    return name;
  };
  const open = () => {
    const made = makeOne();
    const name = `table-${tables}`;
    return new DynamoState(async (call) => {
      await made;
      return client(call);
    }, name);
  };
  const world: Dynamo = { client, open, makeTable: makeOne, endpoint: '' };
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    world.endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return world;
}

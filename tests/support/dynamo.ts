// DynamoDB over the wire, without an account: dynalite in this process, with the table of serverless.yml in it.
// It knows conditional writes and queries; it forgets nothing by itself, and its index never lags.

import { afterAll, beforeAll } from '@jest/globals';
import dynalite from 'dynalite';
import { type AwsClient, awsClient, jsonCall } from '../../lib/aws/client.ts';
import { DynamoState, indexName } from '../../lib/aws/state-dynamodb.ts';

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

/** Credentials that are none: dynalite takes any. */
export const anyKeys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-key-made-up' };

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

function clientOf(endpoint: string): AwsClient {
  return awsClient({
    region: 'eu-central-1',
    credentials: () => anyKeys,
    endpoint,
    now: Date.now,
    random: Math.random,
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    timeout: 30_000,
  });
}

/** Makes a table at an endpoint, for those who have no client of their own. */
export async function makeTable(endpoint: string, name: string): Promise<void> {
  const client = clientOf(endpoint);
  await client(jsonCall('dynamodb', 'CreateTable', { TableName: name, ...tableShape }, 'once'));
  await active(client, name);
}

async function active(client: AwsClient, name: string): Promise<void> {
  const told = JSON.stringify(await client(jsonCall('dynamodb', 'DescribeTable', { TableName: name }, 'harmless')));
  if (!told.includes('"TableStatus":"ACTIVE"')) return active(client, name);
}

/** As in serverless.yml; tests/aws/template.test.ts compares them. */
export const tableShape = {
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: ['pk', 'sk', 'job', 'createdAt'].map((name) => ({ AttributeName: name, AttributeType: 'S' })),
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: indexName,
      KeySchema: [
        { AttributeName: 'job', KeyType: 'HASH' },
        { AttributeName: 'createdAt', KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'ALL' },
    },
  ],
};

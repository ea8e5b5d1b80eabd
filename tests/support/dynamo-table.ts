// The table of the state as serverless.yml makes it, for emulators of DynamoDB.

import { type AwsClient, awsClient, jsonCall } from '../../lib/aws/client.ts';
import { indexName } from '../../lib/aws/state-dynamodb.ts';

/** Credentials that are none: dynalite takes any. */
export const anyKeys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-key-made-up' };

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

/** A client for an emulator. */
export function clientOf(endpoint: string): AwsClient {
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

// The light AWS client over the wire: what it sends, what it repeats and what it must not, and what its errors tell.

import { createServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { type AwsCall, type AwsClientOptions, AwsError, awsClient, jsonCall } from '../../lib/aws/client.ts';
import { awsServer } from './aws-server.ts';

const server = awsServer();

const keys = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'secret-key-made-up',
  sessionToken: 'session-token-made-up',
};
const get = (repeat: AwsCall['repeat'] = 'harmless'): AwsCall =>
  jsonCall('dynamodb', 'GetItem', { TableName: 't' }, repeat);

function world(changes: Partial<AwsClientOptions> = {}) {
  const waits: number[] = [];
  const client = awsClient({
    region: 'eu-central-1',
    credentials: () => keys,
    endpoint: server.endpoint,
    now: () => 1_795_441_020_000,
    random: () => 0.5,
    sleep: async (milliseconds) => waits.push(milliseconds),
    ...changes,
  });
  return { client, waits };
}

async function errorOf(call: Promise<unknown>): Promise<AwsError> {
  const error = await call.catch((thrown: unknown) => thrown);
  if (error instanceof AwsError) return error;
  throw new Error('expected an AwsError', { cause: error });
}

describe('a call', () => {
  test('is sent signed, with the session token and its target', async () => {
    server.answers.push({ status: 200, body: { Item: {} } });

    expect(await world().client(get())).toEqual({ Item: {} });
    expect(server.asked).toMatchObject([{ method: 'POST', url: '/', body: '{"TableName":"t"}' }]);
    expect(server.asked[0]?.headers).toMatchObject({
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'DynamoDB_20120810.GetItem',
      'x-amz-date': '20261123T133700Z',
      'x-amz-security-token': keys.sessionToken,
      authorization: expect.stringMatching(
        /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/20261123\/eu-central-1\/dynamodb\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=[0-9a-f]{64}$/,
      ),
    });
  });

  test('has its parameters in the URL', async () => {
    const query = { Marker: 'a/b=', MaxItems: '5' };

    await world().client({ service: 'lambda', method: 'GET', path: '/a%3Ab', query, body: '', repeat: 'harmless' });

    expect(server.asked[0]?.url).toBe('/a%3Ab?Marker=a%2Fb%3D&MaxItems=5');
  });

  test('with an empty answer resolves with undefined', async () => {
    server.answers.push({ status: 202 });

    expect(await world().client(get())).toBeUndefined();
  });

  test('uses the connection of the call before', async () => {
    const { client } = world();
    await client(get());
    const before = server.connections;

    await client(get());

    expect(server.connections).toBe(before);
  });

  test('makes a new connection after a pause in which the old one may have died', async () => {
    const time = { now: 2_000_000_000_000 };
    const { client } = world({ now: () => time.now });
    await client(get());
    const before = server.connections;
    time.now += 5001;

    await client(get());

    expect(server.connections).toBe(before + 1);
  });

  test.each([
    ['eu-central-1', 'https://dynamodb.eu-central-1.amazonaws.com/'],
    ['cn-north-1', 'https://dynamodb.cn-north-1.amazonaws.com.cn/'],
  ])('goes to the endpoint of its service in %s', async (region, url) => {
    const urls: string[] = [];
    const { client } = world({
      region,
      endpoint: undefined,
      send: async (outgoing) => {
        urls.push(outgoing.url);
        return { kind: 'received', status: 200, body: '{}', errorType: undefined };
      },
    });

    await client(get());

    expect(urls).toEqual([url]);
  });
});

describe('what is repeated', () => {
  const throttled = { status: 400, body: { __type: 'com.amazonaws.dynamodb.v20120810#ThrottlingException' } };
  const unavailable = { status: 500, body: { __type: 'InternalServerError' } };
  const refused = { status: 400, body: { __type: 'ConditionalCheckFailedException' } };

  test.each([
    ['throttled', throttled, 'harmless', 2],
    ['throttled', throttled, 'once', 2],
    ['throttled by status', { status: 429 }, 'once', 2],
    ['unavailable', unavailable, 'harmless', 2],
    ['unavailable', unavailable, 'once', 1],
    ['broken', 'broken', 'harmless', 2],
    ['broken', 'broken', 'once', 1],
    ['cut in the middle of the answer', 'cut', 'harmless', 2],
    ['cut in the middle of the answer', 'cut', 'once', 1],
    ['refused', refused, 'harmless', 1],
    ['refused', refused, 'once', 1],
  ] as const)('a call that was %s (%j), to be done %s', async (_, answer, repeat, calls) => {
    server.answers.push(answer, { status: 200, body: {} });

    await world()
      .client(get(repeat))
      .catch(() => undefined);

    expect(server.asked).toHaveLength(calls);
  });

  test('four calls and three growing waits with jitter are all there is', async () => {
    server.answers.push(throttled, throttled, throttled, throttled);
    const { client, waits } = world();

    const error = await errorOf(client(get()));

    expect(error).toMatchObject({ code: 'aws_throttled', type: 'ThrottlingException' });
    expect(server.asked).toHaveLength(4);
    expect(waits).toEqual([50, 100, 200]);
  });

  test('a call that cannot have arrived is repeated even if it may be done only once', async () => {
    const { client, waits } = world({ endpoint: await closedPort() });

    expect(await errorOf(client(get('once')))).toMatchObject({ code: 'aws_unreachable' });
    expect(waits).toHaveLength(3);
  });

  test('a call without an answer in time may have been done', async () => {
    server.answers.push('silent');

    expect(await errorOf(world({ timeout: 100 }).client(get('once')))).toMatchObject({ code: 'aws_unknown' });
    expect(server.asked).toHaveLength(1);
  });
});

describe('an error', () => {
  test.each([
    [{ status: 400, body: { __type: 'x#ResourceNotFoundException', message: 'no table' } }, 'aws_refused', 'no table'],
    [
      { status: 404, body: { Message: 'no function' }, type: 'ResourceNotFoundException:http://x/' },
      'aws_refused',
      'no function',
    ],
    [{ status: 403, body: { __type: 'AccessDeniedException', Message: 'not allowed' } }, 'aws_refused', 'not allowed'],
    [{ status: 503, body: 'busy' }, 'aws_unavailable', '503'],
    [{ status: 302, body: {} }, 'aws_unknown', '302'],
    [{ status: 200, body: '<html>' }, 'aws_unknown', '200'],
  ] as const)('%j tells its code and what AWS said', async (answer, code, told) => {
    server.answers.push(answer, answer, answer, answer);

    const error = await errorOf(world().client(get()));

    expect(error).toMatchObject({ name: 'AwsError', code, message: expect.stringContaining(told) });
  });

  test('does not repeat what AWS quotes of a request whose signature was wrong', async () => {
    const message = `The Canonical String should have been x-amz-security-token:${keys.sessionToken}`;
    server.answers.push({ status: 403, body: { __type: 'InvalidSignatureException', message } });

    const error = await errorOf(world().client(get()));

    expect(error).toMatchObject({ code: 'aws_refused', type: 'InvalidSignatureException' });
    expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain(keys.sessionToken);
  });

  test('is kept with its cause where no answer came', async () => {
    server.answers.push('broken');

    expect((await errorOf(world().client(get('once')))).cause).toBeDefined();
  });
});

/** An address at which nobody listens. */
async function closedPort(): Promise<string> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

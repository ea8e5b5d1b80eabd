// Starting and looking at durable executions: the requests are those of the official SDK, byte for byte where it matters.

import {
  InvokeCommand,
  LambdaClient,
  ListDurableExecutionsByFunctionCommand,
  SendDurableExecutionCallbackSuccessCommand,
} from '@aws-sdk/client-lambda';
import { describe, expect, test } from '@jest/globals';
import { awsClient } from '../../lib/aws/client.ts';
import { LambdaExecutions } from '../../lib/aws/executions.ts';
import { anyKeys } from '../support/dynamo-table.ts';
import { awsServer } from './aws-server.ts';

const server = awsServer();
const name = 'nightly-flush-0123456789abcdef0123';
const functionArn = 'arn:aws:lambda:eu-central-1:111122223333:function:dcs-autopilot-prod-run';

function executions(): LambdaExecutions {
  const client = awsClient({
    region: 'eu-central-1',
    credentials: () => anyKeys,
    endpoint: server.endpoint,
    now: Date.now,
    random: () => 0,
    sleep: async () => undefined,
  });
  return new LambdaExecutions(client, `${functionArn}:durable`);
}

function official(): LambdaClient {
  return new LambdaClient({ region: 'eu-central-1', credentials: anyKeys, endpoint: server.endpoint });
}

const listed = (status: string, executionName = name) => ({ DurableExecutionName: executionName, Status: status });

describe('start', () => {
  test('invokes the alias asynchronously under the id of the run, with a payload that is always the same', async () => {
    server.answers.push({ status: 202 });

    await executions().start(name);

    expect(server.asked).toMatchObject([
      {
        method: 'POST',
        url: `/2015-03-31/functions/${encodeURIComponent(`${functionArn}:durable`)}/invocations`,
        body: `{"runId":"${name}","v":1}`,
        headers: { 'x-amz-invocation-type': 'Event', 'x-amz-durable-execution-name': name },
      },
    ]);
  });

  test('may have another name, under which the ended run is only told of', async () => {
    await executions().start(name, `${name}-n`);

    expect(server.asked).toMatchObject([
      { body: `{"runId":"${name}","v":1}`, headers: { 'x-amz-durable-execution-name': `${name}-n` } },
    ]);
  });

  test('tells a posted message under its name', async () => {
    await executions().tell('post-0123456789abcdef0123');

    expect(server.asked).toMatchObject([
      {
        body: '{"post":"post-0123456789abcdef0123","v":1}',
        headers: { 'x-amz-durable-execution-name': 'post-0123456789abcdef0123' },
      },
    ]);
  });

  test('asks what the official SDK asks', async () => {
    server.answers.push({ status: 202 }, { status: 202 });
    await executions().start(name);

    await official().send(
      new InvokeCommand({
        FunctionName: `${functionArn}:durable`,
        InvocationType: 'Event',
        DurableExecutionName: name,
        Payload: JSON.stringify({ runId: name, v: 1 }),
      }),
    );

    const [ours, theirs] = server.asked.map(({ method, url, headers, body }) => ({
      method,
      url,
      body,
      type: headers['x-amz-invocation-type'],
      name: headers['x-amz-durable-execution-name'],
    }));
    expect(ours).toEqual(theirs);
  });

  test('one that was started with another payload is accepted', async () => {
    server.answers.push({ status: 409, type: 'DurableExecutionAlreadyStartedException', body: { Message: 'started' } });

    await expect(executions().start(name)).resolves.toBeUndefined();
  });

  test('a lost answer is repeated, since the name makes it harmless', async () => {
    server.answers.push('broken', { status: 500 }, { status: 202 });

    await executions().start(name);

    expect(server.asked).toHaveLength(3);
  });

  test('another refusal is thrown', async () => {
    server.answers.push({ status: 409, type: 'ResourceConflictException', body: {} });

    await expect(executions().start(name)).rejects.toMatchObject({ type: 'ResourceConflictException' });
  });
});

describe('status', () => {
  test.each([
    [[], 'absent'],
    [['RUNNING'], 'running'],
    [['SUCCEEDED'], 'ended'],
    [['FAILED'], 'ended'],
    [['TIMED_OUT'], 'ended'],
    [['STOPPED'], 'ended'],
    [['A_NEW_ONE'], 'running'],
    [['STOPPED', 'RUNNING'], 'running'],
  ])('%j is %s', async (statuses, expected) => {
    server.answers.push({ status: 200, body: { DurableExecutions: statuses.map((status) => listed(status)) } });

    expect(await executions().status(name)).toBe(expected);
  });

  test('asks what the official SDK asks, in all versions of the function', async () => {
    await executions().status(name);

    await official().send(
      new ListDurableExecutionsByFunctionCommand({ FunctionName: functionArn, DurableExecutionName: name }),
    );

    const [ours, theirs] = server.asked.map(({ method, url }) => ({ method, url }));
    expect(ours).toEqual(theirs);
  });

  test('another run whose name contains this one is not taken for it', async () => {
    server.answers.push({ status: 200, body: { DurableExecutions: [listed('RUNNING', `${name}0`)] } });

    expect(await executions().status(name)).toBe('absent');
  });

  test('goes on over pages, but not for ever', async () => {
    const more = { status: 200, body: { DurableExecutions: [], NextMarker: 'more/of=it' } };
    server.answers.push(more, { status: 200, body: { DurableExecutions: [listed('RUNNING')] } });

    expect(await executions().status(name)).toBe('running');
    expect(server.asked[1]?.url).toContain('&Marker=more%2Fof%3Dit');

    server.answers.push(...Array.from({ length: 20 }, () => more));
    await expect(executions().status(name)).rejects.toMatchObject({ code: 'aws_listing_endless' });
  });
});

describe('answer', () => {
  const answerId = 'Ab/c+d=1';

  test('wakes the execution that waits, as the official SDK would', async () => {
    server.answers.push({ status: 200 }, { status: 200 });

    await executions().answer(answerId);
    await official().send(new SendDurableExecutionCallbackSuccessCommand({ CallbackId: answerId }));

    const [ours, theirs] = server.asked.map(({ method, url }) => ({ method, url }));
    expect(ours).toEqual(theirs);
    expect(server.asked[0]?.body).toBe('');
  });

  test.each(['CallbackTimeoutException', 'ResourceNotFoundException', 'InvalidParameterValueException'])(
    'is done where nobody waits any more: %s',
    async (type) => {
      server.answers.push({ status: 400, type, body: { Message: 'over' } });

      await expect(executions().answer(answerId)).resolves.toBeUndefined();
    },
  );

  test('a lost answer is repeated, since waking twice is harmless', async () => {
    server.answers.push('broken', { status: 500 }, { status: 200 });

    await executions().answer(answerId);

    expect(server.asked).toHaveLength(3);
  });

  test('another refusal is thrown', async () => {
    server.answers.push({ status: 403, type: 'AccessDeniedException', body: {} });

    await expect(executions().answer(answerId)).rejects.toMatchObject({ type: 'AccessDeniedException' });
  });
});

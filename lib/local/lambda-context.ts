// The Lambda context of a local invocation: the durable SDK asks for one, and reads little of it.

import type { Context } from 'aws-lambda';

// Milliseconds: Lambda's longest. The SDK polls in-process only for what ends within it.
const invocationTime = 15 * 60_000;

/** What the SDK reads (a request id and the remaining time), and placeholders for the rest. */
export function lambdaContext(name: string, requestId: string): Context {
  return {
    awsRequestId: requestId,
    functionName: 'run',
    functionVersion: '$LOCAL',
    invokedFunctionArn: name,
    memoryLimitInMB: '0',
    logGroupName: '',
    logStreamName: '',
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => invocationTime,
    done: () => undefined,
    fail: () => undefined,
    succeed: () => undefined,
  };
}

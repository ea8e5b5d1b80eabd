// Which transitions an operation may make, which limits hold, and what the SDK is shown of it.

import type { OperationUpdate } from '@aws/durable-execution-sdk-js';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { limits, nextOperation, type StoredOperation, sizeOf } from '../../lib/local/operation.ts';
import { toWire } from '../../lib/local/operation-wire.ts';

const now = Date.UTC(2026, 2, 1);
const step: OperationUpdate = { Id: 'a', Type: 'STEP', Action: 'START', Name: 'send', SubType: 'Step' };
const wait: OperationUpdate = { Id: 'a', Type: 'WAIT', Action: 'START', WaitOptions: { WaitSeconds: 60 } };
const context: OperationUpdate = { Id: 'a', Type: 'CONTEXT', Action: 'START' };
const callback: OperationUpdate = { Id: 'a', Type: 'CALLBACK', Action: 'START' };
const succeed: OperationUpdate = { ...step, Action: 'SUCCEED', Payload: '"done"' };
const fail: OperationUpdate = { ...step, Action: 'FAIL', Error: { ErrorMessage: 'no', ErrorType: 'E' } };
const retry: OperationUpdate = { ...step, Action: 'RETRY', StepOptions: { NextAttemptDelaySeconds: 5 } };

/** The operation after all updates, one second apart. */
function made(...updates: readonly OperationUpdate[]): StoredOperation {
  let operation: StoredOperation | undefined;
  updates.forEach((update, n) => {
    operation = nextOperation(operation, update, now + n * 1000);
  });
  if (operation === undefined) throw new Error('no updates');
  return operation;
}

const ready: StoredOperation = { ...made(step, retry), status: 'READY', dueAt: null };

test.each<[string, StoredOperation, Partial<StoredOperation>]>([
  ['a step that starts', made(step), { status: 'STARTED', attempt: 0, startedAt: now, endedAt: null, dueAt: null }],
  ['a step that succeeds', made(step, succeed), { status: 'SUCCEEDED', result: '"done"', endedAt: now + 1000 }],
  ['a step that fails', made(step, fail), { status: 'FAILED', error: '{"ErrorMessage":"no","ErrorType":"E"}' }],
  ['a step to be retried', made(step, retry), { status: 'PENDING', attempt: 1, dueAt: now + 6000, endedAt: null }],
  ['the next attempt', nextOperation(ready, step, now), { status: 'STARTED', attempt: 1, dueAt: null }],
  ['a wait', made(wait), { status: 'STARTED', dueAt: now + 60_000 }],
  ['a callback without a limit', made(callback), { status: 'STARTED', dueAt: null }],
  ['a callback with one', made({ ...callback, CallbackOptions: { TimeoutSeconds: 9 } }), { dueAt: now + 9000 }],
  ['a context', made(context, { ...context, Action: 'SUCCEED' }), { status: 'SUCCEEDED', replayChildren: 0 }],
  [
    'a context whose children stay',
    made(context, { ...context, Action: 'SUCCEED', ContextOptions: { ReplayChildren: true } }),
    { status: 'SUCCEEDED', replayChildren: 1 },
  ],
])('%s', (_, operation, expected) => {
  expect(operation).toMatchObject(expected);
});

test('the state of a condition is kept from its retry to the next attempt', () => {
  const waiting = made(step, { ...retry, Payload: '7' });
  const again = nextOperation({ ...waiting, status: 'READY' }, step, now);

  expect(toWire(again).StepDetails).toMatchObject({ Attempt: 1, Result: '7' });
});

describe('refusals', () => {
  test.each<[string, StoredOperation | undefined, OperationUpdate, string]>([
    ['success of a step that was not started', undefined, succeed, 'STEP SUCCEED of "send" is not allowed'],
    ['failure of a step that was not started', undefined, fail, 'the operation is absent'],
    ['a start of a started step', made(step), step, 'the operation is STARTED'],
    ['a start before the retry is due', made(step, retry), step, 'the operation is PENDING'],
    ['success before the retry is due', made(step, retry), succeed, 'the operation is PENDING'],
    ['success twice', made(step, succeed), succeed, 'the operation is SUCCEEDED'],
    ['failure after success', made(step, succeed), fail, 'the operation is SUCCEEDED'],
    ['a start after failure', made(step, fail), step, 'the operation is FAILED'],
    ['a wait twice', made(wait), wait, 'the operation is STARTED'],
    ['a wait that succeeds by request', made(wait), { ...wait, Action: 'SUCCEED' }, 'not support WAIT SUCCEED'],
    ['another type under the same id', made(wait), succeed, 'is for an operation of type WAIT'],
    ['a function of another name', undefined, { ...step, Type: 'CHAINED_INVOKE' }, 'not support CHAINED_INVOKE START'],
    ['heartbeats', undefined, { ...callback, CallbackOptions: { HeartbeatTimeoutSeconds: 1 } }, 'heartbeats'],
    ['no id', undefined, { ...step, Id: undefined }, 'needs an Id'],
  ])('%s', (_, previous, update, message) => {
    expect(() => nextOperation(previous, update, now)).toThrow(message);
    expect(() => nextOperation(previous, update, now)).toThrow(expect.objectContaining({ scope: 'EXECUTION' }));
  });

  test.each([0, -1, 1.5, Number.NaN, limits.wait + 1, undefined])('a wait of %s seconds', (WaitSeconds) => {
    expect(() => nextOperation(undefined, { ...wait, WaitOptions: { WaitSeconds } }, now)).toThrow('whole seconds');
  });

  test('a payload is refused by its bytes, not its characters', () => {
    const letters = 'é'.repeat(limits.payload / 2);

    expect(nextOperation(made(step), { ...succeed, Payload: letters }, now).result).toBe(letters);
    expect(() => nextOperation(made(step), { ...succeed, Payload: `${letters}x` }, now)).toThrow(
      `the payload of "send" has ${limits.payload + 1} bytes, and at most ${limits.payload} are allowed`,
    );
  });

  test('an error counts like a payload', () => {
    const update = { ...fail, Error: { ErrorMessage: 'x'.repeat(limits.payload) } };

    expect(sizeOf(update)).toBeGreaterThan(limits.payload);
    expect(() => nextOperation(made(step), update, now)).toThrow('at most');
  });
});

test('whatever is asked for, an operation that has ended stays as it ended', () => {
  const update = fc.record({
    Id: fc.constant('a'),
    Type: fc.constantFrom('STEP', 'WAIT', 'CONTEXT', 'CALLBACK'),
    Action: fc.constantFrom('START', 'SUCCEED', 'FAIL', 'RETRY'),
    StepOptions: fc.constant({ NextAttemptDelaySeconds: 1 }),
    WaitOptions: fc.constant({ WaitSeconds: 1 }),
  });
  fc.assert(
    fc.property(fc.array(update, { maxLength: 12 }), (updates) => {
      let operation: StoredOperation | undefined;
      for (const one of updates) {
        const before = operation;
        operation = tryNext(operation, one);
        const hadEnded = before?.status === 'SUCCEEDED' || before?.status === 'FAILED';
        expect(!hadEnded || operation === before).toBe(true);
      }
    }),
  );

  function tryNext(operation: StoredOperation | undefined, one: OperationUpdate): StoredOperation | undefined {
    try {
      return nextOperation(operation, one, now);
    } catch {
      return operation;
    }
  }
});

describe('as the SDK reads it', () => {
  test('a failed step carries its error as an object', () => {
    expect(toWire(made(step, fail))).toMatchObject({
      Id: 'a',
      Name: 'send',
      Type: 'STEP',
      SubType: 'Step',
      Status: 'FAILED',
      StartTimestamp: new Date(now),
      EndTimestamp: new Date(now + 1000),
      StepDetails: { Attempt: 0, Error: { ErrorMessage: 'no', ErrorType: 'E' } },
    });
  });

  test.each<[string, StoredOperation, object]>([
    ['a retry', made(step, retry), { StepDetails: { NextAttemptTimestamp: new Date(now + 6000) } }],
    ['a wait', made(wait), { WaitDetails: { ScheduledEndTimestamp: new Date(now + 60_000) } }],
    ['a context', made(context), { ContextDetails: { ReplayChildren: false } }],
    ['a callback', { ...made(callback), callbackId: 'c' }, { CallbackDetails: { CallbackId: 'c' } }],
  ])('%s', (_, operation, expected) => {
    expect(toWire(operation)).toMatchObject(expected);
  });
});

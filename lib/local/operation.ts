// One operation of a durable execution and the transitions it may make: the part of AWS's backend that decides. Pure.
// What AWS would refuse is refused here too, with its limits, so that what works on one machine works at scale.

import {
  DurableExecutionClientError,
  OperationAction,
  OperationStatus,
  OperationType,
  type OperationUpdate,
} from '@aws/durable-execution-sdk-js';
import * as v from 'valibot';

/**
 * Limits of AWS Lambda durable functions: bytes of one payload, operations of an execution (each retry counts again),
 * bytes written by an execution, seconds of one wait.
 */
export const limits = {
  payload: 256 * 1024,
  operations: 3_000,
  written: 100 * 1024 * 1024,
  wait: 366 * 24 * 3600,
} as const;

/** An operation as it is stored. Times are milliseconds since the epoch; `error` is an ErrorObject as JSON. */
export const storedOperation = v.object({
  id: v.string(),
  parentId: v.nullable(v.string()),
  name: v.nullable(v.string()),
  type: v.picklist(Object.values(OperationType)),
  subType: v.nullable(v.string()),
  status: v.picklist(Object.values(OperationStatus)),
  startedAt: v.number(),
  endedAt: v.nullable(v.number()),
  /** How many attempts have failed. */
  attempt: v.number(),
  /** When it changes by itself: a wait ends, a retry is ready, a callback times out. */
  dueAt: v.nullable(v.number()),
  result: v.nullable(v.string()),
  error: v.nullable(v.string()),
  callbackId: v.nullable(v.string()),
  replayChildren: v.number(),
});
export type StoredOperation = v.InferOutput<typeof storedOperation>;

/** An update that can never be accepted. The SDK ends the execution as failed, as it does after a 4xx of AWS. */
export function refusal(message: string): DurableExecutionClientError {
  return new DurableExecutionClientError(message, { scope: 'EXECUTION' });
}

type Status = StoredOperation['status'] | 'absent';
const transitions: Readonly<Record<string, readonly Status[]>> = {
  'STEP START': ['absent', 'READY'],
  'STEP SUCCEED': ['STARTED'],
  'STEP FAIL': ['STARTED'],
  'STEP RETRY': ['STARTED'],
  'WAIT START': ['absent'],
  'CONTEXT START': ['absent'],
  'CONTEXT SUCCEED': ['STARTED'],
  'CONTEXT FAIL': ['STARTED'],
  'CALLBACK START': ['absent'],
};

/** The operation after `update`. Throws DurableExecutionClientError for what is not allowed. */
export function nextOperation(
  previous: StoredOperation | undefined,
  update: OperationUpdate,
  now: number,
): StoredOperation {
  checkTransition(previous, update);
  checkSize(update);
  const operation = previous ?? newOperation(update, now);
  switch (update.Action) {
    case OperationAction.START:
      return { ...operation, status: OperationStatus.STARTED, dueAt: dueOf(update, now) };
    case OperationAction.RETRY:
      return {
        ...ended(operation, update, OperationStatus.PENDING),
        attempt: operation.attempt + 1,
        // The state of a waitForCondition travels in the payload; a plain step's retry has none.
        result: update.Payload ?? operation.result,
        dueAt: now + seconds(update.StepOptions?.NextAttemptDelaySeconds, update) * 1000,
      };
    case OperationAction.SUCCEED:
      return { ...ended(operation, update, OperationStatus.SUCCEEDED), endedAt: now };
    default:
      return { ...ended(operation, update, OperationStatus.FAILED), endedAt: now };
  }
}

/** Bytes that an update writes: what is counted against the limits. */
export function sizeOf(update: OperationUpdate): number {
  const error = update.Error === undefined ? '' : JSON.stringify(update.Error);
  return Buffer.byteLength(update.Payload ?? '') + Buffer.byteLength(error);
}

function checkTransition(previous: StoredOperation | undefined, update: OperationUpdate): void {
  const kind = `${update.Type} ${update.Action}`;
  const from = transitions[kind];
  if (from === undefined) throw refusal(`the local backend does not support ${kind}${named(update)}`);
  if (previous !== undefined && previous.type !== update.Type) {
    throw refusal(`${kind}${named(update)} is for an operation of type ${previous.type}`);
  }
  const status = previous?.status ?? 'absent';
  if (!from.includes(status)) throw refusal(`${kind}${named(update)} is not allowed: the operation is ${status}`);
  if (update.CallbackOptions?.HeartbeatTimeoutSeconds !== undefined) {
    throw refusal(`the local backend does not support heartbeats of a callback${named(update)}`);
  }
}

function checkSize(update: OperationUpdate): void {
  const size = sizeOf(update);
  if (size > limits.payload) {
    throw refusal(`the payload${named(update)} has ${size} bytes, and at most ${limits.payload} are allowed`);
  }
}

function newOperation(update: OperationUpdate, now: number): StoredOperation {
  const { Id, Type } = update;
  if (Id === undefined || Type === undefined) throw refusal('an update needs an Id and a Type');
  return {
    id: Id,
    parentId: update.ParentId ?? null,
    name: update.Name ?? null,
    type: Type,
    subType: update.SubType ?? null,
    status: OperationStatus.STARTED,
    startedAt: now,
    endedAt: null,
    attempt: 0,
    dueAt: null,
    result: null,
    error: null,
    callbackId: null,
    replayChildren: 0,
  };
}

function dueOf(update: OperationUpdate, now: number): number | null {
  if (update.Type === OperationType.WAIT) return now + seconds(update.WaitOptions?.WaitSeconds, update) * 1000;
  const timeout = update.CallbackOptions?.TimeoutSeconds;
  return timeout === undefined ? null : now + seconds(timeout, update) * 1000;
}

function ended(operation: StoredOperation, update: OperationUpdate, status: StoredOperation['status']) {
  return {
    ...operation,
    status,
    dueAt: null,
    result: update.Payload ?? null,
    error: update.Error === undefined ? null : JSON.stringify(update.Error),
    replayChildren: update.ContextOptions?.ReplayChildren === true ? 1 : 0,
  };
}

function seconds(value: number | undefined, update: OperationUpdate): number {
  if (value === undefined || !Number.isInteger(value) || value < 1 || value > limits.wait) {
    throw refusal(`a delay${named(update)} must be 1 to ${limits.wait} whole seconds, not ${value}`);
  }
  return value;
}

function named(update: OperationUpdate): string {
  return update.Name === undefined ? '' : ` of "${update.Name}"`;
}

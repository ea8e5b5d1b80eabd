// An operation as the SDK reads it: the words of AWS's wire, made from what is stored.

import { type ErrorObject, OperationType, type WireOperation } from '@aws/durable-execution-sdk-js';
import * as v from 'valibot';
import type { StoredOperation } from './operation.ts';

/** The operation as the SDK reads it. */
export function toWire(operation: StoredOperation): WireOperation {
  return {
    Id: operation.id,
    ParentId: operation.parentId ?? undefined,
    Name: operation.name ?? undefined,
    Type: operation.type,
    SubType: operation.subType ?? undefined,
    StartTimestamp: new Date(operation.startedAt),
    EndTimestamp: toDate(operation.endedAt),
    Status: operation.status,
    ...details(operation),
  };
}

function details(operation: StoredOperation): Partial<WireOperation> {
  const outcome = { Result: operation.result ?? undefined, Error: readError(operation.error) };
  const due = toDate(operation.dueAt);
  switch (operation.type) {
    case OperationType.STEP:
      return { StepDetails: { Attempt: operation.attempt, NextAttemptTimestamp: due, ...outcome } };
    case OperationType.WAIT:
      return { WaitDetails: { ScheduledEndTimestamp: due } };
    case OperationType.CONTEXT:
      return { ContextDetails: { ReplayChildren: operation.replayChildren === 1, ...outcome } };
    case OperationType.CALLBACK:
      return { CallbackDetails: { CallbackId: operation.callbackId ?? undefined, ...outcome } };
    default:
      return {};
  }
}

const errorObject = v.object({
  ErrorMessage: v.optional(v.string()),
  ErrorType: v.optional(v.string()),
  ErrorData: v.optional(v.string()),
  StackTrace: v.optional(v.array(v.string())),
});

function readError(text: string | null): ErrorObject | undefined {
  return text === null ? undefined : v.parse(errorObject, JSON.parse(text));
}

function toDate(time: number | null): Date | undefined {
  return time === null ? undefined : new Date(time);
}

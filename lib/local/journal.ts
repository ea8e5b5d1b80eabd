// The journal of durable executions in the local database: what AWS keeps behind its two calls of the SDK. Each
// checkpoint is one transaction, and each carries the token of the one before it, so that an invocation that was
// overtaken can never write.

import type { DatabaseSync } from 'node:sqlite';
import {
  type CheckpointDurableExecutionRequest,
  type CheckpointDurableExecutionResponse,
  DurableExecutionClientError,
  type DurableExecutionInvocationInput,
  type GetDurableExecutionStateRequest,
  type GetDurableExecutionStateResponse,
  OperationType,
  type OperationUpdate,
  type WireOperation,
} from '@aws/durable-execution-sdk-js';
import * as v from 'valibot';
import { AutopilotError } from '../errors.ts';
import { transaction } from './database.ts';
import { type JournalStatements, prepare } from './journal-sql.ts';
import { limits, nextOperation, refusal, type StoredOperation, sizeOf, storedOperation } from './operation.ts';
import { toWire } from './operation-wire.ts';

/** Operations in the first page of an invocation and, where the SDK asks for more, in a later one. */
export const pageSize = 500;

const execution = v.object({
  name: v.string(),
  payload: v.string(),
  status: v.picklist(['RUNNING', 'SUCCEEDED', 'FAILED']),
  suspended: v.number(),
  token: v.number(),
  operations: v.number(),
  bytes: v.number(),
  largest: v.number(),
  startedAt: v.number(),
  result: v.nullable(v.string()),
  error: v.nullable(v.string()),
});

/** One execution. `suspended` is 1 between invocations; `operations`, `bytes` and `largest` count what was written. */
export type Execution = v.InferOutput<typeof execution>;

/** How an execution ended: its result or an ErrorObject, as JSON. */
export interface End {
  readonly status: 'SUCCEEDED' | 'FAILED';
  readonly result?: string | undefined;
  readonly error?: string | undefined;
}

/** An instant; `now` when something has changed already; `never` when only an answer to a callback can wake it. */
export type Wake = number | 'now' | 'never';

const pagedOperation = v.object({ ...storedOperation.entries, seq: v.number() });
const dueRow = v.object({ due: v.nullable(v.number()), untold: v.number(), open: v.number() });
const named = v.object({ name: v.string() });
const identified = v.object({ id: v.string() });

/** The journal on an open database (see database.ts). Times are milliseconds since the epoch. */
export class Journal {
  readonly #database: DatabaseSync;
  readonly #statements: JournalStatements;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#statements = prepare(database);
  }

  /**
   * Writes a new execution; false when it is there with the same payload. Throws AutopilotError: `already_started` with
   * another payload, `execution_refused` for a name or payload that AWS would not take.
   */
  create(name: string, payload: string, now: number): boolean {
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
      throw new AutopilotError('execution_refused', `the name of an execution is 1-64 of A-Za-z0-9-_, not "${name}"`);
    }
    if (Buffer.byteLength(payload) > limits.payload) {
      throw new AutopilotError('execution_refused', `the payload of ${name} is larger than ${limits.payload} bytes`);
    }
    if (this.#statements.create.run(name, payload, now).changes === 1) return true;
    if (this.find(name)?.payload === payload) return false;
    throw new AutopilotError('already_started', `the execution ${name} was started with another payload`);
  }

  /** The execution, or undefined. */
  find(name: string): Execution | undefined {
    const row = this.#statements.find.get(name);
    return row === undefined ? undefined : v.parse(execution, row);
  }

  /** Every execution that has not ended, the oldest first. */
  running(): readonly Execution[] {
    return this.#statements.running.all().map((row) => v.parse(execution, row));
  }

  /** Begins an invocation: a new token, the first page of operations, and which of them changed since the last one. */
  begin(name: string, now: number): DurableExecutionInvocationInput {
    return transaction(this.#database, () => {
      this.#settle(name, now);
      this.#statements.begin.run(name);
      const begun = this.#execution(name);
      const changed = this.#untold(name).map((operation) => operation.id);
      const page = this.#page(name, 0, pageSize - 1);
      return {
        DurableExecutionArn: name,
        CheckpointToken: tokenOf(begun),
        UpdatedOperationIds: changed,
        InitialExecutionState: { ...page, Operations: [root(begun), ...page.Operations] },
      };
    });
  }

  /** A further page of operations for the invocation that holds the token. */
  page(request: GetDurableExecutionStateRequest): GetDurableExecutionStateResponse {
    const { name } = this.#holder(request);
    return this.#page(name, Number(request.Marker ?? 0), Math.min(request.MaxItems ?? pageSize, pageSize));
  }

  /** Applies all updates, or none; answers with a new token and every operation that has changed since the last answer. */
  checkpoint(request: CheckpointDurableExecutionRequest, now: number): CheckpointDurableExecutionResponse {
    return transaction(this.#database, () => {
      const holder = this.#holder(request);
      this.#settle(holder.name, now);
      const changed = new Map<string, StoredOperation>();
      for (const update of request.Updates ?? []) {
        const operation = this.#apply(holder.name, update, now);
        if (operation !== undefined) changed.set(operation.id, operation);
      }
      for (const operation of this.#untold(holder.name)) changed.set(operation.id, operation);
      this.#statements.advance.run(holder.name);
      return {
        CheckpointToken: tokenOf(this.#execution(holder.name)),
        NewExecutionState: { Operations: [...changed.values()].map(toWire) },
      };
    });
  }

  /** Ids of the steps that have been started and not ended. */
  stepsInFlight(name: string): readonly string[] {
    return this.#statements.stepsInFlight.all(name).map((row) => v.parse(identified, row).id);
  }

  /** Marks the invocation as over, with more to come. */
  suspend(name: string): void {
    this.#statements.suspend.run(name);
  }

  /** When a suspended execution is to be invoked again. Throws when nothing could ever wake it. */
  wake(name: string): Wake {
    const { due, untold, open } = v.parse(dueRow, this.#statements.wake.get(name));
    if (untold > 0) return 'now';
    if (due === null && open === 0) throw new Error(`${name} was suspended with nothing to wait for`);
    return due ?? 'never';
  }

  /** Ends the execution. A result that was checkpointed stands over an empty one. */
  end(name: string, end: End, now: number): void {
    this.#statements.end.run(end.status, end.result || null, end.error ?? null, now, name);
  }

  /** Completes a callback that is open; answers with its execution, or undefined when there is none such. */
  completeCallback(callbackId: string, end: End, now: number): string | undefined {
    const values = [end.status, end.result ?? null, end.error ?? null, now, callbackId] as const;
    const row = this.#statements.completeCallback.get(...values);
    return row === undefined ? undefined : v.parse(named, row).name;
  }

  #holder(request: { DurableExecutionArn: string | undefined; CheckpointToken: string | undefined }): Execution {
    const found = this.find(request.DurableExecutionArn ?? '');
    if (found === undefined || found.status !== 'RUNNING' || tokenOf(found) !== request.CheckpointToken) {
      throw new DurableExecutionClientError(
        `the checkpoint token ${request.CheckpointToken} is stale: the invocation was overtaken`,
        { scope: 'INVOCATION' },
      );
    }
    return found;
  }

  #execution(name: string): Execution {
    return v.parse(execution, this.#statements.find.get(name));
  }

  #settle(name: string, now: number): void {
    this.#statements.settle.run(name, now);
  }

  #untold(name: string): readonly StoredOperation[] {
    return this.#statements.untold.all(name).map((row) => v.parse(storedOperation, row));
  }

  #page(name: string, after: number, size: number) {
    const rows = this.#statements.page.all(name, after, size).map((row) => v.parse(pagedOperation, row));
    const last = rows.length === size ? rows.at(-1) : undefined;
    return { Operations: rows.map(toWire), NextMarker: last === undefined ? undefined : String(last.seq) };
  }

  #apply(name: string, update: OperationUpdate, now: number): StoredOperation | undefined {
    if (update.Type === OperationType.EXECUTION) {
      this.#statements.keepResult.run(update.Payload ?? null, name);
      return undefined;
    }
    const row = this.#statements.operation.get(name, update.Id ?? '');
    const previous = row === undefined ? undefined : v.parse(storedOperation, row);
    const next = nextOperation(previous, update, now);
    this.#count(name, update, previous === undefined || update.Action === 'RETRY' ? 1 : 0);
    return this.#write(name, next);
  }

  #count(name: string, update: OperationUpdate, operations: number): void {
    const size = sizeOf(update);
    const row = v.parse(execution, this.#statements.count.get(operations, size, size, name));
    if (row.operations > limits.operations) throw refusal(`${name} has more than ${limits.operations} operations`);
    if (row.bytes > limits.written) throw refusal(`${name} has written more than ${limits.written} bytes`);
  }

  #write(name: string, operation: StoredOperation): StoredOperation {
    const { type, callbackId } = operation;
    const written =
      type === OperationType.CALLBACK
        ? { ...operation, callbackId: callbackId ?? `${name}/${operation.id}` }
        : operation;
    this.#statements.write.run({ ...written, execution: name });
    return written;
  }
}

function tokenOf({ name, token }: Execution): string {
  return `${name}/${token}`;
}

/** The operation that stands for the execution itself; the SDK takes the input from the first one. */
function root(begun: Execution): WireOperation {
  return {
    Id: begun.name,
    Type: OperationType.EXECUTION,
    Status: 'STARTED',
    StartTimestamp: new Date(begun.startedAt),
    ExecutionDetails: { InputPayload: begun.payload },
  };
}

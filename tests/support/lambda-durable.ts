// Lambda's part in durable executions, for the functions in a test: what is started runs, invocation after invocation,
// each in a process of its own, and that process comes back over the REST calls of the service (paths and shapes: the
// model in @aws-sdk/client-lambda). Behind them is the backend of the local runtime, or the test runner of the SDK.

import {
  type CheckpointDurableExecutionRequest,
  type DurableExecutionInvocationInput,
  InvocationStatus,
  isDurableExecutionClientError,
  OperationAction,
  OperationType,
} from '@aws/durable-execution-sdk-js';
import * as v from 'valibot';
import { AutopilotError } from '../../lib/errors.ts';
import type { DurableBackend } from '../../lib/local/durable.ts';
import { type LambdaAnswer, type LambdaCall, startOf } from './aws-stand-in.ts';

/** Hands an event to a function, and answers with what its handler returned. */
export type Invoke = (event: object) => Promise<unknown>;

/** What keeps the executions: their journals, their waits, and who is invoked when. */
export type DurableService = Pick<
  DurableBackend,
  'client' | 'attach' | 'startWith' | 'status' | 'end' | 'onEnded' | 'answer'
>;

/** What it is made of; `alias` is the ARN that executions are started at. */
export interface LambdaDurableOptions {
  readonly alias: string;
  readonly service: DurableService;
  readonly invoke: Invoke;
  /** Operations in one answer. An invocation is handed none of them then, and asks for all; default: what the service gives. */
  readonly page?: number;
}

/** One checkpoint, as it came over the wire. */
type Checkpoint = CheckpointDurableExecutionRequest;

const errorObject = v.object({
  ErrorMessage: v.exactOptional(v.string()),
  ErrorType: v.exactOptional(v.string()),
  ErrorData: v.exactOptional(v.string()),
  StackTrace: v.exactOptional(v.array(v.string())),
});

const output = v.variant('Status', [
  v.object({ Status: v.literal(InvocationStatus.SUCCEEDED), Result: v.exactOptional(v.string()) }),
  v.object({ Status: v.literal(InvocationStatus.FAILED), Error: errorObject }),
  v.object({ Status: v.literal(InvocationStatus.PENDING) }),
]);

// Strict: a member that is not known here would be lost.
const update = v.strictObject({
  Id: v.string(),
  Type: v.picklist(Object.values(OperationType)),
  Action: v.picklist(Object.values(OperationAction)),
  ParentId: v.exactOptional(v.string()),
  Name: v.exactOptional(v.string()),
  SubType: v.exactOptional(v.string()),
  Payload: v.exactOptional(v.string()),
  Error: v.exactOptional(errorObject),
  StepOptions: v.exactOptional(v.strictObject({ NextAttemptDelaySeconds: v.number() })),
  WaitOptions: v.exactOptional(v.strictObject({ WaitSeconds: v.number() })),
  CallbackOptions: v.exactOptional(v.strictObject({ TimeoutSeconds: v.number() })),
});

const checkpoint = v.strictObject({
  CheckpointToken: v.string(),
  ClientToken: v.exactOptional(v.string()),
  Updates: v.optional(v.array(update), []),
});

/** Durable executions of one function. */
export class LambdaDurable {
  /** Names of the executions, once for each invocation. */
  readonly invocations: string[] = [];
  /** Looks at each checkpoint before it is written. */
  watch: (name: string, checkpoint: Checkpoint) => void = () => undefined;
  readonly #function: string;
  readonly #alias: string;
  readonly #service: DurableService;
  readonly #page: number | undefined;
  /** Pages of operations that were asked for. */
  pages = 0;

  constructor({ alias, service, invoke, page }: LambdaDurableOptions) {
    this.#alias = alias;
    this.#function = alias.replace(/:[^:]*$/, '');
    this.#service = service;
    this.#page = page;
    service.attach(async (input) => {
      const { DurableExecutionArn: name } = input;
      this.invocations.push(name);
      const InitialExecutionState =
        page === undefined ? input.InitialExecutionState : withoutOperations(input.InitialExecutionState);
      return v.parse(output, await invoke({ ...input, InitialExecutionState, DurableExecutionArn: this.#arnOf(name) }));
    });
  }

  /** Answers a call of Lambda's API; undefined for one that is none of these. */
  async answer(call: LambdaCall): Promise<LambdaAnswer | undefined> {
    const [, version, kind, id = '', last] = call.url.pathname.split('/').map(decodeURIComponent);
    const route = `${call.method} ${version} ${kind} ${last}`;
    try {
      switch (route) {
        case 'POST 2015-03-31 functions invocations':
          return await this.#start(call, id);
        case 'GET 2025-12-01 functions durable-executions':
          return await this.#list(call.url, id);
        case 'POST 2025-12-01 durable-executions checkpoint':
          return await this.#checkpoint(
            this.#nameOf(id),
            v.parse(v.pipe(v.string(), v.parseJson(), checkpoint), call.body),
          );
        case 'GET 2025-12-01 durable-executions state':
          return await this.#state(this.#nameOf(id), call.url.searchParams);
        case 'POST 2025-12-01 durable-execution-callbacks succeed':
          await this.#service.answer(id);
          return { status: 200, body: {} };
        default:
          return undefined;
      }
    } catch (error) {
      return refusalOf(error);
    }
  }

  async #start(call: LambdaCall, at: string): Promise<LambdaAnswer> {
    if (at !== this.#alias || call.headers['x-amz-invocation-type'] !== 'Event') return { status: 404 };
    await this.#service.startWith(startOf(call)?.name ?? '', call.body);
    return { status: 202 };
  }

  async #list(url: URL, of: string): Promise<LambdaAnswer> {
    const DurableExecutionName = url.searchParams.get('DurableExecutionName') ?? '';
    const status = of === this.#function ? await this.#service.status(DurableExecutionName) : 'absent';
    const Status = this.#service.end(DurableExecutionName)?.status ?? 'RUNNING';
    return { status: 200, body: { DurableExecutions: status === 'absent' ? [] : [{ DurableExecutionName, Status }] } };
  }

  async #checkpoint(name: string, sent: v.InferOutput<typeof checkpoint>): Promise<LambdaAnswer> {
    const request = { ...sent, DurableExecutionArn: name };
    this.watch(name, request);
    return { status: 200, body: onWire(await this.#service.client.checkpoint(request)) };
  }

  async #state(name: string, query: URLSearchParams): Promise<LambdaAnswer> {
    this.pages += 1;
    const most = Number(query.get('MaxItems') ?? 100);
    const page = await this.#service.client.getExecutionState({
      DurableExecutionArn: name,
      CheckpointToken: query.get('CheckpointToken') ?? '',
      Marker: query.get('Marker') ?? undefined,
      MaxItems: Math.min(most, this.#page ?? most),
    });
    return { status: 200, body: onWire(page) };
  }

  #arnOf(name: string): string {
    return `${this.#function}:1/durable-execution/${name}/5c1f2f0e-0000-4000-8000-000000000001`;
  }

  #nameOf(arn: string): string {
    const name = /\/durable-execution\/([^/]+)\/[^/]+$/.exec(arn)?.[1] ?? '';
    return this.#arnOf(name) === arn ? name : '';
  }
}

type ExecutionState = DurableExecutionInvocationInput['InitialExecutionState'];

/** The first page with nothing but the execution itself; the rest is there to be asked for, from its beginning. */
function withoutOperations({ Operations }: ExecutionState): ExecutionState {
  return { Operations: Operations.slice(0, 1), NextMarker: '0' };
}

/** In JSON of Lambda's API a time is a number of seconds; in an event it is ISO 8601, as JSON.stringify writes it. */
function onWire(answer: object): object {
  const seconds = (value: unknown): unknown => {
    if (value instanceof Date) return value.getTime() / 1000;
    if (Array.isArray(value)) return value.map(seconds);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, seconds(member)]));
  };
  return Object.fromEntries(Object.entries(answer).map(([key, member]) => [key, seconds(member)]));
}

function refusalOf(error: unknown): LambdaAnswer {
  if (error instanceof AutopilotError && error.code === 'already_started') {
    return { status: 409, error: 'DurableExecutionAlreadyStartedException', body: { message: error.message } };
  }
  if (error instanceof AutopilotError || v.isValiError(error)) {
    return { status: 400, error: 'InvalidParameterValueException', body: { message: error.message } };
  }
  if (!isDurableExecutionClientError(error)) return { status: 500, error: 'ServiceException', body: {} };
  const message = error.scope === 'INVOCATION' ? `Invalid Checkpoint Token: ${error.message}` : error.message;
  return { status: 400, error: 'InvalidParameterValueException', body: { message } };
}

// Durable executions on one machine: the same SDK and the same handler as on AWS Lambda, with this file in the place of
// the service. It invokes a handler from its start at each wake, with all that the journal knows, and one invocation of
// an execution at a time. What is not in the journal is lost with the process, and nothing else is.

import type { DatabaseSync } from 'node:sqlite';
import {
  type CheckpointDurableExecutionRequest,
  type CheckpointDurableExecutionResponse,
  type DurableExecutionClient,
  DurableExecutionClientError,
  type DurableExecutionInvocationOutput,
  type DurableLambdaHandler,
  isDurableExecutionClientError,
  type OperationUpdate,
} from '@aws/durable-execution-sdk-js';
import { canonicalJson } from '../canonical.ts';
import type { Executions, Log } from '../runtime.ts';
import type { Clock } from './clock.ts';
import { type End, Journal, type Wake } from './journal.ts';
import { lambdaContext } from './lambda-context.ts';

/** Called once for each execution that ends while this process runs. */
export type EndListener = (name: string, end: End) => void;

/** What the backend needs: an open database (see database.ts), time, and a place for what goes wrong. */
export interface DurableBackendOptions {
  readonly database: DatabaseSync;
  readonly clock: Clock;
  readonly log: Log;
}

/** What an execution wrote: operations (each retry counts again), bytes in all, bytes of the largest update. */
export interface Written {
  readonly count: number;
  readonly bytes: number;
  readonly largest: number;
}

// Seconds after an invocation that failed on the way: 1, 2, 4 … 60.
const longestRepeat = 60;

/** The embedded backend: pass `client` to withDurableExecution, `attach` what that returns, then `resume`. */
export class DurableBackend implements Executions {
  /** The transport of the SDK. */
  readonly client: DurableExecutionClient = {
    checkpoint: async (request) => asClientError(() => this.#checkpoint(request)),
    getExecutionState: async (request) => asClientError(() => this.#journal.page(request)),
  };

  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #running = new Map<string, Promise<void>>();
  readonly #alarms = new Map<string, () => void>();
  readonly #failures = new Map<string, number>();
  readonly #listeners: EndListener[] = [];
  #handler: DurableLambdaHandler | undefined;
  #stopping = false;

  constructor({ database, clock, log }: DurableBackendOptions) {
    this.#journal = new Journal(database);
    this.#clock = clock;
    this.#log = log;
  }

  /** The handler of all executions. */
  attach(handler: DurableLambdaHandler): void {
    this.#handler = handler;
  }

  /** Adds a listener for executions that end. */
  onEnded(listener: EndListener): void {
    this.#listeners.push(listener);
  }

  /**
   * Starts an execution for a stored run, under its id or another name. Throws what `startWith` throws.
   */
  async start(runId: string, name: string = runId): Promise<void> {
    await this.startWith(name, canonicalJson({ runId, v: 1 }));
  }

  /** Starts the execution that tells a posted message. Throws what `startWith` throws. */
  async tell(name: string): Promise<void> {
    await this.startWith(name, canonicalJson({ post: name, v: 1 }));
  }

  /**
   * Starts an execution under a name; the same name with the same payload is the existing one. It is stored when this
   * returns, and runs afterwards. Throws AutopilotError `already_started`, `execution_refused`.
   */
  async startWith(name: string, payload: string): Promise<void> {
    if (this.#journal.create(name, payload, this.#clock.now())) this.#invoke(name);
  }

  /** Whether an execution is known and has ended. */
  async status(name: string): Promise<'absent' | 'running' | 'ended'> {
    const found = this.#journal.find(name);
    if (found === undefined) return 'absent';
    return found.status === 'RUNNING' ? 'running' : 'ended';
  }

  /** Wakes the execution that waits for an answer under this id. */
  async answer(answerId: string): Promise<void> {
    this.completeCallback(answerId, { result: '' });
  }

  /** How an execution ended; undefined while it runs or when it is not known. */
  end(name: string): End | undefined {
    const found = this.#journal.find(name);
    if (found === undefined || found.status === 'RUNNING') return undefined;
    return { status: found.status, result: found.result ?? undefined, error: found.error ?? undefined };
  }

  /** What an execution has written so far. */
  operations(name: string): Written {
    const found = this.#journal.find(name);
    return { count: found?.operations ?? 0, bytes: found?.bytes ?? 0, largest: found?.largest ?? 0 };
  }

  /** Takes up every execution that has not ended: call it once, when the process begins. */
  resume(): void {
    for (const { name, suspended } of this.#journal.running()) {
      this.#arm(name, suspended === 1 ? this.#journal.wake(name) : 'now');
    }
  }

  /** Delivers the answer to a callback; false when no such callback is open. */
  completeCallback(callbackId: string, answer: { readonly result: string } | { readonly error: string }): boolean {
    const end: End =
      'result' in answer
        ? { status: 'SUCCEEDED', result: answer.result }
        : { status: 'FAILED', error: JSON.stringify({ ErrorMessage: answer.error }) };
    const name = this.#journal.completeCallback(callbackId, end, this.#clock.now());
    if (name !== undefined && !this.#running.has(name)) this.#arm(name, 'now');
    return name !== undefined;
  }

  /** Resolves when no invocation is running: all executions have ended or wait for an instant or an answer. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  /**
   * Begins nothing more, no step either, and resolves when what was begun has come to rest, or after `grace`
   * milliseconds. Executions go on with the next process.
   */
  async stop(grace = 10_000): Promise<void> {
    this.#stopping = true;
    for (const name of [...this.#alarms.keys()]) this.#disarm(name);
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#clock.at(this.#clock.now() + grace, resolve);
    await Promise.race([this.idle(), promise]);
    cancel();
  }

  #invoke(name: string): void {
    this.#disarm(name);
    if (this.#stopping || this.#handler === undefined || this.#running.has(name)) return;
    this.#running.set(name, this.#run(this.#handler, name));
  }

  async #run(handler: DurableLambdaHandler, name: string): Promise<void> {
    // Whoever started this goes first: a door answers before its run begins.
    await Promise.resolve();
    const wake = await this.#invocation(handler, name);
    this.#running.delete(name);
    this.#arm(name, wake);
  }

  async #invocation(handler: DurableLambdaHandler, name: string): Promise<Wake> {
    try {
      const input = this.#journal.begin(name, this.#clock.now());
      const wake = this.#conclude(name, await handler(input, lambdaContext(name, input.CheckpointToken)));
      this.#failures.delete(name);
      return wake;
    } catch (error) {
      return this.#repeat(name, error);
    }
  }

  #conclude(name: string, output: DurableExecutionInvocationOutput): Wake {
    if (output.Status === 'PENDING') {
      const wake = this.#journal.wake(name);
      this.#journal.suspend(name);
      return wake;
    }
    const end: End =
      output.Status === 'SUCCEEDED'
        ? { status: 'SUCCEEDED', result: output.Result }
        : { status: 'FAILED', error: JSON.stringify(output.Error) };
    this.#journal.end(name, end, this.#clock.now());
    this.#tell(name, end);
    return 'never';
  }

  #tell(name: string, end: End): void {
    if (end.status === 'FAILED') this.#log.error('an execution failed', { execution: name, error: end.error });
    for (const listener of this.#listeners) {
      try {
        listener(name, end);
      } catch (error) {
        this.#log.error('a listener for ended executions failed', { execution: name, error });
      }
    }
  }

  #repeat(name: string, error: unknown): Wake {
    const failures = (this.#failures.get(name) ?? 0) + 1;
    this.#failures.set(name, failures);
    // While stopping, the SDK reports the step that was not begun as a failure.
    if (!this.#stopping) this.#log.error('an invocation failed and will be repeated', { execution: name, error });
    return this.#clock.now() + repeatDelay(failures);
  }

  #arm(name: string, wake: Wake): void {
    this.#disarm(name);
    if (this.#stopping || wake === 'never') return;
    if (wake === 'now' || wake <= this.#clock.now()) this.#invoke(name);
    else
      this.#alarms.set(
        name,
        this.#clock.at(wake, () => this.#invoke(name)),
      );
  }

  #disarm(name: string): void {
    this.#alarms.get(name)?.();
    this.#alarms.delete(name);
  }

  #checkpoint(request: CheckpointDurableExecutionRequest): CheckpointDurableExecutionResponse {
    const updates = request.Updates ?? [];
    const begun = new Set(updates.filter(isStepStart).map((update) => update.Id));
    if (!this.#stopping || begun.size === 0 || this.#isBusy(request, updates)) {
      return this.#journal.checkpoint(request, this.#clock.now());
    }
    // What has happened is kept, and what is about to begin is not: it would be cut off in the middle.
    const kept = updates.filter((update) => !begun.has(update.Id));
    this.#journal.checkpoint({ ...request, Updates: kept }, this.#clock.now());
    throw new DurableExecutionClientError('the process is stopping: no step is begun', { scope: 'INVOCATION' });
  }

  /** Whether a step stays in flight beside these updates: to end the invocation now would lose its answer. */
  #isBusy(request: CheckpointDurableExecutionRequest, updates: readonly OperationUpdate[]): boolean {
    const ended = new Set(updates.map((update) => update.Id));
    return this.#journal.stepsInFlight(request.DurableExecutionArn ?? '').some((id) => !ended.has(id));
  }
}

function isStepStart(update: OperationUpdate): boolean {
  return update.Type === 'STEP' && update.Action === 'START';
}

/** Milliseconds before the invocation after `failures` failed ones in a row. */
function repeatDelay(failures: number): number {
  return Math.min(2 ** (failures - 1), longestRepeat) * 1000;
}

/** The SDK takes any other error of its transport for one of AWS's, and guesses what it means. */
function asClientError<T>(call: () => T): T {
  try {
    return call();
  } catch (cause) {
    if (isDurableExecutionClientError(cause)) throw cause;
    throw new DurableExecutionClientError('the journal cannot be used', { scope: 'INVOCATION', cause });
  }
}

// The test runner of the durable SDK in the place of the service. It hands its transport to a handler in its own process;
// here that transport is what answers the calls which the packaged client makes over the wire. It skips all waits, so
// that the clock has to be told of them.

import {
  type DurableExecutionClient,
  DurableExecutionInvocationInputWithClient,
  type DurableExecutionInvocationOutput,
  type DurableLambdaHandler,
  type OperationUpdate,
} from '@aws/durable-execution-sdk-js';
import { LocalDurableTestRunner } from '@aws/durable-execution-sdk-js-testing';
import type { Context } from 'aws-lambda';
import type { EndListener } from '../../lib/local/durable.ts';
import type { End } from '../../lib/local/journal.ts';
import type { DurableService } from './lambda-durable.ts';

/** A clock that can be moved. */
export interface MovableClock {
  readonly now: () => number;
  readonly advance: (milliseconds: number) => unknown;
}

const timers = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'];

/** Makes the runner skip waits, and takes back the timers and the date that it replaces for that. */
export async function setUpRunner(): Promise<void> {
  const own = [...timers, 'Date', 'queueMicrotask', 'performance'].map((name) => ownOf(globalThis, name));
  const ofProcess = ['nextTick', 'hrtime'].map((name) => ownOf(process, name));
  await LocalDurableTestRunner.setupTestEnvironment({ skipTime: true });
  Object.defineProperties(globalThis, Object.fromEntries(own));
  Object.defineProperties(process, Object.fromEntries(ofProcess));
}

function ownOf(owner: object, name: string): [string, PropertyDescriptor] {
  return [name, Object.getOwnPropertyDescriptor(owner, name) ?? {}];
}

/** Executions on the runner, one at a time. */
export class SdkRunner implements DurableService {
  readonly client: DurableExecutionClient = {
    checkpoint: (request) => {
      const updates = request.Updates ?? [];
      this.#note(updates);
      return this.#transport().checkpoint({
        ...request,
        Updates: updates.map(soonOver),
        DurableExecutionArn: this.#arn,
      });
    },
    getExecutionState: (request) => this.#transport().getExecutionState({ ...request, DurableExecutionArn: this.#arn }),
  };
  readonly #clock: MovableClock;
  readonly #listeners: EndListener[] = [];
  #handler: DurableLambdaHandler | undefined;
  #arn = '';
  #running: DurableExecutionClient | undefined;
  #name: string | undefined;
  #end: End | undefined;
  #wakeAt = 0;

  constructor(clock: MovableClock) {
    this.#clock = clock;
  }

  attach(handler: DurableLambdaHandler): void {
    this.#handler = handler;
  }

  onEnded(listener: EndListener): void {
    this.#listeners.push(listener);
  }

  async startWith(name: string, payload: string): Promise<void> {
    this.#name = name;
    const handlerFunction = (event: unknown, context: Context) => this.#invoke(name, event, context);
    const runner = new LocalDurableTestRunner({ handlerFunction });
    void runner.run({ payload: JSON.parse(payload) }).then(
      (result) =>
        this.#tell(name, { status: 'SUCCEEDED', result: JSON.stringify(result.getResult()), error: undefined }),
      (error) => this.#tell(name, { status: 'FAILED', result: undefined, error: String(error) }),
    );
  }

  async status(name: string): Promise<'absent' | 'running' | 'ended'> {
    if (name !== this.#name) return 'absent';
    return this.#end === undefined ? 'running' : 'ended';
  }

  end(name: string): End | undefined {
    return name === this.#name ? this.#end : undefined;
  }

  async answer(): Promise<void> {
    throw new TypeError('the runner is given no run that waits for an answer');
  }

  async #invoke(name: string, event: unknown, context: Context): Promise<DurableExecutionInvocationOutput> {
    if (!DurableExecutionInvocationInputWithClient.isInstance(event)) throw new TypeError('no event of the runner');
    const { DurableExecutionArn, durableExecutionClient, ...input } = event;
    this.#arn = DurableExecutionArn;
    this.#running = durableExecutionClient;
    this.#clock.advance(this.#wakeAt - this.#clock.now());
    if (this.#handler === undefined) throw new TypeError('nobody to invoke');
    return this.#handler({ ...input, DurableExecutionArn: name }, context);
  }

  #note(updates: readonly OperationUpdate[]): void {
    for (const { WaitOptions, StepOptions, CallbackOptions } of updates) {
      const seconds =
        WaitOptions?.WaitSeconds ?? StepOptions?.NextAttemptDelaySeconds ?? CallbackOptions?.TimeoutSeconds;
      if (seconds !== undefined) this.#wakeAt = this.#clock.now() + seconds * 1000;
    }
  }

  #transport(): DurableExecutionClient {
    if (this.#running === undefined) throw new TypeError('nothing was invoked');
    return this.#running;
  }

  #tell(name: string, end: End): void {
    this.#end = end;
    for (const listener of this.#listeners) listener(name, end);
  }
}

/**
 * The runner skips waits, and no time-outs of callbacks: nobody answers here, so each is over as soon as the run has
 * come to wait for it.
 */
function soonOver(update: OperationUpdate): OperationUpdate {
  if (update.CallbackOptions?.TimeoutSeconds === undefined) return update;
  return { ...update, CallbackOptions: { ...update.CallbackOptions, TimeoutSeconds: 0.3 } };
}

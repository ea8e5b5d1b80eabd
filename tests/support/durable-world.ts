// A durable backend on a database of its own, with a fast clock and the real SDK: what tests of executions stand on.

import type { DatabaseSync } from 'node:sqlite';
import { type DurableContext, type DurableExecutionClient, withDurableExecution } from '@aws/durable-execution-sdk-js';
import { afterAll } from '@jest/globals';
import type { Clock } from '../../lib/local/clock.ts';
import { DurableBackend } from '../../lib/local/durable.ts';
import type { End } from '../../lib/local/journal.ts';
import { temporaryDatabase } from './data-folder.ts';
import { MemoryLog } from './memory-log.ts';
import { rapidClock } from './rapid-clock.ts';

/** A handler as a durable function has it; its input is whatever JSON the execution was started with. */
export type Handler = (input: unknown, context: DurableContext) => Promise<unknown>;

/** What a world may be made of instead of its own. */
export interface DurableParts {
  readonly database?: DatabaseSync;
  readonly clock?: Clock;
  /** Stands between the SDK and the backend. */
  readonly wrap?: (client: DurableExecutionClient) => DurableExecutionClient;
}

const worlds: DurableBackend[] = [];
afterAll(async () => {
  await Promise.all(worlds.map((backend) => backend.stop(0)));
});

/** A backend that runs `handler`, and helpers that wait for the end of an execution. */
export function durableWorld(handler: Handler, parts: DurableParts = {}) {
  const database = parts.database ?? temporaryDatabase();
  const log = new MemoryLog();
  const backend = new DurableBackend({ database, clock: parts.clock ?? rapidClock(1000), log });
  worlds.push(backend);
  const client = parts.wrap?.(backend.client) ?? backend.client;
  backend.attach(withDurableExecution(handler, { durableExecutionClient: client }));
  return { database, log, backend, ended: (name: string) => endOf(backend, name) };
}

/** The end of an execution, as soon as it is there; a result as JSON text. */
export async function endOf(backend: DurableBackend, name: string): Promise<End> {
  const ended = Promise.withResolvers<End>();
  backend.onEnded((one, end) => {
    if (one === name) ended.resolve(end);
  });
  return backend.end(name) ?? ended.promise;
}

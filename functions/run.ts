// The run: lib/run.ts inside AWS Lambda durable functions. What the flow asks of its engine is spelled here in the words
// of the SDK; the same handler runs on the embedded backend, which hands in its own transport.

import {
  CallbackError,
  type DurableContext,
  type DurableExecutionClient,
  type DurableLambdaHandler,
  type Duration,
  StepSemantics,
  withDurableExecution,
} from '@aws/durable-execution-sdk-js';
import * as v from 'valibot';
import { awsWorld } from '../lib/aws/world.ts';
import type { Engine } from '../lib/engine.ts';
import { tellPost } from '../lib/report/tell.ts';
import { run, type World } from '../lib/run.ts';

const payloadSchema = v.union([
  v.object({ v: v.literal(1), runId: v.string() }),
  v.object({ v: v.literal(1), post: v.string() }),
]);

/**
 * The durable handler of a run: payload `{v: 1, runId}`, result the status of the run; or of a message that belongs to
 * none, `{v: 1, post}`.
 */
export function runHandler(world: () => Promise<World>, transport?: DurableExecutionClient): DurableLambdaHandler {
  return withDurableExecution(
    async (payload: unknown, context: DurableContext) => {
      const wanted = v.parse(payloadSchema, payload);
      const engine = engineOf(context);
      return 'post' in wanted ? tellPost(wanted.post, engine, await world()) : run(wanted.runId, engine, await world());
    },
    transport === undefined ? undefined : { durableExecutionClient: transport },
  );
}

/** The run on AWS Lambda. */
export const handler = runHandler(awsWorld);

function engineOf(context: DurableContext): Engine {
  return {
    execution: context.executionContext.durableExecutionArn,
    step: async (name, work) => context.step(name, work, { retryStrategy }),
    once: async (name, work) => {
      try {
        const semantics = StepSemantics.AtMostOncePerRetry;
        return {
          interrupted: false,
          value: await context.step(name, work, { semantics, retryStrategy: () => ({ shouldRetry: false }) }),
        };
      } catch {
        // Begun and not ended, whatever the reason: only reading can tell how far it came.
        return { interrupted: true };
      }
    },
    wait: async (name, seconds) => context.wait(name, { seconds }),
    answer: async (name, seconds, ask, meanwhile) => {
      const [answered, answerId] = await context.createCallback(name, { timeout: { seconds } });
      if (!(await context.step(`${name} asked`, () => ask(answerId), { retryStrategy }))) return false;
      await meanwhile?.();
      try {
        await answered;
        return true;
      } catch (error) {
        if (error instanceof CallbackError) return false;
        throw error;
      }
    },
  };
}

/** The work of a step never throws for what DCS does; what it throws for is the state store, which may come back. */
function retryStrategy(_: Error, attempt: number): { readonly shouldRetry: boolean; readonly delay: Duration } {
  return { shouldRetry: attempt < 5, delay: { seconds: attempt } };
}

// Runs as durable executions of AWS Lambda: started under the id of the run, so that starting one twice is harmless, and
// looked at by that name. Events cannot name an execution; that is why the doors do the starting.

import * as v from 'valibot';
import { canonicalJson, type Json } from '../canonical.ts';
import { AutopilotError } from '../errors.ts';
import type { Executions } from '../runtime.ts';
import { type AwsClient, AwsError } from './client.ts';
import { awsEncode } from './sign.ts';

/** Pages of a listing that are read for one name: the service filters by it, so that one is enough. */
const maxPages = 10;

const listing = v.object({
  DurableExecutions: v.optional(v.array(v.object({ DurableExecutionName: v.string(), Status: v.string() })), []),
  NextMarker: v.optional(v.nullable(v.string())),
});

/** Executions of one function; `alias` is the ARN of its alias, `arn:aws:lambda:…:function:NAME:ALIAS`. */
export class LambdaExecutions implements Executions {
  readonly #client: AwsClient;
  readonly #alias: string;

  constructor(client: AwsClient, alias: string) {
    this.#client = client;
    this.#alias = alias;
  }

  /**
   * Starts an execution for a stored run, under its id or another name; starting it again is harmless. Throws AwsError.
   */
  async start(runId: string, name: string = runId): Promise<void> {
    await this.#start(name, { runId, v: 1 });
  }

  /** Starts the execution that tells a posted message; starting it again is harmless. Throws AwsError. */
  async tell(name: string): Promise<void> {
    await this.#start(name, { post: name, v: 1 });
  }

  async #start(name: string, payload: Json): Promise<void> {
    try {
      await this.#client({
        service: 'lambda',
        method: 'POST',
        path: `/2015-03-31/functions/${awsEncode(this.#alias)}/invocations`,
        headers: {
          'content-type': 'application/json',
          'x-amz-invocation-type': 'Event',
          'x-amz-durable-execution-name': name,
        },
        // The same name with the same payload is the same execution: nothing of the moment may be in it.
        body: canonicalJson(payload),
        repeat: 'harmless',
      });
    } catch (error) {
      // Another version of this program started it with another payload.
      if (!(error instanceof AwsError && error.type === 'DurableExecutionAlreadyStartedException')) throw error;
    }
  }

  /**
   * `absent`: never started, or not listed yet. Looked for in all versions of the function, since it may have been
   * started before the last deployment. Throws AwsError.
   */
  async status(name: string): Promise<'absent' | 'running' | 'ended'> {
    const found = await this.#statuses(name);
    if (found.length === 0) return 'absent';
    return found.every((status) => ended.has(status)) ? 'ended' : 'running';
  }

  /** Wakes the execution that waits for an answer under this id; harmless where none waits any more. Throws AwsError. */
  async answer(answerId: string): Promise<void> {
    try {
      await this.#client({
        service: 'lambda',
        method: 'POST',
        path: `/2025-12-01/durable-execution-callbacks/${awsEncode(answerId)}/succeed`,
        headers: { 'content-type': 'application/octet-stream' },
        body: '',
        repeat: 'harmless',
      });
    } catch (error) {
      // It was answered before, its time is over, or its execution has ended: whoever waited goes on already.
      if (!(error instanceof AwsError && isAnswered.has(error.type))) throw error;
    }
  }

  async #statuses(name: string): Promise<string[]> {
    const path = `/2025-12-01/functions/${awsEncode(this.#alias.replace(/:[^:]*$/, ''))}/durable-executions`;
    const found: string[] = [];
    let marker: { Marker?: string } = {};
    for (let page = 0; page < maxPages; page++) {
      const query = { DurableExecutionName: name, ...marker };
      const answer = await this.#client({
        service: 'lambda',
        method: 'GET',
        path,
        query,
        body: '',
        repeat: 'harmless',
      });
      const { DurableExecutions, NextMarker } = v.parse(listing, answer);
      const named = DurableExecutions.filter((each) => each.DurableExecutionName === name);
      found.push(...named.map((each) => each.Status));
      if (!NextMarker) return found;
      marker = { Marker: NextMarker };
    }
    throw new AutopilotError('aws_listing_endless', `the executions named ${name} fill more than ${maxPages} pages`);
  }
}

const isAnswered: ReadonlySet<string> = new Set([
  'CallbackTimeoutException',
  'ResourceNotFoundException',
  'InvalidParameterValueException',
]);

// A status that is not known here counts as running: nobody is declared dead by mistake.
const ended: ReadonlySet<string> = new Set(['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'STOPPED']);

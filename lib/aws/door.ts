// What every HTTP door shares: from API Gateway's event to a request of ours, and from an answer or an error back.
// Nothing leaves a door but its documented answers; what went wrong inside is in the log, under the request's id.

import { gzipSync } from 'node:zlib';
import type { MiddyfiedHandler, Request } from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { AutopilotError, ConfigError, DoorError, EnvironmentError } from '../errors.ts';
import { errorAnswer, type HttpAnswer, type HttpRequest, written } from '../http.ts';
import type { Runtime } from '../runtime.ts';
import type { State } from '../state.ts';
import { powertoolsLog, withKeys } from './logger.ts';

/** A composed door: what Lambda, the local server and the tests call. */
export type Door = MiddyfiedHandler<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>;

/** What a door does with a request that arrived. */
export type Receive = (runtime: Runtime, request: HttpRequest) => Promise<HttpAnswer>;

type Exchange = Request<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>;

/** The inside of a door: opens the runtime, reads the event, writes the answer. */
export function receiving(runtime: () => Promise<Runtime>, receive: Receive) {
  return async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
    const world = await open(runtime);
    const log = withKeys(world.log, { requestId: event.requestContext.requestId });
    const request = toRequest(event);
    const answer = await receive({ ...world, log, state: orUnavailable(world.state) }, request);
    return zipped(toResult(answer), request.headers['accept-encoding'] ?? '');
  };
}

/** Middleware that turns whatever a door throws into an answer, and logs it: refusals as info, our own faults as error. */
export function answeringErrors(runtime: () => Promise<Runtime>): { onError: (exchange: Exchange) => Promise<void> } {
  return {
    onError: async (exchange) => {
      const answer = errorAnswer(exchange.error);
      exchange.response = toResult(answer);
      const { log, metrics } = await toldTo(runtime);
      const facts = { ...factsOf(exchange.event), status: answer.status };
      const Code = codeOf(exchange.error);
      metrics?.count('DoorRefusals', 1, { Code });
      if (answer.status >= 500) log.error('request failed', { ...facts, error: exchange.error });
      else log.info('request refused', { ...facts, code: Code });
    },
  };
}

/** Whether API Gateway has sent an event, and not another service of AWS. */
export function isHttpEvent(event: unknown): event is APIGatewayProxyEventV2 {
  return typeof event === 'object' && event !== null && 'requestContext' in event && 'rawPath' in event;
}

/** API Gateway's event as a request: the body as the bytes that were sent, the path without the stage. */
export function toRequest(event: APIGatewayProxyEventV2): HttpRequest {
  const { http, requestId, stage } = event.requestContext;
  const prefix = `/${stage}/`;
  const path = `${event.rawPath}/` === prefix ? prefix : event.rawPath;
  const headers = Object.entries(event.headers).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    method: http.method,
    path: path.startsWith(prefix) ? path.slice(prefix.length - 1) : path,
    query: event.rawQueryString,
    headers: Object.fromEntries(headers),
    body: Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8'),
    requestId,
  };
}

function toResult(answer: HttpAnswer): APIGatewayProxyStructuredResultV2 {
  const { headers, text } = written(answer);
  return { statusCode: answer.status, headers, body: text };
}

/** Characters. Lambda hands on 6 MB of an answer at most, and a run of 10,000 instances comes near that. */
const longAnswer = 1_000_000;

/** A long answer, a tenth as long for whoever takes that. */
function zipped(result: APIGatewayProxyStructuredResultV2, accepted: string): APIGatewayProxyStructuredResultV2 {
  const { body = '', headers } = result;
  if (body.length < longAnswer || !/\bgzip\b/i.test(accepted)) return result;
  const encoded = { ...headers, 'content-encoding': 'gzip', vary: 'accept-encoding' };
  return { ...result, headers: encoded, body: gzipSync(body).toString('base64'), isBase64Encoded: true };
}

/** A runtime that cannot be had is no fault of the sender: it is told to send again. */
async function open(runtime: () => Promise<Runtime>): Promise<Runtime> {
  try {
    return await runtime();
  } catch (cause) {
    const ours = cause instanceof ConfigError || cause instanceof EnvironmentError;
    if (cause instanceof AutopilotError && !ours) throw new DoorError(503, cause.code, cause.message, [], { cause });
    throw new DoorError(503, 'unavailable', 'The service is not ready; send this again.', [], { cause });
  }
}

/** The state as a door needs it: when it does not work, the sender is told to send again. */
function orUnavailable(state: State): State {
  return {
    get: (key) => available(() => state.get(key)),
    putIfAbsent: (key, value, options) => available(() => state.putIfAbsent(key, value, options)),
    updateIf: (key, version, value, options) => available(() => state.updateIf(key, version, value, options)),
    put: (key, value, options) => available(() => state.put(key, value, options)),
    query: (pk, prefix) => available(() => state.query(pk, prefix)),
    byJob: (job, limit, before) => available(() => state.byJob(job, limit, before)),
  };
}

async function available<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    // What sending again cannot heal is our own fault, and told as one.
    const isLasting = cause instanceof AutopilotError && ['aws_refused', 'item_too_large'].includes(cause.code);
    if (isLasting) throw cause;
    throw new DoorError(503, 'state_unavailable', 'The state cannot be reached; send this again.', [], { cause });
  }
}

async function toldTo(runtime: () => Promise<Runtime>): Promise<Pick<Runtime, 'log'> & Partial<Runtime>> {
  try {
    return await runtime();
  } catch {
    return { log: powertoolsLog('dcs-autopilot', 'info') };
  }
}

function factsOf(event: APIGatewayProxyEventV2): Record<string, unknown> {
  const { http, requestId } = event.requestContext;
  return { requestId, method: http.method, path: event.rawPath.slice(0, 200) };
}

function codeOf(error: unknown): string {
  return error instanceof AutopilotError ? error.code : 'internal';
}

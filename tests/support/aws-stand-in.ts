// AWS for the functions in a test, behind one address: the tables are dynalite's, parameters are a map, and the starts of
// executions are kept, or handed on to a Lambda that runs them. What it does not know it answers with 501, so that a
// call nobody expected shows.

import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import dynalite from 'dynalite';
import { anyKeys, makeTable } from './dynamo-table.ts';

/** ARN of the alias at which runs are started. */
export const runAlias = 'arn:aws:lambda:eu-central-1:111122223333:function:dcs-autopilot-prod-run:durable';

const environment = {
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: anyKeys.accessKeyId,
  AWS_SECRET_ACCESS_KEY: anyKeys.secretAccessKey,
  TABLE_NAME: 'state',
  RUN_ALIAS: runAlias,
};

/** What was started. */
export interface Started {
  readonly function: string;
  readonly name: string;
  readonly payload: string;
}

/** A call of Lambda's API. */
export interface LambdaCall {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Its answer; `error` is the type of a refusal. */
export interface LambdaAnswer {
  readonly status: number;
  readonly error?: string;
  readonly body?: object;
}

/** Lambda behind the stand-in; undefined for a call that it does not know. */
export type Lambda = (call: LambdaCall) => Promise<LambdaAnswer | undefined>;

export interface AwsStandIn {
  /** Values of Parameter Store by name. */
  readonly parameters: Map<string, string>;
  readonly started: Started[];
  /** Targets and paths in the order of the calls: `GetItem`, `GetParameter`, `POST /2015-03-31/functions/…`. */
  readonly calls: string[];
  /** Those of them that were answered with 501. */
  readonly unknown: string[];
  /** The environment of a function that lives there. */
  readonly env: Readonly<Record<string, string>>;
  readonly endpoint: string;
  readonly close: () => void;
}

/** Starts it, with the table `state` in it; the caller closes it. Without a `lambda` executions never go on. */
export async function startAwsStandIn(lambda: Lambda = idle): Promise<AwsStandIn> {
  const tables = dynalite({ createTableMs: 0 });
  const server = createServer((request, response) => {
    const [service = '', operation = ''] = String(request.headers['x-amz-target'] ?? '.').split('.');
    world.calls.push(operation || `${request.method} ${request.url}`);
    if (service.startsWith('DynamoDB_')) tables.emit('request', request, response);
    else void answer(world, lambda, operation, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const world: AwsStandIn = {
    endpoint,
    parameters: new Map(),
    started: [],
    calls: [],
    unknown: [],
    env: { ...environment, AWS_ENDPOINT_URL: endpoint },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  await makeTable(endpoint, environment.TABLE_NAME);
  return world;
}

async function answer(
  world: AwsStandIn,
  lambda: Lambda,
  operation: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString();
  if (operation === 'GetParameter') return getParameter(world, body, response);
  const { method = '', headers } = request;
  const call = { method, url: new URL(request.url ?? '', world.endpoint), headers, body };
  const started = startOf(call);
  if (started !== undefined) world.started.push(started);
  const known = world.started.some(({ name }) => name === call.url.searchParams.get('DurableExecutionName'));
  const { status, error, body: answered } = (await lambda(call)) ?? standing(call, known);
  if (status === 501) world.unknown.push(`${method} ${request.url} ${operation}`);
  response.writeHead(status, error === undefined ? {} : { 'x-amzn-errortype': error });
  response.end(answered === undefined ? '' : JSON.stringify(answered));
}

/** The execution that a call starts, if it starts one. */
export function startOf({ method, url, headers, body }: LambdaCall): Started | undefined {
  const invoked = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(url.pathname)?.[1];
  if (method !== 'POST' || invoked === undefined) return undefined;
  const name = String(headers['x-amz-durable-execution-name']);
  return { function: decodeURIComponent(invoked), name, payload: body };
}

const idle: Lambda = async () => undefined;

/** Lambda where nothing goes on: what was started is running. */
function standing(call: LambdaCall, known: boolean): LambdaAnswer {
  if (startOf(call) !== undefined) return { status: 202 };
  if (!/\/durable-executions$/.test(call.url.pathname)) return { status: 501 };
  const DurableExecutionName = call.url.searchParams.get('DurableExecutionName');
  return { status: 200, body: { DurableExecutions: known ? [{ DurableExecutionName, Status: 'RUNNING' }] : [] } };
}

function getParameter({ parameters }: AwsStandIn, body: string, response: ServerResponse): void {
  const { Name } = JSON.parse(body);
  const Value = parameters.get(Name);
  if (Value === undefined) response.writeHead(400).end(JSON.stringify({ __type: 'ParameterNotFound' }));
  else response.end(JSON.stringify({ Parameter: { Name, Value } }));
}

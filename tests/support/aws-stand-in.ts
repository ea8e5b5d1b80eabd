// AWS for the functions in a test, behind one address: the tables are dynalite's, parameters are a map, and the starts of
// executions are kept. What it does not know it answers with 501, so that a call nobody expected shows.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
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

export interface AwsStandIn {
  /** Values of Parameter Store by name. */
  readonly parameters: Map<string, string>;
  readonly started: Started[];
  /** Targets and paths in the order of the calls: `GetItem`, `GetParameter`, `POST /2015-03-31/functions/…`. */
  readonly calls: string[];
  /** The environment of a function that lives there. */
  readonly env: Readonly<Record<string, string>>;
  readonly endpoint: string;
  readonly close: () => void;
}

/** Starts it, with the table `state` in it; the caller closes it. */
export async function startAwsStandIn(): Promise<AwsStandIn> {
  const tables = dynalite({ createTableMs: 0 });
  const server = createServer((request, response) => {
    const [service = '', operation = ''] = String(request.headers['x-amz-target'] ?? '.').split('.');
    world.calls.push(operation || `${request.method} ${request.url}`);
    if (service.startsWith('DynamoDB_')) tables.emit('request', request, response);
    else void answer(world, operation, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const world: AwsStandIn = {
    endpoint,
    parameters: new Map(),
    started: [],
    calls: [],
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
  operation: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString();
  const url = new URL(request.url ?? '', world.endpoint);
  const invoked = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(url.pathname)?.[1];
  if (operation === 'GetParameter') return getParameter(world, body, response);
  if (invoked !== undefined) {
    const name = String(request.headers['x-amz-durable-execution-name']);
    world.started.push({ function: decodeURIComponent(invoked), name, payload: body });
    return void response.writeHead(202).end();
  }
  if (/\/durable-executions$/.test(url.pathname)) {
    const name = url.searchParams.get('DurableExecutionName');
    const known = world.started.some((each) => each.name === name);
    const DurableExecutions = known ? [{ DurableExecutionName: name, Status: 'RUNNING' }] : [];
    return void response.end(JSON.stringify({ DurableExecutions }));
  }
  response.writeHead(501).end();
}

function getParameter({ parameters }: AwsStandIn, body: string, response: ServerResponse): void {
  const { Name } = JSON.parse(body);
  const Value = parameters.get(Name);
  if (Value === undefined) response.writeHead(400).end(JSON.stringify({ __type: 'ParameterNotFound' }));
  else response.end(JSON.stringify({ Parameter: { Name, Value } }));
}

// API Gateway's part on one machine: requests become the events of its payload format 2.0, and results become answers,
// as the doors would meet them on AWS. (Shapes: AWS Lambda developer guide, "HTTP API payload format 2.0".)

import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';

/** A door as the server calls it. */
export type LambdaDoor = (
  event: APIGatewayProxyEventV2,
  context: Context,
) => Promise<APIGatewayProxyStructuredResultV2>;

/** Content types whose bodies API Gateway hands on as text; all others come in Base64. */
const textType = /^(text\/|application\/(json|javascript|xml)\b)/i;

/** A request and its whole body as an event of API Gateway. `now` in milliseconds. */
export function toEvent(request: IncomingMessage, body: Buffer, now: number): APIGatewayProxyEventV2 {
  const { path, query } = splitUrl(request.url ?? '/');
  const { cookie, ...headers } = joinHeaders(request.rawHeaders);
  const parameters = joinParameters(query);
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: query,
    ...(cookie !== undefined && { cookies: cookie.split(/; */) }),
    headers,
    ...(parameters !== undefined && { queryStringParameters: parameters }),
    requestContext: requestContext(request, path, headers, now),
    ...toBody(body, headers['content-type']),
  };
}

/** What Lambda tells a function about its invocation, as far as it means something on one machine. */
export function toContext(door: string, requestId: string): Context {
  return {
    functionName: door,
    functionVersion: '$LATEST',
    invokedFunctionArn: `local:${door}`,
    memoryLimitInMB: '0',
    awsRequestId: requestId,
    logGroupName: 'local',
    logStreamName: 'local',
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => 30_000,
    done: () => {},
    fail: () => {},
    succeed: () => {},
  };
}

/** Writes a door's result. */
export function writeResult(response: ServerResponse, result: APIGatewayProxyStructuredResultV2): void {
  const { statusCode = 200, headers = {}, body = '', cookies = [], isBase64Encoded = false } = result;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, String(value));
  if (cookies.length > 0) response.setHeader('set-cookie', cookies);
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  response.writeHead(statusCode, { 'content-length': bytes.length });
  response.end(bytes);
}

function splitUrl(url: string): { path: string; query: string } {
  const mark = url.indexOf('?');
  return mark < 0 ? { path: url, query: '' } : { path: url.slice(0, mark), query: url.slice(mark + 1) };
}

/** Lower-case names, repeated ones joined by commas, in the order of their arrival. */
function joinHeaders(raw: readonly string[]): Record<string, string> {
  const joined = new Map<string, string>();
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const [name, value] = [raw[index]?.toLowerCase() ?? '', raw[index + 1] ?? ''];
    const before = joined.get(name);
    const mark = name === 'cookie' ? '; ' : ',';
    joined.set(name, before === undefined ? value : `${before}${mark}${value}`);
  }
  return Object.fromEntries(joined);
}

function joinParameters(query: string): Record<string, string> | undefined {
  const parameters = new URLSearchParams(query);
  const names = [...new Set(parameters.keys())];
  if (names.length === 0) return undefined;
  return Object.fromEntries(names.map((name) => [name, parameters.getAll(name).join(',')]));
}

function requestContext(
  request: IncomingMessage,
  path: string,
  headers: Readonly<Record<string, string>>,
  now: number,
): APIGatewayProxyEventV2['requestContext'] {
  const { host = 'localhost', 'user-agent': userAgent = '' } = headers;
  const { method = 'GET', httpVersion, socket } = request;
  return {
    accountId: 'local',
    apiId: 'local',
    domainName: host,
    domainPrefix: host.split('.')[0] ?? host,
    http: { method, path, protocol: `HTTP/${httpVersion}`, sourceIp: socket.remoteAddress ?? '', userAgent },
    requestId: randomUUID(),
    routeKey: '$default',
    stage: '$default',
    time: clfTime(now),
    timeEpoch: now,
  };
}

/** Text stays text only where its bytes survive that: others would no longer match their signature. */
function toBody(body: Buffer, type = ''): { body?: string; isBase64Encoded: boolean } {
  if (body.length === 0) return { isBase64Encoded: false };
  if (textType.test(type) && isUtf8(body)) return { body: body.toString('utf8'), isBase64Encoded: false };
  return { body: body.toString('base64'), isBase64Encoded: true };
}

/** `23/Nov/2026:13:37:00 +0000`, as in an access log. */
function clfTime(now: number): string {
  const [, day, month, year, time] = new Date(now).toUTCString().split(' ');
  return `${day}/${month}/${year}:${time} +0000`;
}

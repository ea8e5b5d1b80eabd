// Calls to AWS: signed, with a time limit, repeated a few times where that is harmless. A light client, since the doors
// have to start at once: the SDK's clients for DynamoDB and Lambda alone cost 160 ms of load.
// These are calls to the platform the program stands on, as a file system is to a local one; whether work is sent to DCS
// again is decided in lib/retry.ts and nowhere else.

import * as v from 'valibot';
import type { Json } from '../canonical.ts';
import { AutopilotError } from '../errors.ts';
import { type Exchange, type Send, send } from './send.ts';
import { type AwsCredentials, awsQuery, signAws } from './sign.ts';

/** The services that are called. */
export type AwsService = 'dynamodb' | 'events' | 'lambda' | 'secretsmanager' | 'sns' | 'ssm';

/** A call before it is signed. */
export interface AwsCall {
  readonly service: AwsService;
  readonly method: 'GET' | 'POST';
  /** Encoded, without the query. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
  /**
   * `harmless`: doing it twice is like doing it once, so it is repeated after any passing fault. `once`: it is repeated
   * only where it cannot have been done; a conditional write that was lost on its way back would refuse its own repeat.
   */
  readonly repeat: 'harmless' | 'once';
  /** Where it goes, if not to the client's own region. */
  readonly region?: string;
  /** `ignored`: a good answer is not read, whatever it is written in. Default: it is JSON. */
  readonly answer?: 'json' | 'ignored';
}

/** Makes a call; resolves with the body of a 2xx answer, parsed (undefined where it is empty). Throws AwsError. */
export type AwsClient = (call: AwsCall) => Promise<unknown>;

/** The world of a client. */
export interface AwsClientOptions {
  readonly region: string;
  /** Read at each call; throws where there are none. */
  readonly credentials: () => AwsCredentials;
  /** Instead of AWS's own: for emulators. Scheme, host and port. */
  readonly endpoint?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
  /** Milliseconds. */
  readonly sleep: (milliseconds: number) => Promise<unknown>;
  /** Milliseconds for one exchange. Default: 4000, many times what any of the calls takes. */
  readonly timeout?: number;
  /** Calls at most, the first included. Default: 4, for doors, which have a sender that waits. */
  readonly calls?: number;
  readonly send?: Send;
}

/** Codes: stable, for programs. `aws_unknown`: the call may have been done. */
export type AwsErrorCode = 'aws_unreachable' | 'aws_unknown' | 'aws_throttled' | 'aws_unavailable' | 'aws_refused';

/** A call that failed for good. Its texts never quote a request: AWS repeats session tokens in its own. */
export class AwsError extends AutopilotError {
  override readonly name = 'AwsError';
  override readonly code: AwsErrorCode;
  /** The name of the error in AWS's words, such as `ConditionalCheckFailedException`; '' where there was none. */
  readonly type: string;

  constructor(code: AwsErrorCode, type: string, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.code = code;
    this.type = type;
  }
}

/** Calls, the first included. */
const usualCalls = 4;
/** Milliseconds: the ceiling of any wait. */
const longestWait = 10_000;
/** Milliseconds: the ceiling of the first wait, doubled for each further one. Three waits are 700 ms at most. */
const firstWait = 100;
const usualTimeout = 4000;

const targets = {
  dynamodb: 'DynamoDB_20120810',
  events: 'AWSEvents',
  secretsmanager: 'secretsmanager',
  ssm: 'AmazonSSM',
} as const;

/** A call of a service that speaks JSON over POST: `jsonCall('ssm', 'GetParameter', {…}, 'harmless')`. */
export function jsonCall(
  service: keyof typeof targets,
  operation: string,
  input: { readonly [name: string]: Json },
  repeat: AwsCall['repeat'],
): AwsCall {
  const version = service === 'dynamodb' ? '1.0' : '1.1';
  const headers = {
    'content-type': `application/x-amz-json-${version}`,
    'x-amz-target': `${targets[service]}.${operation}`,
  };
  return { service, method: 'POST', path: '/', headers, body: JSON.stringify(input), repeat };
}

/** A client for one region. */
export function awsClient(options: AwsClientOptions): AwsClient {
  const maxCalls = options.calls ?? usualCalls;
  return async (call) => {
    for (let calls = 1; ; calls++) {
      const outcome = outcomeOf(call, await exchange(call, options));
      if (outcome.ok) return outcome.answer;
      if (calls === maxCalls || !mayRepeat(call, outcome.error)) throw outcome.error;
      await options.sleep(options.random() * Math.min(longestWait, firstWait * 2 ** (calls - 1)));
    }
  };
}

async function exchange(call: AwsCall, options: AwsClientOptions): Promise<Exchange> {
  const { method, path, query = {}, body, region = options.region } = call;
  const now = options.now();
  const origin = new URL(options.endpoint ?? endpointOf(call.service, region)).origin;
  const headers = { ...call.headers, host: new URL(origin).host };
  const scope = { region, service: call.service };
  const signed = signAws({ method, path, query, headers, body }, options.credentials(), scope, new Date(now));
  const url = `${origin}${path}${call.query === undefined ? '' : `?${awsQuery(query)}`}`;
  const timeout = options.timeout ?? usualTimeout;
  return (options.send ?? send)({ method, url, headers: signed, body }, { now, timeout });
}

function endpointOf(service: AwsService, region: string): string {
  return `https://${service}.${region}.${region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'}`;
}

type Outcome = { readonly ok: true; readonly answer: unknown } | { readonly ok: false; readonly error: AwsError };

function outcomeOf(call: AwsCall, exchanged: Exchange): Outcome {
  if (exchanged.kind !== 'received') {
    const [code, what] =
      exchanged.kind === 'unsent'
        ? (['aws_unreachable', 'cannot be reached'] as const)
        : (['aws_unknown', 'did not answer in time, or the connection was lost'] as const);
    return { ok: false, error: new AwsError(code, '', `${call.service} ${what}`, { cause: exchanged.cause }) };
  }
  const isGood = exchanged.status >= 200 && exchanged.status < 300;
  if (isGood && call.answer === 'ignored') return { ok: true, answer: undefined };
  const json = parsed(exchanged.body);
  if (isGood && json !== null) return { ok: true, answer: json };
  const type = exchanged.errorType ?? typeInXml(exchanged.body);
  return { ok: false, error: errorOf(call, exchanged.status, type, json) };
}

/** The parsed text; undefined for an empty one, null for one that is no JSON. */
function parsed(body: string): unknown {
  if (body === '') return undefined;
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

/** SNS answers in XML: `<Error><Type>Sender</Type><Code>AuthorizationError</Code>…`. */
function typeInXml(body: string): string | undefined {
  return /<Code>(\w{1,100})<\/Code>/.exec(body)?.[1];
}

const errorBody = v.object({
  __type: v.optional(v.string()),
  message: v.optional(v.string()),
  Message: v.optional(v.string()),
});

// Each says what was not allowed or not right, never what was signed.
const tellable = /^(AccessDenied(Exception)?|ValidationException|ResourceNotFoundException)$/;
const throttling =
  /^(Throttl(ing|ed)(Exception)?|ProvisionedThroughputExceededException|RequestLimitExceeded|TooManyRequestsException)$/;

function errorOf(call: AwsCall, status: number, header: string | undefined, json: unknown): AwsError {
  const body = v.safeParse(errorBody, json);
  const told = body.success ? body.output : {};
  // `com.amazonaws.dynamodb.v20120810#ValidationException`, or in the header `ResourceNotFoundException:http://…`.
  const type = (header ?? told.__type ?? '').replace(/:.*$/, '').replace(/^.*#/, '');
  const message = tellable.test(type) ? `: ${(told.message ?? told.Message ?? '').slice(0, 300)}` : '';
  return new AwsError(codeOf(status, type), type, `${call.service} answered ${status} ${type}${message}`);
}

function codeOf(status: number, type: string): AwsErrorCode {
  if (status === 429 || throttling.test(type)) return 'aws_throttled';
  if (status >= 500) return 'aws_unavailable';
  return status >= 400 ? 'aws_refused' : 'aws_unknown';
}

function mayRepeat({ repeat }: AwsCall, { code }: AwsError): boolean {
  if (code === 'aws_refused') return false;
  return repeat === 'harmless' || code === 'aws_throttled' || code === 'aws_unreachable';
}

// From an answer that is no success to a Problem: its class, the service's words, when to come back. Pure. No secret gets
// through, not even where the service repeats one: the gateway's messages name access keys.

import * as v from 'valibot';
import { classify, type Problem } from '../classify.ts';
import type { Verdict } from '../key-trial.ts';
import { errorBody, parseJson } from './dcs-schema.ts';
import type { Exchange, Received } from './http.ts';

/** What a reader of an answer needs besides the answer. */
export interface ReadContext {
  /** Milliseconds since the epoch, when the answer came. */
  readonly now: number;
  /** Takes the secrets of the call out of a text. */
  readonly mask: (text: string) => string;
  /** Whether a signature went with the call (it did unless this is false): only then can a wrong clock be why it was refused. */
  readonly isSigned?: boolean;
}

/** Milliseconds: the gateway refuses requests whose X-Sdk-Date is further off. Source: API Request Signing Guide. */
const skewLimit = 15 * 60 * 1000;

/** The problem of an exchange that brought no success. */
export function problemOf(exchange: Exchange, context: ReadContext): Problem {
  if (exchange.kind === 'failed') return exchange.problem;
  const { code, message, requestId } = errorOf(exchange.body);
  const errorClass = classify({ code, status: exchange.status });
  const skew = errorClass === 'auth' && context.isSigned !== false ? skewOf(exchange, context.now) : 0;
  const retryAfter = retryAfterOf(exchange, context.now);
  return {
    class: errorClass,
    ...(skew === 0 ? said(code, message, exchange.status, context.mask) : skewed(skew)),
    status: exchange.status,
    ...requestIdOf(exchange, context, requestId),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}

/** What an exchange says of the key that its call was signed with. */
export function verdictOf(exchange: Exchange, context: ReadContext): Verdict {
  if (exchange.kind === 'received' && exchange.status < 300) return 'good';
  const problem = problemOf(exchange, context);
  // Only DCS itself stands behind the gateway that checks signatures.
  if (problem.class !== 'auth') return /^(DCS\.|111\d{6}$)/.test(problem.code) ? 'good' : 'open';
  return { status: problem.code === 'clock_skew' ? 'skewed' : 'refused', problem };
}

/** The problem of a success that does not say what it should: for the caller the same as no answer at all. */
export function unreadable(received: Received, code: string, message: string, context: ReadContext): Problem {
  return { class: 'unknown', code, message, status: received.status, ...requestIdOf(received, context) };
}

/** The id by which the vendor's support finds the call, from the header or else from the body; {} where there is none. */
export function requestIdOf(
  received: Received,
  context: ReadContext,
  fromBody: string = '',
): { readonly requestId?: string } {
  const requestId = clean(context.mask(received.requestId ?? fromBody)).slice(0, 128);
  return requestId === '' ? {} : { requestId };
}

/** A function that replaces each of these secrets, and what a request's Authorization header is made of. */
export function masker(used: readonly string[]): (text: string) => string {
  const secrets = used
    .flatMap((secret) => [secret, encodeURIComponent(secret)])
    .filter((secret) => secret !== '')
    // The longest first: one may be part of another.
    .toSorted((a, b) => b.length - a.length);
  return (text) =>
    secrets
      .reduce((masked, secret) => masked.replaceAll(secret, '***'), text)
      .replace(/\b(Access|Signature)=[^\s,"]+/gi, '$1=***');
}

function errorOf(body: string): { readonly code: string; readonly message: string; readonly requestId: string } {
  const parsed = v.safeParse(errorBody, parseJson(body));
  if (!parsed.success) return { code: '', message: '', requestId: '' };
  const { error, error_code, error_msg, request_id } = parsed.output;
  return { code: error_code || error.code, message: error_msg || error.message, requestId: request_id };
}

function said(
  code: string,
  message: string,
  status: number,
  mask: ReadContext['mask'],
): Pick<Problem, 'code' | 'message'> {
  return {
    // A code is a short word; anything else that stands there would only be noise, or worse, in records and metrics.
    code: /^[\w.-]{1,64}$/.test(code) ? mask(code) : `http_${status}`,
    message: clean(mask(message)) || `HTTP ${status} without a message that can be read.`,
  };
}

function skewed(skew: number): Pick<Problem, 'code' | 'message'> {
  const minutes = Math.round(Math.abs(skew) / 60_000);
  const direction = skew > 0 ? 'ahead of' : 'behind';
  const message = `This machine's clock is ${minutes} minutes ${direction} the service's, which refuses more than 15.`;
  return { code: 'clock_skew', message };
}

/** Milliseconds by which this machine is ahead; 0 where the service would tolerate it or the answer does not tell. */
function skewOf(received: Received, now: number): number {
  const skew = now - (httpDate(received.date) ?? now);
  return Math.abs(skew) > skewLimit ? skew : 0;
}

/** Seconds, from either form of the header; undefined where it is absent or malformed. */
function retryAfterOf(received: Received, now: number): number | undefined {
  const value = received.retryAfter?.trim() ?? '';
  if (/^-?\d{1,9}$/.test(value)) return Math.max(0, Number(value));
  const date = httpDate(value);
  if (date === undefined) return undefined;
  // Both dates are then by the service's clock, whatever ours says.
  return Math.max(0, Math.ceil((date - (httpDate(received.date) ?? now)) / 1000));
}

/** The one form of a date that HTTP still allows to be sent (RFC 9110, 5.6.7). Date.parse alone takes nearly anything. */
function httpDate(value: string | null): number | undefined {
  if (value === null || !/^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(value)) return undefined;
  const time = Date.parse(value);
  return Number.isNaN(time) ? undefined : time;
}

/** One line of at most 500 characters. */
function clean(text: string): string {
  return text
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, 500);
}

// How many calls a project may make: a token bucket or a fixed window. The limits of DCS itself are not documented, so
// both kinds that gateways have can be tried.

import type { Route } from './script.ts';
import { type WireError, wireError } from './wire-errors.ts';

/** So many calls in so many milliseconds. */
export interface RateLimit {
  /** `bucket`: tokens that come back evenly; `window`: a count that starts anew every `per`, by the epoch's clock. */
  readonly kind: 'bucket' | 'window';
  readonly calls: number;
  /** Milliseconds. */
  readonly per: number;
  /** Tokens that a bucket holds at most; default `calls`. */
  readonly burst?: number;
}

/** Counts the calls of one project against its limit. */
export class Throttle {
  readonly #limit: RateLimit;
  #tokens: number;
  #at = Number.NEGATIVE_INFINITY;

  constructor(limit: RateLimit) {
    this.#limit = limit;
    this.#tokens = sizeOf(limit);
  }

  /** Takes one call at a moment (milliseconds since the epoch): 0 where it may pass, else how long to wait for one. */
  take(at: number): number {
    const { kind, calls, per } = this.#limit;
    const size = sizeOf(this.#limit);
    if (kind === 'bucket') this.#tokens = Math.min(size, this.#tokens + ((at - this.#at) / per) * calls);
    else if (windowOf(at, per) > windowOf(this.#at, per)) this.#tokens = size;
    this.#at = at;
    if (this.#tokens < 1) return kind === 'bucket' ? ((1 - this.#tokens) * per) / calls : per - (at % per);
    this.#tokens -= 1;
    return 0;
  }
}

/** The limits of a project: one for DCS, one for IAM; without one, any number of calls may pass. */
export class Limits {
  readonly #dcs: { readonly limit: RateLimit; readonly throttle: Throttle } | undefined;
  readonly #iam: { readonly limit: RateLimit; readonly throttle: Throttle } | undefined;

  constructor(dcs: RateLimit | undefined, iam: RateLimit | undefined) {
    this.#dcs = dcs && { limit: dcs, throttle: new Throttle(dcs) };
    this.#iam = iam && { limit: iam, throttle: new Throttle(iam) };
  }

  /** Counts a call (milliseconds since the epoch); why it is refused, or null. */
  refusal(route: Route, at: number): WireError | null {
    const isIam = iamRoutes.includes(route);
    const { limit, throttle } = (isIam ? this.#iam : this.#dcs) ?? {};
    const wait = throttle?.take(at) ?? 0;
    if (limit === undefined || wait === 0) return null;
    return { ...(isIam ? iamError(limit) : gatewayError(limit)), wait };
  }
}

const iamRoutes: readonly Route[] = ['token', 'temporaryKey', 'projects'];

function gatewayError({ calls, per }: RateLimit): WireError {
  const text = 'The throttling threshold has been reached: policy user over ratelimit';
  return { ...wireError('APIGW.0308'), message: `${text},limit:${calls},time:${per / 1000} second` };
}

/** OTC-IAM, appendix/error_codes.rst: "Threshold: N times per N seconds". */
function iamError({ calls, per }: RateLimit): WireError {
  const text = 'The throttling threshold has been reached.';
  return { ...wireError('IAM.0012'), message: `${text} Threshold: ${calls} times per ${per / 1000} seconds` };
}

function sizeOf({ kind, calls, burst }: RateLimit): number {
  return kind === 'bucket' ? (burst ?? calls) : calls;
}

function windowOf(at: number, per: number): number {
  return Math.floor(at / per);
}

// The one table of errors: what each answer of DCS or its gateway means for the caller. Code before status.

/**
 * What to do about an answer that is no success.
 * - `busy`: the instance is at work; wait until it is not, then send again
 * - `throttled`: too many calls; wait, then send again
 * - `unreachable`: nothing was sent; wait, then send again
 * - `unknown`: it may have been done; read the instance before anything else
 * - `auth`: the credentials are not accepted; renew once, then stop
 * - `final`: this will not work for these instances, however often it is sent
 * - `split`: the batch is too large
 * - `config`: this will not work for any instance of the project; stop the run
 */
export const errorClasses = [
  'busy',
  'throttled',
  'unreachable',
  'unknown',
  'auth',
  'final',
  'split',
  'config',
] as const;
export type ErrorClass = (typeof errorClasses)[number];

/** One failed call, without any secret: what it means, and the facts for whoever looks into it. */
export interface Problem {
  readonly class: ErrorClass;
  /** The service's own code (`DCS.4111`), or ours in lower case (`timeout`, `connection_lost`, `clock_skew`). */
  readonly code: string;
  readonly message: string;
  readonly status?: number;
  readonly requestId?: string;
  /** Seconds, from a Retry-After header. */
  readonly retryAfter?: number;
}

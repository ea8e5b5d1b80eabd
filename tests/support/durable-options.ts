// Options of steps, for tests and for the processes that tests start (which know nothing of jest).

import { StepSemantics } from '@aws/durable-execution-sdk-js';

/** A step that is begun once, and never again. */
export const atMostOnce = {
  semantics: StepSemantics.AtMostOncePerRetry,
  retryStrategy: () => ({ shouldRetry: false }),
} as const;

/** A step that is retried a second later, up to `most` attempts in all. */
export function attempts(most: number) {
  const retryStrategy = (_: Error, attempt: number) => ({ shouldRetry: attempt < most, delay: { seconds: 1 } });
  return { retryStrategy };
}

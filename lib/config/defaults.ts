// What holds where the file says nothing. docs/configuration.md repeats these values, and a test compares them.

import type { Guards, Project, RetryPolicy, Tag, VerifyPolicy, Waves } from '../config.ts';

/** The policies of a job; durations in seconds. */
export const builtIn: {
  readonly enabled: boolean;
  readonly dryRun: boolean;
  readonly guards: Guards;
  readonly waves: Waves;
  readonly retry: RetryPolicy;
  readonly verify: VerifyPolicy;
  readonly retention: number;
} = {
  enabled: true,
  dryRun: false,
  guards: { maxInstances: 5, maxPercent: 10, stated: false },
  waves: {
    canary: { count: 1 },
    size: { percent: 10 },
    soak: 120,
    maxFailures: 1,
    order: { tag: 'env', values: ['dev', 'staging', 'prod'] },
  },
  retry: { maxAttempts: 6, baseDelay: 10, maxDelay: 300, for: 3600 },
  verify: { interval: 10, settle: 60, timeout: 1800 },
  retention: 90 * 86_400,
};

/** Instances with this tag are never touched, unless the project names another tag. */
export const protectedTag: Tag = { key: 'dcs-autopilot-protected', value: 'true' };

/** Limits of a project that states none. */
export const rate: Project['rate'] = { callsPerSecond: 10, retriesPerHour: 200 };

/** Seconds until one DCS call is given up. */
export const callTimeout = 30;

/** Seconds that a fire may be late. */
export const startDeadline = 1800;

export const stage = 'prod';
export const timezone = 'UTC';

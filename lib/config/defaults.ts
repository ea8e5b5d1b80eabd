// What holds where the file says nothing. docs/configuration.md repeats these values, and a test compares them.

import type { AlertStorm, Job, Ladder, Project, Tag } from '../config.ts';

/** What each job may state, and `defaults` for all of them. */
export type Policies = Omit<Job, 'name' | 'action' | 'ladder' | 'project' | 'target' | 'trigger'>;

/** The policies of a job; durations in seconds. */
export const builtIn: Policies = {
  enabled: true,
  dryRun: false,
  guards: { maxInstances: 5, maxPercent: 10, maxPerDay: 50, onExceed: 'refuse', stated: false },
  waves: {
    canary: { count: 1 },
    size: { percent: 10 },
    soak: 120,
    maxFailures: 1,
    order: { tag: 'env', values: ['dev', 'staging', 'prod'] },
    healthCheck: null,
  },
  retry: { maxAttempts: 6, baseDelay: 10, maxDelay: 300, for: 3600 },
  verify: { interval: 10, settle: 60, timeout: 1800 },
  cooldown: 0,
  backup: { mode: 'off', maxAge: 86_400 },
  approval: 'none',
  collision: 'skip',
  window: null,
  retention: 90 * 86_400,
};

/** Seconds for which an instance is left alone after a success of a job that an alert starts. */
export const alertCooldown = 1800;

/** A ladder that says only its rungs. */
export const ladder: Omit<Ladder, 'rungs'> = { settle: 900, resetAfter: 1800, rounds: 3 };

/** Instances with this tag are never touched, unless the project names another tag. */
export const protectedTag: Tag = { key: 'dcs-autopilot-protected', value: 'true' };

/** A project without limits of its own on what may be done, and when. */
export const unlimited: Pick<Project, 'allowTag' | 'freeze'> = { allowTag: null, freeze: [] };

/** Limits of a project that states none. */
export const rate: Project['rate'] = { callsPerSecond: 10, retriesPerHour: 200 };

/** Seconds until one DCS call is given up. */
export const callTimeout = 30;

/** Seconds that a fire may be late. */
export const startDeadline = 1800;

export const alertStorm: AlertStorm = { share: 20, count: 10, within: 300, cooldown: 600 };

export const stage = 'prod';
export const timezone = 'UTC';

/** Seconds before the end of a window in which nothing new starts. */
export const cutoff = 900;

/** What an alert trigger leaves out; `maxAge` in seconds. */
export const alertTrigger = { instance: 'dcs_instance_id', maxAge: 900, continue: false } as const;

export const signatureHeader = 'x-grafana-alerting-signature';

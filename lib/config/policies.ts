// How a job is done: the schemas of the policies that each job may state and `defaults` may state for all of them. What
// holds where neither does is in defaults.ts.

import * as v from 'valibot';
import { actions } from '../config.ts';
import { closed, may, says } from './keys.ts';
import { window } from './times.ts';
import { amount, duration, flag, healthCheck, listOf, oneOf, share, tagValue, text, whole } from './values.ts';

const guards = closed({
  maxInstances: may(whole(1, 10_000), 'Most instances a run may plan. Default: 5'),
  maxPercent: may(share, 'Largest share of all instances of the project a run may plan. Default: 10%'),
  maxPerDay: may(whole(1, 1_000_000), 'Most instances of the project in 24 hours, over all jobs. Default: 50'),
  onExceed: may(oneOf(['refuse', 'trim']), 'What happens to a larger plan. Default: refuse'),
});

const waves = closed({
  canary: may(amount, 'Size of the first wave. Default: 1'),
  size: may(amount, 'Size of each later wave. Default: 10%'),
  soak: may(duration(), 'Time between two waves. Default: 2m'),
  maxFailures: may(whole(1, 10_000), 'The run stops at this failed or unknown instance. Default: 1'),
  order: may(
    closed({
      tag: says(text, 'Tag by which instances are ordered'),
      values: says(listOf(tagValue), 'Its values, first to last; others come after them'),
    }),
    'Order of the instances. Default: tag env, values dev, staging, prod',
  ),
  healthCheck: may(v.nullable(healthCheck), 'Asked between two waves: a URL or a secret that holds one. Default: null'),
});

const retry = closed({
  maxAttempts: may(whole(1, 100), 'Sends per instance, the first included. Default: 6'),
  baseDelay: may(duration(), 'Shortest backoff. Default: 10s'),
  maxDelay: may(duration(), 'Longest backoff. Default: 5m'),
  for: may(duration(), 'How long retrying and waiting may last. Default: 1h'),
});

const verify = closed({
  interval: may(duration(), 'First gap between two reads. Default: 10s'),
  settle: may(duration(), 'How long RUNNING must last without other evidence. Default: 60s'),
  timeout: may(duration(), 'After this, an unverified instance is unknown. Default: 30m'),
});

const backup = closed({
  mode: may(oneOf(['off', 'reuse', 'fresh']), 'Whether a backup is made first, or a recent one will do. Default: off'),
  maxAge: may(duration(), 'How old a backup that is reused may be. Default: 24h'),
});

/** Rungs of a ladder; only of a job. */
export const ladder = closed({
  rungs: says(
    v.pipe(listOf(oneOf(actions)), v.minLength(1, 'expected a list of actions, such as [soft_restart, restart]')),
    'Actions, the mildest first',
  ),
  settle: may(duration(), 'How long the alert may stay after a rung before the next one. Default: 15m'),
  resetAfter: may(duration(), 'An instance that is quiet for that long starts at the first rung. Default: 30m'),
  rounds: may(whole(1, 100), 'How often the ladder may be climbed before someone is told. Default: 3'),
});

/** The keys of a job's policies, for `closed`. */
export const policies = {
  enabled: may(flag, 'Whether the job starts at all. Default: true'),
  dryRun: may(flag, 'Plan only, never send. Default: false'),
  guards: may(guards, 'Limits above which a plan is refused'),
  waves: may(waves, 'In which portions the work is done'),
  retry: may(retry, 'How what failed is tried again'),
  verify: may(verify, 'How it is made sure that an instance came back'),
  cooldown: may(duration(), 'How long an instance is left alone after a success. Default: 30m for alerts, else none'),
  backup: may(backup, 'A backup before work that destroys data'),
  approval: may(oneOf(['none', 'required']), 'Whether an operator has to approve the plan. Default: none'),
  collision: may(oneOf(['skip', 'queue']), 'What to do when another run holds an instance. Default: skip'),
  window: may(v.nullable(window), 'Times of day in which a run may work. Default: null'),
  retention: may(duration(), 'How long a run is kept after its end, at least a day. Default: 90d'),
};

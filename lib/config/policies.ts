// How a job is done: the schemas of the policies that each job may state and `defaults` may state for all of them. What
// holds where neither does is in defaults.ts.

import { closed, may, says } from './keys.ts';
import { amount, duration, flag, listOf, oneOf, share, tagValue, text, whole } from './values.ts';

/** Keys of a job that the contract has and this version does not enforce; they are refused in `defaults` too. */
export const jobNotYet = ['ladder', 'backup', 'cooldown', 'approval', 'collision', 'window'];

const guards = closed(
  {
    maxInstances: may(whole(1, 10_000), 'Most instances a run may plan. Default: 5'),
    maxPercent: may(share, 'Largest share of all instances of the project a run may plan. Default: 10%'),
    onExceed: may(oneOf(['refuse'], ['trim']), 'What happens to a larger plan: it is refused. Default: refuse'),
  },
  ['maxPerDay'],
);

const waves = closed(
  {
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
  },
  ['healthCheck'],
);

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

/** The keys of a job's policies, for `closed`. */
export const policies = {
  enabled: may(flag, 'Whether the job starts at all. Default: true'),
  dryRun: may(flag, 'Plan only, never send. Default: false'),
  guards: may(guards, 'Limits above which a plan is refused'),
  waves: may(waves, 'In which portions the work is done'),
  retry: may(retry, 'How what failed is tried again'),
  verify: may(verify, 'How it is made sure that an instance came back'),
  retention: may(duration(), 'How long a run is kept after its end, at least a day. Default: 90d'),
};

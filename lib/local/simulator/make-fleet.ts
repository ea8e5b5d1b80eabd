// A plausible mixed fleet from a seed, for the demo, the simulate command and tests that want many instances.

import { chance, oneOf, uuid } from './chance.ts';
import { Fleet, type FleetOptions } from './fleet.ts';
import type { InstanceSpec } from './instance.ts';

/** How many instances to make up, besides the options of a fleet. */
export interface MakeFleetOptions extends Omit<FleetOptions, 'instances'> {
  readonly instances: number;
}

const environments = [
  { tag: 'staging', prefix: 'stg' },
  { tag: 'prod', prefix: 'prd' },
  { tag: 'staging', prefix: 'stg' },
  { tag: 'dev', prefix: 'dev' },
] as const;
const purposes = ['cache', 'basket', 'queue', 'rank'] as const;
const teams = ['checkout', 'search', 'identity', 'platform'] as const;
const versions = ['5.0', '5.0', '5.0', '6.0', '6.0', '6.0', '4.0', '4.0', '3.0'] as const;
const modes = ['ha', 'ha', 'ha', 'ha', 'single', 'cluster', 'proxy', 'ha_rw_split'] as const;
const oldModes = ['ha', 'single', 'proxy'] as const;

/** A fleet of made-up instances; ids, names and types depend on the seed (default 1) alone. */
export function makeFleet(options: MakeFleetOptions): Fleet {
  return new Fleet({ ...options, instances: makeInstances(options.instances, options.seed ?? 1) });
}

/**
 * Made-up instances: names like `stg-cache-01`, tags `env` (staging, prod, dev; half are staging) and `team`. About
 * every ninth is Redis 3.0, every eighth a single node, every tenth of the others has `appendonly` off.
 */
export function makeInstances(count: number, seed: number): readonly InstanceSpec[] {
  return Array.from({ length: count }, (_, index) => makeInstance(index, seed));
}

function makeInstance(index: number, seed: number): InstanceSpec {
  const { tag, prefix } = environments[index % 4] ?? environments[0];
  const version = oneOf(versions, seed, 'version', index);
  const cacheMode = version === '3.0' ? oneOf(oldModes, seed, 'mode', index) : oneOf(modes, seed, 'mode', index);
  const number = String(index + 1).padStart(2, '0');
  return {
    id: uuid(seed, 'instance', index),
    name: `${prefix}-${oneOf(purposes, seed, 'purpose', index)}-${number}`,
    version,
    cacheMode,
    tags: { env: tag, team: oneOf(teams, seed, 'team', index) },
    ...(cacheMode === 'single' ? {} : { appendonly: chance(seed, 'appendonly', index) >= 0.1 }),
    keys: Math.floor(10 ** (2 + 4 * chance(seed, 'keys', index))),
  };
}

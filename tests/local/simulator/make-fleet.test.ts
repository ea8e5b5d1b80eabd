// A made-up fleet is one that could be: every kind of instance in it, and none that the service does not offer.

import { describe, expect, it } from '@jest/globals';
import type { InstanceView } from '../../../lib/local/simulator/instance.ts';
import { makeFleet, makeInstances } from '../../../lib/local/simulator/make-fleet.ts';

const now = () => Date.parse('2026-11-23T12:00:00Z');

function envOf({ tags }: InstanceView): string {
  return new Map(Object.entries(tags ?? {})).get('env') ?? '';
}

describe('a made-up fleet', () => {
  const views = makeFleet({ instances: 400, seed: 3, now }).views();

  it('is half staging, and every name begins with its environment', () => {
    const prefixes = new Map([
      ['staging', 'stg-'],
      ['prod', 'prd-'],
      ['dev', 'dev-'],
    ]);

    expect(views.filter((view) => envOf(view) === 'staging').length).toBe(200);
    for (const view of views) expect(view.name.startsWith(prefixes.get(envOf(view)) ?? '?')).toBe(true);
  });

  it('has every version and every type', () => {
    expect(new Set(views.map(({ version }) => version))).toEqual(new Set(['3.0', '4.0', '5.0', '6.0']));
    expect(new Set(views.map(({ cacheMode }) => cacheMode))).toEqual(
      new Set(['ha', 'single', 'cluster', 'proxy', 'ha_rw_split']),
    );
  });

  it('has no Redis 3.0 in a type that came later', () => {
    const modes = new Set(views.filter(({ version }) => version === '3.0').map(({ cacheMode }) => cacheMode));

    expect(modes).toEqual(new Set(['ha', 'single', 'proxy']));
  });

  it('has the parameter appendonly on all but single nodes, and off on a few', () => {
    const isOff = views.filter(({ appendonly }) => appendonly === false);

    for (const { cacheMode, appendonly } of views) expect(appendonly === null).toBe(cacheMode === 'single');
    expect(isOff.length).toBeGreaterThan(15);
    expect(isOff.length).toBeLessThan(60);
  });

  it('starts with the same instances whatever its size', () => {
    expect(makeInstances(30, 3).slice(0, 10)).toEqual(makeInstances(10, 3));
  });

  it('is another one with another seed', () => {
    expect(makeInstances(10, 4)).not.toEqual(makeInstances(10, 3));
  });
});

// Right under every setting of what nobody knows about DCS: representative nights under rows in which every two settings
// of every two open questions meet. Nobody is flushed twice and no outcome is a lie, by what the fleet counted.

import { describe, expect, it } from '@jest/globals';
import { unknowns } from '../lib/local/simulator/unknowns.ts';
import { type Factors, pairwise } from './support/covering-array.ts';
import { nights } from './support/nights.ts';
import { broken } from './support/promises.ts';
import { play } from './support/scenario.ts';

const factors: Factors = Object.fromEntries(Object.entries(unknowns).map(([name, { settings }]) => [name, settings]));
const rows = pairwise(factors);

/** Nights in which nothing goes wrong that waiting would not heal. */
const undisturbed = [
  'a plain flush after a canary',
  'a flush of many, some of which fail',
  'a flush among busy and failing ones',
  'a restart among busy and failing ones',
  'a throttled project',
  'an approved flush',
];

describe('under any setting of the open questions', () => {
  it.each(Object.keys(nights))('%s is done once, and told as it was', async (name) => {
    const told: string[] = [];
    for (const [i, row] of rows.entries()) {
      const made = nights[name]?.(row);
      if (made === undefined) continue;
      const played = await play(made);
      for (const sentence of broken(played)) told.push(`row ${i + 1}: ${sentence}`);
    }

    expect(told).toEqual([]);
  });

  it.each(undisturbed)('%s succeeds wherever DCS tells all results', async (name) => {
    const told: string[] = [];
    for (const [i, row] of rows.entries()) {
      const made = nights[name]?.(row);
      if (made === undefined || row['successBody'] === 'empty' || row['missingEntries'] !== 'none') continue;
      const { view } = await play(made);
      if (view.status !== 'succeeded') told.push(`row ${i + 1}: ${view.status} ${view.code}`);
    }

    expect(told).toEqual([]);
  });
});

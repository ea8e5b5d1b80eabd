// Right under every setting of what nobody knows about DCS: representative nights under rows in which every two settings
// of every two open questions meet. Nobody is flushed twice and no outcome is a lie, by what the fleet counted.
// `npm run test:chaos` stops the program at many more places.

import { afterAll, describe, expect, it } from '@jest/globals';
import { chance } from '../lib/local/simulator/chance.ts';
import { brokenByCrashes, names, nightOf, rows } from './support/chaos.ts';
import { broken } from './support/promises.ts';
import { play } from './support/scenario.ts';
import { Wire } from './support/wire.ts';

const seed = Number(process.env['CHAOS_SEED'] ?? 1);
const stride = Number(process.env['CHAOS_STRIDE'] ?? 23);
const rowsEach = Number(process.env['CHAOS_ROWS'] ?? 1);

/** Some rows for a night, others for each seed. */
function drawnFor(name: string): readonly number[] {
  const drawn = Array.from({ length: rowsEach }, (_, i) => Math.floor(chance(seed, name, i) * rows.length));
  return rowsEach >= rows.length ? rows.map((_, i) => i) : [...new Set(drawn)];
}

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
  it.each(names)('%s is done once, and told as it was', async (name) => {
    const told: string[] = [];
    for (const [i, row] of rows.entries()) {
      const played = await play(nightOf(name, row));
      told.push(...broken(played).map((sentence) => `row ${i + 1}: ${sentence}`));
    }

    expect(told).toEqual([]);
  });

  it.each(undisturbed)('%s succeeds wherever DCS tells all results', async (name) => {
    const telling = rows.filter((row) => row['successBody'] === 'results' && row['missingEntries'] === 'none');
    const statuses = await Promise.all(telling.map(async (row) => (await play(nightOf(name, row))).view.status));

    expect(telling.length).toBeGreaterThan(3);
    expect(new Set(statuses)).toEqual(new Set(['succeeded']));
  });
});

describe(`with the seed ${seed}, stopped at any moment`, () => {
  it.each(names.map((name) => [name, drawnFor(name)] as const))(
    '%s is done once (rows %j)',
    async (name, drawn) => {
      const told: string[] = [];
      for (const i of drawn) {
        const scenario = nightOf(name, rows[i] ?? {});
        const first = 1 + Math.floor(chance(seed, name, 'first', i) * stride);
        const some = await brokenByCrashes(scenario, stride, first);
        told.push(...some.map((sentence) => `row ${i + 1}: ${sentence}`));
      }

      expect(told).toEqual([]);
    },
    900_000,
  );
});

describe('over the wire', () => {
  const wire = new Wire();
  afterAll(() => wire.close());
  // To wait for an answer that comes too late would take real time.
  const timely = names.filter((name) => name !== 'a flush whose answers come too late');

  const rowsFor = (name: string): readonly number[] =>
    rowsEach > 1 ? drawnFor(name) : [names.indexOf(name) % rows.length];

  it.each(timely.map((name) => [name, rowsFor(name)] as const))('%s is the same (rows %j)', async (name, drawn) => {
    for (const i of drawn) {
      const scenario = nightOf(name, rows[i] ?? {});

      const [inMemory, overHttp] = [await play(scenario), await play(wire.under(scenario))];

      expect(broken(overHttp)).toEqual([]);
      expect(overHttp.view.outcomes.map(({ status }) => status)).toEqual(
        inMemory.view.outcomes.map(({ status }) => status),
      );
    }
  });
});

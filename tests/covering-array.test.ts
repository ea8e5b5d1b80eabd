// The rows that the flow is tried under, held to what they promise.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Factors, pairwise } from './support/covering-array.ts';

/** Every two settings of every two switches that no row has. */
function missing(factors: Factors): string[] {
  const rows = pairwise(factors);
  const choices = Object.entries(factors).flatMap(([name, settings]) => settings.map((setting) => ({ name, setting })));
  return choices
    .flatMap((a) => choices.filter((b) => a.name < b.name).map((b) => [a, b] as const))
    .filter((pair) => !rows.some((row) => pair.every(({ name, setting }) => row[name] === setting)))
    .map((pair) => JSON.stringify(pair));
}

const someFactors: fc.Arbitrary<Factors> = fc
  .array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 12 })
  .map((sizes) =>
    Object.fromEntries(sizes.map((size, i) => [`switch${i}`, Array.from({ length: size }, (_, k) => `setting${k}`)])),
  );

describe('pairwise rows', () => {
  it('have every pair of settings of every two switches', () => {
    fc.assert(
      fc.property(someFactors, (factors) => {
        expect(missing(factors)).toEqual([]);
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  it('are far fewer than all combinations', () => {
    const factors = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`switch${i}`, [false, true]]));

    expect(pairwise(factors).length).toBeLessThan(20);
  });

  it('have a setting for each switch, the first ones in the first row', () => {
    const rows = pairwise({ colour: ['red', 'green'], loud: [false, true], size: ['s', 'm', 'l'] });

    expect(rows[0]).toEqual({ colour: 'red', loud: false, size: 's' });
    expect(rows.every((row) => Object.keys(row).join() === 'colour,loud,size')).toBe(true);
  });

  it('are the same each time', () => {
    const factors = { a: ['1', '2', '3'], b: [true, false], c: ['x', 'y'] };

    expect(pairwise(factors)).toEqual(pairwise(factors));
  });
});

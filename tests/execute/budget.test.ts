// The retry budget of a project: an hour that moves on by the minute, shared by runs that know nothing of each other.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Project } from '../../lib/config.ts';
import { takeRetries } from '../../lib/execute/budget.ts';
import { MemoryState } from '../support/memory-state.ts';
import { jobOf } from '../support/scenario.ts';

const minute = 60_000;
const start = Date.parse('2026-11-23T02:00:00Z');

function projectOf(retriesPerHour: number, projectId = 'a'.repeat(32)): Project {
  return { ...jobOf('flush').project, projectId, rate: { callsPerSecond: 10, retriesPerHour } };
}

describe('the retry budget', () => {
  it.each([
    [0, 1, false],
    [1, 1, true],
    [5, 5, true],
    [5, 6, false],
  ])('of %i an hour gives %i at once: %s', async (budget, calls, isGiven) => {
    expect(await takeRetries(new MemoryState(), projectOf(budget), calls, start)).toBe(isGiven);
  });

  it('gives nothing where it cannot give all, and takes nothing then', async () => {
    const state = new MemoryState();

    expect(await takeRetries(state, projectOf(5), 3, start)).toBe(true);
    expect(await takeRetries(state, projectOf(5), 3, start)).toBe(false);
    expect(await takeRetries(state, projectOf(5), 2, start)).toBe(true);
    expect(await takeRetries(state, projectOf(5), 1, start)).toBe(false);
  });

  it('counts the minute of the call and the 59 before it', async () => {
    const state = new MemoryState();
    await takeRetries(state, projectOf(1), 1, start + 59_999);

    expect(await takeRetries(state, projectOf(1), 1, start + 60 * minute - 1)).toBe(false);
    expect(await takeRetries(state, projectOf(1), 1, start + 60 * minute)).toBe(true);
  });

  it('never gives more in any hour than it holds, and forgets what is older', async () => {
    const demand = fc.array(
      fc.record({ after: fc.integer({ min: 0, max: 20 }), calls: fc.integer({ min: 1, max: 4 }) }),
    );

    await fc.assert(
      fc.asyncProperty(demand, async (asks) => {
        const state = new MemoryState();
        const given: { at: number; calls: number }[] = [];
        let at = 0;
        for (const { after, calls } of asks) {
          at += after;
          const spent = given.filter((one) => one.at > at - 60).reduce((sum, one) => sum + one.calls, 0);
          const isGiven = await takeRetries(state, projectOf(10), calls, start + at * minute);
          expect(isGiven).toBe(spent + calls <= 10);
          if (isGiven) given.push({ at, calls });
        }
        const [item] = await state.query(`project#${'a'.repeat(32)}`, 'retries');
        expect(Object.keys(item?.value ?? {}).length).toBeLessThanOrEqual(60);
      }),
      { numRuns: 100 },
    );
  });

  it('is shared: of many that ask at once exactly as many get it as there are', async () => {
    const state = new MemoryState();

    const answers = await Promise.all(Array.from({ length: 20 }, () => takeRetries(state, projectOf(7), 1, start)));

    expect(answers.filter((isGiven) => isGiven).length).toBe(7);
  });

  it('of another project is another', async () => {
    const state = new MemoryState();
    await takeRetries(state, projectOf(1), 1, start);

    expect(await takeRetries(state, projectOf(1, 'b'.repeat(32)), 1, start)).toBe(true);
  });
});

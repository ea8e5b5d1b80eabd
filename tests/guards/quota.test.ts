// The cap of the day where very many runs take from it: it stays exact or on the safe side, and its item stays small.

import { describe, expect, it } from '@jest/globals';
import { readUsed, settleDay, takeDay } from '../../lib/guards/quota.ts';
import { asJson } from '../../lib/record.ts';
import { MemoryState } from '../support/memory-state.ts';
import { jobOf } from '../support/scenario.ts';

const start = Date.parse('2026-11-23T02:00:00Z');
const hour = 3_600_000;
const count = 6_000;
const job = jobOf('soft_restart', { guards: { ...jobOf('flush').guards, maxPerDay: count } });

/** One instance for each of many runs, all within three hours; the last of them is taken here. */
async function taken(): Promise<MemoryState> {
  const state = new MemoryState();
  const runs = Array.from({ length: count }, (_, n): [string, object] => {
    return [`alerts-${n}`, { at: start + (n / count) * 3 * hour, count: 1 }];
  });
  await takeDay(state, job, 'first', 0, start);
  const [key = { pk: '', sk: '' }] = state.keys();
  await state.put(key, asJson(Object.fromEntries(runs)));
  await takeDay(state, job, `alerts-${count - 1}`, 1, start + 3 * hour);
  return state;
}

async function entries(state: MemoryState): Promise<number> {
  const [key = { pk: '', sk: '' }] = state.keys();
  return Object.keys(Object((await state.get(key))?.value)).length;
}

describe('the cap of the day, taken by thousands of runs', () => {
  it('counts each of them, lets no other one in, and stays small', async () => {
    const state = await taken();

    expect((await readUsed(state, job.project, start + 3 * hour)).today).toBe(count);
    expect(await takeDay(state, job, 'one-more', 1, start + 3 * hour)).toBe(false);
    expect(await entries(state)).toBeLessThan(1010);
  });

  it('takes for a run of late once, however often, and gives back what it did not use', async () => {
    const state = await taken();
    const last = `alerts-${count - 1}`;

    expect(await takeDay(state, job, last, 1, start + 3 * hour)).toBe(true);
    await settleDay(state, job, last, 0, start + 3 * hour);

    expect((await readUsed(state, job.project, start + 3 * hour)).today).toBe(count - 1);
  });

  it('forgets them after a day, the older ones by the hour', async () => {
    const state = await taken();

    const [early, later, over] = await Promise.all(
      [24.5, 25.2, 27.1].map((hours) => readUsed(state, job.project, start + hours * hour)),
    );

    expect(early?.today).toBe(count);
    expect(later?.today).toBeLessThan(count);
    expect(later?.today).toBeGreaterThanOrEqual((count * 1.8) / 3);
    expect(over?.today).toBe(0);
  });
});

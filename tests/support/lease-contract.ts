// One suite for the leases on every adapter of the state: two processes race for one instance, and it is never in the
// hands of both.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { leasesOf, leaseTime } from '../../lib/execute/lease.ts';
import type { State } from '../../lib/state.ts';
import { idOf } from './scenario.ts';

/** Two views of one store, as two processes have them. */
export interface TwoStates {
  readonly states: readonly [State, State];
  readonly close: () => Promise<void>;
}

/** Registers the suite for one adapter; `races`: how often two race. */
export function leaseContract(name: string, open: () => Promise<TwoStates>, races = 1000): void {
  describe(`leases on ${name}`, () => {
    let world: TwoStates;
    let time = 0;
    const now = (): number => time;

    beforeEach(async () => {
      world = await open();
      time = Date.parse('2026-11-23T02:00:00Z');
    });
    afterEach(() => world.close());

    it(`are taken by one of two in each of ${races} races`, async () => {
      const [a, b] = world.states.map((state, i) => leasesOf(state, `run-${i}`, now));
      if (a === undefined || b === undefined) throw new Error('two states are needed');

      for (let race = 0; race < races; race++) {
        const taken = await Promise.all([a.take([idOf(1)]), b.take([idOf(1)])]);
        const kept = await Promise.all([a.keep([idOf(1)]), b.keep([idOf(1)])]);

        expect([...taken].sort()).toEqual(['h', 't']);
        expect(kept).toEqual(taken);
        await (taken[0] === 't' ? a : b).release([idOf(1)]);
      }
    });

    it('stay with their run, whoever asks and however often', async () => {
      const mine = leasesOf(world.states[0], 'mine', now);
      const other = leasesOf(world.states[1], 'other', now);

      expect(await mine.take([idOf(1), idOf(2)])).toBe('tt');
      expect(await mine.take([idOf(1)])).toBe('t');
      expect(await other.take([idOf(1), idOf(3)])).toBe('ht');
      await other.release([idOf(1)]);
      expect(await other.take([idOf(1)])).toBe('h');
    });

    it('of a dead run are replaced after their time, by one only, and it does not get them back', async () => {
      const dead = leasesOf(world.states[0], 'dead', now);
      const next = leasesOf(world.states[1], 'next', now);
      await dead.take([idOf(1)]);
      time += leaseTime - 1;
      expect(await next.take([idOf(1)])).toBe('h');
      time += 1;

      expect(await next.take([idOf(1)])).toBe('r');
      expect(await dead.keep([idOf(1)])).toBe('h');
    });

    it('that nobody took meanwhile are kept even after their time', async () => {
      const mine = leasesOf(world.states[0], 'mine', now);
      await mine.take([idOf(1)]);
      time += 3 * leaseTime;

      expect(await mine.keep([idOf(1)])).toBe('t');
      expect(await leasesOf(world.states[1], 'other', now).take([idOf(1)])).toBe('h');
    });
  });
}

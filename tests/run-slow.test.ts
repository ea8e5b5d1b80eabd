// A project whose real limit is far below the configured rate: every call waits for its turn. What one step asks for is
// bounded by time as well, so that no invocation of a function outlives its 15 minutes, and nobody is left out for it.

import { describe, expect, it } from '@jest/globals';
import type { Job } from '../lib/config.ts';
import { instances, jobOf, methodsOf, type Played, play, type Scenario } from './support/scenario.ts';

const minute = 60_000;

/** Every call takes so many milliseconds: at ten calls a second configured, a fifteenth of it is left at 1500. */
function slowly(milliseconds: number): NonNullable<Scenario['wrap']> {
  return (dcs, clock) => {
    const take = <T>(call: () => Promise<T>): Promise<T> => {
      clock.advance(milliseconds);
      return call();
    };
    const { show, appendonly, backups, backUp, ...others } = methodsOf(dcs);
    return {
      ...others,
      show: (id) => take(() => show(id)),
      appendonly: (id) => take(() => appendonly(id)),
      backups: (id) => take(() => backups(id)),
      backUp: (id, remark) => take(() => backUp(id, remark)),
    };
  };
}

function slowNight(
  action: Job['action'],
  count: number,
  change: Partial<Job> = {},
  more: Partial<Scenario> = {},
): Promise<Played> {
  const plain = jobOf(action);
  const job = jobOf(action, {
    project: { ...plain.project, rate: { callsPerSecond: 10, retriesPerHour: 1000 } },
    waves: { ...plain.waves, canary: { percent: 100 } },
    verify: { interval: 10, settle: 60, timeout: 7200 },
    retry: { ...plain.retry, for: 7200 },
    ...change,
  });
  return play({ job, fleet: { instances: instances(count) }, wrap: slowly(1500), ...more });
}

describe('a project that is fifteen times slower than its configured rate', () => {
  it.each(['flush', 'restart'] as const)('takes a %s of many in steps that end in time', async (action) => {
    const played = await slowNight(action, 450);

    expect(played.view.counts.succeeded).toBe(450);
    expect(played.engine.longest.step).toBeLessThan(5 * minute);
    expect(played.engine.longest.invocation).toBeLessThan(15 * minute);
  });

  it('takes the backups of many in steps that end in time, and forgets nobody', async () => {
    const played = await slowNight('flush', 250, { backup: { mode: 'fresh', maxAge: 86_400 } });

    expect(played.view.counts.succeeded).toBe(250);
    expect(played.engine.longest.step).toBeLessThan(5 * minute);
    expect(played.engine.longest.invocation).toBeLessThan(15 * minute);
  });

  it('may be stopped while it is read, and nobody is read twice or left out', async () => {
    const told: unknown[] = [];
    for (let at = 1; at <= 14; at++) {
      for (const when of ['before', 'after'] as const) {
        const played = await slowNight('flush', 60, {}, { wrap: slowly(10_000), crash: { at, when } });
        told.push([played.view.plan.excluded.length, played.view.plan.waves.flat().length]);
      }
    }

    expect(told).toEqual(Array(28).fill([0, 60]));
  });
});

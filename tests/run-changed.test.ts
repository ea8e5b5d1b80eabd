// What changes between a plan and its sends: whoever may not be touched any more is not, however long a run was held up,
// throttled or away in between. What the fleet counts is what the tests trust.

import { describe, expect, it } from '@jest/globals';
import type { Job } from '../lib/config.ts';
import type { InstanceScript } from '../lib/local/simulator/script.ts';
import { idOf, instances, jobOf, methodsOf, type Night, oneWave, type Played, play } from './support/scenario.ts';

const guarded = { env: 'staging', 'dcs-autopilot-protected': 'true' };

function flushed({ fleet }: Played, count: number): number[] {
  return Array.from({ length: count }, (_, i) => fleet.applied(idOf(i + 1)).flush);
}

function protecting(number: number) {
  return async ({ fleet }: Night): Promise<void> => void fleet.set(idOf(number), { tags: guarded });
}

/** A flush in two waves, with an hour between them. */
function slowly(change: Partial<Job> = {}): Job {
  const { waves } = jobOf('flush');
  return jobOf('flush', { waves: { ...waves, soak: 3600 }, ...change });
}

describe('between two waves', () => {
  const { project, target } = jobOf('flush');
  const allowing = { ...project, allowTag: 'may' };

  it('an instance that does not allow it any more is left out', async () => {
    const played = await play({
      job: slowly({ project: allowing }),
      fleet: { instances: instances(3, () => ({ tags: { may: 'flush' } })) },
      meanwhile: [{ after: 600, does: async ({ fleet }) => void fleet.set(idOf(2), { tags: { may: 'restart' } }) }],
    });

    expect(played.outcome(2)).toMatchObject({ status: 'skipped', code: 'not_allowed' });
    expect(flushed(played, 3)).toEqual([1, 0, 1]);
  });

  it('one that loses nothing needs nobody’s leave', async () => {
    const played = await play({
      job: jobOf('restart', { waves: slowly().waves, project: allowing }),
      fleet: { instances: instances(2) },
    });

    expect(played.view.status).toBe('succeeded');
  });

  it.each<[string, Partial<Job['target']>]>([
    ['tags', { tags: { env: 'staging' } }],
    ['exclusions', { exclude: { tags: { env: 'prod' }, names: [], ids: [] } }],
  ])('an instance that the target’s %s do not select any more is left out', async (_, change) => {
    const played = await play({
      job: slowly({ target: { ...target, ...change } }),
      fleet: { instances: instances(30) },
      meanwhile: [{ after: 600, does: async ({ fleet }) => void fleet.set(idOf(2), { tags: { env: 'prod' } }) }],
    });

    expect(played.outcome(2)).toMatchObject({ status: 'skipped', code: 'drifted' });
    expect(flushed(played, 3)).toEqual([1, 0, 1]);
  });
});

describe('what was seen more than a minute ago', () => {
  const failing: InstanceScript = { sends: ['failed'] };

  it('is looked at before it is sent again', async () => {
    const { retry } = jobOf('flush');
    const patient = { ...retry, baseDelay: 300, maxDelay: 300 };
    const played = await play({
      ...oneWave('flush', 2),
      job: { ...oneWave('flush', 2).job, retry: patient },
      fleet: { instances: instances(2), script: { instances: { [idOf(2)]: failing } } },
      meanwhile: [{ after: 30, does: protecting(2) }],
    });

    expect(played.outcome(2)).toMatchObject({ status: 'failed', code: 'protected', attempts: 1 });
    expect(flushed(played, 2)).toEqual([1, 0]);
    expect(played.fleet.sent(idOf(2))).toBe(1);
  });

  it('is looked at before it is sent once DCS has time again', async () => {
    const throttled = { on: 'act', nth: [1], answer: { kind: 'error', status: 429, retryAfter: 1800 } } as const;
    const played = await play({
      ...oneWave('flush', 2),
      fleet: { instances: instances(2), script: { calls: [throttled] } },
      meanwhile: [{ after: 900, does: protecting(2) }],
    });

    expect(played.outcome(2)).toMatchObject({ status: 'skipped', code: 'protected' });
    expect(flushed(played, 2)).toEqual([1, 0]);
  });

  it.each(Array.from({ length: 12 }, (_, i) => i + 1))(
    'is looked at by a process that was away for half an hour, before its write %i',
    async (at) => {
      let sent: number | undefined;
      const played = await play({
        ...oneWave('flush', 1),
        crash: { at, when: 'before' },
        late: (wake) => (wake === 1 ? 1_800_000 : 0),
        meanwhile: [
          {
            after: 900,
            does: async (night) => {
              sent = night.fleet.sent(idOf(1));
              await protecting(1)(night);
            },
          },
        ],
      });

      expect([sent, played.fleet.sent(idOf(1))]).toEqual([sent, sent]);
    },
  );

  it('is looked at where the clock was put back since', async () => {
    const played = await play({
      ...oneWave('flush', 2),
      wrap: (dcs, clock, fleet) => ({
        ...methodsOf(dcs),
        show: async (id) => {
          const shown = await dcs.show(id);
          if (fleet.calls().show === 2) {
            clock.advance(-7_200_000);
            fleet.set(idOf(2), { tags: guarded });
          }
          return shown;
        },
      }),
    });

    expect(played.outcome(2)).toMatchObject({ status: 'skipped', code: 'protected' });
    expect(played.fleet.sent(idOf(2))).toBe(0);
  });
});

// Between two waves: the next one begins when all is well, waits while it is not, and does not begin when it stays so.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { projectKey } from '../../lib/config.ts';
import { type Alerting, noteAlerting } from '../../lib/episode/alerting.ts';
import { healthPause } from '../../lib/execute/health.ts';
import { updateRecord } from '../../lib/record.ts';
import { idOf, instances, jobOf, type Night, type Played, play, type Scenario } from '../support/scenario.ts';

const job = jobOf('flush', {
  waves: { ...jobOf('flush').waves, size: { count: 1 }, healthCheck: { ref: 'env:HEALTH' } },
});
const sick = { healthy: false, answer: 'answered 503' } as const;
const well = { healthy: true } as const;

const unchecked = jobOf('flush', { waves: { ...job.waves, healthCheck: null } });

/** Three instances, a wave for each. */
function threeWaves(change: Partial<Scenario> = {}): Scenario {
  return { job, fleet: { instances: instances(3) }, ...change };
}

function flushed({ fleet }: Played): number[] {
  return [1, 2, 3].map((number) => fleet.applied(idOf(number)).flush);
}

/** Seconds from the first question to each. */
function questions({ asked }: Played): number[] {
  return asked.map(({ at }) => (at - (asked[0]?.at ?? 0)) / 1000);
}

describe('a health check', () => {
  it('is asked before each wave but the first, and not after the last', async () => {
    const played = await play(threeWaves());

    expect(played.view.status).toBe('succeeded');
    expect(played.asked.map(({ check }) => check)).toEqual([{ ref: 'env:HEALTH' }, { ref: 'env:HEALTH' }]);
  });

  it('is asked after the soak, when the wave before is verified', async () => {
    const played = await play(threeWaves());

    const verified = Date.parse(played.outcome(1)?.verifiedAt ?? '');
    expect((played.asked[0]?.at ?? 0) - verified).toBeGreaterThanOrEqual(60_000);
  });

  it('that there is none of is not asked', async () => {
    const played = await play(threeWaves({ job: unchecked }));

    expect(played.asked).toEqual([]);
    expect(played.view.status).toBe('succeeded');
  });

  it('that is bad for a while holds the run', async () => {
    const played = await play(threeWaves({ health: (nth) => (nth <= 4 ? sick : well) }));

    expect(questions(played).slice(0, 5)).toEqual([0, 15, 45, 105, 165]);
    expect(played.view.status).toBe('succeeded');
    expect(flushed(played)).toEqual([1, 1, 1]);
  });

  it('that stays bad leaves the rest alone, and says what was answered', async () => {
    const patient = { ...job, retry: { ...job.retry, for: 300 } };
    const played = await play(threeWaves({ job: patient, health: () => sick }));

    expect(played.view).toMatchObject({
      status: 'partial',
      code: 'unhealthy',
      reason: 'the health check answered 503, for 300 s',
    });
    expect(played.outcome(2)).toMatchObject({ status: 'not_started', code: 'unhealthy' });
    expect(flushed(played)).toEqual([1, 0, 0]);
    expect(questions(played).at(-1)).toBeLessThanOrEqual(300);
  });

  it.each([
    ['cancelled', 'cancelled'],
    ['resolved', 'cancelled'],
  ] as const)('that is bad does not keep a run that was %s', async (code, status) => {
    const stopping = async ({ runId, state }: Night): Promise<void> => {
      const stop = { code, reason: 'enough', by: 'operator:bob', at: '2026-11-23T02:05:00.000Z' };
      await updateRecord(state, runId, (before) => ({ ...before, stop }));
    };

    const played = await play(threeWaves({ health: () => sick, meanwhile: [{ after: 300, does: stopping }] }));

    expect(played.view).toMatchObject({ status, code });
    expect(flushed(played)).toEqual([1, 0, 0]);
    expect(played.clock.now()).toBeLessThan(Date.parse('2026-11-23T02:07:00Z'));
  });

  it('that stays bad for a day leaves room to end in order', async () => {
    const patient = { ...job, retry: { ...job.retry, for: 7 * 86_400 } };
    const played = await play(threeWaves({ job: patient, health: () => sick }));

    expect(played.view).toMatchObject({ status: 'partial', code: 'too_many_operations' });
    expect(played.engine.operations.length).toBeLessThan(3000);
  });

  it('is asked again after a crash, and nothing is flushed twice', async () => {
    const bad = (nth: number) => (nth === 1 ? sick : well);
    const { engine } = await play(threeWaves({ health: bad }));

    for (let at = 1; at <= engine.writes; at++) {
      for (const when of ['before', 'after'] as const) {
        const played = await play(threeWaves({ health: bad, crash: { at, when } }));

        expect(Math.max(...flushed(played))).toBeLessThanOrEqual(1);
        expect(played.asked.length).toBeGreaterThanOrEqual(1);
      }
    }
  });
});

describe('an alert', () => {
  const series = { source: 'alertmanager', rule: 'RedisDown', fingerprint: 'f1' } as const;
  const alerting =
    (change: Partial<Alerting> = {}, number = 1) =>
    async ({ state, clock }: Pick<Night, 'state' | 'clock'>): Promise<void> => {
      const at = clock.now();
      const note = {
        instance: idOf(number),
        rule: 'RedisDown',
        startsAt: at,
        firstSeen: at,
        isFiring: true,
        isEcho: false,
      };
      await noteAlerting(state, projectKey(unchecked.project), series, { ...note, ...change });
    };
  const during = (does: (night: Night) => Promise<void>, more: Scenario['meanwhile'] = []): Partial<Scenario> => ({
    job: { ...unchecked, retry: { ...unchecked.retry, for: 300 } },
    meanwhile: [{ after: 40, does }, ...more],
  });

  it('that begins on an instance which was worked on leaves the rest alone', async () => {
    const played = await play(threeWaves(during(alerting())));

    expect(played.view).toMatchObject({
      status: 'partial',
      code: 'unhealthy',
      reason: 'cache-00001 (RedisDown) began to alert since the plan was made, for 300 s',
    });
    expect(flushed(played)).toEqual([1, 0, 0]);
  });

  it('that is resolved in time has only held it', async () => {
    const over = { after: 150, does: alerting({ isFiring: false }) };

    const played = await play(threeWaves(during(alerting(), [over])));

    expect(played.view.status).toBe('succeeded');
    expect(flushed(played)).toEqual([1, 1, 1]);
  });

  it.each<[string, (night: Night) => Promise<void>]>([
    ['on an instance that was not worked on yet', alerting({}, 3)],
    ['that is what our own work causes', alerting({ isEcho: true })],
    ['that began before the run', alerting({ startsAt: Date.parse('2026-11-23T01:59:00Z') })],
  ])('%s holds nothing', async (_case, does) => {
    const played = await play(threeWaves(during(does)));

    expect(played.view.status).toBe('succeeded');
  });

  it('is looked for before the health check is asked', async () => {
    const played = await play(threeWaves({ ...during(alerting()), job: { ...job, retry: { ...job.retry, for: 60 } } }));

    expect(played.view.code).toBe('unhealthy');
    expect(played.asked).toEqual([]);
  });
});

describe('the pause between two questions', () => {
  it('begins with 15 seconds and ends at 60', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), (round) => {
        expect(healthPause(round)).toBeGreaterThanOrEqual(15);
        expect(healthPause(round)).toBeLessThanOrEqual(60);
        expect(healthPause(round + 1)).toBeGreaterThanOrEqual(healthPause(round));
      }),
    );
  });
});

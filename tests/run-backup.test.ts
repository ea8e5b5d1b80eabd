// Backups before a flush: nobody is flushed without one, and nobody's missing backup keeps the others from going on. The
// fleet of the simulator makes backups as DCS does, in ten to fifteen minutes.

import { describe, expect, it } from '@jest/globals';
import type { Backup as BackupPolicy, Job } from '../lib/config.ts';
import { leasesOf } from '../lib/execute/lease.ts';
import { pastBackup } from '../lib/local/simulator/backup.ts';
import type { InstanceSpec } from '../lib/local/simulator/instance.ts';
import { idOf, instances, jobOf, methodsOf, type Night, type Played, play, type Scenario } from './support/scenario.ts';
import { pausing } from './support/steering.ts';

const start = Date.parse('2026-11-23T02:00:00Z');
const hour = 3_600_000;

function backingUp(mode: BackupPolicy['mode'], change: Partial<Job> = {}): Job {
  const { waves } = jobOf('flush');
  return jobOf('flush', {
    backup: { mode, maxAge: 86_400 },
    waves: { ...waves, canary: { percent: 100 } },
    retry: { ...jobOf('flush').retry, for: 7200 },
    ...change,
  });
}

function fleetOf(count: number, change?: (n: number) => Partial<InstanceSpec>): Scenario['fleet'] {
  return { instances: instances(count, change) };
}

/** Somebody's backup that was begun so many milliseconds before the run. */
function older(age: number, change: Partial<Parameters<typeof pastBackup>[2]> = {}): InstanceSpec['backups'] {
  return [pastBackup('11111111-0000-4000-8000-000000000001', start - age, change)];
}

function flushed({ fleet }: Played, count: number): number[] {
  return Array.from({ length: count }, (_, i) => fleet.applied(idOf(i + 1)).flush);
}

/** Backups that were begun since the run began. */
function made({ fleet }: Played, n: number): number {
  return fleet.view(idOf(n))?.backups.filter(({ createdAt }) => createdAt >= start).length ?? -1;
}

describe('a fresh backup', () => {
  it('is started, waited for and seen to have succeeded before the flush', async () => {
    const played = await play({ job: backingUp('fresh'), fleet: fleetOf(3) });

    expect(played.view.status).toBe('succeeded');
    expect(flushed(played, 3)).toEqual([1, 1, 1]);
    for (const n of [1, 2, 3]) {
      const [backup] = played.fleet.view(idOf(n))?.backups ?? [];
      expect(made(played, n)).toBe(1);
      expect(backup?.endsAt).toBeLessThan(Date.parse(played.outcome(n)?.acceptedAt ?? ''));
      expect(played.outcome(n)?.backup?.id).toBe(backup?.id);
    }
  });

  it('stands in the report with how to restore from it', async () => {
    const played = await play({ job: backingUp('fresh'), fleet: fleetOf(1) });

    expect(played.view.restore).toContain('/v2/0a1b2c3d4e5f60718293a4b5c6d7e8f9/instances/{instanceId}/restores');
    expect(played.outcome(1)?.backup).toEqual({ id: expect.any(String), takenAt: expect.stringMatching(/Z$/) });
  });

  it('is made even where there is a recent one', async () => {
    const played = await play({ job: backingUp('fresh'), fleet: fleetOf(1, () => ({ backups: older(hour) ?? [] })) });

    expect(made(played, 1)).toBe(1);
  });

  it('that fails leaves its instance out, and the others go on', async () => {
    const script = { instances: { [idOf(2)]: { backupsEnd: ['failed' as const] } } };

    const played = await play({ job: backingUp('fresh'), fleet: { instances: instances(3), script } });

    expect(played.view.status).toBe('succeeded');
    expect(played.outcome(2)).toMatchObject({ status: 'skipped', code: 'backup_failed' });
    expect(flushed(played, 3)).toEqual([1, 0, 1]);
  });

  it('that is impossible leaves its instance out, and the others go on', async () => {
    const fleet = fleetOf(3, (n) => (n === 1 ? { cacheMode: 'single' } : {}));

    const played = await play({ job: backingUp('fresh'), fleet });

    expect(played.outcome(1)).toMatchObject({ status: 'skipped', code: 'backup_failed' });
    expect(played.outcome(1)?.reason).toContain('DCS.4095');
    expect(flushed(played, 3)).toEqual([0, 1, 1]);
  });

  it('waits for somebody else’s first', async () => {
    const going = older(60_000, { endsAt: start + 600_000 });

    const played = await play({ job: backingUp('fresh'), fleet: fleetOf(1, () => ({ backups: going ?? [] })) });

    expect(played.view.status).toBe('succeeded');
    expect(made(played, 1)).toBe(1);
    expect(flushed(played, 1)).toEqual([1]);
  });

  it('that is not there in time leaves the instance out', async () => {
    const job = backingUp('fresh', { retry: { ...jobOf('flush').retry, for: 300 } });

    const played = await play({ job, fleet: fleetOf(1) });

    expect(played.outcome(1)).toMatchObject({ status: 'skipped', code: 'backup_failed' });
    expect(flushed(played, 1)).toEqual([0]);
  });

  it('whose answer is lost is found by its remark and not made twice', async () => {
    const played = await play({
      job: backingUp('fresh'),
      fleet: fleetOf(1),
      wrap: (dcs) => ({
        ...methodsOf(dcs),
        backUp: async (id, remark) => {
          await dcs.backUp(id, remark);
          return { ok: false, problem: { class: 'unknown', code: 'timeout', message: 'lost' } };
        },
      }),
    });

    expect(played.view.status).toBe('succeeded');
    expect(made(played, 1)).toBe(1);
  });

  it('is made for each rung of a ladder', async () => {
    const ladder = { rungs: ['soft_restart', 'restart'], settle: 900, resetAfter: 1800, rounds: 1 } as const;

    const played = await play({
      job: { ...backingUp('fresh', { ladder }), action: 'soft_restart' },
      fleet: fleetOf(1, () => ({ appendonly: false })),
      event: { trigger: 'alert', identity: ['alertmanager', 'Frag', 'f1', '2026'], instances: [idOf(1)] },
    });

    expect(played.fleet.applied(idOf(1))).toMatchObject({ soft_restart: 1, restart: 1 });
    expect(made(played, 1)).toBe(2);
  });

  it('is not made for a restart that keeps the data', async () => {
    const played = await play({ job: { ...backingUp('fresh'), action: 'restart' }, fleet: fleetOf(1) });

    expect(played.fleet.applied(idOf(1)).restart).toBe(1);
    expect(made(played, 1)).toBe(0);
  });
});

describe('a backup that is reused', () => {
  it.each([
    ['a recent one', hour, {}, 0],
    ['one that is too old', 25 * hour, {}, 1],
    ['one that failed', hour, { endsAs: 'failed' as const }, 1],
  ])('is %s, or else made', async (_, age, change, count) => {
    const fleet = fleetOf(1, () => ({ backups: older(age, change) ?? [] }));

    const played = await play({ job: backingUp('reuse'), fleet });

    expect(made(played, 1)).toBe(count);
    expect(flushed(played, 1)).toEqual([1]);
    expect(played.outcome(1)?.backup).toBeDefined();
  });

  it('is somebody else’s that was still going on when the run began', async () => {
    const going = older(60_000, { endsAt: start + 600_000 });

    const played = await play({ job: backingUp('reuse'), fleet: fleetOf(1, () => ({ backups: going ?? [] })) });

    expect(made(played, 1)).toBe(0);
    expect(flushed(played, 1)).toEqual([1]);
  });
});

describe('somebody else’s backup', () => {
  it.each(['off', 'reuse', 'fresh'] as const)('is not killed by a restart that keeps the data (%s)', async (mode) => {
    const going = older(60_000, { endsAt: start + 600_000 });

    const played = await play({
      job: { ...backingUp(mode), action: 'restart' },
      fleet: fleetOf(1, () => ({ backups: going ?? [] })),
    });

    expect(played.fleet.applied(idOf(1)).restart).toBe(0);
    expect(played.view.plan.excluded).toMatchObject([{ code: 'busy' }]);
  });
});

describe('while backups go on', () => {
  const cancelling = async ({ state, runId }: Night): Promise<void> => {
    const item = await state.get({ pk: `run#${runId}`, sk: 'run' });
    const stop = { code: 'cancelled', reason: 'enough', by: 'operator:alice', at: '2026-11-23T02:05:00.000Z' };
    if (item !== undefined) await state.updateIf(item, item.version, Object.assign({}, item.value, { stop }));
  };

  it('a cancel ends the run before anything is flushed', async () => {
    const played = await play({
      job: backingUp('fresh'),
      fleet: fleetOf(2),
      meanwhile: [{ after: 300, does: cancelling }],
    });

    expect(played.view).toMatchObject({ status: 'cancelled', code: 'cancelled' });
    expect(flushed(played, 2)).toEqual([0, 0]);
    expect(played.clock.now()).toBeLessThan(start + hour / 2);
  });

  it('a pause that lasts is told as one, and not as a backup that failed', async () => {
    const played = await play({
      job: backingUp('fresh', { retry: { ...jobOf('flush').retry, for: 1200 } }),
      fleet: fleetOf(1, () => ({ backups: older(60_000, { endsAt: start + 600_000 }) ?? [] })),
      meanwhile: [{ after: 5, does: pausing() }],
    });

    expect(played.view).toMatchObject({ status: 'failed', code: 'paused' });
    expect(played.outcome(1)).toMatchObject({ status: 'not_started', code: 'paused' });
    expect(made(played, 1)).toBe(0);
  });

  it('an instance that is protected meanwhile is not flushed', async () => {
    const protecting = async ({ fleet }: Night): Promise<void> =>
      fleet.set(idOf(1), { tags: { 'dcs-autopilot-protected': 'true' } });

    const played = await play({
      job: backingUp('fresh'),
      fleet: fleetOf(2),
      meanwhile: [{ after: 300, does: protecting }],
    });

    expect(flushed(played, 2)).toEqual([0, 1]);
    expect(played.outcome(1)).toMatchObject({ status: 'skipped', code: 'protected' });
  });

  it('no instance slips past its backup because another run held it first', async () => {
    const played = await play({
      job: backingUp('fresh', { collision: 'queue' }),
      fleet: fleetOf(2),
      before: async (state, clock) => void (await leasesOf(state, 'other-run', clock.now).take([idOf(2)])),
      meanwhile: [
        {
          after: 600,
          does: async ({ state, clock }) => leasesOf(state, 'other-run', clock.now).release([idOf(2)]),
        },
      ],
    });

    expect(played.view.status).toBe('succeeded');
    expect(made(played, 2)).toBe(1);
    expect(flushed(played, 2)).toEqual([1, 1]);
  });

  it('the program may be stopped at any moment: one flush each, and none without its backup', async () => {
    const scenario: Scenario = { job: backingUp('fresh'), fleet: fleetOf(2) };
    const { engine } = await play(scenario);

    for (let at = 1; at <= engine.writes; at++) {
      for (const when of ['before', 'after'] as const) {
        const played = await play({ ...scenario, crash: { at, when } });

        for (const n of [1, 2]) {
          const { flush } = played.fleet.applied(idOf(n));
          expect([at, when, flush <= 1]).toEqual([at, when, true]);
          if (flush === 1) expect(made(played, n)).toBeGreaterThanOrEqual(1);
        }
      }
    }
  });
});

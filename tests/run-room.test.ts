// What an execution has room for, and what a long wait costs: however long a job lets its runs wait, no run comes to the
// 3,000 operations at which AWS ends an execution in the middle of a word, and its leases last as long as it needs them.

import { describe, expect, it } from '@jest/globals';
import type { Job } from '../lib/config.ts';
import { leasesOf, leaseTime } from '../lib/execute/lease.ts';
import { pastBackup } from '../lib/local/simulator/backup.ts';
import type { MemoryState } from './support/memory-state.ts';
import { idOf, instances, jobOf, methodsOf, type Played, play, type Scenario } from './support/scenario.ts';

const start = Date.parse('2026-11-23T02:00:00Z');
const day = 86_400;

const unreachable = { ok: false, problem: { class: 'unreachable', code: 'connect', message: 'gone' } } as const;

/** A flush in one wave that may wait for two days. */
function patient(change: Partial<Job> = {}): Job {
  const { waves, retry } = jobOf('flush');
  return jobOf('flush', {
    waves: { ...waves, canary: { percent: 100 } },
    retry: { ...retry, maxDelay: 60, for: 2 * day },
    ...change,
  });
}

const fresh: Job['backup'] = { mode: 'fresh', maxAge: day };

/** Another run has it for a year. */
async function heldForLong(state: MemoryState): Promise<void> {
  const value = { runId: 'other-run', until: start + 365 * day * 1000 };
  await state.put({ pk: `instance#${idOf(1)}`, sk: 'lease' }, value);
}

function operations({ engine }: Played): number {
  return engine.operations.length;
}

describe('a run that waits for very long', () => {
  const endless = pastBackup('11111111-0000-4000-8000-000000000001', start, { endsAt: start + 365 * day * 1000 });

  it.each<[string, Scenario, object]>([
    [
      'for a backup that does not end',
      { job: patient({ backup: fresh }), fleet: { instances: instances(1, () => ({ backups: [endless] })) } },
      { status: 'failed', code: 'too_many_operations' },
    ],
    [
      'for another run, before its backups',
      {
        job: patient({ backup: fresh, collision: 'queue' }),
        fleet: { instances: instances(1) },
        before: heldForLong,
      },
      { status: 'failed', code: 'too_many_operations' },
    ],
    [
      'for another run',
      { job: patient({ collision: 'queue' }), fleet: { instances: instances(1) }, before: heldForLong },
      { status: 'failed', code: 'too_many_operations' },
    ],
    [
      'for DCS, before there is a plan',
      {
        job: patient(),
        fleet: { instances: instances(1) },
        wrap: (dcs) => ({ ...methodsOf(dcs), list: async () => unreachable }),
      },
      { status: 'failed', code: 'dcs_unavailable' },
    ],
  ])('%s ends itself while there is room to write it down', async (_, scenario, ending) => {
    const played = await play(scenario);

    expect(operations(played)).toBeGreaterThan(2_500);
    expect(operations(played)).toBeLessThan(2_900);
    expect(played.view).toMatchObject(ending);
    expect(played.fleet.calls().act).toBe(0);
  });
});

describe('leases of a run that takes its time', () => {
  /** Counts writes to leases from now on. */
  function countLeaseWrites(state: MemoryState): () => number {
    let writes = 0;
    const { updateIf } = state;
    state.updateIf = async (key, ...rest) => {
      if (key.sk === 'lease') writes += 1;
      return updateIf.call(state, key, ...rest);
    };
    return () => writes;
  }

  it('last through the backups of a slow project', async () => {
    const project = { ...patient().project, rate: { callsPerSecond: 1, retriesPerHour: 1000 } };
    const verify = { interval: 10, settle: 60, timeout: 7200 };
    const expired: string[] = [];
    let state: MemoryState | undefined;

    const played = await play({
      job: patient({ backup: fresh, project, verify }),
      fleet: { instances: instances(1500) },
      before: async (own) => {
        state = own;
      },
      wrap: (dcs, clock) => ({
        ...methodsOf(dcs),
        backUp: async (id, remark) => {
          clock.advance(1000);
          const others = state === undefined ? '' : await leasesOf(state, 'other-run', clock.now).take([id]);
          if (others !== 'h') expired.push(id);
          return dcs.backUp(id, remark);
        },
      }),
    });

    expect(expired).toEqual([]);
    expect(played.view.counts).toMatchObject({ succeeded: 1500 });
  });

  it.each<[string, Job, number]>([
    ['while backups go on', patient({ backup: fresh }), 900],
    ['while another run is waited for', patient({ collision: 'queue' }), 3600],
  ])('are renewed every few minutes %s, not at each look', async (_, job, seconds) => {
    let writes = (): number => 0;

    const played = await play({
      job,
      fleet: { instances: instances(20) },
      before: async (state, clock) => {
        if (job.collision === 'queue') await leasesOf(state, 'other-run', clock.now).take([idOf(1)]);
        writes = countLeaseWrites(state);
      },
      meanwhile: [
        {
          after: leaseTime / 2000,
          does: async ({ state, clock }) => {
            if (job.collision === 'queue') await leasesOf(state, 'other-run', clock.now).keep([idOf(1)]);
          },
        },
      ],
    });

    expect(played.view.counts).toMatchObject({ succeeded: 20 });
    // One for the send, one to give it back, and the renewals.
    expect(writes()).toBeLessThanOrEqual(20 * (2 + seconds / (leaseTime / 4000)) + 5);
  });
});

describe('what is written for each instance of a wave', () => {
  it('is written many at a time: one after the other would take a minute for ten thousand', async () => {
    const atOnce = { now: 0, most: 0 };

    const played = await play({
      job: patient(),
      fleet: { instances: instances(200) },
      before: async (state) => {
        const { put } = state;
        state.put = async (key, ...rest) => {
          if (key.sk !== 'success') return put.call(state, key, ...rest);
          atOnce.now += 1;
          atOnce.most = Math.max(atOnce.most, atOnce.now);
          await new Promise(setImmediate);
          atOnce.now -= 1;
          return put.call(state, key, ...rest);
        };
      },
    });

    expect(played.view.counts.succeeded).toBe(200);
    expect(atOnce.most).toBe(25);
  });
});

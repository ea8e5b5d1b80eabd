// What stops or holds a run that is going: a cancel, a pause, an approval that does not come, another run, the caps of the
// project. What the fleet counts is what the tests trust.

import { describe, expect, it } from '@jest/globals';
import type { Json } from '../lib/canonical.ts';
import type { Guards, Job } from '../lib/config.ts';
import type { Event } from '../lib/event.ts';
import { leasesOf } from '../lib/execute/lease.ts';
import { liftPause, raiseStorm } from '../lib/guards/flags.ts';
import { idOf, instances, jobOf, type Night, type Played, play, type Scenario } from './support/scenario.ts';
import { deciding, pausing, stopping } from './support/steering.ts';

const project = 'staging';

function flushed({ fleet }: Played, count: number): number[] {
  return Array.from({ length: count }, (_, i) => fleet.applied(idOf(i + 1)).flush);
}

function twoWaves(change: Partial<Scenario> = {}): Scenario {
  return { job: jobOf('flush'), fleet: { instances: instances(3) }, ...change };
}

describe('a cancelled run', () => {
  it('sends nothing more, verifies what was sent, and ends as cancelled', async () => {
    const played = await play(twoWaves({ meanwhile: [{ after: 5, does: stopping('cancelled') }] }));

    expect(played.view).toMatchObject({ status: 'cancelled', code: 'cancelled', reason: 'operator:alice: enough' });
    expect(played.view.outcomes.map(({ status, code }) => [status, code])).toEqual([
      ['succeeded', undefined],
      ['not_started', 'cancelled'],
      ['not_started', 'cancelled'],
    ]);
    expect(flushed(played, 3)).toEqual([1, 0, 0]);
  });

  it('does not wait for the soak', async () => {
    const { waves } = jobOf('flush');
    const job = jobOf('flush', { waves: { ...waves, soak: 86_400 } });

    const played = await play(twoWaves({ job, meanwhile: [{ after: 5, does: stopping('cancelled') }] }));

    expect(played.view.status).toBe('cancelled');
    expect(played.clock.now()).toBeLessThan(Date.parse('2026-11-23T03:00:00Z'));
  });

  it('ends in the middle of a soak', async () => {
    const { waves } = jobOf('flush');
    const job = jobOf('flush', { waves: { ...waves, soak: 86_400 } });

    const played = await play(twoWaves({ job, meanwhile: [{ after: 7200, does: stopping('cancelled') }] }));

    expect(played.view).toMatchObject({ status: 'cancelled', code: 'cancelled' });
    expect(played.clock.now()).toBeLessThan(Date.parse('2026-11-23T04:05:00Z'));
    expect(flushed(played, 3)).toEqual([1, 0, 0]);
  });

  it('gives up what would be tried again', async () => {
    const { waves } = jobOf('flush');
    const job = jobOf('flush', { waves: { ...waves, canary: { percent: 100 } } });
    const script = { instances: { [idOf(2)]: { sends: ['failed' as const] } } };

    const played = await play({
      job,
      fleet: { instances: instances(2), script },
      meanwhile: [{ after: 1, does: stopping('cancelled') }],
    });

    expect(played.view.status).toBe('cancelled');
    expect(played.outcome(2)).toMatchObject({ status: 'failed', attempts: 1 });
    expect(flushed(played, 2)).toEqual([1, 0]);
  });

  it('is told as resolved when its alert was', async () => {
    const played = await play(twoWaves({ meanwhile: [{ after: 5, does: stopping('resolved') }] }));

    expect(played.view).toMatchObject({ status: 'cancelled', code: 'resolved' });
  });

  it('has succeeded when everything was done before anybody noticed', async () => {
    const played = await play({
      job: jobOf('flush'),
      fleet: { instances: instances(1) },
      meanwhile: [{ after: 5, does: stopping('cancelled') }],
    });

    expect(played.view.status).toBe('succeeded');
    expect(played.view.code).toBeUndefined();
  });
});

describe('a pause', () => {
  it.each([[project], [null]])('of %j refuses a new run before DCS is read', async (scope) => {
    const played = await play(twoWaves({ before: (state) => pausing(scope)({ state }) }));

    expect(played.view).toMatchObject({ status: 'refused', code: 'paused' });
    expect(played.view.reason).toContain('operator:alice');
    expect(played.fleet.calls()).toMatchObject({ act: 0, list: 0 });
  });

  it('of another project is none', async () => {
    const played = await play(twoWaves({ before: (state) => pausing('production')({ state }) }));

    expect(played.view.status).toBe('succeeded');
  });

  it('does not keep anybody from looking', async () => {
    const job = jobOf('flush', { dryRun: true });

    const played = await play(twoWaves({ job, before: (state) => pausing()({ state }) }));

    expect(played.view.status).toBe('planned');
  });

  it('holds a run that is going, which goes on when it is lifted', async () => {
    const lifting = async ({ state, fleet }: Night): Promise<void> => {
      expect(fleet.applied(idOf(2)).flush).toBe(0);
      await liftPause(state, project);
    };

    const played = await play(
      twoWaves({
        meanwhile: [
          { after: 5, does: pausing() },
          { after: 1200, does: lifting },
        ],
      }),
    );

    expect(played.view.status).toBe('succeeded');
    expect(flushed(played, 3)).toEqual([1, 1, 1]);
    expect(played.clock.now()).toBeGreaterThan(Date.parse('2026-11-23T02:20:00Z'));
  });

  it('that is not lifted in time leaves the rest not started', async () => {
    const played = await play(twoWaves({ meanwhile: [{ after: 5, does: pausing() }] }));

    expect(played.view.status).toBe('partial');
    expect(played.outcome(3)).toMatchObject({ status: 'not_started', code: 'paused' });
    expect(flushed(played, 3)).toEqual([1, 0, 0]);
    expect(played.engine.operations.length).toBeLessThan(400);
  });

  it('holds what has been changed in between to a new look', async () => {
    const protecting = async ({ state, fleet }: Night): Promise<void> => {
      fleet.set(idOf(2), { tags: { 'dcs-autopilot-protected': 'true' } });
      await liftPause(state, project);
    };

    const played = await play(
      twoWaves({
        meanwhile: [
          { after: 5, does: pausing() },
          { after: 1200, does: protecting },
        ],
      }),
    );

    expect(played.outcome(2)).toMatchObject({ status: 'skipped', code: 'protected' });
    expect(flushed(played, 3)).toEqual([1, 0, 1]);
  });
});

describe('a storm', () => {
  const storm = {
    since: '2026-11-23T01:58:00.000Z',
    until: '2026-11-23T02:08:00.000Z',
    reason: '12 of 40 instances alert',
  };
  const raising = async ({ state }: Pick<Night, 'state'>): Promise<void> =>
    void (await raiseStorm(state, project, storm));
  const alerted: Partial<Event> = { trigger: 'alert', identity: ['alertmanager', 'Frag', 'f1', '2026'] };

  it('refuses what alerts start, and says when it lifts', async () => {
    const played = await play(twoWaves({ event: alerted, before: (state) => raising({ state }) }));

    expect(played.view).toMatchObject({ status: 'refused', code: 'alert_storm', liftsAt: storm.until });
  });

  it('stops a run of an alert before its next send', async () => {
    const played = await play(twoWaves({ event: alerted, meanwhile: [{ after: 5, does: raising }] }));

    expect(played.view).toMatchObject({ status: 'partial', code: 'alert_storm' });
    expect(flushed(played, 3)).toEqual([1, 0, 0]);
  });

  it('does not touch what others start', async () => {
    const played = await play(twoWaves({ before: (state) => raising({ state }) }));

    expect(played.view.status).toBe('succeeded');
  });
});

describe('a window', () => {
  const night = { days: [0, 1, 2, 3, 4, 5, 6], from: 60, to: 120, timezone: 'UTC', cutoff: 0 };
  const later = { ...night, from: 180, to: 240 };

  it('that is closed refuses the run and says when it opens', async () => {
    const played = await play(twoWaves({ job: jobOf('flush', { window: later }) }));

    expect(played.view).toMatchObject({
      status: 'refused',
      code: 'outside_window',
      liftsAt: '2026-11-23T03:00:00.000Z',
    });
    expect(flushed(played, 3)).toEqual([0, 0, 0]);
  });

  it('that ends while a run goes leaves the rest not started', async () => {
    const window = { ...night, from: 0, to: 125, cutoff: 240 };

    const played = await play(twoWaves({ job: jobOf('flush', { window }) }));

    expect(played.view).toMatchObject({ status: 'partial', code: 'outside_window' });
    expect(played.outcome(1)?.status).toBe('succeeded');
    expect(flushed(played, 3)).toEqual([1, 0, 0]);
  });

  it('is passed by whoever breaks the glass', async () => {
    const event = { trigger: 'manual', breakGlass: true, reason: 'incident 7' } as const;

    const played = await play(twoWaves({ job: jobOf('flush', { window: later }), event }));

    expect(played.view.status).toBe('succeeded');
    expect(played.record.event).toMatchObject({ breakGlass: true, reason: 'incident 7' });
  });

  it('does not keep anybody from looking', async () => {
    const played = await play(twoWaves({ job: jobOf('flush', { window: later, dryRun: true }) }));

    expect(played.view.status).toBe('planned');
  });
});

describe('a freeze', () => {
  const from = Date.parse('2026-11-23T01:00:00Z');
  const freeze = [{ from, to: from + 7_200_000, timezone: 'Europe/Berlin', reason: 'year end' }];
  const job = jobOf('flush', { project: { ...jobOf('flush').project, freeze } });

  it('refuses the run with its reason and its end', async () => {
    const played = await play(twoWaves({ job }));

    expect(played.view).toMatchObject({ status: 'refused', code: 'frozen', liftsAt: '2026-11-23T03:00:00.000Z' });
    expect(played.view.reason).toContain('year end');
  });

  it('that begins while a run goes leaves the rest not started', async () => {
    const soon = [{ from: Date.parse('2026-11-23T02:01:00Z'), to: from + 7_200_000, timezone: 'UTC', reason: 'x' }];

    const played = await play(twoWaves({ job: jobOf('flush', { project: { ...job.project, freeze: soon } }) }));

    expect(played.view).toMatchObject({ status: 'partial', code: 'frozen' });
    expect(flushed(played, 3)).toEqual([1, 0, 0]);
  });

  it('is passed by whoever breaks the glass, and a pause is not', async () => {
    const event = { trigger: 'manual', breakGlass: true, reason: 'incident 7' } as const;

    const through = await play(twoWaves({ job, event }));
    const held = await play(twoWaves({ job, event, before: (state) => pausing()({ state }) }));

    expect(through.view.status).toBe('succeeded');
    expect(held.view).toMatchObject({ status: 'refused', code: 'paused' });
  });
});

describe('an approval', () => {
  const job = jobOf('flush', { approval: 'required' });

  it('lets the run go on', async () => {
    const played = await play(twoWaves({ job, meanwhile: [{ after: 600, does: deciding('approved') }] }));

    expect(played.view.status).toBe('succeeded');
    expect(flushed(played, 3)).toEqual([1, 1, 1]);
    expect(played.record.approval).toMatchObject({
      planHash: played.view.plan.hash,
      requestedAt: '2026-11-23T02:00:00.000Z',
      lapsesAt: '2026-11-23T03:00:00.000Z',
      decision: { verdict: 'approved', by: 'operator:bob' },
    });
  });

  it('that does not come within the hour refuses it', async () => {
    const played = await play(twoWaves({ job }));

    expect(played.view).toMatchObject({ status: 'refused', code: 'approval_lapsed' });
    expect(flushed(played, 3)).toEqual([0, 0, 0]);
  });

  it('that is refused ends it with the reason', async () => {
    const played = await play(twoWaves({ job, meanwhile: [{ after: 60, does: deciding('rejected', 'not tonight') }] }));

    expect(played.view).toMatchObject({
      status: 'refused',
      code: 'rejected',
      reason: 'operator:bob rejected the plan: not tonight',
    });
  });

  it.each([
    ['cancelled', 'cancelled'],
    ['resolved', 'cancelled'],
    ['paused', 'refused'],
  ] as const)('is withdrawn when the run is %s: %s', async (code, status) => {
    const played = await play(twoWaves({ job, meanwhile: [{ after: 60, does: stopping(code) }] }));

    expect(played.view).toMatchObject({ status, code });
    expect(played.clock.now()).toBeLessThan(Date.parse('2026-11-23T02:05:00Z'));
    expect(flushed(played, 3)).toEqual([0, 0, 0]);
  });

  it('does not lift a pause that came in between', async () => {
    const approving = async (night: Night): Promise<void> => {
      await pausing()(night);
      await deciding('approved')(night);
    };

    const played = await play(twoWaves({ job, meanwhile: [{ after: 60, does: approving }] }));

    expect(played.view).toMatchObject({ status: 'refused', code: 'paused' });
  });

  it('passes over an instance that has changed since the plan was made', async () => {
    const approving = async (night: Night): Promise<void> => {
      night.fleet.set(idOf(2), { tags: { 'dcs-autopilot-protected': 'true' } });
      await deciding('approved')(night);
    };

    const played = await play({
      job,
      fleet: { instances: instances(20) },
      meanwhile: [{ after: 60, does: approving }],
    });

    expect(played.view.status).toBe('succeeded');
    expect(played.outcome(2)).toMatchObject({ status: 'skipped', code: 'drifted', attempts: 0 });
    expect(played.outcome(2)?.reason).toContain('dcs-autopilot-protected');
    expect(flushed(played, 3)).toEqual([1, 0, 1]);
  });

  it('of a plan of which more than a tenth has changed is worth nothing', async () => {
    const approving = async (night: Night): Promise<void> => {
      for (const n of [2, 3, 4]) night.fleet.set(idOf(n), { tags: { 'dcs-autopilot-protected': 'true' } });
      await deciding('approved')(night);
    };

    const played = await play({
      job,
      fleet: { instances: instances(20) },
      meanwhile: [{ after: 60, does: approving }],
    });

    expect(played.view).toMatchObject({ status: 'refused', code: 'drifted' });
    expect(played.view.reason).toContain('3 of 20');
    expect(flushed(played, 20)).toEqual(Array(20).fill(0));
  });

  it('is asked for once, whenever the program is stopped', async () => {
    const { engine } = await play(twoWaves({ job, meanwhile: [{ after: 600, does: deciding('approved') }] }));

    for (let at = 1; at <= engine.writes; at++) {
      for (const when of ['before', 'after'] as const) {
        const played = await play(
          twoWaves({ job, crash: { at, when }, meanwhile: [{ after: 600, does: deciding('approved') }] }),
        );

        expect(played.record.approval?.requestedAt).toBe('2026-11-23T02:00:00.000Z');
        expect(Math.max(...flushed(played, 3))).toBeLessThanOrEqual(1);
      }
    }
  });
});

describe('another run at work on an instance', () => {
  const taking = async (state: Night['state'], now: () => number): Promise<void> => {
    await leasesOf(state, 'other-run', now).take([idOf(2)]);
  };
  const releasing = async ({ state, clock }: Night): Promise<void> => {
    await leasesOf(state, 'other-run', clock.now).release([idOf(2)]);
  };

  it('is waited for where the job says so, and the instance is looked at then', async () => {
    const played = await play(
      twoWaves({
        job: jobOf('flush', { collision: 'queue' }),
        before: (state, clock) => taking(state, clock.now),
        meanwhile: [{ after: 600, does: releasing }],
      }),
    );

    expect(played.view.status).toBe('succeeded');
    expect(flushed(played, 3)).toEqual([1, 1, 1]);
    expect(Date.parse(played.outcome(2)?.acceptedAt ?? '')).toBeGreaterThanOrEqual(Date.parse('2026-11-23T02:10:00Z'));
  });

  it('on all of them leaves a run that says so', async () => {
    const played = await play(twoWaves({ held: [1, 2, 3].map(idOf) }));

    expect(played.view).toMatchObject({
      status: 'succeeded',
      code: 'all_skipped',
      reason: 'nothing was sent, all that was planned was left out: 3 collision',
    });
  });

  it.each<Job['backup']['mode']>(['off', 'fresh'])(
    'is not waited for once the run is cancelled (backup: %s)',
    async (mode) => {
      const played = await play(
        twoWaves({
          job: jobOf('flush', { collision: 'queue', backup: { mode, maxAge: 86_400 } }),
          held: [idOf(1)],
          meanwhile: [{ after: 300, does: stopping('cancelled') }],
        }),
      );

      expect(played.view).toMatchObject({ status: 'cancelled', code: 'cancelled' });
      expect(played.outcome(1)).toMatchObject({ status: 'not_started', code: 'cancelled' });
      expect(flushed(played, 3)).toEqual([0, 0, 0]);
      expect(played.clock.now()).toBeLessThan(Date.parse('2026-11-23T02:06:00Z'));
    },
  );

  it('that does not end in time leaves it not started', async () => {
    const played = await play(
      twoWaves({
        job: jobOf('flush', { collision: 'queue', retry: { ...jobOf('flush').retry, for: 600 } }),
        before: (state, clock) => taking(state, clock.now),
      }),
    );

    expect(played.outcome(2)).toMatchObject({ status: 'not_started', code: 'collision' });
    expect(flushed(played, 3)).toEqual([1, 0, 1]);
  });
});

describe('the caps of a project', () => {
  const capped = (guards: Partial<Guards>, change: Partial<Job> = {}): Job => {
    return jobOf('flush', { guards: { ...jobOf('flush').guards, ...guards }, ...change });
  };

  it('trim a plan to what there is room for, the last ones first', async () => {
    const played = await play(twoWaves({ job: capped({ maxInstances: 2, onExceed: 'trim' }) }));

    expect(played.view.status).toBe('succeeded');
    expect(played.view.plan.excluded).toMatchObject([{ instanceId: idOf(3), code: 'trimmed' }]);
    expect(flushed(played, 3)).toEqual([1, 1, 0]);
  });

  it('of a day count what was sent, over all runs', async () => {
    const played = await play(twoWaves({ job: capped({ maxPerDay: 4 }) }));
    const again = await play({
      ...twoWaves({ job: capped({ maxPerDay: 4 }), event: { identity: ['bearer', 'key-2'] } }),
      before: async (state) => copy(played, state),
    });

    expect(played.view.status).toBe('succeeded');
    expect(again.view).toMatchObject({ status: 'refused', code: 'over_day_cap', liftsAt: '2026-11-24T02:00:00.000Z' });
  });

  const taken = (at: string, count: number) => ({ at: Date.parse(at), count });
  const used = (sk: 'acted' | 'alerted', value: Json) => async (state: Night['state']) => {
    await state.put({ pk: `project#${jobOf('flush').project.projectId ?? ''}`, sk }, value);
  };
  const alerted: Partial<Event> = { trigger: 'alert', identity: ['alertmanager', 'Frag', 'f1', '2026'] };

  it.each<[string, number, Json, string | undefined]>([
    [
      'once enough of it is a day old',
      4,
      { a: taken('2026-11-22T20:00:00Z', 1), b: taken('2026-11-22T21:00:00Z', 2) },
      '2026-11-23T21:00:00.000Z',
    ],
    ['never for a plan that is too large by itself', 2, { a: taken('2026-11-22T20:00:00Z', 1) }, undefined],
  ])('of a day lift %s', async (_, maxPerDay, before, liftsAt) => {
    const played = await play(twoWaves({ job: capped({ maxPerDay }), before: used('acted', before) }));

    expect(played.view).toMatchObject({ status: 'refused', code: 'over_day_cap' });
    expect(played.view.liftsAt).toBe(liftsAt);
  });

  it.each<[string, number, string | undefined]>([
    ['once enough of them are an hour old', 4, '2026-11-23T02:40:00.000Z'],
    ['never for a plan that is too large by itself', 2, undefined],
  ])('of alerts lift %s', async (_, maxInstances, liftsAt) => {
    const before = { [idOf(8)]: Date.parse('2026-11-23T01:30:00Z'), [idOf(9)]: Date.parse('2026-11-23T01:40:00Z') };
    const job = capped({ maxInstances });

    const played = await play(twoWaves({ job, event: alerted, before: used('alerted', before) }));

    expect(played.view).toMatchObject({ status: 'refused', code: 'over_cap' });
    expect(played.view.liftsAt).toBe(liftsAt);
  });

  it('of a day say when they lift to the second of two runs that were planned together, too', async () => {
    const played = await play(
      twoWaves({
        job: capped({ maxPerDay: 4 }),
        before: async (state) => {
          const { get } = state;
          let reads = 0;
          // The other run takes its share between the plan of this one and its own taking.
          state.get = async (key) => {
            if (key.sk === 'acted' && ++reads === 3)
              await used('acted', { a: taken('2026-11-23T02:00:00Z', 3) })(state);
            return get.call(state, key);
          };
        },
      }),
    );

    expect(played.view).toMatchObject({ status: 'refused', code: 'over_day_cap', liftsAt: '2026-11-24T02:00:00.000Z' });
    expect(flushed(played, 3)).toEqual([0, 0, 0]);
  });

  it('of a day do not count what was never sent', async () => {
    const first = await play(
      twoWaves({ job: capped({ maxPerDay: 4 }), meanwhile: [{ after: 5, does: stopping('cancelled') }] }),
    );
    const second = await play({
      ...twoWaves({ job: capped({ maxPerDay: 4 }), event: { identity: ['bearer', 'key-2'] } }),
      before: async (state) => copy(first, state),
    });

    expect(first.view.status).toBe('cancelled');
    expect(second.view.status).toBe('succeeded');
  });

  async function copy(played: Played, state: Night['state']): Promise<void> {
    for (const sk of ['acted', 'alerted']) {
      const key = { pk: `project#${played.record.job.project.projectId ?? ''}`, sk };
      const item = await played.state.get(key);
      if (item !== undefined) await state.put(key, item.value);
    }
  }
});

describe('a cool-down', () => {
  const job = jobOf('restart', { cooldown: 1800 });
  const noting = (at: string) => async (state: Night['state']) => {
    await state.put({ pk: `instance#${idOf(2)}`, sk: 'success' }, { at: Date.parse(at), runId: 'other-run' });
  };

  it('leaves an instance alone that any job succeeded on', async () => {
    const played = await play(twoWaves({ job, before: noting('2026-11-23T01:40:00Z') }));

    expect(played.view.plan.excluded).toMatchObject([
      { instanceId: idOf(2), code: 'cooling_down', liftsAt: '2026-11-23T02:10:00.000Z' },
    ]);
    expect(played.fleet.applied(idOf(2)).restart).toBe(0);
  });

  it('is over after its time', async () => {
    const played = await play(twoWaves({ job, before: noting('2026-11-23T01:30:00Z') }));

    expect(played.fleet.applied(idOf(2)).restart).toBe(1);
  });

  it('begins with every success', async () => {
    const played = await play(twoWaves());

    expect(await played.state.get({ pk: `instance#${idOf(2)}`, sk: 'success' })).toMatchObject({
      value: { at: Date.parse(played.outcome(2)?.verifiedAt ?? ''), runId: played.view.runId },
    });
  });

  it('of everybody refuses the run and says when it lifts', async () => {
    const event: Partial<Event> = { instances: [idOf(2)] };

    const played = await play(twoWaves({ job, event, before: noting('2026-11-23T01:40:00Z') }));

    expect(played.view).toMatchObject({
      status: 'refused',
      code: 'cooling_down',
      liftsAt: '2026-11-23T02:10:00.000Z',
    });
  });
});

describe('instances that have to allow destructive work', () => {
  const { project: plain } = jobOf('flush');
  const project = { ...plain, allowTag: 'dcs-autopilot-allow' };

  it.each<[Job['action'], string | undefined, 'single' | 'ha', boolean]>([
    ['flush', 'flush', 'ha', true],
    ['flush', 'restart,flush', 'ha', true],
    ['flush', 'restart', 'ha', false],
    ['flush', 'flushing', 'ha', false],
    ['flush', 'soft_restart + flush', 'ha', true],
    ['flush', 'no-flush', 'ha', false],
    ['flush', 'never flush', 'ha', false],
    ['flush', 'flush2', 'ha', false],
    ['flush', 'FLUSH', 'ha', false],
    ['flush', undefined, 'ha', false],
    ['restart', undefined, 'ha', true],
    ['restart', undefined, 'single', false],
    ['restart', 'restart', 'single', true],
    ['restart', 'soft_restart', 'single', false],
  ])('%s with the tag %j of a %s instance: %s', async (action, value, cacheMode, allowed) => {
    const fleet = instances(1, () => ({
      cacheMode,
      tags: value === undefined ? {} : { 'dcs-autopilot-allow': value },
    }));

    const played = await play({ job: jobOf(action, { project }), fleet: { instances: fleet } });

    expect(played.fleet.applied(idOf(1))[action]).toBe(allowed ? 1 : 0);
    if (!allowed) expect(played.view.plan.excluded).toMatchObject([{ code: 'not_allowed' }]);
  });
});

describe('a run with the hash of a plan', () => {
  /** Puts what is known of a run before into another world. */
  function knowing(dry: Played) {
    return async (state: Night['state']): Promise<void> => {
      for (const sk of ['plan#0000', 'run']) {
        const item = await dry.state.get({ pk: `run#${dry.view.runId}`, sk });
        if (item !== undefined) await state.put(item, item.value);
      }
      await state.put({ pk: `plan#${dry.view.plan.hash}`, sk: 'run' }, { runId: dry.view.runId });
    };
  }

  it('is told how the fleet has changed since', async () => {
    const dry = await play(twoWaves({ job: jobOf('flush', { dryRun: true }) }));
    const fleet = instances(4, (n) => (n === 2 ? { tags: { 'dcs-autopilot-protected': 'true' } } : {}));

    const played = await play({
      job: jobOf('flush'),
      fleet: { instances: fleet },
      event: { plan: dry.view.plan.hash ?? '', identity: ['bearer', 'key-2'] },
      before: knowing(dry),
    });

    expect(played.view).toMatchObject({ status: 'refused', code: 'plan_changed' });
    expect(played.view.reason).toContain('1 no longer planned: cache-00002 (protected)');
    expect(played.view.reason).toContain('1 newly planned: cache-00004');
    expect(flushed(played, 4)).toEqual([0, 0, 0, 0]);
  });

  it('is refused where it would destroy what the plan kept, although the hash is the same, again and again', async () => {
    const dry = await play(twoWaves({ job: jobOf('restart', { dryRun: true }) }));
    const scenario = {
      job: jobOf('restart'),
      fleet: { instances: instances(3, (n) => ({ appendonly: n !== 2 })) },
      event: { plan: dry.view.plan.hash ?? '', identity: ['bearer', 'key-2'] },
    };

    const played = await play({ ...scenario, before: knowing(dry) });
    const known = await played.state.get({ pk: `plan#${dry.view.plan.hash}`, sk: 'run' });

    expect(played.view).toMatchObject({ status: 'refused', code: 'plan_changed' });
    expect(played.view.plan.hash).toBe(dry.view.plan.hash);
    expect(played.view.reason).toBe('since the plan was made: 1 now losing data: cache-00002');
    expect(played.fleet.sent(idOf(2))).toBe(0);
    expect(known?.value).toEqual({ runId: dry.view.runId });
  });

  it('goes on by the hash alone where the plan that was seen is forgotten', async () => {
    const dry = await play(twoWaves({ job: jobOf('flush', { dryRun: true }) }));
    const hash = dry.view.plan.hash ?? '';

    const played = await play(
      twoWaves({
        event: { plan: hash, identity: ['bearer', 'key-2'] },
        before: async (state) => state.put({ pk: `plan#${hash}`, sk: 'run' }, { runId: dry.view.runId }),
      }),
    );

    expect(played.view.status).toBe('succeeded');
  });

  it('goes on where nothing has changed', async () => {
    const dry = await play(twoWaves({ job: jobOf('flush', { dryRun: true }) }));

    const played = await play(
      twoWaves({ event: { plan: dry.view.plan.hash ?? '', identity: ['bearer', 'key-2'] }, before: knowing(dry) }),
    );

    expect(played.view.status).toBe('succeeded');
  });
});

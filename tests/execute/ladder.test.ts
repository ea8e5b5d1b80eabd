// Ladders: what an alert that stays, goes, or comes back makes of one instance.

import { describe, expect, it } from '@jest/globals';
import type { Action, Job } from '../../lib/config.ts';
import type { Event } from '../../lib/event.ts';
import { updateRecord } from '../../lib/record.ts';
import { idOf, instances, jobOf, type Night, type Played, play, type Scenario } from '../support/scenario.ts';

const ladder = { rungs: ['soft_restart', 'restart'], settle: 900, resetAfter: 1800, rounds: 3 } as const;
const height = { pk: `instance#${idOf(1)}`, sk: 'ladder#nightly' };

const alerted: Partial<Event> = {
  trigger: 'alert',
  identity: ['alertmanager', 'RedisFragmentationHigh', 'f1', '2026-11-23T01:55:00.000Z'],
  requestedBy: 'alert:alertmanager',
  instances: [idOf(1)],
};

function climbing(change: Partial<Scenario> = {}, job: Partial<Job> = {}): Promise<Played> {
  return play({
    job: jobOf('soft_restart', { ladder, ...job }),
    event: alerted,
    fleet: { instances: instances(2) },
    ...change,
  });
}

function resolving(after: number) {
  const does = async ({ state, runId, clock, engine }: Night): Promise<void> => {
    const at = new Date(clock.now()).toISOString();
    const stop = { code: 'resolved', reason: 'the alert is over', by: 'alert:alertmanager', at } as const;
    const { waits } = await updateRecord(state, runId, (record) => ({ ...record, stop }));
    if (waits !== undefined) await engine.answer(waits);
  };
  return { after, does };
}

function done({ fleet }: Played): Partial<Record<Action, number>> {
  return fleet.applied(idOf(1));
}

describe('a ladder', () => {
  it('ends at the first rung when that helped', async () => {
    const played = await climbing({ meanwhile: [resolving(600)] });

    expect(played.view).toMatchObject({ status: 'succeeded', code: 'resolved' });
    expect(played.view.reason).toBe('the alert was resolved after soft_restart');
    expect(played.clock.now()).toBeLessThan(Date.parse('2026-11-23T02:11:00Z'));
    expect(done(played)).toEqual({ restart: 0, soft_restart: 1, flush: 0 });
  });

  it('takes the next rung when the alert stays for the settle time', async () => {
    const played = await climbing({ meanwhile: [resolving(1500)] });

    expect(done(played)).toEqual({ restart: 1, soft_restart: 1, flush: 0 });
    expect(played.view.reason).toBe('the alert was resolved after restart');
    expect(played.view.rungs).toMatchObject([
      { number: 1, action: 'soft_restart', status: 'succeeded' },
      { number: 2, action: 'restart', status: 'succeeded' },
    ]);
    const [first, second] = played.view.rungs ?? [];
    expect(Date.parse(second?.endedAt ?? '') - Date.parse(first?.endedAt ?? '')).toBeGreaterThanOrEqual(900_000);
  });

  it('stops after its last round and says that somebody has to look', async () => {
    const played = await climbing();

    expect(played.view).toMatchObject({ status: 'failed', code: 'no_effect' });
    expect(done(played)).toEqual({ restart: 3, soft_restart: 3, flush: 0 });
  });

  it('does not take the next rung when one failed', async () => {
    const script = { instances: { [idOf(1)]: { sends: Array<'failed'>(20).fill('failed') } } };

    const played = await climbing({ fleet: { instances: instances(1), script } });

    expect(played.view.status).toBe('failed');
    expect(played.outcome(1)?.code).toBe('attempts_exhausted');
    expect(done(played)).toEqual({ restart: 0, soft_restart: 0, flush: 0 });
  });

  it('stops where somebody cancels it while it settles', async () => {
    const does = async ({ state, runId }: Night): Promise<void> => {
      const stop = {
        code: 'cancelled',
        reason: 'enough',
        by: 'operator:alice',
        at: '2026-11-23T02:10:00.000Z',
      } as const;
      await updateRecord(state, runId, (record) => ({ ...record, stop }));
    };

    const played = await climbing({ meanwhile: [{ after: 600, does }] });

    expect(played.view).toMatchObject({ status: 'cancelled', code: 'cancelled' });
    expect(done(played)).toEqual({ restart: 0, soft_restart: 1, flush: 0 });
  });

  it.each([
    ['soon', '2026-11-23T01:45:00Z', { restart: 1, soft_restart: 0, flush: 0 }],
    ['after a quiet time', '2026-11-23T01:30:00Z', { restart: 0, soft_restart: 1, flush: 0 }],
  ])('goes on where it was when the alert comes back %s', async (_, at, actions) => {
    const played = await climbing({
      before: (state) => state.put(height, { taken: 1, at: Date.parse(at) }),
      meanwhile: [resolving(600)],
    });

    expect(done(played)).toEqual(actions);
  });

  it('that was climbed in vain is not climbed again before it was quiet', async () => {
    const played = await climbing({
      before: (state) => state.put(height, { taken: 6, at: Date.parse('2026-11-23T01:45:00Z') }),
    });

    expect(played.view).toMatchObject({
      status: 'refused',
      code: 'ladder_exhausted',
      liftsAt: '2026-11-23T02:15:00.000Z',
    });
    expect(done(played)).toEqual({ restart: 0, soft_restart: 0, flush: 0 });
  });

  it('stays at its rung where nothing was sent', async () => {
    const held = await climbing({ held: [idOf(1)] });
    const further = await climbing({
      before: (state) => state.put(height, { taken: 1, at: Date.parse('2026-11-23T01:45:00Z') }),
      held: [idOf(1)],
    });

    expect(held.view).toMatchObject({ code: 'all_skipped', rungs: [{ number: 1, action: 'soft_restart' }] });
    expect(await held.state.get(height)).toBeUndefined();
    expect((await further.state.get(height))?.value).toEqual({ taken: 1, at: Date.parse('2026-11-23T01:45:00Z') });
  });

  it('comes to the same rung again, and gives a round up, where that was sent and not verified', async () => {
    const script = { instances: { [idOf(1)]: { sends: Array<'failed'>(20).fill('failed') } } };

    const played = await climbing({ fleet: { instances: instances(1), script } });

    expect((await played.state.get(height))?.value).toMatchObject({ taken: 2 });
  });

  it('is not climbed by hand: nobody can tell there whether a rung helped', async () => {
    const played = await climbing({ event: { trigger: 'manual', requestedBy: 'operator:alice' } });

    expect(played.view.status).toBe('succeeded');
    expect(done(played)).toEqual({ restart: 0, soft_restart: 1, flush: 0 });
  });

  it('is planned as destructive where any of its rungs is', async () => {
    const rungs = ['soft_restart', 'flush'] as const;

    const played = await climbing({ meanwhile: [resolving(600)] }, { ladder: { ...ladder, rungs } });

    expect(played.view.plan.waves.flat()).toMatchObject([{ dataLoss: true }]);
  });

  it('takes no rung twice, whenever the program is stopped', async () => {
    const whole = await climbing({ meanwhile: [resolving(1500)] });

    for (let at = 1; at <= whole.engine.writes; at++) {
      for (const when of ['before', 'after'] as const) {
        const played = await climbing({ crash: { at, when }, meanwhile: [resolving(1500)] });

        expect([at, when, played.view.rungs?.map(({ number }) => number)]).toEqual([at, when, [1, 2]]);
        expect(played.view.status).toBe('succeeded');
      }
    }
  });
});

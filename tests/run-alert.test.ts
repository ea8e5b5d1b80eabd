// Runs that alerts have started: an instance that is named otherwise than by its id, and what the run learns of the fleet.

import { describe, expect, it } from '@jest/globals';
import { readSeries, writeSeries } from '../lib/episode/alerting.ts';
import { readSize } from '../lib/episode/storm.ts';
import { type Event, runId } from '../lib/event.ts';
import { leasesOf } from '../lib/execute/lease.ts';
import { noteSuccess } from '../lib/guards/cooldown.ts';
import type { InstanceReference } from '../lib/match/reference.ts';
import { idOf, instances, jobOf, type Night, play, type Scenario } from './support/scenario.ts';

const target = { ...jobOf('restart').target, tags: { env: 'staging' } };

function named(reference: InstanceReference, change: Partial<Scenario> = {}): Scenario {
  const event: Partial<Event> = { trigger: 'alert', identity: ['alertmanager', 'High', 'a', ''], reference };
  const fleet = {
    instances: instances(4, (number) => ({
      ip: number === 4 ? '10.0.0.3' : `10.0.0.${number}`,
      ...(number === 2 && { tags: { env: 'prod' } }),
      ...(number > 2 && { name: 'twin' }),
    })),
  };
  return { job: jobOf('restart', { target }), fleet, event, ...change };
}

describe('an instance that an alert names', () => {
  it.each<[string, InstanceReference]>([
    ['by its name', { by: 'name', value: 'cache-00001' }],
    ['by its address', { by: 'address', value: '10.0.0.1', port: null }],
    ['by its address and port', { by: 'address', value: '10.0.0.1', port: 6379 }],
    ['by its domain name', { by: 'address', value: 'redis-00000000.dcs.example.com', port: 6379 }],
  ])('%s is the only one that is acted on', async (how, reference) => {
    const scenario = named(reference);
    const played = await play(
      how === 'by its domain name'
        ? { ...scenario, fleet: { instances: scenario.fleet.instances?.slice(0, 1) ?? [] } }
        : scenario,
    );

    expect(played.view.status).toBe('succeeded');
    expect(played.view.outcomes.map(({ instanceId }) => instanceId)).toEqual([idOf(1)]);
  });

  it.each<[string, InstanceReference]>([
    ['instance_unknown', { by: 'name', value: 'cache-9' }],
    ['instance_unknown', { by: 'address', value: '10.0.0.1', port: 7000 }],
    ['instance_ambiguous', { by: 'name', value: 'twin' }],
    ['instance_ambiguous', { by: 'address', value: '10.0.0.3', port: 6379 }],
    ['outside_target', { by: 'name', value: 'cache-00002' }],
  ])('and that is %s refuses the run', async (code, reference) => {
    const played = await play(named(reference));

    expect(played.view).toMatchObject({ status: 'refused', code });
    expect(played.fleet.calls()).toMatchObject({ act: 0 });
  });
});

describe('an instance on which another run succeeds after the plan was made', () => {
  const another = async ({ state, clock }: Night): Promise<void> => {
    await noteSuccess(state, idOf(2), 'another-run', clock.now());
    await leasesOf(state, 'another-run', clock.now).release([idOf(2)]);
  };

  it('is left alone by the wave that comes to it, where the job has a cool-down', async () => {
    const fleet = { instances: instances(3) };
    const job = jobOf('restart', { cooldown: 1800 });

    const played = await play({ job, fleet, meanwhile: [{ after: 1, does: another }] });

    expect(played.view.status).toBe('succeeded');
    expect(played.outcome(2)).toMatchObject({ status: 'skipped', code: 'cooling_down', attempts: 0 });
    expect([1, 2, 3].map((number) => played.fleet.applied(idOf(number)).restart)).toEqual([1, 0, 1]);
  });

  it('is left alone also by a run that has waited for that other one', async () => {
    const fleet = { instances: instances(2) };
    const job = jobOf('restart', { cooldown: 1800, collision: 'queue' });

    const played = await play({ job, fleet, held: [idOf(2)], meanwhile: [{ after: 200, does: another }] });

    expect(played.outcome(2)).toMatchObject({ status: 'skipped', code: 'cooling_down', attempts: 0 });
  });

  it('is acted on where the job has none', async () => {
    const played = await play({
      job: jobOf('restart'),
      fleet: { instances: instances(2) },
      meanwhile: [{ after: 1, does: another }],
    });

    expect(played.outcome(2)).toMatchObject({ status: 'succeeded' });
  });
});

describe('the size of a project', () => {
  it('is remembered by each run that reads it', async () => {
    const { state, clock } = await play(named({ by: 'name', value: 'cache-00001' }));

    expect(await readSize(state, jobOf('restart').project, clock.now())).toBe(4);
  });
});

describe('a run whose alert is over before anybody could tell it', () => {
  const name = { source: 'alertmanager', rule: 'High', fingerprint: 'f1' } as const;
  const identity = [name.source, name.rule, name.fingerprint, '2026-11-23T01:55:00.000Z'];
  const event: Partial<Event> = { trigger: 'alert', identity, instances: [idOf(1), idOf(2)] };
  const own = runId('test', 'nightly', identity);

  function ending(toStop: readonly string[]) {
    return async (state: Night['state']): Promise<void> => {
      const over = { startsAt: identity[3] ?? '', firesAt: identity[3] ?? '', endedBy: '2026-11-23T02:00:10.000Z' };
      const series = { ...over, firstSeen: 1, lastSeen: 2, runs: { nightly: own }, toStop, about: [] };
      const { version } = await readSeries(state, name);
      await writeSeries(state, name, version, series);
    };
  }

  it('sends nothing', async () => {
    const played = await play({
      job: jobOf('restart'),
      event,
      fleet: { instances: instances(2) },
      before: ending([own]),
    });

    expect(played.view).toMatchObject({ status: 'cancelled', code: 'resolved' });
    expect(played.fleet.calls()).toMatchObject({ act: 0, list: 0 });
  });

  it('sends nothing more when that comes in its middle', async () => {
    const played = await play({
      job: jobOf('restart'),
      event,
      fleet: { instances: instances(2) },
      meanwhile: [{ after: 5, does: ({ state }) => ending([own])(state) }],
    });

    expect(played.view).toMatchObject({ status: 'cancelled', code: 'resolved' });
    expect([1, 2].map((n) => played.fleet.applied(idOf(n)).restart)).toEqual([1, 0]);
  });

  it('goes on where another run is meant', async () => {
    const played = await play({
      job: jobOf('restart'),
      event,
      fleet: { instances: instances(2) },
      before: ending(['nightly-00000000000000000000']),
    });

    expect(played.view.status).toBe('succeeded');
  });
});

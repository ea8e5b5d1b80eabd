// The simulated world: what an accepted action looks like over time, what it costs in data, and that it happens once.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Action, actions } from '../../../lib/config.ts';
import { Fleet, type FleetOptions } from '../../../lib/local/simulator/fleet.ts';
import type { InstanceSpec } from '../../../lib/local/simulator/instance.ts';
import { makeFleet } from '../../../lib/local/simulator/make-fleet.ts';
import { noCalls } from '../../../lib/local/simulator/script.ts';

const one = '00000000-0000-4000-8000-000000000001';
const two = '00000000-0000-4000-8000-000000000002';
const three = '00000000-0000-4000-8000-000000000003';
const start = Date.parse('2026-11-23T12:00:00Z');

/** Everything takes the same time, so that moments can be named. */
const timing = {
  lag: { min: 1_000, max: 1_000 },
  restart: { min: 10_000, max: 10_000 },
  soft_restart: { min: 5_000, max: 5_000 },
  flush: { min: 2_000, max: 2_000 },
};

interface Stage {
  readonly fleet: Fleet;
  /** Milliseconds since the start. */
  at(offset: number): void;
}

function stage(specs: readonly Partial<InstanceSpec>[], options: Partial<FleetOptions> = {}): Stage {
  let now = start;
  const ids = [one, two, three];
  const instances = specs.map((spec, index) => ({ id: ids[index] ?? one, name: `stg-cache-0${index + 1}`, ...spec }));
  const fleet = new Fleet({ instances, now: () => now, timing, ...options });
  return {
    fleet,
    at: (offset) => {
      now = start + offset;
    },
  };
}

function statusOf(fleet: Fleet, id = one): string {
  const view = fleet.view(id);
  return `${view?.status} ${view?.task} ${view?.keys}`;
}

function answerOf(fleet: Fleet, action: unknown, instances: unknown): string {
  const reply = fleet.act({ action, instances });
  if (reply.kind === 'error') return `${reply.error.status} ${reply.error.code}`;
  return reply.kind === 'ok' ? reply.value.map(({ result }) => result).join(' ') : reply.kind;
}

describe('an accepted action', () => {
  it('that does not show leaves the status as the last one has left it', () => {
    const { fleet, at } = stage([{ status: 'ERROR' }], { switches: { softRestartVisible: false } });
    fleet.act({ action: 'restart', instances: [one] });
    at(60_000);
    fleet.act({ action: 'soft_restart', instances: [one] });
    at(62_000);

    expect(statusOf(fleet)).toBe('RUNNING null 1000');
  });

  it('that something ends early has lost the data that it had lost', () => {
    const { fleet, at } = stage([{}]);
    fleet.act({ action: 'flush', instances: [one] });
    at(1_500);
    fleet.set(one, { status: 'ERROR' });
    at(10_000);

    expect(statusOf(fleet)).toBe('ERROR null 0');
    expect(fleet.view(one)?.lastLoss).toEqual({ at: start + 1_000, keys: 1_000 });
  });

  it.each<[Action, number, string]>([
    ['restart', 0, 'RUNNING null 1000'],
    ['restart', 999, 'RUNNING null 1000'],
    ['restart', 1_000, 'RESTARTING null 1000'],
    ['restart', 10_999, 'RESTARTING null 1000'],
    ['restart', 11_000, 'RUNNING null 1000'],
    ['soft_restart', 999, 'RUNNING null 1000'],
    ['soft_restart', 5_999, 'RESTARTING null 1000'],
    ['soft_restart', 6_000, 'RUNNING null 1000'],
    ['flush', 999, 'RUNNING null 1000'],
    ['flush', 1_000, 'FLUSHING null 0'],
    ['flush', 2_999, 'FLUSHING null 0'],
    ['flush', 3_000, 'RUNNING null 0'],
  ])('%s looks like this %i ms later: %s', (action, offset, expected) => {
    const { fleet, at } = stage([{}]);

    fleet.act({ action, instances: [one] });
    at(offset);

    expect(statusOf(fleet)).toBe(expected);
  });

  it.each<[string, Partial<InstanceSpec>, number, number]>([
    ['a single node', { cacheMode: 'single' }, 0, 0],
    ['a single node, whatever its parameter says', { cacheMode: 'single', appendonly: true }, 0, 0],
    ['master and standby', { cacheMode: 'ha' }, 1_000, 0],
    ['master and standby without appendonly', { cacheMode: 'ha', appendonly: false }, 0, 0],
    ['read-write split', { cacheMode: 'ha_rw_split' }, 1_000, 0],
    ['a cluster', { cacheMode: 'cluster' }, 1_000, 0],
    ['a cluster without appendonly', { cacheMode: 'cluster', appendonly: false }, 0, 0],
    ['a proxy cluster', { cacheMode: 'proxy' }, 1_000, 0],
    ['an instance without that parameter', { appendonly: null }, 0, 0],
  ])('keeps or loses the keys of %s', (_, spec, afterRestart, afterFlush) => {
    const keys = actions.map((action) => {
      const { fleet, at } = stage([spec]);
      fleet.act({ action, instances: [one] });
      at(60_000);
      return fleet.view(one)?.keys;
    });

    expect(keys).toEqual([afterRestart, afterRestart, afterFlush]);
  });

  it('is counted and logged with its request', () => {
    const { fleet } = stage([{}, {}]);

    const reply = fleet.act({ action: 'restart', instances: [one, two] });

    const times = { at: start, startsAt: start + 1_000, endsAt: start + 11_000 };
    const entry = { ...times, lostData: false, action: 'restart', requestId: reply.requestId };
    expect(fleet.applied(one)).toEqual({ restart: 1, soft_restart: 0, flush: 0 });
    expect(fleet.log()).toEqual([
      { ...entry, instanceId: one },
      { ...entry, instanceId: two },
    ]);
    expect(fleet.calls()).toEqual({ ...noCalls, act: 1 });
  });

  it('can be done again when it is over', () => {
    const { fleet, at } = stage([{}]);

    fleet.act({ action: 'restart', instances: [one] });
    at(11_000);
    fleet.act({ action: 'restart', instances: [one] });

    expect(fleet.applied(one).restart).toBe(2);
  });

  it('is forgotten when its instance is given another status from outside', () => {
    const { fleet, at } = stage([{}]);

    fleet.act({ action: 'restart', instances: [one] });
    at(2_000);
    fleet.set(one, { status: 'FROZEN' });
    at(20_000);

    expect(statusOf(fleet)).toBe('FROZEN null 1000');
  });
});

describe('an instance that cannot take an action', () => {
  it.each<[string, Partial<InstanceSpec>, Action, string]>([
    ['restarting', { status: 'RESTARTING' }, 'restart', '400 DCS.4111'],
    ['flushing', { status: 'FLUSHING' }, 'flush', '400 DCS.4017'],
    ['extending', { status: 'EXTENDING' }, 'flush', '400 DCS.4113'],
    ['restoring', { status: 'RESTORING' }, 'restart', '400 DCS.4097'],
    ['upgrading', { status: 'UPGRADING' }, 'restart', '400 DCS.4116'],
    ['going back a version', { status: 'ROLLBACKING' }, 'restart', '400 DCS.4117'],
    ['being created', { status: 'CREATING' }, 'restart', '400 DCS.4118'],
    ['freezing', { status: 'FREEZING' }, 'restart', '400 DCS.4120'],
    ['backing up, and asked to flush', { task: 'BACKUPING' }, 'flush', '400 DCS.4096'],
    ['doing something else', { task: 'EXTEND' }, 'restart', '400 DCS.4017'],
    ['frozen', { status: 'FROZEN' }, 'restart', '400 DCS.4026'],
    ['deleted', { status: 'DELETED' }, 'restart', '404 DCS.3022'],
    ['in error, and asked to flush', { status: 'ERROR' }, 'flush', '400 DCS.4049'],
    ['Redis 3.0, and asked to flush', { version: '3.0' }, 'flush', '400 DCS.4026'],
    ['Memcached, and asked to flush', { engine: 'Memcached', version: '1.5' }, 'flush', '400 DCS.4026'],
  ])('says so when it is %s', (_, spec, action, expected) => {
    const { fleet } = stage([spec]);

    const answer = answerOf(fleet, action, [one]);

    expect(answer).toBe(expected);
    expect(fleet.log()).toEqual([]);
  });

  it.each<[string, string, string, string]>([
    ['RUNNING', 'success', 'success', 'success'],
    ['ERROR', 'success', 'success', '400 DCS.4049'],
    ['CREATING', '400 DCS.4118', '400 DCS.4118', '400 DCS.4118'],
    ['CREATEFAILED', '400 DCS.4026', '400 DCS.4026', '400 DCS.4049'],
    ['RESTARTING', '400 DCS.4111', '400 DCS.4111', '400 DCS.4111'],
    ['FLUSHING', '400 DCS.4017', '400 DCS.4017', '400 DCS.4017'],
    ['EXTENDING', '400 DCS.4113', '400 DCS.4113', '400 DCS.4113'],
    ['RESTORING', '400 DCS.4097', '400 DCS.4097', '400 DCS.4097'],
    ['UPGRADING', '400 DCS.4116', '400 DCS.4116', '400 DCS.4116'],
    ['ROLLBACKING', '400 DCS.4117', '400 DCS.4117', '400 DCS.4117'],
    ['IPEXCHANGING', '400 DCS.4017', '400 DCS.4017', '400 DCS.4017'],
    ['MIGRATING', '400 DCS.4017', '400 DCS.4017', '400 DCS.4017'],
    ['FREEZING', '400 DCS.4120', '400 DCS.4120', '400 DCS.4120'],
    ['FROZEN', '400 DCS.4026', '400 DCS.4026', '400 DCS.4049'],
    ['PAYING', '400 DCS.4026', '400 DCS.4026', '400 DCS.4049'],
    ['STARTING', '400 DCS.4017', '400 DCS.4017', '400 DCS.4017'],
    ['CLOSING', '400 DCS.4017', '400 DCS.4017', '400 DCS.4017'],
    ['CLOSED', '400 DCS.4026', '400 DCS.4026', '400 DCS.4049'],
    ['DELETED', '404 DCS.3022', '404 DCS.3022', '404 DCS.3022'],
    ['A_STATE_OF_TOMORROW', '400 DCS.4026', '400 DCS.4026', '400 DCS.4049'],
  ])('in the state %s answers a restart, a soft restart and a flush with %s, %s, %s', (status, ...expected) => {
    const answers = actions.map((action) => answerOf(stage([{ status }]).fleet, action, [one]));

    expect(answers).toEqual(expected);
  });

  it.each(['RUNNING', 'ERROR'])('is not one that is %s and restarts', (status) => {
    const { fleet } = stage([{ status }]);

    expect(answerOf(fleet, 'restart', [one])).toBe('success');
  });

  it.each(['4.0', '5.0', '6.0', '7.0'])('is not one of Redis %s that is asked to flush', (version) => {
    const { fleet } = stage([{ version }]);

    expect(answerOf(fleet, 'flush', [one])).toBe('success');
  });

  it.each([
    [0, '400 DCS.4017'],
    [999, '400 DCS.4017'],
    [1_000, '400 DCS.4111'],
    [10_999, '400 DCS.4111'],
    [11_000, 'success'],
  ])('is one with work going on, even before its status shows it: after %i ms %s', (offset, expected) => {
    const { fleet, at } = stage([{}]);

    fleet.act({ action: 'restart', instances: [one] });
    at(offset);

    expect(answerOf(fleet, 'restart', [one])).toBe(expected);
  });
});

describe('a call of the wrong form', () => {
  const ids = Array.from({ length: 51 }, (_, index) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`);
  it.each<[string, unknown, unknown, string]>([
    ['no action', undefined, [one], '400 DCS.4064'],
    ['an unknown action', 'start', [one], '400 DCS.4064'],
    ['no instances', 'restart', undefined, '400 DCS.4065'],
    ['no list', 'restart', one, '400 DCS.4065'],
    ['an empty list', 'restart', [], '400 DCS.4065'],
    ['51 ids', 'restart', ids, '400 DCS.4100'],
    ['a malformed id', 'restart', [one, 'stg-cache-01'], '400 DCS.4061'],
    ['an id that is no text', 'restart', [one, 7], '400 DCS.4061'],
  ])('is refused: %s', (_, action, instances, expected) => {
    const { fleet } = stage([{}]);

    const answer = answerOf(fleet, action, instances);

    expect(answer).toBe(expected);
    expect(fleet.log()).toEqual([]);
  });

  it('is not one that names an instance twice; the action happens once', () => {
    const { fleet } = stage([{}]);

    expect(answerOf(fleet, 'restart', [one, one])).toBe('success');
    expect(fleet.applied(one).restart).toBe(1);
  });
});

describe('a batch with one instance that cannot take part', () => {
  const busy = [{}, { status: 'EXTENDING' }, {}];
  const unsupported = [{}, { version: '3.0' }, {}];
  it.each<[string, readonly Partial<InstanceSpec>[], FleetOptions['switches'], string, readonly string[]]>([
    ['busy, as it is likeliest', busy, {}, 'success failed success', [one, three]],
    ['busy, told in the entry', busy, { busyIn: 'entry' }, 'success failed success', [one, three]],
    ['busy, refusing all', busy, { busyIn: 'whole-call' }, '400 DCS.4113', []],
    [
      'busy, refusing all after a part was done',
      busy,
      { busyIn: 'whole-call', appliesBeforeRefusal: true },
      '400 DCS.4113',
      [one],
    ],
    ['too old', unsupported, {}, 'success failed success', [one, three]],
    ['too old, refusing all', unsupported, { unsupportedIn: 'whole-call' }, '400 DCS.4026', []],
    ['unknown, as it is likeliest', [{}], {}, '404 DCS.3022', []],
    ['unknown, told in the entry', [{}], { unknownIn: 'entry' }, 'success failed failed', [one]],
  ])('answers as the switches say: %s', (_, specs, switches, expected, applied) => {
    const { fleet } = stage(specs, { switches: switches ?? {} });

    const answer = answerOf(fleet, 'flush', [one, two, three]);

    expect(answer).toBe(expected);
    expect(fleet.log().map(({ instanceId }) => instanceId)).toEqual(applied);
  });

  it('tells a busy instance in its entry even when it is alone, where the switch says so', () => {
    const { fleet } = stage([{ status: 'RESTARTING' }], { switches: { busyIn: 'entry' } });

    expect(answerOf(fleet, 'restart', [one])).toBe('failed');
  });
});

describe('properties of any sequence of calls', () => {
  const calls = fc.array(
    fc.record({
      wait: fc.nat({ max: 20_000 }),
      action: fc.constantFrom(...actions),
      picks: fc.uniqueArray(fc.nat({ max: 7 }), { minLength: 1, maxLength: 8 }),
    }),
    { maxLength: 30 },
  );
  const share = fc.constantFrom(0, 0.3);
  const before = fc.boolean();

  function play(seed: number, sequence: typeof calls extends fc.Arbitrary<infer T> ? T : never, faults: number): Fleet {
    let now = start;
    const answer = { kind: 'error', status: 500, applies: true } as const;
    const script = { calls: [{ on: 'act', share: faults, answer }], fail: { share: faults, sends: 1 } } as const;
    const fleet = makeFleet({ instances: 8, seed, now: () => now, script });
    const ids = fleet.views().map(({ id }) => id);
    for (const { wait, action, picks } of sequence) {
      now += wait;
      fleet.act({ action, instances: picks.map((pick) => ids[pick]) });
    }
    return fleet;
  }

  it('never has two operations on one instance at once', () => {
    fc.assert(
      fc.property(fc.nat(), calls, share, (seed, sequence, faults) => {
        const byInstance = Map.groupBy(play(seed, sequence, faults).log(), ({ instanceId }) => instanceId);
        for (const log of byInstance.values()) {
          for (const [index, { endsAt }] of log.entries()) {
            expect(log[index + 1]?.at ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(endsAt);
          }
        }
      }),
    );
  });

  it('counts for each instance what the log has of it, and no more than it was sent', () => {
    fc.assert(
      fc.property(fc.nat(), calls, share, (seed, sequence, faults) => {
        const fleet = play(seed, sequence, faults);
        for (const { id } of fleet.views()) {
          const log = fleet.log().filter(({ instanceId }) => instanceId === id);
          const counted = Object.values(fleet.applied(id)).reduce((sum, count) => sum + count, 0);
          expect(counted).toBe(log.length);
          expect(counted).toBeLessThanOrEqual(fleet.sent(id));
        }
        expect(fleet.calls().act).toBe(sequence.length);
      }),
    );
  });

  it('gives the same world for the same seed', () => {
    fc.assert(
      fc.property(fc.nat(), calls, share, (seed, sequence, faults) => {
        const [first, second] = [play(seed, sequence, faults), play(seed, sequence, faults)];
        expect(second.log()).toEqual(first.log());
        expect(second.views()).toEqual(first.views());
      }),
    );
  });

  it('gives an instance the same fate whether it is sent alone or among others', () => {
    fc.assert(
      fc.property(fc.nat(), before, (seed, reversed) => {
        const fleets = [0, 1].map(() => makeFleet({ instances: 8, seed, now: () => start }));
        const ids = fleets[0]?.views().map(({ id }) => id) ?? [];
        fleets[0]?.act({ action: 'restart', instances: reversed ? ids.toReversed() : ids });
        for (const id of ids) fleets[1]?.act({ action: 'restart', instances: [id] });
        const ends = fleets.map((fleet) => new Map(fleet.log().map(({ instanceId, endsAt }) => [instanceId, endsAt])));
        expect(ends[1]).toEqual(ends[0]);
      }),
    );
  });

  it('has no two instances with one id or name, and ids are UUIDs', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 200 }), (seed, instances) => {
        const views = makeFleet({ instances, seed, now: () => start }).views();
        expect(new Set(views.map(({ id }) => id)).size).toBe(instances);
        expect(new Set(views.map(({ name }) => name)).size).toBe(instances);
        for (const { id } of views)
          expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
      }),
      { numRuns: 20 },
    );
  });
});

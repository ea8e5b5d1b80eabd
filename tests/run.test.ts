// The flow, read first: each test is a night in the life of a small fleet, on a virtual clock. The fleet counts what was
// really done to every instance; that count, not our own report, is what the tests trust. The first of them are in
// support/flow-contract.ts, since the packaged function has to come through them too.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sha256 } from '../lib/canonical.ts';
import type { Action } from '../lib/config.ts';
import { leasesOf, leaseTime } from '../lib/execute/lease.ts';
import type { CallFault, InstanceScript } from '../lib/local/simulator/script.ts';
import { crashContract, flowContract } from './support/flow-contract.ts';
import { itemSizes } from './support/item-sizes.ts';
import {
  idOf,
  instances,
  jobOf,
  methodsOf,
  oneWave,
  type Played,
  play,
  type Scenario,
  scenario,
} from './support/scenario.ts';

const lost: CallFault['answer'] = { kind: 'error', status: 502, applies: true };
const notApplied: CallFault['answer'] = { kind: 'error', status: 502, applies: false };

function flushes({ fleet }: Played, count: number): number[] {
  return Array.from({ length: count }, (_, i) => fleet.applied(idOf(i + 1)).flush);
}

flowContract('a virtual engine', play);
crashContract('a virtual engine', play);

describe('retrying', () => {
  it.each([
    [200, 10],
    [200, 120],
  ])('sends the failed ones of %i instances again in full calls (%i fail twice)', async (count, failing) => {
    const script = Object.fromEntries(
      Array.from({ length: failing }, (_, i): [string, InstanceScript] => [
        idOf(i + 1),
        { sends: ['failed', 'failed'] },
      ]),
    );

    const played = await play(
      oneWave('flush', count, { fleet: { instances: instances(count), script: { instances: script } } }),
    );

    expect(played.view.status).toBe('succeeded');
    expect(played.fleet.calls().act).toBe(Math.ceil(count / 50) + 2 * Math.ceil(failing / 50));
    expect(flushes(played, count)).toEqual(Array(count).fill(1));
  });

  it('leaves a throttled project alone until the next retry', async () => {
    const throttled: CallFault = { on: 'act', nth: [1], answer: { kind: 'error', status: 429 } };

    const played = await play(
      oneWave('flush', 1000, { fleet: { instances: instances(1000), script: { calls: [throttled] } } }),
    );

    expect(played.view.status).toBe('succeeded');
    expect(played.fleet.calls().act).toBe(21);
  });

  it('does not wait for a Retry-After beyond retry.for, nor sends anything after it', async () => {
    const throttled: CallFault = { on: 'act', nth: [1], answer: { kind: 'error', status: 429, retryAfter: 7200 } };

    const played = await play(
      oneWave('flush', 300, { fleet: { instances: instances(300), script: { calls: [throttled] } } }),
    );

    expect(played.view.counts).toMatchObject({ succeeded: 200, failed: 50, notStarted: 50 });
    expect(played.fleet.calls().act).toBe(5);
    expect(played.clock.now()).toBeLessThan(Date.parse('2026-11-23T03:00:00Z'));
  });
});

describe('a refused call', () => {
  it('drops an instance that was deleted after the plan', async () => {
    const gone: CallFault = { on: 'act', nth: [1], answer: { kind: 'error', status: 404, code: 'DCS.3022' } };
    let isSent = false;
    const played = await play(
      oneWave('flush', 3, {
        fleet: { instances: instances(3), script: { calls: [gone] } },
        wrap: (dcs) => ({
          ...methodsOf(dcs),
          show: async (id) => (id === idOf(2) && isSent ? { ok: true, value: null } : dcs.show(id)),
          keyCounts: () => {
            isSent = true;
            return dcs.keyCounts();
          },
        }),
      }),
    );

    expect(played.outcome(2)).toMatchObject({ status: 'failed', code: 'not_found' });
    expect(flushes(played, 3)).toEqual([1, 0, 1]);
  });
});

describe('an answer that got lost', () => {
  it('is not what a state is called that fails before the send: nothing went out, and it goes out later', async () => {
    let failures = 0;
    const played = await play(
      scenario('flush', 1, {
        before: async (state) => {
          const { updateIf } = state;
          state.updateIf = async (key, version, value, options) => {
            if (key.sk === 'lease' && failures++ === 0) throw new Error('the state does not answer');
            return updateIf.call(state, key, version, value, options);
          };
        },
      }),
    );

    expect(failures).toBeGreaterThan(1);
    expect(played.outcome(1)).toMatchObject({ status: 'succeeded', attempts: 1 });
    expect(flushes(played, 1)).toEqual([1]);
  });

  it('costs no attempt where nothing was sent at all', async () => {
    let isDown = true;
    const unreachable = { class: 'unreachable', code: 'connection_refused', message: 'nobody listens' } as const;
    const played = await play(
      scenario('flush', 1, {
        wrap: (dcs) => ({
          ...methodsOf(dcs),
          act: async (action, ids) => {
            const wasDown = isDown;
            isDown = false;
            return wasDown ? { kind: 'refused', problem: unreachable } : dcs.act(action, ids);
          },
        }),
      }),
    );

    expect(played.outcome(1)).toMatchObject({ status: 'succeeded', attempts: 1 });
    expect(flushes(played, 1)).toEqual([1]);
  });
});

describe('verification', () => {
  it('asks in one look for no more details than the rate of the project allows in a minute', async () => {
    const asked = new Map<number, number>();
    const { project } = jobOf('restart');
    const played = await play(
      oneWave('restart', 200, {
        job: jobOf('restart', {
          project: { ...project, rate: { callsPerSecond: 1, retriesPerHour: 100 } },
          waves: { ...jobOf('restart').waves, canary: { percent: 100 } },
        }),
        wrap: (dcs, clock) => ({
          ...methodsOf(dcs),
          show: (id) => {
            asked.set(clock.now(), (asked.get(clock.now()) ?? 0) + 1);
            return dcs.show(id);
          },
        }),
      }),
    );

    asked.delete(Date.parse('2026-11-23T02:00:00Z'));
    expect(played.view.counts.succeeded).toBe(200);
    expect(Math.max(...asked.values())).toBeLessThanOrEqual(60);
  });

  it('believes what it sees after the process was away for longer than verify.timeout', async () => {
    let isAway = false;
    const played = await play(
      scenario('restart', 1, {
        wrap: (dcs, clock) => ({
          ...methodsOf(dcs),
          act: async (action, ids) => {
            isAway = true;
            return dcs.act(action, ids);
          },
          show: async (id) => {
            if (isAway) clock.advance(3 * 3600_000);
            isAway = false;
            return dcs.show(id);
          },
        }),
      }),
    );

    expect(played.outcome(1)).toMatchObject({ status: 'succeeded', verifiedBy: 'quiet' });
  });
});

describe('another run', () => {
  it('that died over an instance is replaced, after a look at what it left behind', async () => {
    const before: Scenario['before'] = async (state, clock) => {
      await leasesOf(state, 'dead-run', () => clock.now() - leaseTime).take([idOf(2)]);
    };
    const shown: string[] = [];

    const played = await play(
      oneWave('flush', 2, {
        before,
        wrap: (dcs) => ({
          ...methodsOf(dcs),
          show: (id) => {
            shown.push(id);
            return dcs.show(id);
          },
          act: (action, ids) => {
            shown.push(`${action} ${ids.length}`);
            return dcs.act(action, ids);
          },
        }),
      }),
    );

    expect(flushes(played, 2)).toEqual([1, 1]);
    expect(shown.slice(2, 6)).toEqual(['flush 1', idOf(1), idOf(2), 'flush 1']);
  });

  it('that takes an instance while this one waits with it has it; nothing more is sent', async () => {
    const script = { instances: { [idOf(1)]: { busyFromFirstSend: { for: 300_000, task: 'BACKUPING' } } } };
    let taken = 0;
    const played = await play(
      scenario('flush', 1, {
        fleet: { instances: instances(1), script },
        before: async (state) => {
          const { updateIf } = state;
          state.updateIf = async (key, version, value) => {
            // The second time this run renews its lease, another one has come before it.
            if (key.sk === 'lease' && ++taken === 2) await state.put(key, { runId: 'other-run', until: 1e15 });
            return updateIf.call(state, key, version, value);
          };
        },
      }),
    );

    expect(played.outcome(1)).toMatchObject({ status: 'skipped', code: 'collision' });
    expect(flushes(played, 1)).toEqual([0]);
  });

  it('finds every lease given back at the end', async () => {
    const played = await play(scenario('flush', 3));

    const leases = leasesOf(played.state, 'next-run', played.clock.now);
    expect(await leases.take([1, 2, 3].map(idOf))).toBe('ttt');
  });
});

describe('whatever goes wrong', () => {
  const sends = fc.array(fc.constantFrom('ok', 'failed', 'omitted', 'ignored'), { maxLength: 3 });
  const answer = fc.oneof(
    fc.constantFrom<CallFault['answer']>(
      lost,
      notApplied,
      { kind: 'empty' },
      { kind: 'malformed' },
      { kind: 'delay', ms: 40_000 },
    ),
    fc.record({ kind: fc.constant('drop' as const), applies: fc.boolean() }),
    fc.record({
      kind: fc.constant('error' as const),
      status: fc.constantFrom(400, 404, 429, 500, 503),
      applies: fc.constant(false),
    }),
  );
  const call: fc.Arbitrary<CallFault> = fc.record({
    on: fc.constantFrom('act' as const, 'reads' as const),
    nth: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 }),
    answer,
  });
  const anything = fc.record({
    action: fc.constantFrom<Action>('flush', 'restart', 'soft_restart'),
    scripts: fc.array(sends, { minLength: 8, maxLength: 8 }),
    calls: fc.array(call, { maxLength: 4 }),
    protectedOne: fc.integer({ min: 1, max: 8 }),
    busyIn: fc.constantFrom('whole-call' as const, 'entry' as const),
    maxFailures: fc.integer({ min: 1, max: 9 }),
  });

  it('the outcomes add up, nobody is flushed twice, nobody protected is touched, no success is a lie', async () => {
    await fc.assert(
      fc.asyncProperty(anything, async ({ action, scripts, calls, protectedOne, busyIn, maxFailures }) => {
        const script = {
          calls,
          instances: Object.fromEntries(scripts.map((list, i) => [idOf(i + 1), { sends: list }])),
        };
        const fleet = instances(8, (n) => (n === protectedOne ? { tags: { 'dcs-autopilot-protected': 'true' } } : {}));
        const waves = { ...jobOf(action).waves, canary: { count: 3 }, maxFailures };
        const played = await play({
          job: jobOf(action, { waves }),
          fleet: { instances: fleet, script, switches: { busyIn } },
        });

        const planned = played.view.plan.waves.flat().length;
        const counts = Object.values(played.view.counts).reduce((a, b) => a + b, 0);
        if (!['failed', 'refused'].includes(played.view.status)) expect(planned).toBe(7);
        if (played.view.outcomes.length > 0) expect(counts).toBe(planned);
        expect(played.fleet.sent(idOf(protectedOne))).toBe(0);
        for (const { instanceId, status } of played.view.outcomes) {
          const times = played.fleet.applied(instanceId)[action];
          if (action === 'flush') expect(times).toBeLessThanOrEqual(1);
          if (status === 'succeeded') expect(times).toBeGreaterThanOrEqual(1);
          if (status === 'not_started') expect(times).toBe(0);
        }
      }),
      { numRuns: 300, seed: 20261123 },
    );
  });
});

describe('ten thousand instances', () => {
  it('cost fewer than 3,000 durable operations, no result over 256 KB and no item of DynamoDB over 400 KB', async () => {
    const job = jobOf('flush', { waves: { ...jobOf('flush').waves, size: { percent: 10 } } });
    // Names as long as they may be, which nothing compresses.
    const named = instances(10_000, (n) => ({ name: sha256(String(n)) }));
    let largestItem = (): number => 0;
    const played = await play({
      job,
      fleet: { instances: named, script: { fail: { share: 0.1, sends: 2 } } },
      before: async (state) => {
        largestItem = itemSizes(state);
      },
    });

    expect(played.view.counts.succeeded).toBe(10_000);
    expect(played.engine.operations.length).toBeLessThan(3_000);
    expect(played.engine.largest).toBeLessThan(256 * 1024);
    expect(largestItem()).toBeLessThan(400 * 1024);
    expect(largestItem()).toBeGreaterThan(10 * 1024);
  });

  it('are the most: one more is refused', async () => {
    const played = await play({ job: jobOf('flush'), fleet: { instances: instances(10_001) } });

    expect(played.view).toMatchObject({ status: 'refused', code: 'too_many' });
    expect(played.fleet.calls().act).toBe(0);
  });
});

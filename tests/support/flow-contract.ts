// The nights that every way of running the flow has to come through alike: the flow itself on a virtual engine, and the
// packaged function over the wire. The fleet counts what was really done to every instance; that count, not our own
// report, is what the tests trust.

import { describe, expect, it } from '@jest/globals';
import type { Action, Job } from '../../lib/config.ts';
import type { Fleet } from '../../lib/local/simulator/fleet.ts';
import type { CallFault, InstanceScript } from '../../lib/local/simulator/script.ts';
import type { Outcome, RunView } from '../../lib/report.ts';
import { idOf, instances, jobOf, oneWave, type Scenario, scenario } from './scenario.ts';

/** A scenario of plain data, which can be played in another process. */
export type PlainScenario = Pick<Scenario, 'job' | 'fleet' | 'event' | 'held' | 'crash'>;

/** What came of it. */
export interface Told {
  readonly view: RunView;
  readonly fleet: Counted;
  readonly clock: { readonly now: () => number };
  /** Writes of the journal, which a crash can come before or after. */
  readonly engine: { readonly writes: number };
  readonly outcome: (number: number) => Outcome | undefined;
}

/** What the fleet counted. */
export type Counted = Pick<Fleet, 'applied' | 'sent' | 'calls'>;

/** Plays a scenario to its end. */
export type Play = (scenario: PlainScenario) => Promise<Told>;

const lost: CallFault['answer'] = { kind: 'error', status: 502, applies: true };
const notApplied: CallFault['answer'] = { kind: 'error', status: 502, applies: false };

/** A job with some of its guards replaced. */
function guarded(action: Action, guards: Partial<Job['guards']>): Job {
  return jobOf(action, { guards: { ...jobOf(action).guards, ...guards } });
}

function flushes({ fleet }: Told, count: number): number[] {
  return Array.from({ length: count }, (_, i) => fleet.applied(idOf(i + 1)).flush);
}

/** Registers the suite for one way of running the flow. */
export function flowContract(name: string, play: Play): void {
  describe(`on ${name},`, () => {
    describe('a flush of a whole target', () => {
      it('flushes every instance exactly once, canary first, and verifies each', async () => {
        const played = await play(scenario('flush', 12));

        expect(played.view.status).toBe('succeeded');
        expect(played.view.plan.waves.map((wave) => wave.length)).toEqual([1, 11]);
        expect(played.view.counts).toEqual({ succeeded: 12, failed: 0, unknown: 0, skipped: 0, notStarted: 0 });
        expect(
          played.view.outcomes.every(({ attempts, verifiedBy }) => attempts === 1 && verifiedBy !== undefined),
        ).toBe(true);
        expect(flushes(played, 12)).toEqual(Array(12).fill(1));
      });

      it('waits for a busy one, retries a failing one, leaves out a protected one and a Redis 3.0', async () => {
        const fleet = instances(5, (n) =>
          n === 4 ? { tags: { 'dcs-autopilot-protected': 'true' } } : n === 5 ? { version: '3.0' } : {},
        );
        const script: Record<string, InstanceScript> = {
          [idOf(2)]: { busyFromFirstSend: { for: 600_000, task: 'BACKUPING' } },
          [idOf(3)]: { sends: ['failed', 'failed'] },
        };

        const played = await play(scenario('flush', 5, { fleet: { instances: fleet, script: { instances: script } } }));

        expect(played.view.status).toBe('succeeded');
        expect(played.outcome(3)?.attempts).toBe(3);
        expect(flushes(played, 5)).toEqual([1, 1, 1, 0, 0]);
        expect(played.view.plan.excluded.map(({ instanceId, code }) => [instanceId, code])).toEqual([
          [idOf(4), 'protected'],
          [idOf(5), 'unsupported_engine'],
        ]);
      });

      it('counts unreadable tags as protected', async () => {
        const fleet = instances(2, (n) => (n === 2 ? { tags: null } : {}));

        const played = await play(scenario('flush', 2, { fleet: { instances: fleet } }));

        expect(played.view.plan.excluded).toMatchObject([{ instanceId: idOf(2), code: 'protected' }]);
        expect(flushes(played, 2)).toEqual([1, 0]);
      });
    });

    describe('retrying', () => {
      it('sends the failed ones of 130 instances again in full calls, 77 of them twice', async () => {
        const [count, failing] = [130, 77];
        const script = Object.fromEntries(
          Array.from({ length: failing }, (_, i): [string, InstanceScript] => [
            idOf(i + 1),
            { sends: ['failed', 'failed'] },
          ]),
        );

        const played = await play(
          oneWave('flush', count, { fleet: { instances: instances(count), script: { instances: script } } }),
        );

        const again = Math.ceil(failing / 50);
        expect(played.view.status).toBe('succeeded');
        expect(played.fleet.calls().act).toBe(Math.ceil(count / 50) + 2 * again);
        expect(flushes(played, count)).toEqual(Array(count).fill(1));
      });

      it('gives up after maxAttempts sends, the first included, with the reason', async () => {
        const sends = Array<'failed'>(20).fill('failed');
        const job = jobOf('flush', { retry: { ...jobOf('flush').retry, maxAttempts: 3 } });

        const played = await play({
          job,
          fleet: { instances: instances(2), script: { instances: { [idOf(2)]: { sends } } } },
        });

        expect(played.view.status).toBe('partial');
        expect(played.outcome(2)).toMatchObject({ status: 'failed', attempts: 3, code: 'attempts_exhausted' });
        expect(played.fleet.sent(idOf(2))).toBe(3);
      });

      it('does not count a 429 as an attempt and honours its Retry-After', async () => {
        const throttled: CallFault = {
          on: 'act',
          nth: [1, 2, 3],
          answer: { kind: 'error', status: 429, retryAfter: 40 },
        };
        const job = jobOf('restart', { retry: { ...jobOf('restart').retry, maxAttempts: 1 } });

        const played = await play({ job, fleet: { instances: instances(1), script: { calls: [throttled] } } });

        expect(played.view.status).toBe('succeeded');
        expect(played.outcome(1)?.attempts).toBe(1);
        expect(Date.parse(played.outcome(1)?.acceptedAt ?? '')).toBeGreaterThanOrEqual(
          Date.parse('2026-11-23T02:02:00Z'),
        );
      });

      it('gives up on a project that only throttles when retry.for is over', async () => {
        const throttled: CallFault = { on: 'act', answer: { kind: 'error', status: 429 } };

        const played = await play(
          scenario('flush', 1, { fleet: { instances: instances(1), script: { calls: [throttled] } } }),
        );

        expect(played.view.status).toBe('failed');
        expect(played.outcome(1)).toMatchObject({ status: 'failed', attempts: 0, code: 'throttled' });
        expect(played.clock.now()).toBeLessThanOrEqual(Date.parse('2026-11-23T03:01:00Z'));
      });

      it('gives up on an instance that stays busy, and tells busy from failed', async () => {
        const script = { instances: { [idOf(1)]: { busyFromFirstSend: { for: 1e9, task: 'BACKUPING' } } } };

        const played = await play(scenario('flush', 1, { fleet: { instances: instances(1), script } }));

        expect(played.outcome(1)).toMatchObject({ status: 'failed', attempts: 0, code: 'busy' });
        expect(flushes(played, 1)).toEqual([0]);
      });

      it('ends with retry_budget when the project has no retries left', async () => {
        const fleet = { instances: instances(3), script: { fail: { share: 1, sends: 3 } } };
        const job = jobOf('flush', {
          project: { ...jobOf('flush').project, rate: { callsPerSecond: 10, retriesPerHour: 1 } },
        });

        const played = await play({ job, fleet });

        expect(played.view).toMatchObject({ status: 'failed', code: 'retry_budget' });
        expect(played.view.counts).toMatchObject({ failed: 1, notStarted: 2 });
        expect(played.fleet.calls().act).toBe(2);
      });
    });

    describe('a refused call', () => {
      it('is taken apart until the instance it was refused for stands alone', async () => {
        const bad: CallFault = {
          on: 'act',
          instances: [idOf(37)],
          answer: { kind: 'error', status: 400, code: 'DCS.4027' },
        };

        const played = await play(
          oneWave('restart', 50, { fleet: { instances: instances(50), script: { calls: [bad] } } }),
        );

        expect(played.view.status).toBe('partial');
        expect(played.view.counts).toMatchObject({ succeeded: 49, failed: 1 });
        expect(played.outcome(37)).toMatchObject({ status: 'failed', code: 'rejected' });
        expect(played.fleet.calls().act).toBeLessThanOrEqual(1 + 2 * Math.ceil(Math.log2(50)));
      });

      it('loses nobody an attempt, and whoever is seen busy waits while the rest goes on together', async () => {
        const script = { instances: { [idOf(3)]: { busyFromFirstSend: { for: 300_000, status: 'EXTENDING' } } } };
        const fleet = { instances: instances(50), script, switches: { busyIn: 'whole-call' } as const };

        const played = await play(oneWave('flush', 50, { fleet }));

        expect(played.view.status).toBe('succeeded');
        expect(played.fleet.calls().act).toBe(3);
        expect(played.view.outcomes.every(({ attempts }) => attempts === 1)).toBe(true);
        expect(flushes(played, 50)).toEqual(Array(50).fill(1));
      });
    });

    describe('an answer that got lost', () => {
      it.each<[string, CallFault['answer']]>([
        ['a 502 after applying', lost],
        ['a dropped connection', { kind: 'drop', applies: true }],
        ['an answer after the time-out', { kind: 'delay', ms: 60_000 }],
        ['a 204 without results', { kind: 'empty' }],
        ['a body that is no JSON', { kind: 'malformed' }],
      ])('is settled by evidence: %s is one flush, verified', async (_, answer) => {
        const calls: CallFault[] = [{ on: 'act', nth: [1], answer }];
        const timing = { flush: { min: 20_000, max: 20_000 } };

        const played = await play(
          scenario('flush', 1, { fleet: { instances: instances(1), timing, script: { calls } } }),
        );

        expect(played.view.status).toBe('succeeded');
        expect(flushes(played, 1)).toEqual([1]);
      });

      it('is never sent again for a flush without evidence; it ends as unknown and stops the run', async () => {
        const calls: CallFault[] = [{ on: 'act', nth: [1], answer: notApplied }];

        const played = await play({
          job: jobOf('flush', { waves: { ...jobOf('flush').waves, maxFailures: 1 } }),
          fleet: { instances: instances(3), script: { calls } },
        });

        expect(played.view).toMatchObject({ status: 'failed', code: 'max_failures' });
        expect(played.outcome(1)).toMatchObject({ status: 'unknown', attempts: 1, code: 'outcome_unknown' });
        expect(played.view.counts).toMatchObject({ unknown: 1, notStarted: 2 });
        expect(played.fleet.calls().act).toBe(1);
      });

      it('is sent again for a restart when there is no evidence after verify.settle', async () => {
        const calls: CallFault[] = [{ on: 'act', nth: [1], answer: notApplied }];

        const played = await play(scenario('restart', 1, { fleet: { instances: instances(1), script: { calls } } }));

        expect(played.outcome(1)).toMatchObject({ status: 'succeeded', attempts: 2 });
        expect(played.fleet.applied(idOf(1)).restart).toBe(1);
        expect(Date.parse(played.outcome(1)?.acceptedAt ?? '')).toBeGreaterThan(Date.parse('2026-11-23T02:01:00Z'));
      });

      it('is not sent again for a restart that is seen at work', async () => {
        const calls: CallFault[] = [{ on: 'act', nth: [1], answer: lost }];
        const timing = { restart: { min: 30_000, max: 30_000 } };

        const played = await play(
          scenario('restart', 1, { fleet: { instances: instances(1), timing, script: { calls } } }),
        );

        expect(played.outcome(1)).toMatchObject({ status: 'succeeded', attempts: 1, verifiedBy: 'state' });
        expect(played.fleet.applied(idOf(1)).restart).toBe(1);
      });

      it('is one entry only where one entry is missing', async () => {
        const script = { instances: { [idOf(2)]: { sends: ['omitted'] as const } } };

        const played = await play(oneWave('flush', 3, { fleet: { instances: instances(3), script } }));

        expect(played.view.status).toBe('succeeded');
        expect(flushes(played, 3)).toEqual([1, 1, 1]);
      });
    });

    describe('verification', () => {
      it('fails a restart that ends in ERROR', async () => {
        const script = { instances: { [idOf(1)]: { restartsEnd: ['ERROR'] as const } } };

        const played = await play(scenario('restart', 1, { fleet: { instances: instances(1), script } }));

        expect(played.outcome(1)).toMatchObject({ status: 'failed', code: 'unhealthy_after' });
      });

      it('restarts a faulty instance, whose ERROR right after the answer is not its end', async () => {
        const fleet = {
          instances: instances(1, () => ({ status: 'ERROR' })),
          timing: { lag: { min: 15_000, max: 15_000 } },
        };

        const played = await play(scenario('restart', 1, { fleet }));

        expect(played.outcome(1)).toMatchObject({ status: 'succeeded', verifiedBy: 'state' });
      });

      it('calls a restart that does not end in time unknown', async () => {
        const timing = { restart: { min: 4e6, max: 4e6 } };

        const played = await play(scenario('restart', 1, { fleet: { instances: instances(1), timing } }));

        expect(played.outcome(1)).toMatchObject({ status: 'unknown', code: 'not_verified' });
        expect(played.view.status).toBe('failed');
      });

      it('takes a quiet time for proof where nothing was to be seen', async () => {
        const fleet = {
          instances: instances(1, () => ({ keys: 0 })),
          timing: { lag: { min: 100, max: 100 }, flush: { min: 100, max: 100 } },
        };

        const played = await play(scenario('flush', 1, { fleet }));

        expect(played.outcome(1)).toMatchObject({ status: 'succeeded', verifiedBy: 'quiet' });
      });

      it('takes fallen key counts for proof of a flush that was too quick to be seen', async () => {
        const timing = { lag: { min: 100, max: 100 }, flush: { min: 100, max: 100 } };

        const played = await play(scenario('flush', 1, { fleet: { instances: instances(1), timing } }));

        expect(played.outcome(1)).toMatchObject({ status: 'succeeded', verifiedBy: 'keys' });
      });
    });

    describe('waves', () => {
      it('stops at the Nth failure; what is out is watched to its end, the rest is not started', async () => {
        const script = { instances: { [idOf(1)]: { restartsEnd: ['ERROR'] as const } } };
        const waves = { ...jobOf('restart').waves, canary: { count: 2 }, maxFailures: 1 };

        const played = await play({ job: jobOf('restart', { waves }), fleet: { instances: instances(6), script } });

        expect(played.view).toMatchObject({ status: 'partial', code: 'max_failures' });
        expect(played.view.counts).toEqual({ succeeded: 1, failed: 1, unknown: 0, skipped: 0, notStarted: 4 });
        expect(played.fleet.calls().act).toBe(1);
      });

      it('are ordered by tag', async () => {
        const env = ['prod', 'staging', 'dev', 'other'];
        const fleet = instances(4, (n) => ({ tags: { env: env[n - 1] ?? '' } }));

        const played = await play(scenario('flush', 4, { fleet: { instances: fleet } }));

        expect(played.view.plan.waves.flat().map(({ instanceId }) => instanceId)).toEqual([3, 2, 1, 4].map(idOf));
      });
    });

    describe('a plan', () => {
      it('labels a restart that loses data', async () => {
        const fleet = instances(4, (n) =>
          n === 1 ? { cacheMode: 'single' } : n === 2 ? { appendonly: false } : n === 3 ? { engine: 'Memcached' } : {},
        );

        const { view } = await play({ job: jobOf('restart', { dryRun: true }), fleet: { instances: fleet } });

        expect(view.status).toBe('planned');
        expect(view.plan.waves.flat().map(({ dataLoss }) => dataLoss)).toEqual([true, true, true, false]);
      });

      it('is made alike for a dry run and for the run that is bound to its hash', async () => {
        const dry = await play(scenario('flush', 5, { event: { dryRun: true } }));
        const hash = dry.view.plan.hash ?? '';

        const real = await play(scenario('flush', 5, { event: { plan: hash } }));

        expect(dry.view.status).toBe('planned');
        expect(flushes(dry, 5)).toEqual([0, 0, 0, 0, 0]);
        expect(real.view).toMatchObject({ status: 'succeeded', plan: { hash } });
      });

      it('that has changed since refuses the run that is bound to the old one', async () => {
        const played = await play(scenario('flush', 5, { event: { plan: 'f'.repeat(64) } }));

        expect(played.view).toMatchObject({ status: 'refused', code: 'plan_changed' });
        expect(played.fleet.calls().act).toBe(0);
      });
    });

    describe('guards', () => {
      const cases: [string, string, string, Scenario][] = [
        [
          'refused',
          'target_empty',
          'a target that selects nobody',
          scenario('flush', 2, { job: jobOf('flush', { target: { ...jobOf('flush').target, names: ['none-*'] } }) }),
        ],
        [
          'refused',
          'outside_target',
          'an id that a target by name does not select',
          scenario('flush', 2, { event: { instances: [idOf(1), idOf(9)] } }),
        ],
        [
          'refused',
          'over_cap',
          'more than maxInstances',
          scenario('flush', 3, { job: guarded('flush', { maxInstances: 2 }) }),
        ],
        [
          'refused',
          'over_cap',
          'more than maxPercent',
          scenario('flush', 10, { job: guarded('flush', { maxInstances: 50, maxPercent: 50 }) }),
        ],
        [
          'refused',
          'all_excluded',
          'only protected ones',
          scenario('flush', 1, {
            fleet: { instances: instances(1, () => ({ tags: { 'dcs-autopilot-protected': 'true' } })) },
          }),
        ],
        [
          'refused',
          'guards_not_stated',
          'a scheduled restart that loses data under default guards',
          scenario('restart', 1, {
            job: guarded('restart', { maxInstances: 5, stated: false }),
            event: { trigger: 'schedule' },
            fleet: { instances: instances(1, () => ({ cacheMode: 'single' })) },
          }),
        ],
        [
          'succeeded',
          'nothing_to_do',
          'only ones that are at work',
          scenario('flush', 2, {
            fleet: { instances: instances(2, (n) => (n === 1 ? { status: 'RESTARTING' } : { task: 'BACKUPING' })) },
          }),
        ],
        [
          'failed',
          'forbidden',
          'a key without the right',
          scenario('flush', 2, {
            fleet: {
              instances: instances(2),
              script: { calls: [{ on: 'list', answer: { kind: 'error', status: 403 } }] },
            },
          }),
        ],
        [
          'failed',
          'dcs_unavailable',
          'a service that is down for longer than retry.for',
          scenario('flush', 2, {
            fleet: {
              instances: instances(2),
              script: { calls: [{ on: 'list', answer: { kind: 'error', status: 503 } }] },
            },
          }),
        ],
      ];

      it.each(cases)('%s %s: %s', async (status, code, _, what) => {
        const played = await play(what);

        expect(played.view).toMatchObject({ status, code });
        expect(played.view.reason).toEqual(expect.any(String));
        expect(played.fleet.calls().act).toBe(0);
      });

      it('stop at a wrong key after one call', async () => {
        const calls: CallFault[] = [{ on: 'all', answer: { kind: 'error', status: 401 } }];

        const played = await play(scenario('flush', 2, { fleet: { instances: instances(2), script: { calls } } }));

        expect(played.view).toMatchObject({ status: 'failed', code: 'credentials_rejected' });
        expect(Object.values(played.fleet.calls()).reduce((a, b) => a + b, 0)).toBe(1);
      });

      it('stop a run whose key is taken away while it works; what is out is unknown, the rest not started', async () => {
        const calls: CallFault[] = [
          { on: 'reads', period: { from: 5_000, for: 1e9 }, answer: { kind: 'error', status: 401 } },
        ];

        const played = await play(scenario('restart', 3, { fleet: { instances: instances(3), script: { calls } } }));

        expect(played.view).toMatchObject({ status: 'failed', code: 'credentials_rejected' });
        expect(played.view.counts).toMatchObject({ unknown: 1, notStarted: 2 });
      });
    });

    describe('another run', () => {
      it('that is at work on an instance keeps it; the rest goes on', async () => {
        const played = await play(scenario('flush', 3, { held: [idOf(2)] }));

        expect(played.view.status).toBe('succeeded');
        expect(played.outcome(2)).toMatchObject({ status: 'skipped', code: 'collision', attempts: 0 });
        expect(flushes(played, 3)).toEqual([1, 0, 1]);
      });
    });
  });
}

/** Registers the crashes for one way of running the flow: at every write of the journal, or at every so manieth. */
export function crashContract(name: string, play: Play, stride = 1): void {
  describe(`a crash on ${name}`, () => {
    const troubled = (action: Action): Scenario =>
      scenario(action, 5, {
        fleet: {
          instances: instances(5, (n) => (n === 5 ? { tags: { 'dcs-autopilot-protected': 'true' } } : {})),
          script: {
            instances: {
              [idOf(2)]: { sends: ['failed', 'failed'] },
              [idOf(3)]: { busyFromFirstSend: { for: 60_000, task: 'EXTEND' } },
            },
          },
        },
      });

    it.each<Action>(['flush', 'restart'])(
      `at ${stride === 1 ? 'any' : 'a'} write of the journal of a %s does nothing twice and forgets nothing`,
      async (action) => {
        const { engine } = await play(troubled(action));

        for (let at = 1; at <= engine.writes; at += stride) {
          for (const when of ['before', 'after'] as const) {
            const played = await play({ ...troubled(action), crash: { at, when } });
            const applied = [1, 2, 3, 4].map((n) => played.fleet.applied(idOf(n))[action]);
            const told = [1, 2, 3, 4].map((n) => played.outcome(n)?.status);

            expect(played.fleet.applied(idOf(5))[action]).toBe(0);
            expect(['succeeded', 'partial']).toContain(played.view.status);
            expect(told).not.toContain('not_started');
            if (action === 'flush') expect(Math.max(...applied)).toBe(1);
            // Whoever was not touched is not called a success.
            expect(applied.every((times, i) => times > 0 || told[i] !== 'succeeded')).toBe(true);
          }
        }
      },
    );
  });
}

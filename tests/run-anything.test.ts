// What holds in every world that can be thought of: slow and partly refusing services, other people at the same
// instances, a process that sleeps too long or is killed. Nothing in here says how a run goes, only what it may not do.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Action } from '../lib/config.ts';
import type { CallFault, InstanceScript } from '../lib/local/simulator/script.ts';
import { type Switches, unknowns } from '../lib/local/simulator/unknowns.ts';
import { idOf, instances, jobOf, methodsOf, type Played, play, type Scenario } from './support/scenario.ts';

const start = Date.parse('2026-11-23T02:00:00Z');
const second = 1000;
const guarded = { 'dcs-autopilot-protected': 'true' };
const states = { restart: 'RESTARTING', soft_restart: 'RESTARTING', flush: 'FLUSHING' };

/** One instance: what it is, and what shall happen to it. */
interface Member {
  readonly keys: number;
  readonly cacheMode: string;
  readonly isProtected: boolean;
  readonly sends: NonNullable<InstanceScript['sends']>;
  /** Somebody else has it at work. */
  readonly foreign: { readonly from: number; readonly for: number; readonly isTask: boolean } | null;
  /** Somebody changes it when the nth call is sent. */
  readonly change: { readonly at: number; readonly to: 'protected' | 'FROZEN' | 'DELETED' } | null;
}

interface Case {
  readonly action: Action;
  readonly members: readonly Member[];
  readonly lag: number;
  readonly work: number;
  readonly switches: Partial<Switches>;
  readonly calls: readonly CallFault[];
  readonly crash: Scenario['crash'] | null;
  readonly late: readonly { readonly wake: number; readonly by: number }[];
  readonly maxAttempts: number;
  readonly maxFailures: number;
  readonly retriesPerHour: number;
  readonly canary: number;
}

const maybe = <T>(arbitrary: fc.Arbitrary<T>, rarity: number): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: rarity, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });

const member: fc.Arbitrary<Member> = fc.record({
  keys: fc.constantFrom(1000, 1000, 30),
  cacheMode: fc.constantFrom('ha', 'ha', 'single'),
  isProtected: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  sends: fc.array(fc.constantFrom('ok', 'ok', 'failed', 'omitted', 'ignored'), { maxLength: 3 }),
  foreign: maybe(
    fc.record({
      from: fc.integer({ min: 0, max: 120 * second }),
      for: fc.integer({ min: second, max: 600 * second }),
      isTask: fc.boolean(),
    }),
    4,
  ),
  change: maybe(
    fc.record({ at: fc.integer({ min: 1, max: 4 }), to: fc.constantFrom('protected', 'FROZEN', 'DELETED') }),
    8,
  ),
});

const answer: fc.Arbitrary<CallFault['answer']> = fc.oneof(
  fc.record({
    kind: fc.constant('error' as const),
    status: fc.constantFrom(500, 502, 503),
    applies: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('drop' as const), applies: fc.boolean() }),
  fc.constantFrom<CallFault['answer']>({ kind: 'empty' }, { kind: 'malformed' }, { kind: 'delay', ms: 40_000 }),
  fc.record({
    kind: fc.constant('error' as const),
    status: fc.constantFrom(400, 404, 429),
    retryAfter: fc.constantFrom(0, 5, 60),
  }),
);

const call: fc.Arbitrary<CallFault> = fc.record({
  on: fc.constantFrom('act', 'act', 'list', 'show', 'statistic'),
  nth: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 }),
  answer,
});

/** One setting of one of the open questions. */
const settings: readonly Partial<Switches>[] = Object.entries(unknowns).flatMap(([name, { settings: each }]) =>
  each.map((setting) => ({ [name]: setting })),
);

/** Any of them together; the last one said of a question counts, and what is not said is usual. */
const someSwitches: fc.Arbitrary<Partial<Switches>> = fc
  .array(fc.constantFrom(...settings), { maxLength: 20 })
  .map((list) => Object.fromEntries(list.flatMap((each) => Object.entries(each))));

const anything: fc.Arbitrary<Case> = fc.record({
  action: fc.constantFrom('flush', 'flush', 'restart', 'soft_restart'),
  members: fc.oneof(
    { weight: 4, arbitrary: fc.array(member, { minLength: 3, maxLength: 12 }) },
    { weight: 1, arbitrary: fc.array(member, { minLength: 30, maxLength: 60, size: 'max' }) },
  ),
  lag: fc.constantFrom(100, 500, 1500, 5000, 15_000),
  work: fc.constantFrom(2_000, 8_000, 30_000, 300_000),
  switches: someSwitches,
  calls: fc.array(call, { maxLength: 3 }),
  crash: maybe(fc.record({ at: fc.integer({ min: 1, max: 60 }), when: fc.constantFrom('before', 'after') }), 1),
  late: fc.array(
    fc.record({
      wake: fc.integer({ min: 1, max: 12 }),
      by: fc.constantFrom(30 * second, 600 * second, 12 * 3600 * second),
    }),
    { maxLength: 2 },
  ),
  maxAttempts: fc.constantFrom(1, 2, 6),
  maxFailures: fc.constantFrom(1, 3, 100),
  retriesPerHour: fc.constantFrom(0, 3, 1000),
  canary: fc.constantFrom(1, 5, 100),
});

function scenarioOf(one: Case, sends: [at: number, ids: readonly string[]][]): Scenario {
  const { action, members, canary, maxFailures, maxAttempts, retriesPerHour } = one;
  const plain = jobOf(action);
  const work = { min: one.work, max: one.work };
  const script = members.map(({ sends: list, foreign }, i): [string, InstanceScript] => {
    if (foreign === null) return [idOf(i + 1), { sends: list }];
    // A restart ends a backup, and waits for other tasks.
    const task = i % 2 === 0 ? 'BACKUPING' : 'EXTEND';
    const shows = foreign.isTask ? { task } : { status: states[action] };
    return [idOf(i + 1), { sends: list, periods: [{ from: foreign.from, for: foreign.for, ...shows }] }];
  });
  return {
    job: jobOf(action, {
      waves: { ...plain.waves, canary: { count: canary }, maxFailures },
      retry: { ...plain.retry, maxAttempts },
      project: { ...plain.project, rate: { callsPerSecond: 1000, retriesPerHour } },
    }),
    fleet: {
      instances: instances(members.length, (n) => {
        const { keys = 1000, cacheMode = 'ha', isProtected = false } = members[n - 1] ?? {};
        return { keys, cacheMode, tags: isProtected ? guarded : {} };
      }),
      script: { instances: Object.fromEntries(script), calls: one.calls },
      switches: one.switches,
      timing: { lag: { min: one.lag, max: one.lag }, restart: work, soft_restart: work, flush: work },
    },
    ...(one.crash != null && { crash: one.crash }),
    late: (wake) => one.late.find((late) => late.wake === wake)?.by ?? 0,
    wrap: (dcs, clock, fleet) => ({
      ...methodsOf(dcs),
      act: async (what, ids) => {
        sends.push([clock.now(), ids]);
        const got = await dcs.act(what, ids);
        for (const [i, { change }] of members.entries()) {
          if (change?.at !== sends.length) continue;
          fleet.set(idOf(i + 1), change.to === 'protected' ? { tags: guarded } : { status: change.to });
        }
        return got;
      },
    }),
  };
}

/** What each outcome promises of what was really done to its instance. */
function checkOutcomes(one: Case, played: Played): void {
  for (const { instanceId, status, attempts, code } of played.view.outcomes) {
    const member = one.members[Number(instanceId.slice(-12)) - 1];
    const times = played.fleet.applied(instanceId)[one.action];
    const isForeign = member?.foreign != null && !member.foreign.isTask;
    const told = { instanceId, status, attempts, code, times };
    if (status === 'succeeded' && times === 0) expect({ ...told, isForeign }).toMatchObject({ isForeign: true });
    if (status === 'not_started' || status === 'skipped') expect(told).toMatchObject({ attempts: 0 });
    // A restart that keeps the data is sent again after a refused call without much ado.
    const isCertain = one.action === 'flush' || !one.switches.appliesBeforeRefusal;
    if ((status === 'not_started' || status === 'skipped') && isCertain) expect(told).toMatchObject({ times: 0 });
    if (status === 'failed' && one.action === 'flush' && code !== 'not_found') expect(told).toMatchObject({ times: 0 });
    expect(attempts).toBeLessThanOrEqual(one.maxAttempts);
  }
}

describe('whatever else goes wrong', () => {
  it('nobody is flushed twice, nobody protected is touched, no outcome is a lie, and it ends', async () => {
    await fc.assert(
      fc.asyncProperty(anything, async (one) => {
        const sends: [number, readonly string[]][] = [];

        const played = await play(scenarioOf(one, sends));

        const ids = one.members.map((_, i) => idOf(i + 1));
        const loses = (id: string): boolean =>
          played.view.plan.waves.flat().some(({ instanceId, dataLoss }) => instanceId === id && dataLoss);
        const { outcomes, plan, counts } = played.view;
        expect(['succeeded', 'partial', 'failed', 'refused']).toContain(played.view.status);
        expect(Object.values(counts).reduce((a, b) => a + b, 0)).toBe(outcomes.length);
        expect([0, plan.waves.flat().length]).toContain(outcomes.length);
        expect(sends.every(([, batch]) => new Set(batch).size === batch.length && batch.length <= 50)).toBe(true);
        for (const [i, id] of ids.entries()) {
          if (one.members[i]?.isProtected === true) expect(played.fleet.sent(id)).toBe(0);
          if (one.action === 'flush') expect([id, played.fleet.applied(id).flush <= 1]).toEqual([id, true]);
          if (loses(id)) expect(sends.filter(([, batch]) => batch.includes(id)).length).toBeLessThan(60);
        }
        checkOutcomes(one, played);
        expect(played.engine.operations.length).toBeLessThan(3_000);
        expect(played.clock.now() - start).toBeLessThan(40 * 3600 * second);
      }),
      { numRuns: 500, seed: 20261124, endOnFailure: true },
    );
  });
});

// What holds for any job on any fleet, whatever its guards say: who is never named, how much a wave sends, that a stop
// stops, that nobody gets lost between the plan and the outcomes, and what the hash of a plan is good for.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Action, Job } from '../lib/config.ts';
import type { InstanceSpec } from '../lib/local/simulator/instance.ts';
import type { InstanceScript } from '../lib/local/simulator/script.ts';
import { broken } from './support/promises.ts';
import { idOf, jobOf, type Night, type Played, play, type Scenario } from './support/scenario.ts';
import { pausing, stopping } from './support/steering.ts';

const start = Date.parse('2026-11-23T02:00:00Z');
const protectedTag = { key: 'dcs-autopilot-protected', value: 'true' };

const spec: fc.Arbitrary<Omit<InstanceSpec, 'id' | 'name'>> = fc.record({
  version: fc.constantFrom('5.0', '5.0', '6.0', '3.0'),
  cacheMode: fc.constantFrom('ha', 'ha', 'single', 'cluster'),
  status: fc.constantFrom('RUNNING', 'RUNNING', 'RUNNING', 'ERROR', 'EXTENDING'),
  task: fc.constantFrom(null, null, null, 'BACKUPING'),
  tags: fc.oneof(
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 6, arbitrary: fc.dictionary(fc.constantFrom('env', 'allow', protectedTag.key), word(), { maxKeys: 3 }) },
  ),
});

function word(): fc.Arbitrary<string> {
  return fc.constantFrom('true', 'dev', 'prod', 'flush', 'restart,flush');
}

/** A job that somebody may write down, on a fleet that somebody may have. */
const anything = fc.record({
  action: fc.constantFrom<Action>('flush', 'flush', 'restart', 'soft_restart'),
  specs: fc.array(spec, { minLength: 1, maxLength: 70, size: 'max' }),
  sends: fc.array(fc.constantFrom<InstanceScript['sends']>([], ['failed'], ['omitted'], ['ignored']), {
    maxLength: 20,
  }),
  names: fc.constantFrom(['*'], ['cache-*'], ['cache-1*']),
  named: fc.oneof(
    { weight: 4, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.uniqueArray(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 }) },
  ),
  excluded: fc.constantFrom({}, { env: 'prod' }),
  allowTag: fc.constantFrom(null, null, 'allow'),
  canary: fc.integer({ min: 1, max: 30 }),
  size: fc.constantFrom({ percent: 10 }, { percent: 50 }, { count: 60 }),
  guards: fc.record({
    maxInstances: fc.constantFrom(10, 1000, 1000),
    maxPercent: fc.constantFrom(20, 100, 100),
    maxPerDay: fc.constantFrom(15, 1000),
    onExceed: fc.constantFrom<Job['guards']['onExceed'][]>('refuse', 'trim', 'trim'),
  }),
  maxFailures: fc.constantFrom(1, 3, 100),
});
type Anything = typeof anything extends fc.Arbitrary<infer T> ? T : never;

function scenarioOf(one: Anything, change: Partial<Scenario> = {}): Scenario {
  const plain = jobOf(one.action);
  const { names, excluded, allowTag, canary, size, guards, maxFailures } = one;
  const job = jobOf(one.action, {
    project: { ...plain.project, allowTag },
    target: { ...plain.target, names, exclude: { ...plain.target.exclude, tags: excluded } },
    waves: { ...plain.waves, canary: { count: canary }, size, maxFailures },
    guards: { ...plain.guards, ...guards },
  });
  const instances = one.specs.map((each, i) => ({ id: idOf(i + 1), name: `cache-${i + 1}`, ...each }));
  const script = one.sends.slice(0, instances.length).map((sends = [], i) => [idOf(i + 1), { sends }]);
  return {
    job,
    fleet: { instances, script: { instances: Object.fromEntries(script) } },
    ...(one.named !== null && { event: { instances: one.named.map(idOf) } }),
    ...change,
  };
}

function isUntouchable({ tags }: Pick<InstanceSpec, 'tags'>): boolean {
  return tags === null || tags?.[protectedTag.key] === protectedTag.value;
}

/** Whoever was in any call. */
function named({ fleet }: Played): string[] {
  return [...new Set(fleet.statusCalls().flatMap(({ ids }) => ids))];
}

function holds(property: (one: Anything) => Promise<void>, numRuns = 150): Promise<void> {
  return fc.assert(fc.asyncProperty(anything, property), { numRuns, seed: 20261123, endOnFailure: true });
}

describe('whatever the job and the fleet', () => {
  it('nobody who is protected is in any request, and every word of the end is true', async () => {
    await holds(async (one) => {
      const played = await play(scenarioOf(one));

      const untouchable = one.specs.flatMap((each, i) => (isUntouchable(each) ? [idOf(i + 1)] : []));
      expect(named(played).filter((id) => untouchable.includes(id))).toEqual([]);
      expect(broken(played)).toEqual([]);
    });
  });

  it('a wave names its own members and nobody else, in calls of at most fifty, and is done before the next begins', async () => {
    await holds(async (one) => {
      const played = await play(scenarioOf(one));

      const waveOf = new Map(
        played.view.plan.waves.flatMap((wave, i) => wave.map(({ instanceId }) => [instanceId, i] as const)),
      );
      const places = played.fleet.statusCalls().map(({ ids }) => [...new Set(ids.map((id) => waveOf.get(id) ?? -1))]);
      expect(places.every(({ length }) => length === 1)).toBe(true);
      expect(places.flat()).toEqual(places.flat().toSorted((a, b) => a - b));
      expect(places.flat()).not.toContain(-1);
    });
  });

  it('the outcomes are those of the plan, each once, and the plan is within its caps', async () => {
    await holds(async (one) => {
      const { view } = await play(scenarioOf(one));

      const planned = view.plan.waves.flat().map(({ instanceId }) => instanceId);
      const most = Math.min(
        one.guards.maxInstances,
        Math.max(1, Math.floor((one.specs.length * one.guards.maxPercent) / 100)),
      );
      const ids = view.outcomes.map(({ instanceId }) => instanceId);
      expect(ids).toEqual(ids.length === 0 ? [] : planned);
      if (ids.length > 0) expect(ids.length).toBeLessThanOrEqual(Math.min(most, one.guards.maxPerDay));
    });
  });
});

describe('after a stop nothing is sent', () => {
  const stops: readonly (readonly [string, (night: Night) => Promise<void>])[] = [
    ['cancel', stopping('cancelled')],
    ['resolution', stopping('resolved')],
    ['pause that nobody lifts', pausing()],
  ];

  it.each(stops)('by a %s', async (_, does) => {
    await fc.assert(
      fc.asyncProperty(anything, fc.integer({ min: 1, max: 600 }), async (one, after) => {
        const played = await play(scenarioOf(one, { meanwhile: [{ after, does }] }));

        const late = played.fleet.statusCalls().filter(({ at }) => at > start + after * 1000);
        expect(late).toEqual([]);
        expect(broken(played)).toEqual([]);
      }),
      { numRuns: 60, seed: 3, endOnFailure: true },
    );
  });

  it('by the end of the window', async () => {
    await fc.assert(
      fc.asyncProperty(anything, fc.integer({ min: 121, max: 130 }), async (one, to) => {
        const scenario = scenarioOf(one);
        const window = { days: [0, 1, 2, 3, 4, 5, 6], from: 60, to, timezone: 'UTC', cutoff: 0 };

        const played = await play({ ...scenario, job: { ...scenario.job, window } });

        const end = Date.parse('2026-11-23T00:00:00Z') + to * 60_000;
        expect(played.fleet.statusCalls().filter(({ at }) => at >= end)).toEqual([]);
        expect(broken(played)).toEqual([]);
      }),
      { numRuns: 60, seed: 4, endOnFailure: true },
    );
  });

  it('by so many failures: what is out then ends, and no wave begins', async () => {
    await holds(async (one) => {
      const played = await play(scenarioOf({ ...one, maxFailures: 1, sends: Array(20).fill(['ignored']) }));

      const { outcomes, plan } = played.view;
      const bad = new Set(
        outcomes.flatMap((each) => (['failed', 'unknown'].includes(each.status) ? [each.instanceId] : [])),
      );
      const first = plan.waves.findIndex((wave) => wave.some(({ instanceId }) => bad.has(instanceId)));
      const later = first < 0 ? [] : plan.waves.slice(first + 1).flat();
      expect(later.filter(({ instanceId }) => played.fleet.sent(instanceId) > 0)).toEqual([]);
    });
  });
});

describe('the hash of a plan', () => {
  it('is the same for a dry run, another one, and the real run', async () => {
    await holds(async (one) => {
      const dry = { event: { ...scenarioOf(one).event, dryRun: true } };

      const [first, second, real] = await Promise.all([
        play(scenarioOf(one, dry)),
        play(scenarioOf(one, dry)),
        play(scenarioOf(one)),
      ]);

      expect([second.view.plan.hash, real.view.plan.hash]).toEqual([first.view.plan.hash, first.view.plan.hash]);
      expect(first.fleet.calls().act + second.fleet.calls().act).toBe(0);
    }, 60);
  });

  it('sends exactly the plan it stands for, or nothing', async () => {
    await fc.assert(
      fc.asyncProperty(anything, fc.array(fc.integer({ min: 1, max: 70 }), { maxLength: 2 }), async (one, changed) => {
        const event = scenarioOf(one).event;
        const dry = await play(scenarioOf(one, { event: { ...event, dryRun: true } }));
        const hash = dry.view.plan.hash ?? 'f'.repeat(64);
        const specs = one.specs.map((each, i) => (changed.includes(i + 1) ? { ...each, status: 'FLUSHING' } : each));

        const real = await play(scenarioOf({ ...one, specs, maxFailures: 100 }, { event: { ...event, plan: hash } }));

        const planned = dry.view.plan.waves.flat().map(({ instanceId }) => instanceId);
        const isSame = real.view.plan.hash === hash;
        expect(named(real).filter((id) => !planned.includes(id))).toEqual([]);
        if (!isSame) expect(named(real)).toEqual([]);
        if (isSame && real.view.outcomes.length > 0) {
          expect(real.view.outcomes.map(({ instanceId }) => instanceId)).toEqual(planned);
        }
      }),
      { numRuns: 100, seed: 5, endOnFailure: true },
    );
  });
});

// The guards of a run, in their order: for each a case that only it refuses, and the edges at which it does not.

import { describe, expect, it } from '@jest/globals';
import type { Action, Job } from '../lib/config.ts';
import { firstRefusal, type GuardFacts, type Moment, maxRun, momentGuards, planGuards } from '../lib/guards.ts';
import type { ExclusionCode, Plan, PlannedInstance } from '../lib/plan.ts';
import { idOf, jobOf } from './support/scenario.ts';

function planned(count: number, dataLoss = true): PlannedInstance[] {
  return Array.from({ length: count }, (_, i) => ({ instanceId: idOf(i + 1), name: 'x', reason: 'x', dataLoss }));
}

function planOf(waves: Plan['waves'], codes: readonly ExclusionCode[] = []): Plan {
  const excluded = codes.map((code, i) => ({ instanceId: idOf(500 + i), name: 'x', code, reason: 'x' }));
  return { job: 'nightly', action: 'flush', waves, excluded, hash: 'a'.repeat(64) };
}

function factsOf(change: Partial<GuardFacts> = {}): GuardFacts {
  const event = {
    trigger: 'webhook',
    identity: ['bearer', 'key-1'],
    requestedBy: 'webhook:nightly',
    receivedAt: '2026-11-23T02:00:00Z',
  } satisfies GuardFacts['event'];
  return {
    job: jobOf('flush'),
    event,
    plan: planOf([planned(3)]),
    total: 10,
    outside: [],
    used: unused,
    lifts: { day: null, hour: null },
    drift: [],
    ...change,
  };
}

const unused = { today: 0, alerted: [] };

function guarded(maxInstances: number, maxPercent: number, stated = true, action: Action = 'flush'): Job {
  return jobOf(action, { guards: { ...jobOf(action).guards, maxInstances, maxPercent, stated } });
}

const scheduled = { ...factsOf().event, trigger: 'schedule' } as const;

describe('the guards', () => {
  const only: [string, GuardFacts][] = [
    ['outside_target', factsOf({ outside: [idOf(9)] })],
    ['target_empty', factsOf({ plan: planOf([]) })],
    ['all_excluded', factsOf({ plan: planOf([], ['protected']) })],
    ['too_many', factsOf({ plan: planOf([planned(maxRun + 1)]), total: 20_000, job: guarded(20_000, 100) })],
    ['too_many_waves', factsOf({ plan: planOf(Array.from({ length: 201 }, () => planned(1))), total: 201 })],
    ['plan_changed', factsOf({ event: { ...factsOf().event, plan: 'b'.repeat(64) } })],
    ['guards_not_stated', factsOf({ event: scheduled, job: guarded(50, 100, false) })],
    ['total_unknown', factsOf({ total: null })],
    ['over_cap', factsOf({ job: guarded(2, 100) })],
    ['over_day_cap', factsOf({ used: { ...unused, today: 99_998 } })],
  ];

  it('are as many as there are codes', () => {
    expect(planGuards.length).toBe(only.length);
  });

  it.each(only.map(([code, facts], i) => [i + 1, code, facts] as const))(
    'number %i refuses with %s what no other one refuses first',
    (number, code, facts) => {
      const refusals = planGuards.map((guard) => guard(facts)?.code);

      expect(firstRefusal(planGuards, facts)?.code).toBe(code);
      expect(refusals[number - 1]).toBe(code);
      expect(refusals.slice(0, number - 1)).toEqual(Array(number - 1).fill(undefined));
    },
  );

  it('let a plain run pass', () => {
    expect(firstRefusal(planGuards, factsOf())).toBeNull();
  });

  it('refuse in their order where several would', () => {
    const all = factsOf({
      outside: [idOf(9)],
      event: { ...scheduled, plan: 'b'.repeat(64) },
      job: guarded(1, 1, false),
      total: null,
    });

    const refusals = planGuards.map((guard) => guard(all)?.code).filter((code) => code !== undefined);

    expect(refusals).toEqual(['outside_target', 'plan_changed', 'guards_not_stated', 'total_unknown', 'over_cap']);
    expect(firstRefusal(planGuards, all)?.code).toBe('outside_target');
  });
});

describe('the guards of the moment', () => {
  const now = Date.parse('2026-11-23T02:00:00Z');
  const pause = { project: 'staging', reason: 'incident 7', by: 'operator:alice', at: '2026-11-23T01:00:00.000Z' };
  const storm = { since: '2026-11-23T01:58:00.000Z', until: '2026-11-23T02:08:00.000Z', reason: '12 of 60 alert' };
  const window = { days: [0, 1, 2, 3, 4, 5, 6], from: 180, to: 240, timezone: 'UTC', cutoff: 0 };
  const freeze = [{ from: now - 1, to: now + 3_600_000, timezone: 'UTC', reason: 'year end' }];
  const frozen = { ...jobOf('flush').project, freeze };
  const alerted = { ...factsOf().event, trigger: 'alert' } as const;
  const brokenGlass = { ...factsOf().event, trigger: 'manual', breakGlass: true } as const;

  function momentOf(change: Partial<Moment> = {}): Moment {
    return { job: jobOf('flush'), event: factsOf().event, now, flags: { pause: null, storm: null }, ...change };
  }

  const only: [string, Moment, string | undefined][] = [
    ['paused', momentOf({ flags: { pause, storm: null } }), undefined],
    ['outside_window', momentOf({ job: jobOf('flush', { window }) }), '2026-11-23T03:00:00.000Z'],
    ['frozen', momentOf({ job: jobOf('flush', { project: frozen }) }), '2026-11-23T03:00:00.000Z'],
    ['alert_storm', momentOf({ event: alerted, flags: { pause: null, storm } }), storm.until],
  ];

  it('are as many as there are codes', () => {
    expect(momentGuards.length).toBe(only.length);
  });

  it.each(only.map(([code, moment, liftsAt], i) => [i, code, moment, liftsAt] as const))(
    'number %i refuses alone with %s, in a sentence, and says when it lifts',
    (number, code, moment, liftsAt) => {
      const refusals = momentGuards.map((guard) => guard(moment));

      expect(refusals.map((refusal) => refusal?.code)).toEqual(only.map((_, i) => (i === number ? code : undefined)));
      expect(refusals[number]?.reason).toMatch(/ /);
      expect(refusals[number]?.liftsAt).toBe(liftsAt);
    },
  );

  it('let a plain moment pass', () => {
    expect(firstRefusal(momentGuards, momentOf())).toBeNull();
  });

  it('refuse in their order where all would, and with a broken glass all but windows and freezes', () => {
    const all = { job: jobOf('flush', { window, project: frozen }), flags: { pause, storm } };
    const codesOf = (event: Moment['event']): unknown[] =>
      momentGuards.map((guard) => guard(momentOf({ ...all, event }))?.code);

    expect(codesOf(alerted)).toEqual(['paused', 'outside_window', 'frozen', 'alert_storm']);
    expect(codesOf({ ...brokenGlass, trigger: 'alert' })).toEqual(['paused', undefined, undefined, 'alert_storm']);
  });
});

describe('a run passes', () => {
  it.each<[string, GuardFacts]>([
    ['when everything is at work already', factsOf({ plan: planOf([], ['wrong_state', 'busy']) })],
    ['when that is so and the total is unknown', factsOf({ plan: planOf([], ['busy']), total: null })],
    ['when some are protected and others are not', factsOf({ plan: planOf([planned(1)], ['protected']) })],
    ['with exactly 10,000', factsOf({ plan: planOf([planned(maxRun)]), total: maxRun })],
    ['with exactly 200 waves', factsOf({ plan: planOf(Array.from({ length: 200 }, () => planned(1))), total: 200 })],
    ['with the hash it was asked for', factsOf({ event: { ...factsOf().event, plan: 'a'.repeat(64) } })],
    ['when it is scheduled and states its guards', factsOf({ event: scheduled })],
    ['when it is not scheduled and does not', factsOf({ job: guarded(50, 100, false) })],
    [
      'when it is scheduled, does not, and destroys nothing',
      factsOf({ event: scheduled, job: guarded(50, 100, false, 'restart'), plan: planOf([planned(3, false)]) }),
    ],
  ])('%s', (_, facts) => {
    expect(firstRefusal(planGuards, facts)).toBeNull();
  });
});

describe('everything excluded', () => {
  it.each<[readonly ExclusionCode[], string | undefined]>([
    [['busy'], undefined],
    [['wrong_state'], undefined],
    [['busy', 'protected'], 'all_excluded'],
    [['unreadable'], 'all_excluded'],
    [['not_found'], 'all_excluded'],
    [['unsupported_engine', 'wrong_state'], 'all_excluded'],
  ])('as %j gives %s', (codes, code) => {
    expect(firstRefusal(planGuards, factsOf({ plan: planOf([], codes) }))?.code).toBe(code);
  });

  it('says how many for which reason', () => {
    const refusal = firstRefusal(planGuards, factsOf({ plan: planOf([], ['protected', 'busy', 'protected']) }));

    expect(refusal?.reason).toBe('no instance may be touched: 2 protected, 1 busy');
  });
});

describe('the caps', () => {
  it.each([
    [3, 3, 100, 10, null],
    [4, 3, 100, 10, 'maxInstances allows 3'],
    [3, 50, 30, 10, null],
    [4, 50, 30, 10, 'maxPercent 30% of 10 instances allows 3'],
    [3, 50, 39, 10, null],
    [4, 50, 39, 10, 'maxPercent 39% of 10 instances allows 3'],
    [1, 50, 1, 10, null],
    [2, 50, 1, 10, 'maxPercent 1% of 10 instances allows 1'],
    [2, 1, 1, 10, 'maxInstances allows 1'],
    [5, 4, 50, 10, 'maxInstances allows 4'],
  ])(
    'for %i planned, with maxInstances %i and maxPercent %i of %i: %s',
    (count, maxInstances, maxPercent, total, why) => {
      const facts = factsOf({
        plan: planOf([planned(1), planned(count - 1)]),
        job: guarded(maxInstances, maxPercent),
        total,
      });

      const refusal = firstRefusal(planGuards, facts);

      expect(refusal).toEqual(
        why === null ? null : { code: 'over_cap', reason: `${count} instances are planned; ${why}` },
      );
    },
  );
});

describe('ids outside the target', () => {
  it.each([
    [1, `${idOf(1)} is not selected`],
    [2, `${idOf(1)}, ${idOf(2)} are not selected`],
    [3, `${idOf(3)} are not selected`],
    [5, `${idOf(3)} and 2 more are not selected`],
  ])('are named, three at most (%i)', (count, text) => {
    const outside = Array.from({ length: count }, (_, i) => idOf(i + 1));

    expect(firstRefusal(planGuards, factsOf({ outside }))?.reason).toContain(text);
  });
});

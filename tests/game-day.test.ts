// The game day: a job that would flush a fleet of sixty, and each guard in turn is the one that keeps it from that. What
// the fleet counts is what the tests trust.

import { describe, expect, it } from '@jest/globals';
import type { Guards, Job } from '../lib/config.ts';
import type { Event } from '../lib/event.ts';
import { raiseStorm } from '../lib/guards/flags.ts';
import { updateRecord } from '../lib/record.ts';
import { idOf, instances, jobOf, methodsOf, type Night, type Played, play, type Scenario } from './support/scenario.ts';
import { approvalOf, deciding, pausing, stopping } from './support/steering.ts';

const fleetSize = 60;
const plain = jobOf('flush');
const guarded = { 'dcs-autopilot-protected': 'true' };
const alerted: Partial<Event> = {
  trigger: 'alert',
  identity: ['alertmanager', 'Frag', 'f1', '2026-11-23T01:55:00.000Z'],
  requestedBy: 'alert:alertmanager',
};
const brokenGlass: Partial<Event> = { trigger: 'manual', breakGlass: true, reason: 'incident 7' };
const everyDay = { days: [0, 1, 2, 3, 4, 5, 6], timezone: 'UTC' };
const laterTonight = { ...everyDay, from: 180, to: 240, cutoff: 0 };
const frozen = [{ from: at('01:00'), to: at('03:00'), timezone: 'UTC', reason: 'year end' }];

function at(time: string): number {
  return Date.parse(`2026-11-23T${time}:00Z`);
}

/** The job and fleet of the day, which would flush all sixty in two waves. */
function day(job: Partial<Job> = {}, change: Partial<Scenario> = {}): Scenario {
  return { job: jobOf('flush', job), fleet: { instances: instances(fleetSize) }, ...change };
}

function capped(guards: Partial<Guards>): Partial<Job> {
  return { guards: { ...plain.guards, ...guards } };
}

function flushed({ fleet }: Played): number {
  return fleet.log().filter(({ action }) => action === 'flush').length;
}

const storm = { since: '2026-11-23T01:58:00.000Z', until: '2026-11-23T02:08:00.000Z', reason: '12 of 60 alert' };
const raising = async (state: Night['state']): Promise<void> => void (await raiseStorm(state, 'staging', storm));
const targetOf = (names: readonly string[]): Partial<Job> => ({ target: { ...plain.target, names } });

/** All of them, but for one thing about each. */
function fleetOf(change: (n: number) => Partial<Scenario['fleet']['instances'][number]>): Partial<Scenario> {
  return { fleet: { instances: instances(fleetSize, change) } };
}

/** Somebody says something to the plan; whatever stands in the record already is not asked for. */
function saying(change: { readonly by?: string; readonly at?: string; readonly planHash?: string }) {
  return async (night: Night): Promise<void> => {
    const asked = await approvalOf(night);
    const {
      by = 'operator:bob',
      at: said = new Date(night.clock.now()).toISOString(),
      planHash = asked.planHash,
    } = change;
    const approval = { ...asked, planHash, decision: { verdict: 'approved', by, at: said } } as const;
    await updateRecord(night.state, night.runId, (record) => ({ ...record, approval }));
    await night.engine.answer(asked.answerId);
  };
}

const asking: Partial<Job> = { approval: 'required' };
const nobodyCounts: NonNullable<Scenario['wrap']> = (dcs) => ({
  ...methodsOf(dcs),
  total: async () => ({ ok: false, problem: { class: 'final', code: 'DCS.4800', message: 'no' } }),
});
const halfDeleted = async (night: Night): Promise<void> => {
  for (let n = 1; n <= 30; n++) night.fleet.set(idOf(n), { tags: guarded });
  await deciding('approved')(night);
};
const whoSucceeded = async (state: Night['state']): Promise<void> => {
  for (let n = 1; n <= fleetSize; n++) {
    await state.put({ pk: `instance#${idOf(n)}`, sk: 'success' }, { at: at('01:50'), runId: 'other-run' });
  }
};

/** Each guard as the only thing in the way. */
const refusing: readonly (readonly [code: string, what: string, Scenario])[] = [
  ['paused', 'the project is paused', day({}, { before: (state) => pausing()({ state }) })],
  ['paused', 'everything is paused', day({}, { before: (state) => pausing(null)({ state }) })],
  ['outside_window', 'the window opens later', day({ window: laterTonight })],
  ['frozen', 'the project is frozen', day({ project: { ...plain.project, freeze: frozen } })],
  ['alert_storm', 'so many alert', day({}, { event: alerted, before: raising })],
  [
    'outside_target',
    'an id is not of the target',
    day(targetOf(['cache-0000*']), { event: { instances: [idOf(1), idOf(60)] } }),
  ],
  ['target_empty', 'the target selects nobody', day(targetOf(['prod-*']))],
  [
    'all_excluded',
    'all are protected',
    day(
      {},
      fleetOf(() => ({ tags: guarded })),
    ),
  ],
  [
    'all_excluded',
    'nobody’s tags can be read',
    day(
      {},
      fleetOf(() => ({ tags: null })),
    ),
  ],
  ['all_excluded', 'nobody allows it', day({ project: { ...plain.project, allowTag: 'allow' } })],
  [
    'all_excluded',
    'all are too old',
    day(
      {},
      fleetOf(() => ({ version: '3.0' })),
    ),
  ],
  ['cooling_down', 'all were acted on', day({ cooldown: 1800 }, { before: whoSucceeded })],
  ['plan_changed', 'it was asked for another plan', day({}, { event: { plan: 'f'.repeat(64) } })],
  ['guards_not_stated', 'nobody watches', day(capped({ stated: false }), { event: { trigger: 'schedule' } })],
  ['total_unknown', 'nobody knows how many there are', day({}, { wrap: nobodyCounts })],
  ['over_cap', 'there are more than maxInstances', day(capped({ maxInstances: 59 }))],
  ['over_cap', 'there are more than maxPercent', day(capped({ maxPercent: 99 }))],
  ['over_day_cap', 'there are more than maxPerDay', day(capped({ maxPerDay: 59 }))],
  ['approval_lapsed', 'nobody says a word', day(asking)],
  ['rejected', 'somebody rejects it', day(asking, { meanwhile: [{ after: 60, does: deciding('rejected') }] })],
  [
    'own_request',
    'only whoever asked approves',
    day(asking, { meanwhile: [{ after: 60, does: saying({ by: 'webhook:nightly' }) }] }),
  ],
  [
    'other_plan',
    'another plan is approved',
    day(asking, { meanwhile: [{ after: 60, does: saying({ planHash: 'f'.repeat(64) }) }] }),
  ],
  [
    'approval_lapsed',
    'the approval comes late, to an execution that sleeps too long',
    day(asking, { late: () => 2 * 3_600_000, meanwhile: [{ after: 3601, does: deciding('approved') }] }),
  ],
  ['drifted', 'half of them changed meanwhile', day(asking, { meanwhile: [{ after: 60, does: halfDeleted }] })],
];

const passed = ['outside_window', 'frozen'];

describe('on the game day', () => {
  it('the job flushes all sixty, once each, where nothing is in its way', async () => {
    const played = await play(day());

    expect(played.view.status).toBe('succeeded');
    expect([1, 2, 30, 60].map((n) => played.fleet.applied(idOf(n)).flush)).toEqual([1, 1, 1, 1]);
    expect(flushed(played)).toBe(fleetSize);
  });

  it.each(refusing)('%s saves the fleet when %s', async (code, _, scenario) => {
    const played = await play(scenario);

    expect(played.view).toMatchObject({ status: 'refused', code, reason: expect.any(String) });
    expect(played.fleet.calls().act).toBe(0);
  });

  it.each(refusing)('%s, when %s: a broken glass passes windows and freezes only', async (code, _, scenario) => {
    const { trigger = 'manual' } = scenario.event ?? {};

    const played = await play({ ...scenario, event: { ...scenario.event, ...brokenGlass, trigger } });

    expect([code, flushed(played)]).toEqual([code, passed.includes(code) ? fleetSize : 0]);
  });

  it('an approval that comes twice lets it go on once', async () => {
    const meanwhile = [60, 61, 62].map((after) => ({ after, does: saying({}) }));

    const played = await play(day(asking, { meanwhile }));

    expect(played.view.status).toBe('succeeded');
    expect(flushed(played)).toBe(fleetSize);
  });
});

/** What is sent before the guard steps in, and no more. */
const stopped: readonly (readonly [code: string, what: string, Scenario, sent: number])[] = [
  ['cancelled', 'somebody cancels', day({}, { meanwhile: [{ after: 20, does: stopping('cancelled') }] }), 1],
  ['resolved', 'its alert is resolved', day({}, { meanwhile: [{ after: 20, does: stopping('resolved') }] }), 1],
  ['outside_window', 'its window ends', day({ window: { ...everyDay, from: 60, to: 121, cutoff: 0 } }), 1],
  [
    'frozen',
    'a freeze begins',
    day({
      project: { ...plain.project, freeze: [{ from: at('02:01'), to: at('03:00'), timezone: 'UTC', reason: 'x' }] },
    }),
    1,
  ],
  [
    'max_failures',
    'the canary fails',
    day(
      { waves: { ...plain.waves, maxFailures: 1 } },
      {
        fleet: {
          instances: instances(fleetSize),
          script: { calls: [{ on: 'act', nth: [1], answer: { kind: 'error', status: 502 } }] },
        },
      },
    ),
    0,
  ],
  [
    'unhealthy',
    'the health check fails after the canary',
    day(
      { waves: { ...plain.waves, healthCheck: { url: 'https://health.example.com' } } },
      { health: () => ({ healthy: false, answer: 'answered 503' }) },
    ),
    1,
  ],
];

describe('on the game day, with one of sixty flushed', () => {
  it.each(stopped)('%s saves the rest when %s', async (code, _, scenario, sent) => {
    const played = await play(scenario);

    const { counts } = played.view;
    expect(played.view.code).toBe(code);
    expect(flushed(played)).toBe(sent);
    expect(counts.notStarted).toBe(fleetSize - 1);
  });

  it('a pause that nobody lifts saves the rest', async () => {
    const played = await play(day({}, { meanwhile: [{ after: 20, does: pausing() }] }));

    expect(flushed(played)).toBe(1);
    expect(played.outcome(60)).toMatchObject({ status: 'not_started', code: 'paused' });
  });

  it('a storm saves the rest from a run of an alert', async () => {
    const played = await play(
      day({}, { event: alerted, meanwhile: [{ after: 20, does: ({ state }) => raising(state) }] }),
    );

    expect(played.view.code).toBe('alert_storm');
    expect(flushed(played)).toBe(1);
  });
});

describe('on the game day, some are saved', () => {
  const everyThird = (n: number): boolean => n % 3 === 0;
  const forbidding = { ...plain.project, allowTag: 'allow' };
  const backingUp: Partial<Job> = { backup: { mode: 'fresh', maxAge: 86_400 }, retry: { ...plain.retry, for: 7200 } };
  const third = fleetSize / 3;
  const cooled = async (state: Night['state']): Promise<void> => {
    for (let n = 3; n <= fleetSize; n += 3) {
      await state.put({ pk: `instance#${idOf(n)}`, sk: 'success' }, { at: at('01:50'), runId: 'other-run' });
    }
  };

  it.each<[string, string, Scenario]>([
    [
      'protected',
      'by their tag',
      day(
        {},
        fleetOf((n) => (everyThird(n) ? { tags: guarded } : {})),
      ),
    ],
    [
      'protected',
      'since their tags cannot be read',
      day(
        {},
        fleetOf((n) => (everyThird(n) ? { tags: null } : {})),
      ),
    ],
    [
      'not_allowed',
      'since they do not allow it',
      day(
        { project: forbidding },
        fleetOf((n) => ({ tags: everyThird(n) ? { allow: 'restart' } : { allow: 'flush' } })),
      ),
    ],
    [
      'unsupported_engine',
      'being Memcached',
      day(
        {},
        fleetOf((n) => (everyThird(n) ? { engine: 'Memcached' } : {})),
      ),
    ],
    [
      'wrong_state',
      'being faulty',
      day(
        {},
        fleetOf((n) => (everyThird(n) ? { status: 'ERROR' } : {})),
      ),
    ],
    [
      'busy',
      'being extended',
      day(
        {},
        fleetOf((n) => (everyThird(n) ? { task: 'EXTEND' } : {})),
      ),
    ],
    ['cooling_down', 'having been acted on', day({ cooldown: 1800 }, { before: cooled })],
    ['trimmed', 'beyond the cap', day(capped({ maxInstances: 2 * third, onExceed: 'trim' }))],
    ['trimmed', 'beyond the cap of the day', day(capped({ maxPerDay: 2 * third, onExceed: 'trim' }))],
  ])('as %s, %s', async (code, _, scenario) => {
    const played = await play(scenario);

    const saved = played.view.plan.excluded;
    expect(played.view.status).toBe('succeeded');
    expect([saved.length, new Set(saved.map((each) => each.code))]).toEqual([third, new Set([code])]);
    expect(saved.map(({ instanceId }) => played.fleet.sent(instanceId))).toEqual(Array(third).fill(0));
    expect(flushed(played)).toBe(fleetSize - third);
  });

  it.each<[string, string, Scenario]>([
    [
      'collision',
      'since another run is at work on them',
      day({}, { held: Array.from({ length: third }, (_, i) => idOf(3 * (i + 1))) }),
    ],
    [
      'backup_failed',
      'having no backup',
      day(
        backingUp,
        fleetOf((n) => (everyThird(n) ? { cacheMode: 'single' } : {})),
      ),
    ],
  ])('as %s, %s', async (code, _, scenario) => {
    const played = await play(scenario);

    const saved = played.view.outcomes.filter(({ status }) => status === 'skipped');
    expect([saved.length, new Set(saved.map((each) => each.code))]).toEqual([third, new Set([code])]);
    expect(saved.map(({ instanceId }) => played.fleet.applied(instanceId).flush)).toEqual(Array(third).fill(0));
    expect(flushed(played)).toBe(fleetSize - third);
  });

  it('as drifted, since they changed before the approval', async () => {
    const changing = async (night: Night): Promise<void> => {
      for (let n = 1; n <= 6; n++) night.fleet.set(idOf(n), { tags: guarded });
      await deciding('approved')(night);
    };

    const played = await play(day(asking, { meanwhile: [{ after: 60, does: changing }] }));

    expect(played.view.counts).toMatchObject({ succeeded: 54, skipped: 6 });
    expect([1, 2, 3, 4, 5, 6].map((n) => played.fleet.sent(idOf(n)))).toEqual(Array(6).fill(0));
  });
});

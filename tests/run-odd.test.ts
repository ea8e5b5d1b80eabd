// The flow in odd circumstances: each test is a fault that was once found in it, or a promise that is easy to break.
// As in run.test.ts, what the fleet counted is trusted, not our own report.

import { describe, expect, it } from '@jest/globals';
import type { Problem } from '../lib/classify.ts';
import type { Action, Job } from '../lib/config.ts';
import { runId } from '../lib/event.ts';
import { leasesOf } from '../lib/execute/lease.ts';
import type { Answer, DcsApi } from '../lib/execute.ts';
import type { CallFault, InstanceScript } from '../lib/local/simulator/script.ts';
import type { InstanceDetail } from '../lib/plan/instance.ts';
import { readRecord, updateRecord } from '../lib/record.ts';
import { type RunView, runView } from '../lib/report.ts';
import { run } from '../lib/run.ts';
import type { MemoryState } from './support/memory-state.ts';
import { idOf, instances, jobOf, methodsOf, type Played, play, quietWorld, type Scenario } from './support/scenario.ts';
import { VirtualEngine } from './support/virtual-engine.ts';

const hour = 3_600_000;
const start = Date.parse('2026-11-23T02:00:00Z');
const guarded = { 'dcs-autopilot-protected': 'true' };
const lost: CallFault['answer'] = { kind: 'error', status: 502, applies: true };
const quick = { lag: { min: 100, max: 100 }, restart: { min: 5_000, max: 5_000 }, flush: { min: 100, max: 100 } };

function problem(errorClass: Problem['class'], more: Partial<Problem> = {}): Problem {
  return { class: errorClass, code: 'APIGW.0308', message: 'as scripted', status: 429, ...more };
}

function refused(errorClass: Problem['class'], more: Partial<Problem> = {}): Answer {
  return { kind: 'refused', problem: problem(errorClass, more) };
}

/** A job whose instances all stand in one wave. */
function single(action: Action, change: Partial<Job> = {}, waves: Partial<Job['waves']> = {}): Job {
  return jobOf(action, { ...change, waves: { ...jobOf(action).waves, canary: { percent: 100 }, ...waves } });
}

function withBudget(action: Action, retriesPerHour: number): Job {
  return single(action, { project: { ...jobOf(action).project, rate: { callsPerSecond: 1000, retriesPerHour } } });
}

/** Seconds since the start and the number of ids, for each call that reached the port; `answer` may replace one. */
function watched(
  sends: [at: number, ids: readonly string[]][],
  answer: (nth: number, ids: readonly string[]) => Answer | null = () => null,
): NonNullable<Scenario['wrap']> {
  return (dcs, clock) => ({
    ...methodsOf(dcs),
    act: async (action, ids) => {
      sends.push([(clock.now() - start) / 1000, ids]);
      return answer(sends.length, ids) ?? dcs.act(action, ids);
    },
  });
}

/** Details changed by `change` once something was sent. */
function changedAfterSend(change: (detail: InstanceDetail) => InstanceDetail | null): NonNullable<Scenario['wrap']> {
  return (dcs) => {
    let isSent = false;
    return {
      ...methodsOf(dcs),
      act: (action, ids) => {
        isSent = true;
        return dcs.act(action, ids);
      },
      show: async (id) => {
        const shown = await dcs.show(id);
        return isSent && shown.ok && shown.value !== null ? { ok: true, value: change(shown.value) } : shown;
      },
    };
  };
}

function applied({ fleet }: Played, action: Action, count: number): number[] {
  return Array.from({ length: count }, (_, i) => fleet.applied(idOf(i + 1))[action]);
}

/** The run that `play` stores. */
const theRun = runId('test', 'nightly', ['bearer', 'key-1']);

/** What is remembered of a run whose execution broke off. */
async function remembered(state: MemoryState | undefined): Promise<RunView> {
  if (state === undefined) throw new Error('the run has no state');
  const record = await readRecord(state, theRun);
  if (record === undefined) throw new Error('the run has no record');
  return runView(state, record);
}

describe('a fleet that changes while it is read', () => {
  it.each([
    ['one wave', { canary: { count: 500 } }],
    ['two waves', { canary: { count: 1 }, size: { count: 499 } }],
  ])('is planned as it was last: nobody stands in the plan twice (%s)', async (_, waves) => {
    let lists = 0;

    const played = await play({
      job: jobOf('flush', { waves: { ...jobOf('flush').waves, ...waves } }),
      fleet: { instances: instances(501) },
      crash: { at: 3, when: 'before' },
      wrap: (dcs) => ({
        ...methodsOf(dcs),
        list: async (tags) => {
          const listed = await dcs.list(tags);
          lists += 1;
          if (lists !== 2 || !listed.ok) return listed;
          return { ok: true, value: listed.value.filter(({ id }) => id !== idOf(1)) };
        },
      }),
    });

    const planned = played.view.plan.waves.flat().map(({ instanceId }) => instanceId);
    expect(planned.length).toBe(500);
    expect(new Set(planned).size).toBe(500);
    expect(applied(played, 'flush', 501)).toEqual([0, ...Array(500).fill(1)]);
  });

  it('leaves out an instance whose details show it protected although the list did not', async () => {
    const played = await play({
      job: single('flush'),
      fleet: { instances: instances(2) },
      wrap: (dcs) => ({
        ...methodsOf(dcs),
        show: async (id) => {
          const shown = await dcs.show(id);
          const isIt = id === idOf(2) && shown.ok && shown.value !== null;
          return isIt ? { ok: true, value: { ...shown.value, tags: guarded } } : shown;
        },
      }),
    });

    expect(played.view.plan.excluded).toMatchObject([{ instanceId: idOf(2), code: 'protected' }]);
    expect(applied(played, 'flush', 2)).toEqual([1, 0]);
  });

  it('is refused with total_unknown where the number of its instances cannot be read for good', async () => {
    const played = await play({
      job: jobOf('flush'),
      fleet: { instances: instances(3) },
      wrap: (dcs) => ({ ...methodsOf(dcs), total: async () => ({ ok: false, problem: problem('unknown') }) }),
    });

    expect(played.view).toMatchObject({ status: 'refused', code: 'total_unknown' });
    expect(played.fleet.calls().act).toBe(0);
    expect(played.clock.now()).toBeLessThan(start + hour);
  });

  it.each([
    ['answers 500', { kind: 'error', status: 500, code: 'DCS.5024' } as const],
    ['answers 400', { kind: 'error', status: 400, code: 'DCS.4027' } as const],
  ])('goes on without the one instance whose detail %s', async (_, answer) => {
    const calls: CallFault[] = [{ on: 'show', instances: [idOf(3)], answer }];

    const played = await play({ job: single('flush'), fleet: { instances: instances(5), script: { calls } } });

    expect(played.view.status).toBe('succeeded');
    expect(played.view.plan.excluded).toMatchObject([{ instanceId: idOf(3), code: 'unreadable' }]);
    expect(applied(played, 'flush', 5)).toEqual([1, 1, 0, 1, 1]);
  });

  it('shows an id that lacks a tag of its target as outside of it, and touches nobody', async () => {
    const target = { ...jobOf('flush').target, ids: [idOf(1), idOf(2)], tags: { env: 'staging' } };

    const played = await play({
      job: single('flush', { target }),
      fleet: { instances: instances(2, (n) => (n === 2 ? { tags: { env: 'prod' } } : {})) },
      event: { instances: [idOf(1), idOf(2)] },
    });

    expect(played.view).toMatchObject({ status: 'refused', code: 'outside_target' });
    expect(applied(played, 'flush', 2)).toEqual([0, 0]);
  });

  it('keeps an item of 500 instances small, however many tags they carry', async () => {
    const tags = Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`a-rather-long-tag-key-${i}`, 'v'.repeat(40)]),
    );
    const job = single('flush', { retry: { ...jobOf('flush').retry, for: 60 } });

    const played = await play({
      job,
      fleet: { instances: instances(500, () => ({ tags })) },
      wrap: (dcs) => ({ ...methodsOf(dcs), act: async () => refused('throttled', { message: '操'.repeat(500) }) }),
    });

    const items = await played.state.query(`run#${played.record.runId}`, '');
    const largest = Math.max(...items.map(({ value }) => Buffer.byteLength(JSON.stringify(value))));
    expect(items.length).toBeGreaterThan(3);
    expect(largest).toBeLessThan(400_000 * 1.5);
  });

  it('is waited for as long as none of its details can be read: then it is DCS that is down', async () => {
    const calls: CallFault[] = [
      { on: 'show', period: { from: 0, for: 900_000 }, answer: { kind: 'error', status: 503 } },
    ];

    const played = await play({ job: single('flush'), fleet: { instances: instances(3), script: { calls } } });

    expect(played.view.status).toBe('succeeded');
    expect(played.view.plan.excluded).toEqual([]);
  });

  it('is read again for a detail that may be there next time, though another one never will', async () => {
    const calls: CallFault[] = [
      { on: 'show', instances: [idOf(1)], nth: [1], answer: { kind: 'error', status: 503 } },
      { on: 'show', instances: [idOf(3)], answer: { kind: 'error', status: 400, code: 'DCS.4027' } },
    ];

    const played = await play({ job: single('flush'), fleet: { instances: instances(3), script: { calls } } });

    expect(played.view.plan.excluded.map(({ instanceId }) => instanceId)).toEqual([idOf(3)]);
    expect(applied(played, 'flush', 3)).toEqual([1, 1, 0]);
  });

  it.each([
    ['for now is asked again', { kind: 'error', status: 503 } as const, [1], false],
    ['for good counts as lost with a restart', { kind: 'error', status: 400, code: 'DCS.4027' } as const, [1, 2], true],
  ])('of which it cannot be read %s whether data survives', async (_, answer, nth, dataLoss) => {
    const calls: CallFault[] = [{ on: 'configs', nth, answer }];

    const played = await play({
      job: single('restart', { dryRun: true }),
      fleet: { instances: instances(1), script: { calls } },
    });

    expect(played.view.plan.waves.flat().map((planned) => planned.dataLoss)).toEqual([dataLoss]);
  });
});

describe('a refused call that was applied in part', () => {
  // Not a backup, which a restart would end instead of waiting for it.
  const busy = { [idOf(10)]: { busyFromFirstSend: { for: 100_000, task: 'EXTEND' } } };
  const switches = { busyIn: 'whole-call', appliesBeforeRefusal: true } as const;

  it.each([0.5, 1.5, 5, 15])(
    'flushes nobody twice when work shows after %d s; what was seen at work is unknown',
    async (lag) => {
      const timing = { lag: { min: lag * 1000, max: lag * 1000 } };

      const played = await play({
        job: single('flush'),
        fleet: { instances: instances(10), switches, timing, script: { instances: busy } },
      });

      const ambiguous = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => played.outcome(n));
      expect(applied(played, 'flush', 10)).toEqual(Array(10).fill(1));
      expect(ambiguous.map((outcome) => outcome?.status)).toEqual(Array(9).fill('unknown'));
      expect(ambiguous.every((outcome) => outcome?.code === 'outcome_unknown')).toBe(true);
      expect(played.outcome(10)).toMatchObject({ status: 'succeeded' });
    },
  );

  it('restarts nobody twice who would lose data', async () => {
    const played = await play({
      job: single('restart'),
      fleet: { instances: instances(10, () => ({ cacheMode: 'single' })), switches, script: { instances: busy } },
    });

    expect(applied(played, 'restart', 10)).toEqual(Array(10).fill(1));
  });

  it('is sent again to those that were idle for the settle time, and to them only once', async () => {
    const sends: [number, readonly string[]][] = [];
    const applyFirst: NonNullable<Scenario['wrap']> = (dcs, clock, fleet) => ({
      ...watched(sends)(dcs, clock, fleet),
      act: async (action, ids) => {
        sends.push([(clock.now() - start) / 1000, ids]);
        if (sends.length > 1) return dcs.act(action, ids);
        await dcs.act(action, ids.slice(0, 5));
        return refused('final', { code: 'DCS.4027', status: 400 });
      },
    });

    const played = await play({ job: single('flush'), fleet: { instances: instances(10) }, wrap: applyFirst });

    expect(applied(played, 'flush', 10)).toEqual(Array(10).fill(1));
    expect(played.view.counts).toMatchObject({ unknown: 5, succeeded: 5 });
    expect(Math.min(...sends.slice(1).map(([at]) => at))).toBeGreaterThanOrEqual(60);
  });

  it.each<[string, NonNullable<Scenario['wrap']>]>([
    [
      'is halted',
      watched([], (_, ids) => (ids.length === 10 ? refused('config', { code: 'DCS.2007', status: 403 }) : null)),
    ],
    [
      'is protected by somebody',
      (dcs, _clock, fleet) => ({
        ...methodsOf(dcs),
        act: async (action, ids) => {
          const answer = await dcs.act(action, ids);
          for (const id of ids) fleet.set(id, { tags: guarded });
          return answer;
        },
      }),
    ],
  ])('is not called untouched when the run %s before that is settled', async (_, wrap) => {
    const played = await play({
      job: single('flush'),
      fleet: { instances: instances(60), switches, script: { instances: busy } },
      wrap,
    });

    const told = played.view.outcomes.slice(0, 9).map(({ status }) => status);
    expect(applied(played, 'flush', 9)).toEqual(Array(9).fill(1));
    expect(told).toEqual(Array(9).fill('unknown'));
  });
});

describe('somebody else', () => {
  it.each(['whole-call', 'entry'] as const)(
    'who flushes an instance meanwhile is not taken for us (refusal of the %s)',
    async (busyIn) => {
      const script = { instances: { [idOf(2)]: { busyFromFirstSend: { for: 30_000, status: 'FLUSHING' } } } };

      const played = await play({
        job: single('flush'),
        fleet: { instances: instances(3), switches: { busyIn }, script },
      });

      const flushes = applied(played, 'flush', 3);
      expect(Math.max(...flushes)).toBe(1);
      expect(played.outcome(2)?.status === 'succeeded').toBe(flushes[1] === 1);
      expect([played.outcome(1)?.status, played.outcome(3)?.status]).toEqual(['succeeded', 'succeeded']);
    },
  );

  it('whose keys expire while a failed send is repeated does not make it a success', async () => {
    let isSent = false;
    const played = await play({
      job: single('flush'),
      fleet: { instances: instances(1), script: { instances: { [idOf(1)]: { sends: ['failed', 'failed'] } } } },
      wrap: (dcs) => ({
        ...methodsOf(dcs),
        act: (action, ids) => {
          isSent = true;
          return dcs.act(action, ids);
        },
        keyCounts: async () => (isSent ? { ok: true, value: new Map([[idOf(1), 1]]) } : dcs.keyCounts()),
      }),
    });

    expect(played.outcome(1)).toMatchObject({ status: 'succeeded', attempts: 3 });
    expect(applied(played, 'flush', 1)).toEqual([1]);
  });

  it('whose few keys expire by a half has not flushed for us', async () => {
    let isSent = false;
    const notApplied: CallFault = { on: 'act', nth: [1], answer: { kind: 'error', status: 502, applies: false } };
    const played = await play({
      job: single('flush'),
      fleet: { instances: instances(1, () => ({ keys: 3 })), script: { calls: [notApplied] } },
      wrap: (dcs) => ({
        ...methodsOf(dcs),
        act: (action, ids) => {
          isSent = true;
          return dcs.act(action, ids);
        },
        keyCounts: async () => (isSent ? { ok: true, value: new Map([[idOf(1), 1]]) } : dcs.keyCounts()),
      }),
    });

    expect(played.outcome(1)).toMatchObject({ status: 'unknown' });
  });

  it.each<[string, Partial<Job['waves']>, InstanceScript, number]>([
    ['during the soak', { canary: { count: 1 }, soak: 7200 }, {}, 2],
    ['while it is busy', {}, { busyFromFirstSend: { for: 600_000, task: 'BACKUPING' } }, 2],
    ['between two attempts', {}, { sends: ['failed', 'failed'] }, 2],
  ])('who protects an instance %s is obeyed', async (_, waves, script, number) => {
    const played = await play({
      job: single('flush', {}, waves),
      fleet: { instances: instances(2), script: { instances: { [idOf(number)]: script } } },
      wrap: (dcs, _clock, fleet) => ({
        ...methodsOf(dcs),
        act: async (action, ids) => {
          const answer = await dcs.act(action, ids);
          fleet.set(idOf(number), { tags: guarded });
          return answer;
        },
      }),
    });

    expect(applied(played, 'flush', 2)).toEqual([1, 0]);
    expect(played.outcome(number)).toMatchObject({ code: 'protected' });
  });

  it('who ends the run stops it: nothing more is sent, and its end stays as it was told', async () => {
    const stored: MemoryState[] = [];
    const played = await play({
      job: jobOf('flush'),
      fleet: { instances: instances(3) },
      before: async (state) => void stored.push(state),
      wrap: (dcs) => ({
        ...methodsOf(dcs),
        act: async (action, ids) => {
          const answer = await dcs.act(action, ids);
          for (const state of stored) {
            await updateRecord(state, theRun, (record) => ({ ...record, status: 'failed', code: 'execution_died' }));
          }
          return answer;
        },
      }),
    });

    expect(played.record).toMatchObject({ status: 'failed', code: 'execution_died' });
    expect(applied(played, 'flush', 3)).toEqual([1, 0, 0]);
  });

  it('who starts the run a second time while it works is turned away', async () => {
    const stored: MemoryState[] = [];
    let isStarted = false;
    const second: { status?: string; sends: number } = { sends: 0 };
    const played = await play({
      job: jobOf('flush'),
      fleet: { instances: instances(3) },
      before: async (state) => void stored.push(state),
      wrap: (dcs, clock) => ({
        ...methodsOf(dcs),
        act: async (action, ids) => {
          for (const state of isStarted ? [] : stored) {
            isStarted = true;
            const counting: DcsApi = {
              ...methodsOf(dcs),
              act: async (what, whom) => {
                second.sends += 1;
                return dcs.act(what, whom);
              },
            };
            second.status = await new VirtualEngine(clock, null, 'execution-2').drive((engine) =>
              run(
                theRun,
                engine,
                quietWorld(state, () => counting, clock),
              ),
            );
          }
          return dcs.act(action, ids);
        },
      }),
    });

    expect(second).toEqual({ status: 'running', sends: 0 });
    expect(played.view.status).toBe('succeeded');
    expect(applied(played, 'flush', 3)).toEqual([1, 1, 1]);
  });
});

describe('a wave of faulty instances', () => {
  it.each([5, 30])(
    'that waits until after a soak is looked at first and then restarted, all %i of it',
    async (count) => {
      const fleet = instances(count + 1, (n) => (n === 1 ? {} : { status: 'ERROR' }));

      const played = await play({
        job: jobOf('restart', { waves: { ...jobOf('restart').waves, soak: 7200 } }),
        fleet: { instances: fleet },
      });

      expect(played.view.status).toBe('succeeded');
      expect(applied(played, 'restart', count + 1)).toEqual(Array(count + 1).fill(1));
    },
  );
});

describe('what was sent and cannot be settled', () => {
  const lostAnswer: CallFault = { on: 'act', answer: lost };

  it.each<[string, Job]>([
    ['has had its one attempt', single('restart', { retry: { ...jobOf('restart').retry, maxAttempts: 1 } })],
    ['has no budget left to be sent again', withBudget('restart', 0)],
  ])('is unknown, not failed, when it %s', async (_, job) => {
    const played = await play({
      job,
      fleet: { instances: instances(1), timing: quick, script: { calls: [lostAnswer] } },
    });

    expect(applied(played, 'restart', 1)).toEqual([1]);
    expect(played.outcome(1)).toMatchObject({ status: 'unknown', attempts: 1 });
  });

  it.each<[string, (detail: InstanceDetail) => InstanceDetail | null]>([
    ['frozen', (detail) => ({ ...detail, status: 'FROZEN' })],
    ['deleted', () => null],
  ])('is unknown, not failed, when it is %s afterwards', async (_, change) => {
    const played = await play({
      job: single('flush'),
      fleet: { instances: instances(1), script: { calls: [lostAnswer] } },
      wrap: changedAfterSend(change),
    });

    expect(played.outcome(1)).toMatchObject({ status: 'unknown', code: 'outcome_unknown' });
  });

  it('is unknown when it was accepted and is deleted while it is verified', async () => {
    const played = await play({
      job: single('flush'),
      fleet: { instances: instances(1) },
      wrap: changedAfterSend(() => null),
    });

    expect(played.outcome(1)).toMatchObject({ status: 'unknown', code: 'not_verified' });
  });

  it('is never sent again where a restart loses data', async () => {
    const played = await play({
      job: single('restart'),
      fleet: {
        instances: instances(1, () => ({ cacheMode: 'single' })),
        timing: quick,
        script: { calls: [{ on: 'act', nth: [1], answer: lost }] },
      },
    });

    expect(played.fleet.sent(idOf(1))).toBe(1);
    expect(played.outcome(1)).toMatchObject({ status: 'unknown', attempts: 1 });
  });

  it.each([3, 25])('waits until a backup is over before a restart is sent again, beside %i others', async (count) => {
    const script: InstanceScript = {
      sends: ['ignored'],
      periods: [{ from: 20_000, for: 1_500_000, task: 'BACKUPING' }],
    };
    const sends: [number, readonly string[]][] = [];

    const played = await play({
      job: single('restart'),
      fleet: {
        instances: instances(count),
        timing: { restart: { min: 600_000, max: 600_000 } },
        script: { instances: { [idOf(1)]: script } },
      },
      wrap: watched(sends),
    });

    expect(applied(played, 'restart', count)).toEqual(Array(count).fill(1));
    expect(sends.slice(1).every(([at]) => at >= 1_520)).toBe(true);
    expect(played.outcome(1)).toMatchObject({ status: 'succeeded', attempts: 2 });
  });

  it('ends in time when nothing can be read any more after the first good read', async () => {
    let isBlind = false;
    const played = await play({
      job: single('flush'),
      fleet: { instances: instances(1), timing: quick },
      wrap: (dcs, clock) => ({
        ...methodsOf(dcs),
        show: async (id) => {
          if (isBlind) return { ok: false, problem: problem('unknown', { status: 500 }) };
          isBlind = clock.now() > start + 15_000;
          return dcs.show(id);
        },
      }),
    });

    expect(played.outcome(1)).toMatchObject({ status: 'unknown', code: 'not_verified' });
    expect(played.clock.now()).toBeLessThan(start + 1800_000 + 300_000);
  });

  it.each(['put', 'updateIf'] as const)(
    'is remembered as unknown when the state fails right after it (%s)',
    async (method) => {
      const stored: MemoryState[] = [];
      const playing = play({
        job: single('flush'),
        fleet: { instances: instances(2) },
        before: async (state) => void stored.push(state),
        wrap: (dcs) => ({
          ...methodsOf(dcs),
          act: async (action, ids) => {
            for (const state of stored) Object.assign(state, { [method]: () => Promise.reject(new Error('down')) });
            return dcs.act(action, ids);
          },
        }),
      });

      await expect(playing).rejects.toThrow('down');

      const view = await remembered(stored[0]);
      expect(view.outcomes.map(({ status }) => status)).toEqual(['unknown', 'unknown']);
    },
  );
});

describe('time', () => {
  const failing = { instances: { [idOf(1)]: { sends: ['failed'] as const } } };

  it('that was slept through until after retry.for sends no retry', async () => {
    const played = await play({
      job: single('flush'),
      fleet: { instances: instances(1), script: failing },
      late: (wake) => (wake === 1 ? 12 * hour : 0),
    });

    expect(played.fleet.sent(idOf(1))).toBe(1);
    expect(played.outcome(1)).toMatchObject({ status: 'failed', code: 'retry_deadline' });
  });

  it('that passes between the turn and the send sends no retry either', async () => {
    const stored: MemoryState[] = [];
    const played = await play({
      job: single('flush'),
      fleet: { instances: instances(1), script: failing },
      before: async (state, clock) => {
        const { put } = state;
        let isLate = false;
        state.put = async (key, value, options) => {
          // Right after the retry was noted as about to be sent.
          if (!isLate && key.sk.startsWith('outcomes') && clock.now() > start + 500) clock.advance(12 * hour);
          isLate ||= clock.now() > start + hour;
          return put.call(state, key, value, options);
        };
        stored.push(state);
      },
    });

    expect(played.fleet.sent(idOf(1))).toBe(1);
    expect(played.outcome(1)).toMatchObject({ status: 'failed' });
  });

  it('that was slept through does not make a restart that took hold fail', async () => {
    const played = await play({
      job: single('restart'),
      fleet: { instances: instances(1), script: { calls: [{ on: 'act', nth: [1], answer: lost }] } },
      late: (wake) => (wake === 1 ? 2 * hour : 0),
    });

    expect(applied(played, 'restart', 1)).toEqual([1]);
    expect(played.outcome(1)).toMatchObject({ status: 'unknown' });
  });

  it('between a crash and the next wake is no time in which a lost restart was watched', async () => {
    const sends: [number, readonly string[]][] = [];
    const base: Scenario = { job: single('restart'), fleet: { instances: instances(1), timing: quick } };
    const { engine } = await play(base);
    const sent = engine.operations.findIndex((name) => name.includes('send 1')) + 1;

    await play({
      ...base,
      crash: { at: sent + 1, when: 'before' },
      late: (wake) => (wake === 1 ? 1_800 * 1_000 : 0),
      wrap: watched(sends),
    });

    expect(sends.length).toBe(2);
    expect(sends[1]?.[0]).toBeGreaterThanOrEqual(1_860);
  });
});

describe('what a run costs and shows while it is going', () => {
  it('counts keys only as long as there is no evidence', async () => {
    const timing = { lag: { min: 100, max: 100 }, flush: { min: 60_000, max: 60_000 } };

    const played = await play({ job: single('flush'), fleet: { instances: instances(1), timing } });

    expect(played.outcome(1)).toMatchObject({ status: 'succeeded', verifiedBy: 'state' });
    expect(played.fleet.calls().statistic).toBe(2);
  });

  it('tells what was accepted while it is verified', async () => {
    const stored: MemoryState[] = [];
    const told = new Set<string | undefined>();
    await play({
      job: single('restart'),
      fleet: { instances: instances(1) },
      before: async (state) => void stored.push(state),
      wrap: (dcs, clock) => ({
        ...methodsOf(dcs),
        show: async (id) => {
          if (clock.now() > start) told.add((await remembered(stored[0])).outcomes[0]?.code);
          return dcs.show(id);
        },
      }),
    });

    expect([...told]).toEqual(['verifying']);
  });

  it('renews its leases for as long as it is at work', async () => {
    const stored: MemoryState[] = [];
    const job = single('restart', { verify: { interval: 10, settle: 60, timeout: 4 * 3600 } });
    const letters = new Set<string>();
    const played = await play({
      job,
      fleet: { instances: instances(1), timing: { restart: { min: 2 * hour, max: 2 * hour } } },
      before: async (state) => void stored.push(state),
      wrap: (dcs, clock) => ({
        ...methodsOf(dcs),
        show: async (id) => {
          for (const state of clock.now() > start ? stored : []) {
            letters.add(await leasesOf(state, 'other-run', clock.now).take([id]));
          }
          return dcs.show(id);
        },
      }),
    });

    expect(played.view.status).toBe('succeeded');
    expect([...letters]).toEqual(['h']);
  });
});

describe('a stop', () => {
  it('at maxFailures comes between two groups of five calls', async () => {
    const sends: [number, readonly string[]][] = [];
    const isBad = (ids: readonly string[]): boolean => ids.length > 1 || ids[0] === idOf(1);
    const bad = refused('final', { code: 'DCS.4027', status: 400 });

    const played = await play({
      job: single('flush', {}, { maxFailures: 1 }),
      fleet: { instances: instances(32) },
      wrap: watched(sends, (_, ids) => (isBad(ids) ? bad : null)),
    });

    expect(played.view).toMatchObject({ status: 'partial', code: 'max_failures' });
    expect(sends.filter(([, ids]) => ids.length === 1).length).toBe(5);
    expect(applied(played, 'flush', 32).filter((times) => times > 0).length).toBe(4);
    expect(played.view.counts).toMatchObject({ succeeded: 4, failed: 1 });
  });

  it('is told when it has ended a retry of the last wave', async () => {
    const script = {
      instances: { [idOf(1)]: { sends: ['failed'] as const }, [idOf(2)]: { sends: ['failed'] as const } },
    };

    const played = await play({
      job: single('flush', {}, { maxFailures: 1 }),
      fleet: { instances: instances(2), script },
      wrap: changedAfterSend((detail) => (detail.id === idOf(1) ? null : detail)),
    });

    expect(played.view).toMatchObject({ status: 'failed', code: 'max_failures' });
    expect(played.view.counts).toMatchObject({ failed: 2 });
  });

  it('is not told when the last instance of all reached the threshold', async () => {
    const script = { instances: { [idOf(1)]: { restartsEnd: ['ERROR'] as const } } };

    const played = await play({
      job: single('restart', {}, { maxFailures: 1 }),
      fleet: { instances: instances(1), script },
    });

    expect(played.view.status).toBe('failed');
    expect(played.view.code).toBeUndefined();
  });

  it('by a missing right to act leaves the eyes open: what was accepted is verified', async () => {
    const forbidden: CallFault = { on: 'act', nth: [2], answer: { kind: 'error', status: 403, code: 'DCS.2007' } };

    const played = await play({
      job: single('flush'),
      fleet: { instances: instances(100), script: { calls: [forbidden] } },
    });

    expect(played.view).toMatchObject({ status: 'partial', code: 'forbidden' });
    expect(played.view.counts).toMatchObject({ succeeded: 50, notStarted: 50 });
  });

  it('of more waves than an execution has room for comes before the first send', async () => {
    const played = await play({
      job: jobOf('flush', { waves: { ...jobOf('flush').waves, size: { count: 1 } } }),
      fleet: { instances: instances(201) },
    });

    expect(played.view).toMatchObject({ status: 'refused', code: 'too_many_waves' });
    expect(played.fleet.calls().act).toBe(0);
  });

  it.each([
    ['still watches what is out', 1.5, { status: 'succeeded', attempts: 1 }],
    ['gives up what is out when it never ends', 1_000, { status: 'unknown', attempts: 1, code: 'too_many_operations' }],
  ])('for too many operations %s', async (_, hours, outcome) => {
    const busy = refused('busy', { code: 'DCS.4026', status: 400 });
    const project = { ...jobOf('restart').project, rate: { callsPerSecond: 1000, retriesPerHour: 1_000_000 } };
    const verify = { interval: 10, settle: 60, timeout: 30 * 86_400 };
    const restart = { min: hours * hour, max: hours * hour };

    const played = await play({
      job: single('restart', { project, verify }),
      fleet: { instances: instances(100), timing: { restart } },
      wrap: watched([], (_nth, ids) => (ids.length === 1 && ids[0] === idOf(1) ? null : busy)),
    });

    expect(played.engine.operations.length).toBeGreaterThan(2_600);
    expect(played.engine.operations.length).toBeLessThan(3_000);
    expect(played.view.code).toBe('too_many_operations');
    expect(played.outcome(1)).toMatchObject(outcome);
    expect(played.view.outcomes.slice(1).every(({ attempts }) => attempts === 0)).toBe(true);
  });

  it('comes before the first send where the keys before a flush cannot be counted for want of a right', async () => {
    const calls: CallFault[] = [{ on: 'statistic', answer: { kind: 'error', status: 401 } }];

    const played = await play({ job: single('flush'), fleet: { instances: instances(2), script: { calls } } });

    expect(played.view).toMatchObject({ status: 'failed', code: 'credentials_rejected' });
    expect(played.view.counts).toMatchObject({ notStarted: 2 });
    expect(played.fleet.calls().act).toBe(0);
  });
});

describe('a throttled project', () => {
  it('is left alone by all that is due until its Retry-After is over, whoever waits already', async () => {
    const sends: [number, readonly string[]][] = [];
    const answers: Record<number, Answer> = {
      2: refused('final', { code: 'DCS.4027', status: 400 }),
      3: refused('throttled', { retryAfter: 300 }),
    };

    const played = await play({
      job: single('flush'),
      fleet: { instances: instances(152), script: { instances: { [idOf(1)]: { sends: ['failed'] } } } },
      wrap: watched(sends, (nth) => answers[nth] ?? null),
    });

    const [throttledAt] = sends[2] ?? [0];
    const after = sends.filter(([at]) => at > throttledAt);
    expect(played.view.status).toBe('succeeded');
    expect(after.length).toBeGreaterThan(0);
    expect(after.every(([at]) => at >= throttledAt + 300)).toBe(true);
    expect(applied(played, 'flush', 152)).toEqual(Array(152).fill(1));
  });

  it('hears at most five calls at a time while it throttles', async () => {
    const sends: [number, readonly string[]][] = [];

    await play({
      job: single('flush', { retry: { ...jobOf('flush').retry, for: 600 } }),
      fleet: { instances: instances(1000) },
      wrap: watched(sends, () => refused('throttled')),
    });

    const moments = Map.groupBy(sends, ([at]) => at);
    expect(Math.max(...[...moments.values()].map(({ length }) => length))).toBe(5);
    expect(Math.max(...sends.map(([at]) => at))).toBeLessThanOrEqual(600);
  });

  it('that names a time of a year is not waited for', async () => {
    const played = await play({
      job: single('flush'),
      fleet: {
        instances: instances(300),
        script: {
          calls: [{ on: 'act', nth: [1, 2, 3, 4, 5], answer: { kind: 'error', status: 429, retryAfter: 86400 * 365 } }],
        },
      },
    });

    expect(played.clock.now()).toBeLessThan(start + 2 * hour);
    expect(Math.max(...applied(played, 'flush', 300))).toBe(0);
  });

  it('costs the budget only the calls that were really sent', async () => {
    const played = await play({
      job: withBudget('flush', 30),
      fleet: {
        instances: instances(1000),
        script: {
          fail: { share: 1, sends: 1 },
          calls: [{ on: 'act', nth: [21], answer: { kind: 'error', status: 429 } }],
        },
      },
    });

    expect(played.view.status).toBe('succeeded');
    expect(played.fleet.calls().act).toBe(20 + 20 + 1);
  });

  it.each([
    [19, 'retry_budget'],
    [20, undefined],
  ] as const)('and a budget of %i retries: twenty repeated calls need twenty', async (budget, code) => {
    const fleet = { instances: instances(1000), script: { fail: { share: 1, sends: 1 } } };

    const played = await play({ job: withBudget('flush', budget), fleet });

    expect(played.view.code).toBe(code);
  });
});

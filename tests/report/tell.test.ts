// Telling of runs: at the end, while a plan awaits its approval, after crashes, and where nobody listens well.

import { describe, expect, it } from '@jest/globals';
import type { Job, Notify } from '../../lib/config.ts';
import { asJson, readRecord, runKey, updateRecord } from '../../lib/record.ts';
import { post, readPost } from '../../lib/report/post.ts';
import { type Told, tellPost } from '../../lib/report/tell.ts';
import { run, type World } from '../../lib/run.ts';
import { MemoryState } from '../support/memory-state.ts';
import { fullRecord, listeners } from '../support/notices.ts';
import {
  idOf,
  instances,
  jobOf,
  type Night,
  type Played,
  play,
  quietWorld,
  type Scenario,
} from '../support/scenario.ts';
import { type Crash, VirtualClock, VirtualEngine } from '../support/virtual-engine.ts';

const ended: Notify['on'] = ['succeeded', 'partial', 'failed', 'refused', 'cancelled', 'planned'];
const [chat] = listeners(ended);
const deaf: Told = { ok: false, again: true, reason: 'the webhook answered 503' };
const gone: Told = { ok: false, again: false, reason: 'the webhook answered 404' };

function scenario(change: Partial<Scenario> = {}): Scenario {
  const notify = chat === undefined ? [] : [chat];
  return { job: jobOf('flush'), fleet: { instances: instances(3) }, notify, ...change };
}

function titles({ told }: Played): string[] {
  return told.map(({ message }) => message.title);
}

function flushed({ fleet }: Played): number[] {
  return [1, 2, 3].map((number) => fleet.applied(idOf(number)).flush);
}

describe('at the end of a run', () => {
  it('whoever listens to its status is told once, after the record has ended', async () => {
    const played = await play(scenario({ notify: listeners(ended) }));

    expect(played.told.map(({ to }) => to.to)).toEqual(['webhook', 'webhook', 'eventbridge', 'sns']);
    expect(new Set(titles(played))).toEqual(new Set(['nightly: flush succeeded, 3 succeeded']));
    expect(played.told[0]?.message.data).toMatchObject({ status: 'succeeded', finishedAt: played.view.finishedAt });
    expect(played.record.notice).toBe('told');
  });

  it('nobody is told who listens to another status, and that costs nothing', async () => {
    const silent = await play(scenario({ notify: [] }));
    const played = await play(scenario({ notify: listeners(['missed']) }));

    expect(played.told).toEqual([]);
    expect(played.record).not.toHaveProperty('notice');
    expect(played.engine.operations).toEqual(silent.engine.operations);
  });

  it.each<[string, Partial<Job>, string]>([
    ['refused', { guards: { ...jobOf('flush').guards, maxInstances: 1 } }, 'nightly: flush refused (over_cap)'],
    ['planned', { dryRun: true }, 'nightly: flush planned'],
  ])('that was %s, too', async (status, change, title) => {
    const played = await play(scenario({ job: jobOf('flush', change) }));

    expect(played.view.status).toBe(status);
    expect(titles(played)).toEqual([title]);
  });

  it('the first instances that failed are named', async () => {
    const sends = Array.from({ length: 9 }, () => 'failed' as const);
    const script = { instances: { [idOf(2)]: { sends } } };
    const played = await play(scenario({ fleet: { instances: instances(3), script } }));

    expect(titles(played)).toEqual(['nightly: flush partial, 2 succeeded, 1 failed']);
    expect(played.told[0]?.message.lines[0]).toMatch(/^cache-00002 failed after 6 attempts, attempts_exhausted: /);
  });
});

describe('a listener', () => {
  it('that does not hear is told again after 10 and 60 seconds, the others are not', async () => {
    const played = await play(
      scenario({ notify: listeners(ended), hears: (to, nth) => (to.to === 'sns' && nth < 6 ? deaf : { ok: true }) }),
    );

    const ofSns = played.told.filter(({ to }) => to.to === 'sns').map(({ at }) => at);
    expect(ofSns.map((at) => (at - (ofSns[0] ?? 0)) / 1000)).toEqual([0, 10, 70]);
    expect(played.told).toHaveLength(6);
    expect(played.record.notice).toBe('told');
    expect(played.counts.filter((count) => count.startsWith('NoticesLost'))).toEqual([]);
  });

  it('that never hears costs the run 70 seconds and nothing else', async () => {
    const heard = await play(scenario());
    const played = await play(scenario({ hears: () => deaf }));

    expect(played.told).toHaveLength(3);
    expect(played.view).toEqual(heard.view);
    expect(played.clock.now() - heard.clock.now()).toBe(70_000);
    expect(played.record.notice).toBe('lost');
    expect(played.counts).toContain('NoticesLost{} 1');
  });

  it('that is gone is told once', async () => {
    const played = await play(scenario({ hears: () => gone }));

    expect(played.told).toHaveLength(1);
    expect(played.record.notice).toBe('lost');
    expect(played.counts).toContain('NoticesLost{} 1');
  });
});

describe('whenever the program is stopped', () => {
  it('the end is told at least once with the same id, and nothing is done twice', async () => {
    const whole = await play(scenario());

    for (let at = 1; at <= whole.engine.writes; at++) {
      for (const when of ['before', 'after'] as const) {
        const played = await play(scenario({ crash: { at, when } }));

        expect(new Set(played.told.map(({ message }) => message.id))).toEqual(
          new Set([`${played.view.runId}/${played.view.status}`]),
        );
        expect(played.record.notice).toBe('told');
        expect(Math.max(...flushed(played))).toBeLessThanOrEqual(1);
      }
    }
  });
});

describe('a plan that awaits its approval', () => {
  const job = jobOf('flush', { approval: 'required' });
  const notify = listeners(['awaiting_approval']).slice(0, 1);
  const approving = async ({ runId, state, engine }: Night): Promise<void> => {
    const { approval } = await updateRecord(state, runId, (before) => {
      if (before.approval === undefined) return null;
      const decision = { verdict: 'approved', by: 'operator:bob', at: '2026-11-23T02:00:30.000Z' } as const;
      return { ...before, approval: { ...before.approval, decision } };
    });
    await engine.answer(approval?.answerId ?? '');
  };
  const asking = (change: Partial<Scenario> = {}): Scenario =>
    scenario({ job, notify, meanwhile: [{ after: 30, does: approving }], ...change });

  it('is told of while it waits, with the hash and the way to approve it', async () => {
    const played = await play(asking());

    expect(titles(played)).toEqual(['nightly: flush awaits approval, 3 instances, of which 3 lose their data']);
    expect(played.told[0]?.at).toBe(Date.parse('2026-11-23T02:00:00Z'));
    expect(played.told[0]?.message.data).toMatchObject({
      planHash: played.view.plan.hash,
      approval: { lapsesAt: '2026-11-23T03:00:00.000Z' },
    });
    expect(played.view.status).toBe('succeeded');
  });

  it('is not told of again once it was answered', async () => {
    const played = await play(asking({ hears: () => deaf }));

    expect(played.told).toHaveLength(2);
    expect(played.view.status).toBe('succeeded');
    expect(played.counts.filter((count) => count.startsWith('NoticesLost'))).toEqual([]);
  });

  it('is told of whenever the program is stopped, and flushed once', async () => {
    const whole = await play(asking());

    for (let at = 1; at <= whole.engine.writes; at++) {
      for (const when of ['before', 'after'] as const) {
        const played = await play(asking({ crash: { at, when } }));

        expect(played.told.length).toBeGreaterThanOrEqual(1);
        expect(played.record.approval?.decision?.verdict).toBe('approved');
        expect(Math.max(...flushed(played))).toBeLessThanOrEqual(1);
      }
    }
  });

  it('is told of in two operations more than without anybody who listens to it', async () => {
    const silent = await play(asking({ notify: [] }));
    const played = await play(asking());

    expect(silent.engine.operations).toContain('whom to ask');
    expect(played.engine.operations.length).toBe(silent.engine.operations.length + 1);
  });
});

describe('an execution for a run that has ended already', () => {
  async function tellOf(notice: 'due' | 'told', notify: readonly Notify[], name = 'nightly-0123456789abcdef0123-n') {
    const clock = new VirtualClock('2026-11-23T03:00:00Z');
    const state = new MemoryState();
    const record = fullRecord({ status: 'missed', code: 'start_deadline', notice });
    await state.putIfAbsent(runKey(record.runId), asJson(record));
    const engine = new VirtualEngine(clock, null, name);
    const ids: string[] = [];
    const dcs = (): never => {
      throw new Error('there is no need of DCS here');
    };
    const world = {
      ...quietWorld(state, dcs, clock),
      config: { stage: 'prod', notify },
      messenger: async (_: Notify, { id }: { readonly id: string }): Promise<Told> => {
        ids.push(id);
        return { ok: true };
      },
    };
    const status = await engine.drive((invocation) => run(record.runId, invocation, world));
    return { status, ids, after: await readRecord(state, record.runId) };
  }

  it('only tells of it, and notes that', async () => {
    const { status, ids, after } = await tellOf('due', listeners(['missed']));

    expect(status).toBe('missed');
    expect(ids).toEqual(Array(4).fill('nightly-0123456789abcdef0123/missed'));
    expect(after).toEqual(fullRecord({ status: 'missed', code: 'start_deadline', notice: 'told' }));
  });

  it('tells nobody a second time', async () => {
    const { ids } = await tellOf('told', listeners(['missed']));

    expect(ids).toEqual([]);
  });

  it('has nothing left to do where nobody listens any more', async () => {
    const { ids, after } = await tellOf('due', []);

    expect(ids).toEqual([]);
    expect(after?.notice).toBe('told');
  });
});

describe('a message that belongs to no run', () => {
  const message = { id: 'one', kind: 'Storm', title: 'staging: alert storm', lines: ['many'], data: { v: 1 } };
  const noDcs = (): never => {
    throw new Error('there is no need of DCS here');
  };

  async function tellIt(notify: readonly Notify[], answer: Told = { ok: true }, crash: Crash | null = null) {
    const clock = new VirtualClock('2026-11-23T03:00:00Z');
    const state = new MemoryState();
    const name = (await post(state, message, clock.now())) ?? '';
    const engine = new VirtualEngine(clock, crash, name);
    const heard: string[] = [];
    const world: World = {
      ...quietWorld(state, noDcs, clock),
      config: { stage: 'prod', notify },
      messenger: async (_, { id }) => {
        heard.push(id);
        return answer;
      },
    };
    const outcome = await engine.drive((invocation) => tellPost(name, invocation, world));
    return { outcome, heard, engine, state, name, world, after: await readPost(state, name) };
  }

  it('is told to whoever listens to refusals, and that is noted', async () => {
    const { outcome, heard, after } = await tellIt([...listeners(['refused']), ...listeners(['failed'])]);

    expect(outcome).toBe('told');
    expect(heard).toEqual(Array(4).fill('one'));
    expect(after).toMatchObject({ state: 'told', message });
  });

  it('is posted once', async () => {
    const { state } = await tellIt([]);

    expect(await post(state, message, 0)).toBeNull();
  });

  it('is not told again by a second execution', async () => {
    const { heard, name, world } = await tellIt(listeners(['refused']));

    await new VirtualEngine(new VirtualClock('2026-11-23T04:00:00Z')).drive((again) => tellPost(name, again, world));

    expect(heard).toHaveLength(4);
  });

  it('that nobody hears is given up', async () => {
    const { outcome, heard, after } = await tellIt(listeners(['refused']).slice(0, 1), deaf);

    expect(outcome).toBe('lost');
    expect(heard).toHaveLength(3);
    expect(after?.state).toBe('lost');
  });

  it('is told at least once, whenever the program is stopped', async () => {
    const { engine } = await tellIt(listeners(['refused']));

    for (let at = 1; at <= engine.writes; at++) {
      for (const when of ['before', 'after'] as const) {
        const { heard, after } = await tellIt(listeners(['refused']), { ok: true }, { at, when });

        expect(heard.length).toBeGreaterThanOrEqual(4);
        expect(after?.state).toBe('told');
      }
    }
  });
});

describe('what is counted', () => {
  it('is the end, its code, the outcomes and the exclusions, each once', async () => {
    const fleet = { instances: instances(3, (n) => (n === 3 ? { tags: { 'dcs-autopilot-protected': 'true' } } : {})) };
    const played = await play(scenario({ fleet }));
    const refused = await play(
      scenario({ job: jobOf('flush', { guards: { ...jobOf('flush').guards, maxInstances: 1 } }) }),
    );

    expect(played.counts).toEqual([
      'InstancesExcluded{protected} 1',
      'RunsEnded{succeeded} 1',
      'Outcomes{succeeded} 2',
    ]);
    expect(refused.counts).toEqual(['RunsEnded{refused} 1', 'RunsRefused{over_cap} 1']);
  });

  it('are those, too, that were left out after the plan was made', async () => {
    const played = await play(scenario({ held: [idOf(1)] }));

    expect(played.counts).toContain('InstancesExcluded{collision} 1');
  });
});

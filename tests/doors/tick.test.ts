// Ticks that come late, twice or never: each due fire gets one run, each missed one a record.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Job } from '../../lib/config.ts';
import { accept } from '../../lib/doors/accept.ts';
import type { Event } from '../../lib/event.ts';
import { asJson, runKey, updateRecord } from '../../lib/record.ts';
import { fires } from '../../lib/schedule.ts';
import { configOf, ScheduledWorld } from '../support/scheduled-world.ts';

const daily = '{schedule: {cron: "0 2 * * *", timezone: UTC, startDeadline: 30m}}';
const each10 = '{schedule: {cron: "*/10 * * * *", timezone: UTC, startDeadline: 30m, overlap: skip}}';
const queue10 = '{schedule: {cron: "*/10 * * * *", timezone: UTC, startDeadline: 30m, overlap: queue}}';
const hook = '{webhook: {auth: bearer, secrets: [env:HOOK_SECRET], instances: none}}';
const nothing = { accepted: [], missed: [], overlapped: [], started: [], died: [], telling: [] };

function worldOf(triggers: Readonly<Record<string, string>>): ScheduledWorld {
  return new ScheduledWorld(configOf(triggers));
}

function jobOf(world: ScheduledWorld, name: string): Job {
  const job = world.config.jobs[name];
  if (job === undefined) throw new Error(`no job ${name}`);
  return job;
}

function manual(world: ScheduledWorld, identity: string): Event {
  return { trigger: 'manual', identity, requestedBy: 'operator:alice', receivedAt: new Date(world.time).toISOString() };
}

describe('a fire', () => {
  it('is accepted as a run of its planned instant', async () => {
    const world = worldOf({ nightly: daily });
    await world.tickAt('2026-01-01T12:00');

    const result = await world.tickAt('2026-01-02T02:00:20');

    const runId = world.id('nightly', '2026-01-02T02:00');
    expect(result).toEqual({ ...nothing, accepted: [runId] });
    expect(world.executions.starts).toEqual([runId]);
    expect(await world.record('nightly', '2026-01-02T02:00')).toMatchObject({
      status: 'accepted',
      started: true,
      event: {
        trigger: 'schedule',
        identity: '2026-01-02T02:00:00.000Z',
        requestedBy: 'schedule',
        receivedAt: '2026-01-02T02:00:20.000Z',
      },
    });
  });

  it('that a clock change moved says so in its event', async () => {
    const world = worldOf({ nightly: '{schedule: {cron: "30 2 * * *", timezone: Europe/Berlin, startDeadline: 30m}}' });
    await world.tickAt('2026-03-28T12:00');

    await world.tickAt('2026-03-29T01:00:05');

    const record = await world.record('nightly', '2026-03-29T01:00');
    expect(record?.event.reason).toBe('moved from 02:30, which the clocks skip on this day');
  });

  it('of the minute in which the schedule is first seen counts, earlier ones do not', async () => {
    const world = worldOf({ often: each10 });

    const result = await world.tickAt('2026-01-01T12:00');

    expect(result.accepted).toEqual([world.id('often', '2026-01-01T12:00')]);
    expect(result.missed).toEqual([]);
  });

  it('runs late inside the start deadline', async () => {
    const world = worldOf({ nightly: daily });
    await world.tickAt('2026-01-01T12:00');

    const result = await world.tickAt('2026-01-02T02:30');

    expect(result.accepted).toEqual([world.id('nightly', '2026-01-02T02:00')]);
  });

  it('is recorded as missed after the start deadline, and starts nothing', async () => {
    const world = worldOf({ nightly: daily });
    await world.tickAt('2026-01-01T12:00');

    const result = await world.tickAt('2026-01-02T02:47');

    expect(result).toEqual({ ...nothing, missed: [world.id('nightly', '2026-01-02T02:00')] });
    expect(world.executions.starts).toEqual([]);
    expect(await world.record('nightly', '2026-01-02T02:00')).toMatchObject({
      status: 'missed',
      code: 'start_deadline',
      reason: 'planned for 2026-01-02T02:00:00+00:00, now 47 min ago, and the start deadline is 30 min',
      finishedAt: '2026-01-02T02:47:00.000Z',
    });
    expect(world.logged).toContain('warn fire missed');
  });

  it('has one record each after a standstill of days', async () => {
    const world = worldOf({ nightly: daily });
    await world.tickAt('2026-01-01T12:00');

    const result = await world.tickAt('2026-01-05T02:01');

    expect(result.missed).toEqual(['02', '03', '04'].map((day) => world.id('nightly', `2026-01-${day}T02:00`)));
    expect(result.accepted).toEqual([world.id('nightly', '2026-01-05T02:00')]);
  });

  it('is recorded by a later tick where there are too many, but a due one starts at once', async () => {
    const world = worldOf({ often: each10 });
    await world.tickAt('2026-01-01T12:01');

    const first = await world.tickAt('2026-01-02T12:00');
    const second = await world.tickAt('2026-01-02T12:01');
    const third = await world.tickAt('2026-01-02T12:02');

    expect(first.missed).toHaveLength(100);
    expect(first.accepted).toEqual([world.id('often', '2026-01-02T11:30')]);
    expect(second).toEqual({ ...nothing, missed: expect.any(Array) });
    expect(second.missed).toHaveLength(40);
    expect(third).toEqual(nothing);
  });

  it('is told to be forgotten where a standstill held more than a tick looks at', async () => {
    const world = worldOf({ busy: '{schedule: {cron: "* * * * *", timezone: UTC, startDeadline: 30m}}' });
    await world.tickAt('2026-01-01T12:01');

    await world.tickAt('2026-01-02T12:00');

    expect(world.logged).toContain('warn fires forgotten');
  });
});

describe('a schedule', () => {
  it('that changed starts afresh', async () => {
    const world = worldOf({ nightly: daily });
    await world.tickAt('2026-01-01T12:00');
    world.config = configOf({ nightly: '{schedule: {cron: "0 9 * * *", timezone: UTC, startDeadline: 30m}}' });

    const result = await world.tickAt('2026-01-02T12:00');

    expect(result).toEqual(nothing);
  });

  it.each([
    ['disabled', configOf({ nightly: daily }, '\n    enabled: false')],
    ['taken out of the configuration', configOf({ other: hook })],
    ['given another trigger', configOf({ nightly: hook })],
  ])('that was %s for a while has missed nothing', async (_, without) => {
    const world = worldOf({ nightly: daily });
    const before = world.config;
    await world.tickAt('2026-01-01T12:00');
    world.config = without;
    const meanwhile = [await world.tickAt('2026-01-01T12:01'), await world.tickAt('2026-01-02T02:00')];
    world.config = before;

    const after = [await world.tickAt('2026-01-03T12:00'), await world.tickAt('2026-01-04T02:00')];

    expect(meanwhile).toEqual([nothing, nothing]);
    expect(after).toEqual([nothing, { ...nothing, accepted: [world.id('nightly', '2026-01-04T02:00')] }]);
  });
});

describe('a fire that comes while an earlier run is going', () => {
  it('is refused for overlap, where the job skips', async () => {
    const world = worldOf({ often: each10 });
    const first = await world.tickAt('2026-01-01T12:00');

    const result = await world.tickAt('2026-01-01T12:10');

    expect(result).toEqual({ ...nothing, overlapped: [world.id('often', '2026-01-01T12:10')] });
    expect(await world.record('often', '2026-01-01T12:10')).toMatchObject({
      status: 'refused',
      code: 'overlap',
      reason: `planned for 2026-01-01T12:10:00+00:00, when the run ${first.accepted[0]} had not ended`,
    });
  });

  it('runs, where the earlier one has ended', async () => {
    const world = worldOf({ often: each10 });
    await world.tickAt('2026-01-01T12:00');
    await world.end(world.id('often', '2026-01-01T12:00'));

    const result = await world.tickAt('2026-01-01T12:10');

    expect(result.accepted).toEqual([world.id('often', '2026-01-01T12:10')]);
  });

  it('is refused behind an operator’s run, too', async () => {
    const world = worldOf({ often: each10 });
    await world.tickAt('2026-01-01T12:01');
    await accept(world, jobOf(world, 'often'), manual(world, 'by-hand'));

    const result = await world.tickAt('2026-01-01T12:10');

    expect(result.overlapped).toEqual([world.id('often', '2026-01-01T12:10')]);
  });

  it('waits, where the job queues, and starts when the earlier one has ended', async () => {
    const world = worldOf({ often: queue10 });
    await world.tickAt('2026-01-01T12:00');
    const waiting = await world.tickAt('2026-01-01T12:10');
    await world.end(world.id('often', '2026-01-01T12:00'));

    const result = await world.tickAt('2026-01-01T12:14');

    expect(waiting).toEqual(nothing);
    expect(result).toEqual({ ...nothing, accepted: [world.id('often', '2026-01-01T12:10')] });
    expect(await world.tickAt('2026-01-01T12:15')).toEqual(nothing);
  });

  it('waits alone: the next one is refused', async () => {
    const world = worldOf({ often: queue10 });
    await world.tickAt('2026-01-01T12:00');
    await world.tickAt('2026-01-01T12:10');

    const result = await world.tickAt('2026-01-01T12:20');

    expect(result).toEqual({ ...nothing, overlapped: [world.id('often', '2026-01-01T12:20')] });
    expect(await world.tickAt('2026-01-01T12:21')).toEqual(nothing);
  });

  it('is missed, when it waited beyond its start deadline', async () => {
    const world = worldOf({ often: queue10 });
    const first = await world.tickAt('2026-01-01T12:00');
    await world.tickAt('2026-01-01T12:10');

    const result = await world.tickAt('2026-01-01T12:41');

    expect(result.missed).toEqual([world.id('often', '2026-01-01T12:10')]);
    expect((await world.record('often', '2026-01-01T12:10'))?.reason).toBe(
      `planned for 2026-01-01T12:10:00+00:00, now 31 min ago, and the start deadline is 30 min; the run ${first.accepted[0]} has not ended yet`,
    );
  });

  it('is refused still when many refused ones lie between the two', async () => {
    const world = worldOf({ often: each10 });
    await world.tickAt('2026-01-01T12:00');
    const results = [];
    for (let at = Date.parse('2026-01-01T12:10Z'); at < Date.parse('2026-01-03T12:00Z'); at += 600_000) {
      results.push(await world.tickAt(new Date(at).toISOString().slice(0, -1)));
    }

    expect(results.filter((result) => result.overlapped.length === 1)).toHaveLength(results.length);
  });
});

describe('a stuck run', () => {
  it('that was stored but not started is started', async () => {
    const world = worldOf({ deploy: hook });
    world.executions.failing = new Error('throttled');
    const { runId } = await accept(world, jobOf(world, 'deploy'), manual(world, 'key'));
    world.executions.failing = null;

    const result = await world.tickAt('1970-01-01T00:01');

    expect(result).toEqual({ ...nothing, started: [runId] });
    expect(world.executions.starts).toEqual([runId]);
    expect(await world.tickAt('1970-01-01T00:02')).toEqual(nothing);
  });

  it('that cannot be started makes the tick fail, and is started by a later one', async () => {
    const world = worldOf({ deploy: hook });
    world.executions.failing = new Error('throttled');
    const { runId } = await accept(world, jobOf(world, 'deploy'), manual(world, 'key'));
    await expect(world.tickAt('1970-01-01T00:01')).rejects.toMatchObject({ code: 'tick_failed' });
    world.executions.failing = null;

    expect((await world.tickAt('1970-01-01T00:02')).started).toEqual([runId]);
  });

  it('is left to the next tick after 200 starts in a tick, fires counted in', async () => {
    const world = worldOf({ deploy: hook, often: each10 });
    await world.tickAt('2026-01-01T11:59');
    world.executions.failing = new Error('throttled');
    const stored: string[] = [];
    for (let n = 0; n < 250; n++) {
      stored.push((await accept(world, jobOf(world, 'deploy'), manual(world, `key-${n}`))).runId);
    }
    world.executions.failing = null;

    const first = await world.tickAt('2026-01-01T12:00');
    const second = await world.tickAt('2026-01-01T12:01');
    const third = await world.tickAt('2026-01-01T12:02');

    expect(first).toMatchObject({ accepted: [world.id('often', '2026-01-01T12:00')], missed: [], overlapped: [] });
    expect(first.started).toHaveLength(199);
    expect(second.started).toHaveLength(51);
    expect([...first.started, ...second.started].sort()).toEqual(stored.sort());
    expect(third).toEqual(nothing);
  });

  it('is one of at most 300 that a tick looks at, each in its turn, and the schedules go on', async () => {
    const world = worldOf({ deploy: hook, often: each10 });
    await world.tickAt('2026-01-01T11:49');
    for (let n = 0; n < 700; n++) await accept(world, jobOf(world, 'deploy'), manual(world, `key-${n}`));
    const { status } = world.executions;
    let looked = new Set<string>();
    world.executions.status = async (id) => {
      looked.add(id);
      return status.call(world.executions, id);
    };

    const fired = await world.tickAt('2026-01-01T11:50');
    const most = looked.size;
    looked = new Set();
    for (const minute of ['51', '52', '53']) await world.tickAt(`2026-01-01T11:${minute}`);

    expect(most).toBeLessThanOrEqual(301);
    expect(fired.accepted).toEqual([world.id('often', '2026-01-01T11:50')]);
    expect(looked.size).toBe(701);
  });

  it('waits for the next tick where a tick has no time left, and keeps no schedule waiting', async () => {
    const hooks = Object.fromEntries(Array.from({ length: 6 }, (_, n) => [`deploy-${n}`, hook]));
    const world = worldOf({ ...hooks, often: each10 });
    await world.tickAt('2026-01-01T11:49');
    const open = Object.keys(hooks).flatMap((name) =>
      Array.from({ length: 150 }, (_, n) => [name, `key-${n}`] as const),
    );
    for (const [name, key] of open) await accept(world, jobOf(world, name), manual(world, key));
    const looked = new Set<string>();
    const { status } = world.executions;
    world.executions.status = async (id) => {
      looked.add(id);
      world.time += 200;
      return status.call(world.executions, id);
    };

    const begun = Date.parse('2026-01-01T11:50Z');
    const fired = await world.tickAt('2026-01-01T11:50');
    const took = world.time - begun;
    for (let minute = 51; minute < 60; minute++) await world.tickAt(`2026-01-01T11:${minute}`);

    expect(took).toBeLessThan(50_000);
    expect(fired.accepted).toEqual([world.id('often', '2026-01-01T11:50')]);
    expect(looked.size).toBe(901);
  });

  it('of a schedule that could not be started in time is missed', async () => {
    const world = worldOf({ nightly: daily });
    await world.tickAt('2026-01-01T12:00');
    world.executions.failing = new Error('throttled');
    const { accepted } = await world.tickAt('2026-01-02T02:00');
    world.executions.failing = null;

    const result = await world.tickAt('2026-01-02T02:31');

    expect(result).toEqual({ ...nothing, missed: accepted });
    expect(world.executions.starts).toEqual([]);
    expect(await world.record('nightly', '2026-01-02T02:00')).toMatchObject({
      status: 'missed',
      code: 'start_deadline',
      finishedAt: '2026-01-02T02:31:00.000Z',
    });
  });

  it('whose start was not noted is noted as started, however late', async () => {
    const world = worldOf({ nightly: daily });
    await world.tickAt('2026-01-01T12:00');
    world.executions.failing = new Error('connection lost');
    const { accepted } = await world.tickAt('2026-01-02T02:00');
    world.executions.failing = null;
    world.executions.statuses.set(accepted[0] ?? '', 'running');

    const result = await world.tickAt('2026-01-02T02:31');

    expect(result).toEqual({ ...nothing, started: accepted });
    expect(await world.record('nightly', '2026-01-02T02:00')).toMatchObject({ status: 'accepted', started: true });
  });

  it.each(['accepted', 'running'] as const)(
    'that is %s and whose execution ended is closed as failed',
    async (status) => {
      const world = worldOf({ nightly: daily });
      await world.tickAt('2026-01-01T12:00');
      const { accepted } = await world.tickAt('2026-01-02T02:00');
      await world.end(accepted[0] ?? '', status);

      const result = await world.tickAt('2026-01-02T02:01');

      expect(result).toEqual({ ...nothing, died: accepted });
      expect(await world.record('nightly', '2026-01-02T02:00')).toMatchObject({
        status: 'failed',
        code: 'execution_died',
        reason: expect.any(String),
        finishedAt: '2026-01-02T02:01:00.000Z',
      });
      expect(world.logged).toContain('error execution died');
    },
  );

  it('keeps the result that it wrote while it was looked at', async () => {
    const world = worldOf({ nightly: daily });
    await world.tickAt('2026-01-01T12:00');
    await world.tickAt('2026-01-02T02:00');
    world.executions.status = async (runId) => {
      await world.end(runId, 'partial');
      return 'ended';
    };

    const result = await world.tickAt('2026-01-02T02:01');

    expect(result).toEqual(nothing);
    expect((await world.record('nightly', '2026-01-02T02:00'))?.status).toBe('partial');
  });

  it('that nothing has begun on yet is never called dead: after ten minutes it is started once more', async () => {
    const world = worldOf({ nightly: daily });
    await world.tickAt('2026-01-01T12:00');
    const { accepted } = await world.tickAt('2026-01-02T02:00');
    world.executions.statuses.clear();

    const early = await world.tickAt('2026-01-02T02:09');
    const listedEarly = world.executions.statuses.size;
    const late = await world.tickAt('2026-01-02T02:10');

    expect([early, late]).toEqual([nothing, nothing]);
    expect(listedEarly).toBe(0);
    expect([...world.executions.statuses.keys()]).toEqual(accepted);
  });

  it('whose execution is not listed is left alone for ten minutes, then closed', async () => {
    const world = worldOf({ nightly: daily });
    await world.tickAt('2026-01-01T12:00');
    const { accepted } = await world.tickAt('2026-01-02T02:00');
    world.executions.statuses.clear();
    await updateRecord(world.state, accepted[0] ?? '', (now) => ({
      ...now,
      status: 'running',
      startedAt: '2026-01-02T02:00:00.000Z',
    }));

    const early = await world.tickAt('2026-01-02T02:09');
    const late = await world.tickAt('2026-01-02T02:10');

    expect(early).toEqual(nothing);
    expect(late).toEqual({ ...nothing, died: accepted });
  });

  it('stands in the way of no fire once it is closed', async () => {
    const world = worldOf({ often: each10 });
    const { accepted } = await world.tickAt('2026-01-01T12:00');
    world.executions.statuses.set(accepted[0] ?? '', 'ended');

    const result = await world.tickAt('2026-01-01T12:10');

    expect(result).toEqual({ ...nothing, died: accepted, accepted: [world.id('often', '2026-01-01T12:10')] });
  });

  it('is found although its job is no longer in the configuration', async () => {
    const world = worldOf({ nightly: daily });
    await world.tickAt('2026-01-01T12:00');
    const { accepted } = await world.tickAt('2026-01-02T02:00');
    world.config = configOf({ other: hook });
    world.executions.statuses.set(accepted[0] ?? '', 'ended');

    expect((await world.tickAt('2026-01-02T02:05')).died).toEqual(accepted);
  });

  it('is found among more runs than one page of the index', async () => {
    const world = worldOf({ deploy: hook });
    for (let index = 0; index < 250; index++) {
      world.time = Date.parse('2026-01-01T12:00Z') + index;
      await accept(world, jobOf(world, 'deploy'), manual(world, `key ${index}`));
    }
    for (const runId of world.executions.starts) world.executions.statuses.set(runId, 'ended');

    expect((await world.tickAt('2026-01-01T12:05')).died).toHaveLength(250);
  });
});

describe('what goes wrong with one job', () => {
  it('does not keep the others from their fires, and is thrown in the end', async () => {
    const world = worldOf({ broken: each10, sound: each10, worse: hook });
    await world.tickAt('2026-01-01T12:01');
    world.state.broken = `run#broken-`;

    const failure = world.tickAt('2026-01-01T12:10');

    await expect(failure).rejects.toThrow('the tick failed in part: no write to run#broken-');
    expect(world.executions.starts).toEqual([world.id('sound', '2026-01-01T12:10')]);
    expect(world.logged).toContain('error part of a tick failed');
  });

  it('is made up for by the next tick', async () => {
    const world = worldOf({ often: each10 });
    await world.tickAt('2026-01-01T12:01');
    world.state.broken = 'run#';
    await expect(world.tickAt('2026-01-01T12:10')).rejects.toThrow();
    world.state.broken = null;

    expect((await world.tickAt('2026-01-01T12:11')).accepted).toEqual([world.id('often', '2026-01-01T12:10')]);
  });

  it('never starts a fire again where only the mark could not be moved', async () => {
    const world = worldOf({ often: each10 });
    await world.tickAt('2026-01-01T12:01');
    world.state.broken = 'mark#';
    await expect(world.tickAt('2026-01-01T12:10')).rejects.toThrow();
    world.state.broken = null;

    expect(await world.tickAt('2026-01-01T12:11')).toEqual(nothing);
    expect(world.executions.starts).toEqual([world.id('often', '2026-01-01T12:10')]);
  });

  it('makes a fire wait where an earlier run cannot be looked at', async () => {
    const world = worldOf({ often: each10 });
    await world.tickAt('2026-01-01T12:00');
    await world.end(world.id('often', '2026-01-01T12:00'), 'running');
    world.executions.failing = new Error('throttled');

    await expect(world.tickAt('2026-01-01T12:10')).rejects.toThrow('throttled');
    world.executions.failing = null;

    expect((await world.tickAt('2026-01-01T12:11')).accepted).toEqual([world.id('often', '2026-01-01T12:10')]);
  });

  it('lets no fire be forgotten that waited in vain', async () => {
    const world = worldOf({ nightly: daily });
    await world.tickAt('2026-01-01T12:00');
    await accept(world, jobOf(world, 'nightly'), manual(world, 'key'));
    world.executions.failing = new Error('throttled');

    await expect(world.tickAt('2026-01-02T02:00')).rejects.toThrow('throttled');
    await expect(world.tickAt('2026-01-02T02:31')).rejects.toThrow('throttled');

    expect((await world.record('nightly', '2026-01-02T02:00'))?.code).toBe('start_deadline');
  });

  it('is told in number where there is more than one', async () => {
    const world = worldOf({ a: each10, b: each10 });
    await world.tickAt('2026-01-01T12:01');
    world.state.broken = 'run#';

    await expect(world.tickAt('2026-01-01T12:10')).rejects.toThrow(/, and 1 more$/);
  });

  it('includes a record that this program did not write', async () => {
    const world = worldOf({ deploy: hook });
    const index = { job: 'deploy', createdAt: '2026-01-01T12:00:00.000Z' };
    await world.state.putIfAbsent(runKey('deploy-x'), asJson({ v: 2 }), { index });

    await expect(world.tickAt('2026-01-01T12:01')).rejects.toThrow('a stored run was not written by this version');
  });
});

describe('any sequence of ticks', () => {
  const step = fc.record({
    after: fc.integer({ min: 0, max: 50 * 60_000 }),
    fault: fc.constantFrom(null, null, null, 'run#', 'mark#', 'open#'),
    together: fc.boolean(),
  });

  it('gives each fire exactly one record, and starts each run once', async () => {
    const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const world = worldOf({ often: '{schedule: {cron: "*/30 * * * *", timezone: UTC, startDeadline: 29m}}' });
      const begin = Date.parse('2026-01-01T12:01Z');
      await world.tickAt('2026-01-01T12:01');
      let now = begin;
      for (const { after, fault, together } of [...steps, { after: 0, fault: null, together: false }]) {
        now += after;
        const instant = new Date(now).toISOString().slice(0, -1);
        world.state.broken = fault;
        await Promise.allSettled(together ? [world.tickAt(instant), world.tickAt(instant)] : [world.tickAt(instant)]);
        for (const runId of new Set(world.executions.starts)) await world.endQuietly(runId);
      }

      const planned = fires({ cron: '*/30 * * * *', timezone: 'UTC' }, begin, now).map((fire) => fire.at);
      const records = await world.state.byJob('often', 1000);
      const runs = records.map((item) => item.pk.slice('run#'.length)).sort();
      const ids = planned.map((at) => world.id('often', new Date(at).toISOString().slice(0, -1)));
      expect(runs).toEqual(ids.sort());
      expect([...new Set(world.executions.starts)].sort()).toEqual((await world.startedRuns('often')).sort());
    });

    await fc.assert(property, { numRuns: 60 });
  });
});

// Runs that end without an execution of their own, or whose execution died: the tick has somebody told, once.

import { describe, expect, it } from '@jest/globals';
import type { Notify } from '../../lib/config.ts';
import { accept } from '../../lib/doors/accept.ts';
import { readRecord, updateRecord } from '../../lib/record.ts';
import { post, readPost, settlePost } from '../../lib/report/post.ts';
import { listeners } from '../support/notices.ts';
import { configOf, ScheduledWorld } from '../support/scheduled-world.ts';

const daily = '{schedule: {cron: "0 2 * * *", timezone: UTC, startDeadline: 30m}}';
const each10 = '{schedule: {cron: "*/10 * * * *", timezone: UTC, startDeadline: 30m, overlap: skip}}';
const each1 = '{schedule: {cron: "* * * * *", timezone: UTC, startDeadline: 10m}}';

function worldOf(schedule: string, on: Notify['on']): ScheduledWorld {
  return new ScheduledWorld({ ...configOf({ nightly: schedule }), notify: listeners(on).slice(0, 1) });
}

/** A world in which the fire of two o'clock is recorded as missed. */
async function missed(on: Notify['on'] = ['missed']): Promise<{ world: ScheduledWorld; runId: string }> {
  const world = worldOf(daily, on);
  await world.tickAt('2026-01-01T12:00');
  await world.tickAt('2026-01-02T02:47');
  return { world, runId: world.id('nightly', '2026-01-02T02:00') };
}

async function told(world: ScheduledWorld, runId: string): Promise<void> {
  await updateRecord(world.state, runId, (record) => ({ ...record, notice: 'told' }));
  world.executions.statuses.set(`${runId}-n`, 'ended');
}

describe('a missed fire', () => {
  it('is told of by an execution that the next tick starts', async () => {
    const { world, runId } = await missed();

    const result = await world.tickAt('2026-01-02T02:48');

    expect(result.telling).toEqual([runId]);
    expect(world.executions.starts).toEqual([`${runId}-n`]);
  });

  it('is told of once', async () => {
    const { world, runId } = await missed();
    await world.tickAt('2026-01-02T02:48');
    await world.tickAt('2026-01-02T02:49');
    await told(world, runId);

    await world.tickAt('2026-01-02T02:50');
    await world.tickAt('2026-01-02T02:51');

    expect(world.executions.starts).toEqual([`${runId}-n`]);
    expect(world.logged).not.toContain('warn notice lost');
  });

  it('is told of later where the start got lost', async () => {
    const { world, runId } = await missed();
    world.executions.failing = new Error('no answer');
    await expect(world.tickAt('2026-01-02T02:48')).rejects.toMatchObject({ code: 'tick_failed' });
    world.executions.failing = null;

    await world.tickAt('2026-01-02T05:00');

    expect(world.executions.starts).toEqual([`${runId}-n`]);
  });

  it('whose execution died is given up, and that is counted', async () => {
    const { world, runId } = await missed();
    await world.tickAt('2026-01-02T02:48');
    world.executions.statuses.set(`${runId}-n`, 'ended');

    await world.tickAt('2026-01-02T02:49');
    await world.tickAt('2026-01-02T02:50');

    expect(world.executions.starts).toEqual([`${runId}-n`]);
    expect((await readRecord(world.state, runId))?.notice).toBe('lost');
    expect(world.metrics.counts).toEqual(['RunsEnded{missed} 1', 'NoticesLost{} 1']);
  });

  it('starts nothing where nobody listens', async () => {
    const { world, runId } = await missed(['failed']);

    await world.tickAt('2026-01-02T02:48');

    expect(world.executions.starts).toEqual([]);
    expect(await readRecord(world.state, runId)).not.toHaveProperty('notice');
  });

  it('of which there are many takes no place of a run that is due', async () => {
    const world = worldOf(each1, ['missed']);
    await world.tickAt('2026-01-01T12:00');
    await world.end(world.id('nightly', '2026-01-01T12:00'));
    await world.tickAt('2026-01-01T14:00');

    const result = await world.tickAt('2026-01-01T14:01');

    expect(result.telling).toHaveLength(50);
  });
});

describe('a fire that is refused for overlap', () => {
  it('is told of, and stands in the way of no other fire', async () => {
    const world = worldOf(each10, ['refused']);
    await world.tickAt('2026-01-01T12:00');
    await world.tickAt('2026-01-01T12:10');
    await world.end(world.id('nightly', '2026-01-01T12:00'));

    const result = await world.tickAt('2026-01-01T12:20');

    expect(result.telling).toEqual([world.id('nightly', '2026-01-01T12:10')]);
    expect(result.accepted).toEqual([world.id('nightly', '2026-01-01T12:20')]);
    expect(world.metrics.counts).toEqual(['RunsEnded{refused} 1', 'RunsRefused{overlap} 1']);
  });
});

describe('a run whose execution died', () => {
  it('is told of by the tick that finds out', async () => {
    const world = worldOf(daily, ['failed']);
    const runId = await began(world);
    world.executions.statuses.set(runId, 'ended');

    const result = await world.tickAt('2026-01-01T12:05');

    expect(result).toMatchObject({ died: [runId], telling: [runId] });
    expect(world.executions.starts).toEqual([runId, `${runId}-n`]);
  });
});

describe('a run that has ended', () => {
  it('is left to its own execution as long as that goes on', async () => {
    const world = worldOf(daily, ['succeeded']);
    const runId = await began(world);
    await updateRecord(world.state, runId, (now) => ({ ...now, status: 'succeeded', notice: 'due' }));

    const going = await world.tickAt('2026-01-01T12:05');
    world.executions.statuses.set(runId, 'ended');
    const after = await world.tickAt('2026-01-01T12:06');

    expect(going.telling).toEqual([]);
    expect(after.telling).toEqual([runId]);
  });

  it('whose execution is not listed yet is left alone for ten minutes', async () => {
    const world = worldOf(daily, ['succeeded']);
    const runId = await began(world);
    const finishedAt = new Date(world.time).toISOString();
    await updateRecord(world.state, runId, (now) => ({ ...now, status: 'succeeded', notice: 'due', finishedAt }));
    world.executions.statuses.delete(runId);

    const early = await world.tickAt('2026-01-01T12:09');
    const late = await world.tickAt('2026-01-01T12:10');

    expect([early.telling, late.telling]).toEqual([[], [runId]]);
  });
});

/** A run by hand, at noon, whose execution has taken it. */
async function began(world: ScheduledWorld): Promise<string> {
  await world.tickAt('2026-01-01T12:00');
  const job = world.config.jobs['nightly'];
  if (job === undefined) throw new Error('the job is gone');
  const receivedAt = new Date(world.time).toISOString();
  const event = { trigger: 'manual', identity: 'one', requestedBy: 'operator:alice', receivedAt } as const;
  const { runId } = await accept(world, job, event);
  await updateRecord(world.state, runId, (now) => ({ ...now, status: 'running', execution: 'arn:1' }));
  return runId;
}

describe('a posted message', () => {
  const message = { id: 'one', kind: 'Storm', title: 'storm', lines: [], data: {} };

  async function posted() {
    const world = worldOf(daily, ['refused']);
    await world.tickAt('2026-01-01T12:00');
    return { world, name: (await post(world.state, message, world.time)) ?? '' };
  }

  it('that nobody began to tell is told from the next tick on', async () => {
    const { world, name } = await posted();

    await world.tickAt('2026-01-01T12:01');
    await world.tickAt('2026-01-01T12:02');

    expect(world.executions.starts).toEqual([name]);
  });

  it('that was told is left alone', async () => {
    const { world, name } = await posted();
    await settlePost(world.state, name, 'told');

    await world.tickAt('2026-01-01T12:01');

    expect(world.executions.starts).toEqual([]);
  });

  it('whose execution died is given up, and that is counted', async () => {
    const { world, name } = await posted();
    world.executions.statuses.set(name, 'ended');

    await world.tickAt('2026-01-01T12:01');
    await world.tickAt('2026-01-01T12:02');

    expect((await readPost(world.state, name))?.state).toBe('lost');
    expect(world.metrics.counts).toEqual(['NoticesLost{} 1']);
  });

  it('is no job', async () => {
    const { world } = await posted();

    await world.tickAt('2026-01-01T12:01');

    const keys = (await world.state.query('tick', '')).map(({ sk }) => sk);
    expect(keys.filter((sk) => sk.startsWith('open#post') || sk.startsWith('mark#post'))).toEqual([]);
  });
});

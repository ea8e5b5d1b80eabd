// An event is never lost and never runs twice, wherever the process dies between two steps of its way in.

import { describe, expect, it } from '@jest/globals';
import { sha256 } from '../../lib/canonical.ts';
import { accept, acceptedAnswer, recordEnded, repeated } from '../../lib/doors/accept.ts';
import { tick } from '../../lib/doors/tick.ts';
import { DoorError } from '../../lib/errors.ts';
import { type Event, runId } from '../../lib/event.ts';
import { type Delivery, type RunRecord, readRecord, updateRecord } from '../../lib/record.ts';
import { type DoorWorld, doorWorld, forgetRun, jobNamed, noon } from '../support/door-world.ts';

const job = jobNamed('token');
const event: Event = {
  trigger: 'webhook',
  identity: ['bearer', 'deploy-1'],
  requestedBy: 'webhook:token',
  receivedAt: '2026-11-23T13:37:00.000Z',
  reason: 'deployed',
};
const delivery: Delivery = { door: 'hooks/token/bearer', key: 'deploy-1', bodyHash: sha256('{}') };
const id = runId('prod', 'token', event.identity);

async function runsOf(world: DoorWorld): Promise<RunRecord[]> {
  const items = await world.state.byJob('token', 100);
  const ids = items.map(({ pk }) => pk.slice('run#'.length));
  const records = await Promise.all(ids.map((run) => readRecord(world.state, run)));
  return records.flatMap((record) => (record === undefined ? [] : [record]));
}

describe('accept', () => {
  it('stores the event with its frozen job, starts it and marks it as started', async () => {
    const world = doorWorld();

    const accepted = await accept(world.runtime, job, event, delivery);

    expect(accepted).toEqual({ runId: id, status: 'accepted', duplicate: false });
    expect(world.starts).toEqual([id]);
    expect(await readRecord(world.state, id)).toEqual({
      v: 1,
      runId: id,
      job,
      action: 'soft_restart',
      event,
      delivery,
      status: 'accepted',
      started: true,
      counts: { succeeded: 0, failed: 0, unknown: 0, skipped: 0, notStarted: 0 },
      createdAt: '2026-11-23T13:37:00.000Z',
    });
  });

  it('finds the run of a repeated delivery, as it is by now, and starts nothing', async () => {
    const world = doorWorld();
    await accept(world.runtime, job, event, delivery);
    await updateRecord(world.state, id, (record) => ({ ...record, status: 'succeeded' }));
    world.now = noon + 60_000;

    const again = await accept(world.runtime, job, event, delivery);

    expect(again).toEqual({ runId: id, status: 'succeeded', duplicate: true });
    expect(world.starts).toEqual([id]);
    expect(await runsOf(world)).toHaveLength(1);
  });

  it('keeps the job as it was when the event came in', async () => {
    const world = doorWorld();
    await accept(world.runtime, job, event, delivery);

    await accept(world.runtime, { ...job, action: 'flush' }, event, delivery);

    expect(await readRecord(world.state, id)).toMatchObject({
      action: 'soft_restart',
      job: { action: 'soft_restart' },
    });
  });

  it('refuses a known key with another body, and stores nothing of it', async () => {
    const world = doorWorld();
    await accept(world.runtime, job, event, delivery);
    const other = { ...delivery, bodyHash: sha256('{"dryRun":true}') };

    const refused = await accept(world.runtime, job, { ...event, dryRun: true }, other).catch((error) => error);

    expect(refused).toBeInstanceOf(DoorError);
    expect(refused).toMatchObject({ status: 409, code: 'key_reused' });
    expect((await readRecord(world.state, id))?.event).toEqual(event);
    expect(world.starts).toEqual([id]);
  });

  it('takes an event without a delivery, by its identity alone', async () => {
    const world = doorWorld();

    const [first, second] = [await accept(world.runtime, job, event), await accept(world.runtime, job, event)];

    expect([first.duplicate, second.duplicate]).toEqual([false, true]);
    expect(world.starts).toEqual([id]);
  });

  it('gives two arrivals at the same moment one run', async () => {
    const world = doorWorld();

    const both = await Promise.all([1, 2, 3].map(() => accept(world.runtime, job, event, delivery)));

    expect(both.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect(new Set(both.map(({ runId }) => runId))).toEqual(new Set([id]));
    expect(new Set(world.starts)).toEqual(new Set([id]));
    expect(await runsOf(world)).toMatchObject([{ runId: id, started: true }]);
  });

  it('answers although the start is lost, and says so in the log', async () => {
    const world = doorWorld();
    world.failAt = 4;

    const accepted = await accept(world.runtime, job, event, delivery);

    expect(accepted).toMatchObject({ status: 'accepted', duplicate: false });
    expect(await readRecord(world.state, id)).toMatchObject({ started: false });
    expect(world.log.join()).toContain('run stored but not started');
  });

  it('costs five calls', async () => {
    const world = doorWorld();

    await accept(world.runtime, job, event, delivery);

    expect(world.calls).toBe(5);
  });

  it('does not start a run that ended', async () => {
    const world = doorWorld();
    await recordEnded(world.runtime, job, event, 'missed', 'start_deadline', 'too late');

    const accepted = await accept(world.runtime, job, event);

    expect(accepted).toEqual({ runId: id, status: 'missed', duplicate: true });
    expect(world.starts).toEqual([]);
  });
});

describe('a loss on the way in', () => {
  const losses = [1, 2, 3, 4, 5].flatMap((failAt) =>
    [false, true].map((applied): [number, string, boolean] => [failAt, applied ? 'done' : 'not done', applied]),
  );

  /** Where the call with the number `failAt` was lost, and nothing came after it. */
  async function afterLoss(failAt: number, applied: boolean): Promise<DoorWorld> {
    const world = doorWorld();
    Object.assign(world, { failAt, applied });
    await accept(world.runtime, job, event, delivery).catch(() => 'lost');
    return world;
  }

  it.each(losses)('of port call %i (%s) is made up for when the delivery is repeated', async (failAt, _, applied) => {
    const world = await afterLoss(failAt, applied);

    const again = await accept(world.runtime, job, event, delivery);

    expect(again.runId).toBe(id);
    expect(await runsOf(world)).toMatchObject([{ runId: id, started: true, status: 'accepted' }]);
    expect(new Set(world.starts)).toEqual(new Set([id]));
  });

  it.each(losses)('of port call %i (%s) is made up for where it is looked up first', async (failAt, _, applied) => {
    const world = await afterLoss(failAt, applied);

    const known = (await repeated(world.runtime, delivery)) ?? (await accept(world.runtime, job, event, delivery));

    expect(known.runId).toBe(id);
    expect(await runsOf(world)).toMatchObject([{ runId: id, started: true }]);
  });

  it.each(losses)('of port call %i (%s) starts nothing again once the run is forgotten', async (failAt, _, applied) => {
    const world = await afterLoss(failAt, applied);
    await tick(world.runtime);
    const starts = [...world.starts];
    for (const { runId } of await runsOf(world)) await forgetRun(world, runId);
    expect(await runsOf(world)).toEqual([]);

    const known = await repeated(world.runtime, delivery);
    const again = await accept(world.runtime, job, event, delivery);

    // What was stored was started by the tick, and is not started any more; what was not is stored and started now.
    const wasStored = starts.length > 0;
    expect(wasStored).toBe(failAt > 2 || (failAt === 2 && applied));
    expect([known?.duplicate ?? false, again.duplicate]).toEqual([wasStored, wasStored]);
    expect(world.starts).toEqual(wasStored ? starts : [id]);
    expect(await runsOf(world)).toHaveLength(wasStored ? 0 : 1);
  });
});

describe('a delivery whose run is forgotten', () => {
  async function forgotten(): Promise<DoorWorld> {
    const world = doorWorld();
    await accept(world.runtime, job, event, delivery);
    await forgetRun(world, id);
    return world;
  }

  it('is answered as a duplicate that was accepted, and stores and starts nothing', async () => {
    const world = await forgotten();

    const known = await repeated(world.runtime, delivery);
    const again = await accept(world.runtime, job, event, delivery);

    expect(known).toEqual({ runId: id, status: 'accepted', duplicate: true });
    expect(again).toEqual(known);
    expect(await readRecord(world.state, id)).toBeUndefined();
    expect(world.starts).toEqual([id]);
  });

  it('is refused with another body even then', async () => {
    const world = await forgotten();

    const refused = accept(world.runtime, job, event, { ...delivery, bodyHash: 'other' });

    await expect(refused).rejects.toMatchObject({ status: 409, code: 'key_reused' });
  });

  it('does not stand in the way of another one', async () => {
    const world = await forgotten();
    const next = { ...event, identity: ['bearer', 'deploy-2'] };

    const accepted = await accept(world.runtime, job, next, { ...delivery, key: 'deploy-2' });

    expect(accepted).toMatchObject({ status: 'accepted', duplicate: false });
    expect(world.starts).toEqual([id, accepted.runId]);
  });
});

describe('repeated', () => {
  it('knows nothing of a delivery that never came', async () => {
    expect(await repeated(doorWorld().runtime, delivery)).toBeUndefined();
  });

  it('refuses a known key with another body', async () => {
    const world = doorWorld();
    await accept(world.runtime, job, event, delivery);

    const refused = repeated(world.runtime, { ...delivery, bodyHash: 'other' });

    await expect(refused).rejects.toMatchObject({ status: 409, code: 'key_reused' });
  });
});

describe('recordEnded', () => {
  it('stores a run that ended before it began, once, and starts nothing', async () => {
    const world = doorWorld();

    const first = await recordEnded(world.runtime, job, event, 'missed', 'start_deadline', 'too late');
    world.now = noon + 60_000;
    const second = await recordEnded(world.runtime, job, event, 'refused', 'overlap', 'another one');

    expect(first).toEqual({ runId: id, status: 'missed', duplicate: false });
    expect(second).toEqual({ runId: id, status: 'missed', duplicate: true });
    expect(world.starts).toEqual([]);
    expect(await readRecord(world.state, id)).toMatchObject({
      status: 'missed',
      code: 'start_deadline',
      reason: 'too late',
      started: false,
      createdAt: '2026-11-23T13:37:00.000Z',
      finishedAt: '2026-11-23T13:37:00.000Z',
    });
  });

  it('leaves a run alone that is under way', async () => {
    const world = doorWorld();
    await accept(world.runtime, job, event);

    const late = await recordEnded(world.runtime, job, event, 'missed', 'start_deadline', 'too late');

    expect(late).toEqual({ runId: id, status: 'accepted', duplicate: true });
  });
});

describe('acceptedAnswer', () => {
  it('points to the run', () => {
    expect(acceptedAnswer({ runId: id, status: 'accepted', duplicate: false })).toEqual({
      status: 202,
      body: { runId: id, status: 'accepted', statusUrl: `/runs/${id}` },
      headers: { location: `/runs/${id}` },
    });
  });
});

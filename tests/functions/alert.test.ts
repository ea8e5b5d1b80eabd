// The door of alerts: what starts a run, what does not and why, and what a resolved alert takes back.

import { describe, expect, it } from '@jest/globals';
import { alertmanagerDelivery } from '../../lib/alerts/alertmanager.ts';
import { takeAlerts } from '../../lib/doors/alert.ts';
import { tick } from '../../lib/doors/tick.ts';
import { noteSuccess } from '../../lib/guards/cooldown.ts';
import { readRecord, updateRecord } from '../../lib/record.ts';
import {
  alertDoorWorld,
  alertJob,
  codes,
  dueIn,
  listensTo,
  raised,
  runsOf,
  send,
  taken,
} from '../support/alert-door.ts';
import { byIds, call, errorOf, forgetRun, ids, jobOf, noon } from '../support/door-world.ts';

const minute = 60_000;
const job = alertJob('fix', 'High');

describe('a firing alert', () => {
  it('starts the run of its job for its instance', async () => {
    const world = alertDoorWorld([job]);

    const answer = taken(await send(world, [{}]));

    const [run] = await runsOf(world);
    expect(answer).toEqual({
      status: 202,
      started: [{ runId: run?.runId, job: 'fix', instanceId: ids[0] }],
      ignored: [],
    });
    expect(world.starts).toEqual([run?.runId]);
    expect(run).toMatchObject({
      started: true,
      event: {
        trigger: 'alert',
        identity: ['alertmanager', 'High', `High-${ids[0]}`, '2026-11-23T13:36:00.000Z'],
        requestedBy: 'alert:alertmanager',
        instances: [ids[0]],
      },
    });
  });

  it('starts those of all jobs that continue', async () => {
    const first = jobOf('first', listensTo('High', { continue: true }));
    const world = alertDoorWorld([first, alertJob('second', 'High'), alertJob('third', 'High')]);

    const { started } = taken(await send(world, [{}]));

    expect(started.map((run) => run.job)).toEqual(['first', 'second']);
  });

  it.each([
    ['cache-orders', { by: 'name', value: 'cache-orders' }],
    ['10.0.0.7:6379', { by: 'address', value: '10.0.0.7', port: 6379 }],
  ])('that names its instance as %s leaves it to the run which one that is', async (instance, reference) => {
    const world = alertDoorWorld([alertJob('fix', 'High', { target: byIds })]);

    const { started } = taken(await send(world, [{ instance }]));

    const [run] = await runsOf(world);
    expect(started).toEqual([{ runId: run?.runId, job: 'fix', instanceId: null }]);
    expect(run?.event.reference).toEqual(reference);
    expect(run?.event.instances).toBeUndefined();
  });

  it('is decided for itself, whatever the others of its group are', async () => {
    const world = alertDoorWorld([job]);

    const answer = taken(await send(world, [{ status: 'resolved' }, { instance: ids[1] }]));

    expect(answer.started.map(({ instanceId }) => instanceId)).toEqual([ids[1]]);
    expect(answer.ignored.map(({ alert, code }) => [alert, code])).toEqual([[`High/High-${ids[0]}`, 'resolved']]);
  });
});

describe('an alert that starts nothing', () => {
  it.each([
    ['no_match', { name: 'Low' }],
    ['no_instance', { instance: null }],
    ['stale', { at: noon - 16 * minute }],
    ['resolved', { status: 'resolved' as const }],
  ])('is answered with %s', async (code, alert) => {
    const world = alertDoorWorld([job]);

    const answered = await send(world, [alert]);

    expect(answered.status).toBe(202);
    expect(codes(answered)).toEqual([code]);
    expect(await runsOf(world)).toEqual([]);
  });

  it('is answered with disabled where its job is', async () => {
    const world = alertDoorWorld([alertJob('fix', 'High', { enabled: false })]);

    expect(codes(await send(world, [{}]))).toEqual(['disabled']);
  });

  it('is answered with outside_target where the target names its instances', async () => {
    const world = alertDoorWorld([alertJob('fix', 'High', { target: byIds })]);

    const answer = taken(await send(world, [{ instance: ids[2] }, { instance: ids[1] }]));

    expect(answer.started.map(({ instanceId }) => instanceId)).toEqual([ids[1]]);
    expect(answer.ignored).toMatchObject([{ code: 'outside_target', job: 'fix' }]);
  });

  it('is answered with cooling_down after a success of whichever job', async () => {
    const world = alertDoorWorld([job]);
    await noteSuccess(world.state, ids[0], 'nightly-1', noon - 29 * minute);

    expect(codes(await send(world, [{}]))).toEqual(['cooling_down']);
    world.now += 2 * minute;
    expect(taken(await send(world, [{}])).started).toHaveLength(1);
  });

  it('is answered with in_work while the run of another alert works on the instance', async () => {
    const world = alertDoorWorld([
      jobOf('fix', listensTo('', { match: [{ label: 'alertname', op: '!=', value: '' }] })),
    ]);
    await send(world, [{ name: 'High' }]);

    const answered = await send(world, [{ name: 'Full' }]);

    expect(codes(answered)).toEqual(['in_work']);
    const [run] = await runsOf(world);
    await updateRecord(world.state, run?.runId ?? '', (record) => ({ ...record, status: 'failed' }));
    expect(taken(await send(world, [{ name: 'Full' }])).started).toHaveLength(1);
  });

  it('is counted by its code', async () => {
    const world = alertDoorWorld([job]);

    await send(world, [{ name: 'Low' }, { name: 'None' }, { status: 'resolved' }]);

    expect(world.metrics.counts).toEqual(['AlertsIgnored{no_match} 2', 'AlertsIgnored{resolved} 1']);
  });

  it('is answered one by one, and told what its sender left out', async () => {
    const world = alertDoorWorld([job]);

    const answer = taken(await send(world, [{}], 7));

    expect(answer.started).toHaveLength(1);
    expect(answer.ignored).toEqual([
      { alert: 'truncated', code: 'truncated', reason: 'the sender left out 7 alerts of this group' },
    ]);
  });
});

describe('a repeated alert', () => {
  it('finds its run, also when it has become too old to start one', async () => {
    const world = alertDoorWorld([job]);
    const first = taken(await send(world, [{}]));

    for (const later of [0, 30 * minute, 240 * minute]) {
      world.now = noon + later;
      const again = taken(await send(world, [{}]));
      expect(again.started).toEqual([]);
      expect(again.ignored).toMatchObject([{ code: 'duplicate', job: 'fix', runId: first.started[0]?.runId }]);
    }
    expect(world.starts).toHaveLength(1);
  });

  it('starts nothing again when its run is forgotten, however old it may be', async () => {
    const patient = alertJob('fix', 'High', { trigger: listensTo('High', { maxAge: 7 * 86_400 }), retention: 86_400 });
    const world = alertDoorWorld([patient]);
    const { started } = taken(await send(world, [{}]));
    await forgetRun(world, started[0]?.runId ?? '');

    expect(codes(await send(world, [{ at: noon - 60_000 }]))).toEqual(['duplicate']);
    expect(await runsOf(world)).toEqual([]);
  });

  it('comes from two peers at once and starts one run', async () => {
    const world = alertDoorWorld([job]);

    const answers = await Promise.all([send(world, [{}]), send(world, [{}])]);

    expect(answers.map((answer) => taken(answer).started.length).toSorted()).toEqual([0, 1]);
    expect(await runsOf(world)).toHaveLength(1);
    expect(new Set(world.starts).size).toBe(1);
  });

  it('starts its job when what spoke against it is over', async () => {
    const world = alertDoorWorld([job]);
    await noteSuccess(world.state, ids[0], 'nightly-1', noon - 25 * minute);
    await send(world, [{}]);

    world.now = noon + 6 * minute;

    expect(taken(await send(world, [{}])).started).toHaveLength(1);
  });

  it('with another start is another episode, which takes over from the one before', async () => {
    const world = alertDoorWorld([job]);
    await send(world, [{}]);

    const next = taken(await send(world, [{ at: noon - 1000 }]));
    const older = await send(world, [{}]);

    expect(next.started).toHaveLength(1);
    expect(codes(older)).toEqual(['superseded']);
    expect((await runsOf(world)).map(({ stop }) => stop?.code).toSorted()).toEqual(['resolved', undefined]);
  });
});

describe('a resolved alert', () => {
  it('stops the run that it started, in the name of its source', async () => {
    const world = alertDoorWorld([job]);
    const { started } = taken(await send(world, [{}]));

    const answered = await send(world, [{ status: 'resolved' }]);

    expect(codes(answered)).toEqual(['resolved']);
    const record = await readRecord(world.state, started[0]?.runId ?? '');
    expect(record?.stop).toMatchObject({ code: 'resolved', by: 'alert:alertmanager', reason: 'High is resolved' });
  });

  it('withdraws the approval that its run waits for', async () => {
    const world = alertDoorWorld([job]);
    const { started } = taken(await send(world, [{}]));
    const approval = { answerId: 'answer-1', planHash: 'a', requestedAt: '', lapsesAt: '' };
    await updateRecord(world.state, started[0]?.runId ?? '', (record) => ({
      ...record,
      status: 'awaiting_approval',
      approval,
    }));

    await send(world, [{ status: 'resolved' }]);

    expect(world.answers).toEqual(['answer-1']);
  });

  it('that comes before its firing one prevents the run', async () => {
    const world = alertDoorWorld([job]);
    await send(world, [{ status: 'resolved' }]);

    expect(codes(await send(world, [{}]))).toEqual(['resolved']);
    expect(await runsOf(world)).toEqual([]);
  });

  it('stops the run also where that got lost and is stored while this comes', async () => {
    const world = alertDoorWorld([job]);
    const [firing, resolved] = (['firing', 'resolved'] as const).map((status) =>
      alertmanagerDelivery({ version: '4', alerts: [raised({ status })] }, ''),
    );
    const { state } = world.runtime;
    const beforeRun = (does: () => Promise<unknown>) => ({
      ...world.runtime,
      state: {
        ...state,
        putIfAbsent: async (...put: Parameters<typeof state.putIfAbsent>) => {
          if (put[0].pk.startsWith('run#')) await does();
          return await state.putIfAbsent(...put);
        },
      },
    });
    const lost = beforeRun(() => Promise.reject(new Error('the state does not answer')));
    await expect(takeAlerts(lost, firing === undefined ? [] : [firing])).rejects.toThrow('the state does not answer');

    const late = beforeRun(() => takeAlerts(world.runtime, resolved === undefined ? [] : [resolved]));
    await takeAlerts(late, firing === undefined ? [] : [firing]);

    expect(await runsOf(world)).toMatchObject([{ stop: { code: 'resolved' } }]);
  });

  it('leaves a run alone that has ended', async () => {
    const world = alertDoorWorld([job]);
    const { started } = taken(await send(world, [{}]));
    await updateRecord(world.state, started[0]?.runId ?? '', (record) => ({ ...record, status: 'succeeded' }));

    await send(world, [{ status: 'resolved' }]);

    expect((await readRecord(world.state, started[0]?.runId ?? ''))?.stop).toBeUndefined();
  });

  it('stops the run also where no job takes the alert any more', async () => {
    const world = alertDoorWorld([job]);
    const { started } = taken(await send(world, [{}]));
    Object.assign(world.runtime.config, { jobs: {} });

    await send(world, [{ status: 'resolved' }]);

    expect((await readRecord(world.state, started[0]?.runId ?? ''))?.stop?.code).toBe('resolved');
  });
});

describe('a delivery', () => {
  it('of a source that is not listed is not found', async () => {
    const world = alertDoorWorld([job]);

    const answered = await call(world.door, { path: '/alerts/grafana', body: '{}' });

    expect(answered.status).toBe(404);
  });

  it('is refused without its token, and by another method', async () => {
    const world = alertDoorWorld([job]);

    expect((await call(world.door, { path: '/alerts/alertmanager', body: '{}' })).status).toBe(401);
    expect((await call(world.door, { method: 'GET', path: '/alerts/alertmanager' })).status).toBe(405);
  });

  it('is answered with 503 where it cannot be stored, and with its run when it comes again', async () => {
    for (let failAt = 1; failAt < 40; failAt++) {
      const fresh = alertDoorWorld([job]);
      fresh.failAt = failAt;
      const answered = await send(fresh, [{}]);
      if (answered.status !== 202) expect(errorOf(answered).code).toBe('state_unavailable');
      fresh.failAt = 0;
      const again = await send(fresh, [{}]);
      expect(again.status).toBe(202);
      expect(await dueIn(fresh)).toEqual([`fix ${ids[0]}`]);
      expect(new Set(fresh.starts).size).toBe(1);
    }
  });

  it('of a thousand alerts is answered whole, and the tick starts what it left over', async () => {
    const storm = { alertStorm: { share: 100, count: 10_000, within: 300, cooldown: 600 } };
    const world = alertDoorWorld([job], storm);
    const instances = Array.from({ length: 1000 }, (_, i) => `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`);

    const answer = taken(
      await send(
        world,
        instances.map((instance) => ({ instance })),
      ),
    );

    expect(new Set(answer.started.map(({ instanceId }) => instanceId)).size).toBe(1000);
    expect(world.starts).toHaveLength(200);
    for (let minutes = 1; minutes <= 5; minutes++) {
      world.now = noon + minutes * minute;
      await tick(world.runtime);
    }
    expect(new Set(world.starts).size).toBe(1000);
    expect(world.starts).toHaveLength(1000);
  });

  it('starts nothing more when it has taken too long, and stores the rest', async () => {
    const world = alertDoorWorld([job]);
    const slow = { ...world.runtime, now: () => (world.now += 3_000) };

    const { started } = await takeAlerts(slow, [alertmanagerDelivery({ version: '4', alerts: [raised({})] }, '')]);

    expect(started).toHaveLength(1);
    expect(world.starts).toEqual([]);
    expect(await runsOf(world)).toMatchObject([{ started: false }]);
  });

  it('stops starting in the midst of many when each start takes long', async () => {
    const storm = { alertStorm: { share: 100, count: 10_000, within: 300, cooldown: 600 } };
    const world = alertDoorWorld([job], storm);
    const { executions } = world.runtime;
    const start = async (runId: string): Promise<void> => {
      world.now += 100;
      await executions.start(runId);
    };
    const alerts = Array.from({ length: 200 }, (_, i) => raised({ instance: `cache-${i}` }));

    const { started } = await takeAlerts({ ...world.runtime, executions: { ...executions, start } }, [
      alertmanagerDelivery({ version: '4', alerts }, ''),
    ]);

    expect(started).toHaveLength(200);
    expect(world.starts.length).toBeGreaterThan(0);
    expect(world.starts.length).toBeLessThan(60);
    expect(await runsOf(world)).toHaveLength(200);
  });
});

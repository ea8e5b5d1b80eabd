// Our own echo: alerts that our own work on an instance causes start nothing, for a while and for some metrics.

import { describe, expect, it } from '@jest/globals';
import { firingSince } from '../../lib/episode/alerting.ts';
import { isEcho } from '../../lib/episode/echo.ts';
import { leasesOf } from '../../lib/execute/lease.ts';
import { noteSuccess } from '../../lib/guards/cooldown.ts';
import { updateRecord } from '../../lib/record.ts';
import {
  alertDoorWorld,
  alertJob,
  codes,
  equal,
  listensTo,
  type Raised,
  runsOf,
  send,
  taken,
} from '../support/alert-door.ts';
import { ids, jobOf, noon } from '../support/door-world.ts';

const minute = 60_000;
const switched: Raised = { name: 'Switched', labels: { metric: 'masterStandbySwitchover' } };
const job = jobOf('fix', listensTo('Switched'));

describe('what our own work causes', () => {
  const work = { from: noon, until: noon + 5 * minute };

  it.each([
    ['masterStandbySwitchover', 1, true],
    ['cpu_usage', 14, true],
    ['connected_clients', 15, true],
    ['connected_clients', 16, false],
    ['cpu_usage', -1, false],
    ['memory_usage', 1, false],
  ])('%s at minute %i: %j', (metric, after, expected) => {
    expect(isEcho({ metric, startsAt: new Date(noon + after * minute).toISOString() }, work)).toBe(expected);
  });

  it('goes on as long as the work does', () => {
    const startsAt = new Date(noon + 300 * minute).toISOString();

    expect(isEcho({ metric: 'cpu_usage', startsAt }, { from: noon, until: null })).toBe(true);
    expect(isEcho({ metric: 'cpu_usage', startsAt }, null)).toBe(false);
  });
});

describe('the door', () => {
  it('ignores it after a success, from the begin of its run on', async () => {
    const world = alertDoorWorld([job, alertJob('other', 'High')]);
    const { started } = taken(await send(world, [{}]));
    const runId = started[0]?.runId ?? '';
    await updateRecord(world.state, runId, (record) => ({
      ...record,
      status: 'succeeded',
      startedAt: new Date(noon).toISOString(),
    }));
    await noteSuccess(world.state, ids[0], runId, noon + 2 * minute);
    world.now = noon + 3 * minute;

    expect(codes(await send(world, [{ ...switched, at: noon + minute }]))).toEqual(['own_echo']);
    expect(taken(await send(world, [{ ...switched, instance: ids[1], at: noon + minute }])).started).toHaveLength(1);
    expect(taken(await send(world, [{ ...switched, at: noon - minute, fingerprint: 'other' }])).started).toHaveLength(
      1,
    );
  });

  it('ignores it while a run works on the instance', async () => {
    const world = alertDoorWorld([job, jobOf('other', listensTo('High'))]);
    await send(world, [{}]);
    const [run] = await runsOf(world);
    const startedAt = new Date(noon - 2 * minute).toISOString();
    await updateRecord(world.state, run?.runId ?? '', (record) => ({ ...record, status: 'running', startedAt }));
    await leasesOf(world.state, run?.runId ?? '', () => noon).take([ids[0]]);

    expect(codes(await send(world, [switched]))).toEqual(['own_echo']);
  });

  it('lets other metrics pass', async () => {
    const world = alertDoorWorld([jobOf('fix', listensTo('', { match: [equal('metric', 'memory_usage')] }))]);
    await noteSuccess(world.state, ids[0], 'run-1', noon - 2 * minute);

    expect(taken(await send(world, [{ labels: { metric: 'memory_usage' } }])).started).toHaveLength(1);
  });
});

describe('whoever looks for new alerts of instances', () => {
  it('is told those that began after a time, still fire and are not our echo', async () => {
    const world = alertDoorWorld([job, alertJob('other', 'High')]);
    await noteSuccess(world.state, ids[1], 'run-1', noon - 2 * minute);
    await send(world, [{}, { ...switched, instance: ids[1] }, { instance: ids[2] }]);
    await send(world, [{ instance: ids[2], status: 'resolved' }]);

    const since = (at: number) => firingSince(world.state, job.project, ids, at);

    expect([...(await since(noon - 5 * minute))]).toEqual([[ids[0], ['High']]]);
    expect([...(await since(noon))]).toEqual([]);
  });
});

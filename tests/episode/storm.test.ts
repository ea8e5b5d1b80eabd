// Storms: when so many instances alert that none of them is acted on, and when that is over.

import { describe, expect, it } from '@jest/globals';
import { tick } from '../../lib/doors/tick.ts';
import { noteSize, readSize, stormAt } from '../../lib/episode/storm.ts';
import { readFlags } from '../../lib/guards/flags.ts';
import { readPost } from '../../lib/report/post.ts';
import {
  type AlertDoorWorld,
  alertDoorWorld,
  alertJob,
  codes,
  dueIn,
  runsOf,
  send,
  taken,
} from '../support/alert-door.ts';
import { jobOf, noon } from '../support/door-world.ts';
import { MemoryState } from '../support/memory-state.ts';
import { listeners } from '../support/notices.ts';

const minute = 60_000;
const { project } = jobOf('any', alertJob('fix', 'High').trigger);
const alertStorm = { share: 20, count: 4, within: 300, cooldown: 600 };

function world(): AlertDoorWorld {
  return alertDoorWorld([alertJob('fix', 'High')], { alertStorm, projects: { staging: project } });
}

/** Alerts of instances by number, that began a minute before. */
function alertsOf({ now }: AlertDoorWorld, from: number, to: number) {
  return Array.from({ length: to - from + 1 }, (_, i) => ({
    instance: `00000000-0000-4000-8000-${String(from + i).padStart(12, '0')}`,
    at: now - minute,
  }));
}

async function isStormy({ state }: AlertDoorWorld): Promise<boolean> {
  return (await readFlags(state, 'staging')).storm !== null;
}

function told(world: AlertDoorWorld): readonly string[] {
  return world.log.filter((line) => line.includes('alert storm')).map((line) => JSON.parse(line).message);
}

describe('a storm', () => {
  it.each([
    [null, 10],
    [1000, 10],
    [50, 10],
    [49, 10],
    [30, 6],
    [31, 7],
    [5, 2],
    [1, 2],
  ])('in a project of %j instances is %i that alert', (total, expected) => {
    expect(stormAt({ count: 10, share: 20 }, total)).toBe(expected);
  });

  it('begins with the delivery that brings enough alerts, and none of them is acted on', async () => {
    const stormy = world();
    await send(stormy, alertsOf(stormy, 1, 2));

    const answered = await send(stormy, alertsOf(stormy, 3, 4));

    expect(codes(answered)).toEqual(['alert_storm', 'alert_storm']);
    expect(await isStormy(stormy)).toBe(true);
    expect((await runsOf(stormy)).length).toBe(2);
    expect(told(stormy)).toEqual(['alert storm']);
  });

  it('is seen whichever step of the delivery that brings it fails, when it comes again', async () => {
    for (let failAt = 1; failAt <= 60; failAt++) {
      const stormy = world();
      stormy.failAt = failAt;
      await send(stormy, alertsOf(stormy, 1, 4));
      stormy.failAt = 0;

      await send(stormy, alertsOf(stormy, 1, 4));

      expect([failAt, await isStormy(stormy), await dueIn(stormy)]).toEqual([failAt, true, []]);
    }
  });

  it('is seen by both peers that bring it at once', async () => {
    const stormy = world();

    await Promise.all([send(stormy, alertsOf(stormy, 1, 4)), send(stormy, alertsOf(stormy, 1, 4))]);

    expect(await dueIn(stormy)).toEqual([]);
  });

  it('is told once, however many alerts come', async () => {
    const stormy = world();

    for (const from of [1, 5, 9]) await send(stormy, alertsOf(stormy, from, from + 3));

    expect(told(stormy)).toEqual(['alert storm']);
    expect(await dueIn(stormy)).toEqual([]);
  });

  it('is counted over distinct instances that still fire, and over a time', async () => {
    const calm = world();
    await send(calm, [...alertsOf(calm, 1, 3), ...alertsOf(calm, 1, 3)]);
    await send(
      calm,
      alertsOf(calm, 1, 3).map((alert) => ({ ...alert, status: 'resolved' as const })),
    );
    await send(calm, alertsOf(calm, 4, 6));
    calm.now += 6 * minute;

    await send(calm, alertsOf(calm, 7, 9));

    expect(await isStormy(calm)).toBe(false);
  });

  it('is counted for each project on its own', async () => {
    const other = alertJob('other', 'Low', { project: { ...project, name: 'prod', projectId: 'b'.repeat(32) } });
    const two = alertDoorWorld([alertJob('fix', 'High'), other], { alertStorm });

    await send(two, alertsOf(two, 1, 4));
    const answer = taken(await send(two, [{ name: 'Low' }]));

    expect(answer.started).toHaveLength(1);
  });

  it('is a share of the project where its size is known', async () => {
    const small = world();
    await noteSize(small.state, project, 10, noon);

    const answered = await send(small, alertsOf(small, 1, 2));

    expect(codes(answered)).toEqual(['alert_storm', 'alert_storm']);
  });

  it('is lifted by the tick when it has been calm for long enough, and told', async () => {
    const stormy = world();
    await send(stormy, alertsOf(stormy, 1, 4));
    const over: boolean[] = [];

    for (let passed = 0; passed <= 15; passed++) {
      stormy.now = noon + passed * minute;
      await tick(stormy.runtime);
      over.push(!(await isStormy(stormy)));
    }

    // Alerts count for 5 minutes; the last tick that counts them is the one at minute 4, and it is calm for 10 after it.
    expect(over.indexOf(true)).toBe(14);
    expect(told(stormy)).toEqual(['alert storm', 'alert storm over']);
  });

  it('is told of once when it stands and once when it is over, to whoever listens to refusals', async () => {
    const notify = listeners(['refused']);
    const stormy = alertDoorWorld([alertJob('fix', 'High')], { alertStorm, projects: { staging: project }, notify });
    await send(stormy, alertsOf(stormy, 1, 4));

    for (let passed = 0; passed <= 15; passed++) {
      stormy.now = noon + passed * minute;
      await tick(stormy.runtime);
    }

    const posts = [...new Set(stormy.starts.filter((name) => name.startsWith('post-')))];
    const messages = await Promise.all(posts.map(async (name) => (await readPost(stormy.state, name))?.message));
    expect(messages.map((message) => message?.title)).toEqual([
      'staging (prod): alert storm',
      'staging (prod): the alert storm is over',
    ]);
    expect(messages[0]).toMatchObject({
      id: `prod/staging/storm/${new Date(noon).toISOString()}`,
      lines: ['4 instances began to alert within 300 s.', expect.stringContaining('no alert starts a job there')],
    });
  });

  it('of which nobody wants to hear starts nothing', async () => {
    const stormy = world();
    await send(stormy, alertsOf(stormy, 1, 4));

    await tick(stormy.runtime);

    expect(stormy.starts.filter((name) => name.startsWith('post-'))).toEqual([]);
  });

  it('is over for the alerts that come after it', async () => {
    const stormy = world();
    await send(stormy, alertsOf(stormy, 1, 4));
    stormy.now += 20 * minute;
    await tick(stormy.runtime);

    expect(taken(await send(stormy, alertsOf(stormy, 5, 5))).started).toHaveLength(1);
  });
});

describe('the size of a project', () => {
  it('is believed for a day', async () => {
    const state = new MemoryState();
    await noteSize(state, project, 40, noon);

    expect(await readSize(state, project, noon + 24 * 60 * minute)).toBe(40);
    expect(await readSize(state, project, noon + 24 * 60 * minute + 1)).toBeNull();
  });
});

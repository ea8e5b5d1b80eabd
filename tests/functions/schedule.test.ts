// The door of time, through what Lambda calls.

import { describe, expect, it } from '@jest/globals';
import { scheduleDoor } from '../../functions/schedule.ts';
import type { Runtime } from '../../lib/runtime.ts';
import { configOf, ScheduledWorld } from '../support/scheduled-world.ts';

const often = '{schedule: {cron: "* * * * *", timezone: UTC, startDeadline: 30m}}';

function runtimeOf(world: ScheduledWorld): Runtime {
  const { config, state, executions, log, metrics, now } = world;
  return {
    config,
    state,
    executions,
    log,
    metrics,
    now,
    operators: [],
    secrets: { get: async () => '' },
    randomId: () => '',
  };
}

function invoke(world: ScheduledWorld): Promise<unknown> {
  const context: unknown = {};
  return Reflect.apply(
    scheduleDoor(async () => runtimeOf(world)),
    undefined,
    [{}, context],
  );
}

describe('the schedule door', () => {
  it('does one tick at the time of its own clock, and answers what it did', async () => {
    const world = new ScheduledWorld(configOf({ often }));
    world.time = Date.parse('2026-01-01T12:00Z');

    const answer = await invoke(world);

    expect(answer).toMatchObject({ accepted: [world.id('often', '2026-01-01T12:00')] });
  });

  it('fails where the tick failed in part', async () => {
    const world = new ScheduledWorld(configOf({ often }));
    world.time = Date.parse('2026-01-01T12:00Z');
    world.state.broken = 'run#';

    await expect(invoke(world)).rejects.toMatchObject({ code: 'tick_failed' });
  });
});

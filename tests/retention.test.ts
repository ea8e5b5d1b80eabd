// How long what a run leaves behind is remembered: all of it for the same time, none of it less than it is needed.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { sha256 } from '../lib/canonical.ts';
import type { Job, ScheduleTrigger } from '../lib/config.ts';
import { accept, recordEnded, repeated } from '../lib/doors/accept.ts';
import { tick } from '../lib/doors/tick.ts';
import type { Event } from '../lib/event.ts';
import { takeRetries } from '../lib/execute/budget.ts';
import { leasesOf, leaseTime } from '../lib/execute/lease.ts';
import { asJson, deliveryKey, partKey, readRecord, recordOf, runKey, updateRecord } from '../lib/record.ts';
import { day, expiryOf, keptFor, longestRun } from '../lib/retention.ts';
import type { Key } from '../lib/state.ts';
import { doorWorld, jobNamed, noon } from './support/door-world.ts';
import { MemoryState } from './support/memory-state.ts';
import { idOf, instances, jobOf, type Played, play } from './support/scenario.ts';

const week = 7 * day;
const job = jobNamed('token');
const event: Event = {
  trigger: 'webhook',
  identity: ['bearer', 'deploy-1'],
  requestedBy: 'webhook:token',
  receivedAt: '2026-11-23T13:37:00.000Z',
};
const delivery = { door: 'hooks/token/bearer', key: 'deploy-1', bodyHash: sha256('{}') };
const deliveryPlace = deliveryKey(delivery.door, delivery.key);

describe('the time for which a run is kept', () => {
  const hook = job.trigger;
  const nightly: ScheduleTrigger = {
    type: 'schedule',
    cron: '0 2 * * *',
    timezone: 'UTC',
    startDeadline: 3 * 86_400,
    overlap: 'skip',
  };

  it.each<[string, Pick<Job, 'retention' | 'trigger'>, number]>([
    ['is that of its job', { retention: 7 * 86_400, trigger: hook }, week],
    ['is that of its job for a schedule too', { retention: 7 * 86_400, trigger: nightly }, week],
    ['is a day at least, so that a repeated event finds it', { retention: 1, trigger: hook }, day],
    ['is the start deadline at least, so that no fire starts twice', { retention: 1, trigger: nightly }, 3 * day],
  ])('%s', (_, kept, expected) => {
    expect(keptFor(kept)).toBe(expected);
  });

  it('counts from the end, and before that from the latest end there can be', () => {
    const createdAt = new Date(noon).toISOString();

    expect(expiryOf({ job, createdAt })).toBe(noon + longestRun + week);
    expect(expiryOf({ job, createdAt, finishedAt: new Date(noon + 1000).toISOString() })).toBe(noon + 1000 + week);
  });

  it('knows how long an execution may last', () => {
    expect(readFileSync('serverless.yml', 'utf8')).toContain(`executionTimeout: ${longestRun / 1000}`);
  });
});

describe('what a door stores', () => {
  it('is kept while the run can be going, and for the retention after that', async () => {
    const world = doorWorld();

    const { runId } = await accept(world.runtime, job, event, delivery);

    const expected = noon + longestRun + week;
    expect(world.state.expiryOf(runKey(runId))).toBe(expected);
    expect(world.state.expiryOf(deliveryPlace)).toBe(expected);
  });

  it('is kept from its end when the run ends, the delivery no shorter', async () => {
    const world = doorWorld();
    const { runId } = await accept(world.runtime, job, event, delivery);
    const finishedAt = new Date(noon + 60_000).toISOString();

    await updateRecord(world.state, runId, (record) => ({ ...record, status: 'succeeded', finishedAt }));

    const kept = world.state.expiryOf(runKey(runId)) ?? 0;
    expect(kept).toBe(noon + 60_000 + week);
    expect(world.state.expiryOf(deliveryPlace)).toBeGreaterThanOrEqual(kept);
  });

  it('is kept from the start where the run ended before it began', async () => {
    const world = doorWorld();

    const { runId } = await recordEnded(world.runtime, job, event, 'missed', 'start_deadline', 'too late');

    expect(world.state.expiryOf(runKey(runId))).toBe(noon + week);
  });

  it('is remembered anew where the run of a delivery was not stored at first', async () => {
    const world = doorWorld();
    const value = { bodyHash: delivery.bodyHash, runId: 'token-of-old' };
    await world.state.putIfAbsent(deliveryPlace, value, { expiresAt: noon + 1 });

    expect(await repeated(world.runtime, delivery)).toBeUndefined();
    const { runId, duplicate } = await accept(world.runtime, job, event, delivery);

    expect([runId, duplicate]).toEqual(['token-of-old', false]);
    expect(world.state.expiryOf(deliveryPlace)).toBe(world.state.expiryOf(runKey(runId)));
  });

  it('of a run that died is kept from its end, lists included', async () => {
    const world = doorWorld();
    const { runId } = await accept(world.runtime, job, event, delivery);
    const part = partKey(runId, 'outcomes', 0);
    await world.state.put(part, [], { expiresAt: noon + longestRun + week });
    world.now = noon + day;
    const { executions } = world.runtime;

    await tick({ ...world.runtime, executions: { ...executions, status: async () => 'ended' } });

    expect(await readRecord(world.state, runId)).toMatchObject({ code: 'execution_died' });
    expect(world.state.expiryOf(runKey(runId))).toBe(noon + day + week);
    expect(world.state.expiryOf(part)).toBe(noon + day + week);
  });

  it('by a tick has no time: marks are never forgotten', async () => {
    const world = doorWorld();

    await tick(world.runtime);
    world.now = noon + day;
    await tick(world.runtime);

    const marks = world.state.keys().filter(({ pk }) => pk === 'tick');
    expect(marks.length).toBeGreaterThan(0);
    expect(marks.map((key) => world.state.expiryOf(key))).toEqual(marks.map(() => undefined));
  });
});

describe('a run that is played to its end', () => {
  const ofRun = ({ record, state }: Played): Key[] => state.keys().filter(({ pk }) => pk === runKey(record.runId).pk);

  it('is kept as a whole for the retention from its end, and nothing that it left stays for ever', async () => {
    const played = await play({ job: jobOf('restart'), fleet: { instances: instances(12) } });

    const end = Date.parse(played.record.finishedAt ?? '');
    const lists = ['details', 'inventory', 'outcomes', 'plan'].map((list) => `${list}#0000`);
    expect(ofRun(played).map(({ sk }) => sk)).toEqual(expect.arrayContaining(['run', ...lists]));
    for (const key of ofRun(played)) expect([key.sk, played.state.expiryOf(key)]).toEqual([key.sk, end + week]);
    expect(played.state.keys().filter((key) => played.state.expiryOf(key) === undefined)).toEqual([]);
  });

  it('keeps all it has as long as it is going, however short the retention and long the run', async () => {
    const seen: number[] = [];
    const waves = { ...jobOf('restart').waves, size: { count: 1 }, soak: 30 * 86_400 };
    const played = await play({
      job: jobOf('restart', { retention: 1, waves }),
      fleet: { instances: instances(4) },
      before: async (state, clock) => {
        const { put } = state;
        state.put = async (key, value, options) => {
          await put.call(state, key, value, options);
          const expiries = state.keys().map((each) => (each.pk.startsWith('run#') ? state.expiryOf(each) : null));
          seen.push(...expiries.flatMap((expiry) => (expiry === null ? [] : [(expiry ?? 0) - clock.now()])));
        };
      },
    });

    expect(played.record.status).toBe('succeeded');
    expect(seen.length).toBeGreaterThan(10);
    expect(Math.min(...seen)).toBeGreaterThan(longestRun + day - 100 * day);
    const end = Date.parse(played.record.finishedAt ?? '');
    expect(new Set(ofRun(played).map((key) => played.state.expiryOf(key)))).toEqual(new Set([end + day]));
  });

  it('that was stored without a retention is kept for 90 days', async () => {
    const { record } = await play({ job: jobOf('restart'), fleet: { instances: instances(1) } });
    const { retention, ...old } = record.job;
    const state = new MemoryState();
    await state.put(runKey(record.runId), asJson({ ...record, job: old }));

    await updateRecord(state, record.runId, (before) => ({ ...before, status: 'failed' }));

    expect(retention).toBe(week / 1000);
    expect(recordOf(asJson({ ...record, job: old })).job.retention).toBe(90 * 86_400);
    expect(state.expiryOf(runKey(record.runId))).toBe(Date.parse(record.finishedAt ?? '') + 90 * day);
  });
});

describe('what runs share', () => {
  const { project } = jobOf('flush');

  it('a lease is forgotten a day after its end, counted anew each time it is renewed', async () => {
    const state = new MemoryState();
    let now = noon;
    const leases = leasesOf(state, 'run', () => now);
    const key = { pk: `instance#${idOf(1)}`, sk: 'lease' };

    await leases.take([idOf(1)]);
    expect(state.expiryOf(key)).toBe(now + leaseTime + day);
    now += 60_000;
    await leases.keep([idOf(1)]);
    expect(state.expiryOf(key)).toBe(now + leaseTime + day);
    now += 60_000;
    await leases.release([idOf(1)]);
    expect(state.expiryOf(key)).toBe(now + day);
  });

  it('a retry budget is forgotten a day after the last call that was paid from it', async () => {
    const state = new MemoryState();
    const key = { pk: `project#${project.projectId}`, sk: 'retries' };

    await takeRetries(state, project, 1, noon);
    expect(state.expiryOf(key)).toBe(noon + day);
    await takeRetries(state, project, 1, noon + 60_000);
    expect(state.expiryOf(key)).toBe(noon + 60_000 + day);
  });
});

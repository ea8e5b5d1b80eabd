// What holds whatever is called, in whatever order and at whatever times, and however the open questions are answered.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { actions } from '../../../lib/config.ts';
import { type Backup, backupStatusAt, isBackingUp } from '../../../lib/local/simulator/backup.ts';
import { startBackup } from '../../../lib/local/simulator/backup-calls.ts';
import { Fleet } from '../../../lib/local/simulator/fleet.ts';
import type { InstanceView } from '../../../lib/local/simulator/instance.ts';
import { makeInstances } from '../../../lib/local/simulator/make-fleet.ts';
import { counters } from '../../../lib/local/simulator/render.ts';
import { swap } from '../../../lib/local/simulator/task-calls.ts';
import { type Switches, unknowns } from '../../../lib/local/simulator/unknowns.ts';

const start = Date.parse('2026-11-23T12:00:00Z');
const size = 6;
/** Longer than anything that was begun can take. */
const longest = 3_600_000;

const pick = fc.nat({ max: size - 1 });
const picks = fc.array(fc.nat({ max: size }), { minLength: 1, maxLength: size + 2 });
const step = fc.oneof(
  fc.record({ kind: fc.constant('act' as const), action: fc.constantFrom(...actions), picks }),
  fc.record({ kind: fc.constant('backup' as const), pick }),
  fc.record({ kind: fc.constant('swap' as const), pick }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.oneof(fc.nat({ max: 40_000 }), fc.nat({ max: 1_500_000 })) }),
);
const steps = fc.array(step, { maxLength: 40 });

const switches: fc.Arbitrary<Partial<Switches>> = fc.record({
  busyIn: fc.constantFrom(...unknowns.busyIn.settings),
  unknownIn: fc.constantFrom(...unknowns.unknownIn.settings),
  appliesBeforeRefusal: fc.constantFrom(...unknowns.appliesBeforeRefusal.settings),
  duplicates: fc.constantFrom(...unknowns.duplicates.settings),
  missingEntries: fc.constantFrom(...unknowns.missingEntries.settings),
  resultOrder: fc.constantFrom(...unknowns.resultOrder.settings),
  workLag: fc.constantFrom(...unknowns.workLag.settings),
  flushVisible: fc.constantFrom(...unknowns.flushVisible.settings),
  softRestartVisible: fc.constantFrom(...unknowns.softRestartVisible.settings),
  softRestartData: fc.constantFrom(...unknowns.softRestartData.settings),
});
const world = fc.record({ seed: fc.nat(), switches, steps });
type Case = typeof world extends fc.Arbitrary<infer T> ? T : never;

interface Seen {
  readonly at: number;
  readonly views: readonly InstanceView[];
  /** The ids that were asked for and those that were answered, where the step was a status call. */
  readonly asked: readonly string[];
  readonly told: readonly string[];
}

/** Everything that is seen after each step, and in the end when all must be over. */
function play({ seed, switches: settings, steps: sequence }: Case): { readonly fleet: Fleet; readonly seen: Seen[] } {
  let now = start;
  const fleet = new Fleet({ instances: makeInstances(size, seed), seed, switches: settings, now: () => now });
  const ids = [...fleet.views().map(({ id }) => id), '00000000-0000-4000-8000-00000000dead'];
  const idOf = (nth: number): string => ids[nth] ?? '';
  const seen: Seen[] = [];
  for (const each of sequence) {
    let asked: readonly string[] = [];
    let told: readonly string[] = [];
    if (each.kind === 'wait') now += each.ms;
    if (each.kind === 'backup') startBackup(fleet.world, idOf(each.pick), {});
    if (each.kind === 'swap') swap(fleet.world, idOf(each.pick));
    if (each.kind === 'act') {
      asked = each.picks.map(idOf);
      const reply = fleet.act({ action: each.action, instances: asked });
      told = reply.kind === 'ok' ? reply.value.map(({ instance }) => instance) : [];
    }
    seen.push({ at: now, views: fleet.views(), asked, told });
  }
  now += longest;
  seen.push({ at: now, views: fleet.views(), asked: [], told: [] });
  return { fleet, seen };
}

function always(holds: (played: ReturnType<typeof play>) => void): void {
  fc.assert(fc.property(world, (one) => holds(play(one))));
}

function activities({ working, backups, tasks }: InstanceView, at: number): number {
  const running = tasks.filter(({ endsAt }) => at < endsAt).length;
  return Number(working) + backups.filter((backup) => isBackingUp(backup, at)).length + running;
}

describe('in any sequence of calls', () => {
  it('an instance does one thing at a time, and shows a task only while it is RUNNING', () => {
    always(({ seen }) => {
      for (const { views, at } of seen) {
        for (const view of views) {
          expect(activities(view, at)).toBeLessThanOrEqual(1);
          if (view.task !== null) expect([view.status, view.working]).toEqual(['RUNNING', false]);
        }
      }
    });
  });

  it('the counters add up to the fleet, in all and by engine', () => {
    always(({ seen }) => {
      for (const { views } of seen) {
        const { redis, memcached, ...all } = counters(views);
        const sum = (members: unknown): number =>
          Object.values(Object(members)).reduce((total: number, count) => total + Number(count), 0);
        expect([sum(all), sum(redis) + sum(memcached)]).toEqual([size, size]);
      }
    });
  });

  it('results are told of ids that were asked, and of no other', () => {
    always(({ seen }) => {
      for (const { asked, told } of seen) expect(told.filter((id) => !asked.includes(id))).toEqual([]);
    });
  });

  it('lost data stays lost', () => {
    always(({ seen }) => {
      const keys = new Map<string, number>();
      for (const view of seen.flatMap(({ views }) => views)) {
        expect(view.keys).toBeLessThanOrEqual(keys.get(view.id) ?? Number.POSITIVE_INFINITY);
        keys.set(view.id, view.keys);
      }
    });
  });

  it('whatever was accepted ends', () => {
    always(({ seen }) => {
      for (const { status, task, working } of seen.at(-1)?.views ?? []) {
        expect([status, task, working]).toEqual(['RUNNING', null, false]);
      }
    });
  });

  it('a backup that is over stays as it is, and one that a restart met has failed', () => {
    always(({ seen, fleet }) => {
      const over = new Map<string, Backup>();
      for (const { views, at } of seen) {
        for (const backup of views.flatMap(({ backups }) => backups)) {
          if (over.has(backup.id)) expect(backup).toEqual(over.get(backup.id));
          if (!isBackingUp(backup, at)) over.set(backup.id, backup);
        }
      }
      for (const { id, backups } of seen.at(-1)?.views ?? []) {
        const sends = fleet.log().filter(({ instanceId }) => instanceId === id);
        for (const backup of backups) {
          const isMet = sends.some(({ at }) => backup.createdAt <= at && at <= backup.endsAt);
          const status = backupStatusAt(backup, Number.POSITIVE_INFINITY);
          if (!isMet) expect(status).toBe('succeed');
          if (sends.some(({ at }) => backup.createdAt < at && at < backup.endsAt)) expect(status).toBe('failed');
        }
      }
    });
  });
});

// Whatever order messages come in, however often, and however far apart: the same is done, and never twice too soon.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Heard, hear, isOpen, type Series } from '../../lib/episode.ts';
import { noteSuccess } from '../../lib/guards/cooldown.ts';
import { updateRecord } from '../../lib/record.ts';
import { isGoing } from '../../lib/report.ts';
import { alertDoorWorld, alertJob, dueIn, type Raised, runsOf, send } from '../support/alert-door.ts';
import { ids, noon } from '../support/door-world.ts';

const minute = 60_000;

/** Episodes of two rules on three instances, all fresh, each with its firing and perhaps its resolved message. */
const messages = fc
  .uniqueArray(
    fc.record({
      name: fc.constantFrom('High', 'Full'),
      instance: fc.constantFrom(...ids),
      start: fc.integer({ min: 1, max: 4 }),
      lasts: fc.constantFrom(null, 0.5, 1.5),
    }),
    { maxLength: 8, selector: ({ name, instance, start }) => `${name} ${instance} ${start}` },
  )
  .map((episodes) =>
    episodes.flatMap(({ lasts, start, ...about }): Raised[] => {
      const firing = { ...about, at: noon - start * minute };
      if (lasts === null) return [firing];
      return [firing, { ...firing, status: 'resolved' as const, endsAt: noon + (lasts - start) * minute }];
    }),
  );

/** The same messages in another order, some of them more than once, several in one delivery. */
function shuffled(all: readonly Raised[]): fc.Arbitrary<readonly (readonly Raised[])[]> {
  if (all.length === 0) return fc.constant([]);
  const copies = fc.array(fc.constantFrom(...all), { maxLength: 5 });
  const whole = copies.chain((more) => fc.shuffledSubarray([...all, ...more], { minLength: all.length + more.length }));
  return fc.tuple(whole, fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1 })).map(([order, sizes]) => {
    const deliveries: Raised[][] = [];
    for (let at = 0, i = 0; at < order.length; i++) {
      const size = sizes[i % sizes.length] ?? 1;
      deliveries.push(order.slice(at, at + size));
      at += size;
    }
    return deliveries;
  });
}

function world() {
  return alertDoorWorld([alertJob('fix', 'High'), alertJob('clear', 'Full')]);
}

async function doneBy(deliveries: readonly (readonly Raised[])[], atOnce: boolean): Promise<readonly string[]> {
  const fresh = world();
  const sent = deliveries.map((alerts) => () => send(fresh, alerts));
  if (atOnce) await Promise.all(sent.map((each) => each()));
  else for (const each of sent) await each();
  return dueIn(fresh);
}

describe('messages in any order', () => {
  it.each([
    ['one after the other', false],
    ['at the same time', true],
  ])('cause the same, with any of them repeated, %s', async (_, atOnce) => {
    const orders = messages.chain((all) => fc.tuple(fc.constant(all), shuffled(all)));

    await fc.assert(
      fc.asyncProperty(orders, async ([all, deliveries]) => {
        const expected = await doneBy([all], false);

        expect(await doneBy(deliveries, atOnce)).toEqual(expected);
      }),
      { numRuns: 150 },
    );
  });

  it('of a source that tells no starts leave the same episode open', () => {
    const times = fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 8 });
    const heardOnce = times.chain((all) =>
      fc.array(fc.boolean(), { minLength: all.length, maxLength: all.length }).map((fires) =>
        all.map(
          (at, i): Heard => ({
            status: fires[i] === true ? 'firing' : 'resolved',
            startsAt: new Date(noon + at * minute).toISOString(),
            startKnown: false,
          }),
        ),
      ),
    );
    const orders = heardOnce.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: all.length * 2 })),
    );

    fc.assert(
      fc.property(orders, ([all, order]) => {
        const last = all.toSorted((a, b) => (a.startsAt < b.startsAt ? -1 : 1)).at(-1);

        const series = order.reduce((known: Series | null, each) => hear(known, each, noon).series, null);

        expect(series !== null && isOpen(series)).toBe(last?.status === 'firing');
      }),
    );
  });
});

describe('an instance inside its cool-down', () => {
  it('is never acted on again, whatever comes', async () => {
    const step = fc.record({ alerts: messages, minutes: fc.integer({ min: 0, max: 20 }), ends: fc.boolean() });

    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const fresh = world();
        const succeeded = new Map<string, number>();
        const seen = new Set<string>();
        for (const { alerts, minutes, ends } of steps) {
          fresh.now += minutes * minute;
          const shifted = alerts.map((alert) => ({ ...alert, at: (alert.at ?? noon) + fresh.now - noon }));
          await send(fresh, shifted);
          const runs = await runsOf(fresh);
          for (const { runId, event } of runs.filter((run) => !seen.has(run.runId))) {
            const since = fresh.now - (succeeded.get(event.instances?.[0] ?? '') ?? 0);
            expect(since).toBeGreaterThanOrEqual(30 * minute);
            seen.add(runId);
          }
          const ended = ends ? runs.filter(({ status, stop }) => isGoing(status) && stop === undefined) : [];
          for (const { runId, event } of ended) {
            const id = event.instances?.[0] ?? '';
            await updateRecord(fresh.state, runId, (record) => ({ ...record, status: 'succeeded' }));
            await noteSuccess(fresh.state, id, runId, fresh.now);
            succeeded.set(id, fresh.now);
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});

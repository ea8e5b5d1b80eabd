// One call and what its answer means for each instance in it: batches, the letters of results, every class of error, and
// the search for the one that a whole call was refused for.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ErrorClass, Problem } from '../lib/classify.ts';
import type { Action } from '../lib/config.ts';
import type { Track } from '../lib/execute/track.ts';
import {
  type Answer,
  applySent,
  batchesOf,
  type DcsApi,
  type Sent,
  send,
  sentence,
  takeApart,
} from '../lib/execute.ts';
import { idOf } from './support/scenario.ts';
import { fateOf, tracksOf } from './support/tracks.ts';

const now = 10_000;
const retryAt = 60_000;

function problemOf(errorClass: ErrorClass, more: Partial<Problem> = {}): Problem {
  return { class: errorClass, code: 'DCS.4027', message: 'as scripted', ...more };
}

function answering(answer: Answer, calls: [Action, readonly string[]][] = []): DcsApi {
  const unused = async (): Promise<never> => {
    throw new Error('only act is called');
  };
  const act: DcsApi['act'] = async (action, ids) => {
    calls.push([action, ids]);
    return answer;
  };
  const reads = { list: unused, total: unused, show: unused, appendonly: unused, keyCounts: unused };
  return { ...reads, backups: unused, backUp: unused, act };
}

describe('batches', () => {
  it('hold every due instance exactly once, at most 50 of one group each, and as few as can be', () => {
    const groups = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 400, size: 'max' });

    fc.assert(
      fc.property(groups, (numbers) => {
        const due = tracksOf(numbers.length, (n) => ({ group: numbers[n - 1] ?? 0 }));

        const batches = batchesOf(due);

        const sizes = [...Map.groupBy(numbers, (group) => group).values()].map(({ length }) => Math.ceil(length / 50));
        expect(
          batches
            .flat()
            .map(({ id }) => id)
            .sort(),
        ).toEqual(due.map(({ id }) => id).sort());
        expect(batches.every(({ length }) => length >= 1 && length <= 50)).toBe(true);
        expect(batches.every((batch) => new Set(batch.map(({ group }) => group)).size === 1)).toBe(true);
        expect(batches.length).toBe(sizes.reduce((a, b) => a + b, 0));
      }),
    );
  });

  it('keep the order of what is due', () => {
    const batches = batchesOf(tracksOf(120));

    expect(batches.map(({ length }) => length)).toEqual([50, 50, 20]);
    expect(batches.flat().map(({ id }) => id)).toEqual(tracksOf(120).map(({ id }) => id));
  });
});

describe('a call', () => {
  it('is sent once, and its results are remembered as letters in the order of the ids', async () => {
    const calls: [Action, readonly string[]][] = [];
    const results = new Map([
      [idOf(3), 'success'] as const,
      [idOf(1), 'failed'] as const,
      [idOf(9), 'success'] as const,
    ]);
    const ids = [idOf(1), idOf(2), idOf(3)];

    const sent = await send(answering({ kind: 'answered', results }, calls), 'flush', ids, () => now);

    expect(sent).toEqual({ at: now, results: 'f-s' });
    expect(calls).toEqual([['flush', ids]]);
  });

  it('whose answer tells of more than success keeps the id of the request', async () => {
    const answer = (result: 'success' | 'failed'): Answer => {
      return { kind: 'answered', results: new Map([[idOf(1), result]]), requestId: '4f5a' };
    };

    const failed = await send(answering(answer('failed')), 'flush', [idOf(1)], () => now);
    const fine = await send(answering(answer('success')), 'flush', [idOf(1)], () => now);

    expect(failed).toEqual({ at: now, results: 'f', requestId: '4f5a' });
    expect(fine).toEqual({ at: now, results: 's' });
    const [track] = applySent(tracksOf(1), failed, retryAt, 9);
    expect(track?.problem?.reason).toBe('DCS answered "failed", without a reason (request 4f5a)');
  });

  it.each([
    ['lost', true],
    ['refused', false],
  ] as const)('that is %s keeps its problem', async (kind, isLost) => {
    const problem = problemOf('unknown');

    const sent = await send(answering({ kind, problem }), 'restart', [idOf(1)], () => now);

    expect(sent).toEqual({ at: now, lost: isLost, problem });
  });
});

describe('an answer', () => {
  const apply = (sent: Sent, size = 3, before: Partial<Track> = {}): Track[] =>
    applySent(
      tracksOf(size, () => before),
      sent,
      retryAt,
      9,
    );

  it('tells of each instance by its letter', () => {
    const [good, bad, silent] = apply({ at: now, results: 'sf-' });

    expect(good).toMatchObject({
      phase: 'accepted',
      acceptedAt: now,
      runningSince: now,
      problem: null,
      maybeDone: false,
    });
    expect(bad).toMatchObject({ phase: 'asking', problem: { code: 'failed' }, maybeDone: false });
    expect(silent).toMatchObject({ phase: 'lost', problem: { code: 'outcome_unknown' }, maybeDone: true });
    for (const track of [good, bad, silent]) expect(track).toMatchObject({ attempts: 1, calls: 1, sentAt: now });
  });

  it('that tells something settles what an earlier one left open, and puts the instance back into the common group', () => {
    const open = { maybeDone: true, group: 4, refused: { at: 1, size: 5 }, attempts: 1, calls: 3 };

    const after = apply({ at: now, results: 'sf-' }, 3, open);

    expect(after.map(({ maybeDone }) => maybeDone)).toEqual([false, false, true]);
    for (const track of after) expect(track).toMatchObject({ group: 0, refused: null, attempts: 2, calls: 4 });
  });

  it.each([
    [204, true],
    [200, true],
    [502, false],
    [undefined, false],
  ])('that was lost with the status %s was taken as a whole: %s', (status, taken) => {
    const problem = problemOf('unknown', status === undefined ? {} : { status });

    const after = apply({ at: now, lost: true, problem }, 2, { doubts: 1 });

    expect(after.map((track) => [track.taken, track.doubts])).toEqual([
      [taken, 2],
      [taken, 2],
    ]);
  });

  it('that was lost may have been applied to all of them', () => {
    const after = apply({ at: now, lost: true, problem: problemOf('unknown') }, 3, { group: 4 });

    const expected = { phase: 'lost', attempts: 1, calls: 1, sentAt: now, maybeDone: true, group: 0 };
    for (const track of after) expect(track).toMatchObject(expected);
    expect(after[0]?.problem).toEqual({ code: 'outcome_unknown', reason: 'DCS.4027: as scripted' });
  });

  it.each(['late', 'closed'] as const)('that never was, since the send came too %s, changes nothing', (unsent) => {
    expect(apply({ at: now, unsent })).toEqual(tracksOf(3));
  });

  const refusals: [ErrorClass, many: string, one: string, attempts: number][] = [
    ['throttled', 'due', 'due', 0],
    ['unreachable', 'due', 'due', 0],
    ['auth', 'due', 'due', 0],
    ['config', 'due', 'due', 0],
    ['busy', 'asking', 'busy', 0],
    ['final', 'asking', 'failed rejected', 1],
    ['split', 'asking', 'failed rejected', 1],
    ['unknown', 'asking', 'failed rejected', 1],
  ];

  it.each(refusals)(
    'that refuses the call as %s makes many %s, and one alone %s',
    (errorClass, many, one, attempts) => {
      const sent: Sent = { at: now, lost: false, problem: problemOf(errorClass) };

      const together = apply(sent, 3, { group: 4 });
      const alone = apply(sent, 1, { group: 4 });

      expect(together.map(fateOf)).toEqual([many, many, many]);
      expect(alone.map(fateOf)).toEqual([one]);
      expect(together.map((track) => [track.attempts, track.calls, track.sentAt])).toEqual(Array(3).fill([0, 1, null]));
      expect(alone[0]).toMatchObject({ attempts, calls: 1, sentAt: attempts === 0 ? null : now });
    },
  );

  it('that refuses the call makes a group of those that were in it, and remembers when and how many', () => {
    const after = apply({ at: now, lost: false, problem: problemOf('final') }, 3, { group: 4 });

    for (const track of after) expect(track).toMatchObject({ group: 9, refused: { at: now, size: 3 } });
    expect(after[0]?.problem).toEqual({ code: 'refused', reason: 'DCS.4027: as scripted' });
  });

  it.each<[string, number | undefined, number]>([
    ['without a Retry-After', undefined, retryAt],
    ['with one that is sooner than the next retry', 5, retryAt],
    ['with one that is later', 500, now + 500_000],
  ])('that throttles %s is heard, and the group stays together', (_, retryAfter, dueAt) => {
    const more = retryAfter === undefined ? {} : { retryAfter };

    const after = apply({ at: now, lost: false, problem: problemOf('throttled', more) }, 2, { group: 4 });

    for (const track of after) expect(track).toMatchObject({ dueAt, group: 4, problem: { code: 'throttled' } });
  });

  it('that refuses the whole project leaves its instances due at once: the halt decides', () => {
    const [track] = apply({ at: now, lost: false, problem: problemOf('auth') }, 2, { group: 4, problem: null });

    expect(track).toMatchObject({ dueAt: now, group: 0, problem: null });
  });

  it('that rejects one alone whose earlier answer was lost leaves it unknown', () => {
    const [track] = apply({ at: now, lost: false, problem: problemOf('final') }, 1, { maybeDone: true, attempts: 1 });

    expect(track).toMatchObject({ phase: 'ended', status: 'unknown', attempts: 2 });
  });
});

describe('a refused batch after the look', () => {
  const asking = (size: number, of = size): Track[] =>
    tracksOf(size, () => ({ phase: 'asking', group: 2, refused: { at: 0, size: of } }));
  const due = (tracks: readonly Track[], isOut: (i: number) => boolean = () => false): Track[] =>
    tracks.map((track, i) => ({ ...track, phase: isOut(i) ? 'busy' : 'due' }));
  const groups = (tracks: readonly Track[]): number[] => tracks.map(({ group }) => group);

  it.each([
    [2, [1, 1]],
    [3, [2, 1]],
    [50, [25, 25]],
  ])('of %i in which nobody was found is halved into %j', (size, halves) => {
    const after = takeApart(asking(size), due(asking(size)), 7);

    expect([7, 8].map((group) => groups(after).filter((each) => each === group).length)).toEqual(halves);
  });

  it('in which somebody was found busy goes on together without that one', () => {
    const after = takeApart(
      asking(5),
      due(asking(5), (i) => i === 1),
      7,
    );

    expect(groups(after)).toEqual([7, 2, 7, 7, 7]);
  });

  it('of which some have left before goes on together', () => {
    expect(groups(takeApart(asking(4, 5), due(asking(4, 5)), 7))).toEqual([7, 7, 7, 7]);
  });

  it('finds the one bad instance among 50 in at most 1 + 2 log2(50) calls', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 50 }), (size, chosen) => {
        const bad = idOf(Math.min(size, chosen));
        let waiting = batchesOf(tracksOf(size));
        let calls = 0;
        let rejected: string[] = [];
        for (let group = 10; waiting.length > 0; ) {
          const [batch = [], ...rest] = waiting;
          calls += 1;
          waiting = rest;
          if (!batch.some(({ id }) => id === bad)) continue;
          const sent: Sent = { at: now, lost: false, problem: problemOf('final') };
          const refused = applySent(batch, sent, retryAt, group);
          rejected = refused.filter(({ phase }) => phase === 'ended').map(({ id }) => id);
          const asked = refused.filter(({ phase }) => phase === 'asking');
          waiting.push(...batchesOf(takeApart(asked, due(asked), group + 1)));
          group += 3;
        }

        expect(rejected).toEqual([bad]);
        expect(calls).toBeLessThanOrEqual(1 + 2 * Math.ceil(Math.log2(size)));
      }),
    );
  });
});

describe('the words of a problem', () => {
  it.each([
    ['DCS.4027', 'not supported', 'DCS.4027: not supported'],
    ['timeout', '', 'timeout'],
    ['DCS.4027', 'x'.repeat(500), `DCS.4027: ${'x'.repeat(290)}`],
  ])('%s %s are told in at most 300 characters', (code, message, told) => {
    expect(sentence({ class: 'final', code, message })).toBe(told);
  });

  it.each([
    ['busy', 'DCS.4111: busy (request 4f5a)'],
    ['x'.repeat(500), `DCS.4111: ${'x'.repeat(275)} (request 4f5a)`],
  ])('%s names the request, for the support of the service', (message, told) => {
    expect(sentence({ class: 'busy', code: 'DCS.4111', message, requestId: '4f5a' })).toBe(told);
  });
});

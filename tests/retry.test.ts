// When something is sent again and when it is given up: backoff, limits, halts and repeated reads, each rule on its own.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ErrorClass, Problem } from '../lib/classify.ts';
import type { RetryPolicy } from '../lib/config.ts';
import { counted } from '../lib/engine.ts';
import type { Track } from '../lib/execute/track.ts';
import type { Reading } from '../lib/execute.ts';
import { again, backoffDelay, chanceOf, expire, halted, isPassing, readUntil } from '../lib/retry.ts';
import { fateOf, trackOf } from './support/tracks.ts';
import { VirtualClock, VirtualEngine } from './support/virtual-engine.ts';

const policy: RetryPolicy = { maxAttempts: 3, baseDelay: 10, maxDelay: 300, for: 3600 };
const problem = { code: 'failed', reason: 'DCS answered "failed"' };
const refused = { at: 0, size: 5 };

describe('the backoff', () => {
  it('lies between one second and the cap, which doubles each round up to maxDelay', () => {
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    const policies = fc.record({
      maxAttempts: fc.constant(6),
      baseDelay: fc.integer({ min: 1, max: 600 }),
      maxDelay: fc.integer({ min: 1, max: 3600 }),
      for: fc.constant(3600),
    });

    fc.assert(
      fc.property(policies, fc.integer({ min: 1, max: 2000 }), chance, (some, round, drawn) => {
        const delay = backoffDelay(some, round, drawn);

        expect(delay).toBeGreaterThanOrEqual(1);
        expect(delay).toBeLessThanOrEqual(Math.max(1, some.maxDelay, 0));
        expect(delay).toBeLessThanOrEqual(Math.max(1, some.baseDelay * 2 ** (round - 1)));
      }),
    );
  });

  it.each([
    [1, 0, 1],
    [1, 0.5, 5.5],
    [2, 0.5, 10.5],
    [3, 0.5, 20.5],
    [5, 0.5, 80.5],
    [6, 0.5, 150.5],
    [60, 0.5, 150.5],
    [5000, 0.5, 150.5],
  ])('in round %i with the chance %d is %d s', (round, chance, delay) => {
    expect(backoffDelay(policy, round, chance)).toBe(delay);
  });

  it('is never under a second, even where maxDelay is', () => {
    expect(backoffDelay({ ...policy, baseDelay: 0, maxDelay: 0 }, 1, 0.9)).toBe(1);
  });

  it('is spread by a chance that is the same for the same seed, and even', () => {
    const drawn = Array.from({ length: 2000 }, (_, i) => chanceOf('run', 1, i));

    expect(chanceOf('run', 1, 7)).toBe(drawn[7]);
    expect(drawn.every((chance) => chance >= 0 && chance < 1)).toBe(true);
    for (const tenth of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) {
      const share = drawn.filter((chance) => Math.floor(chance * 10) === tenth).length;
      expect(share).toBeGreaterThan(140);
      expect(share).toBeLessThan(260);
    }
  });
});

describe('another attempt', () => {
  it.each<[Partial<Track>, number, string]>([
    [{ attempts: 0 }, 1, 'due'],
    [{ attempts: 1 }, 1, 'failed attempts_exhausted'],
    [{ attempts: 2 }, 3, 'due'],
    [{ attempts: 3 }, 3, 'failed attempts_exhausted'],
    [{ attempts: 4 }, 3, 'failed attempts_exhausted'],
    [{ attempts: 1, maybeDone: true }, 1, 'unknown outcome_unknown'],
    [{ attempts: 1, maybeDone: true }, 2, 'due'],
  ])('of %j where %i are allowed: %s', (change, maxAttempts, fate) => {
    const track = trackOf({ phase: 'asking', ...change });

    expect(fateOf(again(track, { policy: { ...policy, maxAttempts }, retryAt: 5 }))).toBe(fate);
  });

  it('goes out with the others, in the common group', () => {
    const track = trackOf({ phase: 'busy', group: 7 });

    expect(again(track, { policy, retryAt: 55 })).toMatchObject({ phase: 'due', dueAt: 55, group: 0 });
  });

  it('that is not allowed says how many there were, and what came of the last', () => {
    const end = (attempts: number, last: Track['problem']): string | undefined =>
      again(trackOf({ attempts, problem: last }), { policy: { ...policy, maxAttempts: 1 }, retryAt: 0 }).problem
        ?.reason;

    expect(end(1, null)).toBe('1 attempt');
    expect(end(2, problem)).toBe('2 attempts, the last: DCS answered "failed"');
  });
});

describe('the deadline', () => {
  const called: Partial<Track> = { calls: 1, problem };
  const cases: [string, Partial<Track>, number, string][] = [
    ['due at it, before it', { ...called, dueAt: 1000 }, 999, 'due'],
    ['due at it, at it', { ...called, dueAt: 1000 }, 1000, 'due'],
    ['due at it, after it', { ...called, dueAt: 1000 }, 1001, 'failed retry_deadline'],
    ['due after it, long before', { ...called, dueAt: 1001 }, 0, 'failed retry_deadline'],
    ['due after it, and never sent', { dueAt: 1001 }, 0, 'not_started retry_deadline'],
    [
      'due, and throttled',
      { ...called, dueAt: 1001, problem: { ...problem, code: 'throttled' } },
      0,
      'failed throttled',
    ],
    ['due, and perhaps done', { ...called, dueAt: 1001, maybeDone: true }, 0, 'unknown retry_deadline'],
    ['busy, before it', { ...called, phase: 'busy' }, 999, 'busy'],
    ['busy, at it', { ...called, phase: 'busy', problem: { ...problem, code: 'busy' } }, 1000, 'failed busy'],
    ['busy, and never sent', { phase: 'busy', problem: { ...problem, code: 'busy' } }, 1000, 'not_started busy'],
    ['asking, before it', { ...called, phase: 'asking' }, 999, 'asking'],
    ['asking, at it', { ...called, phase: 'asking' }, 1000, 'failed retry_deadline'],
    ['asking after a refused call', { ...called, phase: 'asking', refused }, 1000, 'unknown retry_deadline'],
    ['refused, without a word', { calls: 1, phase: 'busy' }, 1000, 'failed retry_deadline'],
    ['refused', { calls: 1, phase: 'busy', problem: { ...problem, code: 'refused' } }, 1000, 'failed retry_deadline'],
    ['lost', { ...called, phase: 'lost' }, 5000, 'lost'],
    ['accepted', { ...called, phase: 'accepted' }, 5000, 'accepted'],
    ['ended', { ...called, phase: 'ended', status: 'succeeded', problem: null }, 5000, 'succeeded'],
  ];

  it.each(cases)('for one that is %s', (_, change, now, fate) => {
    expect(fateOf(expire(trackOf(change), policy, now, 1000))).toBe(fate);
  });

  it('says how long it was tried, and why it did not work', () => {
    const end = (change: Partial<Track>): string | undefined =>
      expire(trackOf({ calls: 1, dueAt: 9, ...change }), policy, 0, 1).problem?.reason;

    expect([end({}), end({ problem })]).toEqual([
      'given up after 3600 s',
      'given up after 3600 s: DCS answered "failed"',
    ]);
    expect(expire(trackOf({ dueAt: 9 }), policy, 0, 1).problem?.reason).toBe('its turn came too late');
  });
});

describe('a halt', () => {
  const halt = { code: 'max_failures', reason: 'stopped at 1', blind: false };
  const cases: [string, Partial<Track>, seeing: string, blind: string][] = [
    ['due', { phase: 'due' }, 'not_started max_failures', 'not_started max_failures'],
    [
      'due after a throttled call',
      { phase: 'due', calls: 1, problem },
      'not_started max_failures',
      'not_started max_failures',
    ],
    ['due after a failed one', { phase: 'due', calls: 1, attempts: 1, problem }, 'failed failed', 'failed failed'],
    [
      'due after a lost one',
      { phase: 'due', calls: 1, attempts: 1, maybeDone: true },
      'unknown max_failures',
      'unknown max_failures',
    ],
    ['asking', { phase: 'asking', calls: 1, attempts: 1 }, 'failed max_failures', 'failed max_failures'],
    [
      'asking after a refused call',
      { phase: 'asking', calls: 1, refused, problem },
      'unknown failed',
      'unknown failed',
    ],
    ['busy', { phase: 'busy', calls: 1 }, 'not_started max_failures', 'not_started max_failures'],
    ['busy after a refused call', { phase: 'busy', calls: 1, refused }, 'unknown max_failures', 'unknown max_failures'],
    [
      'due after that was settled',
      { phase: 'due', calls: 1, refused },
      'not_started max_failures',
      'not_started max_failures',
    ],
    ['lost', { phase: 'lost', attempts: 1 }, 'lost', 'unknown max_failures'],
    ['accepted', { phase: 'accepted', attempts: 1 }, 'accepted', 'unknown max_failures'],
    ['ended', { phase: 'ended', status: 'succeeded' }, 'succeeded', 'succeeded'],
  ];

  it.each(cases)('makes of one that is %s: %s, and blind %s', (_, change, seeing, blind) => {
    const track = trackOf(change);

    expect([fateOf(halted(track, halt)), fateOf(halted(track, { ...halt, blind: true }))]).toEqual([seeing, blind]);
  });
});

describe('a repeated read', () => {
  const passing = (more: Partial<Problem> = {}): Reading<string> => ({
    ok: false,
    problem: { class: 'unknown', code: 'timeout', message: 'no answer', ...more },
  });

  /** Reads with the given answers, the last one for ever; what came of it, and when each read was, in seconds. */
  async function reading(answers: readonly Reading<string>[], cost = 0, some = policy) {
    const clock = new VirtualClock('2026-11-23T02:00:00Z');
    const start = clock.now();
    const engine = new VirtualEngine(clock);
    const reads: number[] = [];
    const rounds: number[] = [];
    const result = await engine.drive((invocation) =>
      readUntil(counted(invocation), 'inventory', some, clock.now, async (round) => {
        rounds.push(round);
        reads.push((clock.now() - start) / 1000);
        clock.advance(cost * 1000);
        const last: Reading<string> = answers.at(-1) ?? { ok: true, value: 'read' };
        return answers[reads.length - 1] ?? last;
      }),
    );
    return { result, reads, rounds, operations: engine.operations };
  }

  const read: Reading<string> = { ok: true, value: 'read' };

  it('ends with the first that works, and is told which try each is', async () => {
    const { result, reads, rounds, operations } = await reading([passing(), passing(), read]);

    expect(result).toEqual(read);
    expect(rounds).toEqual([1, 2, 3]);
    expect(reads.length).toBe(3);
    expect(operations).toEqual(['inventory', 'inventory again', 'inventory', 'inventory again', 'inventory']);
  });

  it.each<[ErrorClass, boolean]>([
    ['throttled', true],
    ['unreachable', true],
    ['unknown', true],
    ['busy', true],
    ['auth', false],
    ['config', false],
    ['final', false],
    ['split', false],
  ])('after a problem of the class %s goes on: %s', async (errorClass, goesOn) => {
    const { reads } = await reading([passing({ class: errorClass }), read]);

    expect(reads.length).toBe(goesOn ? 2 : 1);
    expect(isPassing({ class: errorClass, code: '', message: '' })).toBe(goesOn);
  });

  it('waits at least for as long as a Retry-After says', async () => {
    const { reads } = await reading([passing({ retryAfter: 1234 }), read]);

    expect(reads).toEqual([0, 1234]);
  });

  it('does not wait at all where a Retry-After goes beyond retry.for', async () => {
    const { result, reads } = await reading([passing({ retryAfter: 3601 }), read]);

    expect(reads).toEqual([0]);
    expect(result).toMatchObject({ ok: false, problem: { retryAfter: 3601 } });
  });

  it('may come at the very deadline, which counts from the end of the first try', async () => {
    const { reads } = await reading([passing({ retryAfter: 3600 }), read], 30);

    expect(reads).toEqual([0, 3630]);
  });

  it('ends with the last problem when retry.for is over, and never sleeps less than a second', async () => {
    const { result, reads } = await reading([passing()]);

    const gaps = reads.slice(1).map((at, i) => at - (reads[i] ?? 0));
    expect(result).toEqual(passing());
    expect(Math.max(...reads)).toBeLessThanOrEqual(3600);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(300);
    expect(Math.max(...gaps)).toBeGreaterThan(100);
  });
});

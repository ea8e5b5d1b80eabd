// A wave between two turns: what an answer, a look and the time make of all its instances together. The single rules
// stand in the tests of execute, verify and retry.

import { describe, expect, it } from '@jest/globals';
import type { ErrorClass, Problem } from '../../lib/classify.ts';
import type { Job } from '../../lib/config.ts';
import { haltFor } from '../../lib/execute/halts.ts';
import type { Track } from '../../lib/execute/track.ts';
import { applyAnswer, applyLooks, isDue, isWatched, judge, postpone, type Wave } from '../../lib/execute/wave-state.ts';
import type { Look } from '../../lib/verify.ts';
import { idOf, jobOf } from '../support/scenario.ts';
import { fateOf, tracksOf } from '../support/tracks.ts';

const start = 1_000_000;
const second = 1000;
const idle: Look = { status: 'RUNNING', task: null, emptied: null, isProtected: false };
const busy: Look = { ...idle, task: 'BACKUPING' };

function waveOf(tracks: readonly Track[], change: Partial<Wave> = {}, job: Job = jobOf('flush')): Wave {
  return {
    task: { runId: 'run-1', rung: null, job, number: 1, planned: [], failures: 0, seenAt: start, drift: new Map() },
    tracks,
    now: start,
    deadline: start + 3_600_000,
    round: 0,
    nextGroup: 1,
    gap: 10,
    lookAt: start + 10_000,
    leasedAt: start,
    heldUntil: 0,
    ask: false,
    turn: 0,
    halt: null,
    stopped: false,
    baseline: new Map(),
    ...change,
  };
}

function problemOf(errorClass: ErrorClass, more: Partial<Problem> = {}): Problem {
  return { class: errorClass, code: 'DCS.4027', message: 'as scripted', ...more };
}

function fates(wave: Wave): string[] {
  return wave.tracks.map(fateOf);
}

describe('an answer', () => {
  it.each([
    ['success', 's', { gap: 10, lookAt: start + 15_000, ask: false }],
    ['nothing', '-', { gap: 10, lookAt: start + 15_000, ask: false }],
    ['failed', 'f', { gap: 60, lookAt: start + 99_000, ask: true }],
  ])('of %s sets when it is looked again', (_, letter, expected) => {
    const tracks = tracksOf(1);
    const wave = waveOf(tracks, { gap: 60, lookAt: start + 99_000 });

    const after = applyAnswer(wave, tracks, { at: start + 5_000, results: letter });

    expect(after).toMatchObject({ ...expected, now: start + 5_000 });
  });

  it('does not take back that somebody else has asked for a look', () => {
    const tracks = tracksOf(2);
    const asked = applyAnswer(waveOf(tracks), tracks.slice(0, 1), { at: start, results: 'f' });

    expect(applyAnswer(asked, tracks.slice(1), { at: start, results: 's' }).ask).toBe(true);
  });

  it('says nothing of an instance that another run has taken: it is left out', () => {
    const tracks = tracksOf(3);

    const after = applyAnswer(waveOf(tracks), tracks, { at: start, results: 'sf', left: [1] });

    expect(fates(after)).toEqual(['accepted', 'skipped collision', 'asking']);
  });

  it.each<[string, Partial<Track>, string]>([
    ['was tried', { attempts: 1, calls: 1 }, 'failed collision'],
    ['may have been done', { attempts: 1, calls: 1, maybeDone: true }, 'unknown collision'],
  ])('does not call an instance left out that another run has taken after it %s', (_, change, fate) => {
    const tracks = tracksOf(1).map((track) => ({ ...track, ...change }));

    expect(fates(applyAnswer(waveOf(tracks), tracks, { at: start, results: '', left: [0] }))).toEqual([fate]);
  });

  it('never turns the clock back', () => {
    const tracks = tracksOf(2);
    const later = applyAnswer(waveOf(tracks), tracks.slice(0, 1), { at: start + 9_000, results: 's' });

    expect(applyAnswer(later, tracks.slice(1), { at: start + 2_000, results: 's' }).now).toBe(start + 9_000);
  });

  it('that came of no call ends the run where somebody else ended it, and else only moves the clock', () => {
    const tracks = tracksOf(1);

    const closed = applyAnswer(waveOf(tracks), tracks, { at: start + 1, unsent: 'closed' });
    const late = applyAnswer(waveOf(tracks), tracks, { at: start + 1, unsent: 'late' });

    expect(closed).toMatchObject({ now: start + 1, halt: { code: 'closed', blind: true }, tracks });
    expect(late).toMatchObject({ now: start + 1, halt: null, tracks });
  });

  it.each<[ErrorClass, Partial<Problem>, string | undefined, boolean | undefined]>([
    ['auth', {}, 'credentials_rejected', true],
    ['auth', { code: 'clock_skew' }, 'clock_skew', true],
    ['config', { status: 403 }, 'forbidden', false],
    ['config', { status: 400 }, 'dcs_config', false],
    ['throttled', {}, undefined, undefined],
    ['final', {}, undefined, undefined],
    ['unknown', {}, undefined, undefined],
  ])('that is refused as %s %j halts the run with %s, blind: %s', (errorClass, more, code, blind) => {
    const tracks = tracksOf(2);
    const sent = { at: start, lost: false, problem: problemOf(errorClass, more) };

    const { halt } = applyAnswer(waveOf(tracks), tracks, sent);

    expect([halt?.code, halt?.blind]).toEqual([code, blind]);
  });

  it('does not replace the first halt', () => {
    const tracks = tracksOf(1);
    const first = haltFor(problemOf('config'), false);

    const after = applyAnswer(waveOf(tracks, { halt: first }), tracks, {
      at: start,
      lost: false,
      problem: problemOf('auth'),
    });

    expect(after.halt).toBe(first);
  });

  it('of a refused call gives each refused batch a group of its own', () => {
    const tracks = tracksOf(4);
    const sent = { at: start, lost: false, problem: problemOf('final') };

    const once = applyAnswer(waveOf(tracks), tracks.slice(0, 2), sent);
    const twice = applyAnswer(once, tracks.slice(2), sent);

    expect(twice.tracks.map(({ group }) => group)).toEqual([1, 1, 2, 2]);
  });
});

describe('a Retry-After', () => {
  const throttled = (retryAfter: number) => ({
    at: start,
    lost: false,
    problem: problemOf('throttled', { retryAfter }),
  });

  it('holds back whatever is due, and the longest one holds', () => {
    const tracks = tracksOf(4, (n) => ({ dueAt: [start, start, start + second, start + 900_000][n - 1] ?? 0 }));

    const once = applyAnswer(waveOf(tracks), tracks.slice(0, 1), throttled(300));
    const twice = applyAnswer(once, tracks.slice(1, 2), throttled(20));

    expect(twice.heldUntil).toBe(start + 300_000);
    expect(twice.tracks.map(({ dueAt }) => dueAt - start)).toEqual([300_000, 300_000, 300_000, 900_000]);
  });

  it('holds back what becomes due by a look', () => {
    const tracks = tracksOf(1, () => ({ phase: 'asking' }));
    const wave = waveOf(tracks, { heldUntil: start + 300_000 });

    const after = applyLooks(wave, tracks, [idle], start + 5_000, null);

    expect(after.tracks[0]).toMatchObject({ phase: 'due', dueAt: start + 300_000 });
  });
});

describe('retries', () => {
  it('go out together: whoever waits already says when', () => {
    const failed: Partial<Track> = { phase: 'asking', calls: 1, attempts: 1 };
    const tracks = tracksOf(2, (n) => (n === 1 ? { dueAt: start + 77_000 } : failed));

    const after = applyLooks(waveOf(tracks), tracks.slice(1), [idle], start, null);

    expect(after.tracks[1]?.dueAt).toBe(start + 77_000);
    expect(after.round).toBe(0);
  });

  it('begin a new round with the first that waits, and wait longer in each', () => {
    const failed: Partial<Track> = { phase: 'asking', calls: 1, attempts: 1 };
    const tracks = tracksOf(1, () => failed);
    const caps = [10, 20, 40, 80, 160, 300, 300];

    for (const [round, cap] of caps.entries()) {
      const after = applyLooks(waveOf(tracks, { round }), tracks, [idle], start, null);
      const delay = ((after.tracks[0]?.dueAt ?? 0) - start) / second;

      expect(after.round).toBe(round + 1);
      expect(delay).toBeGreaterThanOrEqual(1);
      expect(delay).toBeLessThanOrEqual(cap);
    }
  });

  it('take what a turn did not come to along', () => {
    const tracks = tracksOf(3, (n) => ({ dueAt: n === 1 ? start + 50_000 : start }));

    const after = postpone(waveOf(tracks), start);

    expect(after.tracks.map(({ dueAt }) => dueAt - start)).toEqual([50_000, 50_000, 50_000]);
  });
});

describe('a look', () => {
  it.each([
    [10, 10, 15],
    [10, 40, 60],
    [10, 60, 60],
    [120, 120, 120],
    [120, 90, 120],
  ])('with an interval of %i s and a gap of %d s is followed by gaps of up to a minute', (interval, gap, next) => {
    const job = jobOf('flush', { verify: { interval, settle: 60, timeout: 1800 } });
    const tracks = tracksOf(1, () => ({ phase: 'busy' }));

    const after = applyLooks(waveOf(tracks, { gap, ask: true }, job), tracks, [busy], start + 3_000, null);

    expect(after).toMatchObject({ gap: next, lookAt: start + 3_000 + gap * second, ask: false, now: start + 3_000 });
  });

  it('that did not see somebody changes nothing of it but its time', () => {
    const tracks = tracksOf(2, () => ({ phase: 'lost', sentAt: start, attempts: 1 }));
    const wave = waveOf(tracks);

    expect(fates(applyLooks(wave, tracks, [null, null], start + 1_799_000, null))).toEqual(['lost', 'lost']);
    expect(fates(applyLooks(wave, tracks, [null, null], start + 1_800_000, null))).toEqual(['unknown', 'unknown']);
  });

  it.each<[ErrorClass, boolean]>([
    ['auth', true],
    ['config', true],
    ['unknown', false],
    ['throttled', false],
  ])('that met a problem of the class %s halts the run: %s', (errorClass, isHalt) => {
    const { halt } = applyLooks(waveOf([]), [], [], start, problemOf(errorClass));

    expect(halt?.blind).toBe(isHalt ? true : undefined);
  });

  it('takes a refused batch apart in which nobody was found, and keeps others as they are', () => {
    const refused: Partial<Track> = { phase: 'asking', group: 1, calls: 1, refused: { at: start, size: 4 } };
    const tracks = tracksOf(6, (n) => (n <= 4 ? refused : n === 5 ? { phase: 'asking' } : { group: 9 }));
    const wave = waveOf(tracks, { nextGroup: 20 });

    const after = applyLooks(wave, tracks.slice(0, 5), Array(5).fill(idle), start, null);

    expect(after.tracks.map(({ group }) => group)).toEqual([20, 20, 21, 21, 0, 9]);
    expect(after.nextGroup).toBe(22);
  });
});

describe('the judgement', () => {
  const waves = (maxFailures: number): Job => jobOf('flush', { waves: { ...jobOf('flush').waves, maxFailures } });
  const failures = (n: number): Partial<Track> =>
    n === 1 ? { phase: 'ended', status: 'failed' } : n === 2 ? { phase: 'ended', status: 'unknown' } : {};

  it.each([
    [2, 0, true],
    [3, 0, false],
    [3, 1, true],
    [1, 0, true],
  ])('at maxFailures %i with %i failures before, a failed and an unknown one, stops: %s', (most, before, isStop) => {
    const wave = waveOf(tracksOf(3, failures), {}, waves(most));

    const judged = judge({ ...wave, task: { ...wave.task, failures: before } });

    expect(judged.halt?.code).toBe(isStop ? 'max_failures' : undefined);
    expect(judged.stopped).toBe(isStop);
    expect(fates(judged)).toEqual(['failed', 'unknown', isStop ? 'not_started max_failures' : 'due']);
  });

  it('says that it has stopped something only where it has, and remembers it', () => {
    const over = waveOf(tracksOf(2, failures), {}, waves(1));

    expect(judge(over)).toMatchObject({ halt: { code: 'max_failures' }, stopped: false });
    expect(judge({ ...over, stopped: true }).stopped).toBe(true);
  });

  it('gives up what ran out of time before it counts', () => {
    const wave = waveOf(
      tracksOf(2, () => ({ phase: 'busy', calls: 1 })),
      { now: start + 3_600_000 },
      waves(2),
    );

    expect(fates(judge(wave))).toEqual(['failed retry_deadline', 'failed retry_deadline']);
    expect(judge(wave).halt?.code).toBe('max_failures');
  });
});

describe('a track', () => {
  it.each<[Track['phase'], number, boolean, boolean]>([
    ['due', start, true, false],
    ['due', start + 1, false, false],
    ['asking', start, false, true],
    ['busy', start, false, true],
    ['lost', start, false, true],
    ['accepted', start, false, true],
    ['ended', start, false, false],
  ])('that is %s at %i is due: %s, watched: %s', (phase, dueAt, due, watched) => {
    const [track] = tracksOf(1, () => ({ phase, dueAt }));

    expect(track !== undefined && isDue(track, start)).toBe(due);
    expect(track !== undefined && isWatched(track)).toBe(watched);
    expect(track?.id).toBe(idOf(1));
  });
});

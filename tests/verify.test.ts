// What one look means for one instance, in every phase and state: the table of evidence that keeps a flush from being
// sent twice and a success from being told too early.

import { describe, expect, it } from '@jest/globals';
import type { Action } from '../lib/config.ts';
import type { Track } from '../lib/execute/track.ts';
import { applyLook, type Look, type LookRules, lapse, needsTask } from '../lib/verify.ts';
import { fateOf, trackOf } from './support/tracks.ts';

const second = 1000;
const verify = { interval: 10, settle: 60, timeout: 1800 };
const retryAt = 777 * second;

function rulesOf(action: Action): LookRules {
  return { action, verify, limits: { policy: { maxAttempts: 3, baseDelay: 10, maxDelay: 300, for: 3600 }, retryAt } };
}

function lookOf(status: string | null, more: Partial<Look> = {}): Look {
  return { status, task: null, emptied: null, isProtected: false, ...more };
}

const looks = {
  idle: lookOf('RUNNING'),
  withTask: lookOf('RUNNING', { task: 'BACKUPING' }),
  taskNotAsked: { status: 'RUNNING', emptied: null, isProtected: false },
  restarting: lookOf('RESTARTING'),
  flushing: lookOf('FLUSHING'),
  faulty: lookOf('ERROR'),
  odd: lookOf('WONDERING'),
  frozen: lookOf('FROZEN'),
  deleted: lookOf('DELETED'),
  createFailed: lookOf('CREATEFAILED'),
  gone: lookOf(null),
} satisfies Record<string, Look>;

type Seen = keyof typeof looks;

const lostProblem = { code: 'outcome_unknown', reason: 'no answer' };
const asking: Partial<Track> = { phase: 'asking' };
const failed: Partial<Track> = { phase: 'asking', attempts: 1, calls: 1, sentAt: 0 };
const busy: Partial<Track> = { phase: 'busy', calls: 1 };
const lost: Partial<Track> = { phase: 'lost', attempts: 1, calls: 1, sentAt: 0, maybeDone: true, problem: lostProblem };
const accepted: Partial<Track> = { phase: 'accepted', attempts: 1, calls: 1, sentAt: 0, acceptedAt: 0 };

const waiting: [Seen, flush: string, restart: string][] = [
  ['idle', 'due', 'due'],
  ['withTask', 'busy', 'busy'],
  ['taskNotAsked', 'busy', 'busy'],
  ['restarting', 'busy', 'busy'],
  ['flushing', 'busy', 'busy'],
  ['faulty', 'busy', 'due'],
  ['odd', 'busy', 'busy'],
  ['frozen', 'failed wrong_state', 'failed wrong_state'],
  ['deleted', 'failed wrong_state', 'failed wrong_state'],
  ['createFailed', 'failed wrong_state', 'failed wrong_state'],
  ['gone', 'failed not_found', 'failed not_found'],
];

describe('an instance that is asked about or busy', () => {
  for (const [name, before] of Object.entries({ asking, failed, busy })) {
    it.each(waiting)(`(${name}) and seen %s is then: flush %s, restart %s`, (seen, flush, restart) => {
      const become = (action: Action): string =>
        fateOf(applyLook(trackOf({ ...before, dataLoss: action === 'flush' }), looks[seen], 0, rulesOf(action)));

      expect([become('flush'), become('restart'), become('soft_restart')]).toEqual([flush, restart, restart]);
    });
  }

  it('is sent at once when what was known of it was old, and else with the next retry', () => {
    const dueAt = (before: Partial<Track>): number =>
      applyLook(trackOf(before), looks.idle, 5 * second, rulesOf('flush')).dueAt;

    const old = { ...asking, recheck: true };

    expect([dueAt(old), dueAt(failed), dueAt(busy)]).toEqual([5 * second, retryAt, retryAt]);
  });

  it('is given up where it has had its attempts', () => {
    const after = applyLook(trackOf({ ...failed, attempts: 3 }), looks.idle, 0, rulesOf('flush'));

    expect(fateOf(after)).toBe('failed attempts_exhausted');
  });

  it.each<[string, Partial<Track>, string]>([
    ['never sent', asking, 'skipped protected'],
    ['told as failed', failed, 'failed protected'],
    ['busy', busy, 'skipped protected'],
    ['perhaps acted on', { ...busy, refused: { at: 0, size: 2 } }, 'unknown protected'],
  ])('and is protected by now is left out: %s', (_, before, fate) => {
    const after = applyLook(trackOf(before), { ...looks.idle, isProtected: true }, 0, rulesOf('flush'));

    expect(fateOf(after)).toBe(fate);
  });

  it('leaves the group of its refused call when it is busy, and says what it is busy with', () => {
    const grouped = trackOf({ ...asking, group: 3 });

    const withTask = applyLook(grouped, looks.withTask, 0, rulesOf('flush'));
    const flushing = applyLook(grouped, looks.flushing, 0, rulesOf('flush'));

    expect([withTask.group, withTask.problem?.code]).toEqual([0, 'busy']);
    expect(withTask.problem?.reason).toContain('BACKUPING');
    expect(flushing.problem?.reason).toContain('FLUSHING');
  });
});

describe('an instance of a call that was refused as a whole', () => {
  const refused: Partial<Track> = { phase: 'asking', calls: 1, group: 2, refused: { at: 0, size: 5 } };
  const emptied = lookOf('RUNNING', { emptied: true });

  it.each<[string, Look, number, boolean, string]>([
    ['idle, too early to tell', looks.idle, 59, true, 'asking'],
    ['idle for the settle time', looks.idle, 60, true, 'due'],
    ['idle, and its data is not at stake', looks.idle, 0, false, 'due'],
    ['at work', looks.flushing, 1, true, 'unknown outcome_unknown'],
    ['at work long after', looks.flushing, 300, true, 'unknown outcome_unknown'],
    ['emptied', emptied, 59, true, 'unknown outcome_unknown'],
    ['at work, and its data is not at stake', looks.flushing, 1, false, 'busy'],
    ['at something else', looks.withTask, 1, true, 'busy'],
    ['gone', looks.gone, 1, true, 'failed not_found'],
    ['frozen', looks.frozen, 1, true, 'unknown wrong_state'],
  ])('and seen %s after some seconds is decided so', (_, look, after, dataLoss, fate) => {
    const track = applyLook(trackOf({ ...refused, dataLoss }), look, after * second, rulesOf('flush'));

    expect(fateOf(track)).toBe(fate);
  });

  it('that waits at something else is still watched for what the call did, until the settle time', () => {
    const track = trackOf({ ...refused, phase: 'busy', dataLoss: true });
    const become = (look: Look, seconds: number): Track => applyLook(track, look, seconds * second, rulesOf('flush'));

    expect(become(looks.withTask, 59).refused).toEqual({ at: 0, size: 5 });
    expect(become(looks.withTask, 60).refused).toBeNull();
    expect(fateOf(become(looks.idle, 59))).toBe('busy');
    expect(fateOf(become(looks.flushing, 59))).toBe('unknown outcome_unknown');
  });

  it('is due at once, in its group, when that is settled', () => {
    const after = applyLook(trackOf({ ...refused, dataLoss: true }), looks.idle, 60 * second, rulesOf('flush'));

    expect(after).toMatchObject({ dueAt: 60 * second, group: 2, attempts: 0 });
  });
});

describe('an instance whose outcome was lost', () => {
  const early: [Seen, flush: string, restart: string][] = [
    ['idle', 'lost', 'lost'],
    ['withTask', 'lost', 'lost'],
    ['taskNotAsked', 'lost', 'lost'],
    ['restarting', 'lost', 'accepted'],
    ['flushing', 'accepted', 'lost'],
    ['faulty', 'lost', 'lost'],
    ['odd', 'lost', 'lost'],
    ['frozen', 'unknown outcome_unknown', 'unknown outcome_unknown'],
    ['deleted', 'unknown outcome_unknown', 'unknown outcome_unknown'],
    ['createFailed', 'unknown outcome_unknown', 'unknown outcome_unknown'],
    ['gone', 'unknown outcome_unknown', 'unknown outcome_unknown'],
  ];
  const unknown = 'unknown outcome_unknown';
  const late: [Seen, flush: string, restart: string, lossy: string][] = [
    ['idle', unknown, 'due', unknown],
    ['withTask', unknown, 'lost', unknown],
    ['taskNotAsked', unknown, 'lost', unknown],
    ['restarting', unknown, 'accepted', 'accepted'],
    ['flushing', 'accepted', 'lost', unknown],
    ['faulty', unknown, 'due', unknown],
    ['odd', unknown, 'lost', unknown],
    ['frozen', unknown, unknown, unknown],
    ['gone', unknown, unknown, unknown],
  ];

  it.each(early)('and seen %s before the settle time is then: flush %s, restart %s', (seen, flush, restart) => {
    const become = (action: Action): string =>
      fateOf(applyLook(trackOf({ ...lost, dataLoss: action === 'flush' }), looks[seen], 59_999, rulesOf(action)));

    expect([become('flush'), become('restart')]).toEqual([flush, restart]);
  });

  it.each(late)('and seen %s at the settle time is then: flush %s, restart %s, with data loss %s', (seen, ...fates) => {
    const become = (action: Action, dataLoss: boolean): string =>
      fateOf(applyLook(trackOf({ ...lost, dataLoss }), looks[seen], 60_000, rulesOf(action)));

    expect([become('flush', true), become('restart', false), become('restart', true)]).toEqual(fates);
  });

  it.each<[Action, Partial<Track>, string]>([
    ['restart', { doubts: 3 }, 'due'],
    ['soft_restart', { doubts: 1 }, 'due'],
    ['soft_restart', { doubts: 2 }, unknown],
    ['restart', { doubts: 1, taken: true }, unknown],
    ['soft_restart', { doubts: 1, taken: true }, unknown],
  ])('and that shows nothing of a %s with %j is then %s', (action, more, fate) => {
    const after = applyLook(trackOf({ ...lost, ...more }), looks.idle, 60_000, rulesOf(action));

    expect(fateOf(after)).toBe(fate);
  });

  it('is known by its keys only after a flush, and only where they fell', () => {
    const become = (action: Action, emptied: boolean | null): string =>
      fateOf(applyLook(trackOf(lost), lookOf('RUNNING', { emptied }), second, rulesOf(action)));

    expect([become('flush', true), become('flush', false), become('flush', null)]).toEqual([
      'accepted',
      'lost',
      'lost',
    ]);
    expect(become('restart', true)).toBe('lost');
  });

  it('counts as accepted from its send on, with the evidence, once it is seen at work', () => {
    const after = applyLook(trackOf({ ...lost, sentAt: 5, group: 4 }), looks.flushing, 9_000, rulesOf('flush'));

    const expected = {
      acceptedAt: 5,
      runningSince: 9_000,
      evidence: 'state',
      maybeDone: false,
      group: 0,
      problem: null,
    };
    expect(after).toMatchObject(expected);
  });

  it('is not sent again where it is protected by now', () => {
    const after = applyLook(trackOf(lost), { ...looks.idle, isProtected: true }, 60_000, rulesOf('restart'));

    expect(fateOf(after)).toBe('lost');
  });

  it('is unknown where it has had its attempts', () => {
    const after = applyLook(trackOf({ ...lost, attempts: 3 }), looks.idle, 60_000, rulesOf('restart'));

    expect(fateOf(after)).toBe('unknown outcome_unknown');
  });
});

describe('an accepted instance', () => {
  const cases: [Seen, early: string, late: string, proved: string][] = [
    ['idle', 'accepted', 'accepted', 'succeeded'],
    ['withTask', 'accepted', 'accepted', 'accepted'],
    ['taskNotAsked', 'accepted', 'accepted', 'accepted'],
    ['restarting', 'accepted', 'accepted', 'accepted'],
    ['flushing', 'accepted', 'accepted', 'accepted'],
    ['faulty', 'accepted', 'failed unhealthy_after', 'failed unhealthy_after'],
    ['odd', 'accepted', 'accepted', 'accepted'],
    ['frozen', 'unknown not_verified', 'unknown not_verified', 'unknown not_verified'],
    ['deleted', 'unknown not_verified', 'unknown not_verified', 'unknown not_verified'],
    ['gone', 'unknown not_verified', 'unknown not_verified', 'unknown not_verified'],
  ];

  it.each(cases)('and seen %s is then: early %s, after the settle time %s, half proved %s', (seen, ...fates) => {
    const become = (change: Partial<Track>, at: number): string =>
      fateOf(applyLook(trackOf({ ...accepted, ...change }), looks[seen], at, rulesOf('flush')));

    const proved = { evidence: 'state', goodReads: 1, goodAt: 0 } as const;
    expect([become({}, 59_999), become({}, 60_000), become(proved, 1)]).toEqual(fates);
  });

  it.each<[Action, Seen, 'state' | null]>([
    ['flush', 'flushing', 'state'],
    ['flush', 'restarting', null],
    ['restart', 'restarting', 'state'],
    ['soft_restart', 'restarting', 'state'],
    ['restart', 'flushing', null],
    ['flush', 'idle', null],
  ])('after a %s and seen %s has the evidence %s', (action, seen, evidence) => {
    expect(applyLook(trackOf(accepted), looks[seen], 1, rulesOf(action)).evidence).toBe(evidence);
  });

  it('is verified by two good reads after the one that brought the evidence', () => {
    const read = (track: Track, at: number, emptied: boolean): Track =>
      applyLook(track, lookOf('RUNNING', { emptied }), at, rulesOf('flush'));

    const first = read(trackOf(accepted), 1_000, true);
    const second = read(first, 2_000, true);
    const third = read(second, 3_000, true);

    expect([first.goodReads, second.goodReads]).toEqual([0, 1]);
    expect([first.phase, second.phase]).toEqual(['accepted', 'accepted']);
    expect(third).toMatchObject({ status: 'succeeded', verifiedBy: 'keys', verifiedAt: 3_000, problem: null });
  });

  it('is verified by two good reads after a quiet settle time, where there is no evidence', () => {
    const read = (track: Track, at: number): Track => applyLook(track, looks.idle, at, rulesOf('restart'));

    const early = read(trackOf(accepted), 59_999);
    const first = read(early, 60_000);
    const last = read(first, 70_000);

    expect([early.goodReads, first.goodReads, first.goodAt]).toEqual([0, 1, 60_000]);
    expect(last).toMatchObject({ status: 'succeeded', verifiedBy: 'quiet' });
  });

  it.each<Seen>(['withTask', 'restarting', 'odd'])('begins anew with both proofs when it is seen %s', (seen) => {
    const track = trackOf({ ...accepted, goodReads: 1, runningSince: 0 });

    const after = applyLook(track, looks[seen], 70_000, rulesOf('flush'));

    expect(after).toMatchObject({ goodReads: 0, runningSince: 70_000 });
  });

  it('keeps its first evidence, and is left as it is by a read that did not ask for the task', () => {
    const track = trackOf({ ...accepted, evidence: 'state', goodReads: 1 });

    const after = applyLook(track, { ...looks.taskNotAsked, emptied: true }, 70_000, rulesOf('flush'));

    expect(after).toEqual(track);
  });

  it('that was protected meanwhile is verified all the same', () => {
    const track = trackOf({ ...accepted, evidence: 'state', goodReads: 1 });

    expect(applyLook(track, { ...looks.idle, isProtected: true }, 1, rulesOf('flush')).status).toBe('succeeded');
  });
});

describe('an instance that is due or has ended', () => {
  const seen = Object.keys(looks) as Seen[];

  it.each(seen)('is not changed by being seen %s', (look) => {
    for (const phase of ['due', 'ended'] as const) {
      const track = trackOf({ phase });

      expect(applyLook(track, looks[look], 60_000, rulesOf('flush'))).toBe(track);
    }
  });
});

describe('the task', () => {
  it.each<[string, Partial<Track>, number, boolean]>([
    ['asking', asking, 0, true],
    ['busy', busy, 0, true],
    ['lost, before the settle time', lost, 59_999, false],
    ['lost, at the settle time', lost, 60_000, true],
    ['accepted, before the settle time', accepted, 59_999, false],
    ['accepted, at the settle time', accepted, 60_000, true],
    ['accepted, with evidence', { ...accepted, evidence: 'state' }, 0, true],
    ['due', { phase: 'due' }, 60_000, false],
    ['ended', { phase: 'ended' }, 60_000, false],
  ])('of one that is %s is asked for where it decides', (_, before, now, isNeeded) => {
    expect(needsTask(trackOf(before), now, verify)).toBe(isNeeded);
  });
});

describe('time', () => {
  const good = { ...accepted, goodReads: 1 };
  const limit = 1_800_000;

  it.each<[string, Partial<Track>, number, string]>([
    ['lost, just in time', lost, limit - 1, 'lost'],
    ['lost, at the limit', lost, limit, 'unknown outcome_unknown'],
    ['accepted, just in time', accepted, limit - 1, 'accepted'],
    ['accepted, at the limit', accepted, limit, 'unknown not_verified'],
    ['half proved just now', { ...good, goodAt: limit - 179_999 }, limit, 'accepted'],
    ['half proved long ago', { ...good, goodAt: limit - 180_000 }, limit, 'unknown not_verified'],
    ['seen with evidence only', { ...accepted, goodReads: -1, goodAt: limit }, limit, 'unknown not_verified'],
    ['busy', busy, limit, 'busy'],
    ['asking', asking, limit, 'asking'],
    ['due', { phase: 'due' }, limit, 'due'],
  ])('ends the hope for one that is %s', (_, before, now, fate) => {
    expect(fateOf(lapse(trackOf(before), now, verify))).toBe(fate);
  });

  it('gives a long interval longer to bring the second read', () => {
    const track = trackOf({ ...good, goodAt: 0 });
    const slow = { ...verify, interval: 600, timeout: 1 };

    expect(fateOf(lapse(track, 1_799_999, slow))).toBe('accepted');
    expect(fateOf(lapse(track, 1_800_000, slow))).toBe('unknown not_verified');
  });
});

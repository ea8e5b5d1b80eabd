// What the world is told of an instance on its way and at its end, and when it counts as a failure.

import { describe, expect, it } from '@jest/globals';
import { dueAgain, ended, gaveUp, isFailure, mayBeDone, outcomeOf, type Track } from '../../lib/execute/track.ts';
import { idOf } from '../support/scenario.ts';
import { trackOf } from '../support/tracks.ts';

const why = { code: 'busy', reason: 'it is at work' };
const refused = { at: 0, size: 5 };

describe('an outcome', () => {
  const cases: [string, Partial<Track>, status: string, code: string | undefined][] = [
    ['due, and never sent', {}, 'not_started', undefined],
    ['due, after a throttled call', { calls: 1, problem: why }, 'not_started', 'busy'],
    ['due, after a send', { sentAt: 1, problem: why }, 'unknown', 'busy'],
    ['asking after a refused call', { phase: 'asking', calls: 1, refused, problem: why }, 'unknown', 'busy'],
    ['busy after a refused call', { phase: 'busy', calls: 1, refused, problem: why }, 'unknown', 'busy'],
    ['due after that was settled', { phase: 'due', calls: 1, refused, problem: why }, 'not_started', 'busy'],
    ['lost', { phase: 'lost', sentAt: 1, problem: why }, 'unknown', 'busy'],
    ['accepted', { phase: 'accepted', sentAt: 1, acceptedAt: 1 }, 'unknown', 'verifying'],
    ['ended well', { phase: 'ended', status: 'succeeded', sentAt: 1, problem: why }, 'succeeded', undefined],
    ['ended badly', { phase: 'ended', status: 'failed', sentAt: 1, problem: why }, 'failed', 'busy'],
    ['left out', { phase: 'ended', status: 'skipped', problem: why }, 'skipped', 'busy'],
  ];

  it.each(cases)('of one that is %s is told as %s', (_, change, status, code) => {
    const outcome = outcomeOf(trackOf(change));

    expect([outcome.status, outcome.code]).toEqual([status, code]);
  });

  it('has times as ISO 8601, and only what is known', () => {
    const verified = trackOf({ phase: 'ended', status: 'succeeded', attempts: 2, acceptedAt: 0, verifiedAt: 1000 });

    expect(outcomeOf({ ...verified, verifiedBy: 'keys' })).toEqual({
      instanceId: idOf(1),
      name: 'cache-1',
      status: 'succeeded',
      attempts: 2,
      acceptedAt: '1970-01-01T00:00:00.000Z',
      verifiedAt: '1970-01-01T00:00:01.000Z',
      verifiedBy: 'keys',
    });
    expect(Object.keys(outcomeOf(trackOf())).sort()).toEqual(['attempts', 'instanceId', 'name', 'status']);
  });
});

describe('a track', () => {
  it.each<[Partial<Track>, boolean]>([
    [{}, false],
    [{ maybeDone: true }, true],
    [{ phase: 'asking', refused }, true],
    [{ phase: 'busy', refused }, true],
    [{ phase: 'due', refused }, false],
    [{ phase: 'asking' }, false],
  ])('%j may have been acted on: %s, and is given up accordingly', (change, isDone) => {
    const track = trackOf(change);

    expect(mayBeDone(track)).toBe(isDone);
    expect(gaveUp(track).status).toBe(isDone ? 'unknown' : 'failed');
  });

  it.each<[Track['phase'], Track['status'], boolean]>([
    ['ended', 'failed', true],
    ['ended', 'unknown', true],
    ['ended', 'succeeded', false],
    ['ended', 'skipped', false],
    ['ended', 'not_started', false],
    ['lost', 'unknown', false],
  ])('that is %s %s is a failure: %s', (phase, status, expected) => {
    expect(isFailure(trackOf({ phase, status }))).toBe(expected);
  });

  it('keeps its problem at its end unless it is told another, or none', () => {
    const track = trackOf({ problem: why });
    const other = { code: 'other', reason: 'x' };

    expect([ended(track, 'failed').problem, ended(track, 'failed', other).problem]).toEqual([why, other]);
    expect(ended(track, 'succeeded', null).problem).toBeNull();
  });

  it('that is due again is so in the common group unless it is told another', () => {
    const track = trackOf({ phase: 'busy', group: 3 });

    expect([dueAgain(track, 7).group, dueAgain(track, 7, 5).group]).toEqual([0, 5]);
    expect(dueAgain(track, 7)).toMatchObject({ phase: 'due', dueAt: 7 });
  });
});

// Windows and freezes: through the nights on which clocks change, against an oracle that walks whole years, and as guards
// that break glass passes.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Freeze, Window } from '../../lib/config.ts';
import { freezeState, inFreeze, outsideWindow, windowState } from '../../lib/guards/calendar.ts';
import { openMinutes, walkYear, type Year } from '../support/window-oracle.ts';

const minuteMs = 60_000;
const daily = [0, 1, 2, 3, 4, 5, 6];

/** `01:30-02:30` of every day, in Berlin unless another zone is named. */
function window(times: string, more: Partial<Window> = {}): Window {
  const [from = 0, to = 0] = times.split('-').map(minutesOf);
  return { days: daily, from, to, timezone: 'Europe/Berlin', cutoff: 0, ...more };
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

/** The state with its time in ISO 8601, to the minute. */
function stateAt(which: Window, now: string): string {
  const state = windowState(which, Date.parse(now));
  const at = new Date(state.open ? state.until : state.opensAt).toISOString().slice(0, 16);
  return state.open ? `open until ${at}` : `opens ${at}`;
}

describe('windowState', () => {
  it.each([
    ['before it', '09:00-17:00', '2026-07-01T06:59:59Z', 'opens 2026-07-01T07:00'],
    ['at its beginning', '09:00-17:00', '2026-07-01T07:00:00Z', 'open until 2026-07-01T15:00'],
    ['at its end', '09:00-17:00', '2026-07-01T15:00:00Z', 'opens 2026-07-02T07:00'],
    ['before midnight', '22:00-05:00', '2026-07-01T21:00:00Z', 'open until 2026-07-02T03:00'],
    ['after midnight', '22:00-05:00', '2026-07-02T00:00:00Z', 'open until 2026-07-02T03:00'],
    ['a whole day', '00:00-24:00', '2026-07-02T00:00:00Z', 'open until 2026-07-23T22:00'],
  ])('%s', (_, times, now, expected) => {
    expect(stateAt(window(times), now)).toBe(expected);
  });

  it.each([
    ['Friday night', '2026-07-03T21:00:00Z', 'open until 2026-07-04T03:00'],
    ['early on Saturday, which is Friday’s', '2026-07-04T02:00:00Z', 'open until 2026-07-04T03:00'],
    ['Saturday night', '2026-07-04T21:00:00Z', 'opens 2026-07-10T20:00'],
    ['early on Friday, which is Thursday’s', '2026-07-03T02:00:00Z', 'opens 2026-07-03T20:00'],
  ])('belongs to the day it starts on: %s', (_, now, expected) => {
    expect(stateAt(window('22:00-05:00', { days: [5] }), now)).toBe(expected);
  });

  it.each([
    ['before the last quarter', '2026-07-01T14:44:59Z', 'open until 2026-07-01T14:45'],
    ['in the last quarter', '2026-07-01T14:45:00Z', 'opens 2026-07-02T07:00'],
  ])('begins nothing in its cutoff: %s', (_, now, expected) => {
    expect(stateAt(window('09:00-17:00', { cutoff: 900 }), now)).toBe(expected);
  });

  it('has no cutoff in the middle of days that touch', () => {
    const weekend = window('00:00-24:00', { days: [0, 6], cutoff: 900 });

    expect(stateAt(weekend, '2026-07-04T21:59:00Z')).toBe('open until 2026-07-05T21:45');
  });

  it.each([
    // Berlin: 02:00 becomes 03:00 on 29 March, at 01:00 UTC.
    ['Europe/Berlin', '01:30-02:30', '2026-03-29T00:29:00Z', 'opens 2026-03-29T00:30'],
    ['Europe/Berlin', '01:30-02:30', '2026-03-29T00:30:00Z', 'open until 2026-03-29T01:00'],
    ['Europe/Berlin', '02:30-03:30', '2026-03-29T00:59:00Z', 'opens 2026-03-29T01:00'],
    ['Europe/Berlin', '02:30-03:30', '2026-03-29T01:00:00Z', 'open until 2026-03-29T01:30'],
    ['Europe/Berlin', '02:15-02:45', '2026-03-29T00:59:00Z', 'opens 2026-03-30T00:15'],
    ['Europe/Berlin', '22:00-05:00', '2026-03-28T21:00:00Z', 'open until 2026-03-29T03:00'],
    // 03:00 becomes 02:00 on 25 October, at 01:00 UTC.
    ['Europe/Berlin', '01:30-02:30', '2026-10-24T23:30:00Z', 'open until 2026-10-25T00:30'],
    ['Europe/Berlin', '01:30-02:30', '2026-10-25T01:15:00Z', 'opens 2026-10-26T00:30'],
    ['Europe/Berlin', '02:15-02:45', '2026-10-25T00:15:00Z', 'open until 2026-10-25T00:45'],
    ['Europe/Berlin', '02:15-02:45', '2026-10-25T01:15:00Z', 'opens 2026-10-26T01:15'],
    ['Europe/Berlin', '02:30-05:00', '2026-10-25T00:30:00Z', 'open until 2026-10-25T04:00'],
    // New York: 02:00 becomes 03:00 on 8 March at 07:00 UTC, and 01:00 on 1 November at 06:00 UTC.
    ['America/New_York', '01:30-02:30', '2026-03-08T06:30:00Z', 'open until 2026-03-08T07:00'],
    ['America/New_York', '02:30-04:00', '2026-03-08T06:59:00Z', 'opens 2026-03-08T07:00'],
    ['America/New_York', '00:30-01:30', '2026-11-01T04:30:00Z', 'open until 2026-11-01T05:30'],
    ['America/New_York', '00:30-01:30', '2026-11-01T06:15:00Z', 'opens 2026-11-02T05:30'],
    // Lord Howe: half an hour back at 02:00 on 5 April (15:00 UTC the day before), and forth at 02:00 on 4 October.
    ['Australia/Lord_Howe', '01:30-02:30', '2026-04-04T14:30:00Z', 'open until 2026-04-04T16:00'],
    ['Australia/Lord_Howe', '01:00-01:45', '2026-04-04T14:00:00Z', 'open until 2026-04-04T14:45'],
    ['Australia/Lord_Howe', '01:00-01:45', '2026-04-04T15:05:00Z', 'opens 2026-04-05T14:30'],
    ['Australia/Lord_Howe', '02:15-03:00', '2026-10-03T15:29:00Z', 'opens 2026-10-03T15:30'],
    ['Australia/Lord_Howe', '02:15-03:00', '2026-10-03T15:30:00Z', 'open until 2026-10-03T16:00'],
  ])('through the clock changes of %s: %s at %s', (timezone, times, now, expected) => {
    expect(stateAt(window(times, { timezone }), now)).toBe(expected);
  });

  it('looks past a week whose only window the clocks skip, or make shorter than its cutoff', () => {
    const sundays = { days: [0] };

    expect(stateAt(window('02:10-02:50', sundays), '2026-03-23T00:00:00Z')).toBe('opens 2026-04-05T00:10');
    expect(stateAt(window('01:30-02:30', { ...sundays, cutoff: 1800 }), '2026-03-23T00:00:00Z')).toBe(
      'opens 2026-04-04T23:30',
    );
  });

  it('throws for a window that never opens', () => {
    expect(() => windowState(window('01:00-02:00', { cutoff: 3600 }), 0)).toThrow(RangeError);
    expect(() => windowState(window('01:00-02:00', { days: [] }), 0)).toThrow(RangeError);
  });
});

describe('windowState over a whole year', () => {
  // Clocks that change by half an hour (Lord Howe), around midnight (Havana), twice within a month or so (Casablanca).
  const zones = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'America/Havana', 'Africa/Casablanca'];
  const times = fc.oneof(
    fc.integer({ min: 0, max: 1439 }),
    fc.integer({ min: 0, max: 16 }).map((n) => n * 15),
  );

  it.each(zones)('agrees with whoever walks every minute of it: %s', (zone) => {
    const year = walkYear(zone, 2026);
    const arbitrary = fc
      .record({
        days: fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 1 }).map((days) => days.sort()),
        from: times,
        to: fc.oneof(times, fc.constant(1440)),
        cutoff: fc.constantFrom(0, 60, 900, 1800),
        timezone: fc.constant(zone),
      })
      .filter(({ from, to, cutoff }) => from !== to && (to > from ? to - from : to - from + 1440) > cutoff / 60);

    fc.assert(
      fc.property(arbitrary, fc.array(fc.nat(year.shown.length - 60 * 1440), { maxLength: 20 }), (which, minutes) => {
        const expected = openMinutes(which, year);

        expect(untilLast(followed(which, year), year)).toEqual(untilLast(expected, year));
        for (const minute of minutes) {
          const state = windowState(which, year.start + minute * minuteMs);
          expect(state.open).toBe(expected.some(([first, end]) => first <= minute && minute < end));
        }
      }),
      { numRuns: 20 },
    );
  });

  /** Where following ends: the oracle sees nothing of the year after. */
  function lastOf(year: Year): number {
    return year.shown.length - 30 * 1440;
  }

  function untilLast(stretches: readonly (readonly [number, number])[], year: Year): readonly (readonly number[])[] {
    const last = lastOf(year);
    return stretches.filter(([first]) => first < last).map(([first, end]) => [first, Math.min(end, last)]);
  }

  /** The stretches one finds by going from each state to the time at which it says to end. */
  function followed(which: Window, year: Year): [number, number][] {
    const found: [number, number][] = [];
    let at = year.start;
    while (at < year.start + lastOf(year) * minuteMs) {
      const state = windowState(which, at);
      const next = state.open ? state.until : state.opensAt;
      if (next <= at) throw new Error(`the state at ${at} ends at ${next}`);
      const [first, end] = [at, next].map((each) => (each - year.start) / minuteMs);
      const last = found.at(-1);
      if (state.open && last !== undefined && last[1] === first) last[1] = end ?? 0;
      else if (state.open) found.push([first ?? 0, end ?? 0]);
      at = next;
    }
    return found;
  }
});

describe('freezeState', () => {
  const freeze = (from: number, to: number, reason: string): Freeze => ({ from, to, timezone: 'UTC', reason });
  const freezes = [
    freeze(50, 60, 'c'),
    freeze(10, 20, 'a'),
    freeze(20, 30, 'b'),
    freeze(12, 15, 'a'),
    freeze(70, 70, 'd'),
  ];

  it.each([
    [9, { frozen: false }],
    [10, { frozen: true, until: 30, reason: 'a; b' }],
    [29, { frozen: true, until: 30, reason: 'a; b' }],
    [30, { frozen: false }],
    [50, { frozen: true, until: 60, reason: 'c' }],
    [70, { frozen: false }],
  ])('at %i: %j', (now, expected) => {
    expect(freezeState(freezes, now)).toEqual(expected);
  });

  it('is frozen while any freeze holds, and thaws at the first moment that none does', () => {
    const one = fc.tuple(fc.nat(100), fc.nat(30)).map(([from, length]) => freeze(from, from + length, 'r'));

    fc.assert(
      fc.property(fc.array(one, { maxLength: 8 }), fc.nat(130), (all, now) => {
        const holds = (at: number): boolean => all.some(({ from, to }) => from <= at && at < to);
        let thaw = now;
        while (holds(thaw)) thaw++;

        expect(freezeState(all, now)).toEqual(
          holds(now) ? { frozen: true, until: thaw, reason: 'r' } : { frozen: false },
        );
      }),
    );
  });
});

describe('the guards', () => {
  const now = Date.parse('2026-07-01T12:00:00Z');
  const project = {
    name: 'staging',
    freeze: [{ from: now, to: now + 3_600_000, timezone: 'UTC', reason: 'year end' }],
  };
  const job = { window: window('22:00-05:00', { days: [1, 2, 3, 4, 5], cutoff: 900 }), project };

  it('outsideWindow says when the window opens, in the words of its zone and in UTC', () => {
    expect(outsideWindow({ job, event: {}, now })).toEqual({
      code: 'outside_window',
      reason:
        'nothing may begin outside the window mon, tue, wed, thu, fri 22:00-05:00 Europe/Berlin or in its last 900 seconds; it opens at 2026-07-01T22:00:00+02:00',
      liftsAt: '2026-07-01T20:00:00.000Z',
    });
  });

  it('outsideWindow lets pass inside the window, and where there is none', () => {
    expect(outsideWindow({ job, event: {}, now: Date.parse('2026-07-01T20:00:00Z') })).toBeNull();
    expect(outsideWindow({ job: { ...job, window: null }, event: {}, now })).toBeNull();
  });

  it('inFreeze says until when and why', () => {
    expect(inFreeze({ job, event: {}, now })).toEqual({
      code: 'frozen',
      reason: 'the project staging is frozen until 2026-07-01T13:00:00.000Z: year end',
      liftsAt: '2026-07-01T13:00:00.000Z',
    });
    expect(inFreeze({ job, event: {}, now: now + 3_600_000 })).toBeNull();
  });

  it('both let pass whoever broke the glass', () => {
    const event = { breakGlass: true };

    expect(outsideWindow({ job, event, now })).toBeNull();
    expect(inFreeze({ job, event, now })).toBeNull();
  });
});

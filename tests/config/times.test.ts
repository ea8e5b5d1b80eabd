// Windows and freezes: what their texts mean, through clock changes too, and what is no time.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readConfig } from '../../lib/config/file.ts';
import type { Window } from '../../lib/config.ts';
import { complaints, textWith } from '../support/config-text.ts';

const night = { from: '22:00', to: '05:00' };

function windowOf(window: object): Window | null | undefined {
  return readConfig(textWith('jobs.hook.window', window), 'autopilot.yml').jobs['hook']?.window;
}

function freezesOf(...freezes: readonly object[]) {
  return readConfig(textWith('projects.p.freeze', freezes), 'autopilot.yml').projects['p']?.freeze;
}

describe('a window', () => {
  it('says its days, its minutes of the day, its zone and its cutoff', () => {
    const window = { days: ['mon-fri'], ...night, timezone: 'Europe/Berlin', cutoff: '30m' };

    expect(windowOf(window)).toEqual({
      days: [1, 2, 3, 4, 5],
      from: 1320,
      to: 300,
      timezone: 'Europe/Berlin',
      cutoff: 1800,
    });
  });

  it('opens every day, in UTC, with a quarter of an hour as its cutoff, where it does not say otherwise', () => {
    expect(windowOf(night)).toEqual({ days: [0, 1, 2, 3, 4, 5, 6], from: 1320, to: 300, timezone: 'UTC', cutoff: 900 });
  });

  it.each([
    [['mon'], [1]],
    [['sun'], [0]],
    [['sat-sun'], [0, 6]],
    [['fri-mon'], [0, 1, 5, 6]],
    [['mon-mon'], [1]],
    [
      ['sun-sat', 'mon'],
      [0, 1, 2, 3, 4, 5, 6],
    ],
    [
      ['wed', 'mon', 'mon-tue'],
      [1, 2, 3],
    ],
  ])('opens on %j', (days, expected) => {
    expect(windowOf({ days, ...night })?.days).toEqual(expected);
  });

  it('takes every minute of a day', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1439 }), (minute) => {
        const text = `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

        expect(windowOf({ from: text, to: '24:00', cutoff: '1s' })).toMatchObject({ from: minute, to: 1440 });
      }),
    );
  });

  it('of `defaults` holds for jobs that do not say otherwise, and `null` takes it away', () => {
    const file = JSON.parse(textWith('defaults.window', night));
    file.jobs.hook.window = null;

    const { jobs } = readConfig(JSON.stringify(file), 'autopilot.yml');

    expect(jobs['flush']?.window?.from).toBe(1320);
    expect(jobs['hook']?.window).toBeNull();
  });

  const dayWanted = 'expected a day or a range of days, such as mon, mon-fri or sat-sun';
  const same = '`from` and `to` are the same; write from: "00:00" and to: "24:00" for whole days';

  it.each([
    [{ ...night, days: ['mo'] }, `.days[0]: ${dayWanted}`],
    [{ ...night, days: ['mon-'] }, `.days[0]: ${dayWanted}`],
    [{ ...night, days: ['mon-tue-wed'] }, `.days[0]: ${dayWanted}`],
    [{ ...night, days: ['Mon'] }, `.days[0]: ${dayWanted}`],
    [{ ...night, days: [''] }, `.days[0]: ${dayWanted}`],
    [{ ...night, days: [] }, '.days: expected a list of days, such as [mon-fri]'],
    [{ ...night, days: 'mon-fri' }, '.days: expected a list'],
    [{ ...night, from: '24:00' }, '.from: expected a time of day such as "22:00"'],
    [{ ...night, from: '7:00' }, '.from: expected a time of day such as "22:00"'],
    [{ ...night, from: 1320 }, '.from: expected a time of day such as "22:00"'],
    [{ ...night, to: '24:01' }, '.to: expected a time of day such as "05:00", at most "24:00"'],
    [{ from: '22:00' }, '.to: required'],
    [
      { ...night, timezone: '+02:00' },
      '.timezone: "+02:00" is not a time zone of the IANA database, such as Europe/Berlin',
    ],
    [{ from: '22:00', to: '22:00' }, `: ${same}`],
    [{ from: '22:00', to: '22:15' }, ': `cutoff` (900s) leaves nothing of the window (900s)'],
    [{ ...night, cutoff: '7h' }, ': `cutoff` (25200s) leaves nothing of the window (25200s)'],
    [{ ...night, until: '1' }, '.until: unknown key'],
  ])('is refused: %j', (window, fault) => {
    expect(complaints('jobs.hook.window', window)).toEqual([`jobs.hook.window${fault}`]);
  });
});

describe('a freeze', () => {
  const yearEnd = { from: '2026-12-20T00:00', to: '2027-01-04T00:00', timezone: 'Europe/Berlin', reason: 'year end' };

  it('is from one instant to another, in the zone that it names', () => {
    expect(freezesOf(yearEnd, { ...yearEnd, timezone: 'Asia/Tokyo' })).toEqual([
      { ...yearEnd, from: Date.parse('2026-12-19T23:00Z'), to: Date.parse('2027-01-03T23:00Z') },
      {
        ...yearEnd,
        timezone: 'Asia/Tokyo',
        from: Date.parse('2026-12-19T15:00Z'),
        to: Date.parse('2027-01-03T15:00Z'),
      },
    ]);
  });

  it('is in UTC where it names no zone', () => {
    const { timezone, ...rest } = yearEnd;

    expect(timezone).toBe('Europe/Berlin');
    expect(freezesOf(rest)?.[0]).toMatchObject({ timezone: 'UTC', from: Date.parse('2026-12-20T00:00Z') });
  });

  it('takes the first minute after a gap for a time that the clocks skip', () => {
    expect(freezesOf({ ...yearEnd, from: '2027-03-28T02:30', to: '2027-03-28T04:00' })?.[0]).toMatchObject({
      from: Date.parse('2027-03-28T01:00Z'),
      to: Date.parse('2027-03-28T02:00Z'),
    });
  });

  it('takes in both of an hour that comes twice', () => {
    expect(freezesOf({ ...yearEnd, from: '2026-10-25T02:30', to: '2026-10-25T02:30' })?.[0]).toMatchObject({
      from: Date.parse('2026-10-25T00:30Z'),
      to: Date.parse('2026-10-25T01:30Z'),
    });
  });

  const wanted = 'expected a date and a time such as 2026-12-20T00:00';

  it.each([
    [{ ...yearEnd, from: '2026-12-20' }, `.from: ${wanted}`],
    [{ ...yearEnd, from: '2026-02-30T00:00' }, `.from: ${wanted}`],
    [{ ...yearEnd, from: '2026-12-20T24:00' }, `.from: ${wanted}`],
    [{ ...yearEnd, from: '2026-12-20T00:00Z' }, `.from: ${wanted}`],
    [{ ...yearEnd, from: 2026 }, `.from: ${wanted}`],
    [{ ...yearEnd, to: '2026-12-20T00:00' }, ': `to` is not after `from`'],
    [{ ...yearEnd, from: '2027-03-28T02:15', to: '2027-03-28T02:45' }, ': `to` is not after `from`'],
    [{ ...yearEnd, reason: undefined }, '.reason: required'],
    [
      { ...yearEnd, timezone: 'Mars/Base' },
      '.timezone: "Mars/Base" is not a time zone of the IANA database, such as Europe/Berlin',
    ],
  ])('is refused: %j', (freeze, fault) => {
    expect(complaints('projects.p.freeze', [freeze])).toEqual([`projects.p.freeze[0]${fault}`]);
  });
});

// Rule 16 in tables, and against a walk over every minute around every clock change from 2020 to 2035.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkZone } from '../lib/schedule/zone.ts';
import { checkCron, dueFires, fires, judgeFire, lookBackFires, nextFires } from '../lib/schedule.ts';
import {
  type ClockChange,
  type CronCase,
  clockChanges,
  expectedFires,
  type FieldCase,
  minutesAround,
} from './support/clock-oracle.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

function utc(text: string): number {
  return Date.parse(`${text}Z`);
}

describe('a cron expression', () => {
  it.each([
    '* * * * *',
    '0 2 * * *',
    '  0   2 * * *\t',
    '*/20 */2 * * *',
    '0,30 8-18/2 * * MON-FRI',
    '0 0 1 JAN,jul *',
    '0 0 29 2 *',
    '0 0 31 1,2 *',
    '0 0 * * 7',
    '0 0 * * fri-sun',
    '05 08 * * *',
  ])('%j is fine', (cron) => {
    expect(checkCron(cron)).toBeNull();
  });

  it.each([
    ['', 'five fields are needed (minute hour day-of-month month day-of-week), not 0'],
    ['0 2 * *', 'not 4'],
    ['0 0 2 * * *', 'not 6'],
    ['@daily', 'not 1'],
    ['60 2 * * *', 'minute: "60" is not a number from 0 to 59'],
    ['0 24 * * *', 'hour: "24" is not a number from 0 to 23'],
    ['0 0 0 * *', 'day of month: "0" is not a number from 1 to 31'],
    ['0 0 * 13 *', 'month: "13" is not a number from 1 to 12 or JAN-DEC'],
    ['0 0 * * 8', 'day of week: "8" is not a number from 0 to 7 or SUN-SAT'],
    ['0 0 * * MONDAY', '"MONDAY" is not a number'],
    ['-5 0 * * *', '"" is not a number'],
    ['1.5 0 * * *', '"1.5" is not a number'],
    ['0 0 L * *', '"L" is not a number'],
    ['0 0 ? * 1', '"?" is not a number'],
    ['0, 2 * * *', 'minute: "" is not a number, range or step'],
    ['1-2-3 2 * * *', '"1-2-3" is not a number or range'],
    ['1/2/3 2 * * *', '"1/2/3" is not a number, range or step'],
    ['5/10 * * * *', 'the step in "5/10" needs a range or * before the /'],
    ['*/0 * * * *', 'minute: the step "0" is not a number from 1 to 59'],
    ['*/90 * * * *', 'minute: the step "90" is not a number from 1 to 59'],
    ['*/ * * * *', 'the step "" is not a number'],
    ['0 22-5 * * *', 'hour: the range 22-5 runs backwards'],
    ['0 0 30 2 *', 'day 30 never comes in the months named'],
    ['0 0 31 APR,JUN,9,11 *', 'day 31 never comes in the months named'],
    ['0 0 1 * 1', 'day of month and day of week are both set'],
    ['0 0 */2 * MON', 'day of month and day of week are both set'],
  ])('%j is a fault that says: %s', (cron, sentence) => {
    expect(checkCron(cron)).toContain(sentence);
  });

  it('that is faulty never fires, but throws what is wrong', () => {
    expect(() => fires({ cron: '0 24 * * *', timezone: 'UTC' }, 0, dayMs)).toThrow('"0 24 * * *": hour: "24"');
  });

  it('never makes the reading of it throw', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.array(fc.string(), { minLength: 5, maxLength: 5 }).map((f) => f.join(' ')),
    );

    fc.assert(fc.property(anything, (cron) => [null, 'string'].includes(checkCron(cron) && 'string')));
  });
});

describe('a zone', () => {
  it.each(['Europe/Berlin', 'UTC', 'America/Argentina/Buenos_Aires', 'Australia/Lord_Howe'])('%s is known', (zone) => {
    expect(checkZone(zone)).toBeNull();
  });

  it.each(['', '+02:00', 'Berlin', 'Europe/Berlni', 'UTC+2'])('%j is a fault', (zone) => {
    expect(checkZone(zone)).toBe(`"${zone}" is not a time zone of the IANA database, such as Europe/Berlin`);
  });

  it('that does not exist makes fires throw', () => {
    expect(() => fires({ cron: '* * * * *', timezone: 'Europe/Berlni' }, 0, 1)).toThrow(RangeError);
  });
});

describe('fires', () => {
  it.each([
    [
      'a list of days of the week',
      '0 2 * * MON,WED',
      'UTC',
      '2026-01-01T00:00',
      ['2026-01-05T02:00', '2026-01-07T02:00'],
    ],
    ['Sunday as 7', '0 2 * * 7', 'UTC', '2026-01-01T00:00', ['2026-01-04T02:00', '2026-01-11T02:00']],
    ['Sunday as 0', '0 2 * * 0', 'UTC', '2026-01-01T00:00', ['2026-01-04T02:00', '2026-01-11T02:00']],
    [
      'a range that ends on Sunday',
      '0 2 * * SAT-SUN',
      'UTC',
      '2026-01-01T00:00',
      ['2026-01-03T02:00', '2026-01-04T02:00'],
    ],
    ['a leap day', '0 0 29 2 *', 'UTC', '2026-01-01T00:00', ['2028-02-29T00:00', '2032-02-29T00:00']],
    ['a leap day around 2100', '0 0 29 2 *', 'UTC', '2095-01-01T00:00', ['2096-02-29T00:00', '2104-02-29T00:00']],
    [
      'only months that have the day',
      '0 0 31 * *',
      'UTC',
      '2026-02-01T00:00',
      ['2026-03-31T00:00', '2026-05-31T00:00'],
    ],
    ['a month by name', '0 0 1 JAN *', 'UTC', '2026-02-01T00:00', ['2027-01-01T00:00', '2028-01-01T00:00']],
    ['steps of minutes', '*/25 * * * *', 'UTC', '2026-01-01T00:30', ['2026-01-01T00:50', '2026-01-01T01:00']],
    ['a step within a range', '0 8-18/5 * * *', 'UTC', '2026-01-01T08:00', ['2026-01-01T13:00', '2026-01-01T18:00']],
    [
      'a zone of a quarter hour',
      '0 0 * * *',
      'Asia/Kathmandu',
      '2026-01-01T00:00',
      ['2026-01-01T18:15', '2026-01-02T18:15'],
    ],
  ])('know %s', (_, cron, timezone, after, expected) => {
    const found = nextFires({ cron, timezone }, utc(after), expected.length);

    expect(found.map((fire) => fire.at)).toEqual(expected.map(utc));
  });

  it('begin after the one end and reach to the other', () => {
    const found = fires({ cron: '* * * * *', timezone: 'UTC' }, minuteMs, 3 * minuteMs);

    expect(found.map((fire) => fire.at)).toEqual([2 * minuteMs, 3 * minuteMs]);
  });

  it('are none in an empty stretch', () => {
    expect(fires({ cron: '* * * * *', timezone: 'UTC' }, minuteMs, minuteMs)).toEqual([]);
    expect(fires({ cron: '* * * * *', timezone: 'UTC' }, minuteMs, 0)).toEqual([]);
  });

  it('are told as many as asked for, up to the end of the calendar', () => {
    expect(nextFires({ cron: '0 0 29 2 *', timezone: 'UTC' }, 0, 1000)).toHaveLength(1000);
    expect(nextFires({ cron: '0 0 1 1 *', timezone: 'UTC' }, utc('9997-06-01T00:00'), 5)).toHaveLength(2);
  });
});

describe('a fixed hour that the clocks skip', () => {
  it.each([
    ['Europe/Berlin', '30 2 * * *', '2026-03-28T12:00', '2026-03-29T03:00:00+02:00', 'moved from 02:30'],
    ['America/New_York', '30 2 * * *', '2026-03-07T12:00', '2026-03-08T03:00:00-04:00', 'moved from 02:30'],
    ['Australia/Lord_Howe', '15 2 * * *', '2026-10-03T12:00', '2026-10-04T02:30:00+11:00', 'moved from 02:15'],
    ['Africa/Cairo', '30 0 * * *', '2026-04-23T12:00', '2026-04-24T01:00:00+03:00', 'moved from 00:30'],
    ['Asia/Beirut', '0 0 * * *', '2026-03-28T12:00', '2026-03-29T01:00:00+03:00', 'moved from 00:00'],
    ['America/Nuuk', '30 23 * * SAT', '2026-03-28T12:00', '2026-03-29T00:00:00-01:00', 'moved from 23:30'],
    ['Africa/Casablanca', '30 2 * * *', '2026-03-21T12:00', '2026-03-22T03:00:00+01:00', 'moved from 02:30'],
    ['Pacific/Apia', '0 12 * * *', '2011-12-30T00:00', '2011-12-31T00:00:00+14:00', 'moved from 12:00'],
    ['America/Sao_Paulo', '10 0 * * *', '2018-11-03T12:00', '2018-11-04T01:00:00-02:00', 'moved from 00:10'],
  ])('runs in %s (%s) at the first minute after the gap, and says so', (timezone, cron, after, local, note) => {
    const [fire] = nextFires({ cron, timezone }, utc(after), 1);

    expect(fire).toMatchObject({ local, note: `${note}, which the clocks skip on this day` });
  });

  it('runs once, however many of its minutes are skipped', () => {
    const found = nextFires({ cron: '*/20 2 * * *', timezone: 'Europe/Berlin' }, utc('2026-03-28T12:00'), 2);

    expect(found.map((fire) => fire.local)).toEqual(['2026-03-29T03:00:00+02:00', '2026-03-30T02:00:00+02:00']);
    expect(found[0]?.note).toBe('moved from 02:00 (and 2 more), which the clocks skip on this day');
  });

  it('falls together with a fire that has that minute anyway', () => {
    const found = nextFires({ cron: '0 2,3 * * *', timezone: 'Europe/Berlin' }, utc('2026-03-28T12:00'), 2);

    expect(found.map((fire) => fire.local)).toEqual(['2026-03-29T03:00:00+02:00', '2026-03-30T02:00:00+02:00']);
    expect(found[0]?.note).toBe('also stands for 02:00, which the clocks skip on this day');
  });
});

describe('a fixed hour that comes twice', () => {
  it.each([
    ['Europe/Berlin', '30 2 * * *', '2026-10-24T12:00', '2026-10-25T02:30:00+02:00', '02:30'],
    ['America/New_York', '30 1 * * *', '2026-10-31T12:00', '2026-11-01T01:30:00-04:00', '01:30'],
    ['Australia/Lord_Howe', '45 1 * * *', '2026-04-04T12:00', '2026-04-05T01:45:00+11:00', '01:45'],
    ['Africa/Cairo', '30 23 * * *', '2026-10-29T12:00', '2026-10-29T23:30:00+03:00', '23:30'],
  ])('runs in %s (%s) the first time only', (timezone, cron, after, local, time) => {
    const [first, second] = nextFires({ cron, timezone }, utc(after), 2);

    expect(first).toMatchObject({ local, note: `first of two ${time} on this day; the second is left out` });
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(24 * hourMs);
  });

  it.each(['30 1-3 * * *', '30 1,2,3 * * *', '30 0-22/1 * * *'])(
    'is one also where it is a range or list: %s',
    (cron) => {
      const found = fires({ cron, timezone: 'Europe/Berlin' }, utc('2026-10-25T00:00'), utc('2026-10-25T01:59'));

      expect(found.map((fire) => fire.local)).toEqual(['2026-10-25T02:30:00+02:00']);
    },
  );
});

describe('a wildcard hour', () => {
  it.each(['30 * * * *', '30 */1 * * *', '30 0-23 * * *', '30 *,5 * * *'])(
    '(%s) runs in both of two equal hours',
    (cron) => {
      const found = nextFires({ cron, timezone: 'Europe/Berlin' }, utc('2026-10-24T23:45'), 3);

      expect(found).toEqual([
        { at: utc('2026-10-25T00:30'), local: '2026-10-25T02:30:00+02:00', note: 'first of two 02:30 on this day' },
        { at: utc('2026-10-25T01:30'), local: '2026-10-25T02:30:00+01:00', note: 'second of two 02:30 on this day' },
        { at: utc('2026-10-25T02:30'), local: '2026-10-25T03:30:00+01:00' },
      ]);
    },
  );

  it('runs in both of two equal half hours', () => {
    const found = nextFires({ cron: '45 * * * *', timezone: 'Australia/Lord_Howe' }, utc('2026-04-04T14:00'), 2);

    expect(found.map((fire) => fire.local)).toEqual(['2026-04-05T01:45:00+11:00', '2026-04-05T01:45:00+10:30']);
  });

  it.each([
    ['30 * * * *', ['01:30', '03:30', '04:30']],
    ['*/20 * * * *', ['01:20', '01:40', '03:00', '03:20', '03:40', '04:00', '04:20', '04:40']],
    ['0 */2 * * *', ['04:00']],
  ])('(%s) has no fire in a missing one, and none twice after it', (cron, times) => {
    const found = fires({ cron, timezone: 'Europe/Berlin' }, utc('2026-03-29T00:05'), utc('2026-03-29T02:55'));

    expect(found.map((fire) => fire.local.slice(11, 16))).toEqual(times);
    expect(found.filter((fire) => fire.note !== undefined)).toEqual([]);
  });
});

const changes = clockChanges(Intl.supportedValuesOf('timeZone'), utc('2020-01-01T00:00'), utc('2036-01-01T00:00'));

/** Runs two hours around the change through the program; the oracle walks further, to know what came before. */
function firesAround(cron: CronCase, { zone, at }: ClockChange): readonly number[] {
  const text = `${cron.minute.text} ${cron.hour.text} * * *`;
  return fires({ cron: text, timezone: zone }, at - 2 * hourMs, at + 2 * hourMs).map((fire) => fire.at);
}

function expectedAround(cron: CronCase, change: ClockChange): readonly number[] {
  const all = expectedFires(cron, minutesAround(change));
  return all.filter((at) => at > change.at - 2 * hourMs && at <= change.at + 2 * hourMs);
}

function range(from: number, to: number, step = 1): FieldCase {
  const text = from === to ? `${from}` : `${from}-${to}${step === 1 ? '' : `/${step}`}`;
  return { text, has: (number) => number >= from && number <= to && (number - from) % step === 0 };
}

const every: FieldCase = { text: '*', has: () => true };

describe('every clock change of every zone from 2020 to 2035', () => {
  it('is known to the test', () => {
    expect(changes.length).toBeGreaterThan(500);
  });

  it.each<[string, CronCase]>([
    ['wildcards in each minute', { minute: every, hour: every, fixed: false }],
    ['the fixed hours 0 to 22 in each minute', { minute: every, hour: range(0, 22), fixed: true }],
    ['the fixed hour 23 at its half', { minute: range(30, 30), hour: range(23, 23), fixed: true }],
  ])('treats %s as the rule says', (_, cron) => {
    const wrong = changes.filter((change) => `${firesAround(cron, change)}` !== `${expectedAround(cron, change)}`);

    expect(wrong).toEqual([]);
  });

  const change = fc.constantFrom(...changes);
  const minute = fc.oneof(
    fc.constant(every),
    fc.integer({ min: 0, max: 59 }).map((number) => range(number, number)),
    fc.integer({ min: 1, max: 59 }).map((step): FieldCase => ({ text: `*/${step}`, has: (n) => n % step === 0 })),
    fc.uniqueArray(fc.integer({ min: 0, max: 59 }), { minLength: 1, maxLength: 5 }).map(list),
  );
  const hour = fc.oneof(
    fc.constant({ hour: every, fixed: false }),
    fc.integer({ min: 1, max: 5 }).map((step) => ({ hour: { text: `*/${step}`, has: divides(step) }, fixed: false })),
    fc.integer({ min: 0, max: 4 }).map((number) => ({ hour: range(number, number), fixed: true })),
    fc
      .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 4, max: 22 }), fc.integer({ min: 1, max: 5 }))
      .map(([from, to, step]) => ({ hour: range(from, to, step), fixed: true })),
    fc
      .uniqueArray(fc.integer({ min: 0, max: 23 }), { minLength: 1, maxLength: 12 })
      .map((hours) => ({ hour: list(hours), fixed: true })),
  );

  it('treats any minutes and hours as the rule says', () => {
    const property = fc.property(change, minute, hour, (at, minutes, hours) => {
      const cron = { minute: minutes, ...hours };
      expect(firesAround(cron, at)).toEqual(expectedAround(cron, at));
    });

    fc.assert(property, { numRuns: 300 });
  });

  it('leaves fires ascending, distinct, on whole minutes, and at the wall time they tell', () => {
    const property = fc.property(change, minute, hour, ({ zone, at }, minutes, hours) => {
      const timetable = { cron: `${minutes.text} ${hours.hour.text} * * *`, timezone: zone };
      const found = fires(timetable, at - dayMs, at + dayMs);
      const times = found.map((fire) => fire.at);

      expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
      expect(times.filter((time) => time % minuteMs !== 0)).toEqual([]);
      expect(found.map((fire) => Date.parse(fire.local))).toEqual(times);
    });

    fc.assert(property, { numRuns: 200 });
  });

  it('loses and doubles nothing where a stretch of time is cut in two', () => {
    const reach = fc.integer({ min: -dayMs, max: dayMs });
    const property = fc.property(change, minute, hour, fc.tuple(reach, reach, reach), (at, minutes, hours, ends) => {
      const timetable = { cron: `${minutes.text} ${hours.hour.text} * * *`, timezone: at.zone };
      const [a = 0, b = 0, c = 0] = ends.map((end) => at.at + end).sort((x, y) => x - y);

      expect([...fires(timetable, a, b), ...fires(timetable, b, c)]).toEqual(fires(timetable, a, c));
    });

    fc.assert(property, { numRuns: 200 });
  });
});

function list(numbers: readonly number[]): FieldCase {
  return { text: numbers.join(','), has: (number) => numbers.includes(number) };
}

function divides(step: number): (number: number) => boolean {
  return (number) => number % step === 0;
}

describe('a tick', () => {
  const trigger = { cron: '0 2 * * *', timezone: 'UTC', startDeadline: 1800 };
  const planned = utc('2026-01-02T02:00');
  const since = utc('2026-01-01T12:00');

  it.each([
    ['before the planned minute', -1, [], []],
    ['in the planned minute', 0, [planned], []],
    ['late, but inside the start deadline', 1800_000, [planned], []],
    ['later than the start deadline', 1800_001, [], [planned]],
  ])('%s', (_, delay, due, missed) => {
    const found = dueFires({ trigger, now: planned + delay, since });

    expect(found.due.map((fire) => fire.at)).toEqual(due);
    expect(found.missed.map((fire) => fire.at)).toEqual(missed);
  });

  it('finds nothing in what an earlier tick has handled', () => {
    expect(dueFires({ trigger, now: planned + 1, since: planned })).toEqual({ due: [], missed: [], forgotten: 0 });
  });

  it('finds nothing when the clock was set back', () => {
    expect(dueFires({ trigger, now: since - dayMs, since })).toEqual({ due: [], missed: [], forgotten: 0 });
  });

  it('looks back a week after a month of standstill', () => {
    const found = dueFires({ trigger, now: planned + 1, since: planned - 30 * dayMs });

    expect(found.missed).toHaveLength(6);
    expect(found.due).toHaveLength(1);
  });

  it('looks back as far as the start deadline, where that is longer', () => {
    const patient = { ...trigger, startDeadline: (10 * dayMs) / 1000 };

    expect(dueFires({ trigger: patient, now: planned, since: planned - 30 * dayMs }).due).toHaveLength(11);
  });

  it('looks at no more than the latest thousand fires, and says how many it left', () => {
    const busy = { ...trigger, cron: '* * * * *' };

    const found = dueFires({ trigger: busy, now: planned, since: planned - dayMs });

    expect(found.due.length + found.missed.length).toBe(lookBackFires);
    expect(found.due.at(-1)?.at).toBe(planned);
    expect(found.forgotten).toBe(1440 - lookBackFires);
  });

  it('finds each fire exactly once, however late, repeated or lost the ticks are', () => {
    const change = fc.constantFrom(...changes);
    const ticks = fc.array(fc.record({ after: fc.integer({ min: 0, max: 7_200_000 }), dies: fc.boolean() }), {
      minLength: 1,
      maxLength: 40,
    });
    const property = fc.property(change, fc.constantFrom('30 * * * *', '*/7 0-4 * * *', '30 2,23 * * *'), ticks, play);

    fc.assert(property, { numRuns: 200 });
  });

  /** A tick that dies has recorded what it found, but did not move the mark. */
  function play(
    { zone, at }: ClockChange,
    cron: string,
    ticks: readonly { readonly after: number; readonly dies: boolean }[],
  ): void {
    const timetable = { cron, timezone: zone };
    const begin = at - 12 * hourMs;
    const records = new Map<number, string>();
    let now = begin;
    let mark = begin;
    for (const { after, dies } of ticks) {
      now += after;
      const found = dueFires({ trigger: { ...timetable, startDeadline: 1800 }, now, since: mark });
      for (const fire of found.due)
        records.set(fire.at, records.get(fire.at) ?? `started ${now - fire.at <= 1800_000}`);
      for (const fire of found.missed)
        records.set(fire.at, records.get(fire.at) ?? `missed ${now - fire.at > 1800_000}`);
      mark = dies ? mark : now;
    }

    expect([...records.keys()].sort((a, b) => a - b)).toEqual(fires(timetable, begin, now).map((fire) => fire.at));
    expect([...records.values()].filter((record) => record.endsWith('false'))).toEqual([]);
  }
});

describe('a fire that is due', () => {
  it.each([
    ['skip', false, false, 'start'],
    ['skip', true, false, 'overlap'],
    ['queue', false, false, 'start'],
    ['queue', true, false, 'wait'],
    ['queue', true, true, 'overlap'],
    ['queue', false, true, 'overlap'],
  ] as const)(
    'with overlap %s, an earlier run going: %s, another fire waiting: %s: %s',
    (overlap, going, waiting, verdict) => {
      expect(judgeFire({ overlap }, { going, waiting })).toBe(verdict);
    },
  );
});

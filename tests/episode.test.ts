// Episodes: what one more message makes of what is known of an alert.

import { describe, expect, it } from '@jest/globals';
import { type Arrival, hear, isOpen, type Series, stale, withRun } from '../lib/episode.ts';

/**
 * `F3`: firing since minute 3; `R3-5`: what began at minute 3 ended at minute 5; `r3`: resolved at minute 3, of a source
 * that tells no start; in this order.
 */
function heard(text: string): { arrivals: Arrival[]; series: Series } {
  const arrivals: Arrival[] = [];
  let series: Series | null = null;
  for (const word of text.split(' ')) {
    const [start = '', end] = word.slice(1).split('-');
    const startsAt = minute(Number(start));
    const ends = end === undefined ? {} : { endsAt: minute(Number(end)) };
    const status = /f/i.test(word) ? ('firing' as const) : ('resolved' as const);
    const next = hear(series, { status, startsAt, startKnown: /[FR]/.test(word), ...ends }, Date.parse(minute(30)));
    series = next.arrival === 'begun' ? withRun(next.series, 'fix', `run-${word}`) : next.series;
    arrivals.push(next.arrival);
  }
  if (series === null) throw new Error('nothing was heard');
  return { arrivals, series };
}

function minute(number: number): string {
  return `2026-11-23T12:${String(number).padStart(2, '0')}:00.000Z`;
}

describe('messages of a source that tells when an alert began', () => {
  it.each([
    ['F1', ['begun'], true],
    ['F1 F1', ['begun', 'again'], true],
    ['F1 R1', ['begun', 'ended'], false],
    ['R1 F1', ['ended', 'over'], false],
    ['F1 R1 F1 R1', ['begun', 'ended', 'over', 'ended'], false],
    ['F1 F2', ['begun', 'begun'], true],
    ['F2 F1', ['begun', 'superseded'], true],
    ['F2 R1', ['begun', 'overtaken'], true],
    ['F1 R2', ['begun', 'ended'], false],
    ['F1 R2 F2', ['begun', 'ended', 'over'], false],
    ['R1 F2', ['ended', 'begun'], true],
    ['F1 r5 F6', ['begun', 'ended', 'begun'], true],
    ['F6 r5 F1', ['begun', 'overtaken', 'over'], true],
    ['F2 R1-2', ['begun', 'overtaken'], true],
    ['F2 R1-3', ['begun', 'ended'], false],
    ['R1-3 F2', ['ended', 'over'], false],
    ['R1-3 F3', ['ended', 'begun'], true],
    ['F2 F1 R1-3', ['begun', 'superseded', 'ended'], false],
    ['R1-50 F40', ['ended', 'begun'], true],
  ])('%s are %j', (text, arrivals, open) => {
    const result = heard(text);

    expect(result.arrivals).toEqual(arrivals);
    expect(isOpen(result.series)).toBe(open);
  });
});

describe('messages of a source that tells the time of the message alone', () => {
  it.each([
    ['f1 f5', ['begun', 'again'], true, 1],
    ['f5 f1', ['begun', 'again'], true, 5],
    ['f1 f2 r3', ['begun', 'again', 'ended'], false, 1],
    ['r3 f1 f2', ['ended', 'over', 'over'], false, 3],
    ['f1 r3 f4', ['begun', 'ended', 'begun'], true, 4],
    ['f1 f4 r3', ['begun', 'again', 'overtaken'], true, 4],
    ['f4 r3', ['begun', 'overtaken'], true, 4],
  ])('%s are %j', (text, arrivals, open, startsAt) => {
    const result = heard(text);

    expect(result.arrivals).toEqual(arrivals);
    expect(isOpen(result.series)).toBe(open);
    expect(result.series.startsAt).toBe(minute(startsAt));
  });
});

describe('the runs of an episode', () => {
  it.each([
    ['F1', { fix: 'run-F1' }, []],
    ['F1 R1', {}, ['run-F1']],
    ['F1 F2', { fix: 'run-F2' }, ['run-F1']],
    ['f1 f4 r3', { fix: 'run-f1' }, []],
    ['F1 R1 R1', {}, ['run-F1']],
    ['F2 R1-3', {}, ['run-F2']],
  ])('of %s are kept or to be stopped', (text, runs, toStop) => {
    expect(heard(text).series).toMatchObject({ runs, toStop });
  });
});

describe('an alert', () => {
  it.each([
    [900, null],
    [901, 'stale'],
    [-30, null],
  ])('that began %i s ago is %j to a job that takes those of the last 15 minutes', (age, code) => {
    const now = Date.parse(minute(30));

    expect(stale({ maxAge: 900 }, new Date(now - age * 1000).toISOString(), now)?.code ?? null).toBe(code);
  });
});

// Schedules against windows: only where no fire can ever fall into the window is it a fault.

import { describe, expect, it } from '@jest/globals';
import { complaints, smallFile } from '../support/config-text.ts';

const night = { from: '22:00', to: '05:00' };

/** The faults of the small file with this cron and this window in its scheduled job. */
function complaintsOf(cron: string, window: object | null, timezone = 'UTC'): readonly string[] {
  const schedule = { cron, timezone };
  return complaints('jobs.flush', { ...smallFile.jobs.flush, trigger: { schedule }, window });
}

describe('a schedule and a window', () => {
  it.each([
    ['0 2 * * *', night],
    ['0 22 * * *', night],
    ['44 4 * * *', night],
    ['* * * * *', { ...night, days: ['sun'] }],
    ['0 2 * * 6', { ...night, days: ['fri'] }],
    ['0 2 1 1 *', { ...night, days: ['mon-thu'] }],
    ['0 2 29 2 *', { ...night, days: ['mon'] }],
    ['0 12 * * *', { from: '00:00', to: '24:00' }],
    ['0 12 * * *', null],
  ])('meet: %s and %j', (cron, window) => {
    expect(complaintsOf(cron, window)).toEqual([]);
  });

  it.each([
    ['0 5 * * *', night],
    ['45 4 * * *', night],
    ['*/5 6-21 * * *', night],
    ['0 2 * * 5', { ...night, days: ['fri'] }],
  ])('never meet: %s and %j', (cron, window) => {
    expect(complaintsOf(cron, window)).toEqual([
      'jobs.flush.window: the schedule never fires while the window is open',
    ]);
  });

  it('have each a zone of their own', () => {
    expect(complaintsOf('0 8 * * *', night, 'Asia/Tokyo')).toEqual([]);
    expect(complaintsOf('0 2 * * *', night, 'America/New_York')).not.toEqual([]);
  });
});

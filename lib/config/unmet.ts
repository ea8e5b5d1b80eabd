// Schedules that never fire while their window is open. Every fire of such a job would be refused, so that it says one
// thing and does another.

import type { Config, Job, ScheduleTrigger, Window } from '../config.ts';
import { windowState } from '../guards/calendar.ts';
import { fires } from '../schedule.ts';
import type { ReferenceFault } from './plain.ts';

/** In 12 years each date falls on each day of the week, but for the 29th of February. */
const span = { from: Date.UTC(2028, 0, 1), to: Date.UTC(2040, 0, 1) };

/** The faults of all scheduled jobs whose fires never meet their window. */
export function unmetFaults(config: Config): readonly ReferenceFault[] {
  return Object.values(config.jobs)
    .filter(isUnmet)
    .map(({ name }) => ({
      path: ['jobs', name, 'window'],
      message: 'the schedule never fires while the window is open',
    }));
}

function isUnmet({ trigger, window }: Job): boolean {
  return trigger.type === 'schedule' && window !== null && !meet(trigger, window);
}

function meet(schedule: ScheduleTrigger, window: Window): boolean {
  for (let at = span.from; at < span.to; ) {
    const state = windowState(window, at);
    // Fires are whole minutes; a window's end is no part of it.
    if (state.open && fires(schedule, at - 1, state.until - 1).length > 0) return true;
    at = state.open ? state.until : state.opensAt;
  }
  return false;
}

// Time that runs faster than it is, the same in several processes: for tests that cross process borders, where a clock
// that is moved by hand cannot reach.

import type { Clock } from '../../lib/local/clock.ts';

/** Virtual milliseconds in a real one. */
export const speed = 50;

/** A clock that showed `epoch` at the real time `epoch` and has been running at `speed` since. */
export function fastClock(epoch: number): Clock {
  const now = (): number => Math.floor(epoch + (Date.now() - epoch) * speed);
  return {
    now,
    at(time, wake) {
      const timer = setTimeout(wake, Math.max(0, (time - now()) / speed));
      return () => clearTimeout(timer);
    },
  };
}

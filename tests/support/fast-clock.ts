// A clock that runs faster than the machine's: the durable SDK needs real time for its own 20 ms, and tests cannot wait
// for hours.

import type { Clock } from '../../lib/local/clock.ts';

/** A clock that begins at `base` and runs `speed` times as fast as real time. */
export function fastClock(speed: number, base = Date.now()): Clock {
  const begun = Date.now();
  const now = () => base + Math.floor((Date.now() - begun) * speed);
  return {
    now,
    at(time, wake) {
      let timer = arm();
      function arm(): NodeJS.Timeout {
        return setTimeout(ring, Math.max(0, Math.ceil((time - now()) / speed)));
      }
      function ring(): void {
        if (now() < time) timer = arm();
        else wake();
      }
      return () => clearTimeout(timer);
    },
  };
}

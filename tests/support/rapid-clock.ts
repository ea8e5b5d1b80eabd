// A clock of any speed: the durable SDK needs real time for its own 20 ms, and tests cannot wait for hours.

import type { Clock } from '../../lib/local/clock.ts';

/** A clock that showed `epoch` at the real time `epoch` and has been running `speed` times as fast since. */
export function rapidClock(speed: number, epoch = Date.now()): Clock {
  const now = () => epoch + Math.floor((Date.now() - epoch) * speed);
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

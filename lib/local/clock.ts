// Time as the local runtime needs it: an instant, and a call at a later instant. It is injected so that tests can let
// hours pass in seconds.

/** Milliseconds since the epoch, and a call at such an instant. */
export interface Clock {
  now(): number;
  /** Calls `wake` once, at `time` or soon after (at once when it is past), unless the returned function cancels it. */
  at(time: number, wake: () => void): () => void;
}

// A long wait looks at the time again each minute: timers count no time in which the machine sleeps and know nothing of
// a clock that is set, and one of more than 2^31 ms would fire at once.
const longestTimer = 60_000;

/** The machine's time. A timer that is not cancelled keeps the process alive: a wait must not end with the program. */
export const realClock: Clock = {
  now: () => Date.now(),
  at(time, wake) {
    let timer = arm();
    function arm(): NodeJS.Timeout {
      return setTimeout(ring, Math.min(Math.max(0, time - Date.now()), longestTimer));
    }
    function ring(): void {
      if (Date.now() < time) timer = arm();
      else wake();
    }
    return () => clearTimeout(timer);
  },
};

// Times for people: as their own clocks show them, and how long things took. Now and the zone are arguments.

/**
 * `now`: milliseconds since the epoch. `zone`: an IANA zone.
 * @typedef {{readonly now: number, readonly zone: string}} Clock
 */

/** `Mon 23 Nov, 21:05:03`, with the year where it is not this one. @type {(iso: string, clock: Clock) => string} */
export function localTime(iso, { now, zone }) {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const year = yearIn(at, zone) === yearIn(new Date(now), zone) ? {} : { year: /** @type {const} */ ('numeric') };
  const day = at.toLocaleDateString('en-GB', {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    ...year,
    timeZone: zone,
  });
  return `${day}, ${timeOfDay(iso, zone)}`;
}

/** `21:05:03`. @type {(iso: string | number, zone: string) => string} */
export function timeOfDay(iso, zone) {
  return new Date(iso).toLocaleTimeString('en-GB', { timeZone: zone });
}

/** `45 s`, `3 min 5 s`, `2 h 10 min`, `4 d 2 h`; milliseconds in. @type {(milliseconds: number) => string} */
export function spanOf(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return two(seconds, 60, 'min', 1, 's');
  if (seconds < 86_400) return two(seconds, 3600, 'h', 60, 'min');
  return two(seconds, 86_400, 'd', 3600, 'h');
}

/** `in 5 min`, `5 min ago`. @type {(iso: string, now: number) => string} */
export function fromNow(iso, now) {
  const away = Date.parse(iso) - now;
  return away >= 0 ? `in ${spanOf(away)}` : `${spanOf(-away)} ago`;
}

/** @type {(seconds: number, large: number, unit: string, small: number, rest: string) => string} */
function two(seconds, large, unit, small, rest) {
  const left = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)} ${unit}${left > 0 ? ` ${left} ${rest}` : ''}`;
}

/** @type {(at: Date, zone: string) => string} */
function yearIn(at, zone) {
  return at.toLocaleDateString('en-GB', { year: 'numeric', timeZone: zone });
}

// Stretches of time as they are written for the simulator, where a tenth of a second matters: `200ms`, `30s`, `2m`, `1h`,
// and from one to another `1s..2s`.

import type { Range } from './chance.ts';

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a text, or undefined where it is none. */
export function readSpan(text: string): number | undefined {
  const [, count, unit = ''] = /^(\d{1,7})(ms|s|m|h)$/.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * (units[unit] ?? Number.NaN);
}

/** Milliseconds of `1s..2s`, or of `1s` for both ends; undefined where it is neither, or ends before it begins. */
export function readRange(text: string): Range | undefined {
  const [from = '', to = from, ...rest] = text.split('..');
  const [min, max] = [readSpan(from), readSpan(to)];
  if (min === undefined || max === undefined || max < min || rest.length > 0) return undefined;
  return { min, max };
}

// `npm run bench`, and `npm run bench -- --short` where time is short: prints what it measures side by side and asserts
// nothing about it, since a shared machine is no judge. A part's name (`cold`, `doors`, `calls`,
// `match`, `alerts`, `rate`, `large`) runs that part alone.

import { parseArgs } from 'node:util';
import { alerts } from './alerts.ts';
import { calls } from './calls.ts';
import { coldStart } from './cold-start.ts';
import { doors } from './doors.ts';
import { largeRun } from './large-run.ts';
import { matching } from './matching.ts';
import { rate } from './rate.ts';

const { values, positionals } = parseArgs({ options: { short: { type: 'boolean' } }, allowPositionals: true });
const isShort = values.short === true;

const parts: Readonly<Record<string, () => Promise<string>>> = {
  cold: () => coldStart(isShort ? 5 : 25),
  doors: () => doors(isShort ? 5 : 25),
  calls: () => (isShort ? calls([1_000], 1) : calls([1_000, 10_000], 3)),
  match: async () => matching(1_000, 200, isShort ? 20 : 200),
  alerts: () => alerts(1_000, isShort ? 1 : 3),
  large: () => largeRun(isShort ? 2_000 : 10_000, isShort ? 1 : 3),
  rate: () => rate(isShort ? 600 : 3_000, isShort ? [1, 4] : [1, 4, 10]),
};

process.stdout.write(`node ${process.version}\n\n`);
for (const name of positionals.length > 0 ? positionals : Object.keys(parts)) {
  const part = parts[name];
  if (part === undefined) throw new RangeError(`there is no part ${name}; there are: ${Object.keys(parts).join(', ')}`);
  process.stdout.write(`${await part()}\n`);
}

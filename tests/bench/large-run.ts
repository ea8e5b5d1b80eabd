// What a run of a whole fleet needs of one machine: memory above all. A tenth of the instances fails its first two tries.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { measured } from './child.ts';
import { table } from './figures.ts';
import { doneSchema } from './simulator-client.ts';

const sampleSchema = v.object({
  status: v.literal('succeeded'),
  waves: v.number(),
  wall: v.number(),
  cpu: v.number(),
  skipped: v.number(),
  rssBefore: v.number(),
  rss: v.number(),
  operations: v.number(),
  largest: v.number(),
  database: v.number(),
  ...doneSchema.entries,
});
type Sample = v.InferOutput<typeof sampleSchema>;

/**
 * Flushes `count` instances as often as told, each time in a process of its own; answers with the report. The first
 * one compiles the program, the others find it compiled, as from its second start on.
 */
export async function largeRun(count: number, takes: number): Promise<string> {
  const file = fileURLToPath(new URL('large-run-process.ts', import.meta.url));
  const cache = await mkdtemp(join(tmpdir(), 'dcs-autopilot-compiled-'));
  const env = { ...process.env, NODE_COMPILE_CACHE: cache };
  const samples: Sample[] = [];
  for (let take = 0; take < takes; take++) samples.push(await measured([file, String(count)], sampleSchema, env));
  await rm(cache, { recursive: true });
  const rows = lines.map(([name, show]) => [name, ...samples.map(show)]);
  return table([[`flush of ${count}`, ...samples.map((_, i) => `take ${i + 1}`)], ...rows]);
}

const lines: readonly (readonly [string, (sample: Sample) => string])[] = [
  ['peak RSS MB', ({ rss }) => rss.toFixed(0)],
  ['of it before the run', ({ rssBefore }) => rssBefore.toFixed(0)],
  ['wall s', ({ wall }) => wall.toFixed(1)],
  ['CPU s', ({ cpu }) => cpu.toFixed(1)],
  ['waits that were skipped, s', ({ skipped }) => skipped.toFixed(0)],
  ['waves', ({ waves }) => String(waves)],
  ['status calls, fewest', ({ calls, sends }) => `${calls.act}, ${Math.ceil(sends / 50)}`],
  ['reading calls', ({ calls: { list, show, statistic, configs } }) => String(list + show + statistic + configs)],
  ['flushed once, more often', ({ once, repeated }) => `${once}, ${repeated}`],
  ['durable operations', ({ operations }) => String(operations)],
  ['largest payload, bytes', ({ largest }) => String(largest)],
  ['database file MB', ({ database }) => (database / 1024 / 1024).toFixed(1)],
];

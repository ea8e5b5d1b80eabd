// How many calls a run sends against the fewest that could do, and what they cost: a tenth of the instances fails its
// first try, and all is one wave, so that nothing but the flow itself can cost a call.

import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { measured } from './child.ts';
import { median, table } from './figures.ts';
import { doneSchema } from './simulator-client.ts';

const spent = v.object({ wall: v.number(), cpu: v.number() });
const sampleSchema = v.object({
  status: v.literal('succeeded'),
  whole: spent,
  sending: spent,
  ...doneSchema.entries,
});
type Sample = v.InferOutput<typeof sampleSchema>;

/** Measures each of `sizes` for each of two actions, `times` times in turn; answers with the report. */
export async function calls(sizes: readonly number[], times: number): Promise<string> {
  const cases = sizes.flatMap((size) => (['restart', 'flush'] as const).map((action) => ({ size, action })));
  const samples = cases.map((): Sample[] => []);
  for (let time = 0; time < times; time++) {
    for (const [i, { size, action }] of cases.entries()) samples[i]?.push(await take(size, action));
  }
  const rows = cases.map(({ size, action }, i) => [`${size} ${action}`, ...row(samples[i] ?? [])]);
  return table([head, ...rows]);
}

const head = [
  '10 % fail once',
  'status calls',
  'fewest',
  'sends ms',
  'sends CPU us/op',
  'reading calls',
  'whole run s',
  'whole CPU us/op',
];

function take(size: number, action: string): Promise<Sample> {
  const file = fileURLToPath(new URL('calls-process.ts', import.meta.url));
  return measured([file, String(size), action], sampleSchema);
}

/** An operation is one instance in one status call. The fleet draws who fails by its seed: the counts never vary. */
function row(samples: readonly Sample[]): string[] {
  const of = (figure: (sample: Sample) => number): number => median(samples.map(figure));
  return [
    String(of(({ calls: { act } }) => act)),
    String(of(({ sends }) => Math.ceil(sends / 50))),
    of(({ sending }) => sending.wall).toFixed(0),
    of(({ sending, sends }) => sending.cpu / sends).toFixed(0),
    String(of(({ calls: { list, show, statistic, configs } }) => list + show + statistic + configs)),
    of(({ whole }) => whole.wall / 1000).toFixed(1),
    of(({ whole, sends }) => whole.cpu / sends).toFixed(0),
  ];
}

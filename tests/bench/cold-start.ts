// Cold start: from the first line of a bundle to the answer of its first signed call, in a fresh process each time: our
// path, the same on native fetch, and the vendor's core package by turns, so that a slow minute falls on all of them.

import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import * as v from 'valibot';
import { Fleet } from '../../lib/local/simulator/fleet.ts';
import { type Simulator, startSimulator } from '../../lib/local/simulator/server.ts';
import { measured } from './child.ts';
import { median, spread, table } from './figures.ts';
import { ids, key, projectId } from './site.ts';

const contenders = ['ours', 'native fetch', 'official'] as const;
type Contender = (typeof contenders)[number];

const sampleSchema = v.object({
  load: v.number(),
  first: v.number(),
  cpu: v.number(),
  rss: v.number(),
  accepted: v.literal(ids.length),
});
type Sample = v.InferOutput<typeof sampleSchema>;

/** Measures `rounds` rounds after one that does not count; answers with the report. */
export async function coldStart(rounds: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dcs-autopilot-bench-'));
  const simulator = await startSimulator({ fleet: fleet(), keys: [key], projectId, now: Date.now });
  try {
    await Promise.all([...contenders, 'probe'].map((name) => bundle(name, folder)));
    const samples = await takeTurns(rounds, folder, simulator);
    return await report(samples, folder);
  } finally {
    await simulator.close();
    await rm(folder, { recursive: true });
  }
}

/** Two instances that are ready for the next restart as soon as one was accepted. */
export function fleet(): Fleet {
  const none = { min: 0, max: 0 };
  const timing = { lag: none, restart: none };
  return new Fleet({ instances: ids.map((id, i) => ({ id, name: `cache-${i}` })), now: Date.now, timing });
}

/** Bundles a file of `cold/`, or ours on native fetch. */
export async function bundle(name: string, folder: string): Promise<void> {
  const isNative = name === 'native fetch';
  await build({
    entryPoints: [fileURLToPath(new URL(`cold/${isNative ? 'ours' : name}.ts`, import.meta.url))],
    plugins: isNative ? [nativeFetch] : [],
    outfile: fileOf(name, folder),
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    // Only the probe awaits at its top level, which CommonJS has not.
    format: name === 'probe' ? 'esm' : 'cjs',
    logLevel: 'error',
  });
}

/** Puts what Node brings along in the place of node-fetch: as much as our path uses of it, without agent and limits. */
const nativeFetch: Plugin = {
  name: 'native-fetch',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node-fetch$/ }, () => ({ path: 'node-fetch', namespace: 'native' }));
    onLoad({ filter: /.*/, namespace: 'native' }, () => ({
      contents: `export class FetchError extends Error {}
        export default (url, { agent, size, ...init }) => fetch(url, init);`,
    }));
  },
};

/** Where a bundle lies. */
export function fileOf(name: string, folder: string): string {
  return join(folder, `${name}.${name === 'probe' ? 'mjs' : 'cjs'}`);
}

async function takeTurns(rounds: number, folder: string, simulator: Simulator): Promise<Map<Contender, Sample[]>> {
  const samples = new Map<Contender, Sample[]>(contenders.map((contender) => [contender, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
      const sample = await take(contender, folder, simulator.url);
      // The first round only fills the caches of the disk.
      if (round > 0) samples.get(contender)?.push(sample);
    }
  }
  return samples;
}

async function take(contender: Contender, folder: string, url: string): Promise<Sample> {
  // The vendor's package writes into the home folder.
  const env = { ...process.env, HOME: folder, USERPROFILE: folder };
  return measured([fileOf('probe', folder), fileOf(contender, folder), url], sampleSchema, env);
}

type Samples = ReadonlyMap<Contender, readonly Sample[]>;

async function report(samples: Samples, folder: string): Promise<string> {
  const rows = contenders.map(async (contender) => {
    const { size } = await stat(fileOf(contender, folder));
    const figures = (['load', 'first', 'cpu'] as const).map((figure) =>
      spread(valuesOf(samples, contender, figure), 0),
    );
    const rss = median(valuesOf(samples, contender, 'rss')).toFixed(0);
    return [contender, (size / 1024).toFixed(0), ...figures, rss];
  });
  const ratios = contenders.slice(1).map((other) => {
    const figures = (['load', 'first', 'cpu'] as const).map((figure) => ratio(samples, other, figure));
    return [`ours/${other}`, '', ...figures, ''];
  });
  return table([head, ...(await Promise.all(rows)), ...ratios]);
}

const head = ['cold start', 'bundle KB', 'load ms', 'load + first call ms', 'CPU ms', 'RSS MB'];

function valuesOf(samples: Samples, contender: Contender, figure: Exclude<keyof Sample, 'accepted'>): number[] {
  return (samples.get(contender) ?? []).map((sample) => sample[figure]);
}

/** Our median against another's. */
function ratio(samples: Samples, other: Contender, figure: 'load' | 'first' | 'cpu'): string {
  return (median(valuesOf(samples, 'ours', figure)) / median(valuesOf(samples, other, figure))).toFixed(2);
}

// The doors on AWS: from the first line of a packaged door to its first answer, in a fresh process each time, beside a
// handler that is made with the vendor's core package and only calls DCS. A hook is authenticated, stored and started on
// the way, in seven calls to a stand-in for AWS.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { startSimulator } from '../../lib/local/simulator/server.ts';
import { startAwsStandIn } from '../support/aws-stand-in.ts';
import { type Bundle, bundleFunctions, type FunctionName, root } from '../support/bundles.ts';
import { measured } from './child.ts';
import { bundle, fileOf, fleet } from './cold-start.ts';
import { median, spread, table } from './figures.ts';
import { key, projectId } from './site.ts';

const sampleSchema = v.object({ load: v.number(), first: v.number(), cpu: v.number(), accepted: v.picklist([2, 202]) });
type Sample = v.InferOutput<typeof sampleSchema>;

const contenders = ['webhook', 'official'] as const;
type Contender = (typeof contenders)[number];

/** Measures `rounds` rounds after one that does not count, by turns; answers with the report. */
export async function doors(rounds: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dcs-autopilot-bench-'));
  const aws = await startAwsStandIn();
  const simulator = await startSimulator({ fleet: fleet(), keys: [key], projectId, now: Date.now });
  aws.parameters.set('/test/call-token', 'token-made-up');
  try {
    const bundles = await prepare(folder);
    const samples: Record<Contender, Sample[]> = { webhook: [], official: [] };
    for (let round = 0; round <= rounds; round++) {
      for (const name of round % 2 === 0 ? contenders : contenders.toReversed()) {
        const url = name === 'official' ? simulator.url : aws.endpoint;
        const env = { ...process.env, ...aws.env, HOME: folder, USERPROFILE: folder, LOG_LEVEL: 'error' };
        const sample = await measured([fileOf('probe', folder), fileOf(name, folder), url], sampleSchema, env);
        // The first round only fills the caches of the disk.
        if (round > 0) samples[name].push(sample);
      }
    }
    return `${report(samples)}\n${sizes(bundles)}`;
  } finally {
    aws.close();
    await simulator.close();
    await rm(folder, { recursive: true });
  }
}

async function prepare(folder: string): Promise<Readonly<Record<FunctionName, Bundle>>> {
  const config = join(root, 'tests/fixtures/autopilot-aws.yml');
  const bundles = await bundleFunctions(join(folder, 'functions'), { AUTOPILOT_CONFIG: config });
  await Promise.all(['official', 'probe'].map((name) => bundle(name, folder)));
  await writeFile(fileOf('webhook', folder), caller(bundles.webhook.file));
  return bundles;
}

/** Loads the packaged door and answers with the status of its first answer: what the probe calls. */
function caller(file: string): string {
  return `const { handler } = require(${JSON.stringify(file)});
    const { randomUUID } = require('node:crypto');
    exports.handler = async () => {
      const headers = { authorization: 'Bearer token-made-up', 'idempotency-key': randomUUID() };
      const http = { method: 'POST', path: '/hooks/restart-on-call' };
      const requestContext = { http, requestId: 'request-1', stage: '$default' };
      const event = { headers, body: '{}', rawPath: http.path, rawQueryString: '', requestContext };
      const answer = await handler(event, { getRemainingTimeInMillis: () => 29000 });
      return answer.statusCode;
    };`;
}

function report(samples: Readonly<Record<Contender, readonly Sample[]>>): string {
  const figures = ['load', 'first', 'cpu'] as const;
  const of = (name: Contender, figure: (typeof figures)[number]) => samples[name].map((sample) => sample[figure]);
  const rows = contenders.map((name) => [name, ...figures.map((figure) => spread(of(name, figure), 0))]);
  const ratios = figures.map((figure) => (median(of('webhook', figure)) / median(of('official', figure))).toFixed(2));
  return table([['doors', 'load ms', 'load + first answer ms', 'CPU ms'], ...rows, ['webhook/official', ...ratios]]);
}

function sizes(bundles: Readonly<Record<FunctionName, Bundle>>): string {
  const kilobytes = (bytes: number) => (bytes / 1024).toFixed(0);
  const rows = Object.entries(bundles).map(([name, { bytes, gzipped }]) => [
    name,
    kilobytes(bytes),
    kilobytes(gzipped),
  ]);
  return table([['bundle', 'KB', 'gzipped KB'], ...rows]);
}

// `npm run sizes`: how large each function's bundle is, and what it is made of.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleFunctions } from './bundles.ts';

const folder = mkdtempSync(join(tmpdir(), 'autopilot-sizes-'));
try {
  const bundles = await bundleFunctions(folder, {});
  process.stdout.write('| function | KB | gzipped | packages |\n|---|---|---|---|\n');
  for (const [name, { bytes, gzipped, packages }] of Object.entries(bundles)) {
    const largest = [...packages].filter((each) => !/^@(aws-sdk|smithy)\//.test(each)).sort();
    const clients = packages.size - largest.length;
    const made = [...largest, ...(clients > 0 ? [`${clients} of @aws-sdk and @smithy`] : [])].join(', ');
    process.stdout.write(`| ${name} | ${kilobytes(bytes)} | ${kilobytes(gzipped)} | ${made} |\n`);
  }
} finally {
  rmSync(folder, { recursive: true });
}

function kilobytes(bytes: number): string {
  return (bytes / 1000).toFixed(0);
}

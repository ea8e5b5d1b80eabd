#!/usr/bin/env node
// Plain JavaScript, so that a Node that cannot run TypeScript gets as far as saying what to do.

import module from 'node:module';
import { setFlagsFromString } from 'node:v8';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const runsTypeScript = major >= 24 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18);

if (runsTypeScript) {
  // From the second start on, the program is not compiled again.
  module.enableCompileCache?.();
  // On a machine with much memory V8 lets garbage grow to several times of what is alive. A run of 10,000 instances
  // keeps 25 MB alive; with these two it peaks at half of what it takes without (docs/performance.md).
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=20');
  // A reader that has seen enough (`| head`) is no error.
  process.stdout.on('error', (error) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  const [{ main }, { processIo }] = await Promise.all([import('./main.ts'), import('./process-io.ts')]);
  process.exitCode = await main(process.argv.slice(2), processIo());
} else {
  process.stderr.write(
    `dcs-autopilot needs Node 22.18 or later, and this is ${process.versions.node}. In the project's folder, \`npm ci\` ` +
      'brings Node 24 along, which `npx dcs-autopilot` and the npm scripts then use; with --ignore-scripts it does ' +
      'not: run `npm rebuild node`, or install a newer Node.\n',
  );
  process.exitCode = 1;
}

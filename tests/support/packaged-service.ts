// `npx serverless package --stage …` in a folder with the same files as this checkout and a configuration of its own.

import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { root } from './bundles.ts';

/** How the command ended, and all that it said. */
export interface Packaged {
  readonly code: unknown;
  readonly output: string;
}

/** Packages a stage in `folder`, which is made anew; `config` is a file that becomes its autopilot.yml, null for none. */
export async function packageService(folder: string, config: string | null, stage: string): Promise<Packaged> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const name of ['functions', 'lib', 'node_modules', 'package.json'])
    symlinkSync(join(root, name), join(folder, name));
  copyFileSync(join(root, 'serverless.yml'), join(folder, 'serverless.yml'));
  if (config !== null) copyFileSync(config, join(folder, 'autopilot.yml'));
  const command = join(root, 'node_modules/serverless/bin/serverless.js');
  const env = { PATH: process.env['PATH'], HOME: dirname(folder) };
  const run = promisify(execFile)(process.execPath, [command, 'package', '--stage', stage], { cwd: folder, env });
  const done = await run.catch((error) => error);
  return { code: done.code ?? 0, output: `${done.stdout}${done.stderr}` };
}

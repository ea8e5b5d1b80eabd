// `validate`: is the configuration right, and if not, everything that is wrong with it.

import { parseArgs } from 'node:util';
import type { Io } from './io.ts';
import { defaultFile, loadConfig } from './load-config.ts';
import { UsageError } from './usage.ts';

/**
 * `validate [file] [--json]`: one line, or `{valid, file, stage, projects, targets, jobs}`, on stdout; answers 0.
 * Throws ConfigError with every fault, EnvironmentError for a file that cannot be read; main tells both and exits 1.
 */
export async function validate(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { json: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  if (positionals.length > 1) throw new UsageError('validate takes one file');
  const file = positionals[0] ?? defaultFile(io.env);
  const { config, counts } = loadConfig(file);
  const sizes = [many(counts.projects, 'project'), many(counts.targets, 'target'), many(counts.jobs, 'job')];
  const answer = { valid: true, file, stage: config.stage, ...counts };
  io.stdout(values.json ? `${JSON.stringify(answer)}\n` : `${file}: valid (${sizes.join(', ')})\n`);
  return 0;
}

function many(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

// `pause` and `resume`: the switch that stops all new sends of a project or of everything, and what then stands.

import { parseArgs } from 'node:util';
import { pausesSchema } from './answers.ts';
import type { Io } from './io.ts';
import { readAnswer, remote, remoteOptions } from './remote.ts';
import { UsageError } from './usage.ts';

/** What `--help` of `pause` says besides the usage. */
export const pauseHelp = `
  --project P    of one project; without it, of all
  --reason TEXT  why; whoever is refused is told
`;

/** The same of `resume`. */
export const resumeHelp = `
  --project P    that pause; without it, the one of all projects
`;

/** `pause [--project P] --reason TEXT`: prints every pause that then stands (`--json`: `{paused}`). Answers 0. */
export async function pause(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { ...remoteOptions, project: { type: 'string' }, reason: { type: 'string' } },
  });
  const { url, json, project, reason } = values;
  if (reason === undefined) throw new UsageError('pause needs a reason: --reason TEXT');
  return tell(await remote(url, io).post('/pause', { project, reason }), json, io);
}

/** `resume [--project P]`: prints every pause that still stands. Answers 0. */
export async function resume(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { ...remoteOptions, project: { type: 'string' } } });
  const { url, json, project } = values;
  return tell(await remote(url, io).post('/resume', { project }), json, io);
}

function tell(answer: unknown, json: boolean, io: Io): number {
  const { paused } = readAnswer(pausesSchema, answer);
  const lines = paused.map(
    ({ project, by, at, reason }) => `paused: ${project ?? 'everything'}, since ${at} by ${by}: ${reason}\n`,
  );
  io.stdout(json ? `${JSON.stringify(answer)}\n` : lines.join('') || 'nothing is paused\n');
  return 0;
}

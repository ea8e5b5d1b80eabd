// `show`: one run with its plan and its outcomes, as it is now.

import { parseArgs } from 'node:util';
import { viewSchema } from './answers.ts';
import type { Io } from './io.ts';
import { readAnswer, remote, remoteOptions } from './remote.ts';
import { approvalLines, reportText } from './run-text.ts';
import { theOne } from './usage.ts';

/** `show RUN`: its report, whether or not it has ended; `--json`: the run. Answers 0. */
export async function show(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], options: remoteOptions, allowPositionals: true });
  const id = theOne(positionals, 'show takes one run');
  const answer = await remote(values.url, io).get(`/runs/${encodeURIComponent(id)}`);
  const view = readAnswer(viewSchema, answer);
  const lines = approvalLines(null, view).map((line) => `${line}\n`);
  io.stdout(values.json ? `${JSON.stringify(answer)}\n` : `${reportText(view)}${lines.join('')}`);
  return 0;
}

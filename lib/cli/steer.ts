// `approve`, `reject`, `cancel` and `retry`: one word to a run on a server. What comes of it is seen with `show`.

import { parseArgs } from 'node:util';
import { acceptedSchema } from './answers.ts';
import type { Io } from './io.ts';
import { readAnswer, remote, remoteOptions } from './remote.ts';
import { theOne, UsageError } from './usage.ts';

/** What `--help` of `approve` and `reject` says besides the usage. */
export const decisionHelp = `
  --plan HASH    the plan that is meant; show prints it
  --reason TEXT  why; kept in the run
`;

/** The same of `cancel` and `retry`. */
export const reasonHelp = `
  --reason TEXT  why; kept in the run
`;

/** `approve RUN --plan HASH [--reason TEXT]`: lets the plan go on. Answers 0. */
export async function approve(args: readonly string[], io: Io): Promise<number> {
  return await decide('approve', 'approved', args, io);
}

/** `reject RUN --plan HASH [--reason TEXT]`: refuses it. Answers 0. */
export async function reject(args: readonly string[], io: Io): Promise<number> {
  return await decide('reject', 'rejected', args, io);
}

/** `cancel RUN [--reason TEXT]`: nothing more is sent, and what was sent is verified. Answers 0. */
export async function cancel(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = readReasoned(args);
  const id = theOne(positionals, 'cancel takes one run');
  return await say('cancel', id, { reason: values.reason }, values, io, () => `${id}: sends nothing more\n`);
}

/** `retry RUN [--reason TEXT]`: a new run of what it left failed or not started. Answers 0. */
export async function retry(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = readReasoned(args);
  const id = theOne(positionals, 'retry takes one run');
  return await say('retry', id, { reason: values.reason }, values, io, ({ runId, status, duplicate }) =>
    duplicate === true ? `${runId}: ${status}, started before\n` : `${runId}: ${status}\n`,
  );
}

async function decide(word: string, verdict: string, args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { ...remoteOptions, plan: { type: 'string' }, reason: { type: 'string' } },
    allowPositionals: true,
  });
  const id = theOne(positionals, `${word} takes one run`);
  if (values.plan === undefined) throw new UsageError(`${word} needs the plan that is meant: --plan HASH`);
  const body = { planHash: values.plan, reason: values.reason };
  return await say(word, id, body, values, io, () => `${id}: ${verdict}\n`);
}

function readReasoned(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: { ...remoteOptions, reason: { type: 'string' } },
    allowPositionals: true,
  });
}

interface Said {
  readonly runId: string;
  readonly status: string;
  readonly duplicate?: boolean;
}

async function say(
  word: string,
  id: string,
  body: object,
  { url, json }: { readonly url?: string | undefined; readonly json: boolean },
  io: Io,
  textOf: (said: Said) => string,
): Promise<number> {
  const answer = await remote(url, io).post(`/runs/${encodeURIComponent(id)}/${word}`, body);
  const said = readAnswer(acceptedSchema, answer);
  io.stdout(json ? `${JSON.stringify(answer)}\n` : textOf(said));
  return 0;
}

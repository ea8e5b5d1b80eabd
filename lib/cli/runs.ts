// `runs`: the newest runs of a server, one line each.

import { parseArgs } from 'node:util';
import { type RunStatus, statuses } from '../record.ts';
import type { RunSummary } from '../report.ts';
import { pageSchema, summarySchema } from './answers.ts';
import type { Io } from './io.ts';
import { type Remote, readAnswer, remote, remoteOptions } from './remote.ts';
import { UsageError, wholeNumber } from './usage.ts';

/** What `--help` says besides the usage. */
export const runsHelp = `
  --job JOB        of one job
  --status STATUS  ${statuses.join(', ').replace(/(.{70}) /, '$1\n                   ')}
  --limit N        at most so many, 1 to 1000; default 20
`;

/** Runs that one answer of the server holds at most. */
const pageSize = 100;

/** `runs [--job JOB] [--status STATUS] [--limit N]`: newest first; `--json`: `{runs}`. Answers 0. */
export async function runs(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...remoteOptions,
      job: { type: 'string' },
      status: { type: 'string' },
      limit: { type: 'string', default: '20' },
    },
  });
  const limit = wholeNumber('--limit', values.limit, 1, 1000);
  const query = new URLSearchParams();
  if (values.job !== undefined) query.set('job', values.job);
  if (values.status !== undefined) query.set('status', statusOf(values.status));
  const found = await collect(remote(values.url, io), query, limit);
  io.stdout(values.json ? `${JSON.stringify({ runs: found })}\n` : textOf(found));
  return 0;
}

function statusOf(text: string): RunStatus {
  const status = statuses.find((each) => each === text);
  if (status !== undefined) return status;
  throw new UsageError(`--status: "${text}" is none of ${statuses.join(', ')}`);
}

/** A page may be short while there are more. */
async function collect(server: Remote, query: URLSearchParams, limit: number): Promise<unknown[]> {
  const found: unknown[] = [];
  for (;;) {
    query.set('limit', String(Math.min(pageSize, limit - found.length)));
    const page = readAnswer(pageSchema, await server.get(`/runs?${query}`));
    found.push(...page.runs);
    if (page.next === undefined || found.length >= limit) return found;
    query.set('cursor', page.next);
  }
}

function textOf(found: readonly unknown[]): string {
  const runs = found.map((run) => readAnswer(summarySchema, run));
  const rows = runs.map((run) => [shortTime(run.createdAt), run.status, run.runId, run.requestedBy, whatOf(run)]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return lines.map((line) => `${line}\n`).join('') || 'no runs\n';
}

function whatOf({ code, counts }: RunSummary): string {
  if (code !== undefined) return code;
  const told = Object.entries(counts).filter(([, count]) => count > 0);
  return told.map(([what, count]) => `${count} ${what === 'notStarted' ? 'not started' : what}`).join(', ');
}

/** `2026-11-23 02:00:00Z` */
function shortTime(iso: string): string {
  return `${iso.slice(0, 19).replace('T', ' ')}Z`;
}

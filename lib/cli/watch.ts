// Watching a run on a server until its end: its progress on stderr as it comes. The run does not need the watcher, so
// whoever stops watching is told how to stop the run.

import { randomUUID } from 'node:crypto';
import { AutopilotError, DoorError } from '../errors.ts';
import { isGoing, type RunView } from '../report.ts';
import { acceptedSchema, viewSchema } from './answers.ts';
import type { Io } from './io.ts';
import { type Remote, readAnswer } from './remote.ts';
import { approvalLines, progressLines } from './run-text.ts';

/** A run as it was seen last: read, and as it came. */
export interface Seen {
  readonly view: RunView;
  readonly answer: unknown;
}

export interface WatchOptions {
  /** Whether what was seen is enough; a run that has ended always is. */
  readonly isEnough?: (view: RunView) => boolean;
  /** No progress: the result alone is wanted. */
  readonly quiet?: boolean;
}

/** Seconds that the server waits for the end before it answers: longer and longer while nothing changes. */
const waits = [1, 2, 4, 8, 16, 25] as const;
const longest = 25;

/** Milliseconds after which a server that does not answer is given up, and between two tries until then. */
const enough = 60_000;
const pause = 2_000;

/** Tries to start a run of which no answer comes. */
const starts = 4;

/**
 * Starts a run, once: a request whose answer is lost is repeated under the same key, which finds the same run. Throws
 * what the last try met.
 */
export async function startRun(server: Remote, path: string, body: object, io: Io): Promise<string> {
  const key = randomUUID();
  for (let tries = 1; ; tries++) {
    try {
      return readAnswer(acceptedSchema, await server.post(path, body, key)).runId;
    } catch (error) {
      if (tries === starts || !mayBeDone(error)) throw error;
      await io.sleep(pause);
    }
  }
}

/**
 * Looks at a run until it has ended, or is as far as was wanted. Throws AutopilotError `interrupted` when whoever started
 * the command wants it to stop, and what the last try met where the server has not answered for a minute.
 */
export async function watchRun(server: Remote, runId: string, io: Io, options: WatchOptions = {}): Promise<Seen> {
  const stopping = new AbortController();
  const forget = io.onInterrupt(() => stopping.abort());
  try {
    let before: RunView | null = null;
    for (let still = 0; ; still += 1) {
      const wait = waits[still] ?? longest;
      const answer = await look(server, `/runs/${encodeURIComponent(runId)}?wait=${wait}`, io, stopping.signal);
      const view = readAnswer(viewSchema, answer);
      const lines = [...progressLines(before, view, io.now()), ...approvalLines(before, view)];
      if (options.quiet !== true) for (const line of lines) io.stderr(`${line}\n`);
      if (!isGoing(view.status) || options.isEnough?.(view) === true) return { view, answer };
      if (lines.length > 0) still = -1;
      before = view;
    }
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
    const message = `the run ${runId} goes on; npx dcs-autopilot cancel ${runId} stops it`;
    throw new AutopilotError('interrupted', message, { cause: error });
  } finally {
    forget();
  }
}

/** A server that is restarted while somebody watches is asked again for a minute. */
async function look(server: Remote, path: string, io: Io, signal: AbortSignal): Promise<unknown> {
  const until = io.now() + enough;
  for (;;) {
    try {
      return await server.get(path, signal);
    } catch (error) {
      if (signal.aborted || !mayPass(error) || io.now() >= until) throw error;
      await io.sleep(pause);
    }
  }
}

function mayPass(error: unknown): boolean {
  return mayBeDone(error) || isCode(error, 'unreachable') || (error instanceof DoorError && error.status === 429);
}

/** Whether a request may have been taken although no answer says so. */
function mayBeDone(error: unknown): boolean {
  return isCode(error, 'answer_lost') || (error instanceof DoorError && error.status >= 500);
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof AutopilotError && error.code === code;
}

// `GET /runs/{id}`: who may look at a run, and waiting for its end. Waiting reads the state once a second, because every
// adapter of the state can do that, and gives up well before API Gateway would.

import * as v from 'valibot';
import { notAuthentic } from '../authentic.ts';
import type { HttpRequest } from '../http.ts';
import { admit } from '../operator.ts';
import { type RunRecord, readRecord } from '../record.ts';
import { isGoing } from '../report.ts';
import type { Runtime } from '../runtime.ts';
import { readQuery } from './query.ts';
import { keyIn, opens } from './read-key.ts';

/** Milliseconds between two looks. */
const lookEvery = 1_000;

const watchQuery = v.strictObject({
  wait: v.exactOptional(
    v.pipe(
      v.string(),
      v.regex(/^(\d|1\d|2[0-5])s?$/, 'must be a number of seconds from 0 to 25'),
      v.transform((text) => Number.parseInt(text, 10)),
    ),
    '0',
  ),
  key: v.exactOptional(v.string()),
});

/** Seconds to wait for the end of the run: 0 to 25, `5` and `5s` alike. Throws DoorError 400 `malformed`. */
export function readWait(request: Pick<HttpRequest, 'query'>): number {
  return readQuery(watchQuery, request).wait;
}

/**
 * The record of a run for whoever may see it: the holder of its read key, or an operator with `read`. A key that does not
 * open it says nothing of whether the run is there. Throws DoorError 401 and 403.
 */
export async function readableRecord(
  runtime: Runtime,
  request: HttpRequest,
  runId: string,
): Promise<RunRecord | undefined> {
  const key = keyIn(request.query);
  if (key !== undefined) {
    const record = await readRecord(runtime.state, runId);
    if (opens(record?.readKey, key, runtime.now())) return record;
    if (request.headers['authorization'] === undefined) throw notAuthentic('read_key_invalid');
  }
  await admit(runtime, request.headers, 'read');
  return await readRecord(runtime.state, runId);
}

/** The record of a run when it has ended, or as it is after some seconds, or where nothing can be waited with. */
export async function whenEnded(
  { state, now, sleep }: Pick<Runtime, 'state' | 'now' | 'sleep'>,
  record: RunRecord,
  seconds: number,
): Promise<RunRecord> {
  const until = now() + seconds * 1_000;
  let last = record;
  // Counted as well as timed: a clock that was set back must not make this longer.
  for (let looks = 0; looks < seconds && isGoing(last.status) && now() < until; looks++) {
    if (!(await slept(Math.min(lookEvery, until - now()), sleep))) return last;
    last = (await readRecord(state, record.runId)) ?? last;
  }
  return last;
}

async function slept(milliseconds: number, sleep: Runtime['sleep']): Promise<boolean> {
  try {
    await sleep?.(milliseconds);
    return sleep !== undefined;
  } catch {
    return false;
  }
}

// The one switch that stops all new sends, of a project or of everything. Runs that are going hold before their next
// send; those that wait for an approval are refused.

import * as v from 'valibot';
import type { Config } from '../config.ts';
import { DoorError } from '../errors.ts';
import { givenReason } from '../event.ts';
import { liftPause, type Pause, raisePause, readPauses } from '../guards/flags.ts';
import { type HttpAnswer, type HttpRequest, limitBody, readJson, readMembers } from '../http.ts';
import { admit } from '../operator.ts';
import { asJson, type RunRecord, readRecord, recordOf } from '../record.ts';
import { tickPartition } from '../report/post.ts';
import { day } from '../retention.ts';
import type { Runtime } from '../runtime.ts';
import type { IndexPosition } from '../state.ts';
import { openPrefix } from './open-runs.ts';
import { refuseParameters } from './query.ts';
import { stopRun } from './stopping.ts';

const project = v.exactOptional(v.string('must be the name of a project'));
/** A pause that is asked for. */
export const pauseBody = v.strictObject({ project, reason: givenReason });
/** A pause that is to be lifted. */
export const resumeBody = v.strictObject({ project });

/** `POST /pause` `{project?, reason}`: `{paused}`, every pause that then stands. Doing it again changes the reason. */
export async function pause(runtime: Runtime, request: HttpRequest): Promise<HttpAnswer> {
  const operator = await admit(runtime, request.headers, 'pause');
  const asked = readMembers(pauseBody, read(request), 'body');
  const scope = scopeOf(runtime.config, asked.project);
  const at = new Date(runtime.now()).toISOString();
  const raised: Pause = { project: scope, reason: asked.reason, by: `operator:${operator.name}`, at };
  await raisePause(runtime.state, raised);
  runtime.log.info('paused', { project: scope, by: raised.by, reason: raised.reason });
  await withdrawApprovals(runtime, raised);
  return standing(runtime);
}

/** `POST /resume` `{project?}`: lifts that pause and no other one; `{paused}`, every pause that still stands. */
export async function resume(runtime: Runtime, request: HttpRequest): Promise<HttpAnswer> {
  const operator = await admit(runtime, request.headers, 'pause');
  const scope = scopeOf(runtime.config, readMembers(resumeBody, read(request), 'body').project);
  const lifted = await liftPause(runtime.state, scope);
  if (lifted) runtime.log.info('resumed', { project: scope, by: `operator:${operator.name}` });
  return standing(runtime);
}

/** `GET /pause`: `{paused}`, every pause that stands. */
export async function showPauses(runtime: Runtime, request: HttpRequest): Promise<HttpAnswer> {
  await admit(runtime, request.headers, 'read');
  refuseParameters(request);
  return standing(runtime);
}

async function standing(runtime: Runtime): Promise<HttpAnswer> {
  return { status: 200, body: asJson({ paused: await readPauses(runtime.state) }) };
}

function read(request: HttpRequest): unknown {
  limitBody(request);
  refuseParameters(request);
  return readJson(request.body);
}

/** null: every project. A name that nobody configured would pause nothing, and look as if it had. */
function scopeOf({ projects }: Config, name: string | undefined): string | null {
  if (name === undefined) return null;
  if (Object.hasOwn(projects, name)) return name;
  const fault = { path: 'project', message: 'must be the name of a project' };
  throw new DoorError(422, 'project_unknown', 'There is no such project.', [fault]);
}

const pageSize = 100;

/** An approval lapses after an hour; nobody reads a fleet for a day before asking for it. */
const lookBack = day;

/** Of runs whose job the configuration has no more, too: each run keeps the project that its job had when it came. */
async function withdrawApprovals(runtime: Runtime, { project, reason, by, at }: Pause): Promise<void> {
  const tended = await runtime.state.query(tickPartition, openPrefix);
  const jobs = new Set([...Object.keys(runtime.config.jobs), ...tended.map(({ sk }) => sk.slice(openPrefix.length))]);
  for (const name of jobs) {
    for (const { runId, job } of await waitingRuns(runtime, name)) {
      if (project !== null && job.project.name !== project) continue;
      await stopRun(runtime, runId, { code: 'paused', reason, by, at });
    }
  }
}

/** The index may lag behind: a run that it does not show yet is refused by the pause once it is approved. */
async function waitingRuns({ state, now }: Runtime, job: string): Promise<RunRecord[]> {
  const found: RunRecord[] = [];
  let before: IndexPosition | undefined;
  for (;;) {
    const page = await state.byJob(job, pageSize, before);
    const recent = page.filter(({ createdAt }) => Date.parse(createdAt) >= now() - lookBack);
    for (const { runId } of recent.map(({ value }) => recordOf(value)).filter(mayWait)) {
      const record = await readRecord(state, runId);
      if (record?.status === 'awaiting_approval') found.push(record);
    }
    before = recent.at(-1);
    if (recent.length < pageSize || before === undefined) return found;
  }
}

function mayWait({ status, job }: RunRecord): boolean {
  return job.approval === 'required' && (status === 'running' || status === 'awaiting_approval');
}

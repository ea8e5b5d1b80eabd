// What a view needs, asked for at the doors.

import { isGoing } from '../views/words.js';
import { ask, Refused } from './ask.js';

/** @import { JobView } from '../../doors/jobs.ts' */
/** @import { RunPage } from '../../doors/listing.ts' */
/** @import { Pause } from '../../guards/flags.ts' */
/** @import { RunView } from '../../report.ts' */
/** @import { Shown } from '../views/frame.js' */
/** @import { Route } from './route.js' */

/** Runs that a heat map is made of. */
const heatRuns = 14;

/** Runs that have ended: they do not change any more. @type {Map<string, RunView>} */
const ended = new Map();

/** Forgets what was read: another operator may see something else. @type {() => void} */
export function forgetRuns() {
  ended.clear();
}

/** Every pause that stands. @type {() => Promise<readonly Pause[]>} */
export async function loadPauses() {
  return (await ask('pause')).paused;
}

/** Throws Refused. @type {(route: Route) => Promise<Shown>} */
export async function loadView(route) {
  if (route.kind === 'run') return { kind: 'run', run: await loadRun(route.name) };
  const jobs = await loadJobs();
  if (route.kind === 'jobs') return { kind: 'jobs', jobs };
  if (route.kind === 'pause') return { kind: 'pause', projects: [...new Set(jobs.map(({ project }) => project))] };
  if (route.kind === 'job') return loadJob(route.name, jobs);
  const { filter } = route;
  const query = new URLSearchParams({ limit: '25' });
  for (const [name, value] of Object.entries(filter)) if (value !== '') query.set(name, value);
  return { kind: 'runs', page: await ask(`runs?${query}`), filter, jobs: jobs.map(({ name }) => name) };
}

/** @type {() => Promise<readonly JobView[]>} */
async function loadJobs() {
  return (await ask('jobs')).jobs;
}

/** @type {(id: string) => Promise<RunView>} */
async function loadRun(id) {
  const known = ended.get(id);
  if (known !== undefined) return known;
  /** @type {RunView} */
  const run = await ask(`runs/${encodeURIComponent(id)}`);
  if (!isGoing(run.status)) ended.set(id, run);
  return run;
}

/** @type {(name: string, jobs: readonly JobView[]) => Promise<Shown>} */
async function loadJob(name, jobs) {
  const job = jobs.find((each) => each.name === name);
  if (job === undefined) throw new Refused(404, { code: 'not_found', message: 'There is no such job.' });
  /** @type {RunPage} */
  const page = await ask(`runs?${new URLSearchParams({ job: name, limit: String(heatRuns) })}`);
  /** @type {RunView[]} */
  const runs = [];
  // One after the other: the doors may be throttled, and after the first time most are known.
  for (const { runId } of page.runs) runs.push(await loadRun(runId));
  return { kind: 'job', job, runs };
}

// What is around every view: navigation, pauses, what went wrong; and the way in.

import { field, timeAt } from './bits.js';
import { jobPage, jobsPage } from './jobs.js';
import { pauseBanner, pausePage } from './pauses.js';
import { runPage } from './run.js';
import { runsPage } from './runs.js';
import { timeOfDay } from './times.js';
import { h } from './tree.js';

/** @import { JobView } from '../../doors/jobs.ts' */
/** @import { RunPage } from '../../doors/listing.ts' */
/** @import { Pause } from '../../guards/flags.ts' */
/** @import { RunView } from '../../report.ts' */
/** @import { Filter } from './runs.js' */
/** @import { Clock } from './times.js' */
/** @import { Child, Tree } from './tree.js' */

/** An error as a door tells it. @typedef {{readonly code: string, readonly message: string, readonly details?: readonly {readonly path: string, readonly message: string}[]}} Problem */

/**
 * What a view is made from; null until it was loaded.
 * @typedef {{kind: 'runs', page: RunPage, filter: Filter, jobs: readonly string[]} | {kind: 'run', run: RunView} | {kind: 'jobs', jobs: readonly JobView[]} | {kind: 'job', job: JobView, runs: readonly RunView[]} | {kind: 'pause', projects: readonly string[]} | {kind: 'nothing', why: string}} Shown
 */

/**
 * `problem`: of what was last done. `stale`: why what is shown could not be read again. `loadedAt`: ms since the epoch.
 * @typedef {{signedIn: boolean, shown: Shown | null, pauses: readonly Pause[], problem: Problem | null, said: string, stale: string, loadedAt: number, place: string}} Model
 */

/** The whole page. @type {(model: Model, clock: Clock) => Tree} */
export function pageOf(model, clock) {
  if (!model.signedIn) return h('div', { class: 'frame' }, h('main', {}, problemOf(model), signInForm()));
  return h(
    'div',
    { class: 'frame' },
    h('header', {}, h('h1', {}, 'dcs-autopilot'), navigation(model.place), signOutForm()),
    pauseBanner(model.pauses, clock),
    freshness(model, clock),
    problemOf(model),
    h(
      'main',
      { tabindex: -1 },
      model.shown === null ? h('p', { class: 'note' }, 'One moment …') : viewOf(model.shown, model, clock),
    ),
  );
}

/** @type {(shown: Shown, model: Model, clock: Clock) => Tree} */
function viewOf(shown, { pauses }, clock) {
  if (shown.kind === 'runs') return runsPage(shown.page, shown.filter, shown.jobs, clock);
  if (shown.kind === 'run') return runPage(shown.run, clock);
  if (shown.kind === 'jobs') return jobsPage(shown.jobs, clock);
  if (shown.kind === 'job') return jobPage(shown.job, shown.runs, clock);
  if (shown.kind === 'pause') return pausePage(pauses, shown.projects);
  return h('p', { class: 'note' }, shown.why);
}

/** @type {(place: string) => Tree} */
function navigation(place) {
  /** @type {readonly (readonly [string, string, readonly string[]])[]} */
  const links = [
    ['#/', 'Runs', ['runs', 'run']],
    ['#/jobs', 'Jobs', ['jobs', 'job']],
    ['#/pause', 'Pause', ['pause']],
  ];
  return h(
    'nav',
    { 'aria-label': 'Main' },
    links.map(([href, word, kinds]) => h('a', { href, 'aria-current': kinds.includes(place) && 'page' }, word)),
  );
}

/** Whoever looks at old facts has to know it. @type {(model: Model, clock: Clock) => Child} */
function freshness({ stale, loadedAt }, clock) {
  const at = timeOfDay(loadedAt, clock.zone);
  if (stale !== '')
    return h('p', { class: 'stale', role: 'alert' }, `⚠ Not up to date: ${stale} What is shown is of ${at}.`);
  return loadedAt > 0 && h('p', { class: 'fresh' }, 'As of ', timeAt(new Date(loadedAt).toISOString(), clock));
}

/** Always there, so that a screen reader hears what comes into it. @type {(model: Model) => Tree} */
function problemOf({ problem, said }) {
  return h(
    'div',
    { role: 'alert', class: problem === null ? 'said' : 'problem' },
    problem !== null && h('p', {}, `✗ ${problem.message} `, h('code', {}, problem.code)),
    problem?.details !== undefined &&
      h(
        'ul',
        {},
        problem.details.map(({ path, message }) => h('li', {}, `${path} ${message}`)),
      ),
    said !== '' && h('p', {}, `✓ ${said}`),
  );
}

/** @type {() => Tree} */
function signInForm() {
  return h(
    'form',
    { class: 'box sign-in', 'data-act': 'sign-in' },
    h('h1', {}, 'dcs-autopilot'),
    field('Operator token', 'token', { type: 'password', required: true, autocomplete: 'current-password' }),
    h('p', { class: 'note' }, 'It is kept in this tab only, until you close it or sign out.'),
    h('p', { class: 'buttons' }, h('button', {}, 'Sign in')),
  );
}

/** @type {() => Tree} */
function signOutForm() {
  return h('form', { 'data-act': 'sign-out' }, h('button', { class: 'quiet' }, 'Sign out'));
}

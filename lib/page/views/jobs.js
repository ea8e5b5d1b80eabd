// The jobs, and the page of one: what it does, how to run it by hand, and how its latest runs went.

import { factList, field, tableOf, timeAt } from './bits.js';
import { heatMap } from './heat-map.js';
import { fromNow } from './times.js';
import { h } from './tree.js';

/** @import { JobView } from '../../doors/jobs.ts' */
/** @import { RunView } from '../../report.ts' */
/** @import { Clock } from './times.js' */
/** @import { Child, Tree } from './tree.js' */

/** @type {(jobs: readonly JobView[], clock: Clock) => Tree} */
export function jobsPage(jobs, clock) {
  return h(
    'article',
    {},
    h('h2', {}, 'Jobs'),
    jobs.length === 0
      ? h('p', { class: 'note' }, 'The configuration has none.')
      : tableOf(
          'All jobs of the configuration',
          ['Job', 'Action', 'Target', 'Started by', 'Next'],
          jobs.map((job) => [
            [h('a', { href: `#/jobs/${encodeURIComponent(job.name)}` }, h('strong', {}, job.name)), ...marksOf(job)],
            actionOf(job),
            `${job.target} in ${job.project}`,
            job.trigger,
            job.next === undefined ? '' : [timeAt(job.next, clock), `, ${fromNow(job.next, clock.now)}`],
          ]),
        ),
  );
}

/** @type {(job: JobView, runs: readonly RunView[], clock: Clock) => Tree} */
export function jobPage(job, runs, clock) {
  return h(
    'article',
    {},
    h('h2', {}, job.name, ...marksOf(job)),
    factList([
      ['Action', actionOf(job)],
      ['Target', job.target],
      ['Project', job.project],
      ['Started by', job.trigger],
      ['Next', job.next !== undefined && [timeAt(job.next, clock), `, ${fromNow(job.next, clock.now)}`]],
      ['Approval', job.approval],
    ]),
    startBox(job),
    h('h3', {}, 'The latest runs'),
    heatMap(runs, clock),
    h('p', {}, h('a', { href: `#/?job=${encodeURIComponent(job.name)}` }, 'All runs of this job')),
  );
}

/** @type {(job: JobView) => Tree} */
function startBox({ name, enabled }) {
  if (!enabled) return h('p', { class: 'note' }, 'It is switched off (enabled: false), so it cannot be run.');
  return h(
    'form',
    { class: 'box', 'data-act': 'dry-run', 'data-job': name },
    h('h3', {}, 'Run it by hand'),
    h('p', {}, 'First comes a dry run: it makes the plan and sends nothing. You can run that plan afterwards.'),
    field('Reason', 'reason', { maxlength: 500 }),
    h(
      'label',
      {},
      'Instances, by id; none: the whole target',
      h('textarea', { name: 'instances', rows: 2, autocomplete: 'off', spellcheck: 'false' }),
    ),
    h('p', { class: 'buttons' }, h('button', {}, 'Make a plan')),
  );
}

/** @type {(job: JobView) => string} */
function actionOf({ action, rungs }) {
  return (rungs ?? [action]).map((each) => each.replaceAll('_', ' ')).join(', then ');
}

/** @type {(job: JobView) => readonly Child[]} */
function marksOf({ enabled, dryRun }) {
  const mark = (/** @type {string} */ text) => [' ', h('span', { class: 'badge' }, text)];
  return [!enabled && mark('⊘ switched off'), dryRun && mark('✎ dry runs only')];
}

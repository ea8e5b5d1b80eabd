// The list of runs, newest first.

import { badge, countsText, tableOf, timeAt } from './bits.js';
import { h } from './tree.js';
import { runStatuses, whoOf, wordOf, wordsOf } from './words.js';

/** @import { RunPage } from '../../doors/listing.ts' */
/** @import { Clock } from './times.js' */
/** @import { Tree } from './tree.js' */

/** @typedef {{readonly job: string, readonly status: string, readonly cursor: string}} Filter */

/** @type {(page: RunPage, filter: Filter, jobs: readonly string[], clock: Clock) => Tree} */
export function runsPage({ runs, next }, filter, jobs, clock) {
  return h(
    'article',
    {},
    h('h2', {}, 'Runs'),
    filterForm(filter, jobs),
    runs.length === 0
      ? h('p', { class: 'note' }, next === undefined ? 'There are none.' : 'None on this page.')
      : tableOf(
          filter.cursor === '' ? 'The newest runs' : 'Older runs',
          ['Status', 'Job', 'Came in', 'By', 'What became of it'],
          runs.map((run) => [
            badge(run.status),
            h(
              'a',
              { href: `#/runs/${encodeURIComponent(run.runId)}` },
              h('strong', {}, run.job),
              ` ${run.action.replaceAll('_', ' ')}`,
            ),
            timeAt(run.createdAt, clock),
            whoOf(run.requestedBy),
            [
              countsText(run),
              run.code !== undefined && h('p', {}, wordsOf(run.code)),
              run.reason !== undefined && h('p', { class: 'planned' }, run.reason),
            ],
          ]),
        ),
    h(
      'p',
      { class: 'buttons' },
      filter.cursor !== '' && h('a', { class: 'button quiet', href: listLink({ ...filter, cursor: '' }) }, 'Newest'),
      next !== undefined && h('a', { class: 'button quiet', href: listLink({ ...filter, cursor: next }) }, 'Older'),
    ),
  );
}

/** The address of a list within the page. @type {(filter: Filter) => string} */
export function listLink(filter) {
  const given = Object.entries(filter).filter(([, value]) => value !== '');
  const query = String(new URLSearchParams(given));
  return query === '' ? '#/' : `#/?${query}`;
}

/** @type {(filter: Filter, jobs: readonly string[]) => Tree} */
function filterForm(filter, jobs) {
  return h(
    'form',
    { class: 'filter', 'data-act': 'filter' },
    chooser(
      'Job',
      'job',
      filter.job,
      jobs.map((job) => [job, job]),
    ),
    chooser(
      'Status',
      'status',
      filter.status,
      runStatuses.map((status) => [status, wordOf(status)]),
    ),
    h('button', { class: 'quiet' }, 'Show'),
  );
}

/** @type {(label: string, name: string, chosen: string, options: readonly (readonly [string, string])[]) => Tree} */
function chooser(label, name, chosen, options) {
  const all = h('option', { value: '', selected: chosen === '' }, 'all');
  return h(
    'label',
    {},
    label,
    h(
      'select',
      { name },
      all,
      options.map(([value, word]) => h('option', { value, selected: value === chosen }, word)),
    ),
  );
}

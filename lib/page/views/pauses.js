// The one switch that stops all new sends: what stands is shown on top of every page.

import { field, timeAt } from './bits.js';
import { h } from './tree.js';
import { whoOf } from './words.js';

/** @import { Pause } from '../../guards/flags.ts' */
/** @import { Clock } from './times.js' */
/** @import { Child, Tree } from './tree.js' */

/** Above everything while anything is paused. @type {(pauses: readonly Pause[], clock: Clock) => Child} */
export function pauseBanner(pauses, clock) {
  return (
    pauses.length > 0 &&
    h(
      'section',
      { class: 'paused', 'aria-label': 'Paused' },
      pauses.map((pause) =>
        h(
          'p',
          {},
          h('strong', {}, `⚠ PAUSED: ${scopeOf(pause)}. `),
          `Nothing new is sent. ${whoOf(pause.by)}, `,
          timeAt(pause.at, clock),
          `: ${pause.reason}`,
        ),
      ),
    )
  );
}

/** @type {(pauses: readonly Pause[], projects: readonly string[]) => Tree} */
export function pausePage(pauses, projects) {
  return h(
    'article',
    {},
    h('h2', {}, 'Pause'),
    h('p', {}, 'One switch stops all new sends. Runs that are going wait; those that would begin are refused.'),
    pauses.map(resumeForm),
    h(
      'form',
      { class: 'box', 'data-act': 'pause' },
      h('h3', {}, 'Pause now'),
      h(
        'label',
        {},
        'What',
        h(
          'select',
          { name: 'project' },
          h('option', { value: '' }, 'everything'),
          projects.map((name) => h('option', { value: name }, `project ${name}`)),
        ),
      ),
      field('Reason', 'reason', { maxlength: 500, required: true }),
      h('p', { class: 'buttons' }, h('button', { class: 'danger' }, 'Pause')),
    ),
  );
}

/** @type {(pause: Pause) => Tree} */
function resumeForm(pause) {
  return h(
    'form',
    { class: 'box', 'data-act': 'resume', 'data-project': pause.project ?? '' },
    h('p', {}, `${scopeOf(pause)} is paused: ${pause.reason}`),
    h('p', { class: 'buttons' }, h('button', {}, `Resume ${scopeOf(pause)}`)),
  );
}

/** @type {(pause: Pause) => string} */
function scopeOf({ project }) {
  return project === null ? 'everything' : `project ${project}`;
}

// The instances of a job by its latest runs: who fails again and again is seen at a glance.

import { plural } from './bits.js';
import { localTime } from './times.js';
import { h } from './tree.js';
import { isGoing, shownAs, signOf, wordOf } from './words.js';

/** @import { RunView } from '../../report.ts' */
/** @import { Clock } from './times.js' */
/** @import { Tree } from './tree.js' */

/** Instances shown at most. */
const maxInstances = 200;

/** @typedef {{readonly id: string, readonly name: string, readonly troubles: number}} Line */

/** Runs come newest first and stand newest right. @type {(runs: readonly RunView[], clock: Clock) => Tree} */
export function heatMap(runs, clock) {
  const worked = runs.filter((run) => run.outcomes.length > 0).toReversed();
  if (worked.length === 0) return h('p', { class: 'note' }, 'No run of this job has touched an instance yet.');
  const lines = linesOf(worked);
  const shown = lines.slice(0, maxInstances);
  return h(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Instances by runs' },
    h(
      'table',
      { class: 'heat' },
      h(
        'caption',
        {},
        `${plural(lines.length, 'instance')} over ${plural(worked.length, 'run')}, those with most trouble first`,
      ),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { scope: 'col' }, 'Instance'),
          worked.map((run) => headOf(run, clock)),
        ),
      ),
      h(
        'tbody',
        {},
        shown.map((line) =>
          h(
            'tr',
            {},
            h('th', { scope: 'row' }, line.name),
            worked.map((run) => cellOf(line, run)),
          ),
        ),
      ),
    ),
    lines.length > shown.length && h('p', { class: 'note' }, `${lines.length - shown.length} more are not shown here.`),
  );
}

/** @type {(runs: readonly RunView[]) => Line[]} */
function linesOf(runs) {
  /** @type {Map<string, Line>} */
  const lines = new Map();
  for (const run of runs) {
    for (const { instanceId: id, name, status } of run.outcomes) {
      const isTrouble = ['failed', 'unknown'].includes(shownAs(status, isGoing(run.status)));
      lines.set(id, { id, name: name || id, troubles: (lines.get(id)?.troubles ?? 0) + (isTrouble ? 1 : 0) });
    }
  }
  return [...lines.values()].sort((a, b) => b.troubles - a.troubles || (a.name < b.name ? -1 : 1));
}

/** @type {(run: RunView, clock: Clock) => Tree} */
function headOf(run, clock) {
  const day = localTime(run.createdAt, clock);
  const link = { href: `#/runs/${encodeURIComponent(run.runId)}`, title: `${day}, ${wordOf(run.status)}` };
  return h('th', { scope: 'col' }, h('a', link, day.replace(/^\w+ /, '').replace(/:\d\d$/, '')));
}

/** @type {(line: Line, run: RunView) => Tree} */
function cellOf({ id }, run) {
  const outcome = run.outcomes.find(({ instanceId }) => instanceId === id);
  if (outcome === undefined) return h('td', { class: 'none' }, h('span', { class: 'hidden' }, 'not in it'));
  const { attempts, reason } = outcome;
  const status = shownAs(outcome.status, isGoing(run.status));
  const words = `${wordOf(status)}, ${plural(attempts, 'attempt')}${reason === undefined ? '' : `: ${reason}`}`;
  return h(
    'td',
    { class: status, title: words },
    h('span', { 'aria-hidden': 'true' }, attempts > 1 ? `${signOf(status)}${attempts}` : signOf(status)),
    h('span', { class: 'hidden' }, words),
  );
}

// The page of one run: what it is, what to do about it, and what became of each instance.

import { badge, coded, countsText, factList, timeAt } from './bits.js';
import { excludedOf, wavesOf } from './instances.js';
import { steeringOf } from './steering.js';
import { fromNow, spanOf } from './times.js';
import { h } from './tree.js';
import { sentenceOf, whoOf } from './words.js';

/** @import { RunView } from '../../report.ts' */
/** @import { Clock } from './times.js' */
/** @import { Child, Tree } from './tree.js' */

/** @type {(run: RunView, clock: Clock) => Tree} */
export function runPage(run, clock) {
  return h(
    'article',
    {},
    h('h2', {}, h('a', { href: `#/jobs/${encodeURIComponent(run.job)}` }, run.job), ' ', badge(run.status)),
    h('p', { class: 'sentence' }, sentenceOf(run.status), ' ', countsText(run)),
    run.code !== undefined && h('p', {}, coded(run.code)),
    run.reason !== undefined && h('p', {}, run.reason),
    run.liftsAt !== undefined &&
      h('p', {}, 'Expected to be over ', timeAt(run.liftsAt, clock), `, ${fromNow(run.liftsAt, clock.now)}.`),
    steeringOf(run, clock),
    factList(factsOfRun(run, clock)),
    run.rungs !== undefined && rungsOf(run, clock),
    run.plan.hash !== null && h('h3', {}, 'Plan and outcomes'),
    wavesOf(run, clock),
    run.plan.hash !== null && run.plan.waves.length === 0 && h('p', { class: 'note' }, 'No instance is planned.'),
    excludedOf(run.plan.excluded, clock),
    run.restore !== undefined && restoreOf(run.restore),
  );
}

/** @type {(run: RunView, clock: Clock) => readonly (readonly [string, Child])[]} */
function factsOfRun(run, clock) {
  const { startedAt, finishedAt, approval, stop } = run;
  const decision = approval?.decision;
  return [
    ['Action', run.action.replaceAll('_', ' ')],
    ['Asked for by', whoOf(run.requestedBy)],
    ['Came in', timeAt(run.createdAt, clock)],
    ['Started', startedAt !== undefined && timeAt(startedAt, clock)],
    ['Ended', finishedAt !== undefined && timeAt(finishedAt, clock)],
    [
      'Took',
      startedAt !== undefined &&
        spanOf((finishedAt === undefined ? clock.now : Date.parse(finishedAt)) - Date.parse(startedAt)),
    ],
    ['Approval asked', approval !== undefined && timeAt(approval.requestedAt, clock)],
    [
      decision?.verdict === 'approved' ? 'Approved' : 'Rejected',
      decision !== undefined && [
        whoOf(decision.by),
        ', ',
        timeAt(decision.at, clock),
        decision.reason !== undefined && `: ${decision.reason}`,
      ],
    ],
    ['Stopped', stop !== undefined && [whoOf(stop.by), ', ', timeAt(stop.at, clock), `: ${stop.reason}`]],
    ['Plan', run.plan.hash !== null && h('code', { class: 'hash' }, run.plan.hash)],
    ['Run', h('code', { class: 'hash' }, run.runId)],
  ];
}

/** @type {(run: RunView, clock: Clock) => Tree} */
function rungsOf({ rungs = [] }, clock) {
  return h(
    'section',
    {},
    h('h3', {}, 'Rungs of the ladder'),
    h(
      'ol',
      {},
      rungs.map(({ number, action, status, endedAt }) =>
        h('li', { value: number }, `${action.replaceAll('_', ' ')}: `, badge(status), ' ', timeAt(endedAt, clock)),
      ),
    ),
  );
}

/** @type {(how: string) => Tree} */
function restoreOf(how) {
  return h(
    'section',
    { class: 'box' },
    h('h3', {}, 'How to get the data back'),
    h('p', {}, 'The backup of each instance stands in its row above. To restore one:'),
    h('p', {}, h('code', {}, how)),
  );
}

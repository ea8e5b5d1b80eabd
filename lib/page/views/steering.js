// What an operator can say to a run: run its plan, approve or reject it, stop it, try again. A form's `data-act` names
// what browser/act.js does with it. Whoever is about to destroy data types the job's name first.

import { field, plural, timeAt } from './bits.js';
import { fromNow } from './times.js';
import { h } from './tree.js';
import { isGoing } from './words.js';

/** @import { RunView } from '../../report.ts' */
/** @import { Clock } from './times.js' */
/** @import { Child, Tree } from './tree.js' */

/** Instances that a retry would take up and that lose their data. @type {(run: Pick<RunView, 'plan' | 'outcomes'>) => number} */
function lossesAgain({ plan, outcomes }) {
  const undone = outcomes.filter(({ status }) => status === 'failed' || status === 'not_started');
  const ids = new Set(undone.map(({ instanceId }) => instanceId));
  return plan.waves.flat().filter(({ instanceId, dataLoss }) => dataLoss && ids.has(instanceId)).length;
}

/** Planned instances that lose their data. @type {(run: Pick<RunView, 'plan'>) => number} */
export function lossesOf({ plan }) {
  return plan.waves.flat().filter(({ dataLoss }) => dataLoss).length;
}

/** What can be said to a run in its state. @type {(run: RunView, clock: Clock) => readonly Tree[]} */
export function steeringOf(run, clock) {
  const undone = run.counts.failed + run.counts.notStarted;
  return [
    ...(run.status === 'awaiting_approval' ? [approvalBox(run, clock)] : []),
    ...(run.status === 'planned' && run.plan.hash !== null && run.plan.waves.length > 0 ? [planBox(run)] : []),
    ...(isGoing(run.status) && run.stop === undefined ? [cancelBox(run)] : []),
    ...(!isGoing(run.status) && undone > 0 ? [retryBox(run, undone)] : []),
  ];
}

/** @type {(run: RunView, clock: Clock) => Tree} */
function approvalBox(run, clock) {
  const { approval, plan, runId } = run;
  if (approval === undefined || approval.decision !== undefined) return h('div');
  const hash = approval.planHash;
  return h(
    'form',
    { class: 'box approval', 'data-act': 'decide', 'data-run': runId, 'data-hash': hash },
    h('h3', {}, 'This plan waits for approval'),
    h(
      'p',
      {},
      `${plural(plan.waves.flat().length, 'instance')} to ${run.action} in ${plural(plan.waves.length, 'wave')}. Lapses `,
      h('strong', {}, fromNow(approval.lapsesAt, clock.now)),
      ', ',
      timeAt(approval.lapsesAt, clock),
      '.',
    ),
    lossLine(lossesOf(run)),
    h('p', {}, 'Plan ', h('code', { class: 'hash' }, hash)),
    field('Reason', 'reason', { maxlength: 500 }),
    h(
      'p',
      { class: 'buttons' },
      h('button', { name: 'verdict', value: 'approve' }, 'Approve this plan'),
      h('button', { name: 'verdict', value: 'reject', class: 'quiet' }, 'Reject'),
    ),
  );
}

/** @type {(run: RunView) => Tree} */
function planBox(run) {
  const { runId, job, plan } = run;
  const losing = lossesOf(run);
  return h(
    'form',
    { class: 'box', 'data-act': 'run-plan', 'data-run': runId, 'data-job': job, 'data-hash': plan.hash ?? '' },
    h('h3', {}, 'Run this plan'),
    h(
      'p',
      {},
      `It runs only if the plan is still this one: ${plural(plan.waves.flat().length, 'instance')} to ${run.action}.`,
    ),
    lossLine(lossesOf(run)),
    field('Reason', 'reason', { maxlength: 500 }),
    losing > 0 && typedName(job),
    h('p', { class: 'buttons' }, h('button', { class: losing > 0 ? 'danger' : '' }, `${capital(run.action)} now`)),
  );
}

/** @type {(run: RunView) => Tree} */
function cancelBox({ runId }) {
  return h(
    'details',
    { class: 'box' },
    h('summary', {}, 'Cancel this run'),
    h(
      'form',
      { 'data-act': 'cancel', 'data-run': runId },
      h('p', {}, 'Nothing more is sent. What was sent goes on and is verified; the rest is not started.'),
      field('Reason', 'reason', { maxlength: 500 }),
      h('p', { class: 'buttons' }, h('button', { class: 'danger' }, 'Cancel the run')),
    ),
  );
}

/** @type {(run: RunView, undone: number) => Tree} */
function retryBox(run, undone) {
  const { runId, job } = run;
  const losing = lossesAgain(run);
  return h(
    'details',
    { class: 'box' },
    h('summary', {}, `Try again: ${plural(undone, 'instance')}`),
    h(
      'form',
      { 'data-act': 'retry', 'data-run': runId, 'data-job': job },
      h(
        'p',
        {},
        'A new run of what failed or was not started. What is unknown is not sent again: it may have been done.',
      ),
      lossLine(losing),
      field('Reason', 'reason', { maxlength: 500 }),
      losing > 0 && typedName(job),
      h('p', { class: 'buttons' }, h('button', {}, 'Start the new run')),
    ),
  );
}

/** @type {(losing: number) => Child} */
function lossLine(losing) {
  return losing > 0 && h('p', { class: 'loss' }, `⚠ ${plural(losing, 'instance')} will lose all data.`);
}

/** @type {(job: string) => Tree} */
function typedName(job) {
  return field(`Type the job’s name, ${job}, to destroy data`, 'typed', { required: true, 'data-name': job });
}

/** @type {(text: string) => string} */
function capital(text) {
  const words = text.replaceAll('_', ' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

// The instances of a run: wave by wave with what became of each, then those that were left out.

import { badge, coded, plural, tableOf, timeAt } from './bits.js';
import { timelineOf } from './timeline.js';
import { h } from './tree.js';
import { evidenceOf, isGoing, shownAs } from './words.js';

/** @import { ExcludedInstance, PlannedInstance } from '../../plan.ts' */
/** @import { Outcome, RunView } from '../../report.ts' */
/** @import { Clock } from './times.js' */
/** @import { Child, Tree } from './tree.js' */

/** Rows of one table at most: a browser bears more, a reader does not. */
const maxRows = 200;

/** How much somebody has to look at it, the most first. */
const trouble = ['failed', 'unknown', 'not_started', 'skipped', 'succeeded'];

/** All waves of the plan. @type {(run: RunView, clock: Clock) => readonly Tree[]} */
export function wavesOf(run, clock) {
  const outcomes = new Map(run.outcomes.map((outcome) => [outcome.instanceId, outcome]));
  return run.plan.waves.map((wave, at) => {
    const rows = wave.map((planned) => ({ planned, outcome: outcomes.get(planned.instanceId) }));
    return waveOf(at, run.outcomes.length > 0 ? rows.toSorted(byTrouble) : rows, run, clock);
  });
}

/** @typedef {{readonly planned: PlannedInstance, readonly outcome: Outcome | undefined}} Row */

/** @type {(a: Row, b: Row) => number} */
function byTrouble(a, b) {
  return trouble.indexOf(a.outcome?.status ?? 'not_started') - trouble.indexOf(b.outcome?.status ?? 'not_started');
}

/** @type {(at: number, rows: readonly Row[], run: RunView, clock: Clock) => Tree} */
function waveOf(at, rows, run, clock) {
  const name = `Wave ${at + 1}${at === 0 && run.plan.waves.length > 1 ? ', the canary' : ''}: ${plural(rows.length, 'instance')}`;
  const hasOutcomes = run.outcomes.length > 0;
  const heads = hasOutcomes ? ['Instance', 'Outcome', 'Over time', 'Attempts', 'Why'] : ['Instance', 'Why it is in'];
  const shown = rows.slice(0, maxRows);
  return h(
    'div',
    { class: hasOutcomes ? 'wave' : 'wave plan' },
    tableOf(
      name,
      heads,
      shown.map(({ planned, outcome }) => [
        instanceName(planned, planned.dataLoss),
        ...(hasOutcomes ? outcomeCells(planned, outcome, run, clock) : [planned.reason]),
      ]),
    ),
    rows.length > shown.length && h('p', { class: 'note' }, `${rows.length - shown.length} more are not shown here.`),
  );
}

/** @type {(planned: PlannedInstance, outcome: Outcome | undefined, run: RunView, clock: Clock) => readonly Child[]} */
function outcomeCells(planned, outcome, run, clock) {
  if (outcome === undefined) return [badge('waiting'), '', '0', planned.reason];
  const { status, attempts, code, reason, verifiedBy, backup } = outcome;
  return [
    badge(shownAs(status, isGoing(run.status))),
    timelineOf(outcome, run, clock),
    String(attempts),
    [
      code !== undefined && h('p', {}, coded(code)),
      reason !== undefined && h('p', {}, reason),
      verifiedBy !== undefined && h('p', {}, `Verified: ${evidenceOf(verifiedBy)}.`),
      backup !== undefined && h('p', {}, 'Backup ', h('code', {}, backup.id), ' of ', timeAt(backup.takenAt, clock)),
      h('p', { class: 'planned' }, `Planned: ${planned.reason}`),
    ],
  ];
}

/** Those that were left out, each with its code. @type {(excluded: readonly ExcludedInstance[], clock: Clock) => Tree | null} */
export function excludedOf(excluded, clock) {
  if (excluded.length === 0) return null;
  const shown = excluded.slice(0, maxRows);
  return h(
    'section',
    {},
    h('h3', {}, 'Left out'),
    tableOf(
      `${plural(excluded.length, 'instance')} left out`,
      ['Instance', 'Code', 'Why', 'Until'],
      shown.map((out) => [
        instanceName(out, false),
        coded(out.code),
        out.reason,
        out.liftsAt === undefined ? '' : timeAt(out.liftsAt, clock),
      ]),
    ),
    excluded.length > shown.length &&
      h('p', { class: 'note' }, `${excluded.length - shown.length} more are not shown here.`),
  );
}

/** @type {(instance: {readonly instanceId: string, readonly name: string}, dataLoss: boolean) => Tree} */
function instanceName({ instanceId, name }, dataLoss) {
  return h(
    'div',
    { class: 'instance' },
    h('strong', {}, name || instanceId),
    h('code', {}, instanceId),
    dataLoss && h('span', { class: 'loss' }, '⚠ loses its data'),
  );
}

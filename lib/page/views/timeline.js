// One instance over the time of its run: how long it waited, when DCS accepted it, how long its end was watched for. The
// same in a sentence, for whoever does not see the picture.

import { spanOf, timeOfDay } from './times.js';
import { h } from './tree.js';
import { evidenceOf, isGoing, shownAs, signOf, wordOf } from './words.js';

/** @import { Outcome, RunView } from '../../report.ts' */
/** @import { Clock } from './times.js' */
/** @import { Tree } from './tree.js' */

/** From and to in milliseconds since the epoch. @typedef {{readonly from: number, readonly to: number}} Span */

/** The time that all timelines of a run share. @type {(run: RunView, clock: Clock) => Span} */
export function spanOfRun({ createdAt, startedAt, finishedAt }, { now }) {
  const from = Date.parse(startedAt ?? createdAt);
  const to = finishedAt === undefined ? now : Date.parse(finishedAt);
  return { from, to: Math.max(to, from + 1000) };
}

/** @type {(outcome: Outcome, run: RunView, clock: Clock) => Tree} */
export function timelineOf(outcome, run, clock) {
  const status = shownAs(outcome.status, isGoing(run.status));
  const place = placeIn(spanOfRun(run, clock));
  const accepted = outcome.acceptedAt === undefined ? undefined : place(outcome.acceptedAt);
  const end = outcome.verifiedAt === undefined ? 100 : place(outcome.verifiedAt);
  const isUntouched = accepted === undefined && outcome.status === 'not_started';
  const told = timelineText(outcome, run, clock);
  const middle = { y1: 11, y2: 11 };
  return h(
    'svg',
    { class: `timeline ${status}`, role: 'img', 'aria-label': told, height: 22 },
    h('title', {}, told),
    h('line', { class: 'axis', x1: '0%', x2: '100%', ...middle }),
    !isUntouched && h('line', { class: 'wait', x1: '0%', x2: percent(accepted ?? end), ...middle }),
    accepted !== undefined && workOf(accepted, end),
    !isUntouched && h('text', { x: percent(inside(end)), y: 16, 'text-anchor': 'middle' }, signOf(status)),
  );
}

/** From being accepted to its end. @type {(accepted: number, end: number) => readonly Tree[]} */
function workOf(accepted, end) {
  const width = percent(Math.max(0.5, end - accepted));
  return [
    h('rect', { class: 'work', x: percent(accepted), y: 5, width, height: 12, rx: 3 }),
    h('circle', { class: 'mark', cx: percent(inside(accepted)), cy: 11, r: 4 }),
  ];
}

/** @type {(outcome: Outcome, run: RunView, clock: Clock) => string} */
export function timelineText({ status, attempts, acceptedAt, verifiedAt, verifiedBy }, run, { now, zone }) {
  const word = wordOf(shownAs(status, isGoing(run.status)));
  if (acceptedAt === undefined) return attempts === 0 ? word : `${word}, not accepted`;
  const { from } = spanOfRun(run, { now, zone });
  const waited = `accepted at ${timeOfDay(acceptedAt, zone)}, ${spanOf(Date.parse(acceptedAt) - from)} after the start`;
  if (verifiedAt === undefined) return `${waited}; ${word}, not verified`;
  const took = spanOf(Date.parse(verifiedAt) - Date.parse(acceptedAt));
  return `${waited}; verified ${took} later${verifiedBy === undefined ? '' : `: ${evidenceOf(verifiedBy)}`}`;
}

/** Where an instant lies, in percent of the span. @type {(span: Span) => (iso: string) => number} */
function placeIn({ from, to }) {
  return (iso) => Math.min(100, Math.max(0, ((Date.parse(iso) - from) / (to - from)) * 100));
}

/** A mark at either end is still seen whole. @type {(place: number) => number} */
function inside(place) {
  return Math.min(97, Math.max(3, place));
}

/** @type {(place: number) => string} */
function percent(place) {
  return `${place.toFixed(1)}%`;
}

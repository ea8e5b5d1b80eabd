// Small parts that several views are made of.

import { fromNow, localTime } from './times.js';
import { h } from './tree.js';
import { isGoing, shownAs, signOf, wordOf, wordsOf } from './words.js';

/** @import { Counts } from '../../record.ts' */
/** @import { Clock } from './times.js' */
/** @import { Child, Tree } from './tree.js' */

/** A status: sign, word and colour. @type {(status: string) => Tree} */
export function badge(status) {
  return h(
    'span',
    { class: `badge ${status}` },
    h('span', { 'aria-hidden': 'true' }, signOf(status)),
    ` ${wordOf(status)}`,
  );
}

/** A time as local clocks show it, with UTC when it is pointed at. @type {(iso: string, clock: Clock) => Tree} */
export function timeAt(iso, clock) {
  return h('time', { datetime: iso, title: `${iso} (UTC), ${fromNow(iso, clock.now)}` }, localTime(iso, clock));
}

/** A code in words, and itself for whoever searches for it. @type {(code: string) => Tree} */
export function coded(code) {
  return h('span', {}, wordsOf(code), ' ', h('code', {}, code));
}

/** Names with what belongs to them; those that have nothing are left out. @type {(facts: readonly (readonly [string, Child])[]) => Tree} */
export function factList(facts) {
  const told = facts.filter(([, value]) => value !== undefined && value !== null && value !== false && value !== '');
  return h(
    'dl',
    { class: 'facts' },
    told.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
  );
}

/** How each count of a run is called as a status. */
const counted = /** @type {const} */ ([
  ['succeeded', 'succeeded'],
  ['failed', 'failed'],
  ['unknown', 'unknown'],
  ['skipped', 'skipped'],
  ['notStarted', 'not_started'],
]);

/** `8 succeeded, 2 failed`, or nothing where nothing was planned. @type {(run: {readonly counts: Counts, readonly status: string}) => string} */
export function countsText({ counts, status }) {
  return counted
    .filter(([name]) => counts[name] > 0)
    .map(([name, word]) => `${counts[name]} ${wordOf(shownAs(word, isGoing(status)))}`)
    .join(', ');
}

/** `1 instance`, `3 instances`. @type {(count: number, what: string) => string} */
export function plural(count, what) {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** A table whose cells say their column where the screen is too narrow for one. @type {(caption: string, heads: readonly string[], rows: readonly (readonly Child[])[]) => Tree} */
export function tableOf(caption, heads, rows) {
  return h(
    'table',
    {},
    h('caption', {}, caption),
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        heads.map((head) => h('th', { scope: 'col' }, head)),
      ),
    ),
    h(
      'tbody',
      {},
      rows.map((cells) =>
        h(
          'tr',
          {},
          cells.map((cell, at) => h('td', { 'data-label': heads[at] ?? '' }, cell)),
        ),
      ),
    ),
  );
}

/** A field with its label; `given` are attributes of the input. @type {(label: string, name: string, given?: Readonly<Record<string, string | number | boolean>>) => Tree} */
export function field(label, name, given = {}) {
  return h('label', {}, label, h('input', { name, autocomplete: 'off', ...given }));
}

// The texts that the page is made of, as files of their own, so that editors, linter and compiler know what they are.
// Nothing is built to serve them: scripts are modules that import nothing but each other, so they can be put one after
// the other. Packaging puts the texts, made smaller, into the bundle in the place of this file.

import { readFileSync } from 'node:fs';

/** The document with a place for each of the other two. */
export interface PageSource {
  readonly html: string;
  readonly css: string;
  readonly script: string;
}

/** In an order in which nothing is used before it is there. */
const scripts = [
  'views/tree.js',
  'views/words.js',
  'views/times.js',
  'views/bits.js',
  'views/timeline.js',
  'views/instances.js',
  'views/steering.js',
  'views/run.js',
  'views/runs.js',
  'views/heat-map.js',
  'views/jobs.js',
  'views/pauses.js',
  'views/frame.js',
  'browser/route.js',
  'browser/dom.js',
  'browser/session.js',
  'browser/ask.js',
  'browser/load.js',
  'browser/act.js',
  'browser/main.js',
];

/** The texts. */
export function pageSource(): PageSource {
  return { html: textOf('page.html'), css: textOf('page.css'), script: scripts.map(textOf).map(inOne).join('\n') };
}

/** A module as a part of the one script: its neighbours are in there with it. */
function inOne(text: string): string {
  return text.replaceAll(/^import [^;]*;\n/gm, '').replaceAll(/^export (?=(async )?function |const |class )/gm, '');
}

function textOf(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8');
}

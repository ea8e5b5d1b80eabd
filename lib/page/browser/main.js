// The page at work: what is shown, when it is read again, and what the forms do. All that changes is in `model`.

import { pageOf } from '../views/frame.js';
import { acts, checkTyped } from './act.js';
import { Refused } from './ask.js';
import { show } from './dom.js';
import { forgetRuns, loadPauses, loadView } from './load.js';
import { routeOf } from './route.js';
import { forgetAll, tokenNow } from './session.js';

/** @import { Model } from '../views/frame.js' */

/** Milliseconds between two looks, and for how long it is told at least what was done. */
const refreshEvery = 5_000;
const toldFor = 8_000;
let saidAt = 0;

const root = document.getElementById('app') ?? document.body;

/** @type {Model} */
let model = {
  signedIn: tokenNow() !== null,
  shown: null,
  pauses: [],
  problem: null,
  said: '',
  stale: '',
  loadedAt: 0,
  place: 'runs',
};

/** Counts what was asked for, so that an answer which comes too late is known; and up to where there were answers. */
let asked = 0;
let answered = 0;

/** Keys of requests that are not known to have arrived, by their forms. @type {WeakMap<Element, string>} */
const keys = new WeakMap();

/** @type {(changes: Partial<Model>) => void} */
function change(changes) {
  model = { ...model, ...changes };
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  show(root, pageOf(model, { now: Date.now(), zone }));
}

/** @type {() => Promise<void>} */
async function refresh() {
  const turn = ++asked;
  if (!model.signedIn) {
    answered = turn;
    return change({});
  }
  const route = routeOf(location.hash);
  try {
    const [pauses, shown] = await Promise.all([loadPauses(), loadView(route)]);
    const said = Date.now() - saidAt < toldFor ? model.said : '';
    if (turn === asked) change({ pauses, shown, said, stale: '', loadedAt: Date.now(), place: route.kind });
  } catch (error) {
    if (turn === asked) failedToLoad(error, route.kind);
  } finally {
    answered = Math.max(answered, turn);
  }
}

/** The next look, unless nobody looks or the last one is not over yet. @type {() => void} */
function lookAgain() {
  if (document.visibilityState === 'visible' && model.signedIn && answered === asked) void refresh();
}

/** @type {(error: unknown, place: string) => void} */
function failedToLoad(error, place) {
  const { status, problem } = refusalOf(error);
  if (status === 401) return signedOut(problem);
  if (status === 403 || status === 404)
    return change({ shown: { kind: 'nothing', why: problem.message }, stale: '', place });
  change({ stale: problem.message, place });
}

/** @type {(problem: Model['problem']) => void} */
function signedOut(problem) {
  forgetAll();
  forgetRuns();
  change({ signedIn: false, shown: null, pauses: [], problem, said: '', stale: '', loadedAt: 0 });
}

/** @type {(event: SubmitEvent) => Promise<void>} */
async function submitted(event) {
  event.preventDefault();
  const { target: form, submitter } = event;
  const act = form instanceof HTMLFormElement ? acts[form.dataset['act'] ?? ''] : undefined;
  if (!(form instanceof HTMLFormElement) || act === undefined || form.ariaBusy === 'true') return;
  form.ariaBusy = 'true';
  const typed = new FormData(form);
  const key = keys.get(form) ?? freshKey();
  keys.set(form, key);
  try {
    checkTyped(form.querySelector('input[name=typed]'));
    const verdict = submitter instanceof HTMLButtonElement ? submitter.value : '';
    const done = await act({ data: form.dataset, text: (name) => String(typed.get(name) ?? ''), verdict, key });
    await afterwards(form, done.said, done.to);
  } catch (error) {
    const { status, problem } = refusalOf(error);
    // An answer that was lost may have been a yes: the same key then finds the same run.
    if (status !== 0 && status < 500) keys.delete(form);
    if (status === 401) signedOut(problem);
    else change({ problem, said: '' });
  } finally {
    form.ariaBusy = 'false';
  }
}

/** @type {(form: HTMLFormElement, said: string, to: string | undefined) => Promise<void>} */
async function afterwards(form, said, to) {
  keys.delete(form);
  if (form.dataset['act'] !== 'filter') form.reset();
  const signedIn = tokenNow() !== null;
  if (!signedIn) forgetRuns();
  if (!signedIn || !model.signedIn) change({ signedIn, shown: null, pauses: [], loadedAt: 0, stale: '' });
  saidAt = Date.now();
  change({ problem: null, said });
  if (to !== undefined && to !== location.hash) location.hash = to;
  else await refresh();
}

/** Where the browser tells no secrets from others, it still has chance. @type {() => string} */
function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `page-${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** @type {(error: unknown) => Refused} */
function refusalOf(error) {
  if (error instanceof Refused) return error;
  console.error(error);
  return new Refused(0, { code: 'page_broken', message: 'This page made a mistake; reload it.' });
}

/** @type {() => void} */
function moved() {
  change({ shown: null, problem: null });
  void refresh();
  document.querySelector('main')?.focus();
  scrollTo(0, 0);
}

addEventListener('hashchange', moved);
addEventListener('submit', (event) => void submitted(event));
addEventListener('visibilitychange', () => document.visibilityState === 'visible' && void refresh());
setInterval(lookAgain, refreshEvery);
void refresh();

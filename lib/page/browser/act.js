// What the forms do. Each answers with a sentence about what was done, and may lead to another view.

import { listLink } from '../views/runs.js';
import { ask, Refused } from './ask.js';
import { draftOf, forgetAll, keepDraft, keepToken } from './session.js';

/** @typedef {{readonly said: string, readonly to?: string}} Done */
/** @typedef {{readonly data: DOMStringMap, readonly text: (name: string) => string, readonly verdict: string, readonly key: string}} Sent */

/** One thing to do: `data` of its form, and what was typed. @type {Readonly<Record<string, (sent: Sent) => Promise<Done>>>} */
export const acts = {
  'sign-in': async ({ text }) => {
    keepToken(text('token').trim());
    return { said: '' };
  },
  'sign-out': async () => {
    forgetAll();
    return { said: '', to: '#/' };
  },
  filter: async ({ text }) => ({ said: '', to: listLink({ job: text('job'), status: text('status'), cursor: '' }) }),
  'dry-run': async ({ data, text, key }) => {
    const instances = text('instances')
      .split(/[\s,;]+/)
      .filter((id) => id !== '');
    const draft = { ...reasonIn(text), ...(instances.length > 0 && { instances }) };
    const { runId } = await start(data['job'], { ...draft, dryRun: true }, key);
    keepDraft(runId, draft);
    return { said: 'The plan is being made.', to: runLink(runId) };
  },
  'run-plan': async ({ data, text, key }) => {
    const asked = { ...draftOf(data['run'] ?? ''), ...reasonIn(text), plan: data['hash'] };
    const { runId } = await start(data['job'], asked, key);
    return { said: 'The run is accepted.', to: runLink(runId) };
  },
  decide: async ({ data, text, verdict }) => {
    const isYes = verdict === 'approve';
    await steer(data['run'], isYes ? 'approve' : 'reject', { planHash: data['hash'], ...reasonIn(text) });
    return { said: isYes ? 'The plan is approved.' : 'The plan is rejected.' };
  },
  cancel: async ({ data, text }) => {
    await steer(data['run'], 'cancel', reasonIn(text));
    return { said: 'Nothing more will be sent.' };
  },
  retry: async ({ data, text }) => {
    const { runId } = await steer(data['run'], 'retry', reasonIn(text));
    return { said: 'The new run is accepted.', to: runLink(runId) };
  },
  pause: async ({ text }) => {
    await ask('pause', { ...projectOf(text('project')), reason: text('reason') });
    return { said: 'Paused.' };
  },
  resume: async ({ data }) => {
    await ask('resume', projectOf(data['project'] ?? ''));
    return { said: 'Resumed.' };
  },
};

/** The form that destroys data asks for the job's name. Throws Refused. @type {(typed: HTMLInputElement | null) => void} */
export function checkTyped(typed) {
  if (typed === null || typed.value.trim() === typed.dataset['name']) return;
  const message = `Nothing was sent: what you typed is not the job’s name, ${typed.dataset['name']}.`;
  throw new Refused(0, { code: 'name_differs', message });
}

/** @type {(job: string | undefined, body: object, key: string) => Promise<{runId: string}>} */
async function start(job = '', body, key) {
  return await ask(`jobs/${encodeURIComponent(job)}/runs`, body, { 'idempotency-key': key });
}

/** @type {(run: string | undefined, what: string, body: object) => Promise<{runId: string}>} */
async function steer(run = '', what, body) {
  return await ask(`runs/${encodeURIComponent(run)}/${what}`, body);
}

/** @type {(text: (name: string) => string) => {reason?: string}} */
function reasonIn(text) {
  const reason = text('reason').trim();
  return reason === '' ? {} : { reason };
}

/** @type {(project: string) => {project?: string}} */
function projectOf(project) {
  return project === '' ? {} : { project };
}

/** @type {(runId: string) => string} */
function runLink(runId) {
  return `#/runs/${encodeURIComponent(runId)}`;
}

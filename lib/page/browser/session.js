// What this tab remembers until it is closed: the operator's token, and what dry runs asked for, so that their plans can be
// run as they were asked for. Nothing of it is in an address, a cookie or a store that outlives the tab.

/** What a dry run asked for. @typedef {{readonly instances?: readonly string[], readonly reason?: string}} Draft */

const tokenName = 'dcs-autopilot-token';

/** @type {() => string | null} */
export function tokenNow() {
  return sessionStorage.getItem(tokenName);
}

/** @type {(token: string) => void} */
export function keepToken(token) {
  sessionStorage.setItem(tokenName, token);
}

/** Forgets everything. @type {() => void} */
export function forgetAll() {
  sessionStorage.clear();
}

/** @type {(runId: string, draft: Draft) => void} */
export function keepDraft(runId, draft) {
  sessionStorage.setItem(`draft ${runId}`, JSON.stringify(draft));
}

/** @type {(runId: string) => Draft} */
export function draftOf(runId) {
  return JSON.parse(sessionStorage.getItem(`draft ${runId}`) ?? '{}');
}

// Requests to the doors: beside the page, whatever path the page lies at, and with the token in a header.

import { tokenNow } from './session.js';

/** @import { Problem } from '../views/frame.js' */

/** A door said no, or could not be reached (status 0). */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {Problem} problem
   */
  constructor(status, problem) {
    super(problem.message);
    this.name = 'Refused';
    this.status = status;
    this.problem = problem;
  }
}

/** Milliseconds until an answer is given up. */
const patience = 35_000;

/**
 * The JSON of an answer. Throws Refused.
 *
 * @param {string} path without a slash at its front
 * @param {object} [body] makes it a POST
 * @param {Readonly<Record<string, string>>} [headers]
 */
export async function ask(path, body, headers = {}) {
  const base = location.pathname.replace(/\/?$/, '/');
  const response = await reached(`${base}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...headers,
      authorization: `Bearer ${tokenNow() ?? ''}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    body: body === undefined ? null : JSON.stringify(body),
    signal: AbortSignal.timeout(patience),
    cache: 'no-store',
    credentials: 'omit',
    redirect: 'error',
  });
  const answer = await response.json().catch(() => undefined);
  if (response.ok && answer !== undefined) return answer;
  throw new Refused(response.status, answer?.error ?? unreadable(response.status));
}

/** @type {(url: string, init: RequestInit) => Promise<Response>} */
async function reached(url, init) {
  try {
    return await fetch(url, init);
  } catch {
    throw new Refused(0, { code: 'unreachable', message: 'The service cannot be reached.' });
  }
}

/** What is no answer of a door, such as one of a gateway before it. @type {(status: number) => Problem} */
function unreadable(status) {
  return { code: `http_${status}`, message: `The service answered with status ${status} and said nothing more.` };
}

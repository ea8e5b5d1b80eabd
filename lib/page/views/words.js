// Statuses and codes in plain words, each status with a sign of its own: whoever cannot tell colours, or is woken at
// three, reads the same as everybody else.

/** Of runs and of instances alike. @type {Readonly<Record<string, readonly [sign: string, word: string]>>} */
const known = {
  accepted: ['…', 'accepted'],
  awaiting_approval: ['?', 'waits for approval'],
  running: ['▶', 'running'],
  planned: ['✎', 'planned only'],
  succeeded: ['✓', 'succeeded'],
  partial: ['◐', 'partly done'],
  failed: ['✗', 'failed'],
  refused: ['⊘', 'refused'],
  cancelled: ['■', 'cancelled'],
  missed: ['○', 'missed'],
  unknown: ['‽', 'unknown'],
  skipped: ['↷', 'skipped'],
  not_started: ['·', 'not started'],
  at_work: ['▶', 'at work'],
  waiting: ['·', 'waiting'],
};

const going = ['accepted', 'awaiting_approval', 'running'];

/** @type {Readonly<Record<string, string>>} */
const sentences = {
  accepted: 'It is stored and about to begin.',
  awaiting_approval: 'Nothing has been sent. Somebody else than the requester has to approve the plan.',
  running: 'It is going on.',
  planned: 'This was a dry run: nothing was sent.',
  succeeded: 'All that was planned is done and verified.',
  partial: 'Some of it is done, and some is not.',
  failed: 'None of it succeeded.',
  refused: 'A guard refused it before anything was sent.',
  cancelled: 'It was stopped. What had been sent was verified; the rest was not started.',
  missed: 'It did not start in time, so it did not run.',
};

/** @type {Readonly<Record<string, string>>} */
const codes = {
  alert_storm: 'Too many instances alert at once',
  all_excluded: 'No instance may be touched',
  all_skipped: 'All that was planned was left out',
  approval_lapsed: 'Nobody approved it in time',
  backup_failed: 'There is no backup of it, so its data was left alone',
  busy: 'Something else is being done to it',
  cancelled: 'An operator cancelled it',
  closed: 'The run was ended by somebody else',
  collision: 'Another run works on it',
  cooling_down: 'It was acted on a short while ago',
  credentials_rejected: 'Huawei Cloud rejects our key',
  disabled: 'The job is switched off',
  drifted: 'It changed after the plan was made',
  execution_died: 'Its execution died',
  failed: 'DCS refused it without a reason',
  frozen: 'The project is frozen',
  guards_not_stated: 'A scheduled destructive job must state its guards',
  interrupted: 'We were interrupted while it was sent',
  ladder_exhausted: 'All rungs were tried and the alert stays',
  max_failures: 'Too many instances failed',
  no_effect: 'The alert stays after the last round: somebody has to look',
  not_allowed: 'Its tags do not allow this action',
  not_found: 'It does not exist',
  not_verified: 'Nobody saw it come back in time',
  nothing_to_do: 'There was nothing to do',
  other_plan: 'The word was about another plan',
  outcome_unknown: 'Whether it was done is unknown',
  outside_target: 'An instance is not in the target',
  outside_window: 'The window is closed',
  over_cap: 'More instances than the caps allow',
  over_day_cap: 'More instances than a day allows',
  overlap: 'The run before it has not ended',
  own_request: 'Whoever asked for it cannot approve it',
  paused: 'Work is paused',
  plan_changed: 'The plan is not the one that was asked for',
  protected: 'It is protected',
  rate_held: 'The rate of the project is used up',
  refused: 'It was refused',
  rejected: 'Somebody rejected the plan',
  resolved: 'The alert is over',
  retry_budget: 'The retries of the project are used up',
  retry_deadline: 'The time for retries is over',
  state: 'Our own store did not answer',
  sending: 'Its call goes out',
  start_deadline: 'It is too late to start',
  target_empty: 'The target selects nobody',
  too_many: 'More than 10,000 instances',
  too_many_operations: 'It would take more steps than an execution may have',
  too_many_waves: 'It would take too many waves',
  total_unknown: 'The number of instances could not be read',
  trimmed: 'The caps had no room for it',
  unhealthy: 'The health check says that something is wrong',
  unhealthy_after: 'It is in error after a restart',
  unreadable: 'It could not be read',
  unsupported_engine: 'Its engine cannot do this',
  verifying: 'Accepted, being verified',
  wrong_state: 'It is in no state for this',
};

/** The sign of a status. @type {(status: string) => string} */
export function signOf(status) {
  return known[status]?.[0] ?? '–';
}

/** @type {(status: string) => string} */
export function wordOf(status) {
  return known[status]?.[1] ?? spaced(status);
}

/**
 * How an instance is shown: while its run goes on, what is not known yet is at work, and what was not started waits.
 *
 * @type {(status: string, going: boolean) => string}
 */
export function shownAs(status, going) {
  if (!going) return status;
  return status === 'unknown' ? 'at_work' : status === 'not_started' ? 'waiting' : status;
}

/** What a status of a run means. @type {(status: string) => string} */
export function sentenceOf(status) {
  return sentences[status] ?? '';
}

/** What a code means; one that is not known here stays readable. @type {(code: string) => string} */
export function wordsOf(code) {
  return codes[code] ?? spaced(code);
}

/** What proved that an action took hold. @type {(by: string) => string} */
export function evidenceOf(by) {
  if (by === 'state') return 'seen at work, then running';
  return by === 'keys' ? 'its keys were seen to fall' : 'it ran quietly';
}

/** `schedule`, `operator:NAME` in words. @type {(by: string) => string} */
export function whoOf(by) {
  const [kind = '', ...name] = by.split(':');
  return name.length === 0 ? `the ${kind}` : `${kind} ${name.join(':')}`;
}

/** Whether a run with this status goes on. @type {(status: string) => boolean} */
export function isGoing(status) {
  return going.includes(status);
}

/** Statuses of runs, for choosing one. */
export const runStatuses = Object.keys(sentences);

/** @type {(text: string) => string} */
function spaced(text) {
  return text.replaceAll('_', ' ');
}

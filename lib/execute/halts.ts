// Why a run sends nothing more, or leaves an instance alone: the codes and sentences of what is no answer of DCS.

import type { Problem } from '../classify.ts';
import { sentence } from '../execute.ts';
import type { Halt } from '../retry.ts';

/** Why a run ends that DCS will not answer any more. Codes of our own (`clock_skew`, `secret_missing`) say it best. */
export function haltFor(problem: Problem, blind: boolean): Halt {
  const isOurs = /^[a-z_]+$/.test(problem.code);
  const kind = problem.class === 'auth' ? 'credentials_rejected' : problem.status === 403 ? 'forbidden' : 'dcs_config';
  return { code: isOurs ? problem.code : kind, reason: sentence(problem), blind };
}

/** Why an execution ends whose run is not its own any more. */
export const closed: Halt = { code: 'closed', reason: 'the run was ended by somebody else', blind: true };

/** Another run of ours has succeeded on the instance since the plan was made. */
export const coolingDown = { code: 'cooling_down', reason: 'another run has just succeeded on it' };

/** Another run of ours is at work on the instance: a collision. */
export const heldElsewhere = { code: 'collision', reason: 'another run is at work on it' };

/** The retry budget is empty: the run ends. */
export const spentBudget = {
  kind: 'halt',
  why: {
    code: 'retry_budget',
    reason: 'the retry budget of the project is spent for this hour (rate.retriesPerHour)',
  },
} as const;

/** The state could not be asked whether the run may go on. */
export const stateSilent = { code: 'state', reason: 'the state did not answer' };

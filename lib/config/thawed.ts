// Jobs that an earlier version froze into the records of its runs. What has come into a job since then is filled in here,
// and nowhere else, with what meant nothing to those versions.

import type { Guards, Job, Project, Waves } from '../config.ts';
import { builtIn, unlimited } from './defaults.ts';

type Later<Whole, Keys extends keyof Whole> = Omit<Whole, Keys> & Partial<Pick<Whole, Keys>>;

type LaterPolicies = 'ladder' | 'cooldown' | 'backup' | 'approval' | 'collision' | 'window' | 'retention';

/** A job of this version or of an earlier one. */
export type FrozenJob = Later<Omit<Job, 'project' | 'guards' | 'waves'>, LaterPolicies> & {
  readonly project: Later<Project, 'allowTag' | 'freeze'>;
  readonly guards: Later<Guards, 'maxPerDay' | 'onExceed'>;
  readonly waves: Later<Waves, 'healthCheck'>;
};

/** The job with every member that it has today. */
export function thawed(job: FrozenJob): Job {
  return {
    ...builtIn,
    ladder: null,
    ...job,
    project: { ...unlimited, ...job.project },
    guards: { ...builtIn.guards, ...job.guards },
    waves: { ...builtIn.waves, ...job.waves },
  };
}

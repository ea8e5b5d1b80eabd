// `GET /jobs`: what can be run by hand, and what starts it else. Nothing of a job's secrets, and nothing of its policies,
// which stand in the configuration.

import type { Config, Job } from '../config.ts';
import type { HttpAnswer, HttpRequest } from '../http.ts';
import { admit } from '../operator.ts';
import { asJson } from '../record.ts';
import type { Runtime } from '../runtime.ts';
import { nextFires } from '../schedule.ts';
import { refuseParameters } from './query.ts';

/** A job as `GET /jobs` shows it. */
export interface JobView {
  readonly name: string;
  /** That of the first rung, where there are `rungs`. */
  readonly action: Job['action'];
  readonly rungs?: readonly Job['action'][];
  readonly project: string;
  readonly target: string;
  readonly trigger: Job['trigger']['type'];
  readonly enabled: boolean;
  readonly dryRun: boolean;
  readonly approval: Job['approval'];
  /** When its schedule fires next, ISO 8601 UTC; absent where it has none or is switched off. */
  readonly next?: string;
}

/** `GET /jobs`: `{jobs}`, in the order of the configuration. */
export async function showJobs(runtime: Runtime, request: HttpRequest): Promise<HttpAnswer> {
  await admit(runtime, request.headers, 'read');
  refuseParameters(request);
  return { status: 200, body: asJson({ jobs: jobViews(runtime.config, runtime.now()) }) };
}

/** All jobs of a configuration at an instant, in milliseconds since the epoch. */
export function jobViews({ jobs }: Pick<Config, 'jobs'>, now: number): readonly JobView[] {
  return Object.values(jobs).map((job) => {
    const { name, action, ladder, project, target, trigger, enabled, dryRun, approval } = job;
    const next = enabled ? nextFire(job, now) : undefined;
    return {
      name,
      action,
      ...(ladder !== null && { rungs: ladder.rungs }),
      project: project.name,
      target: target.name,
      trigger: trigger.type,
      enabled,
      dryRun,
      approval,
      ...(next !== undefined && { next }),
    };
  });
}

function nextFire({ trigger }: Job, now: number): string | undefined {
  if (trigger.type !== 'schedule') return undefined;
  const [fire] = nextFires(trigger, now, 1);
  return fire === undefined ? undefined : new Date(fire.at).toISOString();
}

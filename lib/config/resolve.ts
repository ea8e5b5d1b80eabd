// From the file's shape to what the program uses: every name resolved, every default applied.

import type {
  Config,
  Guards,
  Job,
  JobTrigger,
  Operator,
  Project,
  Selector,
  Target,
  Waves,
  WebhookTrigger,
} from '../config.ts';
import {
  alertStorm,
  builtIn,
  callTimeout,
  type Policies,
  protectedTag,
  rate,
  stage,
  startDeadline,
  timezone,
  unlimited,
} from './defaults.ts';
import type { ConfigFile } from './schema.ts';

type ProjectFile = ConfigFile['projects'][string];
type TargetFile = ConfigFile['targets'][string];
type JobFile = ConfigFile['jobs'][string];
type WebhookFile = NonNullable<JobFile['trigger']['webhook']>;
type PoliciesFile = NonNullable<ConfigFile['defaults']>;

/**
 * Resolves a file without faults. A job's own values win over `defaults`, those over the built-in ones, key by key.
 * Throws Error where a name leads nowhere: referenceFaults has refused such a file before.
 */
export function resolveConfig(file: ConfigFile): Config {
  const projects = mapValues(file.projects, resolveProject);
  const targets = mapValues(file.targets, resolveTarget);
  const jobs = mapValues(file.jobs, (job, name): Job => {
    const target = found(targets, job.target);
    return {
      name,
      action: job.action,
      ladder: null,
      project: found(projects, target.project),
      target,
      trigger: resolveTrigger(job.trigger),
      ...resolvePolicies(job, file.defaults ?? {}),
    };
  });
  return {
    stage: file.stage ?? stage,
    projects,
    operators: resolveOperators(file.operators ?? {}),
    sources: {},
    alertStorm,
    notify: [],
    jobs,
  };
}

function resolveProject(project: ProjectFile, name: string): Project {
  const { region, projectId, credentials } = project;
  return {
    name,
    region,
    projectId,
    endpoint: project.endpoint ?? `https://dcs.${region}.myhuaweicloud.com`,
    credentials: { aksk: credentials.aksk },
    protectedTag: project.protectedTag ?? protectedTag,
    ...unlimited,
    rate: {
      callsPerSecond: project.rate?.callsPerSecond ?? rate.callsPerSecond,
      retriesPerHour: project.rate?.retriesPerHour ?? rate.retriesPerHour,
    },
    timeout: project.timeout ?? callTimeout,
  };
}

function resolveOperators(operators: NonNullable<ConfigFile['operators']>): Operator[] {
  return Object.entries(operators).map(([name, { token, may }]) => ({ name, token, may: [...new Set(may)] }));
}

function resolveTarget(target: TargetFile, name: string): Target {
  return { name, project: target.project, ...resolveSelector(target), exclude: resolveSelector(target.exclude ?? {}) };
}

function resolveSelector(selector: NonNullable<TargetFile['exclude']>): Selector {
  return { tags: selector.tags ?? {}, names: selector.names ?? [], ids: selector.ids ?? [] };
}

function resolveTrigger({ schedule, webhook }: JobFile['trigger']): JobTrigger {
  if (schedule) {
    return {
      type: 'schedule',
      cron: schedule.cron,
      timezone: schedule.timezone ?? timezone,
      startDeadline: schedule.startDeadline ?? startDeadline,
      overlap: schedule.overlap ?? 'skip',
    };
  }
  if (webhook) return resolveWebhook(webhook);
  throw new Error('a trigger of no type was let through');
}

function resolveWebhook({ auth, secrets, instances, events, match }: WebhookFile): WebhookTrigger {
  return auth === 'github'
    ? { type: 'webhook', auth, secrets, events: events ?? [], match: match ?? {} }
    : { type: 'webhook', auth, secrets, instances: instances ?? 'none' };
}

function resolvePolicies(job: PoliciesFile, defaults: PoliciesFile): Policies {
  return {
    enabled: job.enabled ?? defaults.enabled ?? builtIn.enabled,
    dryRun: job.dryRun ?? defaults.dryRun ?? builtIn.dryRun,
    guards: resolveGuards(job, defaults),
    waves: resolveWaves(job, defaults),
    retry: { ...builtIn.retry, ...defaults.retry, ...job.retry },
    verify: { ...builtIn.verify, ...defaults.verify, ...job.verify },
    cooldown: builtIn.cooldown,
    backup: builtIn.backup,
    approval: builtIn.approval,
    collision: builtIn.collision,
    window: builtIn.window,
    retention: job.retention ?? defaults.retention ?? builtIn.retention,
  };
}

function resolveGuards(job: PoliciesFile, defaults: PoliciesFile): Guards {
  const { maxInstances, maxPercent } = { ...builtIn.guards, ...defaults.guards, ...job.guards };
  const stated = job.guards?.maxInstances !== undefined || job.guards?.maxPercent !== undefined;
  return { ...builtIn.guards, maxInstances, maxPercent, stated };
}

function resolveWaves(job: PoliciesFile, defaults: PoliciesFile): Waves {
  const { canary, size, soak, maxFailures, order } = { ...builtIn.waves, ...defaults.waves, ...job.waves };
  return { canary, size, soak, maxFailures, order: { tag: order.tag, values: order.values }, healthCheck: null };
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  change: (value: From, name: string) => To,
): Record<string, To> {
  // No prototype: a job's name comes from outside, and `constructor` must find nothing.
  const result: Record<string, To> = Object.create(null);
  for (const [name, value] of Object.entries(record)) result[name] = change(value, name);
  return result;
}

function found<Value>(record: Readonly<Record<string, Value>>, name: string): Value {
  const value = record[name];
  if (value === undefined) throw new Error('a name that leads nowhere was let through');
  return value;
}

// From the file's shape to what the program uses: every name resolved, every default applied.

import type {
  Action,
  Config,
  Credentials,
  Guards,
  Job,
  JobTrigger,
  Operator,
  Project,
  Selector,
  Source,
  Target,
  Waves,
  WebhookTrigger,
} from '../config.ts';
import {
  alertCooldown,
  alertStorm,
  alertTrigger,
  builtIn,
  callTimeout,
  ladder,
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
      action: actionOf(job),
      ladder: job.ladder ? { ...ladder, ...job.ladder } : null,
      project: found(projects, target.project),
      target,
      trigger: resolveTrigger(job.trigger),
      ...resolvePolicies(job, file.defaults ?? {}, job.trigger.alert ? alertCooldown : builtIn.cooldown),
    };
  });
  return {
    stage: file.stage ?? stage,
    projects,
    operators: resolveOperators(file.operators ?? {}),
    sources: resolveSources(file.sources ?? {}),
    alertStorm: file.alertStorm ?? alertStorm,
    notify: file.notify ?? [],
    jobs,
  };
}

function resolveProject(project: ProjectFile, name: string): Project {
  const { region, projectId, credentials, ca } = project;
  return {
    name,
    region,
    ...(projectId !== undefined && { projectId }),
    endpoint: project.endpoint ?? `https://dcs.${region}.myhuaweicloud.com`,
    credentials: resolveCredentials(credentials),
    ...(ca !== undefined && { ca }),
    protectedTag: project.protectedTag ?? protectedTag,
    allowTag: project.allowTag ?? unlimited.allowTag,
    freeze: project.freeze ?? unlimited.freeze,
    rate: {
      callsPerSecond: project.rate?.callsPerSecond ?? rate.callsPerSecond,
      retriesPerHour: project.rate?.retriesPerHour ?? rate.retriesPerHour,
    },
    timeout: project.timeout ?? callTimeout,
  };
}

function resolveCredentials({ aksk, iam, iamEndpoint }: ProjectFile['credentials']): Credentials {
  const endpoint = iamEndpoint === undefined ? {} : { iamEndpoint };
  if (aksk !== undefined) return { aksk, ...endpoint };
  if (iam !== undefined) return { iam, ...endpoint };
  throw new Error('a project without credentials was let through');
}

/** Runs without an alert know one action; those of a ladder begin with its first rung. */
function actionOf({ action, ladder }: JobFile): Action {
  const first = action ?? ladder?.rungs[0];
  if (first === undefined) throw new Error('a job without an action was let through');
  return first;
}

function resolveOperators(operators: NonNullable<ConfigFile['operators']>): Operator[] {
  return Object.entries(operators).map(([name, { token, may }]) => ({ name, token, may: [...new Set(may)] }));
}

/** By type; no prototype, as for jobs. */
function resolveSources(sources: NonNullable<ConfigFile['sources']>): Record<string, Source> {
  const { alertmanager, grafana, smn, sns, cloudwatch } = sources;
  const listed = [alertmanager, grafana, smn, sns, cloudwatch].flatMap((source) => source ?? []);
  return mapValues(Object.fromEntries(listed.map((source) => [source.type, source])), (source) => source);
}

function resolveTarget(target: TargetFile, name: string): Target {
  return { name, project: target.project, ...resolveSelector(target), exclude: resolveSelector(target.exclude ?? {}) };
}

function resolveSelector(selector: NonNullable<TargetFile['exclude']>): Selector {
  return { tags: selector.tags ?? {}, names: selector.names ?? [], ids: selector.ids ?? [] };
}

function resolveTrigger({ schedule, webhook, alert }: JobFile['trigger']): JobTrigger {
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
  if (alert) return { type: 'alert', ...alertTrigger, ...alert };
  throw new Error('a trigger of no type was let through');
}

function resolveWebhook({ auth, secrets, instances, events, match }: WebhookFile): WebhookTrigger {
  return auth === 'github'
    ? { type: 'webhook', auth, secrets, events: events ?? [], match: match ?? {} }
    : { type: 'webhook', auth, secrets, instances: instances ?? 'none' };
}

function resolvePolicies(job: PoliciesFile, defaults: PoliciesFile, cooldown: number): Policies {
  return {
    enabled: job.enabled ?? defaults.enabled ?? builtIn.enabled,
    dryRun: job.dryRun ?? defaults.dryRun ?? builtIn.dryRun,
    guards: resolveGuards(job, defaults),
    waves: resolveWaves(job, defaults),
    retry: { ...builtIn.retry, ...defaults.retry, ...job.retry },
    verify: { ...builtIn.verify, ...defaults.verify, ...job.verify },
    cooldown: job.cooldown ?? defaults.cooldown ?? cooldown,
    backup: { ...builtIn.backup, ...defaults.backup, ...job.backup },
    approval: job.approval ?? defaults.approval ?? builtIn.approval,
    collision: job.collision ?? defaults.collision ?? builtIn.collision,
    // A job's own `null` takes the window of the defaults away.
    window: (job.window === undefined ? defaults.window : job.window) ?? builtIn.window,
    retention: job.retention ?? defaults.retention ?? builtIn.retention,
  };
}

function resolveGuards(job: PoliciesFile, defaults: PoliciesFile): Guards {
  const merged = { ...builtIn.guards, ...defaults.guards, ...job.guards };
  const stated = job.guards?.maxInstances !== undefined || job.guards?.maxPercent !== undefined;
  return { ...merged, stated };
}

function resolveWaves(job: PoliciesFile, defaults: PoliciesFile): Waves {
  return { ...builtIn.waves, ...defaults.waves, ...job.waves };
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

// What an alert means to the jobs of a configuration, as far as it can be told from the two alone: which jobs take it,
// which instance each of them would work on, and what keeps it from that whatever happened before.

import type { Alert, AlertDelivery } from '../alert.ts';
import type { AlertTrigger, Config, Job } from '../config.ts';
import { stale } from '../episode.ts';
import { outsideTarget } from '../event.ts';
import type { Refusal } from '../guards.ts';
import { type InstanceReference, instanceOf } from '../match/reference.ts';
import { type AlertJob, compileJobs, explainMatch, type MatchIndex, matchAlerts } from '../match.ts';

/** A job that alerts start. */
export interface ListeningJob extends AlertJob {
  readonly job: Job;
  readonly trigger: AlertTrigger;
}

/** A job that takes an alert. `refusal`: why it does nothing about it all the same. */
export interface Candidate extends ListeningJob {
  /** null: the alert names no instance. */
  readonly reference: InstanceReference | null;
  readonly refusal: Refusal | null;
}

/** An alert with the jobs that take it. */
export interface Found {
  readonly alert: Alert;
  readonly candidates: readonly Candidate[];
}

/** What one job makes of one alert, in words. */
export interface JobExplanation {
  readonly job: string;
  readonly matched: boolean;
  readonly reason: string;
  /** Only of a job that matches: the instance as the alert names it, and what would keep the job from acting now. */
  readonly instance?: InstanceReference | null;
  readonly refusal?: Refusal | null;
}

/** What would come of one alert. */
export interface AlertExplanation {
  readonly alert: string;
  readonly status: Alert['status'];
  readonly startsAt: string;
  readonly jobs: readonly JobExplanation[];
}

/** The indexes of configurations; each is compiled once in the life of a process. */
const indexes = new WeakMap<Config, MatchIndex<ListeningJob>>();

/** How an alert is called in answers: its rule and its fingerprint. */
export function nameOf({ rule, fingerprint }: Pick<Alert, 'rule' | 'fingerprint'>): string {
  return `${rule}/${fingerprint}`;
}

/** How an instance is called where runs of it are told apart. */
export function instanceKey(reference: InstanceReference): string {
  if (reference.by === 'id') return reference.value;
  const port = reference.by === 'address' && reference.port !== null ? `:${reference.port}` : '';
  return `${reference.by}:${reference.value}${port}`;
}

/** The jobs of each alert. */
export function findJobs(config: Config, alerts: readonly Alert[]): readonly Found[] {
  const matched = matchAlerts(indexOf(config), alerts);
  return alerts.map((alert, i) => ({
    alert,
    candidates: (matched[i] ?? []).map((listening) => candidate(listening, alert)),
  }));
}

/**
 * What the jobs would make of a delivery, without looking at anything but the configuration: what was done before, which
 * runs are going and which instances there are is left out. `now`: ms since the epoch.
 */
export function explainDelivery(config: Config, delivery: AlertDelivery, now: number): readonly AlertExplanation[] {
  const { jobs } = indexOf(config);
  return findJobs(config, delivery.alerts).map(({ alert, candidates }) => ({
    alert: nameOf(alert),
    status: alert.status,
    startsAt: alert.startsAt,
    jobs: explainMatch(jobs, alert).map((explained) => {
      const found = candidates.find(({ name }) => name === explained.job);
      if (found === undefined) return explained;
      const refusal = notFiring(alert) ?? found.refusal ?? stale(found.trigger, alert.startsAt, now);
      return { ...explained, instance: found.reference, refusal };
    }),
  }));
}

/** Why an alert that does not fire starts nothing. */
export function notFiring({ status, rule }: Pick<Alert, 'status' | 'rule'>): Refusal | null {
  if (status === 'resolved') return { code: 'resolved', reason: `${rule} is resolved` };
  return status === 'unclear' ? { code: 'unclear', reason: 'its source cannot tell whether it fires' } : null;
}

function indexOf(config: Config): MatchIndex<ListeningJob> {
  const known = indexes.get(config);
  if (known !== undefined) return known;
  const listening = Object.values(config.jobs).flatMap((job): ListeningJob[] =>
    job.trigger.type === 'alert' ? [{ name: job.name, job, trigger: job.trigger }] : [],
  );
  const made = compileJobs(listening);
  indexes.set(config, made);
  return made;
}

function candidate(listening: ListeningJob, alert: Alert): Candidate {
  const reference = instanceOf(alert, listening.trigger.instance);
  return { ...listening, reference, refusal: offline(listening, reference) };
}

function offline({ job, trigger }: ListeningJob, reference: InstanceReference | null): Refusal | null {
  if (!job.enabled) return { code: 'disabled', reason: `the job ${job.name} is switched off (enabled: false)` };
  if (reference === null) {
    return { code: 'no_instance', reason: `the alert has no label, annotation or dimension ${trigger.instance}` };
  }
  if (reference.by !== 'id' || outsideTarget(job, [reference.value]) === undefined) return null;
  return { code: 'outside_target', reason: `${reference.value} is outside the target ${job.target.name}` };
}

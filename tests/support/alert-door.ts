// The door of alerts over fakes: a configuration whose jobs alerts start, and alerts as Alertmanager sends them.

import * as v from 'valibot';
import { alertDoor } from '../../functions/alert.ts';
import type { Outside } from '../../lib/alerts/sources.ts';
import { alertStorm } from '../../lib/config/defaults.ts';
import type { AlertTrigger, Config, Job, Matcher, Source } from '../../lib/config.ts';
import { type RunRecord, recordOf } from '../../lib/record.ts';
import { isGoing } from '../../lib/report.ts';
import type { Runtime } from '../../lib/runtime.ts';
import { AlertWorld } from './alert-world.ts';
import { type Answered, bearer, call, type DoorWorld, doorWorld, hookToken, ids, jobOf, noon } from './door-world.ts';

/** The condition that a label has this text. */
export function equal(label: string, value: string): Matcher {
  return { label, op: '=', value };
}

/** A trigger for alerts of Alertmanager with a name. */
export function listensTo(alertname: string, changes: Partial<AlertTrigger> = {}): AlertTrigger {
  return {
    type: 'alert',
    source: 'alertmanager',
    match: [equal('alertname', alertname)],
    instance: 'dcs_instance_id',
    maxAge: 900,
    continue: false,
    ...changes,
  };
}

/** A job for alerts with a name. */
export function alertJob(name: string, alertname: string, changes: Partial<Job> = {}): Job {
  return jobOf(name, listensTo(alertname), { cooldown: 1800, ...changes });
}

const sources: Readonly<Record<string, Source>> = {
  alertmanager: { type: 'alertmanager', auth: 'bearer', secrets: ['env:TOKEN'] },
};

/** A world around the door of alerts. */
export interface AlertDoorWorld extends DoorWorld {
  readonly door: ReturnType<typeof alertDoor>;
  /** The outside of the adapters. */
  readonly outside: AlertWorld;
}

/** A door with these jobs. */
export function alertDoorWorld(jobs: readonly Job[], changes: Partial<Config> = {}): AlertDoorWorld {
  const world = doorWorld();
  const config: Config = {
    ...world.runtime.config,
    sources,
    alertStorm,
    jobs: Object.fromEntries(jobs.map((job) => [job.name, job])),
    ...changes,
  };
  const runtime: Runtime = { ...world.runtime, config };
  const outside = new AlertWorld();
  const open = async (): Promise<Runtime> => runtime;
  const ports: Outside = { get: outside.get, certificates: outside.certificates };
  return Object.assign(world, { runtime, open, outside, door: alertDoor(open, ports) });
}

/** One alert of a group; `at` and `endsAt` in ms since the epoch. */
export interface Raised {
  readonly name?: string;
  readonly status?: 'firing' | 'resolved';
  readonly instance?: string | null;
  readonly at?: number;
  readonly endsAt?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly fingerprint?: string;
}

/** An alert as Alertmanager sends it. */
export function raised(alert: Raised = {}): Record<string, unknown> {
  const { name = 'High', status = 'firing', instance = ids[0], at = noon - 60_000, endsAt = noon, labels } = alert;
  return {
    status,
    labels: { alertname: name, ...(instance !== null && { dcs_instance_id: instance }), ...labels },
    annotations: {},
    startsAt: new Date(at).toISOString(),
    endsAt: status === 'firing' ? '0001-01-01T00:00:00Z' : new Date(endsAt).toISOString(),
    fingerprint: alert.fingerprint ?? `${name}-${instance}`,
  };
}

/** Sends a group of alerts. */
export function send(world: AlertDoorWorld, alerts: readonly Raised[], truncatedAlerts = 0): Promise<Answered> {
  const body = JSON.stringify({ version: '4', status: 'firing', alerts: alerts.map(raised), truncatedAlerts });
  return call(world.door, { path: '/alerts/alertmanager', headers: bearer('unused', hookToken), body });
}

const takenSchema = v.strictObject({
  started: v.array(v.strictObject({ runId: v.string(), job: v.string(), instanceId: v.nullable(v.string()) })),
  ignored: v.array(
    v.strictObject({
      alert: v.string(),
      code: v.string(),
      reason: v.string(),
      job: v.exactOptional(v.string()),
      runId: v.exactOptional(v.string()),
    }),
  ),
});

/** What an answer says came of the alerts. */
export function taken({ status, body }: Answered) {
  return { status, ...v.parse(takenSchema, body) };
}

/** The codes of what was ignored. */
export function codes(answered: Answered): readonly string[] {
  return taken(answered).ignored.map(({ code }) => code);
}

/** All runs of the world's jobs, oldest first. */
export async function runsOf(world: AlertDoorWorld): Promise<readonly RunRecord[]> {
  const names = Object.keys(world.runtime.config.jobs);
  const pages = await Promise.all(names.map((name) => world.state.byJob(name, 10_000)));
  return pages
    .flat()
    .map(({ value }) => recordOf(value))
    .reverse();
}

/** What is going to be done, as `job instance`: the runs that are going and were not stopped. */
export async function dueIn(world: AlertDoorWorld): Promise<readonly string[]> {
  const going = (await runsOf(world)).filter(({ status, stop }) => isGoing(status) && stop === undefined);
  return going.map(({ job, event }) => `${job.name} ${event.instances?.join(',')}`).toSorted();
}

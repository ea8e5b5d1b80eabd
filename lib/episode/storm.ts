// Storms: when many instances of a project alert at once, what is wrong is not one of them, and acting on each would make
// it worse. Counted from the stored alerts; raised by the door, lifted by the tick when it has been calm for a while.

import * as v from 'valibot';
import { type AlertStorm, type Project, projectKey } from '../config.ts';
import { liftStorm, raiseStorm, readFlags, readStorms, type Storm } from '../guards/flags.ts';
import type { Message } from '../report/notice.ts';
import { day } from '../retention.ts';
import type { Log } from '../runtime.ts';
import type { Key, State } from '../state.ts';
import { type Alerting, readAlerting } from './alerting.ts';

/** Where storms are kept, and told. `alertStorm`: when there is one. */
export interface StormPorts {
  readonly state: State;
  readonly log: Log;
  readonly alertStorm: AlertStorm;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The size of a project is believed for this long, in ms. */
const sizeKept = day;

const sizeSchema = v.object({ total: v.number(), at: v.number() });

/** Notes how many instances a project has; whoever has listed them knows. */
export async function noteSize(state: State, project: Project, total: number, now: number): Promise<void> {
  await state.put(sizeKey(project), { total, at: now }, { expiresAt: now + 2 * sizeKept });
}

/** How many instances a project has; null where nobody has counted them for a day. */
export async function readSize(state: State, project: Project, now: number): Promise<number | null> {
  const item = await state.get(sizeKey(project));
  if (item === undefined) return null;
  const { total, at } = v.parse(sizeSchema, item.value);
  return now - at <= sizeKept ? total : null;
}

/**
 * How many instances that alert are a storm: `count`, or `share` of the project where that is less; two at the least,
 * since one of few is a share already. `total` null: the size of the project is not known.
 */
export function stormAt({ count, share }: Pick<AlertStorm, 'count' | 'share'>, total: number | null): number {
  if (total === null) return count;
  return Math.min(count, Math.max(2, Math.ceil((total * share) / 100)));
}

/** Distinct instances whose alert fires and was first heard of within the time. */
export function alertingWithin(all: readonly Alerting[], within: number, now: number): number {
  const recent = all.filter(
    ({ isFiring, isEcho, firstSeen }) => isFiring && !isEcho && now - firstSeen < within * 1000,
  );
  return new Set(recent.map(({ instance }) => instance)).size;
}

/** Looks whether there is a storm in a project and raises it; the storm that stands afterwards, or null. */
export async function watchStorm(ports: StormPorts, project: Project): Promise<Storm | null> {
  const { state, alertStorm, now } = ports;
  const { storm } = await readFlags(state, project.name);
  const total = await readSize(state, project, now);
  const alerting = alertingWithin(await readAlerting(state, projectKey(project)), alertStorm.within, now);
  if (alerting < stormAt(alertStorm, total)) return storm;
  const of = total === null ? '' : ` of ${total}`;
  const raised: Storm = {
    since: storm?.since ?? iso(now),
    until: iso(now + alertStorm.cooldown * 1000),
    reason: `${alerting}${of} instances began to alert within ${alertStorm.within} s`,
  };
  if (await raiseStorm(state, project.name, raised)) {
    ports.log.warn('alert storm', { project: project.name, ...raised });
  }
  return raised;
}

/** What the tick does with storms: it also has somebody told of them. */
export interface StormTick extends StormPorts {
  readonly stage: string;
  /** Has a message told; one with the same id once. */
  readonly post: (message: Message) => Promise<void>;
}

/**
 * Lifts the storms that have been calm for long enough, and keeps up those that have not. Only a tick lifts one, so that
 * each is seen here, and told of here, once when it stands and once when it is over.
 */
export async function tendStorms(ports: StormTick, projects: Readonly<Record<string, Project>>): Promise<void> {
  for (const name of await readStorms(ports.state)) {
    const found = (await readFlags(ports.state, name)).storm;
    if (found !== null) await ports.post(stormMessage(ports.stage, name, found, 'storm'));
    const project = Object.hasOwn(projects, name) ? projects[name] : undefined;
    // A project that the configuration has no more is nobody's to act on.
    const storm = project === undefined ? null : await watchStorm(ports, project);
    const at = storm === null ? undefined : ports.now;
    if (await liftStorm(ports.state, name, at)) {
      ports.log.warn('alert storm over', { project: name, since: storm?.since });
      if (found !== null) await ports.post(stormMessage(ports.stage, name, found, 'storm_over'));
    }
  }
}

function stormMessage(stage: string, project: string, storm: Storm, status: 'storm' | 'storm_over'): Message {
  const { since, reason } = storm;
  const id = `${stage}/${project}/${status}/${since}`;
  const data = { v: 1, id, stage, project, status, ...storm };
  if (status === 'storm_over') {
    const lines = [`${reason}, since ${since}. Alerts start jobs again.`];
    return { id, kind: 'Storm over', title: `${project} (${stage}): the alert storm is over`, lines, data };
  }
  const lines = [
    `${reason}.`,
    `Since ${since}, and until it is calm, no alert starts a job there or has anything sent.`,
  ];
  return { id, kind: 'Storm', title: `${project} (${stage}): alert storm`, lines, data };
}

function sizeKey(project: Project): Key {
  return { pk: `project#${projectKey(project)}`, sk: 'size' };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

// May this action be done to this instance now, and if not, how does the service say so? Where the public documents are
// silent, a switch decides, so that a client can be tried against each plausible service.

import { type Action, actions } from '../../config.ts';
import { backupTask, type InstanceView } from './instance.ts';
import type { Place, Switches } from './unknowns.ts';
import { type WireCode, type WireError, wireError } from './wire-errors.ts';

/** Why an instance is refused, and whether that refuses the whole call. */
export interface Refusal {
  readonly error: WireError;
  readonly whole: boolean;
}

/** The members of a status call that passed the checks of form. */
export interface ActRequest {
  readonly action: Action;
  /** At most 50 and distinct, in the order of the request; not all need be UUIDs. */
  readonly ids: readonly string[];
  /** As they came, each as often as it was named. */
  readonly mentions: readonly string[];
}

const uuidForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const busyStates: Readonly<Record<string, WireCode>> = {
  CREATING: 'DCS.4118',
  RESTARTING: 'DCS.4111',
  EXTENDING: 'DCS.4113',
  RESTORING: 'DCS.4097',
  UPGRADING: 'DCS.4116',
  ROLLBACKING: 'DCS.4117',
  IPEXCHANGING: 'DCS.4017',
  MIGRATING: 'DCS.4017',
  FREEZING: 'DCS.4120',
  STARTING: 'DCS.4017',
  CLOSING: 'DCS.4017',
};

/** Of tasks only BACKUPING is documented; the other names are made up, so that their codes can be had. */
const busyTasks: Readonly<Record<string, WireCode>> = {
  ...busyStates,
  BACKUPING: 'DCS.4096',
  CONFIGURING: 'DCS.4114',
  CHANGING_PASSWORD: 'DCS.4115',
  RECOVERING: 'DCS.4104',
  SCALE_UP_ORDER: 'DCS.4108',
  UNPAID_ORDER: 'DCS.4107',
};

/** The members of a status call as they came. */
export interface ActMembers {
  readonly action?: unknown;
  readonly instances?: unknown;
}

/** Reads `{action, instances}` in the order action, absence, number, form; `all` are the ids of the project. */
export function readAct(members: ActMembers, switches: Switches, all: () => readonly string[]): ActRequest | WireError {
  const action = actions.find((known) => known === members.action);
  if (action === undefined) return wireError('DCS.4064');
  const given: unknown = members.instances ?? [];
  if (!Array.isArray(given)) return wireError('DCS.4065');
  if (given.length === 0) return forNobody(action, switches, all);
  if (given.length > 50) return wireError('DCS.4100');
  const mentions = given.filter((each) => typeof each === 'string');
  if (mentions.length < given.length) return wireError('DCS.4061');
  const ids = [...new Set(mentions)];
  const isRepeated = ids.length < mentions.length;
  if (isRepeated && switches.duplicates === 'refused') return wireError('DCS.4063', 'instances');
  return { action, ids, mentions };
}

function forNobody(action: Action, { emptyInstances }: Switches, all: () => readonly string[]): ActRequest | WireError {
  if (emptyInstances === 'refused') return wireError('DCS.4065');
  const ids = emptyInstances === 'all' ? all() : [];
  return { action, ids, mentions: ids };
}

/** Whether `id` names nobody (`view` is undefined) or an instance that refuses the action, in a call of `count` ids. */
export function refusalOf(
  id: string,
  view: InstanceView | undefined,
  action: Action,
  count: number,
  switches: Switches,
): Refusal | null {
  if (!uuidForm.test(id) && view === undefined) return refuse('DCS.4061', switches.malformedIn, count);
  if (view === undefined || view.status === 'DELETED') return refuse('DCS.3022', switches.unknownIn, count);
  const busy = kills(view, action) ? null : busyCode(view, switches);
  if (busy !== null) return refuse(busy, switches.busyIn, count);
  const misuse = misuseCode(view, action, switches);
  return misuse === null ? null : refuse(misuse, switches.unsupportedIn, count);
}

function refuse(code: WireCode, place: Place, count: number): Refusal {
  return { error: wireError(code), whole: place === 'auto' ? count === 1 : place === 'whole-call' };
}

/** A backup does not stand in the way of a restart: the restart ends it (vendor's user guide, configuration notice). */
function kills(view: InstanceView, action: Action): boolean {
  return action !== 'flush' && view.task === backupTask && !view.working && view.status === 'RUNNING';
}

/** What keeps the instance from anything else, or null. */
export function busyCode(view: InstanceView, { flushingCode }: Pick<Switches, 'flushingCode'>): WireCode | null {
  if (view.status === 'FLUSHING') return flushingCode;
  const byState = busyStates[view.status];
  if (byState !== undefined) return byState;
  if (view.task !== null) return busyTasks[view.task] ?? 'DCS.4017';
  return view.working ? 'DCS.4017' : null;
}

/** Restart: Running or Faulty. Flush: Running, Redis 4.0 and later. The codes are the likeliest, not documented. */
function misuseCode(view: InstanceView, action: Action, switches: Switches): WireCode | null {
  const isOld = view.engine !== 'Redis' || Number.parseInt(view.version, 10) < 4;
  if (action === 'flush') {
    if (isOld) return switches.unsupportedCode;
    return view.status === 'RUNNING' ? null : 'DCS.4049';
  }
  if (action === 'soft_restart' && isOld && switches.softRestartOfOld === 'refused') return switches.unsupportedCode;
  const takesFaulty = action === 'restart' || switches.softRestartOfError === 'accepted';
  return view.status === 'RUNNING' || (view.status === 'ERROR' && takesFaulty) ? null : 'DCS.4026';
}

// May this action be done to this instance now, and if not, how does the service say so? Where the public documents are
// silent, a switch decides, so that a client can be tried against each plausible service.

import { type Action, actions } from '../../config.ts';
import type { InstanceView } from './instance.ts';
import { type WireCode, type WireError, wireError } from './wire-errors.ts';

/** How a refusal of one instance is told. `auto`: whole call when it names one instance, else its entry. */
export type Place = 'whole-call' | 'entry' | 'auto';

/** What the public documents leave open. */
export interface Switches {
  /** An instance that is at work; default `auto`. */
  readonly busyIn: Place;
  /** An unknown id: 404 for the whole call (default), or its entry. */
  readonly unknownIn: Place;
  /** A flush of Redis 3.0, Memcached or an instance that is not running; default `auto`. */
  readonly unsupportedIn: Place;
  /** Whether the ids before the refused one are applied when a whole call is refused; default false. */
  readonly appliesBeforeRefusal: boolean;
  /** Lists and details in the odd types of the vendor's samples (numbers for texts and so on); default false. */
  readonly oddTypes: boolean;
}

/** The switches as the evidence makes them likeliest. */
export const usualSwitches: Switches = {
  busyIn: 'auto',
  unknownIn: 'whole-call',
  unsupportedIn: 'auto',
  appliesBeforeRefusal: false,
  oddTypes: false,
};

/** Why an instance is refused, and whether that refuses the whole call. */
export interface Refusal {
  readonly error: WireError;
  readonly whole: boolean;
}

/** The members of a status call that passed the checks of form. */
export interface ActRequest {
  readonly action: Action;
  /** 1-50 UUIDs, distinct. */
  readonly ids: readonly string[];
}

const uuidForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const busyStates: Readonly<Record<string, WireCode>> = {
  CREATING: 'DCS.4118',
  RESTARTING: 'DCS.4111',
  FLUSHING: 'DCS.4017',
  EXTENDING: 'DCS.4113',
  RESTORING: 'DCS.4097',
  UPGRADING: 'DCS.4116',
  ROLLBACKING: 'DCS.4117',
  IPEXCHANGING: 'DCS.4017',
  MIGRATING: 'DCS.4017',
  FREEZING: 'DCS.4120',
};

/** Reads `{action, instances}` in the order action, absence, number, form. */
export function readAct(members: { readonly action?: unknown; readonly instances?: unknown }): ActRequest | WireError {
  const action = actions.find((known) => known === members.action);
  if (action === undefined) return wireError('DCS.4064');
  const given: unknown = members.instances;
  if (!Array.isArray(given) || given.length === 0) return wireError('DCS.4065');
  if (given.length > 50) return wireError('DCS.4100');
  const ids = given.filter(isUuid);
  if (ids.length < given.length) return wireError('DCS.4061');
  return { action, ids: [...new Set(ids)] };
}

/** Whether the instance (undefined: there is none) refuses the action, in a call that names `count` instances. */
export function refusalOf(
  view: InstanceView | undefined,
  action: Action,
  count: number,
  switches: Switches,
): Refusal | null {
  if (view === undefined || view.status === 'DELETED') return refuse('DCS.3022', switches.unknownIn, count);
  const busy = busyCode(view);
  if (busy !== null) return refuse(busy, switches.busyIn, count);
  const misuse = misuseCode(view, action);
  return misuse === null ? null : refuse(misuse, switches.unsupportedIn, count);
}

function refuse(code: WireCode, place: Place, count: number): Refusal {
  return { error: wireError(code), whole: place === 'auto' ? count === 1 : place === 'whole-call' };
}

function busyCode(view: InstanceView): WireCode | null {
  const byState = busyStates[view.status];
  if (byState !== undefined) return byState;
  if (view.task !== null) return view.task === 'BACKUPING' ? 'DCS.4096' : 'DCS.4017';
  return view.working ? 'DCS.4017' : null;
}

/** Restart: Running or Faulty. Flush: Running, Redis 4.0 and later. The codes are the likeliest, not documented. */
function misuseCode(view: InstanceView, action: Action): WireCode | null {
  if (action !== 'flush') return view.status === 'RUNNING' || view.status === 'ERROR' ? null : 'DCS.4026';
  if (view.engine !== 'Redis' || Number.parseInt(view.version, 10) < 4) return 'DCS.4026';
  return view.status === 'RUNNING' ? null : 'DCS.4049';
}

function isUuid(value: unknown): value is string {
  return typeof value === 'string' && uuidForm.test(value);
}

// What shall go wrong, as plain data that a test, the demo or a file can hold. A fault is scripted (the nth call, the nth
// send of an instance) or drawn with a seed (a share); fault-book.ts finds those that are due.

import { knownError, usualError, type WireError, wireError } from './wire-errors.ts';

/** The calls that the simulator tells apart. */
export type Route = keyof typeof noCalls;

/** How often each of them was called: never. */
export const noCalls = {
  act: 0,
  list: 0,
  counters: 0,
  show: 0,
  statistic: 0,
  configs: 0,
  tags: 0,
  projectTags: 0,
  tagAction: 0,
  tasks: 0,
  swap: 0,
  job: 0,
  backups: 0,
  backup: 0,
  deleteBackup: 0,
  token: 0,
  temporaryKey: 0,
  projects: 0,
};

/** Whether a word is where a fault can be: a call, `reads` or `all`. */
export function isPlace(word: string): word is CallFault['on'] {
  return word === 'reads' || word === 'all' || Object.hasOwn(noCalls, word);
}

/** Those that change something. */
const writes: readonly Route[] = ['act', 'tagAction', 'swap', 'backup', 'deleteBackup', 'token', 'temporaryKey'];

/** Whether the call changes nothing. */
export function isRead(route: Route): boolean {
  return !writes.includes(route);
}

/** Everything that shall go wrong. Durations and offsets are milliseconds; offsets count from the fleet's start. */
export interface Script {
  /** By instance id. */
  readonly instances?: Readonly<Record<string, InstanceScript>>;
  /** Of those that match a call, the first that is due answers it. */
  readonly calls?: readonly CallFault[];
  /** This share (0-1) of the instances answers its first `sends` sends with `failed`. */
  readonly fail?: { readonly share: number; readonly sends: number };
}

/**
 * How one send of one instance goes: `failed` is told and not applied; `omitted` is applied and not told;
 * `ignored` is neither.
 */
export type SendFault = 'ok' | 'failed' | 'omitted' | 'ignored';

/** What goes wrong with one instance. */
export interface InstanceScript {
  /** Its 1st, 2nd, ... send that was not part of a wholly refused call; later ones are `ok`. */
  readonly sends?: readonly SendFault[];
  /** From the first send of it on it has this task or status; that send is refused already. */
  readonly busyFromFirstSend?: Busy;
  /** How its 1st, 2nd, ... applied restart or soft_restart ends; later ones end `RUNNING`. */
  readonly restartsEnd?: readonly ('RUNNING' | 'ERROR')[];
  /** How its 1st, 2nd, ... backup ends that is started; later ones end `succeed`. */
  readonly backupsEnd?: readonly ('succeed' | 'failed')[];
  /** A task (a backup) or a status at given times. */
  readonly periods?: readonly (Busy & { readonly from: number })[];
}

/** A task or status for so many milliseconds. */
export interface Busy {
  readonly for: number;
  readonly task?: string;
  readonly status?: string;
}

/** One answer in place of the proper one. Without `nth` and `share` every matching call is due. */
export interface CallFault {
  /** `reads`: all but those that change something. */
  readonly on: Route | 'reads' | 'all';
  /** Only calls that name one of these instances. */
  readonly instances?: readonly string[];
  /** Counted from 1 over the calls that match `on`, `instances` and `period` since the fault was scripted. */
  readonly nth?: readonly number[];
  /** Of the matching calls, 0-1; of the matching entries where the answer is one of entries. */
  readonly share?: number;
  /** Draws the share; default: that of the fleet. */
  readonly seed?: number;
  /** Only in this time, from the start of the fleet on. */
  readonly period?: { readonly from: number; readonly for: number };
  readonly answer: FaultAnswer;
}

/** `applies` tells whether the action takes hold all the same; default false, for `empty`, `malformed` and `truncated` true. */
export type FaultAnswer =
  | ErrorAnswer
  | { readonly kind: 'drop'; readonly applies?: boolean }
  /** 204 without a body. */
  | { readonly kind: 'empty'; readonly applies?: boolean }
  /** 200 with a body that is no JSON. */
  | { readonly kind: 'malformed'; readonly applies?: boolean }
  /** 200 whose body breaks off before the end that its length announced. */
  | { readonly kind: 'truncated'; readonly applies?: boolean }
  /** 401 for this call and all others for five minutes: the key failed too often. */
  | { readonly kind: 'lockout' }
  /** The proper answer of a status call but for the entries of instances that could have been acted on. */
  | { readonly kind: 'entries'; readonly each: Exclude<SendFault, 'ok'> }
  /** The proper answer, but late. */
  | { readonly kind: 'delay'; readonly ms: number };

/** An error answer; code and message default to those that usually come with the status. */
export interface ErrorAnswer {
  readonly kind: 'error';
  readonly status: number;
  readonly code?: string;
  readonly message?: string;
  /** Retry-After: seconds, or any text. */
  readonly retryAfter?: number | string;
  readonly applies?: boolean;
}

/** Whether the action takes hold although this is the answer. */
export function applies(answer: FaultAnswer): boolean {
  if (answer.kind === 'delay' || answer.kind === 'entries') return true;
  if (answer.kind === 'lockout') return false;
  return answer.applies ?? (answer.kind !== 'error' && answer.kind !== 'drop');
}

/** What a locked key hears (OTC-APIG, common_errors_related_to_iam_authentication_information.rst). */
export const lockedOut: WireError = wireError('APIGW.0301', 'AK access failed to reach the limit,forbidden');

/** The wire form of a scripted error. */
export function errorOf(answer: ErrorAnswer): WireError {
  const base = knownError(answer.code ?? '') ?? usualError(answer.status);
  return {
    status: answer.status,
    code: answer.code ?? base.code,
    message: answer.message ?? base.message,
    ...(answer.retryAfter === undefined ? {} : { retryAfter: answer.retryAfter }),
  };
}

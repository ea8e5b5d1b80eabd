// What shall go wrong, as plain data that a test, the demo or a JSON file can hold, and the bookkeeping of which fault
// is due. A fault is scripted (the nth call, the nth send of an instance) or drawn with the fleet's seed (a share).

import { chance } from './chance.ts';
import { usualError, type WireError } from './wire-errors.ts';

/** The calls that the simulator tells apart. */
export const routes = ['act', 'list', 'counters', 'show', 'statistic', 'configs'] as const;
export type Route = (typeof routes)[number];

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
  /** `reads`: all but `act`. */
  readonly on: Route | 'reads' | 'all';
  /** Only calls that name this instance. */
  readonly instance?: string;
  /** Counted from 1 over the calls that match `on` and `instance` since the fault was scripted. */
  readonly nth?: readonly number[];
  /** Of the matching calls, 0-1. */
  readonly share?: number;
  /** Only in this time. */
  readonly period?: { readonly from: number; readonly for: number };
  readonly answer: FaultAnswer;
}

/** `applies` tells whether the action takes hold all the same; default false, for `empty` and `malformed` true. */
export type FaultAnswer =
  | ErrorAnswer
  | { readonly kind: 'drop'; readonly applies?: boolean }
  /** 204 without a body. */
  | { readonly kind: 'empty'; readonly applies?: boolean }
  /** 200 with a body that is no JSON. */
  | { readonly kind: 'malformed'; readonly applies?: boolean }
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
  if (answer.kind === 'delay') return true;
  return answer.applies ?? (answer.kind === 'empty' || answer.kind === 'malformed');
}

/** The wire form of a scripted error. */
export function errorOf(answer: ErrorAnswer): WireError {
  const base = usualError(answer.status);
  return {
    status: answer.status,
    code: answer.code ?? base.code,
    message: answer.message ?? base.message,
    ...(answer.retryAfter === undefined ? {} : { retryAfter: answer.retryAfter }),
  };
}

/** One call as the faults see it; `at` in milliseconds since the fleet's start. */
export interface Call {
  readonly route: Route;
  readonly ids: readonly string[];
  readonly at: number;
}

/** The faults of a fleet with their counts. */
export class FaultBook {
  readonly #seed: number;
  readonly #faults: { readonly fault: CallFault; seen: number }[] = [];

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Adds faults behind those that are there. */
  add(faults: readonly CallFault[]): void {
    for (const fault of faults) this.#faults.push({ fault, seen: 0 });
  }

  /** Forgets all faults. */
  clear(): void {
    this.#faults.length = 0;
  }

  /** Counts the call with every fault it matches; the answer of the first one that is due. */
  next(call: Call): FaultAnswer | undefined {
    const due = this.#faults.map((entry, index) => matches(entry.fault, call) && this.#isDue(entry, index));
    return this.#faults[due.indexOf(true)]?.fault.answer;
  }

  #isDue(entry: { readonly fault: CallFault; seen: number }, index: number): boolean {
    entry.seen += 1;
    const { nth, share } = entry.fault;
    if (nth !== undefined && !nth.includes(entry.seen)) return false;
    return share === undefined || chance(this.#seed, 'call', index, entry.seen) < share;
  }
}

function matches({ on, instance, period }: CallFault, call: Call): boolean {
  const route = on === 'all' || on === call.route || (on === 'reads' && call.route !== 'act');
  const named = instance === undefined || call.ids.includes(instance);
  const inTime = period === undefined || (call.at >= period.from && call.at < period.from + period.for);
  return route && named && inTime;
}

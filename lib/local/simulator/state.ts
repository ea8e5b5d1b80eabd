// What was really done, for people and programs that look from outside: each status call with what its caller was told,
// and beside it what took hold, so that one can be held against the other.

import type { Json } from '../../canonical.ts';
import type { Fleet } from './fleet.ts';
import type { StatusCall } from './status-call.ts';
import type { Application } from './world.ts';

/** One action that took hold: on whom, when, by which request, and what the caller was told of it. */
export interface Applied extends Application {
  readonly name: string;
  /** `PUT instances/status`. */
  readonly call: string;
  /** `success`, `failed`, `not told` (the answer had no such entry), or how the whole call was answered. */
  readonly result: string;
  /** The how-manieth of this action on this instance, from 1. */
  readonly nth: number;
}

/** Everything that took hold, in order. */
export function appliedBy(fleet: Fleet): readonly Applied[] {
  const calls = new Map(fleet.statusCalls().map((call) => [call.requestId, call]));
  const counts = new Map<string, number>();
  return fleet.log().map((entry) => {
    const key = `${entry.instanceId} ${entry.action}`;
    const nth = (counts.get(key) ?? 0) + 1;
    counts.set(key, nth);
    const name = fleet.view(entry.instanceId)?.name ?? '';
    const result = resultOf(calls.get(entry.requestId), entry.instanceId);
    return { ...entry, name, call: 'PUT instances/status', result, nth };
  });
}

/** The state as JSON. Times are milliseconds since the epoch. */
export function stateOf(fleet: Fleet, now: number): Json {
  const instances = fleet.views().map((view) => ({
    ...view,
    lastLoss: view.lastLoss === null ? null : { ...view.lastLoss },
    backups: view.backups.map((backup) => ({ ...backup })),
    tasks: view.tasks.map((task) => ({ ...task })),
    applied: { ...fleet.applied(view.id) },
    sent: fleet.sent(view.id),
  }));
  return {
    now,
    calls: { ...fleet.calls() },
    instances,
    log: appliedBy(fleet).map((entry) => ({ ...entry })),
    requests: fleet.statusCalls().map(({ told, ...call }) => ({ ...call, told: Object.fromEntries(told) })),
  };
}

function resultOf(call: StatusCall | undefined, id: string): string {
  if (call === undefined || call.answer !== '200') return call?.answer ?? 'not told';
  return call.told.get(id) ?? 'not told';
}

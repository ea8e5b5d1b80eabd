// What a wave works with, and what all its turns share: their names, and the leases that must not run out.

import { type Engine, mostOperations } from '../engine.ts';
import type { DcsApi } from '../execute.ts';
import type { Verdict } from '../guards/moment.ts';
import { spentOperations } from '../retry.ts';
import { type Leases, leaseTime } from './lease.ts';
import type { Track } from './track.ts';
import { judge, type Wave } from './wave-state.ts';

/** What a wave works with. All but the engine are only used inside steps. */
export interface WavePorts {
  readonly engine: Engine;
  readonly dcs: DcsApi;
  readonly now: () => number;
  readonly leases: Leases;
  /** Whether the run may send at this moment. */
  readonly mayGoOn: () => Promise<Verdict>;
  /** Durable operations of the run so far. */
  readonly spent: () => number;
  /** Takes calls from the project's retry budget; false when it is empty. */
  readonly takeRetries: (calls: number) => Promise<boolean>;
  /** Remembers how far the wave is, for whoever looks at the run, and for the case that this execution dies. */
  readonly save: (tracks: readonly Track[]) => Promise<void>;
}

/** The next turn, or a halt before the engine would end the execution in the middle of it. */
export function within(wave: Wave, spent: number): Wave {
  const next = { ...wave, turn: wave.turn + 1 };
  if (spent <= mostOperations || wave.halt?.blind === true) return next;
  return judge({ ...next, halt: { ...spentOperations, blind: spent > mostOperations + 200 } });
}

/** Renews the leases of all that is not done with, where a good part of their time is over. */
export async function renew(wave: Wave, { leases, now }: WavePorts): Promise<boolean> {
  if (now() - wave.leasedAt < leaseTime / 4) return false;
  await leases.keep(ofGoing(wave));
  return true;
}

/** The wave, with its leases renewed at `at` if they were. */
export function leasedIf(renewed: boolean, wave: Wave, at: number): Wave {
  return renewed ? { ...wave, leasedAt: at } : wave;
}

/** The ids of those that are not done with and whose lease is ours. */
export function ofGoing({ tracks }: Wave): string[] {
  return tracks.filter(({ phase, queued }) => phase !== 'ended' && !queued).map(({ id }) => id);
}

/** The name of a step or a wait of this turn. */
export function name({ task, turn }: Wave, what: string): string {
  return `wave ${task.number} turn ${turn} ${what}`;
}

// Between two waves: is all well? An instance that was worked on must not have begun to alert, and what the job wants to be
// asked must say so; no answer is a bad one. Else the run is held, asks again for a while, and then leaves the rest alone.

import type { Waves } from '../config.ts';
import { mostOperations } from '../engine.ts';
import { type Halt, spentOperations } from '../retry.ts';
import { closed } from './halts.ts';
import type { WavePorts } from './wave-work.ts';

/** What is asked. */
export type HealthCheck = NonNullable<Waves['healthCheck']>;

/** What came of asking once. `answer` goes on after "the health check": `answered 503`. Nothing secret stands in it. */
export type Health = { readonly healthy: true } | { readonly healthy: false; readonly answer: string };

/** The port: asks once. Never rejects for what a network or the other side does. */
export type Probe = (check: HealthCheck) => Promise<Health>;

/** What the gate works with. */
export interface HealthPorts extends Pick<WavePorts, 'engine' | 'now' | 'mayGoOn' | 'spent'> {
  readonly check: HealthCheck | null;
  readonly probe: Probe;
  /** The instances that were worked on and have begun to alert since, by name, with the rules that fire. */
  readonly firing: () => Promise<ReadonlyMap<string, readonly string[]>>;
  /** Seconds, from the first bad answer. */
  readonly patience: number;
}

/** Seconds until it is asked for the `round`th time again, from 1. */
export function healthPause(round: number): number {
  return Math.min(60, 15 * 2 ** (round - 1));
}

/**
 * Asks until all is well, and answers null then, or with why nothing more may be sent. A pause of the run ends nothing
 * here: the next wave waits for it. `after`: number of the wave before.
 */
export async function awaitHealth(after: number, ports: HealthPorts): Promise<Halt | null> {
  const { engine, patience, spent } = ports;
  let deadline = Number.POSITIVE_INFINITY;
  for (let round = 1; ; round++) {
    const { at, trouble, halt } = await engine.step(`health ${after} ask ${round}`, () => ask(ports));
    if (halt !== null) return halt;
    if (trouble === null) return null;
    deadline = Math.min(deadline, at + patience * 1000);
    const pause = healthPause(round);
    if (at + pause * 1000 > deadline) {
      return { code: 'unhealthy', reason: `${trouble}, for ${patience} s`, blind: false };
    }
    if (spent() > mostOperations) return spentOperations;
    await engine.wait(`health ${after} wait ${round}`, pause);
  }
}

interface Asked {
  readonly at: number;
  /** What is not well, in a sentence without a full stop. */
  readonly trouble: string | null;
  readonly halt: Halt | null;
}

async function ask(ports: HealthPorts): Promise<Asked> {
  const verdict = await ports.mayGoOn();
  const at = ports.now();
  if (verdict.kind === 'closed') return { at, trouble: null, halt: closed };
  if (verdict.kind === 'halt') return { at, trouble: null, halt: { ...verdict.why, blind: false } };
  const trouble = alarmOf(await ports.firing()) ?? (await complaintOf(ports));
  return { at: ports.now(), trouble, halt: null };
}

function alarmOf(firing: ReadonlyMap<string, readonly string[]>): string | null {
  if (firing.size === 0) return null;
  const named = [...firing].slice(0, 3).map(([name, rules]) => `${name} (${rules.join(', ')})`);
  const more = firing.size > named.length ? ` and ${firing.size - named.length} more` : '';
  return `${named.join(', ')}${more} began to alert since the plan was made`.slice(0, 300);
}

async function complaintOf({ check, probe }: HealthPorts): Promise<string | null> {
  if (check === null) return null;
  const health = await probe(check);
  return health.healthy ? null : `the health check ${health.answer}`;
}

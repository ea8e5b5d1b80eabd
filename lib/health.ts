// Between two waves a job may have something asked whether all is well. No answer is a bad one: the run is held, asks again
// for a while, and then leaves the rest alone.

import type { Waves } from './config.ts';
import { mostOperations } from './engine.ts';
import { type Halt, spentOperations } from './retry.ts';
import type { WavePorts } from './wave.ts';
import { closed } from './wave-state.ts';

/** What is asked. */
export type HealthCheck = NonNullable<Waves['healthCheck']>;

/** What came of asking once. `answer` goes on after "the health check": `answered 503`. Nothing secret stands in it. */
export type Health = { readonly healthy: true } | { readonly healthy: false; readonly answer: string };

/** The port: asks once. Never rejects for what a network or the other side does. */
export type Probe = (check: HealthCheck) => Promise<Health>;

/** What the gate works with. */
export interface HealthPorts extends Pick<WavePorts, 'engine' | 'now' | 'mayGoOn' | 'spent'> {
  readonly probe: Probe;
  /** Seconds, from the first bad answer. */
  readonly patience: number;
}

/** Seconds until it is asked for the `round`th time again, from 1. */
export function healthPause(round: number): number {
  return Math.min(60, 15 * 2 ** (round - 1));
}

/**
 * Asks until all is well, and answers null then, or with why nothing more may be sent. A pause of the run ends nothing
 * here: the next wave waits for it.
 */
export async function awaitHealth(after: number, check: HealthCheck | null, ports: HealthPorts): Promise<Halt | null> {
  if (check === null) return null;
  const { engine, patience, spent } = ports;
  let deadline = Number.POSITIVE_INFINITY;
  for (let round = 1; ; round++) {
    const { at, health, halt } = await engine.step(`health ${after} ask ${round}`, () => ask(check, ports));
    if (halt !== null) return halt;
    if (health.healthy) return null;
    deadline = Math.min(deadline, at + patience * 1000);
    const pause = healthPause(round);
    if (at + pause * 1000 > deadline) return unhealthy(health.answer, patience);
    if (spent() > mostOperations) return spentOperations;
    await engine.wait(`health ${after} wait ${round}`, pause);
  }
}

interface Asked {
  readonly at: number;
  readonly health: Health;
  readonly halt: Halt | null;
}

async function ask(check: HealthCheck, { probe, now, mayGoOn }: HealthPorts): Promise<Asked> {
  const verdict = await mayGoOn();
  if (verdict.kind === 'closed') return { at: now(), health: unasked, halt: closed };
  if (verdict.kind === 'halt') return { at: now(), health: unasked, halt: { ...verdict.why, blind: false } };
  const health = await probe(check);
  return { at: now(), health, halt: null };
}

const unasked: Health = { healthy: false, answer: 'was not asked' };

function unhealthy(answer: string, patience: number): Halt {
  return { code: 'unhealthy', reason: `the health check ${answer}, for ${patience} s`, blind: false };
}

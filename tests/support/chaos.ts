// Many nights under many rows: which there are, and what goes wrong in them. Everything is drawn from one seed, so that
// a night that went wrong can be played again by its name.

import { unknowns } from '../../lib/local/simulator/unknowns.ts';
import { type Factors, pairwise } from './covering-array.ts';
import { nights } from './nights.ts';
import { broken } from './promises.ts';
import { type Played, play, type Scenario } from './scenario.ts';
import type { Crash } from './virtual-engine.ts';

const factors: Factors = Object.fromEntries(Object.entries(unknowns).map(([name, { settings }]) => [name, settings]));

/** Settings of all open questions, in which every two settings of every two of them occur together. */
export const rows = pairwise(factors);

/** The names of all nights. */
export const names = Object.keys(nights);

/** A night under a row. */
export function nightOf(name: string, row: (typeof rows)[number]): Scenario {
  const setting = nights[name];
  if (setting === undefined) throw new RangeError(`there is no night "${name}"`);
  return setting(row);
}

/** Plays the scenario once for each `stride`-th write of its journal, stopped just before it and just after it. */
export async function brokenByCrashes(scenario: Scenario, stride: number, first = 1): Promise<string[]> {
  const { engine } = await play(scenario);
  const told: string[] = [];
  for (let at = first; at <= engine.writes; at += stride) {
    for (const when of ['before', 'after'] as const) told.push(...(await brokenBy(scenario, { at, when })));
  }
  return told;
}

async function brokenBy(scenario: Scenario, crash: Crash): Promise<string[]> {
  const played: Played = await play({ ...scenario, crash });
  return broken(played).map((sentence) => `stopped ${crash.when} write ${crash.at}: ${sentence}`);
}

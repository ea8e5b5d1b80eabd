// The plans that `plan` has shown on this machine: the server has never seen them, so that only here can be told how the
// fleet has changed since, when a run with the hash of one is refused.

import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { differences } from '../plan/drift.ts';
import { excludedSchema, plannedSchema } from '../plan.ts';
import type { RunView } from '../report.ts';
import type { Io } from './io.ts';

/** Plans that are kept; one of 10,000 instances has two megabytes. */
const kept = 20;

const seenSchema = v.object({ planned: v.array(plannedSchema), excluded: v.array(excludedSchema) });

/** Keeps a plan for `changesSince`. A folder that cannot be written to is told, and keeps nobody from planning. */
export function keepPlan({ plan }: RunView, io: Io): void {
  const folder = folderOf(io);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, `${plan.hash}.json`),
      JSON.stringify({ planned: plan.waves.flat(), excluded: plan.excluded }),
    );
    for (const name of oldest(folder)) rmSync(join(folder, name), { force: true });
  } catch (error) {
    io.stderr(`the plan is not kept: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}

/** In sentences, how the plan of a run differs from the one that was shown with `hash`; empty where nobody knows. */
export function changesSince(hash: string, { plan }: RunView, io: Io): string[] {
  const text = read(join(folderOf(io), `${hash}.json`));
  if (text === undefined || plan.hash === null) return [];
  const seen = v.parse(seenSchema, JSON.parse(text));
  return differences(seen, plan);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function oldest(folder: string): string[] {
  const names = readdirSync(folder).map((name) => ({ name, at: statSync(join(folder, name)).mtimeMs }));
  return names
    .toSorted((a, b) => b.at - a.at)
    .slice(kept)
    .map(({ name }) => name);
}

function folderOf({ env }: Io): string {
  return join(env['AUTOPILOT_DATA'] || '.autopilot', 'plans');
}

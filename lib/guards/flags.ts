// What somebody says to stop work that is going: a pause of one project or of all, and the storm of a project. Flags are
// read before a run begins and again in the step of each send.

import * as v from 'valibot';
import { asJson } from '../record.ts';
import type { Item, Key, State } from '../state.ts';

/** Nothing new is sent, to one project or (`project` null) to any. `at`: ISO 8601 UTC. */
export interface Pause {
  readonly project: string | null;
  readonly reason: string;
  /** `operator:NAME`. */
  readonly by: string;
  readonly at: string;
}

/** So many instances alert that acting on each would make things worse. Times are ISO 8601 UTC. */
export interface Storm {
  readonly since: string;
  /** Until when it lasts at the least. */
  readonly until: string;
  readonly reason: string;
}

/** What stands for one project at the moment. */
export interface Flags {
  readonly pause: Pause | null;
  readonly storm: Storm | null;
}

/** A stored pause, read back. */
export const pauseSchema = v.object({
  project: v.nullable(v.string()),
  reason: v.string(),
  by: v.string(),
  at: v.string(),
});
const stormSchema = v.object({ since: v.string(), until: v.string(), reason: v.string() });

/** Project names cannot hold a `*`. */
const everywhere = '*';

function keyOf(kind: 'pause' | 'storm', project: string | null): Key {
  return { pk: 'flags', sk: `${kind}#${project ?? everywhere}` };
}

/** The flags of a project; a pause of everything comes first. */
export async function readFlags(state: State, project: string): Promise<Flags> {
  const [all, own, storm] = await Promise.all([
    state.get(keyOf('pause', null)),
    state.get(keyOf('pause', project)),
    state.get(keyOf('storm', project)),
  ]);
  return {
    pause: storedIn(all, pauseSchema) ?? storedIn(own, pauseSchema),
    storm: storedIn(storm, stormSchema),
  };
}

/** Every pause that stands. */
export async function readPauses(state: State): Promise<readonly Pause[]> {
  const items = await state.query('flags', 'pause#');
  return items.map((item) => storedIn(item, pauseSchema)).filter((pause) => pause !== null);
}

/** Raises a pause; the one that stands there already is replaced. */
export async function raisePause(state: State, pause: Pause): Promise<void> {
  await state.put(keyOf('pause', pause.project), asJson(pause));
}

/** Lifts a pause; false where none stood. */
export async function liftPause(state: State, project: string | null): Promise<boolean> {
  return lower(state, keyOf('pause', project));
}

/** Raises the storm of a project, or changes the one that stands; true where none stood before. */
export async function raiseStorm(state: State, project: string, storm: Storm): Promise<boolean> {
  const key = keyOf('storm', project);
  const value = asJson(storm);
  for (;;) {
    const item = await state.get(key);
    if (item === undefined && (await state.putIfAbsent(key, value))) return true;
    if (item !== undefined && (await state.updateIf(key, item.version, value))) return item.value === null;
  }
}

/** The projects that have a storm. */
export async function readStorms(state: State): Promise<readonly string[]> {
  const items = await state.query('flags', 'storm#');
  return items.filter(({ value }) => value !== null).map(({ sk }) => sk.replace('storm#', ''));
}

/**
 * Lifts the storm of a project; false where none stood. `at` (ms since the epoch): only one that lasts no longer than
 * that, since somebody may have prolonged it in between.
 */
export async function liftStorm(state: State, project: string, at = Number.POSITIVE_INFINITY): Promise<boolean> {
  return lower(state, keyOf('storm', project), (item) => {
    const storm = storedIn(item, stormSchema);
    return storm !== null && Date.parse(storm.until) <= at;
  });
}

/** A flag that is down stays as null: there is nothing else that the port could do. */
async function lower(state: State, key: Key, isMeant: (item: Item) => boolean = () => true): Promise<boolean> {
  for (;;) {
    const item = await state.get(key);
    if (item === undefined || item.value === null || !isMeant(item)) return false;
    if (await state.updateIf(key, item.version, null)) return true;
  }
}

function storedIn<T>(item: Item | undefined, schema: v.GenericSchema<unknown, T>): T | null {
  return item === undefined || item.value === null ? null : v.parse(schema, item.value);
}

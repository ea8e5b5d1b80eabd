// What DCS does with tags: those of an instance, those of the project, and adding or taking away some.

import * as v from 'valibot';
import type { Result } from './reply.ts';
import { wireError } from './wire-errors.ts';
import type { World } from './world.ts';

type Tags = Readonly<Record<string, string>>;

/** Limits of tags (OTC user guide, managing tags). */
const maxTags = 20;
const keyForm = v.pipe(v.string(), v.minLength(1), v.maxLength(128));
const valueForm = v.pipe(v.string(), v.maxLength(255));

const actionForm = v.object({
  action: v.picklist(['create', 'delete']),
  tags: v.pipe(v.array(v.object({ key: keyForm, value: v.optional(valueForm) })), v.minLength(1), v.maxLength(maxTags)),
});

/** The tags of one instance. */
export function tagsOf(world: World, id: string): Result<Tags> {
  const found = world.existing(id);
  return found.kind === 'ok' ? { kind: 'ok', value: found.value.tags ?? {} } : found;
}

/** Every tag key of the project with its values. */
export function projectTags(world: World): ReadonlyMap<string, readonly string[]> {
  const living = world.views().filter(({ status }) => status !== 'DELETED');
  const pairs = living.flatMap(({ tags }) => Object.entries(tags ?? {}));
  const byKey = Map.groupBy(pairs, ([key]) => key);
  return new Map([...byKey].map(([key, some]) => [key, [...new Set(some.map(([, value]) => value))].toSorted()]));
}

/** Adds tags, or takes them away by key; an existing key gets the new value. */
export function changeTags(world: World, id: string, members: unknown): Result<never> {
  const found = world.existing(id);
  if (found.kind !== 'ok') return found;
  const form = v.safeParse(actionForm, members);
  if (!form.success) return { kind: 'error', error: wireError('DCS.4062', faultyMember(members)) };
  const { action, tags } = form.output;
  const named = Object.fromEntries(tags.map(({ key, value = '' }) => [key, value]));
  const before = found.value.tags ?? {};
  const kept = Object.entries(before).filter(([key]) => !(key in named));
  const after = Object.fromEntries([...kept, ...(action === 'create' ? Object.entries(named) : [])]);
  if (Object.keys(after).length > maxTags) return { kind: 'error', error: wireError('DCS.4062', 'tags') };
  world.set(id, { tags: after });
  return { kind: 'empty' };
}

function faultyMember(members: unknown): string {
  return v.is(v.object({ action: actionForm.entries.action }), members) ? 'tags' : 'action';
}

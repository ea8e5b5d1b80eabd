// What the adapters share when they read what strangers sent: times, texts by name, and one refusal for bodies that are
// not what they should be. Nothing that was sent is quoted in an error.

import * as v from 'valibot';
import type { Texts } from '../alert.ts';
import { malformed } from '../http.ts';

/** A time as any of the sources writes it, as ISO 8601 UTC with milliseconds. What is finer than those is cut off. */
export const instant = v.pipe(
  v.string(),
  v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)$/),
  v.transform(Date.parse),
  v.integer(),
  v.transform((time) => new Date(time).toISOString()),
  v.length(24),
);

/** Milliseconds since the epoch, as ISO 8601 UTC; between the years 2001 and 2286, so that seconds are not taken for it. */
export const milliseconds = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1e12),
  v.maxValue(1e13),
  v.transform((time) => new Date(time).toISOString()),
);

/** Labels, annotations, tags: texts by name. */
export const texts = v.record(v.string(), v.string());

/** A name of a rule or of an alarm. */
export const name = v.pipe(v.string(), v.maxLength(512));

/** An id of the sender's that becomes part of an episode's identity. */
export const id = v.pipe(v.string(), v.nonEmpty(), v.maxLength(200));

/**
 * A value that a schema reads. Throws DoorError 400 `malformed`, which names the first faulty member and never quotes
 * it. `what` is the subject of a sentence: `body of Alertmanager`.
 */
export function readAs<S extends v.GenericSchema>(schema: S, value: unknown, what: string): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const path = placeOf(result.issues[0]);
  throw malformed(`The ${what} has not the form it should have.`, [{ path, message: 'is missing or not as expected' }]);
}

/** Where the first fault of a value is, for a sentence. */
export function placeOf(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue) ?? '';
  return path.length > 100 ? `${path.slice(0, 100)}…` : path;
}

/** The value of a JSON text that came inside another one; undefined where it is none. */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Names and values as they were listed. A name with two different values is left out: to pick one of them would be to
 * guess which instance is meant.
 */
export function unambiguous(pairs: readonly (readonly [name: string, value: string])[]): Texts {
  const found = new Map<string, string>();
  const doubtful = new Set<string>();
  for (const [name, value] of pairs) {
    if ((found.get(name) ?? value) !== value) doubtful.add(name);
    found.set(name, value);
  }
  return Object.fromEntries([...found].filter(([name]) => !doubtful.has(name)));
}

/** Members whose value is a text that is not empty. */
export function present<K extends string>(members: Readonly<Record<K, string | undefined>>): { [key in K]?: string } {
  const kept: { [key in K]?: string } = {};
  for (const key in members) {
    const text = members[key];
    if (text !== undefined && text !== '') kept[key] = text;
  }
  return kept;
}

// What schemas of the configuration are put together from: mappings that take exactly their keys, descriptions of keys,
// checks of whole values.

import * as v from 'valibot';

/** A mapping, and neither null nor a list (both of which are objects to JavaScript). */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const mapping = v.custom<Record<string, unknown>>(isMapping, 'expected a mapping (key: value)');

/** A mapping of these entries. Every other key is a fault of its own, with the nearest key where one is close. */
export function closed<const Entries extends v.ObjectEntries>(entries: Entries) {
  return v.pipe(
    mapping,
    v.looseObject(entries),
    v.rawCheck(({ dataset, addIssue }) => {
      const input: Record<string, unknown> = isMapping(dataset.value) ? dataset.value : {};
      for (const key of Object.keys(input).filter((each) => !Object.hasOwn(entries, each))) {
        addIssue({ message: unknownKey(key, Object.keys(entries)), path: [keyOf(input, key)] });
      }
    }),
  );
}

/** The step of an issue's path that leads to a key of a mapping, whether it is there or not. */
export function keyOf(input: Record<string, unknown>, key: string): v.ObjectPathItem {
  return { type: 'object', origin: 'key', input, key, value: input[key] };
}

/** Looks at a whole value in which nothing else is wrong: `faultOf` gives a sentence, or null. */
export function sound<Value>(faultOf: (value: Value) => string | null) {
  return v.rawCheck<Value>(({ dataset, addIssue }) => {
    const message = dataset.typed ? faultOf(dataset.value) : null;
    if (message !== null) addIssue({ message });
  });
}

/** A mapping from names to `value`; `key` reads each name. */
export function named<const Value extends v.GenericSchema>(
  key: v.BaseSchema<string, string, v.BaseIssue<unknown>>,
  value: Value,
) {
  return v.pipe(mapping, v.record(key, value));
}

/** `schema` with the sentence that editors show for its key. */
export function says<const Schema extends v.GenericSchema>(schema: Schema, description: string) {
  return v.pipe(schema, v.description(description));
}

/** The same for a key that may be left out. */
export function may<const Schema extends v.GenericSchema>(schema: Schema, description: string) {
  return v.exactOptional(says(schema, description));
}

/** ` (did you mean ...?)` for the candidate that is at most two typing errors away, else nothing. */
export function didYouMean(name: string, candidates: readonly string[]): string {
  const limit = Math.min(2, Math.floor(name.length / 3));
  const near = candidates
    .map((candidate) => ({ candidate, distance: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter((each) => each.distance <= limit)
    .sort((a, b) => a.distance - b.distance);
  return near[0] ? ` (did you mean \`${near[0].candidate}\`?)` : '';
}

function unknownKey(key: string, known: readonly string[]): string {
  return `unknown key${didYouMean(key, known)}`;
}

/** Levenshtein's distance; long texts are nowhere near anything. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return Number.POSITIVE_INFINITY;
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...a].entries()) {
    const next = [index + 1];
    for (const [column, other] of [...b].entries()) {
      const swap = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(swap, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

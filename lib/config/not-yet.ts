// The keys and values of the contract that are read and checked but not enforced yet. A file that has one of them is
// refused, because a promise of safety that is read and ignored is worse than one that is missing. Whoever enforces a key
// takes its line out here and its row out of `Not supported yet` in docs/configuration.md, and writes the schema anew.

import { isMapping } from './keys.ts';
import type { ReferenceFault } from './plain.ts';
import type { Path } from './yaml.ts';

/**
 * One for each line: a path, with `*` for any name and `: value` where a single value is meant. A path that starts with no
 * key of the top is that of a policy, of jobs and of `defaults`.
 */
export const notYet: readonly string[] = ['notify', 'waves.healthCheck'];

/** A line of the list, read: each place that it means, and the value that is meant there, if not all are. */
export interface Refused {
  readonly places: readonly (readonly string[])[];
  readonly value?: string;
}

const top: ReadonlySet<string | undefined> = new Set(['sources', 'alertStorm', 'notify', 'projects', 'jobs']);

/** Reads a line of the list. */
export function refusedBy(line: string): Refused {
  const [path = '', value] = line.split(': ');
  const steps = path.split('.');
  const places = top.has(steps[0])
    ? [steps]
    : [
        ['jobs', '*', ...steps],
        ['defaults', ...steps],
      ];
  return value === undefined ? { places } : { places, value };
}

/** The faults of all that `lines` refuse in the plain data of a file. */
export function notYetFaults(file: unknown, lines: readonly string[]): readonly ReferenceFault[] {
  return lines.map(refusedBy).flatMap(({ places, value }) =>
    places
      .flatMap((place) => found(file, place, []))
      .filter((each) => value === undefined || each.value === value)
      .map(({ path }) => {
        const what = [String(path.at(-1)), ...(value === undefined ? [] : [value])].join(': ');
        return { path, message: `\`${what}\` is not supported yet` };
      }),
  );
}

/** What stands at a place, at each of the names that a `*` means. */
function found(value: unknown, place: readonly string[], path: Path): readonly { path: Path; value: unknown }[] {
  const [step, ...rest] = place;
  if (step === undefined) return [{ path, value }];
  if (!isMapping(value)) return [];
  const names = step === '*' ? Object.keys(value) : [step].filter((name) => Object.hasOwn(value, name));
  return names.flatMap((name) => found(value[name], rest, [...path, name]));
}

// Looking into the plain data of a file, which may be of any shape, for faults that no single value shows.

import { isMapping } from './keys.ts';
import type { Path } from './yaml.ts';

/** A fault of the value at `path`. */
export interface ReferenceFault {
  readonly path: Path;
  readonly message: string;
}

/** A member of a mapping; undefined where there is none, and of anything else. */
export function member(value: unknown, key: string): unknown {
  return isMapping(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** The named things under a key of the top. */
export function entries(file: unknown, key: string): [string, unknown][] {
  return Object.entries(Object(member(file, key) ?? {}));
}

// Which instances of a project a target means: by tags, names and ids, less what it excludes.

import type { Selector } from '../config.ts';
import type { Instance } from './instance.ts';

/** The instances of a project that a target selects; `exclude` takes out whatever matches any one entry of it. */
export function select<T extends Instance>(
  target: Selector & { readonly exclude: Selector },
  fleet: readonly T[],
): T[] {
  const isNamed = anyGlob(target.names);
  const isExcludedName = anyGlob(target.exclude.names);
  return fleet.filter(
    (instance) =>
      hasAll(instance, target.tags) &&
      (target.names.length === 0 || isNamed(instance.name)) &&
      (target.ids.length === 0 || target.ids.includes(instance.id)) &&
      !hasAny(instance, target.exclude.tags) &&
      !isExcludedName(instance.name) &&
      !target.exclude.ids.includes(instance.id),
  );
}

function hasAll({ tags }: Instance, wanted: Readonly<Record<string, string>>): boolean {
  // Unreadable tags may be the wanted ones: the instance stays in sight and falls out later, as protected.
  return tags === null || Object.entries(wanted).every(([key, value]) => tags[key] === value);
}

function hasAny({ tags }: Instance, wanted: Readonly<Record<string, string>>): boolean {
  return tags !== null && Object.entries(wanted).some(([key, value]) => tags[key] === value);
}

/** Globs over whole names: `*` any run of characters, `?` exactly one. */
function anyGlob(globs: readonly string[]): (name: string) => boolean {
  const patterns = globs.map((glob) => glob.replace(/\*+/g, '*'));
  return (name) => patterns.some((pattern) => matchesGlob(pattern, name));
}

/** Linear in practice and never exponential: on a mismatch it goes back only to the last `*`. */
function matchesGlob(pattern: string, name: string): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  let i = 0;
  while (i < name.length) {
    if (at < pattern.length && pattern[at] === '*') {
      star = at++;
      resume = i;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === name[i])) {
      at++;
      i++;
    } else if (star !== -1) {
      at = star + 1;
      i = ++resume;
    } else return false;
  }
  return pattern.slice(at).replace('*', '') === '';
}

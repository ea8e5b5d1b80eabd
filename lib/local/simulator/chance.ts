// Chance for the simulator: a value depends only on the seed and on what it is for, never on how many were drawn
// before. So the same seed gives the same world, in whatever order concurrent calls arrive.

/** Smallest and largest value, both included. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** A number in [0, 1), the same for the same seed and labels. Not for secrets. */
export function chance(seed: number, ...labels: readonly (string | number)[]): number {
  return mix(fnv1a(`${seed}/${labels.join('/')}`)) / 2 ** 32;
}

/** A whole number in the range. */
export function between(range: Range, seed: number, ...labels: readonly (string | number)[]): number {
  return range.min + Math.floor(chance(seed, ...labels) * (range.max - range.min + 1));
}

/** One of the list, which must not be empty (throws RangeError). */
export function oneOf<T>(list: readonly T[], seed: number, ...labels: readonly (string | number)[]): T {
  const value = list[Math.floor(chance(seed, ...labels) * list.length)];
  if (value === undefined) throw new RangeError('nothing to choose from');
  return value;
}

/** 32 lower-case hex digits. */
export function hexId(seed: number, ...labels: readonly (string | number)[]): string {
  const words = [0, 1, 2, 3].map((word) => Math.floor(chance(seed, ...labels, word) * 2 ** 32));
  return words.map((word) => word.toString(16).padStart(8, '0')).join('');
}

/** A lower-case UUID of version 4. */
export function uuid(seed: number, ...labels: readonly (string | number)[]): string {
  return hexId(seed, ...labels).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-8$4-$5');
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** MurmurHash3's finalizer: neighbouring inputs give unrelated outputs. */
function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

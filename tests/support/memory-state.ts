// The State port in memory, for tests. It keeps the port's contract and nothing more; values are copied on the way in
// and out, so that a test which changes what it was handed changes nothing that is stored.

import type { Json } from '../../lib/canonical.ts';
import type { IndexedItem, IndexPosition, Item, ItemOptions, Key, State } from '../../lib/state.ts';

interface Stored {
  readonly item: Item;
  readonly options: ItemOptions;
}

/** All items in one map. */
export class MemoryState implements State {
  readonly #items = new Map<string, Stored>();

  async get(key: Key): Promise<Item | undefined> {
    const stored = this.#items.get(address(key));
    return stored === undefined ? undefined : structuredClone(stored.item);
  }

  async putIfAbsent(key: Key, value: Json, options: ItemOptions = {}): Promise<boolean> {
    if (this.#items.has(address(key))) return false;
    this.#write(key, 1, value, options);
    return true;
  }

  async updateIf(
    key: Key,
    version: number,
    value: Json,
    options: Pick<ItemOptions, 'expiresAt'> = {},
  ): Promise<boolean> {
    const stored = this.#items.get(address(key));
    if (stored?.item.version !== version) return false;
    this.#write(key, version + 1, value, { ...stored.options, ...options });
    return true;
  }

  async put(key: Key, value: Json, options: ItemOptions = {}): Promise<void> {
    const stored = this.#items.get(address(key));
    this.#write(key, (stored?.item.version ?? 0) + 1, value, { ...stored?.options, ...options });
  }

  async query(pk: string, prefix: string): Promise<readonly Item[]> {
    const items = [...this.#items.values()].map((stored) => stored.item);
    const found = items.filter((item) => item.pk === pk && item.sk.startsWith(prefix));
    return structuredClone(found.sort((a, b) => compare(a.sk, b.sk)));
  }

  async byJob(job: string, limit: number, before?: IndexPosition): Promise<readonly IndexedItem[]> {
    const indexed = [...this.#items.values()].flatMap(({ item, options: { index } }) =>
      index?.job === job ? [{ ...item, createdAt: index.createdAt }] : [],
    );
    const later = indexed.filter((item) => before === undefined || newestFirst(before, item) < 0);
    return structuredClone(later.sort(newestFirst).slice(0, limit));
  }

  /** Forgets what has had its time by `now`, in ms since the epoch; nothing is forgotten by itself here. */
  forget(now: number): void {
    for (const [at, { options }] of this.#items) {
      if (options.expiresAt !== undefined && options.expiresAt <= now) this.#items.delete(at);
    }
  }

  /** When an item may be forgotten. */
  expiryOf(key: Key): number | undefined {
    return this.#items.get(address(key))?.options.expiresAt;
  }

  /** Where all items are. */
  keys(): readonly Key[] {
    return [...this.#items.values()].map(({ item: { pk, sk } }) => ({ pk, sk }));
  }

  #write(key: Key, version: number, value: Json, options: ItemOptions): void {
    const item = { pk: key.pk, sk: key.sk, version, value: structuredClone(value) };
    this.#items.set(address(key), { item, options });
  }
}

function address(key: Key): string {
  return JSON.stringify([key.pk, key.sk]);
}

function newestFirst(a: IndexPosition, b: IndexPosition): number {
  return compare(b.createdAt, a.createdAt) || compare(b.pk, a.pk);
}

/** Code unit order, which is what `<` does with strings; localeCompare would sort otherwise. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

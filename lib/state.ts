// The port of all that is remembered: events, runs, plans, outcomes, deliveries, marks. It can do only what a DynamoDB
// table with single-item conditional writes and one index can do, so that every adapter means the same.
// Every adapter passes tests/state.contract.ts.

import type { Json } from './canonical.ts';

/** Address of one item. */
export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** One stored item. `version` starts at 1 and grows by 1 with each update. */
export interface Item extends Key {
  readonly version: number;
  readonly value: Json;
}

/** What a new item may carry besides its value: its place in the index and when it may be forgotten (ms since epoch). */
export interface ItemOptions {
  readonly index?: { readonly job: string; readonly createdAt: string };
  readonly expiresAt?: number;
}

export interface State {
  /** The item, or undefined. Reads are strongly consistent. */
  get(key: Key): Promise<Item | undefined>;
  /** Writes only where nothing is; false when something is there already. */
  putIfAbsent(key: Key, value: Json, options?: ItemOptions): Promise<boolean>;
  /**
   * Writes only over the version that was read; false when it has changed or is gone. The index entry of an item is
   * kept, and so is its expiry, unless `expiresAt` is another one.
   */
  updateIf(key: Key, version: number, value: Json, options?: Pick<ItemOptions, 'expiresAt'>): Promise<boolean>;
  /**
   * Writes unconditionally, version included: for items with a single writer. Index entry and expiry of
   * an item are kept where `options` names none.
   */
  put(key: Key, value: Json, options?: ItemOptions): Promise<void>;
  /** Items of one pk whose sk starts with `prefix`, by sk ascending (code unit order). */
  query(pk: string, prefix: string): Promise<readonly Item[]>;
  /**
   * Items of the index for one job, newest `createdAt` first (ties by pk, descending), at most `limit`, only those
   * that sort strictly after `before` in that order.
   */
  byJob(job: string, limit: number, before?: IndexPosition): Promise<readonly IndexedItem[]>;
}

/** A place in the index. */
export interface IndexPosition {
  readonly createdAt: string;
  readonly pk: string;
}

export interface IndexedItem extends Item {
  readonly createdAt: string;
}

/** Calls at once of whoever has one to make for each of some thousand instances. */
const atOnce = 25;

/** Does `work`, which calls the state, for each of many items; results in their order. */
export async function forEach<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let from = 0; from < items.length; from += atOnce) {
    results.push(...(await Promise.all(items.slice(from, from + atOnce).map(work))));
  }
  return results;
}

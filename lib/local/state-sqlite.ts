// The state port on the local database. Each write is one statement, hence atomic; a caller's race is decided by the
// conditions in the SQL, as DynamoDB decides it by condition expressions. Items past their time stay readable until
// `forget` removes them, as DynamoDB's do until its sweeper comes by.

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import * as v from 'valibot';
import { canonicalJson, type Json } from '../canonical.ts';
import type { IndexedItem, IndexPosition, Item, ItemOptions, Key, State } from '../state.ts';

// JSON.parse makes nothing but JSON: the text needs no further reading.
const jsonText = v.pipe(
  v.string(),
  v.transform((text): Json => JSON.parse(text)),
);
const itemRow = v.object({ pk: v.string(), sk: v.string(), version: v.number(), value: jsonText });
const indexedRow = v.object({ ...itemRow.entries, createdAt: v.string() });

const sql = {
  get: 'SELECT pk, sk, version, value FROM items WHERE pk = ? AND sk = ?',
  putIfAbsent: `INSERT INTO items (pk, sk, version, value, job, created_at, expires_at) VALUES (?, ?, 1, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING`,
  updateIf: `UPDATE items SET value = ?, version = version + 1, expires_at = coalesce(?, expires_at)
    WHERE pk = ? AND sk = ? AND version = ?`,
  put: `INSERT INTO items (pk, sk, version, value, job, created_at, expires_at) VALUES (?, ?, 1, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET value = excluded.value, version = version + 1, job = coalesce(excluded.job, job),
      created_at = coalesce(excluded.created_at, created_at), expires_at = coalesce(excluded.expires_at, expires_at)`,
  query: 'SELECT pk, sk, version, value FROM items WHERE pk = ? AND sk >= ? ORDER BY sk',
  byJob: `SELECT pk, sk, version, value, created_at AS createdAt FROM items WHERE job = ?
    ORDER BY created_at DESC, pk DESC LIMIT ?`,
  byJobBefore: `SELECT pk, sk, version, value, created_at AS createdAt FROM items
    WHERE job = ? AND (created_at, pk) < (?, ?) ORDER BY created_at DESC, pk DESC LIMIT ?`,
} as const;

/** State on an open database (see database.ts). Values of any size that JSON can carry. */
export class SqliteState implements State {
  readonly #statements: Readonly<Record<keyof typeof sql, StatementSync>>;

  constructor(database: DatabaseSync) {
    this.#statements = {
      get: database.prepare(sql.get),
      putIfAbsent: database.prepare(sql.putIfAbsent),
      updateIf: database.prepare(sql.updateIf),
      put: database.prepare(sql.put),
      query: database.prepare(sql.query),
      byJob: database.prepare(sql.byJob),
      byJobBefore: database.prepare(sql.byJobBefore),
    };
  }

  /** The item, or undefined. */
  async get(key: Key): Promise<Item | undefined> {
    const row = this.#statements.get.get(key.pk, key.sk);
    return row === undefined ? undefined : v.parse(itemRow, row);
  }

  /** Writes only where nothing is; false when something is there already. */
  async putIfAbsent(key: Key, value: Json, options: ItemOptions = {}): Promise<boolean> {
    return this.#statements.putIfAbsent.run(...columns(key, value, options)).changes === 1;
  }

  /** Writes only over the version that was read; the index entry is kept, and the expiry unless another one is named. */
  async updateIf(
    key: Key,
    version: number,
    value: Json,
    { expiresAt }: Pick<ItemOptions, 'expiresAt'> = {},
  ): Promise<boolean> {
    const values = [canonicalJson(value), expiresAt ?? null, key.pk, key.sk, version] as const;
    return this.#statements.updateIf.run(...values).changes === 1;
  }

  /** Writes unconditionally; index entry and expiry of an item are kept where `options` names none. */
  async put(key: Key, value: Json, options: ItemOptions = {}): Promise<void> {
    this.#statements.put.run(...columns(key, value, options));
  }

  /** Items of one pk whose sk starts with `prefix`, by sk ascending. */
  async query(pk: string, prefix: string): Promise<readonly Item[]> {
    const found: Item[] = [];
    for (const row of this.#statements.query.iterate(pk, prefix)) {
      const item = v.parse(itemRow, row);
      if (!item.sk.startsWith(prefix)) break;
      found.push(item);
    }
    // SQLite orders by UTF-8, which differs from code units beyond U+FFFF.
    return found.sort((a, b) => (a.sk < b.sk ? -1 : 1));
  }

  /** Items of one job, newest first, at most `limit`, strictly after `before` in that order. */
  async byJob(job: string, limit: number, before?: IndexPosition): Promise<readonly IndexedItem[]> {
    const rows =
      before === undefined
        ? this.#statements.byJob.all(job, limit)
        : this.#statements.byJobBefore.all(job, before.createdAt, before.pk, limit);
    return rows.map((row) => v.parse(indexedRow, row));
  }
}

function columns(key: Key, value: Json, { index, expiresAt }: ItemOptions) {
  const place = [index?.job ?? null, index?.createdAt ?? null, expiresAt ?? null] as const;
  return [key.pk, key.sk, canonicalJson(value), ...place] as const;
}

// The state port on the local database. Each write is one statement, hence atomic; a caller's race is decided by the
// conditions in the SQL, as DynamoDB decides it by condition expressions. Writes that come together are committed together:
// each commit waits for the disk, and a delivery of a thousand alerts has five seconds. Items past their time stay readable until
// `forget` removes them, as DynamoDB's do until its sweeper comes by.

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import * as v from 'valibot';
import { canonicalJson, type Json } from '../canonical.ts';
import type { IndexedItem, IndexPosition, Item, ItemOptions, Key, State } from '../state.ts';
import { transaction } from './database.ts';

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
  readonly #writes: Writes;

  constructor(database: DatabaseSync) {
    this.#writes = new Writes(database);
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
    const values = columns(key, value, options);
    return await this.#writes.add(() => this.#statements.putIfAbsent.run(...values).changes === 1);
  }

  /** Writes only over the version that was read; the index entry is kept, and the expiry unless another one is named. */
  async updateIf(
    key: Key,
    version: number,
    value: Json,
    { expiresAt }: Pick<ItemOptions, 'expiresAt'> = {},
  ): Promise<boolean> {
    const values = [canonicalJson(value), expiresAt ?? null, key.pk, key.sk, version] as const;
    return await this.#writes.add(() => this.#statements.updateIf.run(...values).changes === 1);
  }

  /** Writes unconditionally; index entry and expiry of an item are kept where `options` names none. */
  async put(key: Key, value: Json, options: ItemOptions = {}): Promise<void> {
    const values = columns(key, value, options);
    await this.#writes.add(() => this.#statements.put.run(...values));
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

/** A write that was asked for, and where its outcome goes. */
interface Asked {
  readonly write: () => void;
  readonly fail: (error: unknown) => void;
  readonly done: () => void;
}

/** Commits what was asked for in one turn of the event loop at once, in its order; nobody is answered before that. */
class Writes {
  readonly #database: DatabaseSync;
  #asked: Asked[] = [];

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  add<T>(write: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      let result: { readonly value: T } | null = null;
      this.#asked.push({
        write: () => {
          result = { value: write() };
        },
        fail: reject,
        done: () => result !== null && resolve(result.value),
      });
      if (this.#asked.length === 1) setImmediate(() => this.#commit());
    });
  }

  #commit(): void {
    const asked = this.#asked;
    this.#asked = [];
    const [only] = asked;
    try {
      if (asked.length === 1) only?.write();
      else transaction(this.#database, () => asked.forEach(({ write }) => void write()));
    } catch (error) {
      for (const { fail } of asked) fail(error);
      return;
    }
    for (const { done } of asked) done();
  }
}

function columns(key: Key, value: Json, { index, expiresAt }: ItemOptions) {
  const place = [index?.job ?? null, index?.createdAt ?? null, expiresAt ?? null] as const;
  return [key.pk, key.sk, canonicalJson(value), ...place] as const;
}

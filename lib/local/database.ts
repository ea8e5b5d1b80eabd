// The one file of the local runtime, `autopilot.sqlite`: the journal of the durable backend and the state live together
// behind one lock, so that two processes can never work on the same runs. The lock is the operating system's, taken by
// SQLite on the file: it dies with its holder, however that ends. Never open the file by other means in this process:
// POSIX drops a process's locks on a file as soon as it closes any descriptor of it.

import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EnvironmentError } from '../errors.ts';

/** Version of the schema below, kept in the file's `user_version`. A file with a higher one is refused. */
export const schemaVersion = 1;

/** Names of the files in the data folder: the database, and the process id of the last one that locked it. */
export const databaseFile = 'autopilot.sqlite';
const holderFile = 'autopilot.pid';

// Rows of operations hold results of up to 256 KB: tables with a rowid serve those better than ones without.
const schema = `
  CREATE TABLE items (
    pk TEXT NOT NULL, sk TEXT NOT NULL, version INTEGER NOT NULL, value TEXT NOT NULL,
    job TEXT, created_at TEXT, expires_at INTEGER,
    PRIMARY KEY (pk, sk)
  ) STRICT;
  CREATE INDEX items_by_job ON items (job, created_at, pk) WHERE job IS NOT NULL;
  CREATE INDEX items_by_expiry ON items (expires_at) WHERE expires_at IS NOT NULL;

  CREATE TABLE executions (
    name TEXT PRIMARY KEY NOT NULL, payload TEXT NOT NULL, status TEXT NOT NULL, suspended INTEGER NOT NULL,
    token INTEGER NOT NULL, operations INTEGER NOT NULL, bytes INTEGER NOT NULL, largest INTEGER NOT NULL,
    started_at INTEGER NOT NULL, ended_at INTEGER, result TEXT, error TEXT
  ) STRICT;

  CREATE TABLE operations (
    seq INTEGER PRIMARY KEY, execution TEXT NOT NULL, id TEXT NOT NULL, parent_id TEXT, name TEXT,
    type TEXT NOT NULL, sub_type TEXT, status TEXT NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER,
    attempt INTEGER NOT NULL, due_at INTEGER, result TEXT, error TEXT, callback_id TEXT,
    replay_children INTEGER NOT NULL, told INTEGER NOT NULL,
    UNIQUE (execution, id)
  ) STRICT;
  CREATE INDEX operations_in_order ON operations (execution, seq);
  CREATE INDEX operations_due ON operations (execution, due_at) WHERE due_at IS NOT NULL;
  CREATE INDEX operations_untold ON operations (execution) WHERE told = 0;
  CREATE UNIQUE INDEX operations_callback ON operations (callback_id) WHERE callback_id IS NOT NULL;
`;

/**
 * Opens the database of a data folder, making both where they are missing, and holds the folder's lock until the
 * database is closed or the process ends. Throws EnvironmentError: `data_in_use` (names the holder), `data_not_writable`,
 * `data_damaged`, `data_newer` (written by a later version of this program).
 */
export function openDatabase(folder: string): DatabaseSync {
  makeFolder(folder);
  const file = join(folder, databaseFile);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file);
    lock(database);
    chmodSync(file, 0o600);
    checkIntegrity(database, file);
    migrate(database, file);
    writeFileSync(join(folder, holderFile), `${process.pid}\n`, { mode: 0o600 });
    return database;
  } catch (cause) {
    database?.close();
    throw cause instanceof EnvironmentError ? cause : explain(cause, folder);
  }
}

/** A database that is gone with the process: for what nobody takes up again. */
export function memoryDatabase(): DatabaseSync {
  const database = new DatabaseSync(':memory:');
  database.exec(schema);
  return database;
}

/** Runs `work` in one transaction: all of its writes are kept, or, when it throws, none. `work` must not be async. */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // A full disk rolls back by itself, and a second ROLLBACK would hide the first error.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new EnvironmentError('data_not_writable', `the data folder ${folder} cannot be made or is no folder`, {
      cause,
    });
  }
}

function lock(database: DatabaseSync): void {
  // The locking mode comes first: with it, WAL needs no shared memory, and the first access takes the lock for good.
  database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
  database.exec('BEGIN EXCLUSIVE; COMMIT');
}

function checkIntegrity(database: DatabaseSync, file: string): void {
  const problem = readText(database, 'PRAGMA quick_check(1)');
  if (problem !== 'ok') throw new EnvironmentError('data_damaged', `the database ${file} is damaged: ${problem}`);
}

function migrate(database: DatabaseSync, file: string): void {
  const version = Number(readText(database, 'PRAGMA user_version'));
  if (version > schemaVersion) {
    throw new EnvironmentError(
      'data_newer',
      `the database ${file} was written by a newer dcs-autopilot (data version ${version}, this one knows ` +
        `${schemaVersion}): use that version, or another data folder`,
    );
  }
  if (version === 0) {
    transaction(database, () => database.exec(`${schema}; PRAGMA user_version = ${schemaVersion}`));
  }
}

function readText(database: DatabaseSync, sql: string): string {
  return String(Object.values(database.prepare(sql).get() ?? {})[0]);
}

// SQLite's primary result codes, https://www.sqlite.org/rescode.html
const resultCodes = { busy: 5, readOnly: 8, inputOutput: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 };

function explain(cause: unknown, folder: string): EnvironmentError {
  const file = join(folder, databaseFile);
  switch (resultCode(cause)) {
    case resultCodes.busy:
      return new EnvironmentError('data_in_use', `the data folder ${folder} is in use by ${holder(folder)}`, { cause });
    case resultCodes.corrupt:
    case resultCodes.notADatabase:
      return new EnvironmentError('data_damaged', `the file ${file} is damaged or no database`, { cause });
    case resultCodes.full:
    case resultCodes.readOnly:
    case resultCodes.inputOutput:
    case resultCodes.cannotOpen:
      return new EnvironmentError('data_not_writable', `the file ${file} cannot be written`, { cause });
    default:
      return new EnvironmentError('data_not_writable', `the data folder ${folder} cannot be used`, { cause });
  }
}

function resultCode(cause: unknown): number | undefined {
  if (typeof cause !== 'object' || cause === null || !('errcode' in cause)) return undefined;
  // The upper bits tell finer reasons.
  return typeof cause.errcode === 'number' ? cause.errcode & 0xff : undefined;
}

function holder(folder: string): string {
  try {
    const pid = readFileSync(join(folder, holderFile), 'utf8').trim();
    return /^\d+$/.test(pid) ? `process ${pid}` : 'another process';
  } catch {
    // The holder has locked the database and not yet written its id.
    return 'another process';
  }
}

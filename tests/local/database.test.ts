// The data folder: one process at a time, and a sentence for everything that is wrong with it.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { EnvironmentError } from '../../lib/errors.ts';
import { databaseFile, openDatabase, schemaVersion, transaction } from '../../lib/local/database.ts';
import { SqliteState } from '../../lib/local/state-sqlite.ts';
import { temporaryDatabase, temporaryFolder } from '../support/data-folder.ts';

function faultOf(folder: string): EnvironmentError {
  try {
    openDatabase(folder).close();
  } catch (error) {
    if (error instanceof EnvironmentError) return error;
    throw error;
  }
  throw new Error('the database was opened');
}

describe('opening', () => {
  test('makes the folder, with all of its parents, and lets only its owner in', () => {
    const folder = join(temporaryFolder(), 'deep', 'data');

    openDatabase(folder).close();

    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, databaseFile)).mode & 0o777).toBe(0o600);
  });

  test('what was written is there when it is opened again', async () => {
    const folder = temporaryFolder();
    const first = openDatabase(folder);
    await new SqliteState(first).put({ pk: 'a', sk: 'b' }, 'kept');
    first.close();

    const second = openDatabase(folder);

    expect(await new SqliteState(second).get({ pk: 'a', sk: 'b' })).toMatchObject({ value: 'kept' });
    second.close();
  });

  test('a write is on the disk before it is acknowledged', () => {
    const database = temporaryDatabase();

    expect(database.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
    expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
  });
});

describe('the lock', () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  async function holderOf(folder: string): Promise<ChildProcess> {
    const script = join(import.meta.dirname, '../support/hold-folder.ts');
    const child = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    if (child.stdout !== null) await once(child.stdout, 'data');
    return child;
  }

  test('a second opening in one process is refused, and the first goes on', async () => {
    const folder = temporaryFolder();
    const first = openDatabase(folder);

    const fault = faultOf(folder);

    expect(fault).toMatchObject({ code: 'data_in_use', name: 'EnvironmentError' });
    expect(fault.message).toBe(`the data folder ${folder} is in use by process ${process.pid}`);
    await new SqliteState(first).put({ pk: 'a', sk: 'b' }, 1);
    expect(faultOf(folder).code).toBe('data_in_use');
    first.close();
    openDatabase(folder).close();
  });

  test('another process is refused and told who holds the folder; a killed holder frees it', async () => {
    const folder = temporaryFolder();
    const child = await holderOf(folder);

    const fault = faultOf(folder);

    expect(fault.code).toBe('data_in_use');
    expect(fault.message).toContain(`is in use by process ${child.pid}`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    openDatabase(folder).close();
  });

  test('a holder whose id cannot be read is another process', () => {
    const folder = temporaryFolder();
    const first = openDatabase(folder);
    writeFileSync(join(folder, 'autopilot.pid'), 'nonsense');

    expect(faultOf(folder).message).toContain('is in use by another process');
    first.close();
  });
});

describe('what cannot be opened', () => {
  test.each([
    ['the folder is a file', (path: string) => writeFileSync(path, ''), 'data_not_writable'],
    [
      'a parent of the folder is a file',
      (path: string) => writeFileSync(join(path, '..', 'parent'), ''),
      'data_not_writable',
      'parent/data',
    ],
    [
      'a folder stands in the place of the file',
      (path: string) => mkdirSync(join(path, databaseFile), { recursive: true }),
      'data_not_writable',
    ],
    [
      'the file is no database',
      (path: string) => damage(path, Buffer.from('no database '.repeat(500))),
      'data_damaged',
    ],
    ['the file was cut off', (path: string) => damage(path, whole().subarray(0, 5_000)), 'data_damaged'],
    ['a page was written over', (path: string) => damage(path, overwritten()), 'data_damaged'],
  ])('%s', (_, prepare, code, name = 'data') => {
    const parent = temporaryFolder();
    prepare(join(parent, 'data'));

    const fault = faultOf(join(parent, name));

    expect(fault.code).toBe(code);
    expect(fault.message).toContain(join(parent, name));
  });

  test('a file of a newer version is refused and left as it is', () => {
    const folder = temporaryFolder();
    const newer = openDatabase(folder);
    newer.exec(`PRAGMA user_version = ${schemaVersion + 1}`);
    newer.close();

    const fault = faultOf(folder);

    expect(fault.code).toBe('data_newer');
    expect(fault.message).toMatch(
      /newer dcs-autopilot \(data version 2, this one knows 1\): use that version, or another/,
    );
    expect(faultOf(folder).code).toBe('data_newer');
  });

  function damage(folder: string, content: Buffer): void {
    mkdirSync(folder);
    writeFileSync(join(folder, databaseFile), content);
  }

  function whole(): Buffer {
    const folder = temporaryFolder();
    openDatabase(folder).close();
    return readFileSync(join(folder, databaseFile));
  }

  function overwritten(): Buffer {
    const content = whole();
    content.fill(0xff, 8_192, 12_288);
    return content;
  }
});

describe('a transaction', () => {
  test('keeps nothing of a work that throws, and the next one works', () => {
    const database = temporaryDatabase();
    const insert = (key: string) =>
      database.prepare("INSERT INTO items (pk, sk, version, value) VALUES (?, '', 1, '1')").run(key);
    const count = () => database.prepare('SELECT count(*) AS n FROM items').get();
    const failing = () => {
      insert('a');
      throw new Error('half way');
    };

    expect(() => transaction(database, failing)).toThrow('half way');
    expect(count()).toEqual({ n: 0 });
    expect(transaction(database, () => insert('b').changes)).toBe(1);
    expect(count()).toEqual({ n: 1 });
  });
});

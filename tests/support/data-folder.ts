// Data folders and databases for tests, removed when the test file is done.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { afterAll } from '@jest/globals';
import { openDatabase } from '../../lib/local/database.ts';

/** A new, empty folder under the system's temporary one. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'autopilot-'));
  afterwards.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A new database in a folder of its own, closed when the test file is done. */
export function temporaryDatabase(): DatabaseSync {
  const database = openDatabase(temporaryFolder());
  afterwards.push(() => {
    if (database.isOpen) database.close();
  });
  return database;
}

const afterwards: (() => void)[] = [];
afterAll(() => {
  for (const undo of afterwards.splice(0).reverse()) undo();
});

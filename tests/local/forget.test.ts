// What is forgotten, and what is not.

import { expect, test } from '@jest/globals';
import { forget, journalLifetime } from '../../lib/local/forget.ts';
import { Journal } from '../../lib/local/journal.ts';
import { SqliteState } from '../../lib/local/state-sqlite.ts';
import { temporaryDatabase } from '../support/data-folder.ts';

const now = Date.UTC(2026, 2, 1);

test.each([
  ['its time is past', now - 1, false],
  ['its time has come', now, false],
  ['its time is to come', now + 1, true],
  ['it has no time', undefined, true],
])('an item: %s', async (_, expiresAt, kept) => {
  const database = temporaryDatabase();
  const state = new SqliteState(database);
  await state.put({ pk: 'a', sk: 'b' }, 1, expiresAt === undefined ? {} : { expiresAt });
  await state.updateIf({ pk: 'a', sk: 'b' }, 1, 2);

  expect(forget(database, now).items).toBe(kept ? 0 : 1);

  expect((await state.get({ pk: 'a', sk: 'b' })) !== undefined).toBe(kept);
});

test('an item that is written again without a time keeps the one it has', async () => {
  const database = temporaryDatabase();
  const state = new SqliteState(database);
  await state.put({ pk: 'a', sk: 'b' }, 1, { expiresAt: now });
  await state.put({ pk: 'a', sk: 'b' }, 2);

  expect(forget(database, now).items).toBe(1);
});

test('a journal is forgotten seven days after its execution ended, with all of its operations', () => {
  const database = temporaryDatabase();
  const journal = new Journal(database);
  const began = now - 30 * 24 * 3600_000;
  for (const name of ['old', 'young', 'running']) {
    journal.create(name, '{}', began);
    const { CheckpointToken } = journal.begin(name, began);
    const update = { Id: '1', Type: 'STEP', Action: 'START' } as const;
    journal.checkpoint({ DurableExecutionArn: name, CheckpointToken, Updates: [update] }, began);
  }
  journal.end('old', { status: 'SUCCEEDED' }, now - journalLifetime);
  journal.end('young', { status: 'SUCCEEDED' }, now - journalLifetime + 1);

  expect(forget(database, now)).toEqual({ items: 0, executions: 1 });

  expect(journal.find('old')).toBeUndefined();
  expect(journal.find('young')).toBeDefined();
  expect(journal.find('running')).toBeDefined();
  expect(database.prepare('SELECT execution FROM operations ORDER BY execution').all()).toEqual([
    { execution: 'running' },
    { execution: 'young' },
  ]);
});

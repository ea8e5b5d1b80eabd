// What the local runtime forgets, on a tick's demand: DynamoDB and AWS do the same by TTL and retention period.

import type { DatabaseSync } from 'node:sqlite';
import { transaction } from './database.ts';

/** Milliseconds for which the journal of an ended execution is kept; the record of its run has a retention of its own. */
export const journalLifetime = 7 * 24 * 3600_000;

/** Deletes items whose time is past and the journals of executions that ended long ago; answers with how many. */
export function forget(database: DatabaseSync, now: number): { readonly items: number; readonly executions: number } {
  const endedBefore = now - journalLifetime;
  const items = database.prepare('DELETE FROM items WHERE expires_at <= ?').run(now).changes;
  const executions = transaction(database, () => {
    const old = 'SELECT name FROM executions WHERE ended_at <= ?';
    database.prepare(`DELETE FROM operations WHERE execution IN (${old})`).run(endedBefore);
    return database.prepare('DELETE FROM executions WHERE ended_at <= ?').run(endedBefore).changes;
  });
  return { items: Number(items), executions: Number(executions) };
}

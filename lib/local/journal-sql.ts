// The statements of the journal, apart from the code that runs them: the tables are in database.ts.

import type { DatabaseSync, StatementSync } from 'node:sqlite';

const execution = `name, payload, status, suspended, token, operations, bytes, largest, started_at AS startedAt,
  result, error`;

const operation = `id, parent_id AS parentId, name, type, sub_type AS subType, status, started_at AS startedAt,
  ended_at AS endedAt, attempt, due_at AS dueAt, result, error, callback_id AS callbackId,
  replay_children AS replayChildren`;

// What becomes of an operation when its time has come.
const atItsTime = `CASE type WHEN 'WAIT' THEN 'SUCCEEDED' WHEN 'STEP' THEN 'READY' ELSE 'TIMED_OUT' END`;

// `told` is 0 while the SDK has not seen a change.
const sql = {
  create: `INSERT INTO executions (name, payload, status, suspended, token, operations, bytes, largest, started_at)
    VALUES (?, ?, 'RUNNING', 0, 0, 0, 0, 0, ?) ON CONFLICT DO NOTHING`,
  find: `SELECT ${execution} FROM executions WHERE name = ?`,
  running: `SELECT ${execution} FROM executions WHERE status = 'RUNNING' ORDER BY started_at, name`,
  begin: `UPDATE executions SET token = token + 1, suspended = 0 WHERE name = ?`,
  advance: `UPDATE executions SET token = token + 1 WHERE name = ?`,
  suspend: `UPDATE executions SET token = token + 1, suspended = 1 WHERE name = ?`,
  end: `UPDATE executions SET token = token + 1, status = ?, result = coalesce(?, result), error = ?, ended_at = ?
    WHERE name = ?`,
  keepResult: `UPDATE executions SET result = ? WHERE name = ?`,
  count: `UPDATE executions SET operations = operations + ?, bytes = bytes + ?, largest = max(largest, ?)
    WHERE name = ? RETURNING ${execution}`,
  operation: `SELECT ${operation} FROM operations WHERE execution = ? AND id = ?`,
  write: `INSERT INTO operations (execution, id, parent_id, name, type, sub_type, status, started_at, ended_at, attempt,
      due_at, result, error, callback_id, replay_children, told)
    VALUES ($execution, $id, $parentId, $name, $type, $subType, $status, $startedAt, $endedAt, $attempt,
      $dueAt, $result, $error, $callbackId, $replayChildren, 1)
    ON CONFLICT (execution, id) DO UPDATE SET status = excluded.status, ended_at = excluded.ended_at,
      attempt = excluded.attempt, due_at = excluded.due_at, result = excluded.result, error = excluded.error,
      replay_children = excluded.replay_children, told = 1`,
  page: `SELECT seq, ${operation} FROM operations WHERE execution = ? AND seq > ? ORDER BY seq LIMIT ?`,
  settle: `UPDATE operations SET status = ${atItsTime}, due_at = NULL, told = 0,
      ended_at = CASE type WHEN 'STEP' THEN ended_at ELSE due_at END
    WHERE execution = ? AND due_at <= ?`,
  untold: `UPDATE operations SET told = 1 WHERE execution = ? AND told = 0 RETURNING ${operation}`,
  stepsInFlight: `SELECT id FROM operations WHERE execution = ? AND type = 'STEP' AND status = 'STARTED'`,
  wake: `SELECT min(due_at) AS due, count(*) FILTER (WHERE told = 0) AS untold,
      count(*) FILTER (WHERE type = 'CALLBACK' AND status = 'STARTED') AS open
    FROM operations WHERE execution = ?`,
  completeCallback: `UPDATE operations SET status = ?, result = ?, error = ?, ended_at = ?, due_at = NULL, told = 0
    WHERE callback_id = ? AND status = 'STARTED'
      AND EXISTS (SELECT 1 FROM executions WHERE executions.name = execution AND executions.status = 'RUNNING')
    RETURNING execution AS name`,
} as const;

/** Each statement by its name. */
export type JournalStatements = Readonly<Record<keyof typeof sql, StatementSync>>;

/** All statements, prepared once: SQLite then reads the text of none of them again. */
export function prepare(database: DatabaseSync): JournalStatements {
  return {
    create: database.prepare(sql.create),
    find: database.prepare(sql.find),
    running: database.prepare(sql.running),
    begin: database.prepare(sql.begin),
    advance: database.prepare(sql.advance),
    suspend: database.prepare(sql.suspend),
    end: database.prepare(sql.end),
    keepResult: database.prepare(sql.keepResult),
    count: database.prepare(sql.count),
    operation: database.prepare(sql.operation),
    write: database.prepare(sql.write),
    page: database.prepare(sql.page),
    settle: database.prepare(sql.settle),
    untold: database.prepare(sql.untold),
    stepsInFlight: database.prepare(sql.stepsInFlight),
    wake: database.prepare(sql.wake),
    completeCallback: database.prepare(sql.completeCallback),
  };
}

// Tags, tasks, jobs and backups as the JSON that DCS sends. Members and types: OTC API reference (api-ref/source,
// querying_backup_records.rst, querying_background_tasks.rst and their like).

import type { Json } from '../../canonical.ts';
import { type Backup, backupStatusAt, progressAt } from './backup.ts';
import { type BackupPage, isRestorable } from './backup-calls.ts';
import type { Task } from './instance.ts';
import type { TaskPage } from './task-calls.ts';

type Members = Readonly<Record<string, Json>>;

/** The answer to GET instances/{id}/tags. */
export function tagList(tags: Readonly<Record<string, string>>): Members {
  return { tags: Object.entries(tags).map(([key, value]) => ({ key, value })) };
}

/** The answer to GET dcs/tags. */
export function projectTagList(tags: ReadonlyMap<string, readonly string[]>): Members {
  return { tags: [...tags].map(([key, values]) => ({ key, values: [...values] })) };
}

/** The answer to GET instances/{id}/tasks: its number is a text by the table, a number in the vendor's sample. */
export function taskPage({ total, items, at }: TaskPage, oddTypes: boolean): Members {
  return {
    task_count: oddTypes ? total : String(total),
    tasks: items.map((task) => ({
      id: task.id,
      job_id: task.id,
      name: task.name,
      status: at < task.endsAt ? 'RUNNING' : 'SUCCESS',
      params: '{}',
      details: {},
      user_name: 'simulator',
      user_id: '0123456789abcdef0123456789abcdef',
      created_at: isoTime(task.createdAt),
      updated_at: isoTime(Math.min(at, task.endsAt)),
      error_code: null,
      enable_show: false,
    })),
  };
}

/** The answer to GET jobs/{id}: its times are milliseconds as texts. */
export function job({ job: task, at }: { readonly job: Task; readonly at: number }): Members {
  const isOver = at >= task.endsAt;
  return {
    job_id: task.id,
    job_type: task.name,
    status: isOver ? 'SUCCESS' : 'RUNNING',
    begin_time: String(task.createdAt),
    end_time: isOver ? String(task.endsAt) : null,
    fail_reason: null,
  };
}

/** The answer to GET instances/{id}/backups. */
export function recordPage(instanceId: string, { total, items, at }: BackupPage): Members {
  return { total_num: total, backup_record_response: items.map((backup) => record(instanceId, backup, at)) };
}

function record(instanceId: string, backup: Backup, at: number): Members {
  return {
    backup_id: backup.id,
    backup_name: backup.name,
    instance_id: instanceId,
    backup_type: backup.type,
    backup_format: backup.format,
    status: backupStatusAt(backup, at),
    progress: progressAt(backup, at),
    size: at < backup.endsAt ? 0 : backup.size,
    created_at: isoTime(backup.createdAt),
    updated_at: isoTime(Math.min(at, backup.endsAt)),
    execution_at: at < backup.executionAt ? null : isoTime(backup.executionAt),
    period: null,
    remark: backup.remark,
    is_support_restore: isRestorable(backup, at) ? 'TRUE' : 'FALSE',
    error_code: at < backup.endsAt ? null : backup.errorCode,
  };
}

/** `2026-11-23T12:00:00.000Z`. */
function isoTime(at: number): string {
  return new Date(at).toISOString();
}

// The calls about what belongs to instances: tags, background tasks and jobs, backups.

import { deleteBackup } from '../backup-calls.ts';
import { job, projectTagList, recordPage, tagList, taskPage } from '../render-resources.ts';
import { mapReply, type Reply } from '../reply.ts';
import { changeTags, projectTags, tagsOf } from '../tag-calls.ts';
import { findJob, listTasks, swap } from '../task-calls.ts';
import { isError, type Rendered, type Route, type RoutedCall, readJson, readSpan, rendered } from './route.ts';

/** Below `/v2/{project_id}`. */
export const resourceRoutes: readonly Route[] = [
  { method: 'GET', path: '/dcs/tags', needs: 'read', handle: showProjectTags },
  { method: 'GET', path: '/instances/{}/tags', needs: 'read', handle: showTags },
  { method: 'POST', path: '/dcs/{}/tags/action', needs: 'write', handle: changeSomeTags },
  { method: 'GET', path: '/instances/{}/tasks', needs: 'read', handle: showTasks },
  { method: 'PUT', path: '/instances/{}/async-swap', needs: 'write', handle: swapMaster },
  { method: 'GET', path: '/jobs/{}', needs: 'read', handle: showJob },
  { method: 'POST', path: '/instances/{}/backups', needs: 'write', handle: makeBackup },
  { method: 'GET', path: '/instances/{}/backups', needs: 'read', handle: showBackups },
  { method: 'DELETE', path: '/instances/{}/backups/{}', needs: 'write', handle: dropBackup },
];

function showProjectTags({ fleet }: RoutedCall): Reply<Rendered> {
  const reply = fleet.call('projectTags', [], () => ({ kind: 'ok', value: projectTags(fleet.world) }));
  return rendered(reply, projectTagList);
}

function showTags({ fleet, ids: [id] }: RoutedCall): Reply<Rendered> {
  return rendered(
    fleet.call('tags', [id], () => tagsOf(fleet.world, id)),
    tagList,
  );
}

function changeSomeTags({ fleet, ids: [id], body }: RoutedCall): Reply<Rendered> {
  const read = readJson(body);
  if (isError(read)) return fleet.refuse('tagAction', read);
  return fleet.call('tagAction', [id], () => changeTags(fleet.world, id, read.json));
}

function showTasks({ fleet, ids: [id], query }: RoutedCall): Reply<Rendered> {
  const span = readSpan(query, 'start_time', 'end_time');
  if (isError(span)) return fleet.refuse('tasks', span);
  const reply = fleet.call('tasks', [id], () => listTasks(fleet.world, id, span));
  return rendered(reply, (page) => taskPage(page, fleet.switches.oddTypes));
}

function swapMaster({ fleet, ids: [id] }: RoutedCall): Reply<Rendered> {
  const reply = fleet.call('swap', [id], () => swap(fleet.world, id));
  return rendered(reply, (jobId) => ({ job_id: jobId }));
}

function showJob({ fleet, ids: [id] }: RoutedCall): Reply<Rendered> {
  return rendered(
    fleet.call('job', [], () => findJob(fleet.world, id)),
    job,
  );
}

function makeBackup({ fleet, ids: [id], body }: RoutedCall): Reply<Rendered> {
  const read = readJson(body, {});
  if (isError(read)) return fleet.refuse('backup', read);
  return rendered(fleet.startBackup(id, read.json), (backupId) => ({ backup_id: backupId }));
}

function showBackups({ fleet, ids: [id], query }: RoutedCall): Reply<Rendered> {
  const span = readSpan(query, 'begin_time', 'end_time');
  if (isError(span)) return fleet.refuse('backups', span);
  return mapReply(fleet.backups(id, span), (page) => ({ body: recordPage(id, page) }));
}

function dropBackup({ fleet, ids: [id, backupId] }: RoutedCall): Reply<Rendered> {
  return fleet.call('deleteBackup', [id], () => deleteBackup(fleet.world, id, backupId));
}

// What DCS does with backups of an instance: starts one, lists their records, deletes one. The codes for what the public
// documents leave open are the likeliest.

import * as v from 'valibot';
import { type Backup, backupStatusAt, isBackingUp, keptBackups, killedCode, pastBackup } from './backup.ts';
import { between, uuid } from './chance.ts';
import type { InstanceView } from './instance.ts';
import { busyCode } from './judge.ts';
import { inTimeSpan, type TimeSpan } from './listing.ts';
import type { Result } from './reply.ts';
import type { Switches } from './unknowns.ts';
import { type WireCode, type WireError, wireError } from './wire-errors.ts';
import type { World } from './world.ts';

/** One page of records, newest first; `total` counts all that match, `at` is the moment they are seen at. */
export interface BackupPage {
  readonly total: number;
  readonly items: readonly Backup[];
  readonly at: number;
}

const maxRemark = 128;

const startForm = v.object({
  remark: v.optional(v.nullable(v.string())),
  backup_format: v.optional(v.nullable(v.picklist(['aof', 'rdb']))),
});

/** Starts a backup; the value is its id. */
export function startBackup(world: World, id: string, members: unknown): Result<string> {
  const found = world.existing(id);
  if (found.kind !== 'ok') return found;
  const form = v.safeParse(startForm, members);
  const error = form.success ? backupFault(world, found.value, form.output.remark ?? '') : formFault(members);
  if (error !== null || !form.success) return { kind: 'error', error: error ?? wireError('DCS.4005') };
  const { remark, backup_format: format } = form.output;
  const backup = newBackup(world, id, { remark: remark ?? '', format: format ?? 'rdb' });
  world.set(id, { backups: [...found.value.backups, backup].slice(-keptBackups) });
  return { kind: 'ok', value: backup.id };
}

/** The records of an instance, newest first; `empty` where it has none. */
export function listBackups(world: World, id: string, span: TimeSpan): Result<BackupPage> {
  const found = world.existing(id);
  if (found.kind !== 'ok') return found;
  const at = world.now();
  const matching = found.value.backups.filter(({ createdAt }) => inTimeSpan(createdAt, span)).toReversed();
  if (matching.length === 0) return { kind: 'empty' };
  const items = matching.slice(span.offset, span.offset + span.limit);
  return { kind: 'ok', value: { total: matching.length, items, at } };
}

/** Deletes the record and the file of a backup that is over. */
export function deleteBackup(world: World, id: string, backupId: string): Result<never> {
  const found = world.existing(id);
  if (found.kind !== 'ok') return found;
  const { backups } = found.value;
  const backup = backups.find((each) => each.id === backupId);
  if (backup === undefined) return { kind: 'error', error: wireError('DCS.4062', 'backup_id') };
  if (isBackingUp(backup, world.now())) return { kind: 'error', error: wireError('DCS.4096') };
  world.set(id, { backups: backups.filter((each) => each !== backup) });
  return { kind: 'empty' };
}

/** Whether a backup that is over can be restored from. */
export function isRestorable(backup: Backup, at: number): boolean {
  return backupStatusAt(backup, at) === 'succeed';
}

function backupFault({ switches }: World, view: InstanceView, remark: string): WireError | null {
  if (remark.length > maxRemark) return wireError('DCS.4098');
  const code = refusal(view, switches);
  return code === null ? null : wireError(code);
}

function refusal(view: InstanceView, switches: Switches): WireCode | null {
  if (view.cacheMode === 'single' || view.engine !== 'Redis') return 'DCS.4095';
  return busyCode(view, switches) ?? (view.status === 'RUNNING' ? null : 'DCS.4049');
}

function formFault(members: unknown): WireError {
  const named = v.safeParse(v.object({ remark: v.optional(v.nullable(v.string())) }), members);
  return wireError('DCS.4062', named.success ? 'backup_format' : 'remark');
}

function newBackup(world: World, id: string, how: Pick<Backup, 'remark' | 'format'>): Backup {
  const { seed, timing } = world;
  const at = world.now();
  const { nth, endsAs } = world.nextBackup(id);
  const executionAt = at + between(timing.backupWait, seed, 'backup-wait', id, nth);
  return pastBackup(uuid(seed, 'backup', id, nth), at, {
    ...how,
    executionAt,
    endsAt: executionAt + between(timing.backup, seed, 'backup', id, nth),
    endsAs,
    errorCode: endsAs === 'failed' ? killedCode : null,
    size: 1_024 + 100 * world.state(id).keys,
  });
}

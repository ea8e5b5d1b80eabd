// One backup of a simulated instance: what its record shows at a moment follows from when it began and how it shall end,
// as with everything else here. Names of states and codes: OTC API reference, querying backup records.

/** A record of a backup. Times in milliseconds since the epoch. */
export interface Backup {
  readonly id: string;
  readonly name: string;
  readonly type: 'manual' | 'auto';
  readonly remark: string;
  readonly format: 'rdb' | 'aof';
  readonly createdAt: number;
  /** Until then it is `waiting`, from then on `backuping`. */
  readonly executionAt: number;
  readonly endsAt: number;
  readonly endsAs: 'succeed' | 'failed' | 'expired';
  /** Why it fails; null where it does not. */
  readonly errorCode: string | null;
  /** Bytes of the file. */
  readonly size: number;
}

/** What a record shows of how far the backup is. */
export type BackupStatus = 'waiting' | 'backuping' | Backup['endsAs'];

/** How many records an instance keeps (OTC user guide: the newest 24). */
export const keptBackups = 24;

/** "Execution timed out": which code a backup gets that a restart ended is UNKNOWN; of the eight this is the likeliest. */
export const killedCode = 'dcs.08.0002';

/** A manual backup that was made at `createdAt` and took ten minutes; `change` replaces members. */
export function pastBackup(id: string, createdAt: number, change: Partial<Backup> = {}): Backup {
  return {
    id,
    name: `backup_${id.slice(0, 8)}`,
    type: 'manual',
    remark: '',
    format: 'rdb',
    createdAt,
    executionAt: createdAt,
    endsAt: createdAt + 600_000,
    endsAs: 'succeed',
    errorCode: null,
    size: 1_024,
    ...change,
  };
}

/** The status at a moment. */
export function backupStatusAt(backup: Backup, at: number): BackupStatus {
  if (at >= backup.endsAt) return backup.endsAs;
  return at < backup.executionAt ? 'waiting' : 'backuping';
}

/** Whether it is still going on. */
export function isBackingUp(backup: Backup, at: number): boolean {
  return at < backup.endsAt;
}

/** Per cent with two decimals, as the vendor writes it; a failed one stays where it was. */
export function progressAt({ executionAt, endsAt, endsAs }: Backup, at: number): string {
  if (at >= endsAt) return endsAs === 'failed' ? '0.00' : '100.00';
  const share = Math.max(0, at - executionAt) / Math.max(1, endsAt - executionAt);
  return Math.min(99.99, share * 100).toFixed(2);
}

/** The backup as it is after something ended it at this moment; one that is over is not changed. */
export function killedAt(backup: Backup, at: number): Backup {
  if (!isBackingUp(backup, at)) return backup;
  return {
    ...backup,
    executionAt: Math.min(backup.executionAt, at),
    endsAt: at,
    endsAs: 'failed',
    errorCode: killedCode,
  };
}

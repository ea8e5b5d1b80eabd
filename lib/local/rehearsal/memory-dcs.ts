// The port to DCS straight on a simulated fleet: no HTTP, no signatures, no waiting. It gives the answers that the real
// client gives over HTTP; tests/dcs.contract.test.ts holds both to that. For rehearsals, and for tests.

import { classify, type Problem } from '../../classify.ts';
import type { Action } from '../../config.ts';
import type { BackupRecord } from '../../execute/backup.ts';
import type { Answer, DcsApi, Reading } from '../../execute.ts';
import type { Instance, InstanceDetail, ListedInstance } from '../../plan/instance.ts';
import { type Backup, type BackupStatus, backupStatusAt } from '../simulator/backup.ts';
import { listBackups, startBackup } from '../simulator/backup-calls.ts';
import type { Fleet } from '../simulator/fleet.ts';
import type { InstanceView } from '../simulator/instance.ts';
import { domainName, port, taskOf } from '../simulator/render.ts';
import type { BatchResult, Reply } from '../simulator/reply.ts';
import type { Switches } from '../simulator/unknowns.ts';
import type { WireError } from '../simulator/wire-errors.ts';

/** How the fake treats late answers. */
export interface MemoryDcsOptions {
  /** Milliseconds after which a call is given up; default 30,000. */
  readonly timeout?: number;
  /** Waits for a delayed answer, on a clock of the test's own. Default: not at all. */
  readonly sleep?: (milliseconds: number) => Promise<void>;
}

type Answered = Extract<Answer, { readonly kind: 'answered' }>;

/** DcsApi on a fleet in memory. */
export class MemoryDcs implements DcsApi {
  readonly #fleet: Fleet;
  readonly #timeout: number;
  readonly #sleep: (milliseconds: number) => Promise<void>;

  constructor(fleet: Fleet, options: MemoryDcsOptions = {}) {
    this.#fleet = fleet;
    this.#timeout = options.timeout ?? 30_000;
    this.#sleep = options.sleep ?? (() => Promise.resolve());
  }

  async list(tags: Readonly<Record<string, string>>): Promise<Reading<readonly ListedInstance[]>> {
    // Like the client: a tag that cannot be asked for is left out, which finds more and never less.
    const askable = Object.entries(tags).filter((pair) => !pair.some((part) => /[,=]/.test(part)));
    const query = { tags: Object.fromEntries(askable), offset: 0, limit: Number.POSITIVE_INFINITY };
    return this.#read(this.#fleet.list(query), ({ items }) => items.map(toListed));
  }

  async total(): Promise<Reading<number>> {
    const total = await this.#read(this.#fleet.list({ offset: 0, limit: 1 }), (page) => page.total);
    if (!total.ok || total.value !== 1) return total;
    const all = await this.list({});
    return all.ok ? { ok: true, value: all.value.length } : all;
  }

  async show(id: string): Promise<Reading<InstanceDetail | null>> {
    const { switches } = this.#fleet;
    const reading = await this.#read(this.#fleet.show(id), (view) => toDetail(view, switches));
    return reading.ok || !isMissing(reading.problem) ? reading : { ok: true, value: null };
  }

  async appendonly(id: string): Promise<Reading<boolean | null>> {
    return this.#read(this.#fleet.configs(id), ({ appendonly }) => appendonly);
  }

  async keyCounts(): Promise<Reading<ReadonlyMap<string, number>>> {
    return this.#read(this.#fleet.statistic(), (views) => new Map(views.map(({ id, keys }) => [id, keys])));
  }

  async backups(id: string): Promise<Reading<readonly BackupRecord[]>> {
    const span = { offset: 0, limit: 100, from: 0, until: Number.POSITIVE_INFINITY };
    const reply = this.#fleet.call('backups', [id], () => listBackups(this.#fleet.world, id, span));
    if (reply.kind === 'empty' && reply.delay < this.#timeout) return { ok: true, value: [] };
    return this.#read(reply, ({ items, at }) => items.map((backup) => toRecord(backup, at)));
  }

  async backUp(id: string, remark: string): Promise<Reading<string>> {
    const members = { remark, backup_format: 'rdb' };
    const started = this.#fleet.call('backup', [id], () => startBackup(this.#fleet.world, id, members));
    return this.#read(started, (backupId) => backupId);
  }

  /** Rejects with RangeError, sending nothing, unless there are 1 to 50 distinct ids. */
  async act(action: Action, ids: readonly string[]): Promise<Answer> {
    const instances = [...new Set(ids.map((id) => id.toLowerCase()))];
    if (instances.length < 1 || instances.length > 50) throw new RangeError(`1 to 50 ids, not ${instances.length}`);
    const reading = await this.#read(this.#fleet.act({ action, instances }), resultsOf, 'no_results');
    if (!reading.ok)
      return { kind: reading.problem.class === 'unknown' ? 'lost' : 'refused', problem: reading.problem };
    return { kind: 'answered', ...reading.value };
  }

  async #read<T, U>(
    reply: Reply<T>,
    convert: (value: T, requestId: string) => U,
    unreadable = 'answer_unreadable',
  ): Promise<Reading<U>> {
    if (reply.delay >= this.#timeout) return { ok: false, problem: unknown('timeout') };
    await this.#sleep(reply.delay);
    const { requestId } = reply;
    switch (reply.kind) {
      case 'ok':
        return { ok: true, value: convert(reply.value, requestId) };
      case 'error':
        return { ok: false, problem: problemOf(reply.error, requestId, this.#fleet.world.now()) };
      case 'dropped':
      case 'truncated':
        return { ok: false, problem: unknown('connection_lost') };
      default:
        return {
          ok: false,
          problem: {
            ...unknown(unreadable, messages[unreadable]),
            status: reply.kind === 'empty' ? 204 : 200,
            requestId,
          },
        };
    }
  }
}

function problemOf({ status, code, message, retryAfter }: WireError, requestId: string, now: number): Problem {
  const problem = { class: classify({ code, status }), code, message, status, requestId };
  const seconds = secondsOf(String(retryAfter), now);
  return seconds >= 0 ? { ...problem, retryAfter: seconds } : problem;
}

/** NaN for what is neither a number nor a date. */
function secondsOf(retryAfter: string, now: number): number {
  if (/^\d+$/.test(retryAfter)) return Number(retryAfter);
  return / GMT$/.test(retryAfter) ? Math.ceil((Date.parse(retryAfter) - now) / 1000) : Number.NaN;
}

function isMissing({ code, status, class: errorClass }: Problem): boolean {
  return code === 'DCS.3022' || code === '111404022' || (status === 404 && errorClass === 'final');
}

const messages: Readonly<Record<string, string>> = {
  no_results: 'DCS accepted the call without telling a result for each instance.',
};

function unknown(code: string, message = 'No answer that can be read.'): Problem {
  return { class: 'unknown', code, message };
}

function resultsOf(entries: readonly BatchResult[], requestId: string): Omit<Answered, 'kind'> {
  return { results: new Map(entries.map(({ instance, result }) => [instance, result])), requestId };
}

function toInstance({ id, name, engine, version, status, tags, specCode }: InstanceView): Instance {
  return { id, name, engine, version, status, tags, specCode };
}

function toListed(view: InstanceView): ListedInstance {
  const addresses = [...view.ip.toLowerCase().split(','), domainName(view)].filter((each) => each !== '');
  return { ...toInstance(view), addresses, port };
}

function toDetail(view: InstanceView, switches: Switches): InstanceDetail {
  const task = taskOf(view, switches);
  const told = task === null || typeof task === 'string' ? task : JSON.stringify(task);
  return { ...toInstance(view), cacheMode: view.cacheMode, task: told };
}

function toRecord(backup: Backup, at: number): BackupRecord {
  const status = statuses[backupStatusAt(backup, at)];
  const begunAt = at < backup.executionAt ? backup.createdAt : backup.executionAt;
  const error = at < backup.endsAt ? '' : (backup.errorCode ?? '');
  return { id: backup.id, status, takenAt: new Date(begunAt).toISOString(), remark: backup.remark, error };
}

const statuses = {
  succeed: 'succeeded',
  failed: 'failed',
  expired: 'gone',
  waiting: 'going',
  backuping: 'going',
} as const satisfies Record<BackupStatus, BackupRecord['status']>;

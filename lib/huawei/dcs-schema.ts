// The answers of DCS, as far as they are used. Lenient on purpose: the vendor's own samples have numbers where strings are
// documented and the reverse, `{}` for an empty string, and numeric tag keys. What decides over safety is not guessed.

import * as v from 'valibot';
import type { BackupRecord } from '../execute/backup.ts';
import type { Instance, InstanceDetail, ListedInstance } from '../plan/instance.ts';

const scalar = v.pipe(v.union([v.string(), v.number(), v.boolean()]), v.transform(String));
/** A string in whatever form it came; empty where there is none. */
const text = v.fallback(scalar, '');
const id = v.pipe(v.string(), v.nonEmpty(), v.toLowerCase());
const count = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number))]),
  v.safeInteger(),
  v.minValue(0),
);

const tag = v.object({ key: v.pipe(scalar, v.nonEmpty()), value: v.optional(v.nullable(scalar)) });

/**
 * Tags by key. null where anything about them cannot be read, a key with two values included: such an instance counts
 * as protected. An empty list means that there are none.
 */
const tags = v.fallback(
  v.nullable(
    v.pipe(
      v.array(tag),
      v.check((list) => new Set(list.map(({ key }) => key)).size === list.length),
      v.transform((list) => Object.fromEntries(list.map(({ key, value }) => [key, value ?? '']))),
    ),
  ),
  null,
);

const instanceEntries = {
  instance_id: id,
  name: text,
  engine: text,
  engine_version: text,
  status: text,
  spec_code: text,
  tags,
};
const instanceObject = v.object(instanceEntries);
const listedObject = v.object({
  ...instanceEntries,
  ip: text,
  domain_name: text,
  readonly_domain_name: text,
  publicip_address: text,
  port: v.fallback(v.nullable(v.pipe(count, v.maxValue(65_535))), null),
});
const instance = v.pipe(
  listedObject,
  v.transform(
    (answer): ListedInstance => ({ ...toInstance(answer), addresses: addressesOf(answer), port: answer.port }),
  ),
);

/** `GET /instances`. `total` counts all that match; null where it was not told. */
export const page = v.pipe(
  // One item without an id makes the page unreadable. Leaving it out would hide an instance from the caps and from the
  // plan, where every instance of a target stands with a reason, and nothing could name it there.
  v.object({ instances: v.array(instance), instance_num: v.fallback(v.nullable(count), null) }),
  v.transform((answer) => ({ instances: answer.instances, total: answer.instance_num })),
);
/** One page of the list. */
export type Page = v.InferOutput<typeof page>;

/** `GET /instances?limit=1`, of which only the number is wanted. */
export const total = v.pipe(
  v.object({ instance_num: count }),
  v.transform((answer) => answer.instance_num),
);

/** `GET /instances/{id}`. */
export const detail = v.pipe(
  v.object({ ...instanceEntries, cache_mode: text, task: v.optional(v.unknown()) }),
  v.transform(
    (answer): InstanceDetail => ({
      ...toInstance(answer),
      cacheMode: answer.cache_mode === '' ? null : answer.cache_mode,
      task: toTask(answer.task),
    }),
  ),
);

/** `GET /instances/statistic`: key counts by id. An entry that cannot be read only takes away evidence. */
export const keyCounts = v.pipe(
  v.object({ statistics: v.array(v.fallback(v.nullable(v.object({ instance_id: id, keys: count })), null)) }),
  v.transform(
    ({ statistics }) =>
      new Map(statistics.flatMap((entry) => (entry === null ? [] : [[entry.instance_id, entry.keys]]))),
  ),
);

/** `GET /instances/{id}/configs`: whether `appendonly` is on; null where there is no such parameter. */
export const appendonly = v.pipe(
  v.object({ redis_config: v.array(v.object({ param_name: v.string(), param_value: text })) }),
  v.transform((answer) => answer.redis_config.find((entry) => entry.param_name === 'appendonly')?.param_value ?? null),
  v.nullable(v.picklist(['yes', 'no'])),
  v.transform((value) => (value === null ? null : value === 'yes')),
);

const backupStatuses: Readonly<Record<string, BackupRecord['status']>> = {
  succeed: 'succeeded',
  failed: 'failed',
  expired: 'gone',
  deleted: 'gone',
};

const backupRecord = v.pipe(
  v.object({
    backup_id: v.pipe(scalar, v.nonEmpty()),
    status: text,
    created_at: text,
    execution_at: text,
    remark: text,
    error_code: text,
    is_support_restore: text,
  }),
  v.transform((answer): BackupRecord => {
    const status = backupStatuses[answer.status] ?? 'going';
    // What cannot be restored is no backup, whatever its status says.
    const isUseless = status === 'succeeded' && answer.is_support_restore.toUpperCase() === 'FALSE';
    return {
      id: answer.backup_id,
      status: isUseless ? 'failed' : status,
      takenAt: toTime(answer.execution_at) ?? toTime(answer.created_at),
      remark: answer.remark,
      error: answer.error_code,
    };
  }),
);

/** `GET /instances/{id}/backups`: newest first, however they came. */
export const backups = v.pipe(
  v.object({ backup_record_response: v.array(backupRecord) }),
  v.transform((answer) =>
    answer.backup_record_response.toSorted((a, b) => Date.parse(b.takenAt ?? '') - Date.parse(a.takenAt ?? '')),
  ),
);

/** `POST /instances/{id}/backups`. */
export const startedBackup = v.pipe(
  v.object({ backup_id: v.pipe(scalar, v.nonEmpty()) }),
  v.transform((answer) => answer.backup_id),
);

/** `PUT /instances/status`: one entry per instance; those that cannot be read or say something else are left out. */
export const results = v.pipe(
  v.object({
    results: v.array(
      v.fallback(v.nullable(v.object({ instance: id, result: v.picklist(['success', 'failed']) })), null),
    ),
  }),
  v.transform((answer) => answer.results.filter((entry) => entry !== null)),
);

/** The two forms of an error: v2 `{error_code, error_msg}`, v1.0 `{error: {code, message}}`; empty where neither is there. */
export const errorBody = v.object({
  error_code: text,
  error_msg: text,
  request_id: text,
  error: v.fallback(v.object({ code: text, message: text }), { code: '', message: '' }),
});

/** The JSON of a body, or undefined where it is none. */
export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function toInstance(answer: v.InferOutput<typeof instanceObject>): Instance {
  return {
    id: answer.instance_id,
    name: answer.name,
    engine: answer.engine,
    version: answer.engine_version,
    status: answer.status,
    tags: answer.tags,
    specCode: answer.spec_code,
  };
}

/** Several addresses are joined by commas; what is not told is an empty text. */
function addressesOf(answer: v.InferOutput<typeof listedObject>): string[] {
  const { ip, domain_name, readonly_domain_name, publicip_address } = answer;
  const all = [ip, domain_name, readonly_domain_name, publicip_address].flatMap((each) => each.split(','));
  return [...new Set(all.map((each) => each.trim().toLowerCase()).filter((each) => each !== ''))];
}

/**
 * Of any type on the wire. Whatever is there, even an empty object, counts as work in progress. A member that is left out
 * is none, as many services leave out what is null: DCS itself refuses whoever is at work.
 */
function toTask(task: unknown): string | null {
  if (task === null || task === undefined || task === '') return null;
  return typeof task === 'string' ? task : JSON.stringify(task);
}

/** A time in the one form that says where it is; null for anything else. */
function toTime(time: string): string | null {
  if (!/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:?\d\d)$/.test(time)) return null;
  const at = Date.parse(time);
  return Number.isNaN(at) ? null : new Date(at).toISOString();
}

// Instances and errors as the JSON that DCS and its gateway send. Member names and types are those of the OTC API
// reference (api-ref/source, querying_all_dcs_instances.rst and querying_a_dcs_instance.rst).

import type { Json } from '../../canonical.ts';
import { chance } from './chance.ts';
import { createdAt, type InstanceView } from './instance.ts';
import type { Switches } from './unknowns.ts';
import type { WireError } from './wire-errors.ts';

type Members = Readonly<Record<string, Json>>;

/** An item of the list. It has neither `cache_mode` nor `task`. */
export function listItem(view: InstanceView, switches: Switches): Members {
  const plain = {
    instance_id: view.id,
    name: view.name,
    engine: view.engine,
    engine_version: view.version,
    status: view.status,
    spec_code: view.specCode,
    capacity: 0,
    capacity_minor: '.125',
    max_memory: 128,
    used_memory: usedMemory(view),
    ip: addressOf(view),
    port: 6379,
    domain_name: `redis-${view.id.slice(0, 8)}.dcs.example.com`,
    az_codes: ['eu-de-01'],
    created_at: new Date(createdAt).toISOString(),
    updated_at: new Date(view.updatedAt).toISOString(),
    charging_mode: 0,
    enable_ssl: false,
    maintain_begin: '02:00:00',
    maintain_end: '06:00:00',
    no_password_access: 'false',
    enterprise_project_id: '0',
    publicip_id: null,
    ...subStatusOf(view, switches),
    ...tagsOf(view),
  };
  return switches.oddTypes ? { ...plain, ...oddMembers(view) } : plain;
}

/** The answer to GET instances/{id}. */
export function detail(view: InstanceView, switches: Switches): Members {
  return {
    ...listItem(view, switches),
    cache_mode: view.cacheMode,
    task: view.task !== null && switches.taskForm === 'object' ? { name: view.task, status: 'RUNNING' } : view.task,
    db_number: 256,
    replica_count: view.cacheMode === 'single' ? 1 : 2,
    instance_backup_policy: null,
  };
}

/** The answer to GET instances/{id}/configs: `appendonly` only where the instance has it. */
export function configs(view: InstanceView): Members {
  const timeout = { param_id: '1', param_name: 'timeout', param_value: '0', need_restart: false };
  const value = view.appendonly === true ? 'yes' : 'no';
  const appendonly = { param_id: '2', param_name: 'appendonly', param_value: value, need_restart: false };
  return {
    instance_id: view.id,
    status: view.status,
    config_status: 'SUCCESS',
    redis_config: view.appendonly === null ? [timeout] : [timeout, appendonly],
  };
}

/** The answer to GET instances/statistic for these instances. */
export function statistic(views: readonly InstanceView[]): Members {
  return {
    statistics: views.map((view) => ({
      instance_id: view.id,
      keys: view.keys,
      used_memory: usedMemory(view),
      max_memory: 128,
      cmd_get_count: 0,
      cmd_set_count: 0,
      input_kbps: '0',
      output_kbps: '0',
      used_cpu: '0.0',
    })),
  };
}

const countedStates = [
  'paying',
  'freezing',
  'migrating',
  'flushing',
  'upgrading',
  'restoring',
  'extending',
  'creating',
  'running',
  'error',
  'frozen',
  'createfailed',
  'restarting',
] as const;

/** The answer to GET instances/status: instances by state, in all and by engine. */
export function counters(views: readonly InstanceView[]): Members {
  const redis = countByState(views.filter(({ engine }) => engine === 'Redis'));
  const memcached = countByState(views.filter(({ engine }) => engine === 'Memcached'));
  return { ...countByState(views), redis, memcached };
}

/** The body of an error: the gateway names its request, DCS has an extra member that is always null. */
export function errorBody({ code, message }: WireError, requestId: string): Members {
  const members = { error_code: code, error_msg: message };
  return code.startsWith('APIG') ? { ...members, request_id: requestId } : { ...members, error_ext_msg: null };
}

function countByState(views: readonly InstanceView[]): Members {
  return Object.fromEntries(
    countedStates.map((state) => [
      `${state}_count`,
      views.filter(({ status }) => status.toLowerCase() === state).length,
    ]),
  );
}

function subStatusOf({ status }: InstanceView, { subStatus }: Switches): Members {
  if (subStatus === 'absent') return {};
  return { sub_status: subStatus === 'by-state' && status !== 'RUNNING' ? status.toLowerCase() : 'normal' };
}

function tagsOf({ tags }: InstanceView): Members {
  return tags === null ? {} : { tags: Object.entries(tags).map(([key, value]) => ({ key, value })) };
}

/** As the vendor's own samples have them, against its own tables. */
function oddMembers({ tags }: InstanceView): Members {
  const odd = { no_password_access: false, enterprise_project_id: 0, publicip_id: {}, capacity: 0.125 };
  if (tags === null) return odd;
  const asNumber = (text: string) => (/^[1-9]\d{0,8}$/.test(text) ? Number(text) : text);
  return { ...odd, tags: Object.entries(tags).map(([key, value]) => ({ key: asNumber(key), value: asNumber(value) })) };
}

function usedMemory({ keys }: InstanceView): number {
  return Math.min(128, 2 + Math.ceil(keys / 10_000));
}

function addressOf({ id }: InstanceView): string {
  return `192.168.${Math.floor(chance(0, id, 'net') * 256)}.${2 + Math.floor(chance(0, id, 'host') * 250)}`;
}

// Instances and errors as the JSON that DCS and its gateway send. Member names and types are those of the OTC API
// reference (api-ref/source, querying_all_dcs_instances.rst and querying_a_dcs_instance.rst).

import type { Json } from '../../canonical.ts';
import { createdAt, type InstanceView } from './instance.ts';
import type { Switches } from './unknowns.ts';

type Members = Readonly<Record<string, Json>>;

/** The port of every instance. */
export const port = 6379;

/** The name under which clients connect to an instance. */
export function domainName({ id }: Pick<InstanceView, 'id'>): string {
  return `redis-${id.slice(0, 8)}.dcs.example.com`;
}

/** An item of the list. It has neither `cache_mode` nor `task`. */
export function listItem(view: InstanceView, switches: Switches): Members {
  const plain = {
    instance_id: view.id,
    name: view.name,
    description: '',
    engine: view.engine,
    engine_version: view.version,
    status: view.status,
    spec_code: view.specCode,
    ...sizeOf(view),
    ip: view.ip,
    port,
    domain_name: domainName(view),
    readonly_domain_name: null,
    ...networkMembers,
    az_codes: ['eu-de-01'],
    created_at: new Date(createdAt).toISOString(),
    updated_at: new Date(view.updatedAt).toISOString(),
    ...plainMembers,
    ...subStatusOf(view, switches),
    ...tagsOf(view),
  };
  return switches.oddTypes ? { ...plain, ...oddMembers(view) } : plain;
}

function sizeOf(view: InstanceView): Members {
  const { capacity } = view;
  return {
    capacity: Math.floor(capacity),
    capacity_minor: capacity < 1 ? String(capacity).replace(/^0/, '') : '',
    max_memory: capacity * 1_024,
    used_memory: usedMemory(view),
  };
}

const networkMembers = {
  vpc_id: '11111111-2222-4333-8444-555555555555',
  vpc_name: 'vpc-simulated',
  subnet_id: '22222222-3333-4444-8555-666666666666',
  security_group_id: '33333333-4444-4555-8666-777777777777',
  publicip_id: null,
  publicip_address: null,
  enable_publicip: false,
  enable_ssl: false,
};

const plainMembers = {
  charging_mode: 0,
  order_id: null,
  maintain_begin: '02:00:00',
  maintain_end: '06:00:00',
  no_password_access: 'false',
  access_user: null,
  user_id: '0123456789abcdef0123456789abcdef',
  user_name: 'simulator',
  enterprise_project_id: '0',
  cpu_type: 'x86_64',
  service_upgrade: false,
  service_task_id: '',
  features: {
    support_acl: true,
    support_transparent_client_ip: true,
    support_ssl: true,
    support_audit_log: false,
  },
};

/** The answer to GET instances/{id}. */
export function detail(view: InstanceView, switches: Switches): Members {
  return {
    ...listItem(view, switches),
    cache_mode: view.cacheMode,
    ...taskMember(view, switches),
    db_number: 256,
    replica_count: view.replicas,
    sharding_count: isCluster(view) ? 3 : 0,
    product_type: 'generic',
    storage_type: 'DRAM',
    available_zones: ['0123456789abcdef0123456789abcd01'],
    enterprise_project_name: 'default',
    subnet_name: 'subnet-simulated',
    subnet_cidr: '192.168.0.0/16',
    security_group_name: 'default',
    launched_at: '2026-01-05T08:05:00.000Z',
    update_at: new Date(view.updatedAt).toISOString(),
    bandwidth_info: null,
    domain_name_info: null,
    instance_backup_policy: null,
  };
}

function isCluster({ cacheMode }: InstanceView): boolean {
  return cacheMode === 'cluster' || cacheMode === 'proxy';
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
      max_memory: view.capacity * 1_024,
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

/** The answer to the same call of the API's older version, which OTC documents with four states more. */
export function oldCounters(views: readonly InstanceView[]): Members {
  return countByState(views, [...countedStates, 'deleting', 'closed', 'starting', 'closing']);
}

function countByState(views: readonly InstanceView[], states: readonly string[] = countedStates): Members {
  return Object.fromEntries(
    states.map((state) => [`${state}_count`, views.filter(({ status }) => status.toLowerCase() === state).length]),
  );
}

function taskMember(view: InstanceView, switches: Switches): Members {
  const task = taskOf(view, switches);
  return task === null && switches.taskForm === 'absent' ? {} : { task };
}

/** What the member `task` of a detail says. */
export function taskOf({ task }: InstanceView, { taskForm }: Switches): Json {
  return task !== null && taskForm === 'object' ? { name: task, status: 'RUNNING' } : task;
}

function subStatusOf({ status }: InstanceView, { subStatus }: Switches): Members {
  if (subStatus === 'absent') return {};
  return { sub_status: subStatus === 'by-state' && status !== 'RUNNING' ? status.toLowerCase() : 'normal' };
}

function tagsOf({ tags }: InstanceView): Members {
  return tags === null ? {} : { tags: Object.entries(tags).map(([key, value]) => ({ key, value })) };
}

/** As the vendor's own samples have them, against its own tables. */
function oddMembers({ tags, capacity }: InstanceView): Members {
  const odd = { no_password_access: false, enterprise_project_id: 0, publicip_id: {}, capacity };
  if (tags === null) return odd;
  const asNumber = (text: string) => (/^[1-9]\d{0,8}$/.test(text) ? Number(text) : text);
  return { ...odd, tags: Object.entries(tags).map(([key, value]) => ({ key: asNumber(key), value: asNumber(value) })) };
}

function usedMemory({ keys, capacity }: InstanceView): number {
  return Math.min(capacity * 1_024, 2 + Math.ceil(keys / 10_000));
}

// What an instance is before anything has happened to it: the spec of a test or a file, completed with what a small
// Redis of that type usually has.

import { chance } from './chance.ts';
import { createdAt, type InstanceSpec, type InstanceState } from './instance.ts';

/** An instance that nothing has happened to. */
export function newInstance(spec: InstanceSpec): InstanceState {
  const engine = spec.engine ?? 'Redis';
  const cacheMode = spec.cacheMode ?? 'ha';
  const replicas = spec.replicas ?? (cacheMode === 'single' ? 1 : 2);
  return {
    id: spec.id,
    name: spec.name,
    engine,
    version: spec.version ?? '5.0',
    specCode: spec.specCode ?? `${engine.toLowerCase()}.${cacheMode}.xu1.large.2`,
    cacheMode,
    replicas,
    capacity: spec.capacity ?? 0.125,
    ip: spec.ip ?? addressOf(spec.id),
    tags: spec.tags === undefined ? {} : spec.tags,
    appendonly: spec.appendonly === undefined ? usualAppendonly(engine, cacheMode, replicas) : spec.appendonly,
    keys: spec.keys ?? 1_000,
    status: spec.status ?? 'RUNNING',
    task: spec.task ?? null,
    backups: spec.backups ?? [],
    tasks: spec.tasks ?? [],
    periods: [],
    work: null,
    updatedAt: createdAt,
    lastLoss: null,
    applied: { restart: 0, soft_restart: 0, flush: 0 },
  };
}

/** On, but for clusters of one replica; a single node and Memcached have no such parameter. Source: DCS FAQ 0220330. */
function usualAppendonly(engine: string, cacheMode: string, replicas: number): boolean | null {
  if (engine !== 'Redis' || cacheMode === 'single') return null;
  return replicas > 1;
}

function addressOf(id: string): string {
  return `192.168.${Math.floor(chance(0, id, 'net') * 256)}.${2 + Math.floor(chance(0, id, 'host') * 250)}`;
}

// A simulated fleet that a target selects, whatever it selects by: the instances of the simulator's usual mix, renamed and
// tagged so that the target means them.

import type { Job, Target } from '../../config.ts';
import { AutopilotError } from '../../errors.ts';
import type { Instance } from '../../plan/instance.ts';
import { select } from '../../plan/select.ts';
import { chance } from '../simulator/chance.ts';
import type { InstanceSpec } from '../simulator/instance.ts';
import { makeInstances } from '../simulator/make-fleet.ts';

/** Instances, and of how many in their project they are. */
export interface TargetFleet {
  readonly instances: readonly InstanceSpec[];
  readonly total: number;
}

/**
 * `count` instances that the target of a job selects. Their project is as large as its caps need it to be, unless the
 * target selects whatever there is. Throws AutopilotError `target_unplayable` where none can be made up.
 */
export function targetFleet(job: Job, count: number, seed: number): TargetFleet {
  const made = makeInstances(count, seed).map((spec, i) => belonging(job, spec, i, seed));
  const stranger = { ...seenAs({ id: '00000000-0000-4000-8000-000000000000', name: 'elsewhere' }) };
  const selected = select(job.target, made.map(seenAs)).length;
  if (selected < count) {
    const message = `the target ${job.target.name} takes ${selected} of ${count} made-up instances; give it fewer with --instances`;
    throw new AutopilotError('target_unplayable', message);
  }
  const isAll = select(job.target, [stranger]).length > 0;
  const total = isAll ? count : Math.max(count, Math.ceil((count * 100) / job.guards.maxPercent));
  return { instances: made, total };
}

function belonging({ target, waves, project }: Job, spec: InstanceSpec, i: number, seed: number): InstanceSpec {
  const { tag, values } = waves.order;
  const ordered = values[Math.floor(chance(seed, 'order', i) * values.length)];
  const tags = {
    ...spec.tags,
    ...(ordered !== undefined && { [tag]: ordered }),
    ...(project.allowTag !== null && { [project.allowTag]: 'restart soft_restart flush' }),
    ...target.tags,
  };
  const id = target.ids[i] ?? spec.id;
  return { ...spec, id, name: nameIn(target, spec.name, i), tags: withoutExcluded(target, tags) };
}

/** A name that one of the globs takes: `stg-*` and `prd-cache-03` give `stg-cache-03`. */
function nameIn({ names }: Target, made: string, i: number): string {
  const glob = names[i % Math.max(1, names.length)];
  return glob === undefined ? made : glob.replace(/\*+/g, made.replace(/^[a-z]+-/, '')).replaceAll('?', String(i % 10));
}

function withoutExcluded({ exclude, tags: wanted }: Target, tags: Readonly<Record<string, string>>) {
  return Object.fromEntries(
    Object.entries(tags).filter(([key, value]) => Object.hasOwn(wanted, key) || exclude.tags[key] !== value),
  );
}

/** As the list of instances shows it, as far as a target looks. */
function seenAs({ id, name, tags = {} }: Pick<InstanceSpec, 'id' | 'name' | 'tags'>): Instance {
  return { id, name, tags, engine: 'Redis', version: '5.0', status: 'RUNNING', specCode: '' };
}

// What has changed between a plan that somebody saw and the fleet as it is now: in sentences for people, and which
// planned instances may not be acted on any more.

import * as v from 'valibot';
import type { ExcludedInstance, Plan, PlannedInstance } from '../plan.ts';

/** A plan without its waves. */
interface Lists {
  readonly planned: readonly PlannedInstance[];
  readonly excluded: readonly ExcludedInstance[];
}

/** Instances that one sentence names. */
const shown = 5;

/** How `now` differs from the plan that was seen before; empty where it is in the order or the size of waves only. */
export function differences(before: Lists, now: Pick<Plan, 'waves' | 'excluded'>): string[] {
  const isNow = new Map(now.waves.flat().map((each) => [each.instanceId, each]));
  const wasBefore = new Map(before.planned.map((each) => [each.instanceId, each]));
  const out = new Map(now.excluded.map((each) => [each.instanceId, each]));
  const gone = before.planned.filter(({ instanceId }) => !isNow.has(instanceId));
  const added = [...isNow.values()].filter(({ instanceId }) => !wasBefore.has(instanceId));
  const destroyed = [...isNow.values()].filter(
    ({ instanceId, dataLoss }) => dataLoss && wasBefore.get(instanceId)?.dataLoss === false,
  );
  return [
    sentence('no longer planned', gone, ({ instanceId }) => out.get(instanceId)?.code ?? 'not selected any more'),
    sentence('newly planned', added),
    sentence('now losing data', destroyed),
  ].flat();
}

function sentence(
  what: string,
  list: readonly PlannedInstance[],
  why: (each: PlannedInstance) => string = () => '',
): string[] {
  if (list.length === 0) return [];
  const names = list.slice(0, shown).map((each) => {
    const name = each.name === '' ? each.instanceId : each.name;
    return why(each) === '' ? name : `${name} (${why(each)})`;
  });
  const more = list.length > shown ? ` and ${list.length - shown} more` : '';
  return [`${list.length} ${what}: ${names.join(', ')}${more}`];
}

/** A planned instance that changed while the plan waited. */
export interface Drifted {
  readonly instanceId: string;
  readonly reason: string;
}

/** Stored entries, read back. */
export const driftedSchema = v.object({
  instanceId: v.string(),
  reason: v.string(),
}) satisfies v.GenericSchema<unknown, Drifted>;

/** The planned instances that a plan made now would leave out, or whose data would now be lost. */
export function drifted(before: Plan, now: Plan): Drifted[] {
  const isNow = new Map(now.waves.flat().map((each) => [each.instanceId, each]));
  const out = new Map(now.excluded.map((each) => [each.instanceId, each]));
  return before.waves.flat().flatMap(({ instanceId, dataLoss }) => {
    const still = isNow.get(instanceId);
    if (still === undefined)
      return [{ instanceId, reason: out.get(instanceId)?.reason ?? 'it is not selected any more' }];
    return still.dataLoss && !dataLoss ? [{ instanceId, reason: 'the action would now destroy its data' }] : [];
  });
}

// The retry budget of a project: how many calls that repeat something may be sent in an hour, over all its runs. When
// everything fails, it is what keeps many runs from hammering the service together.

import * as v from 'valibot';
import { type Project, projectKey } from '../config.ts';
import { asJson } from '../record.ts';
import { day } from '../retention.ts';
import type { Key, State } from '../state.ts';

const minute = 60_000;

/** Calls by minute since the epoch, at most the last 60 of them. */
const spentSchema = v.record(v.string(), v.number());

/** Takes `calls` from the budget; false, and nothing taken, when there is not enough left for the last 60 minutes. */
export async function takeRetries(state: State, project: Project, calls: number, now: number): Promise<boolean> {
  for (;;) {
    const item = await state.get(keyOf(project));
    const spent = recent(item === undefined ? {} : v.parse(spentSchema, item.value), now);
    const sum = Object.values(spent).reduce((a, b) => a + b, 0);
    if (sum + calls > project.rate.retriesPerHour) return false;
    const current = String(Math.floor(now / minute));
    const value = asJson({ ...spent, [current]: (spent[current] ?? 0) + calls });
    // What is older than an hour counts no more.
    const options = { expiresAt: now + day };
    const written =
      item === undefined
        ? await state.putIfAbsent(keyOf(project), value, options)
        : await state.updateIf(keyOf(project), item.version, value, options);
    if (written) return true;
  }
}

function recent(spent: Readonly<Record<string, number>>, now: number): Record<string, number> {
  const oldest = Math.floor(now / minute) - 59;
  return Object.fromEntries(Object.entries(spent).filter(([at]) => Number(at) >= oldest));
}

function keyOf(project: Project): Key {
  return { pk: `project#${projectKey(project)}`, sk: 'retries' };
}

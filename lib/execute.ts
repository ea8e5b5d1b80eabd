// 4. Do it once: batches of at most 50, and one outcome per instance. Declares the port to DCS.

import type { Problem } from './classify.ts';
import type { Action } from './config.ts';
import type { Instance, InstanceDetail } from './plan.ts';

/** A read that worked, or what went wrong. Never throws for anything that a service or network can do. */
export type Reading<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

/** The answer to one status call. Results are matched by id; an id that is missing has no entry. */
export type Answer =
  | {
      readonly kind: 'answered';
      readonly results: ReadonlyMap<string, 'success' | 'failed'>;
      readonly requestId?: string;
    }
  /** The whole call was refused, or never reached DCS (`problem.class` tells). */
  | { readonly kind: 'refused'; readonly problem: Problem }
  /** Whether it was applied cannot be known from the answer (5xx, time-out, lost connection, no results). */
  | { readonly kind: 'lost'; readonly problem: Problem };

/** Everything the work needs of DCS, for one project. Implemented by lib/huawei/dcs.ts and by the tests' fake. */
export interface DcsApi {
  /** All instances that carry all of `tags` (none: all instances), every page of it. */
  list(tags: Readonly<Record<string, string>>): Promise<Reading<readonly Instance[]>>;
  /** The number of all instances of the project, unfiltered. */
  total(): Promise<Reading<number>>;
  /** One instance; null when it does not exist. */
  show(id: string): Promise<Reading<InstanceDetail | null>>;
  /** Whether data survives a process: the parameter `appendonly`; null where the instance has no such parameter. */
  appendonly(id: string): Promise<Reading<boolean | null>>;
  /** Key counts of the running instances. */
  keyCounts(): Promise<Reading<ReadonlyMap<string, number>>>;
  /** Sends one action to 1-50 distinct instances, once. */
  act(action: Action, ids: readonly string[]): Promise<Answer>;
}

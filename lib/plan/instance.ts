// What is known of an instance, and what may be done to one that is like this.

import { type Action, actions, type Project, type Tag } from '../config.ts';

/** What the list of instances tells about one. */
export interface Instance {
  readonly id: string;
  readonly name: string;
  /** `Redis`, `Memcached`. */
  readonly engine: string;
  /** `5.0`. */
  readonly version: string;
  /** A state of the API, or one that is not known yet. */
  readonly status: string;
  /** null where the tags could not be read: such an instance counts as protected. */
  readonly tags: Readonly<Record<string, string>> | null;
  readonly specCode: string;
}

/** An instance of the list, with what clients connect to: an alert may name it by that. */
export interface ListedInstance extends Instance {
  /** IP addresses and domain names, in lower case; none where there are none yet. */
  readonly addresses: readonly string[];
  /** null where it was not told. */
  readonly port: number | null;
}

/** What only the detail call tells: the instance's type and what is being done to it (null when idle). */
export interface InstanceDetail extends Instance {
  /** `single`, `ha`, `cluster`, `proxy`, `ha_rw_split`; null where it was not told. */
  readonly cacheMode: string | null;
  readonly task: string | null;
}

/** What the detail call told of a selected instance, later than the list: null where there was no need to ask. */
export interface Detail {
  readonly status: string;
  readonly tags: Instance['tags'];
  readonly cacheMode: string | null;
  readonly task: string | null;
  readonly appendonly: boolean | null;
  /** Until when the job leaves it alone after its last success, ISO 8601 UTC; null: not at all. */
  readonly coolsUntil: string | null;
}

/** Whether an instance may never be touched: it carries the tag, or its tags could not be read. */
export function isProtected(protectedTag: Tag, tags: Instance['tags']): boolean {
  return tags === null || tags[protectedTag.key] === protectedTag.value;
}

/**
 * Whether an instance allows destructive work where the project asks for it: the value of the tag lists the action,
 * between whatever separates words there. A word that is no action makes it a sentence, which might say no.
 */
export function isAllowed(action: Action, { allowTag }: Pick<Project, 'allowTag'>, tags: Instance['tags']): boolean {
  if (allowTag === null) return true;
  const value = tags !== null && Object.hasOwn(tags, allowTag) ? (tags[allowTag] ?? '') : '';
  const words = value.split(/[^A-Za-z0-9_]+/).filter((word) => word !== '');
  return words.every((word) => actions.some((each) => each === word)) && words.includes(action);
}

/** The states in which DCS takes an action (its state table, its user guide on restarting and on clearing data). */
export const states: Readonly<Record<Action, readonly string[]>> = {
  restart: ['RUNNING', 'ERROR'],
  soft_restart: ['RUNNING', 'ERROR'],
  flush: ['RUNNING'],
};

/** Whether DCS takes the action in this state. States that nobody has listed yet count as busy. */
export function isActionable(action: Action, status: string): boolean {
  return states[action].includes(status);
}

/**
 * Whether a restart destroys data: always on one node, elsewhere unless `appendonly` is on. What could not be read
 * counts as loss. Source: the vendor's FAQ on data after a restart.
 */
export function losesData(action: Action, instance: Instance, detail: Detail): boolean {
  if (action === 'flush') return true;
  if (instance.engine !== 'Redis') return true;
  const mode = detail.cacheMode ?? modeOf(instance.specCode);
  return mode === null || mode === 'single' || detail.appendonly !== true;
}

/** Why DCS does not take the action for this engine or version; null where it does. */
export function unsupported(action: Action, { engine, version }: Instance): string | null {
  if (action === 'restart') return null;
  if (engine !== 'Redis') return `${action} is for Redis, this is ${engine}`;
  if (action === 'flush' && !(Number.parseInt(version, 10) >= 4)) {
    return `flush needs Redis 4.0 or later, this is ${version === '' ? 'of unknown version' : version}`;
  }
  return null;
}

/** The type of an instance as its specification spells it (`redis.ha.xu1.tiny.r2.128`); null when it does not. */
function modeOf(specCode: string): string | null {
  return /^redis\.(single|ha|cluster|proxy)\b/.exec(specCode)?.[1] ?? null;
}

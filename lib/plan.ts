// 2. What to do: which instances, in which waves, each with a reason; and every excluded one with a code. Pure.

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

/** What only the detail call tells: the instance's type and what is being done to it (null when idle). */
export interface InstanceDetail extends Instance {
  /** `single`, `ha`, `cluster`, `proxy`, `ha_rw_split`; null where it was not told. */
  readonly cacheMode: string | null;
  readonly task: string | null;
}

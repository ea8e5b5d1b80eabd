// The bucket of a project (lib/rate.ts) as all its processes share it: one item of the state, changed by conditional
// writes. Where the state does not answer, a process goes on alone with the bucket as it knew it last: calls are then
// neither kept waiting for ever nor sent without limit.

import * as v from 'valibot';
import { type Bucket, bucketSchema, freshBucket } from '../rate.ts';
import { asJson } from '../record.ts';
import { day } from '../retention.ts';
import type { Log } from '../runtime.ts';
import type { Item, Key, State } from '../state.ts';

/** Where a bucket is shared. `now`: ms since the epoch. */
export interface SharedBucketOptions {
  readonly state: State;
  readonly key: Key;
  readonly now: () => number;
  readonly log: Pick<Log, 'warn'>;
}

/** What becomes of a bucket, and what its change was for. */
export interface Change<T> {
  readonly bucket: Bucket;
  readonly value: T;
}

/** Changes a bucket; `known` is how this process knew it last. */
export interface Buckets {
  readonly known: Bucket;
  change<T>(work: (bucket: Bucket) => Change<T>): Promise<T>;
}

/** Tries of one change before a process goes on alone with it: others write about once a second each. */
const enoughTries = 8;

/** Ms for which a state that did not answer is not asked again. */
const silence = 30_000;

/** The bucket of a process that is alone. */
export class OwnBucket implements Buckets {
  known: Bucket = freshBucket;

  async change<T>(work: (bucket: Bucket) => Change<T>): Promise<T> {
    const { bucket, value } = work(this.known);
    this.known = bucket;
    return value;
  }
}

/** The bucket that all processes of a project share. */
export class SharedBucket implements Buckets {
  readonly #options: SharedBucketOptions;
  readonly #own = new OwnBucket();
  /** When the state last did not answer. */
  #awayAt = Number.NEGATIVE_INFINITY;

  constructor(options: SharedBucketOptions) {
    this.#options = options;
  }

  get known(): Bucket {
    return this.#own.known;
  }

  async change<T>(work: (bucket: Bucket) => Change<T>): Promise<T> {
    const { now, key, log } = this.#options;
    const away = now() - this.#awayAt;
    if (away >= 0 && away < silence) return this.#own.change(work);
    try {
      for (let tries = 0; tries < enoughTries; tries += 1) {
        const changed = await this.#try(work);
        if (changed !== null) return changed.value;
      }
      log.warn('the rate of a project is wanted by too many at once', { project: key.pk });
    } catch (error) {
      this.#awayAt = now();
      log.warn('the rate of a project cannot be shared', { project: key.pk, error });
    }
    return this.#own.change(work);
  }

  /** One read and, where that changes anything, one write; null where somebody else has written in between. */
  async #try<T>(work: (bucket: Bucket) => Change<T>): Promise<Change<T> | null> {
    const item = await this.#options.state.get(this.#options.key);
    const before = bucketOf(item);
    const changed = work(before);
    this.#own.known = before;
    const isSame = changed.bucket.next === before.next && changed.bucket.cut === before.cut;
    if (!isSame && !(await this.#write(item, changed.bucket))) return null;
    this.#own.known = changed.bucket;
    return changed;
  }

  #write(item: Item | undefined, bucket: Bucket): Promise<boolean> {
    const { state, key, now } = this.#options;
    const options = { expiresAt: Math.ceil(Math.max(now(), bucket.next)) + day };
    return item === undefined
      ? state.putIfAbsent(key, asJson(bucket), options)
      : state.updateIf(key, item.version, asJson(bucket), options);
  }
}

function bucketOf(item: Item | undefined): Bucket {
  return item === undefined ? freshBucket : v.parse(bucketSchema, item.value);
}

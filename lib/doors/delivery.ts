// What is remembered of a delivery: which run it belongs to, and that this run was stored. A run is never started before
// that is noted, so that a delivery which comes again long after its run was forgotten is told from one whose run got lost.

import * as v from 'valibot';
import { DoorError } from '../errors.ts';
import { type Delivery, deliveryKey, type RunRecord } from '../record.ts';
import { expiryOf } from '../retention.ts';
import type { State } from '../state.ts';

const deliverySchema = v.object({ bodyHash: v.string(), runId: v.string(), stored: v.optional(v.boolean(), false) });

/** The run of a delivery. `stored`: it was stored, so that it is forgotten where it is not found. */
export type Claim = Pick<v.InferOutput<typeof deliverySchema>, 'runId' | 'stored'>;

/** What is known of a delivery, or undefined. Throws DoorError 409 `key_reused` for a known key with another body. */
export async function readDelivery(state: State, { door, key, bodyHash }: Delivery): Promise<Claim | undefined> {
  const item = await state.get(deliveryKey(door, key));
  if (item === undefined) return undefined;
  const known = v.parse(deliverySchema, item.value);
  if (known.bodyHash === bodyHash) return known;
  throw new DoorError(409, 'key_reused', 'This key was used before, with another body.');
}

/** The run that this delivery belongs to: `own`, or the one that it was given before. Throws what readDelivery throws. */
export async function claim(state: State, delivery: Delivery, own: RunRecord): Promise<Claim> {
  const { door, key, bodyHash } = delivery;
  const value = { bodyHash, runId: own.runId };
  const isNew = await state.putIfAbsent(deliveryKey(door, key), value, { expiresAt: expiryOf(own) });
  const known = isNew ? undefined : await readDelivery(state, delivery);
  return known ?? { runId: own.runId, stored: false };
}

/**
 * Notes that the run of a delivery is stored, which may be done again; to be called before the run is started. From now
 * on the delivery is remembered for as long as the run can be.
 */
export async function noteStored(state: State, record: RunRecord): Promise<void> {
  if (record.delivery === undefined) return;
  const { door, key, bodyHash } = record.delivery;
  const value = { bodyHash, runId: record.runId, stored: true };
  await state.put(deliveryKey(door, key), value, { expiresAt: expiryOf(record) });
}

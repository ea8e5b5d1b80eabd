// Messages that belong to no run: kept where each tick looks anyway, until an execution has told them. The same message is
// kept once, whoever posts it again.

import * as v from 'valibot';
import { hashOf } from '../canonical.ts';
import { asJson } from '../record.ts';
import { day } from '../retention.ts';
import type { Item, Key, State } from '../state.ts';
import type { Message } from './notice.ts';

/** The partition of what ticks remember, and how keys of messages begin there. */
export const tickPartition = 'tick';
export const postPrefix = 'post#';

/** Whoever listens to this status hears of what belongs to no run: such messages say why alerts start nothing. */
export const postStatus = 'refused';

/** For how long a message is remembered, so that it is not posted again; ms. */
const kept = 31 * day;

const postSchema = v.object({
  state: v.picklist(['due', 'told', 'lost']),
  message: v.object({
    id: v.string(),
    kind: v.string(),
    title: v.string(),
    lines: v.array(v.string()),
    data: v.record(v.string(), v.unknown()),
  }),
});

/** A message that was posted, and what came of it. */
export type Post = v.InferOutput<typeof postSchema>;

/** Posts a message; its name, by which it is told, or null where it was posted before. */
export async function post(state: State, message: Message, now: number): Promise<string | null> {
  const name = `post-${hashOf([message.id]).slice(0, 20)}`;
  const isNew = await state.putIfAbsent(keyOf(name), asJson({ state: 'due', message }), { expiresAt: now + kept });
  return isNew ? name : null;
}

/** A posted message, or undefined. */
export async function readPost(state: State, name: string): Promise<Post | undefined> {
  const item = await state.get(keyOf(name));
  return item === undefined ? undefined : v.parse(postSchema, item.value);
}

/** The names of those messages among the items of a tick that nobody was told of yet. */
export function duePosts(items: readonly Item[]): string[] {
  const posts = items.filter(({ sk }) => sk.startsWith(postPrefix));
  return posts
    .filter(({ value }) => v.parse(postSchema, value).state === 'due')
    .map(({ sk }) => sk.slice(postPrefix.length));
}

/** Notes what came of a message; false where that was noted before. */
export async function settlePost(state: State, name: string, outcome: 'told' | 'lost'): Promise<boolean> {
  for (;;) {
    const item = await state.get(keyOf(name));
    if (item === undefined) return false;
    const found = v.parse(postSchema, item.value);
    if (found.state !== 'due') return false;
    if (await state.updateIf(keyOf(name), item.version, asJson({ ...found, state: outcome }))) return true;
  }
}

function keyOf(name: string): Key {
  return { pk: tickPartition, sk: `${postPrefix}${name}` };
}

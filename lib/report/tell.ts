// Tells somebody, durably: each listener is told in a step of its own, again after a pause where that may help, and given up
// soon. A broken chat neither fails a run nor keeps it from its end for long.

import type { Notify } from '../config.ts';
import type { Engine } from '../engine.ts';
import { plannedSchema } from '../plan.ts';
import { type RunStatus, readList, readRecord, updateRecord } from '../record.ts';
import { outcomeSchema } from '../report.ts';
import type { Desk } from './keep.ts';
import { listenersOf, type Message, messageOf, noticeOf } from './notice.ts';
import { postStatus, readPost, settlePost } from './post.ts';

/** What came of telling. `again`: it may work later. `reason`: a sentence without any secret. */
export type Told = { readonly ok: true } | { readonly ok: false; readonly again: boolean; readonly reason: string };

/** The port: tells one listener once. Never rejects for what a network or the other side does. */
export type Messenger = (to: Notify, message: Message) => Promise<Told>;

/** What telling works with. */
export interface TellDesk extends Desk {
  readonly messenger: Messenger;
}

/** Seconds before the second try and the third, which is the last one. */
export const pauses = [10, 60] as const;

/**
 * Tells all listeners. `name` is that of its steps, and no other's in the run; `message` makes what is told, inside the
 * steps, or null where there is nothing to tell any more. Answers with how many could not be told.
 */
export async function tellAll(
  engine: Engine,
  name: string,
  listeners: readonly Notify[],
  message: () => Promise<Message | null>,
  desk: TellDesk,
): Promise<number> {
  let open = [...listeners.entries()];
  let lost = 0;
  for (let round = 0; open.length > 0; round++) {
    const isLast = round === pauses.length;
    const told = await Promise.all(
      open.map(([i, to]) => engine.step(`${name} ${i + 1}`, () => tellOne(to, message, isLast, desk))),
    );
    lost += told.filter((each) => each === 'lost').length;
    open = open.filter((_, k) => told[k] === 'again');
    const pause = pauses[round];
    if (open.length > 0 && pause !== undefined) await engine.wait(`${name} again`, pause);
  }
  return lost;
}

async function tellOne(
  to: Notify,
  message: () => Promise<Message | null>,
  isLast: boolean,
  { messenger, log, metrics }: TellDesk,
): Promise<'told' | 'again' | 'lost'> {
  const said = await message();
  if (said === null) return 'told';
  const told = await messenger(to, said);
  if (told.ok) return 'told';
  const facts = { notice: said.id, to: to.to, reason: told.reason };
  if (told.again && !isLast) {
    log.info('notice will be sent again', facts);
    return 'again';
  }
  log.warn('notice lost', facts);
  metrics.count('NoticesLost', 1);
  return 'lost';
}

/** Tells `listeners` of the end of a run and notes that in its record. Undefined: nobody has to be told. */
export async function tellEnd(
  engine: Engine,
  runId: string,
  listeners: readonly Notify[] | undefined,
  desk: TellDesk,
): Promise<void> {
  if (listeners === undefined) return;
  const lost = await tellAll(engine, 'notice', listeners, () => messageFor(runId, null, desk), desk);
  await engine.step('told', async () => {
    const notice = lost === 0 ? 'told' : 'lost';
    await updateRecord(desk.state, runId, (before) => (before.notice === 'due' ? { ...before, notice } : null));
  });
}

/** Tells a message that belongs to no run, and notes that. */
export async function tellPost(name: string, engine: Engine, desk: TellDesk): Promise<'told' | 'lost'> {
  const listeners = await engine.step('whom to tell', async () => {
    const found = await readPost(desk.state, name);
    return found?.state === 'due' ? listenersOf(desk.config, postStatus) : [];
  });
  const message = async (): Promise<Message | null> => (await readPost(desk.state, name))?.message ?? null;
  const lost = await tellAll(engine, 'notice', listeners, message, desk);
  return engine.step('told', async () => {
    const outcome = lost === 0 ? 'told' : 'lost';
    await settlePost(desk.state, name, outcome);
    return outcome;
  });
}

/** Tells that a plan awaits its approval; whoever listens is found out once. */
export async function tellAsked(engine: Engine, runId: string, desk: TellDesk): Promise<void> {
  const status = 'awaiting_approval';
  const listeners = await engine.step('whom to ask', async () => listenersOf(desk.config, status));
  await tellAll(engine, 'question', listeners, () => messageFor(runId, status, desk), desk);
}

/** The message about a run as it is now; null where it has not this status any more, or was answered. */
async function messageFor(runId: string, status: RunStatus | null, desk: Desk): Promise<Message | null> {
  const record = await readRecord(desk.state, runId);
  if (record === undefined) return null;
  const isOver = record.status !== status || record.approval?.decision !== undefined || record.stop !== undefined;
  if (status !== null && isOver) return null;
  const planned = status === null ? [] : await readList(desk.state, runId, 'plan', plannedSchema);
  const outcomes = status === null ? await readList(desk.state, runId, 'outcomes', outcomeSchema) : [];
  return messageOf(noticeOf(record, desk.config.stage, { planned, outcomes }));
}

// Sending what is due: asked for at the moment, paid for, noted, and each call begun at most once.

import type { Problem } from '../classify.ts';
import type { Action } from '../config.ts';
import { batchesOf, type Sent, send, type Unsent } from '../execute.ts';
import type { Verdict } from '../guards/moment.ts';
import { spentBudget } from './halts.ts';
import { atOnce } from './look.ts';
import type { Track } from './track.ts';
import {
  applyAnswer,
  applyVerdict,
  asking,
  freshFor,
  isDue,
  isStale,
  judge,
  postpone,
  type Wave,
} from './wave-state.ts';
import { leasedIf, name, renew, type WavePorts } from './wave-work.ts';

/** Sends all that is due, a few calls at a time; a throttled or halting answer stops the rest for this turn. */
export async function sendDue(wave: Wave, ports: WavePorts): Promise<Wave> {
  const due = wave.tracks.filter((track) => isDue(track, wave.now));
  const batches = batchesOf(due);
  let next = wave;
  for (let from = 0; from < batches.length; from += atOnce) {
    const some = batches.slice(from, from + atOnce);
    const before = next;
    const prepared = await ports.engine.step(name(wave, `sending ${from + 1}`), () => prepare(before, some, ports));
    if (prepared.kind !== 'go') {
      const verdict = prepared.kind === 'budget' ? spentBudget : prepared;
      return applyVerdict(leasedIf(prepared.renewed, next, prepared.at), verdict, prepared.at);
    }
    if (some.flat().some((track) => isStale(track, prepared.at))) return asking(next, prepared.at);
    const answers = await sendSome(wave, ports, some, from);
    next = judge(answers.reduce((state, { batch, sent }) => applyAnswer(state, batch, sent), next));
    if (next.halt !== null || answers.some(({ sent }) => isHeldBack(sent))) break;
  }
  return postpone(next, wave.now);
}

type Prepared = { readonly at: number; readonly renewed: boolean } & (Verdict | { readonly kind: 'budget' });

/** Before a few calls: asks whether they may go, pays for those that repeat something, notes what is about to be sent. */
async function prepare(wave: Wave, batches: readonly Track[][], ports: WavePorts): Promise<Prepared> {
  const at = ports.now();
  const verdict = await ports.mayGoOn();
  if (verdict.kind !== 'go') return { ...verdict, at, renewed: await renew(wave, ports) };
  const renewed = false;
  if (batches.flat().some((track) => isStale(track, at))) return { kind: 'go', at, renewed };
  const repeats = batches.filter((batch) => batch.some(({ calls }) => calls > 0)).length;
  if (repeats > 0 && !(await ports.takeRetries(repeats))) return { kind: 'budget', at, renewed };
  const about = new Set(batches.flat().map(({ id }) => id));
  await ports.save(wave.tracks.map((track) => (about.has(track.id) ? { ...track, ...sending } : track)));
  return { kind: 'go', at, renewed };
}

function isHeldBack(sent: Sent): boolean {
  return (
    'unsent' in sent ||
    ('problem' in sent && (sent.problem.class === 'throttled' || sent.problem.class === 'unreachable'))
  );
}

interface SentBatch {
  readonly batch: readonly Track[];
  readonly sent: Sent;
}

/** A few calls at once, each begun at most once. One that was interrupted may have been applied: it is lost. */
async function sendSome(wave: Wave, ports: WavePorts, batches: Track[][], offset: number): Promise<SentBatch[]> {
  const { engine, now } = ports;
  const { action } = wave.task.job;
  const calls = batches.map((batch, i) => {
    return engine.once(name(wave, `send ${offset + i + 1}`), () => sendHeld(ports, action, batch, wave.deadline));
  });
  const answers = await Promise.all(calls);
  const isWhole = answers.every(({ interrupted }) => !interrupted);
  const at = isWhole ? wave.now : await engine.step(name(wave, 'interrupted'), async () => now());
  return batches.map((batch, i) => {
    const answer = answers[i];
    if (answer !== undefined && !answer.interrupted) return { batch, sent: answer.value };
    return { batch, sent: { at, lost: true, problem: interruption } };
  });
}

/** Sends those whose lease is still ours, once; whoever lost it is in no call. */
async function sendHeld(ports: WavePorts, action: Action, batch: readonly Track[], deadline: number): Promise<Sent> {
  const { dcs, now } = ports;
  const ids = batch.map(({ id }) => id);
  const may = await mayStillSend(ports, ids);
  if ('unsent' in may) return { at: now(), ...may };
  // The process may have been away since the turn began.
  const isLate = now() > deadline && batch.some(({ calls }) => calls > 0);
  const isAway = batch.some(({ seenAt }) => Math.abs(now() - seenAt) > 2 * freshFor);
  if (isLate || isAway) return { at: now(), unsent: 'late' };
  const left = ids.flatMap((_, i) => (may.leases[i] === 't' ? [] : [i]));
  const ours = ids.filter((_, i) => may.leases[i] === 't');
  const sent = ours.length === 0 ? { at: now(), results: '' } : await send(dcs, action, ours, now);
  return left.length === 0 ? sent : { ...sent, left };
}

/** The leases of a batch, or why it may not be sent. That the state does not answer is no lost send: nothing went out. */
async function mayStillSend(
  ports: WavePorts,
  ids: readonly string[],
): Promise<{ readonly leases: string } | Pick<Unsent, 'unsent' | 'why'>> {
  try {
    const verdict = await ports.mayGoOn();
    if (verdict.kind === 'go') return { leases: await ports.leases.keep(ids) };
    return { unsent: verdict.kind, ...('why' in verdict && { why: verdict.why }) };
  } catch {
    return { unsent: 'state' };
  }
}

/** How a track is remembered while its call is out. */
const sending = {
  phase: 'ended',
  status: 'unknown',
  problem: { code: 'sending', reason: 'its call was about to be sent' },
} as const;

const interruption: Problem = {
  class: 'unknown',
  code: 'interrupted',
  message: 'the program was stopped while the call was out',
};

// One wave, from its first call to its last outcome: a turn sends what is due, or looks at what is out, or waits for
// whichever comes next. A turn is a few durable steps; what their results mean is said in wave-state.ts.

import { backUp } from './back-up.ts';
import type { Problem } from './classify.ts';
import type { Action, Job } from './config.ts';
import { type Engine, mostOperations, stepTime } from './engine.ts';
import { batchesOf, batchSize, type DcsApi, type Sent, send, type Unsent } from './execute.ts';
import { type Leases, leaseTime } from './lease.ts';
import { atOnce, type Looks, lookAt, stops } from './look.ts';
import type { Verdict } from './moment.ts';
import type { PlannedInstance } from './plan.ts';
import { type Halt, spentOperations } from './retry.ts';
import { ended, freshTrack, type Track } from './track.ts';
import { type Look, needsTask } from './verify.ts';
import {
  applyAnswer,
  applyBackups,
  applyLooks,
  applyQueue,
  applyVerdict,
  asking,
  beginning,
  coolingDown,
  expireQueued,
  freshFor,
  haltFor,
  heldElsewhere,
  isDue,
  isStale,
  isWatched,
  judge,
  postpone,
  rechecked,
  spentBudget,
  type Wave,
  type WaveTask,
} from './wave-state.ts';

/** What a wave works with. All but the engine are only used inside steps. */
export interface WavePorts {
  readonly engine: Engine;
  readonly dcs: DcsApi;
  readonly now: () => number;
  readonly leases: Leases;
  /** Whether the run may send at this moment. */
  readonly mayGoOn: () => Promise<Verdict>;
  /** Durable operations of the run so far. */
  readonly spent: () => number;
  /** Takes calls from the project's retry budget; false when it is empty. */
  readonly takeRetries: (calls: number) => Promise<boolean>;
  /** Remembers how far the wave is, for whoever looks at the run, and for the case that this execution dies. */
  readonly save: (tracks: readonly Track[]) => Promise<void>;
}

/** Every track ended; `halt`: why nothing more may be sent in this run. */
export interface WaveResult {
  readonly tracks: readonly Track[];
  readonly halt: Halt | null;
  /** The halt has ended something that would have gone on. */
  readonly stopped: boolean;
}

/** Runs one wave to its end. */
export async function runWave(task: WaveTask, ports: WavePorts): Promise<WaveResult> {
  let wave = judge(await open(task, ports));
  while (wave.tracks.some(({ phase }) => phase !== 'ended')) {
    wave = judge(await takeTurn(within(wave, ports.spent()), ports));
  }
  return { tracks: wave.tracks, halt: wave.halt, stopped: wave.stopped };
}

/** The next turn, or a halt before the engine would end the execution in the middle of it. */
function within(wave: Wave, spent: number): Wave {
  const next = { ...wave, turn: wave.turn + 1 };
  if (spent <= mostOperations || wave.halt?.blind === true) return next;
  return judge({ ...next, halt: { ...spentOperations, blind: spent > mostOperations + 200 } });
}

async function takeTurn(wave: Wave, ports: WavePorts): Promise<Wave> {
  if (wave.tracks.every(({ phase }) => phase === 'ended')) return wave;
  if (wave.tracks.some((track) => track.queued && isDue(track, wave.now))) return queue(wave, ports);
  if (wave.tracks.some((track) => isDue(track, wave.now))) return sendDue(wave, ports);
  if (wave.ask || (wave.now >= wave.lookAt && wave.tracks.some(isWatched))) return look(wave, ports);
  return rest(wave, ports);
}

/** Begins the wave: takes its leases, sees to backups, and counts the keys before a flush, whose fall is evidence. */
async function open(task: WaveTask, ports: WavePorts): Promise<Wave> {
  const { job, number, planned } = task;
  const wantsBackup = job.backup.mode !== 'off' && planned.some(({ dataLoss }) => dataLoss);
  const opened = await ports.engine.step(`wave ${number}`, async () => {
    await ports.save(planned.map((instance) => freshTrack(instance, 0)));
    const leases = await ports.leases.take(planned.map(({ instanceId }) => instanceId));
    return { leases, ...(wantsBackup ? uncounted(ports) : await countKeys(task, ports)) };
  });
  const isOld = Math.abs(opened.at - task.seenAt) > freshFor;
  const seen = (instance: PlannedInstance, at: number): Track => ({ ...freshTrack(instance, at), seenAt: task.seenAt });
  const tracks = planned.map((instance, i) =>
    leased(drifted(seen(instance, opened.at), task), opened.leases[i], isOld, job.collision),
  );
  const ask = isOld || opened.leases.includes('r');
  const wave = counted(beginning(task, tracks, opened.at, ask), opened);
  return wantsBackup ? backedUp(wave, ports) : wave;
}

interface Counted {
  readonly at: number;
  /** In the order of the planned instances; null: none, or not this one. */
  readonly keys: readonly (number | null)[] | null;
  readonly problem: Problem | null;
}

function uncounted({ now }: WavePorts): Counted {
  return { at: now(), keys: null, problem: null };
}

async function countKeys({ job, planned }: WaveTask, ports: WavePorts): Promise<Counted> {
  const counts = job.action === 'flush' ? await ports.dcs.keyCounts() : null;
  const problem = counts !== null && !counts.ok && stops(counts.problem) ? counts.problem : null;
  const keys = counts?.ok === true ? planned.map(({ instanceId }) => counts.value.get(instanceId) ?? null) : null;
  return { at: ports.now(), keys, problem };
}

function counted(wave: Wave, { keys, problem }: Counted): Wave {
  const known = wave.task.planned.flatMap(({ instanceId }, i): [string, number][] => {
    const count = keys?.[i] ?? null;
    return count === null ? [] : [[instanceId, count]];
  });
  return { ...wave, baseline: new Map(known), halt: problem === null ? wave.halt : haltFor(problem, true) };
}

/**
 * Nobody's data is destroyed before its backup is there; it takes a while, so everybody is looked at again after it.
 * Whoever waits for another run is waited for first: nobody may slip past its backup later.
 */
async function backedUp(begun: Wave, ports: WavePorts): Promise<Wave> {
  const wave = await queuedFirst(begun, ports);
  if (wave.halt !== null) return wave;
  const { task } = wave;
  const ids = wave.tracks
    .filter((track) => track.phase !== 'ended' && track.dataLoss && !track.queued)
    .map(({ id }) => id);
  const { runId, rung, job, number } = task;
  const backups = await backUp(
    { runId, rung, job, number, ids, leased: ofGoing(wave), leasedAt: wave.leasedAt },
    ports,
  );
  const after = await ports.engine.step(`wave ${task.number} counted`, () => countKeys(task, ports));
  return counted(applyBackups(wave, backups, after.at), after);
}

async function queuedFirst(wave: Wave, ports: WavePorts): Promise<Wave> {
  let next = wave;
  for (;;) {
    next = within(expireQueued(next), ports.spent());
    const waiting = next.tracks.filter(({ queued, phase }) => queued && phase !== 'ended');
    if (waiting.length === 0 || next.halt !== null) return next;
    const seconds = Math.ceil((Math.max(...waiting.map(({ dueAt }) => dueAt)) - next.now) / 1000);
    if (seconds > 0) await ports.engine.wait(name(next, 'queued'), seconds);
    next = await queue({ ...next, now: next.now + Math.max(0, seconds) * 1000 }, ports);
  }
}

/** Sends all that is due, a few calls at a time; a throttled or halting answer stops the rest for this turn. */
async function sendDue(wave: Wave, ports: WavePorts): Promise<Wave> {
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

/**
 * Takes the leases of those that wait for another run; whoever gets one is looked at before anything is sent. Whoever has
 * stopped the run need not wait for the other one.
 */
async function queue(wave: Wave, ports: WavePorts): Promise<Wave> {
  const waiting = wave.tracks.filter((track) => track.queued && isDue(track, wave.now));
  const { at, letters, renewed, verdict } = await ports.engine.step(name(wave, 'queue'), async () => {
    const asked = await ports.mayGoOn();
    const stopped = asked.kind === 'halt' || asked.kind === 'closed' ? asked : null;
    return {
      verdict: stopped,
      renewed: await renew(wave, ports),
      at: ports.now(),
      letters: stopped === null ? await ports.leases.take(waiting.map(({ id }) => id)) : '',
    };
  });
  const next = leasedIf(renewed, wave, at);
  return verdict === null ? applyQueue(next, waiting, letters, at) : applyVerdict(next, verdict, at);
}

/** Renews the leases of all that is not done with, where a good part of their time is over. */
async function renew(wave: Wave, { leases, now }: WavePorts): Promise<boolean> {
  if (now() - wave.leasedAt < leaseTime / 4) return false;
  await leases.keep(ofGoing(wave));
  return true;
}

function leasedIf(renewed: boolean, wave: Wave, at: number): Wave {
  return renewed ? { ...wave, leasedAt: at } : wave;
}

function ofGoing({ tracks }: Wave): string[] {
  return tracks.filter(({ phase, queued }) => phase !== 'ended' && !queued).map(({ id }) => id);
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

/** Looks at everything that is out, and lets each track draw its conclusion. */
async function look(wave: Wave, ports: WavePorts): Promise<Wave> {
  const { watched, asked } = chosen(wave);
  const wish = {
    ids: watched.map(({ id }) => id),
    tasks: new Set(asked.map(({ id }) => id)),
    baseline: new Map(watched.flatMap((track) => keysBefore(wave, track))),
    job: wave.task.job,
  };
  const seen = await ports.engine.step(name(wave, 'look'), async () => {
    const begunAt = ports.now();
    await ports.save(wave.tracks);
    const renewed = await renew(wave, ports);
    const looks = await lookAt(ports.dcs, { ...wish, isLate: () => ports.now() - begunAt > stepTime });
    return { ...pack(looks), renewed, at: ports.now() };
  });
  const looks = watched.map((_, i) => seen.kinds[seen.which[i] ?? -1] ?? null);
  return applyLooks(leasedIf(seen.renewed, wave, seen.at), watched, looks, seen.at, seen.problem ?? null);
}

/**
 * Whom this look is for, and of whom it asks the task, a call for each: as many as the project's rate allows in about a
 * minute. Those come first that are half proved, then whoever was not seen for the longest time.
 */
function chosen({ tracks, now, task }: Wave): { readonly watched: readonly Track[]; readonly asked: readonly Track[] } {
  const watched = tracks.filter(isWatched);
  const wanting = watched.filter((track) => needsTask(track, now, task.job.verify));
  const most = Math.max(batchSize, task.job.project.rate.callsPerSecond * 60);
  const asked = wanting.toSorted((a, b) => b.goodReads - a.goodReads || a.seenAt - b.seenAt).slice(0, most);
  const isAsked = new Set(asked);
  // Whoever is accepted is served by the list alone as well; the others are decided by their task.
  const left = new Set(wanting.filter((track) => !isAsked.has(track) && track.phase !== 'accepted'));
  return { watched: watched.filter((track) => !left.has(track)), asked };
}

/** Sleeps until the next send or look. */
async function rest(wave: Wave, ports: WavePorts): Promise<Wave> {
  const dues = wave.tracks.filter(({ phase }) => phase === 'due').map(({ dueAt }) => dueAt);
  const next = Math.min(...dues, wave.tracks.some(isWatched) ? wave.lookAt : Number.POSITIVE_INFINITY);
  const seconds = Math.max(1, Math.ceil((next - wave.now) / 1000));
  await ports.engine.wait(name(wave, 'rest'), seconds);
  return { ...wave, now: wave.now + seconds * 1000 };
}

/** Few kinds of looks stand for many instances: the remembered result stays small for any wave. */
function pack({ looks, problem }: Looks): { kinds: (Look | null)[]; which: number[]; problem?: Problem } {
  const numbers = new Map<string, number>();
  const kinds: (Look | null)[] = [];
  const which = looks.map((seen) => {
    const text = JSON.stringify(seen);
    const known = numbers.get(text);
    if (known !== undefined) return known;
    numbers.set(text, kinds.length);
    return kinds.push(seen) - 1;
  });
  return { kinds, which, ...(problem !== undefined && { problem }) };
}

/**
 * A track as the wave begins: held by another run, it is left out. Taken over from a run that died, or last seen a while
 * ago, it is looked at first: what that run left behind, whether it has been protected or is at work since the plan.
 */
function leased(track: Track, letter: string | undefined, isOld: boolean, collision: Job['collision']): Track {
  if (track.phase === 'ended') return track;
  if (letter === 'h' && collision === 'queue') return { ...track, queued: true, problem: heldElsewhere };
  if (letter === 'h') return ended(track, 'skipped', heldElsewhere);
  if (letter === 'c') return ended(track, 'skipped', coolingDown);
  return letter === 'r' || isOld ? rechecked(track) : track;
}

/** Changed between its plan and the approval of it. */
function drifted(track: Track, { drift }: WaveTask): Track {
  const reason = drift.get(track.id);
  return reason === undefined ? track : ended(track, 'skipped', { code: 'drifted', reason });
}

function keysBefore(wave: Wave, { id, evidence }: Track): [string, number][] {
  const keys = wave.baseline.get(id);
  return keys === undefined || evidence !== null ? [] : [[id, keys]];
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

function name({ task, turn }: Wave, what: string): string {
  return `wave ${task.number} turn ${turn} ${what}`;
}

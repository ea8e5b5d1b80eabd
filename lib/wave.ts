// One wave, from its first call to its last outcome: sends what is due, looks at what is out, waits for whichever comes
// next, and hands every answer to execute.ts, verify.ts and retry.ts. A turn is a few durable steps; between them there
// is nothing but pure functions of their results, so that a replay takes the same turns.

import type { Problem } from './classify.ts';
import type { Job } from './config.ts';
import type { Engine } from './engine.ts';
import { applySent, batchesOf, type DcsApi, type Sent, send, sentence, takeApart } from './execute.ts';
import { atOnce, type Looks, lookAt, stops } from './look.ts';
import type { PlannedInstance } from './plan.ts';
import { backoffDelay, chanceOf, expire, type Halt, halted } from './retry.ts';
import { freshTrack, isFailure, type Track } from './track.ts';
import { applyLook, type Look, type LookRules, lapse, needsTask } from './verify.ts';

/** What a wave works with. `now` and the last two are only used inside steps. */
export interface WavePorts {
  readonly engine: Engine;
  readonly dcs: DcsApi;
  readonly now: () => number;
  /** Takes calls from the project's retry budget; false when it is empty. */
  readonly takeRetries: (calls: number) => Promise<boolean>;
  /** Remembers how far the wave is, for whoever looks at the run. */
  readonly save: (tracks: readonly Track[]) => Promise<void>;
}

export interface WaveTask {
  readonly runId: string;
  readonly job: Job;
  /** From 1. */
  readonly number: number;
  readonly planned: readonly PlannedInstance[];
  /** Failed and unknown instances of the waves before. */
  readonly failures: number;
}

/** Every track ended; `halt`: why nothing more may be sent in this run. */
export interface WaveResult {
  readonly tracks: readonly Track[];
  readonly halt: Halt | null;
}

/** A wave between two turns. Times in ms since the epoch, `gap` in seconds. */
interface Wave {
  readonly task: WaveTask;
  readonly tracks: readonly Track[];
  readonly now: number;
  readonly deadline: number;
  /** Backoffs so far. */
  readonly round: number;
  readonly nextGroup: number;
  readonly gap: number;
  readonly lookAt: number;
  /** An answer wants a look before anything else. */
  readonly ask: boolean;
  readonly turn: number;
  readonly halt: Halt | null;
  readonly baseline: ReadonlyMap<string, number>;
}

/** The longest gap between two polls, in seconds (design rule 9). */
const longestGap = 60;

/** Runs one wave to its end. */
export async function runWave(task: WaveTask, ports: WavePorts): Promise<WaveResult> {
  let wave = judge(await open(task, ports));
  while (wave.tracks.some(({ phase }) => phase !== 'ended')) {
    wave = judge(await takeTurn({ ...wave, turn: wave.turn + 1 }, ports));
  }
  return { tracks: wave.tracks, halt: wave.halt };
}

function takeTurn(wave: Wave, ports: WavePorts): Promise<Wave> {
  if (wave.tracks.some((track) => isDue(track, wave.now))) return sendDue(wave, ports);
  if (wave.ask || (wave.now >= wave.lookAt && wave.tracks.some(isWatched))) return look(wave, ports);
  return rest(wave, ports);
}

/** Begins the wave. Before a flush the keys are counted: their fall is evidence, should an answer get lost. */
async function open(task: WaveTask, ports: WavePorts): Promise<Wave> {
  const { job, number, planned } = task;
  const opened = await ports.engine.step(`wave ${number}`, async () => {
    await ports.save(planned.map((instance) => freshTrack(instance, 0)));
    const counts = job.action === 'flush' ? await ports.dcs.keyCounts() : null;
    const problem = counts !== null && !counts.ok && stops(counts.problem) ? counts.problem : null;
    const keys = counts?.ok === true ? planned.map(({ instanceId }) => counts.value.get(instanceId) ?? null) : null;
    return { at: ports.now(), keys, problem };
  });
  const counted = planned.flatMap(({ instanceId }, i): [string, number][] => {
    const keys = opened.keys?.[i] ?? null;
    return keys === null ? [] : [[instanceId, keys]];
  });
  return {
    task,
    tracks: planned.map((instance) => freshTrack(instance, opened.at)),
    now: opened.at,
    deadline: opened.at + job.retry.for * 1000,
    round: 0,
    nextGroup: 1,
    gap: job.verify.interval,
    lookAt: opened.at + job.verify.interval * 1000,
    ask: false,
    turn: 0,
    halt: opened.problem === null ? null : haltFor(opened.problem),
    baseline: new Map(counted),
  };
}

/** Sends all that is due, a few calls at a time; a throttled or halting answer stops the rest for this turn. */
async function sendDue(wave: Wave, ports: WavePorts): Promise<Wave> {
  const due = wave.tracks.filter((track) => isDue(track, wave.now));
  const batches = batchesOf(due);
  const repeats = batches.filter((batch) => batch.some(({ calls }) => calls > 0)).length;
  if (repeats > 0 && !(await ports.engine.step(name(wave, 'budget'), () => ports.takeRetries(repeats)))) {
    return { ...wave, halt: emptyBudget };
  }
  let next = wave;
  for (let from = 0; from < batches.length; from += atOnce) {
    const before = next;
    const answers = await sendSome(wave, ports, batches.slice(from, from + atOnce), from);
    next = answers.reduce((state, { batch, sent }) => applyAnswer(state, batch, sent), next);
    if (next.halt !== null || next.round > before.round) break;
  }
  return postpone(next, wave.now);
}

interface SentBatch {
  readonly batch: readonly Track[];
  readonly sent: Sent;
}

/** A few calls at once, each begun at most once. One that was interrupted may have been applied: it is lost. */
async function sendSome(wave: Wave, ports: WavePorts, batches: Track[][], offset: number): Promise<SentBatch[]> {
  const { engine, dcs, now } = ports;
  const { action } = wave.task.job;
  const calls = batches.map((batch, i) => {
    const ids = batch.map(({ id }) => id);
    return engine.once(name(wave, `send ${offset + i + 1}`), () => send(dcs, action, ids, now));
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

function applyAnswer(wave: Wave, batch: readonly Track[], sent: Sent): Wave {
  const after = applySent(batch, sent, retryAt(wave), wave.nextGroup);
  const problem = 'problem' in sent ? sent.problem : null;
  const accepted = after.some(({ phase }) => phase === 'accepted' || phase === 'lost');
  const { interval } = wave.task.job.verify;
  return replace(
    {
      ...wave,
      now: Math.max(wave.now, sent.at),
      nextGroup: wave.nextGroup + 1,
      ask: wave.ask || after.some(({ phase }) => phase === 'asking'),
      halt: wave.halt ?? (problem !== null && stops(problem) ? haltFor(problem) : null),
      ...(accepted && { gap: interval, lookAt: sent.at + interval * 1000 }),
    },
    after,
  );
}

/** What this turn did not come to goes with the next retry, so that a throttled project is left alone until then. */
function postpone(wave: Wave, turnStart: number): Wave {
  const at = retryAt(wave);
  return replace(
    wave,
    wave.tracks.filter((track) => isDue(track, turnStart)).map((track) => ({ ...track, dueAt: at })),
  );
}

/** Looks at everything that is out, and lets each track draw its conclusion. */
async function look(wave: Wave, ports: WavePorts): Promise<Wave> {
  const { job } = wave.task;
  const watched = wave.tracks.filter(isWatched);
  const wish = {
    ids: watched.map(({ id }) => id),
    tasks: new Set(watched.filter((track) => needsTask(track, wave.now, job.verify)).map(({ id }) => id)),
    baseline: new Map(watched.flatMap((track) => keysBefore(wave, track))),
  };
  const seen = await ports.engine.step(name(wave, 'look'), async () => {
    await ports.save(wave.tracks);
    const looks = await lookAt(ports.dcs, wish);
    return { ...pack(looks), at: ports.now() };
  });
  const rules: LookRules = {
    action: job.action,
    verify: job.verify,
    limits: { policy: job.retry, retryAt: retryAt({ ...wave, now: seen.at }) },
  };
  const after = watched.map((track, i) => {
    const kind = seen.kinds[seen.which[i] ?? -1] ?? null;
    return kind === null ? track : applyLook(track, kind, seen.at, rules);
  });
  const gap = Math.min(Math.max(longestGap, job.verify.interval), wave.gap * 1.5);
  const halt = seen.problem !== undefined && stops(seen.problem) ? haltFor(seen.problem) : null;
  const next = { ...wave, now: seen.at, ask: false, gap, lookAt: seen.at + wave.gap * 1000, halt: wave.halt ?? halt };
  return regroup(replace(next, after), watched, after);
}

/** Sleeps until the next send or look. */
async function rest(wave: Wave, ports: WavePorts): Promise<Wave> {
  const dues = wave.tracks.filter(({ phase }) => phase === 'due').map(({ dueAt }) => dueAt);
  const next = Math.min(...dues, wave.tracks.some(isWatched) ? wave.lookAt : Number.POSITIVE_INFINITY);
  const seconds = Math.max(1, Math.ceil((next - wave.now) / 1000));
  await ports.engine.wait(name(wave, 'rest'), seconds);
  return { ...wave, now: wave.now + seconds * 1000 };
}

/** What time and limits do to the tracks: deadlines, the failure threshold, a halt. */
function judge(wave: Wave): Wave {
  const { job, failures } = wave.task;
  const timed = wave.tracks.map((track) =>
    lapse(expire(track, job.retry, wave.now, wave.deadline), wave.now, job.verify),
  );
  const failed = failures + timed.filter(isFailure).length;
  const tripped: Halt = {
    code: 'max_failures',
    reason: `stopped at ${failed} failed or unknown; waves.maxFailures is ${job.waves.maxFailures}`,
    blind: false,
  };
  const halt = wave.halt ?? (failed >= job.waves.maxFailures ? tripped : null);
  return { ...wave, halt, tracks: halt === null ? timed : timed.map((track) => halted(track, halt)) };
}

/** Batches that were refused as a whole, after the look: taken apart into smaller calls. */
function regroup(wave: Wave, before: readonly Track[], after: readonly Track[]): Wave {
  let next = wave;
  for (const group of new Set(before.filter(({ phase }) => phase === 'asking').map((track) => track.group))) {
    if (group === 0) continue;
    const isOfGroup = (_: Track, i: number): boolean => before[i]?.phase === 'asking' && before[i]?.group === group;
    const parted = takeApart(before.filter(isOfGroup), after.filter(isOfGroup), next.nextGroup);
    next = replace({ ...next, nextGroup: next.nextGroup + 2 }, parted);
  }
  return next;
}

/** When the next retry goes out: with one that is waiting already, so that calls stay full; else after a backoff. */
function retryAt(wave: Wave): number {
  const { job, runId, number } = wave.task;
  const waiting = wave.tracks
    .filter(({ phase, dueAt }) => phase === 'due' && dueAt > wave.now)
    .map(({ dueAt }) => dueAt);
  if (waiting.length > 0) return Math.min(...waiting);
  return wave.now + backoffDelay(job.retry, wave.round + 1, chanceOf(runId, number, wave.round + 1)) * 1000;
}

/** Puts changed tracks in the place of the old ones; a first track that waits for a retry begins a new round. */
function replace(wave: Wave, changed: readonly Track[]): Wave {
  const byId = new Map(changed.map((track) => [track.id, track]));
  const tracks = wave.tracks.map((track) => byId.get(track.id) ?? track);
  const waits = (list: readonly Track[]): boolean =>
    list.some(({ phase, dueAt }) => phase === 'due' && dueAt > wave.now);
  const isNewRound = !waits(wave.tracks) && waits(tracks);
  return { ...wave, tracks, round: wave.round + (isNewRound ? 1 : 0) };
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

function keysBefore(wave: Wave, { id, evidence }: Track): [string, number][] {
  const keys = wave.baseline.get(id);
  return keys === undefined || evidence !== null ? [] : [[id, keys]];
}

/** Why a run ends that DCS will not answer any more. Codes of our own (`clock_skew`, `secret_missing`) say it best. */
export function haltFor(problem: Problem): Halt {
  const isOurs = /^[a-z_]+$/.test(problem.code);
  const kind = problem.class === 'auth' ? 'credentials_rejected' : problem.status === 403 ? 'forbidden' : 'dcs_config';
  return { code: isOurs ? problem.code : kind, reason: sentence(problem), blind: true };
}

const emptyBudget: Halt = {
  code: 'retry_budget',
  reason: 'the retry budget of the project is spent for this hour (rate.retriesPerHour)',
  blind: false,
};

const interruption: Problem = {
  class: 'unknown',
  code: 'interrupted',
  message: 'the program was stopped while the call was out',
};

function isDue({ phase, dueAt }: Track, now: number): boolean {
  return phase === 'due' && dueAt <= now;
}

function isWatched({ phase }: Track): boolean {
  return phase === 'asking' || phase === 'busy' || phase === 'lost' || phase === 'accepted';
}

function name({ task, turn }: Wave, what: string): string {
  return `wave ${task.number} turn ${turn} ${what}`;
}

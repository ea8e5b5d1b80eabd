// How a wave begins: its leases, its backups, the keys that are counted before a flush; and waiting for another run that
// holds an instance.

import type { Problem } from '../classify.ts';
import type { Job } from '../config.ts';
import type { PlannedInstance } from '../plan.ts';
import { backUp } from './back-up.ts';
import { coolingDown, haltFor, heldElsewhere } from './halts.ts';
import { stops } from './look.ts';
import { ended, freshTrack, type Track } from './track.ts';
import {
  applyBackups,
  applyQueue,
  applyVerdict,
  beginning,
  expireQueued,
  freshFor,
  isDue,
  rechecked,
  type Wave,
  type WaveTask,
} from './wave-state.ts';
import { leasedIf, name, ofGoing, renew, type WavePorts, within } from './wave-work.ts';

/** Begins the wave: takes its leases, sees to backups, and counts the keys before a flush, whose fall is evidence. */
export async function open(task: WaveTask, ports: WavePorts): Promise<Wave> {
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

/**
 * Takes the leases of those that wait for another run; whoever gets one is looked at before anything is sent. Whoever has
 * stopped the run need not wait for the other one.
 */
export async function queue(wave: Wave, ports: WavePorts): Promise<Wave> {
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

// Looking at everything that is out, with as few calls as can tell, so that each track draws its conclusion.

import type { Problem } from '../classify.ts';
import { stepTime } from '../engine.ts';
import { batchSize } from '../execute.ts';
import { type Look, needsTask } from '../verify.ts';
import { type Looks, lookAt } from './look.ts';
import type { Track } from './track.ts';
import { applyLooks, isWatched, type Wave } from './wave-state.ts';
import { leasedIf, name, renew, type WavePorts } from './wave-work.ts';

/** Looks at everything that is out, and lets each track draw its conclusion. */
export async function look(wave: Wave, ports: WavePorts): Promise<Wave> {
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

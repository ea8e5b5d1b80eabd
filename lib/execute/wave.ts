// One wave, from its first call to its last outcome: a turn sends what is due, or looks at what is out, or waits for
// whichever comes next. A turn is a few durable steps; what their results mean is said in wave-state.ts.

import type { Halt } from '../retry.ts';
import type { Track } from './track.ts';
import { look } from './wave-look.ts';
import { open, queue } from './wave-open.ts';
import { sendDue } from './wave-send.ts';
import { isDue, isWatched, judge, type Wave, type WaveTask } from './wave-state.ts';
import { name, type WavePorts, within } from './wave-work.ts';

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

async function takeTurn(wave: Wave, ports: WavePorts): Promise<Wave> {
  if (wave.tracks.every(({ phase }) => phase === 'ended')) return wave;
  if (wave.tracks.some((track) => track.queued && isDue(track, wave.now))) return queue(wave, ports);
  if (wave.tracks.some((track) => isDue(track, wave.now))) return sendDue(wave, ports);
  if (wave.ask || (wave.now >= wave.lookAt && wave.tracks.some(isWatched))) return look(wave, ports);
  return rest(wave, ports);
}

/** Sleeps until the next send or look. */
async function rest(wave: Wave, ports: WavePorts): Promise<Wave> {
  const dues = wave.tracks.filter(({ phase }) => phase === 'due').map(({ dueAt }) => dueAt);
  const next = Math.min(...dues, wave.tracks.some(isWatched) ? wave.lookAt : Number.POSITIVE_INFINITY);
  const seconds = Math.max(1, Math.ceil((next - wave.now) / 1000));
  await ports.engine.wait(name(wave, 'rest'), seconds);
  return { ...wave, now: wave.now + seconds * 1000 };
}

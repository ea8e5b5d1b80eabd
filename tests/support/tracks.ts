// Tracks in any state for the tests of the single steps, without a run around them.

import { freshTrack, type Track } from '../../lib/execute/track.ts';
import { idOf } from './scenario.ts';

/** The track of instance `number`, fresh but for `change`; it would not lose its data. */
export function trackOf(change: Partial<Track> = {}, number = 1): Track {
  const instance = { instanceId: idOf(number), name: `cache-${number}`, reason: 'as planned', dataLoss: false };
  return { ...freshTrack(instance, 0), ...change };
}

/** `count` tracks, numbered from 1. */
export function tracksOf(count: number, change: (number: number) => Partial<Track> = () => ({})): Track[] {
  return Array.from({ length: count }, (_, i) => trackOf(change(i + 1), i + 1));
}

/** What became of a track in a few words: its phase, or its status and code. */
export function fateOf({ phase, status, problem }: Track): string {
  return phase === 'ended' ? [status, problem?.code].filter((part) => part !== undefined).join(' ') : phase;
}

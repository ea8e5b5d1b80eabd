// A ladder: the mildest action first, the next rung only where the alert stays. One run holds all rungs of one alert;
// where it stopped is remembered for the instance, so that an alert that comes back soon goes on above.

import * as v from 'valibot';
import type { Action, Job, Ladder } from '../config.ts';
import { type CountedEngine, prefixed } from '../engine.ts';
import type { DcsApi } from '../execute.ts';
import { asJson, type Rung, readRecord, updateRecord } from '../record.ts';
import type { Desk, Ending } from '../report/keep.ts';
import { countOutcomes, type Outcome } from '../report.ts';
import { day } from '../retention.ts';
import type { Key, State } from '../state.ts';
import { linger } from './linger.ts';
import { endingOf, runWaves, type WaveDesk, type WaveWork } from './waves.ts';

/** How far up an instance is: rungs taken since it was last quiet, and when the last of them ended, in ms. */
const heightSchema = v.object({ taken: v.number(), at: v.number() });

/**
 * Whether a run climbs: only an alert can tell, by staying, that a rung did not help, and it is about one instance. Any
 * other run of such a job takes the first rung and ends.
 */
export function climbs({ record, plan }: WaveWork): boolean {
  const { job, event } = record;
  return job.ladder !== null && event.trigger === 'alert' && plan.waves.flat().length === 1;
}

/** Takes rung after rung until the alert is resolved, a rung fails, or the last one of the last round is taken. */
export async function climb(
  work: WaveWork,
  ladder: Ladder,
  engine: CountedEngine,
  dcs: DcsApi,
  desk: WaveDesk,
): Promise<Ending> {
  const { record, plan } = work;
  const instanceId = plan.waves[0]?.[0]?.instanceId ?? '';
  const key = heightKey(record.job, instanceId);
  const start = await engine.step('ladder', () => readHeight(desk.state, key, ladder, desk.now()));
  const top = ladder.rungs.length * ladder.rounds;
  if (start.taken >= top) return exhausted(ladder, start.at);
  for (let taken = start.taken; ; ) {
    const action = ladder.rungs[taken % ladder.rungs.length] ?? record.job.action;
    const name = `rung ${taken + 1}`;
    const rung = { ...record, action, job: { ...record.job, action } };
    const worked = await runWaves({ ...work, record: rung, rung: taken + 1 }, prefixed(engine, `${name} `), dcs, desk);
    const ending = endingOf(worked);
    const height = heightAfter(taken, worked.outcomes, ladder);
    taken += 1;
    const done = { action, number: taken, height, ending };
    const { status } = await engine.step(`${name} done`, () => noteRung(work, key, done, desk));
    if (ending.status !== 'succeeded' || countOutcomes(worked.outcomes).succeeded === 0) return ending;
    if (status === 'resolved') return helped(ending, action);
    await linger(engine, `${name} settles`, ladder.settle, record, desk);
    if (await engine.step(`${name} settled`, () => isResolved(work, desk))) return helped(ending, action);
    if (taken >= top) return withoutEffect(ending, ladder);
  }
}

/**
 * How far up the instance is after a rung: the next one is for a rung that was verified. One that was sent and not verified
 * costs its round, and comes again in the next. null, as before: nothing was sent.
 */
function heightAfter(taken: number, outcomes: readonly Outcome[], { rungs }: Ladder): number | null {
  if (countOutcomes(outcomes).succeeded > 0) return taken + 1;
  return outcomes.some(({ attempts }) => attempts > 0) ? taken + rungs.length : null;
}

interface Done {
  readonly action: Action;
  /** From 1. */
  readonly number: number;
  readonly height: number | null;
  readonly ending: Ending;
}

interface Height {
  readonly taken: number;
  readonly at: number;
}

async function readHeight(state: State, key: Key, { resetAfter }: Ladder, now: number): Promise<Height> {
  const item = await state.get(key);
  const height = item === undefined ? null : v.parse(heightSchema, item.value);
  return height === null || now - height.at >= resetAfter * 1000 ? { taken: 0, at: now } : height;
}

/** Writes down how far the instance is, and what was done, for whoever looks at the run. */
async function noteRung(
  work: WaveWork,
  key: Key,
  { action, number, height, ending }: Done,
  desk: Desk,
): Promise<{ readonly status: 'resolved' | 'going' }> {
  const now = desk.now();
  if (height !== null) await desk.state.put(key, asJson({ taken: height, at: now }), { expiresAt: now + 31 * day });
  const rung: Rung = { number, action, status: ending.status, endedAt: new Date(now).toISOString() };
  const { runId } = work.record;
  const record = await updateRecord(desk.state, runId, (before) => {
    const rungs = (before.rungs ?? []).filter((each) => each.number !== number);
    return { ...before, rungs: [...rungs, rung] };
  });
  desk.log.info('rung taken', { runId, ...rung });
  return { status: record.stop?.code === 'resolved' ? 'resolved' : 'going' };
}

/** Any other stop is seen before the next send, and ends the run as what it is. */
async function isResolved({ record }: WaveWork, desk: Desk): Promise<boolean> {
  return (await readRecord(desk.state, record.runId))?.stop?.code === 'resolved';
}

function helped(ending: Ending, action: Action): Ending {
  return { ...ending, status: 'succeeded', code: 'resolved', reason: `the alert was resolved after ${action}` };
}

function withoutEffect(ending: Ending, { rounds, rungs }: Ladder): Ending {
  const reason = `the alert stays after ${rounds} rounds of ${rungs.join(', ')}: somebody has to look`;
  return { ...ending, status: 'failed', code: 'no_effect', reason };
}

function exhausted({ rounds, resetAfter }: Ladder, at: number): Ending {
  const liftsAt = new Date(at + resetAfter * 1000).toISOString();
  const reason = `all ${rounds} rounds were taken and did not help; it has to be quiet until ${liftsAt} first`;
  return { status: 'refused', code: 'ladder_exhausted', reason, liftsAt };
}

function heightKey({ name }: Job, instanceId: string): Key {
  return { pk: `instance#${instanceId}`, sk: `ladder#${name}` };
}

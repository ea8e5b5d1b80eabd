// One run from its event to its report, by the code that real runs are made of, over a state that nobody else has: for
// looking at a plan without a server, and for playing a whole run on the simulator.

import type { Config, Job } from '../../config.ts';
import { accept } from '../../doors/accept.ts';
import { AutopilotError } from '../../errors.ts';
import type { Event } from '../../event.ts';
import type { DcsApi } from '../../execute.ts';
import { type Decision, readRecord, updateRecord } from '../../record.ts';
import { type RunView, runView } from '../../report.ts';
import { run } from '../../run.ts';
import type { Log } from '../../runtime.ts';
import type { State } from '../../state.ts';
import { StraightEngine } from './engine.ts';

/** What is to be played, and in which world. */
export interface Rehearsal {
  readonly config: Config;
  readonly job: Job;
  readonly event: Event;
  readonly dcs: DcsApi;
  /** Empty: what other runs have done is not known here. */
  readonly state: State;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Lets so many seconds pass. */
  readonly wait: (seconds: number) => Promise<void>;
  /** Is shown the run whenever time passes. */
  readonly watch?: (view: RunView) => void;
}

/**
 * Plays it to its end. An approval is given as soon as it is asked for; a health check finds everything well, and nobody
 * is told of anything.
 */
export async function rehearse(rehearsal: Rehearsal): Promise<RunView> {
  const { config, job, event, dcs, state, now, wait, watch } = rehearsal;
  const executions = { start: idle, tell: idle, status: async () => 'running' as const, answer: idle };
  const { runId } = await accept({ state, executions, config, now, log: silent }, job, event);
  const look = async (): Promise<RunView> => viewOf(state, runId);
  const engine = new StraightEngine({
    wait: async (seconds) => {
      if (watch !== undefined) watch(await look());
      await wait(seconds);
    },
    answer: () => approve(state, runId, now()),
  });
  await run(runId, engine, {
    state,
    dcs: () => dcs,
    now,
    log: silent,
    metrics: { count: () => undefined },
    config: { stage: config.stage, notify: [] },
    messenger: async () => ({ ok: true }),
    probe: async () => ({ healthy: true }),
  });
  const view = await look();
  watch?.(view);
  return view;
}

async function idle(): Promise<void> {}

async function approve(state: State, runId: string, now: number): Promise<void> {
  const decision: Decision = { verdict: 'approved', by: 'operator:rehearsal', at: new Date(now).toISOString() };
  await updateRecord(state, runId, (before) =>
    before.approval === undefined ? null : { ...before, approval: { ...before.approval, decision } },
  );
}

async function viewOf(state: State, runId: string): Promise<RunView> {
  const record = await readRecord(state, runId);
  if (record === undefined) throw new AutopilotError('run_unknown', `the run ${runId} is gone`);
  return await runView(state, record);
}

const silence = (): void => undefined;
const silent: Log = { error: silence, warn: silence, info: silence, debug: silence };

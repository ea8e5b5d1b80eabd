// `simulate`: a whole run of a job on the simulator, with a virtual clock: offline, and over in a moment. The flow, its
// guards and its waits are the real ones; only DCS and time are made up.

import { parseArgs } from 'node:util';
import type { Config, Job } from '../config.ts';
import { AutopilotError } from '../errors.ts';
import type { Event } from '../event.ts';
import { firstRefusal, momentGuards } from '../guards.ts';
import { memoryDatabase } from '../local/database.ts';
import { MemoryDcs } from '../local/rehearsal/memory-dcs.ts';
import { rehearse } from '../local/rehearsal/rehearse.ts';
import { type TargetFleet, targetFleet } from '../local/rehearsal/target-fleet.ts';
import { Fleet } from '../local/simulator/fleet.ts';
import type { Script } from '../local/simulator/script.ts';
import { SqliteState } from '../local/state-sqlite.ts';
import type { RunView } from '../report.ts';
import { nextFires } from '../schedule.ts';
import { exitCodeOf } from './exit-codes.ts';
import type { Io } from './io.ts';
import { chooseJob, defaultFile, loadConfig } from './load-config.ts';
import { progressLines, reportText } from './run-text.ts';
import { theOne, UsageError, wholeNumber } from './usage.ts';

/** What `--help` says besides the usage. */
export const simulateHelp = `
  --instances N  so many that the target selects, 1 to 10000; default 10, or what maxInstances allows; 1 for an alert
  --fail SHARE   this share of all sends is refused without a reason, such as 20%
  --seed N       what is made up and drawn follows from it; default 1
  --json         the run as JSON on stdout

It begins when the job would: at its next fire, or as soon as window and freeze let it. Approvals are
given at once, alerts stay, health checks find everything well, nobody is told of anything. Exit codes are
those of run.
`;

interface Play {
  readonly job: Job;
  readonly fleet: TargetFleet;
  readonly seed: number;
  readonly script: Script;
  /** Milliseconds since the epoch. */
  readonly start: number;
}

/** `simulate JOB [options]`: progress on stderr, the report on stdout; answers the exit code of the run's status. */
export async function simulate(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: {
      instances: { type: 'string' },
      fail: { type: 'string', default: '0%' },
      seed: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  const name = theOne(positionals, 'simulate takes one job');
  const seed = wholeNumber('--seed', values.seed, 0, 999_999_999);
  const script = scriptOf(values.fail);
  const { config } = loadConfig(defaultFile(io.env));
  const job = chooseJob(config, name);
  const count =
    values.instances === undefined ? usualCount(job) : wholeNumber('--instances', values.instances, 1, 10_000);
  const play: Play = { job, fleet: targetFleet(job, count, seed), seed, script, start: startOf(job, io.now()) };
  const view = await playOut(config, play, values.json ? () => undefined : io.stderr);
  io.stdout(values.json ? `${JSON.stringify(view)}\n` : reportText(view));
  return exitCodeOf(view.status);
}

async function playOut(config: Config, play: Play, say: Io['stderr']): Promise<RunView> {
  const { job, fleet, seed, script, start } = play;
  let time = start;
  const now = (): number => time;
  const pass = async (milliseconds: number): Promise<void> => {
    time += milliseconds;
  };
  const simulated = new Fleet({ instances: fleet.instances, now, seed, script });
  // The others of the project count towards its caps and are never looked at.
  const total = async () => ({ ok: true as const, value: fleet.total });
  const dcs = Object.assign(new MemoryDcs(simulated, { sleep: pass }), { total });
  const count = fleet.instances.length;
  say(`simulated: ${count} instances of ${job.target.name}, in a project of ${fleet.total}, from ${iso(start)} on\n`);
  let before: RunView | null = null;
  const watch = (view: RunView): void => {
    for (const line of progressLines(before, view, time)) say(`${line}\n`);
    before = view;
  };
  const wait = (seconds: number): Promise<void> => pass(seconds * 1000);
  const state = new SqliteState(memoryDatabase());
  return await rehearse({ config, job, event: eventOf(play), dcs, state, now, wait, watch });
}

function eventOf({ job, fleet, start }: Play): Event {
  const { trigger } = job;
  const receivedAt = iso(start);
  switch (trigger.type) {
    case 'schedule':
      return { trigger: 'schedule', identity: receivedAt, requestedBy: 'schedule', receivedAt };
    case 'webhook':
      return { trigger: 'webhook', identity: ['rehearsal'], requestedBy: `webhook:${job.name}`, receivedAt };
    case 'alert': {
      const instances = fleet.instances.map(({ id }) => id);
      return {
        trigger: 'alert',
        identity: ['rehearsal'],
        requestedBy: `alert:${trigger.source}`,
        receivedAt,
        instances,
      };
    }
  }
}

/** At its next fire; any other job when window and freeze let it begin. */
function startOf(job: Job, now: number): number {
  if (job.trigger.type === 'schedule') return nextFires(job.trigger, now, 1)[0]?.at ?? now;
  const flags = { pause: null, storm: null };
  const event: Event = { trigger: 'webhook', identity: '', requestedBy: '', receivedAt: iso(now) };
  let at = now;
  for (let looks = 0; looks < 10; looks++) {
    const liftsAt = firstRefusal(momentGuards, { job, event, now: at, flags })?.liftsAt;
    if (liftsAt === undefined) return at;
    at = Date.parse(liftsAt);
  }
  throw new AutopilotError('never_open', `the job ${job.name} finds no time between its windows and freezes`);
}

function usualCount({ trigger, target, guards }: Job): number {
  if (trigger.type === 'alert') return 1;
  return Math.max(1, Math.min(10, guards.maxInstances, target.ids.length > 0 ? target.ids.length : 10));
}

function scriptOf(fail: string): Script {
  const [, percent] = /^(\d{1,3}(?:\.\d+)?)%$/.exec(fail) ?? [];
  const share = Number(percent) / 100;
  if (!(share <= 1)) throw new UsageError(`--fail: "${fail}" is not a share such as 20%`);
  return share === 0 ? {} : { calls: [{ on: 'act', share, answer: { kind: 'entries', each: 'failed' } }] };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

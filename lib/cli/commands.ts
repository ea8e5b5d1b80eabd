// All commands in one table, in the order of `--help` and of docs/cli.md. Each is loaded when it is called, so that a
// light one does not wait for the code of a heavy one.

import type { Io } from './io.ts';

/** What a command does with its arguments; answers its exit code. */
export type Run = (args: readonly string[], io: Io) => Promise<number>;

/** One command. */
export interface Command {
  readonly name: string;
  readonly args: string;
  readonly does: string;
  readonly load: () => Promise<Loaded>;
}

/** Its code. `help`: what `--help` says of it besides the usage. */
export interface Loaded {
  readonly run: Run;
  readonly help?: string;
}

const remoteHelp = `
  --url URL        of the server; default AUTOPILOT_URL, else http://127.0.0.1:8787
  --json           the answer as JSON on stdout, an error as {error} on stderr

AUTOPILOT_TOKEN is the token of an operator there.
`;

const validateHelp = `
  file    default AUTOPILOT_CONFIG, else autopilot.yml
  --json  {valid, file, stage, projects, targets, jobs} as JSON on stdout; faults as {error} on stderr
`;

const nextHelp = `
  job         of one job; without it, of each that has a schedule
  --count N   so many, 1 to 1000; default 5
  --from ISO  from this time on, such as 2026-03-28T12:00Z; default now
  --json      {fires} as JSON on stdout
`;

const serveHelp = `
  --once [JOB]  run a job, print its report, and end with the exit code of its status, as run does

AUTOPILOT_CONFIG, AUTOPILOT_DATA, AUTOPILOT_TOKEN, PORT and HOST say with what. Without a configuration it is the demo.
`;

/** The whole command line. */
export const commands: readonly Command[] = [
  {
    name: 'validate',
    args: '[file]',
    does: 'check the configuration; every fault with its line',
    load: async () => ({ run: (await import('./validate.ts')).validate, help: validateHelp }),
  },
  {
    name: 'next',
    args: '[job] [--count N] [--from ISO]',
    does: 'show coming fire times, local and UTC',
    load: async () => ({ run: (await import('./next.ts')).next, help: nextHelp }),
  },
  {
    name: 'plan',
    args: 'JOB [--event FILE] [--instances IDS]',
    does: 'read DCS and show what a job would do now',
    load: async () => {
      const { plan, planHelp } = await import('./plan.ts');
      return { run: plan, help: planHelp };
    },
  },
  {
    name: 'run',
    args: 'JOB [--instances IDS] [--plan HASH] [--yes] [--no-wait] [--dry-run] [--reason TEXT] [--break-glass]',
    does: 'run a job, with progress; asks before it destroys data',
    load: async () => {
      const { run, runHelp } = await import('./run.ts');
      return { run, help: `${runHelp}${remoteHelp}` };
    },
  },
  {
    name: 'simulate',
    args: 'JOB [--instances N] [--fail SHARE] [--seed N]',
    does: 'play a whole run on the simulator, offline',
    load: async () => {
      const { simulate, simulateHelp } = await import('./simulate.ts');
      return { run: simulate, help: simulateHelp };
    },
  },
  {
    name: 'runs',
    args: '[--job JOB] [--status STATUS] [--limit N]',
    does: 'list the newest runs',
    load: async () => {
      const { runs, runsHelp } = await import('./runs.ts');
      return { run: runs, help: `${runsHelp}${remoteHelp}` };
    },
  },
  {
    name: 'show',
    args: 'RUN',
    does: 'show a run, its plan and its outcomes',
    load: async () => ({ run: (await import('./show.ts')).show, help: remoteHelp }),
  },
  {
    name: 'approve',
    args: 'RUN --plan HASH [--reason TEXT]',
    does: 'let a plan go on that somebody else has asked for',
    load: async () => {
      const { approve, decisionHelp } = await import('./steer.ts');
      return { run: approve, help: `${decisionHelp}${remoteHelp}` };
    },
  },
  {
    name: 'reject',
    args: 'RUN --plan HASH [--reason TEXT]',
    does: 'refuse a plan',
    load: async () => {
      const { reject, decisionHelp } = await import('./steer.ts');
      return { run: reject, help: `${decisionHelp}${remoteHelp}` };
    },
  },
  {
    name: 'cancel',
    args: 'RUN [--reason TEXT]',
    does: 'let a run send nothing more',
    load: async () => {
      const { cancel, reasonHelp } = await import('./steer.ts');
      return { run: cancel, help: `${reasonHelp}${remoteHelp}` };
    },
  },
  {
    name: 'retry',
    args: 'RUN [--reason TEXT]',
    does: 'run again what a run left failed or not started',
    load: async () => {
      const { retry, reasonHelp } = await import('./steer.ts');
      return { run: retry, help: `${reasonHelp}${remoteHelp}` };
    },
  },
  {
    name: 'pause',
    args: '[--project P] --reason TEXT',
    does: 'stop all new sends',
    load: async () => {
      const { pause, pauseHelp } = await import('./pause.ts');
      return { run: pause, help: `${pauseHelp}${remoteHelp}` };
    },
  },
  {
    name: 'resume',
    args: '[--project P]',
    does: 'lift a pause',
    load: async () => {
      const { resume, resumeHelp } = await import('./pause.ts');
      return { run: resume, help: `${resumeHelp}${remoteHelp}` };
    },
  },
  {
    name: 'explain',
    args: '--source S --event FILE',
    does: 'say what would come of an alert, offline',
    load: async () => {
      const { explain, explainHelp } = await import('./explain.ts');
      return { run: explain, help: explainHelp };
    },
  },
  {
    name: 'doctor',
    args: '',
    does: 'check configuration, secrets, keys, clock and rights; reads only',
    load: async () => {
      const { doctor, doctorHelp } = await import('./doctor.ts');
      return { run: doctor, help: doctorHelp };
    },
  },
  {
    name: 'schema',
    args: '',
    does: 'print the JSON Schema of the configuration',
    load: async () => ({ run: (await import('./schema.ts')).schema }),
  },
  {
    name: 'serve',
    args: '[--once JOB]',
    does: 'run on this machine',
    load: async () => ({ run: (await import('../local/serve.ts')).serve, help: serveHelp }),
  },
  {
    name: 'simulator',
    args: '[--port N] [--instances N] [--seed N] [--fault FAULT]... [--fleet FILE]',
    does: 'a simulated DCS alone, to try clients on',
    load: async () => {
      const { simulator, simulatorHelp } = await import('./simulator.ts');
      return { run: simulator, help: simulatorHelp };
    },
  },
];

// Plays scenarios of the flow with the packaged functions: bundles them, starts the process that they run in, and turns what
// it tells back into something that tests can ask.

import { type ChildProcess, fork } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Action } from '../../lib/config.ts';
import type { Fleet } from '../../lib/local/simulator/fleet.ts';
import type { RunView } from '../../lib/report.ts';
import { bundleFunctions, root } from './bundles.ts';
import type { PlainScenario, Told } from './flow-contract.ts';
import { idOf } from './scenario.ts';

/** Where the bundles are, and a folder for what they leave behind. */
export interface Bundles {
  readonly folder: string;
  readonly run: string;
  readonly schedule: string;
  readonly console: string;
}

/** What the process is told. */
export interface Order {
  readonly nth: number;
  readonly scenario: PlainScenario;
  readonly bundles: Bundles;
  /** What keeps the executions: our stand-in for the service, or the test runner of the durable SDK. */
  readonly on: 'stand-in' | 'sdk-runner';
  /** Operations of the journal in one answer; default: as many as there can be. */
  readonly page?: number;
  /** Whether an operator approves the run when it asks; else nobody does. */
  readonly approve?: boolean;
}

/** What it tells when a scenario has come to its end. */
export interface Reply {
  readonly view: RunView;
  readonly now: number;
  readonly writes: number;
  readonly pages: number;
  readonly calls: ReturnType<Fleet['calls']>;
  readonly applied: Readonly<Record<string, Readonly<Record<Action, number>>>>;
  readonly sent: Readonly<Record<string, number>>;
}

/** What came of a scenario; `pages`: how often its journal was asked for over the wire. */
export interface ToldWithPages extends Told {
  readonly pages: number;
}

/** A player of scenarios. */
export interface PackagedPlayer {
  readonly play: (scenario: PlainScenario, how?: Pick<Order, 'page' | 'approve'>) => Promise<ToldWithPages>;
  readonly stop: () => void;
}

/** Bundles the functions into `folder`, and starts the process. */
export async function startPackagedPlayer(folder: string, on: Order['on']): Promise<PackagedPlayer> {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'autopilot.yml');
  writeFileSync(file, config);
  const { run, schedule, console } = await bundleFunctions(join(folder, 'bundles'), { AUTOPILOT_CONFIG: file });
  const bundles = { folder, run: run.file, schedule: schedule.file, console: console.file };
  const child = fork(join(root, 'tests/support/packaged-child.ts'), {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const asked = answersOf(child);
  let orders = 0;
  return {
    play: async (scenario, how) => toldOf(await asked({ nth: ++orders, scenario, bundles, on, ...how })),
    stop: () => child.kill(),
  };
}

/** The job that the scenarios are about. Each brings its own version, frozen in its run, as after a redeploy. */
const config = `
stage: test
projects:
  staging: {region: eu-de, projectId: 0a1b2c3d4e5f60718293a4b5c6d7e8f9, credentials: {aksk: ssm:/test/dcs}}
targets:
  all: {project: staging, names: ["*"]}
operators:
  bob: {token: ssm:/test/bob, may: [approve]}
jobs:
  nightly: {action: restart, target: all, trigger: {webhook: {auth: bearer, secrets: [ssm:/test/hook]}}}
`;

interface Answer {
  readonly nth: number;
  readonly reply?: Reply;
  readonly error?: string;
}

/** Sends orders to the process; each resolves with its reply. */
function answersOf(child: ChildProcess): (order: Order) => Promise<Reply> {
  const open = new Map<number, PromiseWithResolvers<Reply>>();
  // What functions log, and those that were killed; it is told when the process ends of it.
  let said = '';
  child.stderr?.on('data', (text) => {
    said = `${said}${text}`.slice(-4000);
  });
  child.once('exit', (code) => {
    for (const { reject } of open.values()) reject(new Error(`the process ended with ${code}: ${said}`));
  });
  child.on('message', ({ nth, reply, error }: Answer) => {
    if (reply === undefined) open.get(nth)?.reject(new Error(error));
    else open.get(nth)?.resolve(reply);
    open.delete(nth);
  });
  return (order) => {
    const answer = Promise.withResolvers<Reply>();
    open.set(order.nth, answer);
    child.send(order);
    return answer.promise;
  };
}

function toldOf({ view, now, writes, pages, calls, applied, sent }: Reply): ToldWithPages {
  const none = { restart: 0, soft_restart: 0, flush: 0 };
  return {
    view,
    clock: { now: () => now },
    engine: { writes },
    pages,
    fleet: { calls: () => calls, applied: (id) => applied[id] ?? none, sent: (id) => sent[id] ?? 0 },
    outcome: (number) => view.outcomes.find(({ instanceId }) => instanceId === idOf(number)),
  };
}

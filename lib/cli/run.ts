// `run`: starts a job on a server and watches it to its end. What it would do is asked for first, by a dry run, and bound
// by its hash: so whoever says yes has said it to this plan, and a changed fleet is refused.

import { parseArgs } from 'node:util';
import type { RunView } from '../report.ts';
import { exitCodeOf } from './exit-codes.ts';
import type { Io } from './io.ts';
import { type Remote, remote, remoteOptions } from './remote.ts';
import { planText, reportText } from './run-text.ts';
import { changesSince } from './seen-plans.ts';
import { idsIn, theOne, UsageError } from './usage.ts';
import { type Seen, startRun, watchRun } from './watch.ts';

/** What `--help` says besides the usage. */
export const runHelp = `
  --instances IDS  only these of the target, with commas between them; may be repeated
  --plan HASH      only if the plan is still this one
  --yes            do not ask before data is destroyed
  --no-wait        until it is on its way; not to its end
  --dry-run        the plan only
  --reason TEXT    why; kept in the run
  --break-glass    past windows and freezes; needs the right to it, and --reason

Exit codes: 0 succeeded or planned, 3 partial, 4 failed, 5 refused or missed, 6 cancelled (or not said yes to),
7 awaiting approval with --no-wait, 1 error, 64 usage.
`;

interface Asked {
  readonly instances?: readonly string[];
  readonly plan?: string;
  readonly reason?: string;
  readonly breakGlass?: true;
  readonly dryRun?: true;
}

interface Order {
  readonly job: string;
  readonly asked: Asked;
  readonly isSure: boolean;
  readonly isWaiting: boolean;
  readonly json: boolean;
}

/**
 * `run JOB [options]`: progress on stderr, the report (`--json`: the run) on stdout; answers the exit code of its status.
 * Throws UsageError, sending nothing, where data would be destroyed and nobody is there to say yes.
 */
export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: {
      ...remoteOptions,
      instances: { type: 'string', multiple: true },
      plan: { type: 'string' },
      yes: { type: 'boolean', default: false },
      'no-wait': { type: 'boolean', default: false },
      'dry-run': { type: 'boolean', default: false },
      reason: { type: 'string' },
      'break-glass': { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  const { instances, plan, reason } = values;
  const asked: Asked = {
    ...(instances !== undefined && { instances: idsIn(instances) }),
    ...(plan !== undefined && { plan }),
    ...(reason !== undefined && { reason }),
    ...(values['break-glass'] && { breakGlass: true }),
    ...(values['dry-run'] && { dryRun: true }),
  };
  const job = theOne(positionals, 'run takes one job');
  const order = { job, asked, isSure: values.yes, isWaiting: !values['no-wait'], json: values.json };
  return await carryOut(order, remote(values.url, io), io);
}

async function carryOut(order: Order, server: Remote, io: Io): Promise<number> {
  if (order.isSure || order.asked.dryRun === true) return await work(order, order.asked, server, io);
  const dry = await follow({ ...order, isWaiting: true }, { ...order.asked, dryRun: true }, server, io);
  const { status, plan } = dry.view;
  if (status !== 'planned' || plan.hash === null) return tell(dry, order, io);
  if (!(await mayGoOn(dry.view, io))) return exitCodeOf('cancelled');
  return await work(order, { ...order.asked, plan: plan.hash }, server, io);
}

async function work(order: Order, asked: Asked, server: Remote, io: Io): Promise<number> {
  return tell(await follow(order, asked, server, io), order, io);
}

async function follow({ job, isWaiting, json }: Order, asked: Asked, server: Remote, io: Io): Promise<Seen> {
  const runId = await startRun(server, `/jobs/${encodeURIComponent(job)}/runs`, asked, io);
  const until = io.now() + patience;
  // A run that awaits approval says so after it was planned, and one that does not begins with its first wave.
  const isEnough = (view: RunView): boolean =>
    !isWaiting && (view.status === 'awaiting_approval' || view.outcomes.length > 0 || io.now() >= until);
  return await watchRun(server, runId, io, { isEnough, quiet: json });
}

/** Milliseconds for which `--no-wait` looks how a run begins: a large fleet takes longer to be read. */
const patience = 30_000;

/** Asks before data is destroyed, which nobody can undo. */
async function mayGoOn(view: RunView, io: Io): Promise<boolean> {
  const losing = view.plan.waves.flat().filter(({ dataLoss }) => dataLoss).length;
  if (losing === 0) return true;
  const what = `this ${view.action} destroys the data of ${losing} instance${losing === 1 ? '' : 's'}`;
  if (io.ask === null) throw new UsageError(`${what}, and nobody is at a terminal to ask: --yes does it all the same`);
  io.stderr(planText(view));
  const answer = await io.ask(`${what}. Go on? (yes/no) `);
  if (/^y(es)?$/i.test(answer.trim())) return true;
  io.stderr('nothing was sent\n');
  return false;
}

function tell({ view, answer }: Seen, { asked, json }: Order, io: Io): number {
  io.stdout(json ? `${JSON.stringify(answer)}\n` : reportText(view));
  const changes = asked.plan === undefined || view.code !== 'plan_changed' ? [] : changesSince(asked.plan, view, io);
  for (const change of changes) io.stderr(`  since the plan: ${change}\n`);
  const isOnItsWay = view.status === 'accepted' || view.status === 'running';
  return isOnItsWay ? 0 : exitCodeOf(view.status);
}

// `plan`: what a job would do now. DCS is read live, with the configuration and its credentials and without a server, and
// the plan is made by the code of a real run: its hash is the one that `run --plan` takes.

import { parseArgs } from 'node:util';
import type { Config, Job } from '../config.ts';
import { explainDelivery } from '../doors/alert-jobs.ts';
import { AutopilotError } from '../errors.ts';
import type { Event } from '../event.ts';
import { firstRefusal, momentGuards, type Refusal } from '../guards.ts';
import { rehearse } from '../local/rehearsal/rehearse.ts';
import type { RunView } from '../report.ts';
import { readAlertFile } from './alert-file.ts';
import type { Io } from './io.ts';
import { live } from './live.ts';
import { chooseJob, defaultFile, loadConfig } from './load-config.ts';
import { planText } from './run-text.ts';
import { keepPlan } from './seen-plans.ts';
import { idsIn, theOne, UsageError } from './usage.ts';

/** What `--help` says besides the usage. */
export const planHelp = `
  --instances IDS  only these of the target, with commas between them; may be repeated
  --event FILE     of a job that alerts start: for the alert in a file, as its source sends it
  --json           {plan, refusals} as JSON on stdout

Nothing is sent but reads. Cool-downs, pauses, and what other runs have taken of the caps stand in the
state of a server, which this does not ask: run JOB --dry-run does.

Exit codes: 0 nothing to do, 2 work to do, 1 error, 64 usage.
`;

/** Seconds for which a DCS that does not answer is asked again: somebody waits at a terminal. */
const patience = 60;

/** `plan JOB [--event FILE] [--instances IDS]`: answers 0 where there is nothing to do, 2 where there is. */
export async function plan(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: {
      event: { type: 'string' },
      instances: { type: 'string', multiple: true },
      json: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  const name = theOne(positionals, 'plan takes one job');
  const instances = values.instances === undefined ? {} : { instances: idsIn(values.instances) };
  if (values.event !== undefined && values.instances !== undefined) {
    throw new UsageError('plan takes --event or --instances, and not both');
  }
  const { config } = loadConfig(defaultFile(io.env));
  const configured = chooseJob(config, name);
  const job: Job = { ...configured, retry: { ...configured.retry, for: Math.min(patience, configured.retry.for) } };
  const receivedAt = new Date(io.now()).toISOString();
  const event: Event =
    values.event === undefined
      ? { trigger: 'manual', identity: 'plan', requestedBy: 'operator:local', receivedAt, dryRun: true, ...instances }
      : eventOf(values.event, config, job, io.now());
  const { dcs, state } = live(io);
  const wait = (seconds: number): Promise<void> => io.sleep(seconds * 1000);
  const view = await rehearse({ config, job, event, dcs: dcs(job.project), state, now: io.now, wait });
  if (view.plan.hash === null) throw new AutopilotError(view.code ?? 'no_plan', view.reason ?? 'there is no plan');
  keepPlan(view, io);
  const refusals = refusalsOf(view, { job, event, now: io.now() });
  io.stdout(values.json ? `${JSON.stringify({ plan: shown(view), refusals })}\n` : textOf(view, job, refusals));
  return view.plan.waves.length > 0 ? 2 : 0;
}

/** The first alert of a file that starts the job, as the event that its door would store. */
function eventOf(file: string, config: Config, { name, trigger }: Job, now: number): Event {
  if (trigger.type !== 'alert') throw new UsageError(`--event: the job ${name} is started by a ${trigger.type}`);
  const { source } = trigger;
  const receivedAt = new Date(now).toISOString();
  const deliveries = readAlertFile(file, source, config, receivedAt);
  const told = deliveries
    .flatMap((delivery) => explainDelivery(config, delivery, now))
    .flatMap(({ jobs }) => jobs.filter(({ job }) => job === name));
  const reference = told.find(({ matched, instance }) => matched && instance)?.instance;
  if (!reference) {
    const reason = told.find(({ matched }) => !matched)?.reason ?? 'none of them names an instance';
    throw new AutopilotError('no_match', `no alert in ${file} starts the job ${name}: ${reason}`);
  }
  const about = reference.by === 'id' ? { instances: [reference.value] } : { reference };
  return { trigger: 'alert', identity: 'plan', requestedBy: `alert:${source}`, receivedAt, dryRun: true, ...about };
}

/** What guards would say of it now; of those of the moment, the pauses and storms are not known here. */
function refusalsOf(view: RunView, moment: { job: Job; event: Event; now: number }): readonly Refusal[] {
  const { status, code = '', reason = '' } = view;
  const ofPlan = status === 'refused' ? [{ code, reason }] : [];
  const ofMoment = firstRefusal(momentGuards, { ...moment, flags: { pause: null, storm: null } });
  return ofMoment === null ? ofPlan : [ofMoment, ...ofPlan];
}

function shown({ job, action, plan }: RunView) {
  return { job, action, ...plan };
}

function textOf(view: RunView, job: Job, refusals: readonly Refusal[]): string {
  const nothing = view.plan.waves.length === 0 ? ['nothing to do\n'] : [];
  const refused = refusals.map(
    ({ code, reason, liftsAt }) =>
      `it would be refused now: ${code}: ${reason}${liftsAt === undefined ? '' : ` (until ${liftsAt})`}\n`,
  );
  const approval = job.approval === 'required' ? ['it would wait for the approval of another operator\n'] : [];
  const asleep = job.enabled ? [] : [`the job ${job.name} is disabled (enabled: false)\n`];
  return [planText(view), ...nothing, ...refused, ...approval, ...asleep].join('');
}

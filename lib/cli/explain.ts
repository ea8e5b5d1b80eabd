// `explain`: what would come of an alert, told from the configuration alone: which job takes it, which instance it means,
// and which guard would refuse it now. Offline; that the message is authentic is taken for granted.

import { parseArgs } from 'node:util';
import type { AlertDelivery } from '../alert.ts';
import type { Config } from '../config.ts';
import { type AlertExplanation, explainDelivery, type JobExplanation } from '../doors/alert-jobs.ts';
import type { Event } from '../event.ts';
import { firstRefusal, momentGuards } from '../guards.ts';
import type { InstanceReference } from '../match/reference.ts';
import { readAlertFile, sourceNamed } from './alert-file.ts';
import type { Io } from './io.ts';
import { defaultFile, loadConfig } from './load-config.ts';
import { printable } from './run-text.ts';
import { UsageError } from './usage.ts';

/** What `--help` says besides the usage. */
export const explainHelp = `
  --source S    alertmanager, grafana, smn, sns or cloudwatch
  --event FILE  what it sends: the body of its request, or an event of Lambda
  --json        {alerts, ignored} as JSON on stdout

Nothing is asked but the configuration: what was done before, pauses, storms and the fleet itself are not known here.
`;

/** `explain --source S --event FILE`: answers 0, whatever comes of it. */
export async function explain(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { source: { type: 'string' }, event: { type: 'string' }, json: { type: 'boolean', default: false } },
  });
  const source = sourceNamed(values.source ?? '');
  if (source === undefined || values.event === undefined) {
    throw new UsageError(
      'explain needs --source, one of alertmanager, grafana, smn, sns, cloudwatch, and --event FILE',
    );
  }
  const { config } = loadConfig(defaultFile(io.env));
  const receivedAt = new Date(io.now()).toISOString();
  const deliveries = readAlertFile(values.event, source, config, receivedAt);
  const alerts = deliveries.flatMap((delivery) => explained(config, delivery, io.now()));
  const ignored = deliveries.flatMap((delivery) => delivery.ignored);
  io.stdout(values.json ? `${JSON.stringify({ alerts, ignored })}\n` : textOf(alerts, ignored));
  return 0;
}

/** With what window and freeze would say, where nothing else keeps a job from it. */
function explained(config: Config, delivery: AlertDelivery, now: number): readonly AlertExplanation[] {
  const identity = 'explain';
  const event: Event = {
    trigger: 'alert',
    identity,
    requestedBy: `alert:${delivery.source}`,
    receivedAt: delivery.receivedAt,
  };
  const flags = { pause: null, storm: null };
  const withMoment = (explanation: JobExplanation): JobExplanation => {
    const job = config.jobs[explanation.job];
    if (!explanation.matched || explanation.refusal !== null || job === undefined) return explanation;
    return { ...explanation, refusal: firstRefusal(momentGuards, { job, event, now, flags }) };
  };
  return explainDelivery(config, delivery, now).map((alert) => ({ ...alert, jobs: alert.jobs.map(withMoment) }));
}

function textOf(alerts: readonly AlertExplanation[], ignored: AlertDelivery['ignored']): string {
  const lines = [
    ...alerts.flatMap(({ alert, status, startsAt, jobs }) => [
      `${alert}: ${status} since ${startsAt}`,
      ...(jobs.length === 0 ? ['  no job is started by alerts'] : jobs.map(jobLine)),
    ]),
    ...ignored.map(({ alert, code, reason }) => `${alert}: ignored (${code}): ${reason}`),
  ];
  return lines.map((line) => `${printable(line)}\n`).join('') || 'it holds no alert\n';
}

function jobLine({ job, matched, reason, instance = null, refusal = null }: JobExplanation): string {
  if (!matched) return `  ${job}: no, ${reason}`;
  const about = instance === null ? '' : ` about ${shown(instance)}`;
  if (refusal === null) return `  ${job}: would start a run${about}`;
  const until = 'liftsAt' in refusal && refusal.liftsAt !== undefined ? ` (until ${refusal.liftsAt})` : '';
  return `  ${job}: matches${about}, and would be refused: ${refusal.code}: ${refusal.reason}${until}`;
}

function shown(instance: InstanceReference): string {
  return `the instance with the ${instance.by} ${instance.value}`;
}

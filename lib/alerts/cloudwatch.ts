// An alarm of Amazon CloudWatch, in the three forms it is told in: the JSON text in a message of SNS, the event of a state
// change on EventBridge, and the event of an alarm that calls a function itself.

import * as v from 'valibot';
import type { Alert, AlertSource, AlertStatus, Texts } from '../alert.ts';
import { sha256 } from '../canonical.ts';
import {
  directEvent,
  type State,
  type StateChange,
  snsMessage,
  stateEvent,
  type Trigger,
} from './cloudwatch-schema.ts';
import { jsonIn, present, readAs, unambiguous } from './shape.ts';

/** One metric that an alarm looks at. `returned`: it is the one that is compared, where that is said. */
interface Metric {
  readonly metric: string;
  readonly namespace: string | undefined;
  readonly dimensions: readonly (readonly [string, string])[];
  readonly returned: boolean;
}

/** An alarm in any of the forms. */
interface Alarm {
  readonly rule: string;
  readonly arn: string;
  readonly value: State;
  readonly changedAt: string;
  /** Whether it was in ALARM before, too: its suppression changed, or what it is computed from. */
  readonly wasFiring: boolean;
  /** Whether its owner wants no action now, because of another alarm. */
  readonly suppressed: boolean;
  readonly description: string | undefined;
  readonly reason: string | undefined;
  readonly metrics: readonly Metric[];
  readonly tags: Texts;
}

/** The alert in the text of a message of SNS, undefined where it is no alarm of CloudWatch. */
export function alarmInMessage(text: string): Alert | undefined {
  const result = v.safeParse(snsMessage, jsonIn(text), { abortEarly: true });
  if (!result.success) return undefined;
  const { AlarmName, AlarmArn, AlarmDescription, NewStateValue, NewStateReason, StateChangeTime } = result.output;
  return alertOf('sns', {
    rule: AlarmName,
    arn: AlarmArn,
    value: NewStateValue,
    changedAt: StateChangeTime,
    wasFiring: false,
    suppressed: false,
    description: AlarmDescription ?? undefined,
    reason: NewStateReason ?? undefined,
    metrics: triggerMetrics(result.output.Trigger ?? { Dimensions: [], Metrics: [] }),
    tags: result.output.AlarmTags,
  });
}

/** The alert in an event "CloudWatch Alarm State Change", and the event's id. Throws DoorError 400 `malformed`. */
export function alarmInEvent(event: unknown): { readonly id: string; readonly alert: Alert } {
  const { id, resources, detail } = readAs(stateEvent, event, 'event of CloudWatch');
  return { id, alert: changeAlert(resources[0], detail) };
}

/** The alert in the event with which an alarm calls a function. Throws DoorError 400 `malformed`. */
export function alarmInCall(event: unknown): Alert {
  const { alarmArn, alarmData } = readAs(directEvent, event, 'event of CloudWatch');
  return changeAlert(alarmArn, alarmData);
}

function changeAlert(arn: string, read: StateChange): Alert {
  const { alarmName, state, previousState, configuration, alarmTags } = read;
  return alertOf('cloudwatch', {
    rule: alarmName,
    arn,
    value: state.value,
    changedAt: state.timestamp,
    wasFiring: previousState?.value === 'ALARM',
    suppressed: Boolean(state.actionsSuppressedBy),
    description: configuration.description ?? undefined,
    reason: state.reason ?? undefined,
    metrics: configuration.metrics.flatMap(({ returnData, metricStat }) =>
      metricStat ? [eventMetric(metricStat.metric, returnData === true)] : [],
    ),
    tags: alarmTags,
  });
}

const statuses: Readonly<Record<State, AlertStatus>> = {
  ALARM: 'firing',
  OK: 'resolved',
  INSUFFICIENT_DATA: 'unclear',
};

/**
 * One episode: from one ALARM to what follows it. The time of a state is that of its change, so ALARM knows its start, but
 * where it follows another ALARM; OK tells its end only. What it is about: the alarm's ARN, hashed, since names are long.
 */
function alertOf(source: AlertSource, alarm: Alarm): Alert {
  const status = alarm.suppressed && alarm.value === 'ALARM' ? 'unclear' : statuses[alarm.value];
  const compared = comparedMetric(alarm.metrics);
  const dimensions = unambiguous(alarm.metrics.flatMap((each) => each.dimensions));
  const [, , , region = '', account = ''] = alarm.arn.split(':');
  const own = {
    alertname: alarm.rule,
    rule: alarm.rule,
    metric: compared?.metric,
    namespace: compared?.namespace,
    region,
    account,
  };
  const labels: Texts = { ...alarm.tags, ...dimensions, ...present(own) };
  return {
    source,
    rule: alarm.rule,
    fingerprint: sha256(alarm.arn).slice(0, 32),
    status,
    startsAt: alarm.changedAt,
    startKnown: status === 'firing' && !alarm.wasFiring,
    ...(status === 'resolved' && { endsAt: alarm.changedAt }),
    labels,
    annotations: present({ description: alarm.description, summary: alarm.reason }),
    dimensions,
    ...present({ severity: labels['severity'], metric: labels['metric'] }),
  };
}

/** The metric that is compared; undefined where it is computed from several. */
function comparedMetric(metrics: readonly Metric[]): Metric | undefined {
  return metrics.find(({ returned }) => returned) ?? (metrics.length === 1 ? metrics[0] : undefined);
}

function triggerMetrics({ MetricName, Namespace, Dimensions, Metrics }: Trigger): Metric[] {
  const computed = Metrics.flatMap(({ ReturnData, MetricStat }): Metric[] => {
    if (!MetricStat) return [];
    const { Metric: own } = MetricStat;
    return [
      {
        metric: own.MetricName,
        namespace: own.Namespace ?? undefined,
        dimensions: own.Dimensions,
        returned: ReturnData === true,
      },
    ];
  });
  if (!MetricName) return computed;
  return [
    { metric: MetricName, namespace: Namespace ?? undefined, dimensions: Dimensions, returned: true },
    ...computed,
  ];
}

function eventMetric(
  {
    name,
    namespace,
    dimensions,
  }: { readonly name: string; readonly namespace?: string | null | undefined; readonly dimensions: Texts },
  returned: boolean,
): Metric {
  return { metric: name, namespace: namespace ?? undefined, dimensions: Object.entries(dimensions), returned };
}

// What Cloud Eye writes into a message of SMN: a metric alarm or, in a form that is only inferred, an event alarm; and
// that anything else is no alarm at all. Its texts for people are in the account's language and never read.

import * as v from 'valibot';
import type { Alert, AlertStatus, IgnoredAlert, Texts } from '../alert.ts';
import { hashOf } from '../canonical.ts';
import { id, jsonIn, milliseconds, name, placeOf, present, unambiguous } from './shape.ts';

/** A member that is only looked at where it is a text. */
const loose = v.fallback(v.optional(v.string()), undefined);

const template = v.object({
  ResourceId: loose,
  ResourceName: loose,
  AlarmLevel: v.fallback(v.optional(v.union([v.string(), v.pipe(v.number(), v.transform(String))])), undefined),
  AlarmDesc: loose,
  EventContent: loose,
});

const alarm = v.object({
  message_type: v.literal('alarm'),
  alarm_id: id,
  alarm_name: name,
  alarm_status: v.string(),
  time: milliseconds,
  namespace: v.optional(name, ''),
  metric_name: v.optional(name, ''),
  dimension: v.optional(v.pipe(v.string(), v.maxLength(4096)), ''),
  unit: loose,
  alarmValue: v.fallback(v.array(v.unknown()), []),
  default_content: loose,
  template_variable: v.fallback(v.optional(template), undefined),
});

type Alarm = v.InferOutput<typeof alarm>;

/** `invalid` and `insufficient_data` are neither. */
const statuses: Readonly<Record<string, AlertStatus>> = { alarm: 'firing', ok: 'resolved' };

/** Severities are numbers in the API and words in messages. */
const severities: Readonly<Record<string, string>> = {
  '1': 'critical',
  '2': 'major',
  '3': 'minor',
  '4': 'informational',
};

/** Events that say that another one is over. */
const recoveries: Readonly<Record<string, string>> = {
  redisNodeStatusNormal: 'redisNodeStatusAbnormal',
  memcachedInstanceStatusNormal: 'memcachedInstanceStatusAbnormal',
};

/** What the message around an alarm says of it. */
export interface AroundAlarm {
  /** Names the message where it holds no alarm. */
  readonly messageId: string;
  readonly region: string;
  readonly subject?: string | null | undefined;
}

/**
 * The alert in the text of a message, or why there is none: `plain_text`, or `not_an_alarm` for JSON of another form.
 *
 * One episode: Cloud Eye tells no start. A metric alarm that stays is notified again with a later `time`, and its `ok`
 * has its own, so `startsAt` is the time of the message and `startKnown` is false. An event has happened once, at its
 * time. What it is about: the alarm rule's id, the metric (one rule may have several) and the dimensions.
 */
export function cloudEyeAlert(text: string, around: AroundAlarm): Alert | IgnoredAlert {
  const value = jsonIn(text);
  if (typeof value !== 'object' || value === null) {
    return { alert: around.messageId, code: 'plain_text', reason: 'the message is a text for people, not an alarm' };
  }
  const result = v.safeParse(alarm, value, { abortEarly: true });
  if (result.success) return alertOf(result.output, around);
  const reason = `the message is no alarm of Cloud Eye: ${placeOf(result.issues[0])} is missing or not as expected`;
  return { alert: around.messageId, code: 'not_an_alarm', reason };
}

function alertOf(read: Alarm, { region, subject }: AroundAlarm): Alert {
  const { alarm_name: rule, metric_name: metric, time, template_variable: about } = read;
  const dimensions = dimensionsOf(read.dimension);
  const ended = Object.hasOwn(recoveries, metric) ? recoveries[metric] : undefined;
  const status = ended === undefined ? statusOf(read.alarm_status) : 'resolved';
  const level = about?.AlarmLevel?.toLowerCase() ?? '';
  const severity = Object.hasOwn(severities, level) ? severities[level] : level;
  const own = { alertname: rule, rule, severity, metric, namespace: read.namespace, region };
  const resource = { resource_id: about?.ResourceId, resource_name: about?.ResourceName };
  const labels: Texts = { ...dimensions, ...present({ ...resource, ...own }) };
  return {
    source: 'smn',
    rule,
    fingerprint: fingerprintOf(read, ended ?? metric, dimensions),
    status,
    startsAt: time,
    startKnown: isEvent(read) && status === 'firing',
    ...(status === 'resolved' && { endsAt: time }),
    labels,
    annotations: present({ summary: subject ?? undefined, description: read.default_content ?? about?.AlarmDesc }),
    dimensions,
    ...present({ severity: labels['severity'], metric: labels['metric'], value: newestValue(read) }),
  };
}

/** Only events have a content: the one sign of them that is known. */
function isEvent({ template_variable: about }: Alarm): boolean {
  return (about?.EventContent ?? '') !== '';
}

function statusOf(text: string): AlertStatus {
  return (Object.hasOwn(statuses, text) ? statuses[text] : undefined) ?? 'unclear';
}

/** `name:value`, several joined by commas in an order that is not documented. */
function dimensionsOf(text: string): Texts {
  return unambiguous(
    text.split(',').flatMap((pair): [string, string][] => {
      const colon = pair.indexOf(':');
      const [name, value] = [pair.slice(0, Math.max(colon, 0)).trim(), pair.slice(colon + 1).trim()];
      return name === '' || value === '' ? [] : [[name, value]];
    }),
  );
}

function fingerprintOf({ alarm_id, template_variable: about }: Alarm, metric: string, dimensions: Texts): string {
  const resource = Object.keys(dimensions).length > 0 ? dimensions : present({ resource_id: about?.ResourceId });
  return hashOf([alarm_id, metric, { ...resource }]).slice(0, 32);
}

function newestValue({ alarmValue, unit }: Alarm): string | undefined {
  const newest = v.safeParse(v.object({ value: v.union([v.number(), v.string()]) }), alarmValue.at(-1));
  return newest.success ? `${newest.output.value}${unit ?? ''}` : undefined;
}

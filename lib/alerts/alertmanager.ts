// The webhook of Alertmanager, version 4. The status of the group says nothing: it is firing while any alert in it is, so
// each alert is decided for itself. (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config)

import * as v from 'valibot';
import type { Alert, AlertDelivery, AlertSource, IgnoredAlert } from '../alert.ts';
import { id, instant, name, placeOf, present, readAs, texts } from './shape.ts';

/** One alert of a group, as Alertmanager and Grafana send it. */
export const groupedAlert = v.object({
  status: v.picklist(['firing', 'resolved']),
  labels: v.pipe(
    texts,
    v.check(({ alertname = '' }) => v.is(name, alertname)),
  ),
  annotations: v.optional(texts, {}),
  startsAt: instant,
  endsAt: v.optional(instant),
  fingerprint: id,
});

/** What was read of one. */
export type GroupedAlert = v.InferOutput<typeof groupedAlert>;

const group = v.object({
  version: v.string(),
  alerts: v.array(v.unknown()),
  truncatedAlerts: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0)), 0),
});

/**
 * The delivery in a parsed body of Alertmanager. An alert that cannot be read is ignored by itself: the sender does not
 * send the others again for its sake. Throws DoorError 400 `malformed` where the body is no group of alerts.
 */
export function alertmanagerDelivery(body: unknown, receivedAt: string): AlertDelivery {
  const read = (each: GroupedAlert) => alertOf('alertmanager', each);
  return groupDelivery('alertmanager', '4', body, receivedAt, groupedAlert, read);
}

/** A group of alerts: what Alertmanager and Grafana have in common. `read` is handed each alert that fits `schema`. */
export function groupDelivery<S extends v.GenericSchema>(
  source: AlertSource,
  version: string,
  body: unknown,
  receivedAt: string,
  schema: S,
  read: (each: v.InferOutput<S>) => Alert,
): AlertDelivery {
  const { alerts: entries, truncatedAlerts } = readAs(
    v.object({ ...group.entries, version: v.literal(version) }),
    body,
    `body of ${source}`,
  );
  const alerts: Alert[] = [];
  const ignored: IgnoredAlert[] = [];
  for (const [index, entry] of entries.entries()) {
    const result = v.safeParse(schema, entry, { abortEarly: true });
    if (result.success) alerts.push(read(result.output));
    else ignored.push(unreadable(index, placeOf(result.issues[0])));
  }
  return { source, receivedAt, alerts, ignored, truncated: truncatedAlerts };
}

/** An alert of a group. Its labels stay as they are; `rule` is added where it is none of them. */
export function alertOf(
  source: AlertSource,
  { status, labels, annotations, startsAt, endsAt, fingerprint }: GroupedAlert,
): Alert {
  const { alertname = '', severity, metric } = labels;
  return {
    source,
    rule: alertname,
    fingerprint,
    status,
    startsAt,
    startKnown: true,
    // A firing one ends at the zero of its sender's clock, or when it would be taken for resolved.
    ...(status === 'resolved' && endsAt !== undefined && { endsAt }),
    labels: { ...present({ rule: alertname }), ...labels },
    annotations,
    dimensions: {},
    ...present({ severity, metric }),
  };
}

function unreadable(index: number, place: string): IgnoredAlert {
  const what = place === '' ? 'it' : place;
  return { alert: `alerts[${index}]`, code: 'malformed', reason: `${what} is missing or not as expected` };
}

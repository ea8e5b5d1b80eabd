// The webhook of Grafana: Alertmanager's with more members, as version 1. Grafana's own alerts about a data source that is
// silent or broken carry the labels of the rule they stand for; they are not that rule's alert.
// (https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/)

import * as v from 'valibot';
import type { Alert, AlertDelivery } from '../alert.ts';
import { alertOf, groupDelivery, groupedAlert } from './alertmanager.ts';
import { present } from './shape.ts';

const grafanaAlert = v.object({
  ...groupedAlert.entries,
  ruleUID: v.optional(v.string()),
  values: v.nullish(v.record(v.string(), v.unknown())),
});

/** Names of the alerts that Grafana makes when a rule's query gives nothing or fails. */
const aboutDataSource = ['DatasourceNoData', 'DatasourceError'];

/** The delivery in a parsed body of Grafana. Throws DoorError 400 `malformed` where it is no group of alerts. */
export function grafanaDelivery(body: unknown, receivedAt: string): AlertDelivery {
  return groupDelivery('grafana', '1', body, receivedAt, grafanaAlert, grafanaAlertOf);
}

function grafanaAlertOf({ ruleUID, values, ...each }: v.InferOutput<typeof grafanaAlert>): Alert {
  const alert = alertOf('grafana', { ...each, labels: { ...each.labels, ...present({ rule_uid: ruleUID }) } });
  const isClear = alert.status === 'resolved' || !aboutDataSource.includes(alert.rule);
  const value = Object.entries(values ?? {}).flatMap(([ref, number]) =>
    typeof number === 'number' ? [`${ref}=${number}`] : [],
  );
  return { ...alert, status: isClear ? alert.status : 'unclear', ...present({ value: value.join(', ') }) };
}

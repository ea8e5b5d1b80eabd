// Alarms that arrive as events of a Lambda function: through SNS, through SQS behind SNS, from EventBridge, from the alarm
// itself. Who may call the function is AWS's to check; which topics may speak through SNS is ours.

import * as v from 'valibot';
import type { AlertDelivery } from '../alert.ts';
import type { Config } from '../config.ts';
import { malformed } from '../http.ts';
import { alarmInCall, alarmInEvent, alarmInMessage } from './cloudwatch.ts';
import { jsonIn } from './shape.ts';

const records = v.object({ Records: v.array(v.unknown()) });
// A record says where it comes from in lower case, but for SNS.
const snsRecord = v.object({
  EventSource: v.literal('aws:sns'),
  Sns: v.object({ MessageId: v.string(), TopicArn: v.string(), Message: v.string() }),
});
const sqsRecord = v.object({ eventSource: v.literal('aws:sqs'), messageId: v.string(), body: v.string() });
const wrapped = v.object({ Type: v.literal('Notification'), ...snsRecord.entries.Sns.entries });
const stateEvent = v.object({ source: v.literal('aws.cloudwatch'), 'detail-type': v.string() });
const directEvent = v.object({ source: v.literal('aws.cloudwatch'), alarmData: v.unknown() });

/** The detail-type of the one event of CloudWatch that is an alert; others tell of alarms that were edited. */
const stateChange = 'CloudWatch Alarm State Change';

/**
 * The deliveries in an event of Lambda: one for each record, in their order, else one. What is not to be acted on is
 * ignored in them, with code and reason: `source_not_listed`, `topic_not_listed`, `not_an_alarm`, `malformed`. Throws
 * DoorError 400 `malformed` for an event of another kind, or an alarm that cannot be read.
 */
export function awsDeliveries(event: unknown, sources: Config['sources'], receivedAt: string): AlertDelivery[] {
  if (v.is(records, event))
    return event.Records.map((record, index) => recordDelivery(record, index, sources, receivedAt));
  const kind = v.is(directEvent, event) ? 'direct' : v.is(stateEvent, event) ? event['detail-type'] : undefined;
  if (kind === undefined) throw malformed('This event is of no kind that brings alarms.');
  const about = { source: 'cloudwatch', receivedAt } as const;
  if (sources['cloudwatch'] === undefined) {
    return [ignoring(about, kind, 'source_not_listed', 'no source cloudwatch is listed')];
  }
  if (kind === 'direct') return [holding(about, alarmInCall(event))];
  if (kind !== stateChange) return [ignoring(about, kind, 'not_an_alarm', 'the event tells of no change of state')];
  const { id, alert } = alarmInEvent(event);
  return [holding({ ...about, deliveryId: id }, alert)];
}

function recordDelivery(record: unknown, index: number, sources: Config['sources'], receivedAt: string): AlertDelivery {
  const about = { source: 'sns', receivedAt } as const;
  const message = messageOf(record);
  if (message === undefined)
    return ignoring(about, `Records[${index}]`, 'malformed', 'the record is no message of SNS');
  const { MessageId: id, TopicArn: topic } = message;
  const known = { ...about, deliveryId: id };
  const sns = sources['sns'];
  if (sns?.type !== 'sns') return ignoring(known, id, 'source_not_listed', 'no source sns is listed');
  if (!sns.topics.includes(topic)) return ignoring(known, id, 'topic_not_listed', 'its topic is not listed');
  const alert = alarmInMessage(message.Message);
  if (alert === undefined) return ignoring(known, id, 'not_an_alarm', 'the message is no alarm of CloudWatch');
  return holding(known, alert);
}

/** The message of SNS in a record of SNS, or in the body of a record of SQS. */
function messageOf(record: unknown): v.InferOutput<typeof snsRecord>['Sns'] | undefined {
  const direct = v.safeParse(snsRecord, record);
  if (direct.success) return direct.output.Sns;
  const queued = v.safeParse(sqsRecord, record);
  const inside = v.safeParse(wrapped, queued.success ? jsonIn(queued.output.body) : undefined);
  return inside.success ? inside.output : undefined;
}

type About = Pick<AlertDelivery, 'source' | 'deliveryId' | 'receivedAt'>;

function holding(about: About, alert: AlertDelivery['alerts'][number]): AlertDelivery {
  return { ...about, alerts: [alert], ignored: [], truncated: 0 };
}

function ignoring(about: About, alert: string, code: string, reason: string): AlertDelivery {
  return { ...about, alerts: [], ignored: [{ alert, code, reason }], truncated: 0 };
}

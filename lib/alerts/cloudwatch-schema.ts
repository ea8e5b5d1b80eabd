// The three forms in which an alarm of Amazon CloudWatch is told, as schemas that name the members that are used. (AWS docs:
// "Alarm events and EventBridge", "Invoke a Lambda function from an alarm", "Alarm tags in action payloads".)

import * as v from 'valibot';
import type { Texts } from '../alert.ts';
import { instant, name, unambiguous } from './shape.ts';

const state = v.picklist(['OK', 'ALARM', 'INSUFFICIENT_DATA']);
/** States of an alarm. */
export type State = v.InferOutput<typeof state>;

const arn = v.pipe(
  v.string(),
  v.regex(/^arn:[a-z-]{1,32}:cloudwatch:[a-z0-9-]{1,64}:\d{12}:alarm:/),
  v.maxLength(1024),
);

const people = v.nullish(v.string());

/** Tags, where the alarm passes them on: by name, or as a list. */
const tags = v.union([
  v.record(v.string(), v.string()),
  v.pipe(
    v.array(v.union([pairOf('Key', 'Value'), pairOf('key', 'value'), pairOf('name', 'value')])),
    v.transform((pairs): Texts => unambiguous(pairs)),
  ),
]);

const listed = v.array(pairOf('name', 'value'));

const trigger = v.object({
  MetricName: v.nullish(name),
  Namespace: v.nullish(name),
  Dimensions: v.optional(listed, []),
  Metrics: v.optional(
    v.array(
      v.object({
        ReturnData: v.nullish(v.boolean()),
        MetricStat: v.nullish(
          v.object({
            Metric: v.object({ MetricName: name, Namespace: v.nullish(name), Dimensions: v.optional(listed, []) }),
          }),
        ),
      }),
    ),
    [],
  ),
});

/** The message of SNS. A composite alarm has no trigger. */
export const snsMessage = v.object({
  AlarmName: name,
  AlarmArn: arn,
  AlarmDescription: people,
  NewStateValue: state,
  NewStateReason: people,
  StateChangeTime: instant,
  Trigger: v.nullish(trigger),
  AlarmTags: v.optional(tags, {}),
});

const metric = v.object({
  returnData: v.nullish(v.boolean()),
  metricStat: v.nullish(
    v.object({
      metric: v.object({
        name,
        namespace: v.nullish(name),
        dimensions: v.optional(v.record(v.string(), v.string()), {}),
      }),
    }),
  ),
});

/** What EventBridge and a call of the alarm have in common. */
const stateChange = v.object({
  alarmName: name,
  configuration: v.optional(v.object({ description: people, metrics: v.optional(v.array(metric), []) }), {
    metrics: [],
  }),
  state: v.object({ value: state, reason: people, timestamp: instant, actionsSuppressedBy: people }),
  previousState: v.fallback(v.nullish(v.object({ value: state })), undefined),
  alarmTags: v.optional(tags, {}),
});

/** An event "CloudWatch Alarm State Change" of EventBridge. */
export const stateEvent = v.object({ id: v.string(), resources: v.tuple([arn]), detail: stateChange });
/** The event with which an alarm calls a function. */
export const directEvent = v.object({ alarmArn: arn, alarmData: stateChange });

/** A change of state, read. */
export type StateChange = v.InferOutput<typeof stateChange>;

/** The trigger of an alarm in a message of SNS, read. */
export type Trigger = v.InferOutput<typeof trigger>;

/** An object of a name and a value as a pair. */
function pairOf<N extends string, V extends string>(name: N, value: V) {
  return v.pipe(
    v.record(v.string(), v.unknown()),
    v.transform((object): unknown => [object[name], object[value]]),
    v.tuple([v.string(), v.string()]),
  );
}

// Alarms of CloudWatch in every form that Lambda is handed them in, and which events are let through.

import { describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import type { Alert, AlertDelivery } from '../../lib/alert.ts';
import { awsDeliveries } from '../../lib/alerts/aws-events.ts';
import { DoorError } from '../../lib/errors.ts';
import { fixture } from '../support/alert-world.ts';

const receivedAt = '2026-11-23T14:00:00.000Z';
const topic = 'arn:aws:sns:eu-central-1:111122223333:dcs-ops';
const sns = { type: 'sns', topics: [topic] } as const;
const cloudwatch = { type: 'cloudwatch' } as const;

const objects = v.record(v.string(), v.unknown());
const snsRecord = v.looseObject({ Sns: v.looseObject({ Message: v.string() }) });
const [example] = v.parse(v.object({ Records: v.tuple([snsRecord]) }), fixture('aws-sns-cloudwatch-alarm')).Records;
const stateChange = v.parse(
  v.looseObject({ detail: v.looseObject({ configuration: objects, state: objects }) }),
  fixture('aws-eventbridge-cloudwatch-alarm-state-change'),
);

function deliveries(
  event: unknown,
  sources: Parameters<typeof awsDeliveries>[1] = { sns, cloudwatch },
): AlertDelivery[] {
  return awsDeliveries(event, sources, receivedAt);
}

function only(event: unknown): Alert {
  const [alert] = deliveries(event).flatMap(({ alerts }) => alerts);
  if (alert === undefined) throw new Error('no alert');
  return alert;
}

/** A message of SNS whose alarm has something changed. */
function inMessage(change: Readonly<Record<string, unknown>>) {
  const Message = JSON.stringify({ ...v.parse(objects, JSON.parse(example.Sns.Message)), ...change });
  return { Records: [{ ...example, Sns: { ...example.Sns, Message } }] };
}

/** An event of EventBridge whose detail has something changed. */
function inEvent(change: Readonly<Record<string, unknown>>) {
  return { ...stateChange, detail: { ...stateChange.detail, ...change } };
}

const changedAt = '2026-11-23T13:37:12.345Z';
const timestamp = '2026-11-23T13:37:12.345+0000';

describe('the state of an alarm', () => {
  it.each([
    ['ALARM', { status: 'firing', startsAt: changedAt, startKnown: true }],
    ['OK', { status: 'resolved', startsAt: changedAt, startKnown: false, endsAt: changedAt }],
    ['INSUFFICIENT_DATA', { status: 'unclear', startsAt: changedAt, startKnown: false }],
  ])('%s in a message', (NewStateValue, expected) => {
    expect(only(inMessage({ NewStateValue }))).toMatchObject(expected);
  });

  it.each([
    ['ALARM', 'OK', { status: 'firing', startKnown: true }],
    ['ALARM', 'INSUFFICIENT_DATA', { status: 'firing', startKnown: true }],
    ['ALARM', 'ALARM', { status: 'firing', startKnown: false }],
    ['OK', 'ALARM', { status: 'resolved', startKnown: false, endsAt: changedAt }],
    ['INSUFFICIENT_DATA', 'ALARM', { status: 'unclear', startKnown: false }],
  ])('%s after %s in an event', (value, previous, expected) => {
    const event = inEvent({ state: { value, timestamp }, previousState: { value: previous, timestamp } });

    expect(only(event)).toMatchObject({ ...expected, startsAt: changedAt });
  });

  it.each([undefined, null, {}, { value: 'BEFORE' }])(
    'ALARM in an event after %p begins an episode',
    (previousState) => {
      expect(only(inEvent({ previousState }))).toMatchObject({ status: 'firing', startKnown: true });
    },
  );

  it('ALARM whose actions are suppressed asks for none; when that ends, an episode begins or goes on', () => {
    const suppressed = { value: 'ALARM', timestamp, actionsSuppressedBy: 'WaitPeriod' };

    expect(only(inEvent({ state: suppressed })).status).toBe('unclear');
    expect(only(inEvent({ previousState: suppressed }))).toMatchObject({ status: 'firing', startKnown: false });
    expect(only(inEvent({ state: { ...suppressed, value: 'OK' } })).status).toBe('resolved');
  });
});

describe('what an alarm is about', () => {
  const stat = (name: string, dimensions: Record<string, string>, returnData = false) => ({
    id: 'm',
    metricStat: { metric: { name, namespace: 'N', dimensions }, period: 60, stat: 'Average' },
    returnData,
  });
  const formula = { id: 'e', expression: 'm1/m2', returnData: true };

  it.each<[string, unknown[], string | undefined, Record<string, string>]>([
    ['one metric', [stat('A', { Cache: 'x' }, true)], 'A', { Cache: 'x' }],
    ['one metric of which nothing is said', [{ ...stat('A', {}), returnData: null }], 'A', {}],
    ['a formula of one metric', [formula, stat('A', { Cache: 'x' })], 'A', { Cache: 'x' }],
    [
      'a formula of two metrics',
      [formula, stat('A', { Cache: 'x' }), stat('B', { Cache: 'x', N: '1' })],
      undefined,
      { Cache: 'x', N: '1' },
    ],
    [
      'a formula over two caches',
      [formula, stat('A', { Cache: 'x', N: '1' }), stat('A', { Cache: 'y' })],
      undefined,
      { N: '1' },
    ],
    ['no metric', [], undefined, {}],
  ])('of %s', (_, metrics, metric, dimensions) => {
    const alert = only(inEvent({ configuration: { metrics } }));

    expect([alert.metric, alert.labels['metric'], alert.dimensions]).toEqual([metric, metric, dimensions]);
    expect(alert.labels).toMatchObject(dimensions);
  });

  it('of a formula in a message', () => {
    const one = { Dimensions: [{ name: 'Cache', value: 'x' }], MetricName: 'A', Namespace: 'N' };
    const Trigger = {
      Metrics: [
        { Expression: 'm1*2', Id: 'e', ReturnData: true },
        { Id: 'm1', MetricStat: { Metric: one }, ReturnData: false },
      ],
    };

    expect(only(inMessage({ Trigger }))).toMatchObject({
      metric: 'A',
      dimensions: { Cache: 'x' },
      labels: { namespace: 'N' },
    });
  });

  it('of a composite alarm is nothing but its name', () => {
    const alert = only(inMessage({ Trigger: undefined, AlarmRule: 'ALARM(a)' }));

    expect(alert.labels).toEqual({
      alertname: 'checkout-redis-latency-high',
      rule: 'checkout-redis-latency-high',
      region: 'eu-central-1',
      account: '111122223333',
    });
  });

  it('is told by its tags, too, which do not stand for its own labels', () => {
    const tags = { severity: 'page', env: 'prod', region: 'elsewhere' };
    const listed = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    const expected = { severity: 'page', labels: { severity: 'page', env: 'prod', region: 'eu-central-1' } };

    expect(only(inEvent({ alarmTags: tags }))).toMatchObject(expected);
    expect(only(inMessage({ AlarmTags: tags }))).toMatchObject(expected);
    expect(only(inMessage({ AlarmTags: listed }))).toMatchObject(expected);
  });

  it('has one fingerprint, whatever brings it', () => {
    const files = [
      'aws-eventbridge-cloudwatch-alarm-state-change',
      'aws-cloudwatch-alarm-lambda-action',
      'aws-sns-cloudwatch-alarm',
    ];

    expect(new Set(files.map((file) => only(fixture(file)).fingerprint)).size).toBe(1);
  });
});

describe('an event', () => {
  it('gives one delivery for each record, in their order', () => {
    const Records = [example, { ...example, Sns: { ...example.Sns, MessageId: 'two', Message: 'hello' } }, {}, null];

    const found = deliveries({ Records });

    expect(found.map(({ alerts, ignored, deliveryId }) => [alerts.length, ignored[0]?.code, deliveryId])).toEqual([
      [1, undefined, '95df01b4-ee98-5cb9-9903-4c221d41eb5e'],
      [0, 'not_an_alarm', 'two'],
      [0, 'malformed', undefined],
      [0, 'malformed', undefined],
    ]);
  });

  it.each([
    ['another topic', { sns: { type: 'sns', topics: [`${topic}-2`] }, cloudwatch } as const, 'topic_not_listed'],
    ['no source sns', { cloudwatch }, 'source_not_listed'],
  ])('of SNS is ignored with %s', (_, sources, code) => {
    for (const file of ['aws-sns-cloudwatch-alarm', 'aws-sqs-wrapping-sns-alarm']) {
      expect(deliveries(fixture(file), sources)).toMatchObject([{ alerts: [], ignored: [{ code }] }]);
    }
  });

  it.each(['aws-eventbridge-cloudwatch-alarm-state-change', 'aws-cloudwatch-alarm-lambda-action'])(
    'of CloudWatch is ignored where that is not listed: %s',
    (file) => {
      expect(deliveries(fixture(file), { sns })).toMatchObject([
        { alerts: [], ignored: [{ code: 'source_not_listed' }] },
      ]);
    },
  );

  it.each(['CloudWatch Alarm Configuration Change', 'CloudWatch Alarm Contributor State Change'])(
    'of CloudWatch that tells something else is ignored: %s',
    (kind) => {
      expect(deliveries({ ...stateChange, 'detail-type': kind })).toMatchObject([
        { alerts: [], ignored: [{ alert: kind, code: 'not_an_alarm' }] },
      ]);
    },
  );

  it('of a queue that holds something else is ignored', () => {
    expect(deliveries(fixture('aws-sqs')).flatMap(({ ignored }) => ignored)).toEqual(
      [0, 1, 2].map((index) => ({
        alert: `Records[${index}]`,
        code: 'malformed',
        reason: 'the record is no message of SNS',
      })),
    );
  });

  it.each([
    ['AlarmArn', 'arn:aws:sns:eu-central-1:111122223333:x'],
    ['NewStateValue', 'ALARMED'],
    ['StateChangeTime', 'now'],
    ['AlarmName', undefined],
    ['AlarmTags', 'env=prod'],
  ])('of SNS holds no alarm when its %s is %p', (member, value) => {
    expect(deliveries(inMessage({ [member]: value }))).toMatchObject([{ ignored: [{ code: 'not_an_alarm' }] }]);
  });

  it.each<[string, unknown]>([
    ['the schedule of a rule', fixture('aws-eventbridge-scheduled-rule')],
    ['SMN through FunctionGraph', fixture('functiongraph-smn-event')],
    ['a state change without a state', inEvent({ state: undefined })],
    ['a state change of no alarm', { ...stateChange, resources: ['arn:aws:s3:::x'] }],
    ['a state change of nothing', { ...stateChange, resources: [] }],
    ['a call without an alarm', { source: 'aws.cloudwatch', alarmData: {} }],
    ['nothing', null],
    ['a list', []],
  ])('of another kind is malformed: %s', (_, event) => {
    expect(() => deliveries(event)).toThrow(DoorError);
    expect(() => deliveries(event)).toThrow(expect.objectContaining({ status: 400, code: 'malformed' }));
  });
});

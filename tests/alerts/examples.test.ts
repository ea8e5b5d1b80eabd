// Every example of an alert, and the one shape that its adapter makes of it: the table to read first.

import { describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import type { Alert } from '../../lib/alert.ts';
import { episodeOf } from '../../lib/alert.ts';
import { alertmanagerDelivery } from '../../lib/alerts/alertmanager.ts';
import { awsDeliveries } from '../../lib/alerts/aws-events.ts';
import { cloudEyeAlert } from '../../lib/alerts/cloud-eye.ts';
import { grafanaDelivery } from '../../lib/alerts/grafana.ts';
import { receiveSmn } from '../../lib/alerts/smn.ts';
import { AlertWorld, bodyOf, fixture, smnSource } from '../support/alert-world.ts';

const receivedAt = '2026-11-23T14:00:00.000Z';
const instance = '2e803f66-fbb0-47ad-b6cb-fb87f5bed4ef';
const cluster = 'b3c1a6de-7c1f-4a52-9f0e-1d2c3b4a5968';
const node = '36c4536996ca5615dcf9911f068786dc';

const memoryHigh: Alert = {
  source: 'alertmanager',
  rule: 'RedisMemoryHigh',
  fingerprint: '572451e30d77f63b',
  status: 'firing',
  startsAt: '2026-11-23T13:36:42.123Z',
  startKnown: true,
  labels: {
    alertname: 'RedisMemoryHigh',
    rule: 'RedisMemoryHigh',
    dcs_instance_id: instance,
    dcs_instance_name: 'cache-orders-prod',
    env: 'prod',
    severity: 'critical',
  },
  annotations: {
    summary: 'memory of cache-orders-prod above 90 %',
    dcs_action: 'soft_restart',
    runbook_url: 'https://runbooks.example.com/redis-memory',
  },
  dimensions: {},
  severity: 'critical',
};

const cloudEyeMemory: Alert = {
  source: 'smn',
  rule: 'dcs-redis-memory-high',
  fingerprint: '50b9579389d1f3aeada074473f20166e',
  status: 'firing',
  startsAt: '2026-11-23T13:37:00.000Z',
  startKnown: false,
  labels: {
    alertname: 'dcs-redis-memory-high',
    rule: 'dcs-redis-memory-high',
    severity: 'critical',
    metric: 'memory_usage',
    namespace: 'SYS.DCS',
    region: 'ap-southeast-3',
    resource_id: instance,
    resource_name: 'cache-orders-prod',
    dcs_instance_id: instance,
  },
  annotations: {
    summary:
      '[Critical Alarm]From Cloud Eye: The Memory Usage of Distributed Cache Service-DCS Redis Instance "cache-orders-prod" has triggered an alarm.',
    description: [
      '[AP-Singapore][Critical Alarm]Dear example-account: The Memory Usage of Distributed Cache Service-DCS Redis Instance',
      '"cache-orders-prod" (ID: 2e803f66-fbb0-47ad-b6cb-fb87f5bed4ef),  Average > 90% for 2 consecutive periods,\nCurrent Data:',
      '93.4%,\ntriggered an alarm,Alarm Rule Name: dcs-redis-memory-high.',
    ].join(' '),
  },
  dimensions: { dcs_instance_id: instance },
  severity: 'critical',
  metric: 'memory_usage',
  value: '93.4%',
};

const latency: Alert = {
  source: 'cloudwatch',
  rule: 'checkout-redis-latency-high',
  fingerprint: '24ba1135de12ab19f5e4df91d982ff69',
  status: 'firing',
  startsAt: '2026-11-23T13:37:12.345Z',
  startKnown: true,
  labels: {
    alertname: 'checkout-redis-latency-high',
    rule: 'checkout-redis-latency-high',
    metric: 'RedisLatencyMs',
    namespace: 'Checkout/Cache',
    region: 'eu-central-1',
    account: '111122223333',
    Cache: 'cache-orders-prod',
  },
  annotations: {
    description: 'dcs:action=soft_restart;dcs:target=cache-orders-prod',
    summary: 'Threshold Crossed: 3 out of the last 3 datapoints were greater than the threshold (250.0).',
  },
  dimensions: { Cache: 'cache-orders-prod' },
  metric: 'RedisLatencyMs',
};

const awsSources = {
  sns: { type: 'sns', topics: ['arn:aws:sns:eu-central-1:111122223333:dcs-ops'] },
  cloudwatch: { type: 'cloudwatch' },
} as const;

describe('Alertmanager', () => {
  it('gives each alert of a group with its own status', () => {
    expect(alertmanagerDelivery(bodyOf('alertmanager-webhook-v4'), receivedAt)).toEqual({
      source: 'alertmanager',
      receivedAt,
      alerts: [
        memoryHigh,
        {
          ...memoryHigh,
          fingerprint: '85c0a63029dd048e',
          status: 'resolved',
          startsAt: '2026-11-23T12:10:00.000Z',
          endsAt: '2026-11-23T13:30:00.000Z',
          labels: { ...memoryHigh.labels, dcs_instance_id: cluster, dcs_instance_name: 'cache-cluster-prod' },
          annotations: { ...memoryHigh.annotations, summary: 'memory of cache-cluster-prod above 90 %' },
        },
      ],
      ignored: [],
      truncated: 0,
    });
  });
});

describe('Grafana', () => {
  it('gives the alert with its values and the id of its rule', () => {
    expect(grafanaDelivery(bodyOf('grafana-webhook'), receivedAt)).toEqual({
      source: 'grafana',
      receivedAt,
      alerts: [
        {
          source: 'grafana',
          rule: 'Redis latency',
          fingerprint: 'd692bc40d83423d2',
          status: 'firing',
          startsAt: '2026-11-23T13:36:00.000Z',
          startKnown: true,
          labels: {
            alertname: 'Redis latency',
            rule: 'Redis latency',
            dcs_instance_id: instance,
            grafana_folder: 'cache',
            rule_uid: 'rule1',
          },
          annotations: { summary: 'p99 above 250 ms', dcs_action: 'soft_restart' },
          dimensions: {},
          value: 'A=312.5',
        },
      ],
      ignored: [],
      truncated: 0,
    });
  });
});

describe('SMN', () => {
  const twoDimensions = { dcs_cluster_redis_node: node, dcs_instance_id: cluster };

  it.each<[string, string, unknown]>([
    ['a metric alarm', 'smn-ces-alarm-dcs', cloudEyeMemory],
    [
      'its end',
      'smn-ces-ok-dcs',
      {
        ...cloudEyeMemory,
        status: 'resolved',
        startsAt: '2026-11-23T13:57:00.000Z',
        endsAt: '2026-11-23T13:57:00.000Z',
        annotations: expect.anything(),
        value: '41.2%',
      },
    ],
    [
      'an alarm of a node, with two dimensions',
      'smn-ces-alarm-dcs-cluster-node',
      {
        ...cloudEyeMemory,
        rule: 'dcs-cluster-node-memory',
        fingerprint: '3e4e98cb8340a5487d438a9fb222aeca',
        startsAt: '2026-11-23T13:40:00.000Z',
        labels: {
          ...cloudEyeMemory.labels,
          ...twoDimensions,
          alertname: 'dcs-cluster-node-memory',
          rule: 'dcs-cluster-node-memory',
          severity: 'major',
          resource_id: cluster,
          resource_name: 'cache-cluster-prod',
        },
        annotations: expect.anything(),
        dimensions: twoDimensions,
        severity: 'major',
        value: '95%',
      },
    ],
    [
      'an event alarm, in its inferred form',
      'smn-ces-event-dcs-INFERRED',
      {
        ...cloudEyeMemory,
        rule: 'dcs-node-abnormal',
        fingerprint: 'f32a2d2dd7db14bd9faa1456c8274c08',
        startsAt: '2026-11-23T13:50:00.000Z',
        startKnown: true,
        labels: {
          ...cloudEyeMemory.labels,
          alertname: 'dcs-node-abnormal',
          rule: 'dcs-node-abnormal',
          severity: 'major',
          metric: 'redisNodeStatusAbnormal',
        },
        annotations: expect.anything(),
        severity: 'major',
        metric: 'redisNodeStatusAbnormal',
        value: '1count',
      },
    ],
  ])('gives %s of Cloud Eye', async (_, file, alert) => {
    const delivery = await receiveSmn(bodyOf(file), smnSource, new AlertWorld());

    expect(delivery).toEqual({
      source: 'smn',
      deliveryId: bodyOf(file)['message_id'],
      receivedAt,
      alerts: [alert],
      ignored: [],
      truncated: 0,
    });
  });

  it('gives no alert for a plain text', async () => {
    const delivery = await receiveSmn(bodyOf('smn-plain-text-notification'), smnSource, new AlertWorld());

    const alert = '36604411a85db2bd9e97e22bfb5b692d';
    expect(delivery).toMatchObject({ alerts: [], ignored: [{ alert, code: 'plain_text' }], deliveryId: alert });
  });

  it('knows the end of an alarm for the one that began', async () => {
    const [began, ended] = await Promise.all(
      ['smn-ces-alarm-dcs', 'smn-ces-ok-dcs'].map((file) => receiveSmn(bodyOf(file), smnSource, new AlertWorld())),
    );

    const episodes = [began, ended].flatMap((each) => (each && 'alerts' in each ? each.alerts.map(episodeOf) : []));
    expect(episodes[0]?.slice(0, 3)).toEqual(episodes[1]?.slice(0, 3));
  });

  it('reads what SMN hands to FunctionGraph with the same reader', () => {
    const relayed = v.parse(
      v.object({ record: v.tuple([v.object({ smn: v.object({ message: v.string(), subject: v.string() }) })]) }),
      fixture('functiongraph-smn-event'),
    );
    const { message, subject } = relayed.record[0].smn;

    const alert = cloudEyeAlert(message, { messageId: 'm', region: 'ap-southeast-3', subject });

    expect(alert).toEqual({
      ...cloudEyeMemory,
      fingerprint: 'e9a2e0da961cf98f59b979a73d43bb58',
      labels: { ...cloudEyeMemory.labels, metric: 'cpu_usage' },
      annotations: expect.anything(),
      metric: 'cpu_usage',
      value: '97.1%',
    });
  });
});

describe('CloudWatch', () => {
  it.each([
    [
      'an event of EventBridge',
      'aws-eventbridge-cloudwatch-alarm-state-change',
      'c4c1c1c9-6542-e61b-6ef0-8c4d36933a92',
      'cloudwatch',
    ],
    ['the call of an alarm', 'aws-cloudwatch-alarm-lambda-action', undefined, 'cloudwatch'],
    ['a message of SNS', 'aws-sns-cloudwatch-alarm', '95df01b4-ee98-5cb9-9903-4c221d41eb5e', 'sns'],
    ['a message of SNS through SQS', 'aws-sqs-wrapping-sns-alarm', '95df01b4-ee98-5cb9-9903-4c221d41eb5e', 'sns'],
  ])('gives the alarm in %s', (_, file, deliveryId, source) => {
    const deliveries = awsDeliveries(fixture(file), awsSources, receivedAt);

    expect(deliveries).toEqual([
      {
        source,
        ...(deliveryId !== undefined && { deliveryId }),
        receivedAt,
        alerts: [{ ...latency, source }],
        ignored: [],
        truncated: 0,
      },
    ]);
  });
});

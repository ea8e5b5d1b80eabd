// Every source through the door: the examples as they are sent, twice, and their ends. Which instance they name, and that
// a message that comes again changes nothing.

import { describe, expect, it } from '@jest/globals';
import { takeAlarms } from '../../functions/alert.ts';
import type { AlertSource } from '../../lib/alert.ts';
import { alertmanagerDelivery } from '../../lib/alerts/alertmanager.ts';
import type { Source } from '../../lib/config.ts';
import { explainDelivery } from '../../lib/doors/alert-jobs.ts';
import { noteSuccess } from '../../lib/guards/cooldown.ts';
import { alertDoorWorld, listensTo, runsOf, taken } from '../support/alert-door.ts';
import { afternoon, bodyOf, fixture, request, smnSource } from '../support/alert-world.ts';
import { call, jobOf } from '../support/door-world.ts';

const orders = '2e803f66-fbb0-47ad-b6cb-fb87f5bed4ef';
const topic = 'arn:aws:sns:eu-central-1:111122223333:dcs-ops';

const sources: Readonly<Record<string, Source>> = {
  alertmanager: { type: 'alertmanager', auth: 'bearer', secrets: ['env:ALERTMANAGER'] },
  grafana: {
    type: 'grafana',
    auth: 'hmac',
    secrets: ['env:GRAFANA'],
    signatureHeader: 'x-grafana-alerting-signature',
    timestampHeader: 'x-grafana-alerting-timestamp',
  },
  smn: smnSource,
  sns: { type: 'sns', topics: [topic] },
  cloudwatch: { type: 'cloudwatch' },
};

/** A world at the time of the examples, with a job for whatever a source sends. */
function world(source: AlertSource, instance = 'dcs_instance_id') {
  const match = [{ label: 'alertname', op: '!=' as const, value: '' }];
  const job = jobOf('fix', { ...listensTo(''), source, match, instance, maxAge: 86_400 });
  const made = alertDoorWorld([job], { sources });
  made.secrets.set('env:ALERTMANAGER', 'example-token').set('env:GRAFANA', 'grafana-hmac-example-secret');
  made.now = source === 'grafana' ? 1_795_441_020_000 : afternoon;
  return made;
}

const send = async (made: ReturnType<typeof world>, source: string, file: string) => {
  const { headers, body } = request(file);
  return await call(made.door, { path: `/alerts/${source}`, headers, body });
};

describe('an example over HTTP', () => {
  it.each([
    ['alertmanager', 'alertmanager-webhook-v4', [orders]],
    ['grafana', 'grafana-webhook', [orders]],
    ['smn', 'smn-ces-alarm-dcs', [orders]],
    ['smn', 'smn-ces-event-dcs-INFERRED', [orders]],
  ] as const)('of %s starts its run once: %s', async (source, file, expected) => {
    const made = world(source);

    const first = taken(await send(made, source, file));
    const second = taken(await send(made, source, file));

    expect(first.status).toBe(202);
    expect(first.started.map(({ instanceId }) => instanceId)).toEqual(expected);
    expect(second.started).toEqual([]);
    expect(second.ignored.map(({ code }) => code)).toContain('duplicate');
    expect(made.starts).toHaveLength(1);
  });

  it('of Cloud Eye that is over takes back what its alarm has started, in either order', async () => {
    for (const files of [
      ['smn-ces-alarm-dcs', 'smn-ces-ok-dcs'],
      ['smn-ces-ok-dcs', 'smn-ces-alarm-dcs'],
    ]) {
      const made = world('smn');
      for (const file of files) await send(made, 'smn', file);

      const runs = await runsOf(made);
      expect(runs.filter(({ stop }) => stop?.code !== 'resolved')).toEqual([]);
    }
  });

  it.each([['smn-plain-text-notification', 'plain_text']])(
    'of SMN that is no alarm is told as that: %s',
    async (file, code) => {
      const made = world('smn');

      expect(taken(await send(made, 'smn', file)).ignored.map((each) => each.code)).toEqual([code]);
    },
  );

  it('of a node’s event after our own restart is our echo', async () => {
    const made = world('smn');
    await noteSuccess(made.state, orders, 'run-1', Date.parse('2026-11-23T13:45:00Z'));

    const { ignored } = taken(await send(made, 'smn', 'smn-ces-event-dcs-INFERRED'));

    expect(ignored.map(({ code }) => code)).toEqual(['own_echo']);
  });
});

describe('an event of AWS', () => {
  it.each([
    ['sns', 'aws-sns-cloudwatch-alarm'],
    ['sns', 'aws-sqs-wrapping-sns-alarm'],
    ['cloudwatch', 'aws-eventbridge-cloudwatch-alarm-state-change'],
    ['cloudwatch', 'aws-cloudwatch-alarm-lambda-action'],
  ] as const)('of %s starts its run once: %s', async (source, file) => {
    const made = world(source, 'Cache');

    const first = await takeAlarms(made.runtime, fixture(file));
    const second = await takeAlarms(made.runtime, fixture(file));

    const [run] = await runsOf(made);
    expect(first.started).toEqual([{ runId: run?.runId, job: 'fix', instanceId: null }]);
    expect(run?.event).toMatchObject({
      requestedBy: `alert:${source}`,
      reference: { by: 'name', value: 'cache-orders-prod' },
    });
    expect(second.started).toEqual([]);
    expect(made.starts).toHaveLength(1);
  });

  it('of no kind that brings alarms fails, so that it shows in the function’s errors', async () => {
    const made = world('cloudwatch');

    await expect(takeAlarms(made.runtime, { Records: 1 })).rejects.toMatchObject({ code: 'malformed' });
  });
});

describe('what a delivery would come to', () => {
  it('is told for each alert and job, with the instance and what would keep the job from acting', () => {
    const { config } = world('alertmanager').runtime;
    const delivery = alertmanagerDelivery(bodyOf('alertmanager-webhook-v4'), new Date(afternoon).toISOString());

    expect(explainDelivery(config, delivery, afternoon)).toMatchObject([
      {
        alert: 'RedisMemoryHigh/572451e30d77f63b',
        status: 'firing',
        jobs: [{ job: 'fix', matched: true, instance: { by: 'id', value: orders }, refusal: null }],
      },
      { status: 'resolved', jobs: [{ job: 'fix', matched: true, refusal: { code: 'resolved' } }] },
    ]);
  });

  it('names an alert that has become too old', () => {
    const { config } = world('alertmanager').runtime;
    const delivery = alertmanagerDelivery(bodyOf('alertmanager-webhook-v4'), '');
    const later = afternoon + 2 * 86_400_000;

    expect(explainDelivery(config, delivery, later)[0]?.jobs[0]?.refusal?.code).toBe('stale');
  });
});

// The one table behind the door: which source a path means, in which order a request is judged, and that nothing that a
// stranger can send makes an adapter throw anything but a refusal.

import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { alertmanagerDelivery } from '../../lib/alerts/alertmanager.ts';
import { awsDeliveries } from '../../lib/alerts/aws-events.ts';
import { cloudEyeAlert } from '../../lib/alerts/cloud-eye.ts';
import { grafanaDelivery } from '../../lib/alerts/grafana.ts';
import { readSmnMessage } from '../../lib/alerts/smn-signature.ts';
import { type HttpSource, httpSource, methodsOf, outsideOver, receiveAlerts } from '../../lib/alerts/sources.ts';
import type { Source } from '../../lib/config.ts';
import { DoorError } from '../../lib/errors.ts';
import { AlertWorld, afternoon, bodyOf, fixture, rejection, request, smnSource } from '../support/alert-world.ts';

const receivedAt = '2026-11-23T14:00:00.000Z';
const token = 'made-up-token-of-alerts';
const bearer = { authorization: `Bearer ${token}` };
const alertmanager = { type: 'alertmanager', auth: 'bearer', secrets: ['env:TOKEN'] } as const;
const grafana = {
  type: 'grafana',
  auth: 'hmac',
  secrets: ['env:GRAFANA'],
  signatureHeader: 'x-grafana-alerting-signature',
  timestampHeader: null,
} as const;
const sources: Readonly<Record<string, Source>> = {
  alertmanager,
  grafana,
  smn: smnSource,
  sns: { type: 'sns', topics: [] },
  cloudwatch: { type: 'cloudwatch' },
};

function worldOf(): AlertWorld {
  const world = new AlertWorld();
  world.secretOf.set('env:TOKEN', token).set('env:GRAFANA', 'grafana-hmac-example-secret');
  return world;
}

async function receive(
  source: HttpSource,
  headers: Record<string, string>,
  body: string | Uint8Array,
  world = worldOf(),
) {
  return await receiveAlerts(world, outsideOver(world.get), source, { headers, body: Buffer.from(body) });
}

describe('httpSource', () => {
  it.each(['alertmanager', 'grafana', 'smn'])('finds %s where it is listed, and how it may call', (name) => {
    const source = httpSource({ sources }, name);

    expect(source).toBe(sources[name]);
    expect(methodsOf[source.type]).toContain('POST');
  });

  it.each(['sns', 'cloudwatch', 'pagerduty', '', 'constructor', '__proto__', 'Alertmanager'])(
    'is 404 for %p',
    (name) => {
      expect(() => httpSource({ sources }, name)).toThrow(expect.objectContaining({ status: 404, code: 'not_found' }));
    },
  );

  it('is 404 for one that is not listed', () => {
    expect(() => httpSource({ sources: {} }, 'smn')).toThrow(expect.objectContaining({ status: 404 }));
  });
});

describe('receiveAlerts', () => {
  it('lets Alertmanager, Grafana and SMN in with what they send', async () => {
    const [am, gr, smn] = [
      request('alertmanager-webhook-v4'),
      request('grafana-webhook'),
      request('smn-ces-alarm-dcs'),
    ];
    const signature = createHmac('sha256', 'grafana-hmac-example-secret').update(gr.body).digest('hex');

    const received = [
      await receive(alertmanager, bearer, am.body),
      await receive(grafana, { 'x-grafana-alerting-signature': signature }, gr.body),
      await receive(smnSource, smn.headers, smn.body),
    ];

    expect(received).toMatchObject([
      { source: 'alertmanager', alerts: [{ status: 'firing' }, { status: 'resolved' }] },
      { source: 'grafana', alerts: [{ rule: 'Redis latency' }] },
      { source: 'smn', alerts: [{ rule: 'dcs-redis-memory-high' }] },
    ]);
  });

  it('looks at who sends before it parses, and at the size before that', async () => {
    const none = '{"never":';

    expect(await rejection(receive(alertmanager, {}, none))).toMatchObject({ status: 401 });
    expect(await rejection(receive(alertmanager, bearer, none))).toMatchObject({ status: 400 });
    expect(await rejection(receive(alertmanager, {}, Buffer.alloc(256 * 1024 + 1)))).toMatchObject({ status: 413 });
    expect(await rejection(receive(smnSource, {}, Buffer.alloc(256 * 1024 + 1)))).toMatchObject({ status: 413 });
  });

  it('does not believe the headers of SMN', async () => {
    const { body } = request('smn-ces-alarm-dcs');
    const headers = {
      'x-smn-message-type': 'SubscriptionConfirmation',
      'x-smn-topic-urn': 'urn:smn:x',
      'x-smn-message-id': '1',
    };

    await expect(receive(smnSource, headers, body)).resolves.toMatchObject({ alerts: [{ status: 'firing' }] });
  });

  it('logs and tells nothing of what a refused request carried', async () => {
    const world = worldOf();
    const error = await rejection(
      receive(alertmanager, { authorization: 'Bearer stolen-made-up' }, '{"secret":"s3cr3t"}', world),
    );

    expect(JSON.stringify([error, String(error), world.lines])).not.toMatch(/stolen|s3cr3t|made-up-token/);
  });
});

describe('an adapter, whatever it is handed', () => {
  const files = [
    'alertmanager-webhook-v4',
    'grafana-webhook',
    'smn-ces-alarm-dcs',
    'smn-ces-alarm-dcs-cluster-node',
    'smn-ces-event-dcs-INFERRED',
    'smn-ces-ok-dcs',
    'smn-plain-text-notification',
    'smn-subscription-confirmation',
    'smn-unsubscribe-confirmation',
  ];
  const events = [
    'aws-cloudwatch-alarm-lambda-action',
    'aws-eventbridge-cloudwatch-alarm-state-change',
    'aws-sns-cloudwatch-alarm',
    'aws-sqs-wrapping-sns-alarm',
    'functiongraph-smn-event',
  ];
  const examples = [
    ...files.map((file) => bodyOf(file)),
    ...files.map((file) => inside(bodyOf(file))),
    ...events.map(fixture),
  ];

  const adapters: readonly ((value: unknown) => unknown)[] = [
    (value) => alertmanagerDelivery(value, receivedAt),
    (value) => grafanaDelivery(value, receivedAt),
    (value) =>
      awsDeliveries(
        value,
        { ...sources, sns: { type: 'sns', topics: ['arn:aws:sns:eu-central-1:111122223333:dcs-ops'] } },
        receivedAt,
      ),
    (value) => readSmnMessage(value),
    (value) => cloudEyeAlert(JSON.stringify(value) ?? '', { messageId: 'm', region: 'r' }),
  ];

  function judge(value: unknown): void {
    for (const adapter of adapters) {
      try {
        adapter(value);
      } catch (error) {
        expect(error).toBeInstanceOf(DoorError);
        expect(error).toMatchObject({ status: 400, code: 'malformed' });
      }
    }
  }

  it('throws nothing but its refusal for any JSON', () => {
    fc.assert(fc.property(fc.jsonValue(), judge), { numRuns: 300 });
  });

  it('throws nothing but its refusal for an example in which something is replaced or missing', () => {
    const replacement = fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constantFrom('', 'OK', 1e308, -1, null, [], {}));
    const mutated = fc
      .constantFrom(...examples)
      .chain((example) =>
        fc
          .tuple(fc.constantFrom(...placesIn(example)), replacement, fc.boolean())
          .map(([place, value, drop]) => changed(example, place, drop ? undefined : value)),
      );

    fc.assert(fc.property(mutated, judge), { numRuns: 1000 });
  });

  it('throws nothing but refusals for any bytes', async () => {
    const world = worldOf();

    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom<HttpSource>(alertmanager, smnSource),
        async (body, source) => {
          expect(await rejection(receive(source, bearer, body, world))).toBeInstanceOf(DoorError);
        },
      ),
    );
  });

  it('reads a thousand alerts, each for itself', () => {
    const [alert] = alertmanagerDelivery(bodyOf('alertmanager-webhook-v4'), receivedAt).alerts;
    const entry = { ...alert, fingerprint: 'f' };
    const alerts = Array.from({ length: 1000 }, (_, index) => ({
      ...entry,
      fingerprint: `f${index}`,
      ...(index % 10 === 0 && { status: 'x' }),
    }));

    const delivery = alertmanagerDelivery({ version: '4', alerts }, new Date(afternoon).toISOString());

    expect([delivery.alerts.length, delivery.ignored.length]).toEqual([900, 100]);
  });
});

/** The JSON inside the message of a body, where there is one. */
function inside(body: Readonly<Record<string, unknown>>): unknown {
  try {
    return JSON.parse(String(body['message']));
  } catch {
    return body;
  }
}

type Place = readonly (string | number)[];

/** Every place in a value, as the names and indexes that lead to it. */
function placesIn(value: unknown, before: Place = []): Place[] {
  if (typeof value !== 'object' || value === null) return [before];
  return [before, ...Object.entries(value).flatMap(([key, member]) => placesIn(member, [...before, key]))];
}

/** A copy in which one place has another value, or is missing. */
function changed(value: unknown, [key, ...rest]: Place, replacement: unknown): unknown {
  if (key === undefined) return replacement;
  const copy: unknown = Array.isArray(value) ? [...value] : { ...Object(value) };
  const member = changed(Reflect.get(Object(copy), key), rest, replacement);
  if (member === undefined && !Array.isArray(copy)) Reflect.deleteProperty(Object(copy), key);
  else Reflect.set(Object(copy), key, member);
  return copy;
}

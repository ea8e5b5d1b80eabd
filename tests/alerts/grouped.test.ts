// The groups of Alertmanager and of Grafana, member by member: what is read, what makes one alert unreadable without the
// others, and what makes the whole body none.

import { describe, expect, it } from '@jest/globals';
import { alertmanagerDelivery } from '../../lib/alerts/alertmanager.ts';
import { grafanaDelivery } from '../../lib/alerts/grafana.ts';
import { bodyOf } from '../support/alert-world.ts';

const receivedAt = '2026-11-23T14:00:00.000Z';

const plain = {
  status: 'firing',
  labels: { alertname: 'A' },
  annotations: {},
  startsAt: '2026-11-23T13:00:00Z',
  endsAt: '0001-01-01T00:00:00Z',
  fingerprint: '0000000000000001',
};

function alertmanager(alerts: unknown, change: Readonly<Record<string, unknown>> = {}) {
  return alertmanagerDelivery({ version: '4', alerts, truncatedAlerts: 0, ...change }, receivedAt);
}

function grafana(change: Readonly<Record<string, unknown>>) {
  return grafanaDelivery({ version: '1', alerts: [{ ...plain, ...change }] }, receivedAt);
}

describe('a group of Alertmanager', () => {
  it('tells how many alerts the sender left out; older ones do not say', () => {
    expect(alertmanager([plain], { truncatedAlerts: 7 }).truncated).toBe(7);
    expect(alertmanager([plain], { truncatedAlerts: undefined }).truncated).toBe(0);
  });

  it.each([
    ['2026-11-23T13:00:00Z', '2026-11-23T13:00:00.000Z'],
    ['2026-11-23T14:00:00.123456789+01:00', '2026-11-23T13:00:00.123Z'],
    ['2026-11-23T13:00:00.5+0000', '2026-11-23T13:00:00.500Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ])('that begins at %s began at %s', (startsAt, expected) => {
    expect(alertmanager([{ ...plain, startsAt }]).alerts).toMatchObject([{ startsAt: expected }]);
  });

  it.each([
    ['status', 'pending'],
    ['labels', { alertname: 1 }],
    ['labels', { alertname: 'x'.repeat(513) }],
    ['labels', null],
    ['annotations', 'none'],
    ['startsAt', 'yesterday'],
    ['startsAt', '2026-13-01T00:00:00Z'],
    ['startsAt', '9999-12-31T23:59:59-12:00'],
    ['startsAt', 1795441020],
    ['fingerprint', ''],
    ['fingerprint', 'x'.repeat(201)],
    ['fingerprint', undefined],
  ])('keeps its other alerts when the %s of one is %p', (member, value) => {
    const { alerts, ignored } = alertmanager([plain, { ...plain, [member]: value }, { ...plain, status: 'resolved' }]);

    expect(alerts.map(({ status }) => status)).toEqual(['firing', 'resolved']);
    expect(ignored).toMatchObject([{ alert: 'alerts[1]', code: 'malformed', reason: expect.stringContaining(member) }]);
  });

  it.each([[null], ['x'], [[plain]], [7]])('keeps its other alerts when one is %p', (entry) => {
    const { alerts, ignored } = alertmanager([entry, plain]);

    expect([alerts.length, ignored.length]).toEqual([1, 1]);
  });

  it('adds its rule to the labels of an alert, and leaves them as they are', () => {
    const labels = [{ alertname: 'A' }, { alertname: 'A', rule: 'mine' }, {}].map((each) => ({
      ...plain,
      labels: each,
    }));

    expect(alertmanager(labels).alerts.map((alert) => alert.labels)).toEqual([
      { alertname: 'A', rule: 'A' },
      { alertname: 'A', rule: 'mine' },
      {},
    ]);
  });

  it('has alerts without a name, without annotations and without an end', () => {
    const { annotations: _, endsAt: __, ...bare } = plain;

    expect(alertmanager([{ ...bare, labels: {}, status: 'resolved' }]).alerts).toEqual([
      {
        source: 'alertmanager',
        rule: '',
        fingerprint: plain.fingerprint,
        status: 'resolved',
        startsAt: '2026-11-23T13:00:00.000Z',
        startKnown: true,
        labels: {},
        annotations: {},
        dimensions: {},
      },
    ]);
  });

  it.each([
    ['version', '3'],
    ['version', undefined],
    ['alerts', undefined],
    ['alerts', {}],
    ['truncatedAlerts', -1],
    ['truncatedAlerts', 'many'],
  ])('is none when its %s is %p', (member, value) => {
    const body = bodyOf('alertmanager-webhook-v4', { [member]: value });

    expect(() => alertmanagerDelivery(body, receivedAt)).toThrow(
      expect.objectContaining({
        status: 400,
        code: 'malformed',
        details: [{ path: member, message: expect.anything() }],
      }),
    );
  });

  it('of labels that are called like members of every object has none of those', () => {
    const [alert] = alertmanager([
      JSON.parse('{"status":"firing","labels":{"__proto__":"x"},"startsAt":"2026-11-23T13:00:00Z","fingerprint":"1"}'),
    ]).alerts;

    expect(Object.hasOwn(alert?.labels ?? {}, '__proto__')).toBe(false);
    expect(alert?.labels['alertname']).toBeUndefined();
  });
});

describe('a group of Grafana', () => {
  it.each(['DatasourceNoData', 'DatasourceError'])('says nothing of the rule with %s', (alertname) => {
    const labels = { alertname, rulename: 'Redis latency', dcs_instance_id: 'x' };

    expect(grafana({ labels }).alerts).toMatchObject([{ rule: alertname, status: 'unclear' }]);
    expect(grafana({ labels, status: 'resolved' }).alerts).toMatchObject([{ status: 'resolved' }]);
  });

  it.each([
    [{ A: 312.5, B: 1 }, 'A=312.5, B=1'],
    [{ A: null, B: '1' }, undefined],
    [{}, undefined],
    [null, undefined],
    [undefined, undefined],
  ])('with the values %p has the value %p', (values, value) => {
    expect(grafana({ values }).alerts.map((alert) => alert.value)).toEqual([value]);
  });

  it('has the id of the rule as a label, which no label of a user stands for', () => {
    const labels = { alertname: 'A', rule_uid: 'mine', severity: 'page', metric: 'm' };

    expect(grafana({ labels, ruleUID: 'r1' }).alerts).toMatchObject([
      { labels: { ...labels, rule_uid: 'r1' }, severity: 'page', metric: 'm' },
    ]);
    expect(grafana({ labels }).alerts).toMatchObject([{ labels: { ...labels, rule: 'A' } }]);
  });

  it('is not taken for one of Alertmanager, nor the other way round', () => {
    expect(() => alertmanagerDelivery(bodyOf('grafana-webhook'), receivedAt)).toThrow(/alertmanager/);
    expect(() => grafanaDelivery(bodyOf('alertmanager-webhook-v4'), receivedAt)).toThrow(/grafana/);
  });
});

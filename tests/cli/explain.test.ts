// What would come of an alert, from examples of every source, and from the configuration alone.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import { main } from '../../lib/cli/main.ts';
import { fixture } from '../support/alert-world.ts';
import { type Heard, hear } from '../support/command-io.ts';

const id = '11111111-1111-4111-8111-111111111111';

const config = `
projects:
  p: {region: eu-de, projectId: 0a1b2c3d4e5f60718293a4b5c6d7e8f9, credentials: {aksk: env:TEST}, freeze: [{from: 2026-12-20T00:00, to: 2027-01-04T00:00, timezone: UTC, reason: year end}]}
targets:
  all: {project: p, names: ["*"]}
  other: {project: p, ids: [22222222-2222-4222-8222-222222222222]}
sources:
  alertmanager: {auth: bearer, secrets: [env:A]}
  grafana: {auth: bearer, secrets: [env:A]}
  smn: {topics: ["urn:smn:eu-de:0a1b2c3d4e5f60718293a4b5c6d7e8f9:dcs-alarms"]}
  cloudwatch: {}
jobs:
  memory: {action: soft_restart, target: all, trigger: {alert: {source: alertmanager, match: {alertname: High}, instance: dcs_instance_id}}}
  elsewhere: {action: soft_restart, target: other, trigger: {alert: {source: alertmanager, match: {alertname: "Hi.*"}, instance: dcs_instance_id, continue: true}}}
`;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'autopilot-explain-'));
  writeFileSync(join(folder, 'autopilot.yml'), config.replace('  cloudwatch: {}\n', ''));
});

afterAll(() => rmSync(folder, { recursive: true }));

function grouped(change: object = {}): string {
  const labels = { alertname: 'High', dcs_instance_id: id };
  const alert = {
    status: 'firing',
    labels,
    annotations: {},
    startsAt: '2026-11-23T12:00:00Z',
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: '',
    fingerprint: 'abc',
    ...change,
  };
  return JSON.stringify({
    version: '4',
    status: 'firing',
    receiver: 'x',
    groupKey: '{}:{}',
    groupLabels: {},
    commonLabels: {},
    commonAnnotations: {},
    externalURL: '',
    truncatedAlerts: 0,
    alerts: [alert],
  });
}

async function explain(args: readonly string[], now = '2026-11-23T12:05Z'): Promise<Heard> {
  const env = { AUTOPILOT_CONFIG: join(folder, 'autopilot.yml') };
  return await hear((io) => main(['explain', ...args], io), { env, now: () => Date.parse(now) });
}

/** The file of what an example of a request has as its body. */
function bodyOf(example: string): string {
  const { request } = v.parse(v.object({ request: v.object({ rawBody: v.string() }) }), fixture(example));
  const file = join(folder, 'body.json');
  writeFileSync(file, request.rawBody);
  return file;
}

async function explainText(text: string, now?: string): Promise<Heard> {
  const file = join(folder, 'event.json');
  writeFileSync(file, text);
  return await explain(['--source', 'alertmanager', '--event', file], now);
}

describe('explain', () => {
  it('says which job would start a run about which instance, and why another would not', async () => {
    const { code, stdout } = await explainText(grouped());

    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        'High/abc: firing since 2026-11-23T12:00:00.000Z',
        `  memory: would start a run about the instance with the id ${id}`,
        '  elsewhere: no, the alert is taken by memory, further up',
        '',
      ].join('\n'),
    );
  });

  it.each<[string, string, string | undefined, string]>([
    ['is over', grouped({ status: 'resolved', endsAt: '2026-11-23T12:04:00Z' }), undefined, 'refused: resolved'],
    ['is too old', grouped(), '2026-11-23T13:00Z', 'refused: stale'],
    ['comes in a freeze', grouped({ startsAt: '2026-12-24T12:00:00Z' }), '2026-12-24T12:05Z', 'refused: frozen: '],
    ['names no instance', grouped({ labels: { alertname: 'High' } }), undefined, 'refused: no_instance'],
    ['is of no job', grouped({ labels: { alertname: 'Low' } }), undefined, 'memory: no, '],
    [
      'means an instance elsewhere',
      grouped({ labels: { alertname: 'Hippo', dcs_instance_id: id } }),
      undefined,
      'memory: no, ',
    ],
  ])('says so where an alert %s', async (_what, text, now, expected) => {
    const { code, stdout } = await explainText(text, now);

    expect(code).toBe(0);
    expect(stdout).toContain(expected);
  });

  it.each([
    ['alertmanager', 'alertmanager-webhook-v4'],
    ['grafana', 'grafana-webhook'],
    ['smn', 'smn-ces-alarm-dcs'],
  ])('reads what %s sends', async (source, example) => {
    const { code, stdout } = await explain(['--source', source, '--event', bodyOf(example), '--json']);

    expect(code).toBe(0);
    expect(JSON.parse(stdout).alerts).not.toEqual([]);
  });

  it('reads an event of Lambda', async () => {
    writeFileSync(join(folder, 'aws.yml'), config);
    const event = 'tests/fixtures/alerts/aws-eventbridge-cloudwatch-alarm-state-change.json';
    const env = { AUTOPILOT_CONFIG: join(folder, 'aws.yml') };

    const heard = await hear((io) => main(['explain', '--source', 'cloudwatch', '--event', event], io), { env });

    expect(heard.code).toBe(0);
    expect(heard.stdout).toMatch(/^\S.*: (firing|resolved|unclear) since /);
  });

  it('says why a message holds no alert', async () => {
    const { code, stdout } = await explain(['--source', 'smn', '--event', bodyOf('smn-plain-text-notification')]);

    expect(code).toBe(0);
    expect(stdout).toMatch(/: ignored \(\w+\): /);
  });

  it.each<[string, readonly string[], number, string]>([
    [
      'a source that is not listed',
      ['--source', 'cloudwatch', '--event', 'package.json'],
      1,
      'lists no source cloudwatch',
    ],
    ['a source of no kind', ['--source', 'nagios', '--event', 'x'], 64, '--source'],
    ['no file', ['--source', 'grafana'], 64, '--event FILE'],
    ['a file that is not there', ['--source', 'grafana', '--event', 'nowhere.json'], 1, 'there is no such file'],
    ['a file that is none of it', ['--source', 'alertmanager', '--event', 'package.json'], 1, 'dcs-autopilot: '],
    ['a file that is no JSON', ['--source', 'grafana', '--event', 'README.md'], 1, 'not JSON'],
  ])('refuses %s', async (_name, args, code, message) => {
    const heard = await explain(args);

    expect(heard).toMatchObject({ code, stdout: '' });
    expect(heard.stderr).toContain(message);
  });
});

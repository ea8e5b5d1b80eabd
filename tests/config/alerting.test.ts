// Alerts in the configuration: where they come from, which jobs they start, ladders, storms, and who is told of runs.

import { describe, expect, it } from '@jest/globals';
import { readConfig } from '../../lib/config/file.ts';
import { complaints, smallFile, textWith } from '../support/config-text.ts';

const bearer = { auth: 'bearer', secrets: ['env:ALERT_TOKEN'] };
const alert = { source: 'alertmanager', match: { alertname: 'High' } };
const rungs = ['soft_restart', 'restart'];
const smnTopic = 'urn:smn:eu-de:0a1b2c3d4e5f60718293a4b5c6d7e8f9:dcs-alarms';
const snsTopic = 'arn:aws:sns:eu-central-1:111122223333:alarms';
const refWanted =
  'expected the name of a secret, such as env:DEPLOY_HOOK_SECRET, ssm:/path or secretsmanager:name, and never the secret itself';
const smnWanted = 'expected the URN of a topic, such as urn:smn:eu-de:0a1b2c3d4e5f60718293a4b5c6d7e8f9:dcs-alarms';
const snsWanted = 'expected the ARN of a topic, such as arn:aws:sns:eu-central-1:111122223333:alarms';

/** The small file with a source and a job that an alert starts. */
const alertFile = {
  ...smallFile,
  sources: { alertmanager: bearer },
  jobs: { ...smallFile.jobs, fix: { action: 'restart', target: 't', trigger: { alert } } },
};

function readWith(path: string, value: unknown) {
  return readConfig(textWith(path, value, alertFile), 'autopilot.yml');
}

function fixWith(path: string, value: unknown) {
  return readWith(`jobs.fix.${path}`, value).jobs['fix'];
}

/** The faults with a value in the job that an alert starts; it has a ladder instead of its action. */
function climbing(ladder: object, more: object = {}): readonly string[] {
  return complaints('jobs.fix', { target: 't', trigger: { alert }, ladder, ...more }, alertFile);
}

describe('sources', () => {
  it('are read by type, with their defaults', () => {
    const { sources } = readWith('sources', {
      alertmanager: { auth: 'basic', secrets: ['env:A', 'env:B'] },
      grafana: { auth: 'hmac', secrets: ['env:G'] },
      smn: { topics: [smnTopic, smnTopic] },
      sns: { topics: [snsTopic] },
      cloudwatch: {},
    });

    expect(Object.values(sources)).toEqual([
      { type: 'alertmanager', auth: 'basic', secrets: ['env:A', 'env:B'] },
      {
        type: 'grafana',
        auth: 'hmac',
        secrets: ['env:G'],
        signatureHeader: 'x-grafana-alerting-signature',
        timestampHeader: null,
      },
      { type: 'smn', topics: [smnTopic], certificate: null },
      { type: 'sns', topics: [snsTopic] },
      { type: 'cloudwatch' },
    ]);
    expect(Object.keys(sources)).toEqual(['alertmanager', 'grafana', 'smn', 'sns', 'cloudwatch']);
  });

  it('know no name that only JavaScript knows', () => {
    expect(readWith('stage', 'prod').sources['constructor']).toBeUndefined();
  });

  it('keep what they say: headers in lower case, a certificate of their own', () => {
    const { sources } = readConfig(
      textWith('sources', {
        grafana: { auth: 'hmac', secrets: ['env:G'], signatureHeader: 'X-Sig', timestampHeader: 'X-Time' },
        smn: { topics: [smnTopic], certificate: 'ssm:/pem' },
      }),
      'autopilot.yml',
    );

    expect(sources['grafana']).toMatchObject({ signatureHeader: 'x-sig', timestampHeader: 'x-time' });
    expect(sources['smn']).toMatchObject({ certificate: 'ssm:/pem' });
  });

  it.each([
    [{ nagios: {} }, '.nagios: unknown key'],
    [{ alertmanager: { auth: 'hmac', secrets: ['env:A'] } }, '.alertmanager.auth: expected bearer or basic'],
    [{ alertmanager: { auth: 'bearer' } }, '.alertmanager.secrets: required'],
    [{ alertmanager: { auth: 'bearer', secrets: ['abc'] } }, `.alertmanager.secrets[0]: ${refWanted}`],
    [{ grafana: { ...bearer, signatureHeader: 'x' } }, '.grafana.signatureHeader: only with auth: hmac'],
    [{ grafana: { ...bearer, timestampHeader: 'x' } }, '.grafana.timestampHeader: only with auth: hmac'],
    [
      { grafana: { ...bearer, auth: 'hmac', signatureHeader: 'x y' } },
      '.grafana.signatureHeader: expected the name of a header, such as x-grafana-alerting-signature',
    ],
    [{ smn: { topics: [] } }, '.smn.topics: expected a list that is not empty'],
    [{ smn: { topics: [snsTopic] } }, `.smn.topics[0]: ${smnWanted}`],
    [{ sns: { topics: ['arn:aws:sns:eu-central-1:111122223333:alarms.fifo'] } }, `.sns.topics[0]: ${snsWanted}`],
    [{ cloudwatch: null }, '.cloudwatch: expected a mapping (key: value)'],
    [{ cloudwatch: { topics: [] } }, '.cloudwatch.topics: unknown key'],
  ])('are refused: %j', (sources, fault) => {
    expect(complaints('sources', sources)).toEqual([`sources${fault}`]);
  });
});

describe('a job that an alert starts', () => {
  it('reads conditions in the order of the file, numbers as they are written', () => {
    const match = { alertname: 'High', severity: '=~crit|page', env: '!=dev', zone: '!~eu-.*', shard: 7, none: '' };

    expect(fixWith('trigger.alert.match', match)?.trigger).toEqual({
      type: 'alert',
      source: 'alertmanager',
      match: [
        { label: 'alertname', op: '=', value: 'High' },
        { label: 'severity', op: '=~', value: 'crit|page' },
        { label: 'env', op: '!=', value: 'dev' },
        { label: 'zone', op: '!~', value: 'eu-.*' },
        { label: 'shard', op: '=', value: '7' },
        { label: 'none', op: '=', value: '' },
      ],
      instance: 'dcs_instance_id',
      maxAge: 900,
      continue: false,
    });
  });

  it('keeps what it says about the instance, the age and what comes after it', () => {
    const said = { ...alert, instance: 'resource_id', maxAge: '1h', continue: true };

    expect(fixWith('trigger.alert', said)?.trigger).toMatchObject({
      instance: 'resource_id',
      maxAge: 3600,
      continue: true,
    });
  });

  it('leaves an instance alone for half an hour after a success; other jobs do not', () => {
    const { jobs } = readWith('stage', 'prod');

    expect(jobs['fix']?.cooldown).toBe(1800);
    expect(jobs['hook']?.cooldown).toBe(0);
    expect(fixWith('cooldown', '1h')?.cooldown).toBe(3600);
    expect(readWith('defaults.cooldown', '5m').jobs['fix']?.cooldown).toBe(300);
  });

  it('stays in the order of the file, where the first match wins', () => {
    expect(Object.keys(readWith('stage', 'prod').jobs)).toEqual(['flush', 'hook', 'fix']);
  });

  it.each([
    [{ ...alert, source: 'grafana' }, '.source: there is no source of this name'],
    [{ ...alert, source: 'alertmanger' }, '.source: there is no source of this name (did you mean `alertmanager`?)'],
    [{ ...alert, match: {} }, '.match: expected at least one label'],
    [{ source: 'alertmanager' }, '.match: required'],
    [
      { ...alert, match: { a: '==x' } },
      '.match.a: write the text alone where it must be equal, or =~ before a pattern',
    ],
    [{ ...alert, match: { a: ['x'] } }, '.match.a: expected a text; write "" for an empty one'],
    [{ ...alert, instance: '' }, '.instance: expected a text that is not empty'],
    [{ ...alert, continue: 'yes' }, '.continue: expected true or false'],
  ])('is refused: %j', (value, fault) => {
    expect(complaints('jobs.fix.trigger.alert', value, alertFile)).toEqual([`jobs.fix.trigger.alert${fault}`]);
  });

  it.each(['=~(', '!~[z-a]', '=~(?=x)', '!~(a)\\1'])(
    'is refused a pattern that cannot be read or takes too long: %s',
    (a) => {
      expect(complaints('jobs.fix.trigger.alert.match', { a }, alertFile)).toEqual([
        expect.stringMatching(/^jobs\.fix\.trigger\.alert\.match\.a: .*is not a regular expression of RE2/),
      ]);
    },
  );
});

describe('a ladder', () => {
  it('makes its first rung the action, and has defaults', () => {
    const fix = { target: 't', trigger: { alert }, ladder: { rungs } };

    expect(readWith('jobs.fix', fix).jobs['fix']).toMatchObject({
      action: 'soft_restart',
      ladder: { rungs, settle: 900, resetAfter: 1800, rounds: 3 },
    });
  });

  it('keeps what it says', () => {
    const ladder = { rungs, settle: '1m', resetAfter: '2m', rounds: 1 };

    expect(readWith('jobs.fix', { target: 't', trigger: { alert }, ladder }).jobs['fix']?.ladder).toEqual({
      rungs,
      settle: 60,
      resetAfter: 120,
      rounds: 1,
    });
  });

  it('may end with a flush that somebody approves, by the job or by `defaults`', () => {
    const ladder = { rungs: [...rungs, 'flush'] };
    const fix = { target: 't', trigger: { alert }, ladder };

    expect(climbing(ladder, { approval: 'required' })).toEqual([]);
    expect(complaints('defaults.approval', 'required', { ...alertFile, jobs: { ...alertFile.jobs, fix } })).toEqual([]);
  });

  it.each([
    [{ rungs: [...rungs, 'flush'] }, {}, '.ladder.rungs: a ladder with flush needs `approval: required`'],
    [{ rungs: ['flush'] }, { approval: 'none' }, '.ladder.rungs: a ladder with flush needs `approval: required`'],
    [{ rungs }, { action: 'restart' }, ': needs exactly one of `action` and `ladder`'],
    [{ rungs: [] }, {}, '.ladder.rungs: expected a list of actions, such as [soft_restart, restart]'],
    [{ rungs: ['reboot'] }, {}, '.ladder.rungs[0]: expected restart, soft_restart or flush'],
    [{ rungs, rounds: 0 }, {}, '.ladder.rounds: expected a whole number from 1 to 100'],
    [
      { rungs, settle: '1h' },
      {},
      '.ladder.settle: `settle` (3600s) is longer than `resetAfter` (1800s), counting the defaults',
    ],
    [{}, {}, '.ladder.rungs: required'],
    [
      { rungs },
      { trigger: smallFile.jobs.hook.trigger },
      '.ladder: only with an alert as the trigger: the next rung is for an alert that stays',
    ],
  ])('is refused: %j with %j', (ladder, more, fault) => {
    expect(climbing(ladder, more)).toEqual([`jobs.fix${fault}`]);
  });
});

describe('a storm', () => {
  it('is what `alertStorm` says, with defaults for the rest', () => {
    expect(readWith('stage', 'prod').alertStorm).toEqual({ share: 20, count: 10, within: 300, cooldown: 600 });
    expect(readWith('alertStorm', { share: '5%', within: '1m' }).alertStorm).toEqual({
      share: 5,
      count: 10,
      within: 60,
      cooldown: 600,
    });
  });

  it('is refused with a share that is none', () => {
    expect(complaints('alertStorm.share', 20)).toEqual(['alertStorm.share: expected a share such as 10% (1% to 100%)']);
  });
});

describe('notices', () => {
  it('go to a webhook, an event bus or a topic', () => {
    const bus = 'arn:aws:events:eu-central-1:111122223333:event-bus/ops';
    const { notify } = readWith('notify', [
      { on: ['failed', 'partial', 'failed'], to: 'webhook', url: 'env:CHAT' },
      { on: ['awaiting_approval'], to: 'webhook', url: 'env:CHAT', format: 'slack' },
      { on: ['succeeded', 'refused', 'missed', 'cancelled', 'planned'], to: 'eventbridge', bus: 'default' },
      { on: ['failed'], to: 'eventbridge', bus },
      { on: ['failed'], to: 'sns', topic: snsTopic },
    ]);

    expect(notify).toEqual([
      { on: ['failed', 'partial'], to: 'webhook', url: 'env:CHAT', format: 'json' },
      { on: ['awaiting_approval'], to: 'webhook', url: 'env:CHAT', format: 'slack' },
      { on: ['succeeded', 'refused', 'missed', 'cancelled', 'planned'], to: 'eventbridge', bus: 'default' },
      { on: ['failed'], to: 'eventbridge', bus },
      { on: ['failed'], to: 'sns', topic: snsTopic },
    ]);
  });

  const on = ['failed'];

  it.each([
    [{ on: [], to: 'webhook', url: 'env:A' }, '.on: expected a list that is not empty'],
    [
      { on: ['running'], to: 'webhook', url: 'env:A' },
      '.on[0]: expected awaiting_approval, planned, succeeded, partial, failed, refused, cancelled or missed',
    ],
    [{ on, to: 'mail' }, '.to: expected webhook, eventbridge or sns'],
    [{ on, to: 'webhook' }, '.url: required with to: webhook'],
    [{ on, to: 'webhook', url: 'https://chat.example.com/secret' }, `.url: ${refWanted}`],
    [{ on, to: 'webhook', url: 'env:A', bus: 'default' }, '.bus: only with to: eventbridge'],
    [{ on, to: 'eventbridge' }, '.bus: required with to: eventbridge'],
    [{ on, to: 'eventbridge', bus: 'a bus' }, '.bus: expected the name or the ARN of an event bus, such as default'],
    [{ on, to: 'eventbridge', bus: 'default', format: 'json' }, '.format: only with to: webhook'],
    [{ on, to: 'sns' }, '.topic: required with to: sns'],
    [{ on, to: 'sns', topic: smnTopic }, `.topic: ${snsWanted}`],
    [{ on, to: 'sns', topic: snsTopic, url: 'env:A' }, '.url: only with to: webhook'],
  ])('are refused: %j', (notice, fault) => {
    expect(complaints('notify', [notice])).toEqual([`notify[0]${fault}`]);
  });
});

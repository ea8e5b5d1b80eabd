// What a configuration means once it is read: defaults, references, and every key that is refused.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readConfig } from '../lib/config/file.ts';
import { resolveConfig } from '../lib/config/resolve.ts';
import { seconds } from '../lib/config/values.ts';
import { complaints, configWith, faultsOf, textWith } from './support/config-text.ts';

const id = '5560df16-cebf-4473-95c4-d1b573c16e79';
const durationWanted = 'expected a duration such as 90s, 30m, 2h or 7d (whole, above 0, at most 365d)';
const shareWanted = 'expected a share such as 10% (1% to 100%)';
const amountWanted = 'expected a count such as 1, or a share such as 10% (1% to 100%)';
const refWanted =
  'expected the name of a secret, such as env:DEPLOY_HOOK_SECRET, ssm:/path or secretsmanager:name, and never the secret itself';
const endpointWanted = 'expected https://host or https://host:port, without path, query or user';
const httpOnLoopback = 'http is allowed on loopback only (127.0.0.0/8, localhost, [::1]); use https';
const healthCheckWanted = 'expected an https URL without a user, or the name of a secret that holds one';
const eventsWanted = 'expected a list of events of GitHub, such as [deployment_status]';
const eventWanted = 'expected an event of GitHub, such as deployment_status';
const pathWanted = 'expected a dotted path into the payload, such as deployment_status.state';
const rightsWanted = 'expected a list of rights: read, run, approve, cancel, pause, breakGlass';
const github = { auth: 'github', secrets: ['env:TOKEN'], events: ['push'] };
/** The policies that these jobs say nothing of. */
const unsaid = {
  ladder: null,
  cooldown: 0,
  backup: { mode: 'off', maxAge: 86_400 },
  approval: 'none',
  collision: 'skip',
  window: null,
};
const idWanted = `expected an instance's id, such as ${id}`;

describe('a full configuration', () => {
  const config = readConfig(readFileSync('tests/fixtures/autopilot.yml', 'utf8'), 'autopilot.yml');
  const { 'nightly-flush': flush, 'weekly-restart': weekly, 'restart-after-deploy': hook } = config.jobs;

  it('keeps the stage and every project, with the defaults of what is not said', () => {
    expect(config.stage).toBe('test-1');
    expect(config.projects).toEqual({
      staging: {
        name: 'staging',
        region: 'eu-de',
        projectId: '0a1b2c3d4e5f60718293a4b5c6d7e8f9',
        endpoint: 'https://dcs.eu-de.otc.t-systems.com',
        credentials: { aksk: 'env:HUAWEICLOUD_SDK' },
        protectedTag: { key: 'keep-out', value: 'yes' },
        allowTag: null,
        freeze: [],
        rate: { callsPerSecond: 5, retriesPerHour: 100 },
        timeout: 20,
      },
      local: expect.objectContaining({
        projectId: '00000000000000000000000000000012',
        endpoint: 'http://127.0.0.1:9999',
      }),
      plain: {
        name: 'plain',
        region: 'ap-southeast-3',
        projectId: 'ffffffffffffffffffffffffffffffff',
        endpoint: 'https://dcs.ap-southeast-3.myhuaweicloud.com',
        credentials: { aksk: 'env:PLAIN' },
        protectedTag: { key: 'dcs-autopilot-protected', value: 'true' },
        allowTag: null,
        freeze: [],
        rate: { callsPerSecond: 10, retriesPerHour: 200 },
        timeout: 30,
      },
    });
  });

  it('gives a job its own values, with its project and target', () => {
    expect(flush).toEqual({
      name: 'nightly-flush',
      action: 'flush',
      enabled: false,
      dryRun: true,
      project: config.projects['staging'],
      target: {
        name: 'staging-caches',
        project: 'staging',
        tags: { env: 'staging', tier: '1', release: '1.10', cache: 'true' },
        names: ['stg-*', 'test-?'],
        ids: [],
        exclude: { tags: { keep: 'yes' }, names: ['*-keep'], ids: [id] },
      },
      trigger: {
        type: 'schedule',
        cron: '0 2 * * *',
        timezone: 'Europe/Berlin',
        startDeadline: 3600,
        overlap: 'queue',
      },
      guards: { maxInstances: 20, maxPercent: 50, maxPerDay: 50, onExceed: 'refuse', stated: true },
      waves: {
        canary: { percent: 10 },
        size: { count: 4 },
        soak: 90,
        maxFailures: 2,
        order: { tag: 'tier', values: ['1', '2', '1.10'] },
        healthCheck: null,
      },
      retry: { maxAttempts: 3, baseDelay: 1, maxDelay: 120, for: 7200 },
      verify: { interval: 5, settle: 30, timeout: 86_400 },
      ...unsaid,
      retention: 2_592_000,
    });
  });

  it('takes what a job does not say from defaults, and what those do not say from the built-in ones', () => {
    expect(weekly).toEqual({
      name: 'weekly-restart',
      action: 'restart',
      enabled: true,
      dryRun: false,
      project: config.projects['plain'],
      target: expect.objectContaining({ name: 'everything', names: ['*'], tags: {}, ids: [] }),
      trigger: { type: 'schedule', cron: '30 4 * * 1', timezone: 'UTC', startDeadline: 1800, overlap: 'skip' },
      guards: { maxInstances: 7, maxPercent: 10, maxPerDay: 50, onExceed: 'refuse', stated: false },
      waves: {
        canary: { count: 1 },
        size: { percent: 25 },
        soak: 120,
        maxFailures: 1,
        order: { tag: 'env', values: ['dev', 'staging', 'prod'] },
        healthCheck: null,
      },
      retry: { maxAttempts: 4, baseDelay: 10, maxDelay: 300, for: 3600 },
      verify: { interval: 10, settle: 60, timeout: 900 },
      ...unsaid,
      retention: 604_800,
    });
  });

  it('merges key by key: a job that states one guard keeps the other from defaults', () => {
    expect(hook?.guards).toEqual({ maxInstances: 7, maxPercent: 100, maxPerDay: 50, onExceed: 'refuse', stated: true });
  });

  it('reads ids to lower case and once each', () => {
    expect(hook?.target.ids).toEqual(['1111aaaa-cebf-4473-95c4-d1b573c16e79', '2222bbbb-cebf-4473-95c4-d1b573c16e79']);
  });

  it('reads webhook triggers', () => {
    expect(hook?.trigger).toEqual({
      type: 'webhook',
      auth: 'standard-webhooks',
      secrets: ['env:DEPLOY_HOOK_SECRET', 'env:DEPLOY_HOOK_SECRET_2'],
      instances: 'subset',
    });
    expect(config.jobs['restart-on-call']?.trigger).toEqual({
      type: 'webhook',
      auth: 'bearer',
      secrets: ['env:CALL_TOKEN'],
      instances: 'none',
    });
  });

  it('reads webhooks of GitHub, with numbers and booleans in a match as they are written', () => {
    expect(config.jobs['restart-on-release']?.trigger).toEqual({
      type: 'webhook',
      auth: 'github',
      secrets: ['env:GH_SECRET'],
      events: ['deployment_status', 'workflow_run'],
      match: { 'deployment_status.state': 'success', 'deployment.production_environment': 'true', release: '1.10' },
    });
  });

  it('reads operators, each right once', () => {
    expect(config.operators).toEqual([
      { name: 'alice', token: 'env:ALICE_TOKEN', may: ['read', 'run', 'approve', 'cancel', 'pause'] },
      { name: 'watcher', token: 'env:WATCHER_TOKEN', may: ['read'] },
    ]);
  });

  it('finds no job or project by a name that only JavaScript knows', () => {
    expect(config.jobs['constructor']).toBeUndefined();
    expect(config.projects['toString']).toBeUndefined();
  });
});

describe('what is taken', () => {
  it.each([
    ['https://dcs.example.com', 'https://dcs.example.com'],
    ['https://dcs.example.com/', 'https://dcs.example.com'],
    ['https://DCS.example.com:8443/', 'https://dcs.example.com:8443'],
    ['https://10.0.0.1', 'https://10.0.0.1'],
    ['http://localhost:8080', 'http://localhost:8080'],
    ['http://127.255.0.3:1', 'http://127.255.0.3:1'],
    ['http://[::1]:8080/', 'http://[::1]:8080'],
  ])('endpoint %s is %s', (text, endpoint) => {
    const config = configWith('projects.p.endpoint', text);

    expect(config.projects['p']?.endpoint).toBe(endpoint);
  });

  it.each([
    ['a=b', { key: 'a', value: 'b' }],
    ['a=', { key: 'a', value: '' }],
    ['a=b=c', { key: 'a', value: 'b=c' }],
  ])('protectedTag %s is %j', (text, tag) => {
    const config = configWith('projects.p.protectedTag', text);

    expect(config.projects['p']?.protectedTag).toEqual(tag);
  });

  it('a target by tags alone or by ids alone', () => {
    expect(faultsOf(textWith('targets.t', { project: 'p', tags: { env: 'x' } }))).toEqual([]);
    expect(faultsOf(textWith('targets.t', { project: 'p', ids: [id] }))).toEqual([]);
  });

  it('a flush without guards of its own, where a webhook asks for it', () => {
    expect(complaints('jobs.hook.action', 'flush')).toEqual([]);
  });

  it('a webhook of GitHub with events, with and without a match', () => {
    expect(complaints('jobs.hook.trigger.webhook', github)).toEqual([]);
    expect(complaints('jobs.hook.trigger.webhook', { ...github, match: { 'labels.0.name': 'deploy' } })).toEqual([]);
  });

  it('a scheduled restart without guards of its own', () => {
    const restart = { action: 'restart', target: 't', trigger: { schedule: { cron: '0 2 * * *' } } };

    expect(complaints('jobs.flush', restart)).toEqual([]);
  });

  it('every whole duration up to a year, to the second', () => {
    const units = fc.constantFrom(['s', 1] as const, ['m', 60] as const, ['h', 3600] as const, ['d', 86_400] as const);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 365 }), units, (count, [unit, size]) => {
        const config = configWith('jobs.hook.retry', { maxAttempts: 1, baseDelay: '1s', for: `${count}${unit}` });

        expect(seconds(`${count}${unit}`)).toBe(count * size);
        expect(config.jobs['hook']?.retry.for).toBe(count * size);
      }),
    );
  });

  it('every whole share from 1% to 100%', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), (percent) => {
        const config = configWith('jobs.hook', {
          action: 'restart',
          target: 't',
          trigger: { webhook: { auth: 'bearer', secrets: ['env:TOKEN'] } },
          guards: { maxPercent: `${percent}%` },
          waves: { size: `${percent}%`, canary: percent },
        });

        expect(config.jobs['hook']?.guards.maxPercent).toBe(percent);
        expect(config.jobs['hook']?.waves.size).toEqual({ percent });
        expect(config.jobs['hook']?.waves.canary).toEqual({ count: percent });
      }),
    );
  });
});

describe('in whose name a project is called', () => {
  it.each([
    ['enough of a user of IAM', { iam: 'env:IAM' }],
    ['its endpoint', { iam: 'env:IAM', iamEndpoint: 'https://iam.example.com' }],
    ['the endpoint of an agency', { aksk: 'env:KEY', iamEndpoint: 'https://iam.example.com' }],
  ])('credentials: %s', (_, credentials) => {
    expect(readConfig(textWith('projects.p.credentials', credentials), 'f').projects['p']?.credentials).toEqual(
      credentials,
    );
  });

  it('may leave the id of the project to be looked up, and name certificates', () => {
    const file = JSON.parse(textWith('projects.p.ca', 'ssm:/corp/ca'));
    delete file.projects.p.projectId;

    const project = readConfig(JSON.stringify(file), 'f').projects['p'];

    expect(project).toMatchObject({ name: 'p', ca: 'ssm:/corp/ca' });
    expect(project).not.toHaveProperty('projectId');
  });

  it('must write the id where another project is in the same region', () => {
    const file = JSON.parse(textWith('stage', 'prod'));
    file.projects.q = { region: 'eu-de', credentials: { iam: 'env:IAM' } };
    file.projects.r = { region: 'eu-nl', credentials: { iam: 'env:IAM' } };
    const read = () => readConfig(JSON.stringify(file), 'f');

    expect(read).toThrow('projects.q: another project has the same region: each of them needs its projectId');
    file.projects.q.projectId = '0a1b2c3d4e5f60718293a4b5c6d7e8f0';
    expect(Object.keys(read().projects)).toEqual(['p', 'q', 'r']);
  });
});

describe('what is read, and enforced in time', () => {
  const whole = (path: string, value: unknown) => readConfig(textWith(path, value), 'autopilot.yml');

  it('the tag that allows', () => {
    expect(whole('projects.p.allowTag', 'dcs-autopilot-allow').projects['p']?.allowTag).toBe('dcs-autopilot-allow');
  });

  it.each([
    ['https://health.example.com', { url: 'https://health.example.com/' }],
    ['https://health.example.com/up?deep=1', { url: 'https://health.example.com/up?deep=1' }],
    ['http://127.0.0.1:8080/up', { url: 'http://127.0.0.1:8080/up' }],
    ['ssm:/health/url', { ref: 'ssm:/health/url' }],
    ['env:HEALTH', { ref: 'env:HEALTH' }],
    [null, null],
  ])('the health check %s', (text, healthCheck) => {
    expect(whole('jobs.hook.waves', { healthCheck: text }).jobs['hook']?.waves.healthCheck).toEqual(healthCheck);
  });

  it('policies, key by key over those of `defaults`', () => {
    const file = JSON.parse(textWith('jobs.hook.backup', { mode: 'fresh' }));
    const guards = { maxPerDay: 7, onExceed: 'trim' };
    file.defaults = { backup: { mode: 'reuse', maxAge: '2h' }, approval: 'required', collision: 'queue', guards };

    const { jobs } = readConfig(JSON.stringify(file), 'autopilot.yml');

    expect(jobs['hook']?.backup).toEqual({ mode: 'fresh', maxAge: 7200 });
    expect(jobs['hook']).toMatchObject({ approval: 'required', collision: 'queue', guards });
    expect(jobs['flush']).toMatchObject({
      backup: { mode: 'reuse', maxAge: 7200 },
      guards: { maxInstances: 20, ...guards },
    });
  });

  it.each([
    ['projects.p.credentials', { aksk: 'env:A', iam: 'env:B' }, 'needs exactly one of `aksk` and `iam`'],
    ['projects.p.credentials.iamEndpoint', 'http://iam.example.com', httpOnLoopback],
    ['projects.p.allowTag', 'allow=restart', 'expected the key of a tag'],
    ['jobs.hook.backup', { mode: 'on' }, 'expected off, reuse or fresh', '.mode'],
    ['jobs.hook.approval', true, 'expected none or required'],
    ['jobs.hook.collision', 'wait', 'expected skip or queue'],
    ['jobs.hook.cooldown', '0s', durationWanted],
    ['jobs.hook.guards.maxPerDay', 0, 'expected a whole number from 1 to 1000000'],
    ['jobs.hook.waves.healthCheck', 'http://health.example.com', httpOnLoopback],
    ['jobs.hook.waves.healthCheck', 'https://user:word@health.example.com', healthCheckWanted],
    ['jobs.hook.waves.healthCheck', 'https://health.example.com/#up', healthCheckWanted],
    ['jobs.hook.waves.healthCheck', 'health', healthCheckWanted],
    ['jobs.hook.waves.healthCheck', 5, healthCheckWanted],
  ])('refuses %s: %j', (path, value, message, below = '') => {
    expect(complaints(path, value)).toEqual([`${path}${below}: ${message}`]);
  });
});

describe('what is refused', () => {
  it.each([
    ['stage', 'Prod', 'expected up to 20 lower-case letters, digits and hyphens'],
    ['stage', 'a'.repeat(21), 'expected up to 20 lower-case letters, digits and hyphens'],
    ['projects', [], 'expected a mapping (key: value)'],
    ['targets', null, 'expected a mapping (key: value)'],
    ['defaults', 'none', 'expected a mapping (key: value)'],
    ['projects.p.region', 'EU', 'expected a region such as eu-de or ap-southeast-3'],
    ['projects.p.region', 'evil.com/', 'expected a region such as eu-de or ap-southeast-3'],
    ['projects.p.projectId', '../../x', 'expected the id of the project: 8 to 64 letters and digits'],
    ['projects.p.endpoint', 'http://dcs.example.com', httpOnLoopback],
    ['projects.p.endpoint', 'http://127.0.0.1.example.com', httpOnLoopback],
    ['projects.p.endpoint', 'http://localhost.example.com', httpOnLoopback],
    ['projects.p.endpoint', 'http://128.0.0.1', httpOnLoopback],
    ['projects.p.endpoint', 'ftp://localhost', endpointWanted],
    ['projects.p.endpoint', 'dcs.example.com', endpointWanted],
    ['projects.p.endpoint', 'https:dcs.example.com', endpointWanted],
    ['projects.p.endpoint', 'https://user:pass@dcs.example.com', endpointWanted],
    ['projects.p.endpoint', 'https://dcs.example.com/v2', endpointWanted],
    ['projects.p.endpoint', 'https://dcs.example.com//', endpointWanted],
    ['projects.p.endpoint', 'https://dcs.example.com?', endpointWanted],
    ['projects.p.endpoint', 'https://dcs.example.com#a', endpointWanted],
    ['projects.p.endpoint', 'https://dcs.example.com\\v2', endpointWanted],
    ['projects.p.endpoint', 'https://dcs.example.com:99999', endpointWanted],
    ['projects.p.endpoint', 443, endpointWanted],
    ['projects.p.credentials.aksk', 'AKIDEXAMPLE', refWanted],
    ['projects.p.credentials.aksk', 'env:', refWanted],
    ['projects.p.credentials.aksk', 'env:WITH-HYPHEN', refWanted],
    ['projects.p.credentials.aksk', 'ssm:name', refWanted],
    ['projects.p.credentials.aksk', 'ssm:/', refWanted],
    ['projects.p.credentials.aksk', 'ssm:/a//b', refWanted],
    ['projects.p.credentials.aksk', 'secretsmanager:', refWanted],
    ['projects.p.credentials.aksk', 'secretsmanager:with space', refWanted],
    ['projects.p.credentials.aksk', 42, refWanted],
    ['projects.p.credentials.aksk', ['env:A'], refWanted],
    ['projects.p.protectedTag', 'keep', 'expected key=value'],
    ['projects.p.protectedTag', '=keep', 'expected key=value'],
    ['projects.p.rate.callsPerSecond', 0, 'expected a whole number from 1 to 1000'],
    ['projects.p.rate.callsPerSecond', 0.5, 'expected a whole number from 1 to 1000'],
    ['projects.p.rate.retriesPerHour', '200', 'expected a whole number from 1 to 1000000'],
    ['projects.p.timeout', 30, durationWanted],
    ['projects.p.timeout', '0s', durationWanted],
    ['projects.p.timeout', '1.5m', durationWanted],
    ['projects.p.timeout', '-5s', durationWanted],
    ['projects.p.timeout', '5 s', durationWanted],
    ['projects.p.timeout', '5w', durationWanted],
    ['projects.p.timeout', '5M', durationWanted],
    ['projects.p.timeout', '366d', durationWanted],
    ['projects.p.timeout', '99999999999999999999s', durationWanted],
    ['targets.t.names', '*', 'expected a list'],
    ['targets.t.tags', { env: null }, 'expected a text; write "" for an empty one', '.env'],
    ['targets.t.tags', { env: ['a'] }, 'expected a text; write "" for an empty one', '.env'],
    ['targets.t.ids', ['5560df16'], idWanted, '[0]'],
    ['targets.t.names', [''], 'expected a text that is not empty', '[0]'],
    ['targets.t.names', [1], 'expected a text; put it in quotes', '[0]'],
    ['targets.t.project', 'q', 'there is no project of this name'],
    ['targets.t.project', 'constructor', 'there is no project of this name'],
    ['targets.t', { project: 'p' }, 'selects by nothing; write names: ["*"] for the whole project'],
    [
      'targets.t',
      { project: 'p', ids: [], exclude: { names: ['a'] } },
      'selects by nothing; write names: ["*"] for the whole project',
    ],
    ['jobs.hook.action', undefined, 'needs exactly one of `action` and `ladder`', '', 'jobs.hook'],
    ['defaults.ladder', { rungs: ['restart'] }, 'unknown key'],
    ['projects.p.credentials', {}, 'needs exactly one of `aksk` and `iam`'],
    ['jobs.hook.action', 'reboot', 'expected restart, soft_restart or flush'],
    ['jobs.hook.target', 'tt', 'there is no target of this name'],
    [
      'jobs.hook.target',
      5,
      'expected a name of up to 64 letters, digits, dots, hyphens and underscores that starts with a letter or digit',
    ],
    ['jobs.hook.trigger', {}, 'needs exactly one of `schedule`, `webhook` and `alert`'],
    [
      'jobs.hook.trigger.schedule',
      { cron: '0 2 * * *' },
      'needs exactly one of `schedule`, `webhook` and `alert`',
      '',
      'jobs.hook.trigger',
    ],
    ['jobs.hook.trigger.webhook.auth', 'basic', 'expected standard-webhooks, bearer or github'],
    [
      'jobs.hook.trigger.webhook.secrets',
      [],
      'expected a list of one or two names of secrets, such as [env:DEPLOY_HOOK_SECRET]',
    ],
    [
      'jobs.hook.trigger.webhook.secrets',
      ['env:A', 'env:B', 'env:C'],
      'expected a list of one or two names of secrets, such as [env:DEPLOY_HOOK_SECRET]',
    ],
    [
      'jobs.hook.trigger.webhook.secrets',
      'whsec_abc',
      'expected a list of one or two names of secrets, such as [env:DEPLOY_HOOK_SECRET]',
    ],
    ['jobs.hook.trigger.webhook.secrets', ['whsec_abc'], refWanted, '[0]'],
    ['jobs.hook.trigger.webhook.instances', 'all', 'expected none or subset'],
    ['jobs.hook.trigger.webhook.events', ['push'], 'only with auth: github'],
    ['jobs.hook.trigger.webhook.match', {}, 'only with auth: github'],
    ['jobs.hook.trigger.webhook', { ...github, events: undefined }, 'required with auth: github', '.events'],
    ['jobs.hook.trigger.webhook', { ...github, events: [] }, eventsWanted, '.events'],
    ['jobs.hook.trigger.webhook', { ...github, events: 'push' }, eventsWanted, '.events'],
    ['jobs.hook.trigger.webhook', { ...github, events: ['*'] }, eventWanted, '.events[0]'],
    ['jobs.hook.trigger.webhook', { ...github, events: ['push', 'Push'] }, eventWanted, '.events[1]'],
    [
      'jobs.hook.trigger.webhook',
      { ...github, events: ['ping'] },
      '`ping` only asks whether the hook is there; it never starts a job',
      '.events[0]',
    ],
    [
      'jobs.hook.trigger.webhook',
      { ...github, instances: 'none' },
      'an event of GitHub always means the whole target',
      '.instances',
    ],
    ['jobs.hook.trigger.webhook', { ...github, match: [] }, 'expected a mapping (key: value)', '.match'],
    ['jobs.hook.trigger.webhook', { ...github, match: { '': 'x' } }, pathWanted, '.match[""]'],
    ['jobs.hook.trigger.webhook', { ...github, match: { 'a..b': 'x' } }, pathWanted, '.match["a..b"]'],
    ['jobs.hook.trigger.webhook', { ...github, match: { '.a': 'x' } }, pathWanted, '.match[".a"]'],
    [
      'jobs.hook.trigger.webhook',
      { ...github, match: { a: ['x'] } },
      'expected a text; write "" for an empty one',
      '.match.a',
    ],
    ['operators', ['alice'], 'expected a mapping (key: value)'],
    ['operators.alice', { token: 'env:A' }, 'required', '.may'],
    ['operators.alice', { may: ['read'] }, 'required', '.token'],
    ['operators.alice', { token: 'plain-token', may: ['read'] }, refWanted, '.token'],
    ['operators.alice', { token: 'env:A', may: [] }, rightsWanted, '.may'],
    ['operators.alice', { token: 'env:A', may: 'read' }, rightsWanted, '.may'],
    [
      'operators.alice',
      { token: 'env:A', may: ['write'] },
      'expected read, run, approve, cancel, pause or breakGlass',
      '.may[0]',
    ],
    [
      'operators.local',
      { token: 'env:A', may: ['read'] },
      '`local` is the operator of the runtime on one machine; choose another name',
    ],
    ['operators.alice', { token: 'env:AUTOPILOT_TOKEN', may: ['read'] }, 'is the token of `local`', '.token'],
    [
      'operators',
      { alice: { token: 'env:A', may: ['read'] }, bob: { token: 'env:A', may: ['run'] } },
      'is the token of `alice`',
      '.bob.token',
    ],
    ['jobs.flush.trigger.schedule.startDeadline', '599s', 'expected a duration of at least 10m, such as 30m or 2h'],
    ['jobs.flush.trigger.schedule.overlap', 'both', 'expected skip or queue'],
    ['jobs.flush.trigger.schedule.cron', 5, 'expected a cron text with five fields, in quotes'],
    ['jobs.flush.guards', {}, 'a scheduled flush must state its own guards: maxInstances or maxPercent'],
    [
      'jobs.flush.guards',
      { onExceed: 'refuse' },
      'a scheduled flush must state its own guards: maxInstances or maxPercent',
    ],
    ['jobs.hook.enabled', 'yes', 'expected true or false'],
    ['jobs.hook.dryRun', 1, 'expected true or false'],
    ['jobs.hook.guards.maxInstances', 10_001, 'expected a whole number from 1 to 10000'],
    ['jobs.hook.guards.maxPercent', 10, shareWanted],
    ['jobs.hook.guards.maxPercent', '0%', shareWanted],
    ['jobs.hook.guards.maxPercent', '101%', shareWanted],
    ['jobs.hook.guards.maxPercent', '1.5%', shareWanted],
    ['jobs.hook.guards.onExceed', 'ignore', 'expected refuse or trim'],
    ['jobs.hook.waves.canary', 0, amountWanted],
    ['jobs.hook.waves.canary', '0%', amountWanted],
    ['jobs.hook.waves.size', 'all', amountWanted],
    ['jobs.hook.waves.size', true, amountWanted],
    ['jobs.hook.waves.soak', '0s', durationWanted],
    ['jobs.hook.waves.order', { tag: 'env' }, 'required', '.values'],
    ['jobs.hook.retry.maxAttempts', 0, 'expected a whole number from 1 to 100'],
    ['jobs.hook.retry.baseDelay', '6m', '`baseDelay` (360s) is longer than `maxDelay` (300s), counting the defaults'],
    ['defaults.verify.settle', '1h', '`settle` (3600s) is longer than `timeout` (1800s), counting the defaults'],
    ['jobs.hook.verify.settle', '5s', '`interval` (10s) is longer than `settle` (5s), counting the defaults'],
    ['jobs.hook.verify.timeout', '5s', '`interval` (10s) is longer than `timeout` (5s), counting the defaults'],
  ])('%s: %j', (path, value, message, below = '', elsewhere = '') => {
    expect(complaints(path, value)).toContain(`${elsewhere || path}${below}: ${message}`);
  });

  it.each(['Upper', '1st', 'under_score', 'a'.repeat(41), 'é', ''])('a job of the name "%s"', (name) => {
    const faults = faultsOf(JSON.stringify({ projects: {}, targets: {}, jobs: { [name]: {} } }));

    expect(faults).toContainEqual(expect.stringMatching(/expected a name of up to 40 lower-case letters/));
  });

  it.each(['constructor', '__proto__', 'prototype', 'toString'])('a job or a key of the name %s', (name) => {
    const inJobs = faultsOf(`{"projects": {}, "targets": {}, "jobs": {"${name}": {}}}`);
    const onTop = faultsOf(`{"projects": {}, "targets": {}, "jobs": {}, "${name}": 1}`);

    expect(inJobs).toEqual([`autopilot.yml:1: jobs.${name}: this name is reserved; choose another`]);
    expect(onTop).toEqual([`autopilot.yml:1: ${name}: this name is reserved; choose another`]);
  });

  it.each(['projects', 'targets', 'jobs'])('a file without %s', (key) => {
    expect(complaints(key, undefined)).toContain(`${key}: required`);
  });

  it.each(['0 2 1 * 1', '60 2 * * *', '0 2 * *', '0 2 * * * *', '@daily', ''])('the cron "%s"', (cron) => {
    const path = 'jobs.flush.trigger.schedule.cron';

    expect(complaints(path, cron)).toEqual([expect.stringMatching(`^${path}: .+`)]);
  });

  it.each(['Mars/Base', '+02:00', ''])('the time zone "%s"', (zone) => {
    const path = 'jobs.flush.trigger.schedule.timezone';

    expect(complaints(path, zone)).toEqual([expect.stringContaining('is not a time zone')]);
  });

  it.each([
    ['polices', 'unknown key'],
    ['retri', 'unknown key (did you mean `retry`?)'],
    ['Guards', 'unknown key (did you mean `guards`?)'],
    ['dry-run', 'unknown key (did you mean `dryRun`?)'],
    ['verfiy', 'unknown key (did you mean `verify`?)'],
    ['a', 'unknown key'],
  ])('an unknown key, with the key that was meant: %s', (key, message) => {
    expect(complaints(`jobs.hook.${key}`, 1)).toEqual([`jobs.hook.${key}: ${message}`]);
  });

  it('a target that was mistyped, with the one that was meant', () => {
    const text = textWith('targets', { 'staging-caches': { project: 'p', names: ['*'] } });

    const faults = faultsOf(text.replaceAll('"target": "t"', '"target": "staging-cashes"'));

    expect(faults).toEqual([
      'autopilot.yml:14: jobs.flush.target: there is no target of this name (did you mean `staging-caches`?)',
      'autopilot.yml:26: jobs.hook.target: there is no target of this name (did you mean `staging-caches`?)',
    ]);
  });

  it('a contradiction once, where it is written, and not in every job that inherits it', () => {
    expect(complaints('defaults.retry', { baseDelay: '10m' })).toEqual([
      'defaults.retry.baseDelay: `baseDelay` (600s) is longer than `maxDelay` (300s), counting the defaults',
    ]);
  });

  it('no secret is ever shown, wherever a name of one is wanted', () => {
    const places = [
      'projects.p.credentials.aksk',
      'projects.p.credentials',
      'projects.p.credentials.iam',
      'jobs.hook.trigger.webhook.secrets',
      'jobs.hook.waves.healthCheck',
      'sources.alertmanager.secrets',
      'sources.smn.certificate',
      'notify',
    ];
    const secret = fc.stringMatching(/^[A-Za-z0-9+/=*!&%@'"{-]{12,40}$/);
    const shapes = fc.constantFrom<(secret: string) => unknown>(
      (value) => value,
      (value) => [value],
      (value) => [[value]],
      (value) => `ssm:${value}`,
    );
    fc.assert(
      fc.property(fc.constantFrom(...places), secret, shapes, (place, value, shape) => {
        const faults = complaints(place, shape(value));

        expect(faults).not.toEqual([]);
        expect(faults.join('\n')).not.toContain(value);
      }),
    );
  });

  it('no secret is shown by a fault of syntax either', () => {
    const secret = fc.stringMatching(/^[*!&%@`'"{[|>-][A-Za-z0-9:#, \\*!&%@'"{}[\]-]{12,40}$/);
    fc.assert(
      fc.property(secret, (value) => {
        const faults = faultsOf(`projects:\n  p:\n    credentials:\n      aksk: ${value}\n`);

        expect(faults).not.toEqual([]);
        expect(faults.join('\n')).not.toContain(value.slice(1, 13));
      }),
    );
  });
});

describe('resolveConfig', () => {
  const projects = { p: { region: 'eu-de', projectId: '12345678', credentials: { aksk: 'env:A' } } } as const;
  const job = { action: 'restart', target: 't', trigger: {} } as const;

  it('takes no file whose names lead nowhere', () => {
    expect(() => resolveConfig({ projects, targets: {}, jobs: { job } })).toThrow('leads nowhere');
  });

  it('takes no job without an action, and no project without credentials', () => {
    const targets = { t: { project: 'p', names: ['*'] } };
    const idle = { target: 't', trigger: {} };
    const keyless = { p: { ...projects.p, credentials: {} } };

    expect(() => resolveConfig({ projects, targets, jobs: { idle } })).toThrow('without an action');
    expect(() => resolveConfig({ projects: keyless, targets, jobs: {} })).toThrow('without credentials');
  });

  it('takes no trigger without a type', () => {
    const targets = { t: { project: 'p', names: ['*'] } };

    expect(() => resolveConfig({ projects, targets, jobs: { job } })).toThrow('trigger of no type');
  });
});

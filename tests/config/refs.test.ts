// Which function reads which secret.

import { describe, expect, it } from '@jest/globals';
import { alertStorm } from '../../lib/config/defaults.ts';
import { refsOf } from '../../lib/config/refs.ts';
import type { Config, Job } from '../../lib/config.ts';
import { jobOf } from '../support/scenario.ts';

const nothing: Config = {
  stage: 'prod',
  projects: {},
  operators: [],
  sources: {},
  alertStorm,
  notify: [],
  jobs: {},
};

function checked(healthCheck: Job['waves']['healthCheck']): Job {
  return jobOf('restart', { waves: { ...jobOf('restart').waves, healthCheck } });
}

describe('the secrets that a function reads', () => {
  it('are none without a configuration', () => {
    expect(refsOf(nothing)).toEqual({ webhook: [], alert: [], console: [], run: [] });
  });

  it('are those of its sources, for alerts', () => {
    const sources: Config['sources'] = {
      alertmanager: { type: 'alertmanager', auth: 'bearer', secrets: ['ssm:/a', 'ssm:/b'] },
      smn: { type: 'smn', topics: ['urn:smn:eu-de:1:t'], certificate: 'ssm:/pem' },
      sns: { type: 'sns', topics: [] },
      cloudwatch: { type: 'cloudwatch' },
    };

    expect(refsOf({ ...nothing, sources }).alert).toEqual(['ssm:/a', 'ssm:/b', 'ssm:/pem']);
    expect(refsOf({ ...nothing, sources: { smn: { type: 'smn', topics: [], certificate: null } } }).alert).toEqual([]);
  });

  it('are the tokens of the operators, for the console', () => {
    expect(refsOf({ ...nothing, operators: [{ name: 'a', token: 'ssm:/a', may: [] }] }).console).toEqual(['ssm:/a']);
  });

  it('are those of the hooks, for webhooks', () => {
    const trigger: Job['trigger'] = { type: 'webhook', auth: 'bearer', secrets: ['ssm:/a'], instances: 'none' };

    expect(refsOf({ ...nothing, jobs: { a: jobOf('flush', { trigger }) } }).webhook).toEqual(['ssm:/a']);
  });

  it('are access keys, users of IAM, certificates, health checks and notices, for runs', () => {
    const { project } = jobOf('flush');
    const config: Config = {
      ...nothing,
      projects: {
        a: { ...project, credentials: { aksk: 'ssm:/key' }, ca: 'ssm:/ca' },
        b: { ...project, credentials: { iam: 'ssm:/user', iamEndpoint: 'https://iam.example.com' } },
      },
      jobs: { a: checked({ ref: 'ssm:/health' }), b: checked({ url: 'https://example.com' }), c: checked(null) },
      notify: [
        { on: ['failed'], to: 'webhook', url: 'ssm:/chat', format: 'slack' },
        { on: ['failed'], to: 'sns', topic: 'arn:aws:sns:eu-central-1:111122223333:runs' },
      ],
    };

    expect(refsOf(config).run).toEqual(['ssm:/key', 'ssm:/user', 'ssm:/ca', 'ssm:/health', 'ssm:/chat']);
  });
});

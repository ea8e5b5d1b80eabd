// A configuration that is packaged for AWS: no secret of an environment, and every such one is told with its line.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { checkConfig, readConfig } from '../../lib/config/file.ts';
import { environmentFaults } from '../../lib/config/packaged.ts';
import { ConfigError, showFault } from '../../lib/errors.ts';

const anywhere = readFileSync('tests/fixtures/autopilot.yml', 'utf8');
const onAws = readFileSync('tests/fixtures/autopilot-aws.yml', 'utf8');

function faultsOf(text: string): string[] {
  try {
    checkConfig(text, 'autopilot.yml', 'aws');
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map(showFault);
    throw error;
  }
}

describe('packaged for AWS', () => {
  it('secrets of AWS are taken, and mean the same anywhere', () => {
    expect(checkConfig(onAws, 'autopilot.yml', 'aws').config).toEqual(readConfig(onAws, 'autopilot.yml'));
  });

  it('every secret of the environment is a fault with its line', () => {
    const expected = anywhere
      .split('\n')
      .flatMap((line, index) => (line.match(/env:[A-Z]/g) ?? []).map(() => index + 1));

    const faults = faultsOf(anywhere);

    expect(faults.map((fault) => Number(fault.split(':')[1]))).toEqual(expected);
    expect(faults[0]).toBe(
      'autopilot.yml:8: projects.staging.credentials.aksk: ' +
        'a function on AWS takes no env: secret; write ssm:/path or secretsmanager:name',
    );
    expect(faults).toContainEqual(expect.stringContaining('trigger.webhook.secrets[1]: a function'));
  });

  it.each([
    ['notify', [{ on: ['failed'], to: 'webhook', url: 'env:CHAT' }], 'notify[0].url'],
    ['sources', { alertmanager: { auth: 'bearer', secrets: ['ssm:/a', 'env:B'] } }, 'sources.alertmanager.secrets[1]'],
    ['sources', { smn: { topics: [], certificate: 'env:PEM' } }, 'sources.smn.certificate'],
    ['defaults', { waves: { healthCheck: 'env:HEALTH' } }, 'defaults.waves.healthCheck'],
    ['projects', { p: { credentials: { iam: 'env:IAM' } } }, 'projects.p.credentials.iam'],
    ['projects', { p: { ca: 'env:CORP_CA' } }, 'projects.p.ca'],
  ])('so is one under %s: %j', (key, value, path) => {
    expect(environmentFaults({ [key]: value }).map((fault) => fault.path)).toEqual([
      path
        .split(/\.|\[|\]/)
        .filter((step) => step !== '')
        .map((step) => (/^\d/.test(step) ? Number(step) : step)),
    ]);
  });

  it.each([
    ['a tag', 'tags: {env: staging,', 'tags: {secrets: "env:prod", env: staging,'],
    ['a name of an instance', 'names: ["stg-*",', 'names: ["env:x", "stg-*",'],
  ])('%s may begin with env:', (_, from, to) => {
    expect(onAws).toContain(from);
    expect(faultsOf(onAws.replace(from, to))).toEqual([]);
  });

  it('other faults are told beside them', () => {
    expect(faultsOf(anywhere.replace('stage: test-1', 'stage: Test'))).toContainEqual(
      expect.stringContaining(': stage: '),
    );
  });
});

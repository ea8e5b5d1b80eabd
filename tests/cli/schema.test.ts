// The committed JSON Schema is the one that the configuration is checked by.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { schemaText } from '../../lib/cli/schema.ts';
import { readConfig } from '../../lib/config/file.ts';
import { faultsOf, smallFile } from '../support/config-text.ts';
import { notYet } from '../support/not-yet.ts';

interface Node {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | false;
  readonly required?: readonly string[];
}

const schema: Node = JSON.parse(readFileSync('autopilot.schema.json', 'utf8'));
const document = readFileSync('docs/configuration.md', 'utf8');

/** Every key of the schema with its default; the keys under `defaults` are those of a job. */
function keysOf(node: Node, at: string): [key: string, fallback: string][] {
  const named = node.additionalProperties ? keysOf(node.additionalProperties, `${at}.*`) : [];
  const own = Object.entries(node.properties ?? {}).flatMap(([key, child]): [string, string][] => {
    const path = at === '' ? key : `${at}.${key}`;
    const fallback = node.required?.includes(key)
      ? 'required'
      : (/ Default: (.*)$/.exec(child.description ?? '')?.[1] ?? '');
    return [[path, fallback], ...(path === 'defaults' ? [] : keysOf(child, path))];
  });
  return [...own, ...named.filter(([path]) => !path.includes('.tags.'))];
}

/** The cells of each row of the table under a heading. */
function rowsUnder(heading: string): readonly (readonly string[])[] {
  const [, section = ''] = document.split(`\n## ${heading}\n`);
  const [table = ''] = section.split('\n## ');
  const rows = table.split('\n').filter((line) => line.startsWith('| `'));
  return rows.map((row) => row.split('|').map((cell) => cell.trim().replaceAll('`', '')));
}

describe('autopilot.schema.json', () => {
  it('is up to date (npm run schema writes it)', () => {
    expect(readFileSync('autopilot.schema.json', 'utf8')).toBe(schemaText());
  });

  it('lets no unknown key pass in any mapping with fixed keys', () => {
    const open = schemaText().matchAll(/"properties": \{/g);
    const shut = schemaText().matchAll(/"additionalProperties": false/g);

    expect([...shut]).toHaveLength([...open].length);
  });

  it('offers no key that is not supported yet', () => {
    const offered = new Set(keysOf(schema, '').map(([key]) => key.split('.').at(-1)));
    const keys = notYet.map(([, , listed]) => listed.split('.').at(-1));

    expect(keys.filter((key) => offered.has(key))).toEqual([]);
  });
});

describe('docs/configuration.md', () => {
  it('has a row for every key of the schema, with its default, in order, and no other', () => {
    const rows = rowsUnder('Keys').map(([, key, , fallback]) => [key, fallback]);

    expect(rows).toEqual(keysOf(schema, ''));
  });

  it('says that defaults take what a job takes, which the schema does', () => {
    const job = schema.properties?.['jobs']?.additionalProperties || {};
    const { action, target, trigger, ...policies } = job.properties ?? {};

    expect(schema.properties?.['defaults']?.properties).toEqual(policies);
    expect([action, target, trigger]).not.toContain(undefined);
  });

  it('lists what is not supported yet', () => {
    const listed = rowsUnder('Not supported yet').map(([, key]) => key);

    expect(listed.toSorted()).toEqual([...new Set(notYet.map(([, , key]) => key))].sort());
  });

  it('tells the defaults that hold', () => {
    const policies = {
      enabled: true,
      dryRun: false,
      guards: { maxInstances: 5, maxPercent: '10%', onExceed: 'refuse' },
      waves: {
        canary: 1,
        size: '10%',
        soak: '2m',
        maxFailures: 1,
        order: { tag: 'env', values: ['dev', 'staging', 'prod'] },
      },
      retry: { maxAttempts: 6, baseDelay: '10s', maxDelay: '5m', for: '1h' },
      verify: { interval: '10s', settle: '60s', timeout: '30m' },
      retention: '90d',
    };
    const project = {
      ...smallFile.projects.p,
      endpoint: 'https://dcs.eu-de.myhuaweicloud.com',
      protectedTag: 'dcs-autopilot-protected=true',
      rate: { callsPerSecond: 10, retriesPerHour: 200 },
      timeout: '30s',
    };
    const schedule = { cron: '0 2 * * *', timezone: 'UTC', startDeadline: '30m', overlap: 'skip' };
    const webhook = { ...smallFile.jobs.hook.trigger.webhook, instances: 'none' };
    const jobs = {
      flush: { ...smallFile.jobs.flush, trigger: { schedule } },
      hook: { ...smallFile.jobs.hook, trigger: { webhook } },
    };

    const spelledOut = { ...smallFile, stage: 'prod', projects: { p: project }, jobs, defaults: policies };

    expect(readConfig(JSON.stringify(spelledOut), 'a')).toEqual(readConfig(JSON.stringify(smallFile), 'a'));
  });

  it('comes with an example that is valid and names the schema for editors', () => {
    const example = readFileSync('docs/autopilot.example.yml', 'utf8');

    expect(faultsOf(example)).toEqual([]);
    expect(example.split('\n')[0]).toBe('# yaml-language-server: $schema=../autopilot.schema.json');
  });
});

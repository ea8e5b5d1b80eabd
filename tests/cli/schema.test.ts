// The committed JSON Schema is the one that the configuration is checked by.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { schemaText } from '../../lib/cli/schema.ts';
import { readConfig } from '../../lib/config/file.ts';
import { faultsOf, smallFile } from '../support/config-text.ts';

interface Node {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | false;
  readonly required?: readonly string[];
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
}

const schema: Node = JSON.parse(readFileSync('autopilot.schema.json', 'utf8'));
const document = readFileSync('docs/configuration.md', 'utf8');

/** Every key of a schema with its default, `[]` for what stands in a list; the keys under `defaults` are those of a job. */
function keysOf(node: Node, at: string): [key: string, fallback: string][] {
  const named = node.additionalProperties ? keysOf(node.additionalProperties, `${at}.*`) : [];
  const own = Object.entries(node.properties ?? {}).flatMap(([key, child]): [string, string][] => {
    const path = at === '' ? key : `${at}.${key}`;
    const fallback = node.required?.includes(key)
      ? 'required'
      : (/ Default: (.*)$/.exec(child.description ?? '')?.[1] ?? '');
    return [[path, fallback], ...(path === 'defaults' ? [] : keysOf(child, path))];
  });
  const inside = [
    ...(node.items ? keysOf(node.items, `${at}[]`) : []),
    ...(node.anyOf ?? []).flatMap((each) => keysOf(each, at)),
  ];
  return [...own, ...named.filter(([path]) => !path.includes('.tags.')), ...inside];
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
});

describe('docs/configuration.md', () => {
  it('has a row for every key of the schema, with its default, in order, and no other', () => {
    const rows = rowsUnder('Keys').map(([, key, , fallback]) => [key, fallback]);

    expect(rows).toEqual(keysOf(schema, ''));
  });

  it('says that defaults take what a job takes, which the schema does', () => {
    const job = schema.properties?.['jobs']?.additionalProperties || {};
    const { action, ladder, target, trigger, ...policies } = job.properties ?? {};

    expect(schema.properties?.['defaults']?.properties).toEqual(policies);
    expect([action, target, trigger]).not.toContain(undefined);
  });

  it('tells the defaults that hold', () => {
    const policies = {
      enabled: true,
      dryRun: false,
      guards: { maxInstances: 5, maxPercent: '10%', maxPerDay: 50, onExceed: 'refuse' },
      waves: {
        canary: 1,
        size: '10%',
        soak: '2m',
        maxFailures: 1,
        order: { tag: 'env', values: ['dev', 'staging', 'prod'] },
        healthCheck: null,
      },
      retry: { maxAttempts: 6, baseDelay: '10s', maxDelay: '5m', for: '1h' },
      verify: { interval: '10s', settle: '60s', timeout: '30m' },
      backup: { mode: 'off', maxAge: '24h' },
      approval: 'none',
      collision: 'skip',
      window: null,
      retention: '90d',
    };
    const project = {
      ...smallFile.projects.p,
      endpoint: 'https://dcs.eu-de.myhuaweicloud.com',
      protectedTag: 'dcs-autopilot-protected=true',
      rate: { callsPerSecond: 10, retriesPerHour: 200 },
      timeout: '30s',
      freeze: [],
    };
    const alertStorm = { share: '20%', count: 10, within: '5m', cooldown: '10m' };
    const top = { stage: 'prod', sources: {}, alertStorm, notify: [] };
    const schedule = { cron: '0 2 * * *', timezone: 'UTC', startDeadline: '30m', overlap: 'skip' };
    const webhook = { ...smallFile.jobs.hook.trigger.webhook, instances: 'none' };
    const jobs = {
      flush: { ...smallFile.jobs.flush, trigger: { schedule } },
      hook: { ...smallFile.jobs.hook, trigger: { webhook } },
    };

    const spelledOut = { ...smallFile, ...top, projects: { p: project }, jobs, defaults: policies };

    expect(readConfig(JSON.stringify(spelledOut), 'autopilot.yml')).toEqual(
      readConfig(JSON.stringify(smallFile), 'autopilot.yml'),
    );
  });

  it('comes with an example that is valid and names the schema for editors', () => {
    const example = readFileSync('docs/autopilot.example.yml', 'utf8');

    expect(faultsOf(example)).toEqual([]);
    expect(example.split('\n')[0]).toBe('# yaml-language-server: $schema=../autopilot.schema.json');
  });
});

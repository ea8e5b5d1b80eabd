// A fleet's file is read whole or not at all: what it says is in the fleet, and every fault of it is told with its line.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ConfigError, showFault } from '../../../lib/errors.ts';
import { Fleet } from '../../../lib/local/simulator/fleet.ts';
import { type FleetOverrides, readFleet } from '../../../lib/local/simulator/fleet-file.ts';
import { makeInstances } from '../../../lib/local/simulator/make-fleet.ts';

const one = '00000000-0000-4000-8000-000000000001';
const start = Date.parse('2026-11-23T12:00:00Z');

function fleetOf(text: string, overrides: FleetOverrides = {}): Fleet {
  return new Fleet({ ...readFleet(text, 'fleet.yml', overrides), now: () => start });
}

function faultsOf(text: string): readonly string[] {
  try {
    readFleet(text, 'fleet.yml');
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map(showFault);
    throw error;
  }
  return [];
}

describe('a fleet from a file', () => {
  it('has its instances, the made-up ones first', () => {
    const fleet = fleetOf(`
make: 2
instances:
  - {id: ${one}, name: stg-cart, version: 6.0, cacheMode: single, keys: 7, tags: {env: staging, build: 1.10}}
  - {name: stg-old, version: 3.0, status: ERROR, task: BACKUPING, appendonly: false}
`);

    const views = fleet.views();
    expect(views.length).toBe(4);
    expect(views[2]).toMatchObject({ id: one, version: '6.0', cacheMode: 'single', keys: 7, tags: { build: '1.10' } });
    expect(views[3]).toMatchObject({ name: 'stg-old', status: 'ERROR', task: 'BACKUPING', appendonly: false });
    expect(views[3]?.id).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('may be JSON', () => {
    expect(fleetOf(JSON.stringify({ instances: [{ id: one, name: 'stg-cart' }] })).view(one)?.name).toBe('stg-cart');
  });

  it('has its switches, times and limits', () => {
    const read = readFleet(
      `
projectId: 0a1b2c3d4e5f60718293a4b5c6d7e8f9
seed: 9
timing: {lag: 200ms, restart: 1s..2m}
unknowns: {busyIn: entry, oddTypes: true}
rate: {kind: bucket, calls: 10, per: 1s, burst: 20}
iamRate: {kind: window, calls: 5, per: 1m}
`,
      'fleet.yml',
    );

    expect(read).toMatchObject({
      projectId: '0a1b2c3d4e5f60718293a4b5c6d7e8f9',
      seed: 9,
      timing: { lag: { min: 200, max: 200 }, restart: { min: 1_000, max: 120_000 } },
      switches: { busyIn: 'entry', oddTypes: true, unknownIn: 'whole-call' },
      rate: { kind: 'bucket', calls: 10, per: 1_000, burst: 20 },
      iamRate: { kind: 'window', calls: 5, per: 60_000 },
    });
  });

  it('has the users of its account', () => {
    const { iam, timing } = readFleet(
      `
iam:
  domain: {id: d0d0, name: example-domain}
  users: [{name: alice, password: an-example-only, rights: read}]
  agencies: [{name: operations}]
  tokenLifetime: 60
timing: {backup: 20s, backupWait: 1s, swap: 1s..2s}
`,
      'fleet.yml',
    );

    expect(iam).toEqual({
      domain: { id: 'd0d0', name: 'example-domain' },
      users: [{ name: 'alice', password: 'an-example-only', rights: 'read' }],
      agencies: [{ name: 'operations' }],
      tokenLifetime: 60,
    });
    expect(timing).toMatchObject({ backup: { min: 20_000, max: 20_000 }, swap: { min: 1_000, max: 2_000 } });
  });

  it('has its faults, in short and at length, for instances by name or id', () => {
    const { script } = readFleet(
      `
instances: [{id: ${one}, name: stg-cart, script: {sends: [failed, ok], restartsEnd: [ERROR]}}]
faults:
  - 5%:drop-after
  - 500
  - {what: 502-after, on: act, nth: [2, 4], instances: [stg-cart]}
  - {what: failed, share: 2.5%, seed: 3, period: {from: 10s, for: 1m}, instances: [${one}]}
`,
      'fleet.yml',
    );

    expect(script).toEqual({
      instances: { [one]: { sends: ['failed', 'ok'], restartsEnd: ['ERROR'] } },
      calls: [
        { on: 'all', share: 0.05, answer: { kind: 'drop', applies: true } },
        { on: 'all', answer: { kind: 'error', status: 500, applies: false } },
        { on: 'act', nth: [2, 4], instances: [one], answer: { kind: 'error', status: 502, applies: true } },
        {
          on: 'act',
          share: 0.025,
          seed: 3,
          period: { from: 10_000, for: 60_000 },
          instances: [one],
          answer: { kind: 'entries', each: 'failed' },
        },
      ],
    });
  });

  it('gives way to the command line', () => {
    const [plain, other] = [{}, { make: 3, seed: 2 }].map((overrides) => fleetOf('make: 1\nseed: 1', overrides));

    expect([plain?.views().length, other?.views().length]).toEqual([1, 3]);
    expect(other?.views()[0]?.id).not.toBe(plain?.views()[0]?.id);
  });

  it('tells the same story with the same seed', () => {
    const text = 'make: 40\nfaults: ["20%:drop-after@act", "30%:failed", "10%:500@show"]';

    const stories = [0, 1].map(() => {
      const fleet = fleetOf(text);
      const ids = fleet.views().map(({ id }) => id);
      const acts = ids.map((id) => fleet.act({ action: 'restart', instances: [id] }));
      return JSON.stringify([acts, ids.map((id) => fleet.show(id).kind), fleet.log()]);
    });

    expect(stories[1]).toBe(stories[0]);
    expect(stories[0]).toMatch(/dropped.*failed|failed.*dropped/);
  });

  it('is shown in the documentation by an example that can be read', () => {
    const [, example = ''] = /```yaml\n(.*?)```/s.exec(readFileSync('docs/simulator.md', 'utf8')) ?? [];

    expect(fleetOf(example).views().length).toBeGreaterThan(3);
  });
});

describe('a faulty file', () => {
  it('is refused with every fault and its line', () => {
    const faults = faultsOf(`
make: many
colour: blue
instances:
  - {id: nobody, name: stg-cart}
  - {name: stg-old, cacheMode: double}
timing: {lag: soon, flush: 3s..1s}
unknowns: {busyIn: sometimes, busyOn: entry}
rate: {kind: bucket, calls: 0, per: 1s}
faults:
  - often:drop
  - {what: explode, on: everywhere, share: 200%}
  - {on: act}
`);

    expect(
      faults.map((fault) =>
        fault
          .replace(/^fleet\.yml:/, '')
          .split(': ')
          .slice(0, 2)
          .join(': '),
      ),
    ).toEqual([
      '2: make',
      '3: colour',
      '5: instances[0].id',
      '6: instances[1].cacheMode',
      '7: timing.lag',
      '7: timing.flush',
      '8: unknowns.busyIn',
      '8: unknowns.busyOn',
      '9: rate.calls',
      '11: faults[0]',
      '12: faults[1].what',
      '12: faults[1].on',
      '12: faults[1].share',
      '13: faults[2].what',
    ]);
    expect(faults[6]).toContain('expected one of auto, whole-call, entry');
    expect(faults[7]).toContain('did you mean `busyIn`?');
  });

  it.each<[string, string, string]>([
    ['a name that is taken', 'instances:\n  - {name: a}\n  - {name: a}', 'fleet.yml:3: instances[1]: another'],
    [
      'a name of a made-up one',
      `make: 1\ninstances:\n  - name: ${makeInstances(1, 1)[0]?.name}`,
      'fleet.yml:3: instances[0]: another',
    ],
    ['a fault for nobody', `faults:\n  - drop@${one}`, 'fleet.yml:2: faults[0]: it names an instance that is not'],
    [
      'a longer fault for nobody',
      'faults:\n  - what: drop\n    instances: [b]',
      'fleet.yml:3: faults[0].instances[0]: it names an instance that is not',
    ],
    [
      'a fault of entries where there are none',
      'faults:\n  - {what: failed, on: list}',
      'fleet.yml:2: faults[0]: "failed" is for status calls: act or all',
    ],
    [
      'a period without length',
      'faults:\n  - {what: drop, period: {from: 1s, for: 0s}}',
      'fleet.yml:2: faults[0].period.for: ',
    ],
    ['a limit without time', 'rate: {kind: bucket, calls: 1, per: 0s}', 'fleet.yml:1: rate.per: '],
    [
      'a burst of a window',
      'rate: {kind: window, calls: 1, per: 1s, burst: 2}',
      'fleet.yml:1: rate: only a bucket has a burst',
    ],
    ['no YAML', 'make: [', 'fleet.yml:1: (file): '],
    ['nothing', '', 'fleet.yml:1: (file): the file is empty'],
    ['a list', '- make: 1', 'fleet.yml:1: (file): expected a mapping'],
  ])('%s', (_, text, expected) => {
    expect(faultsOf(text).join('\n')).toContain(expected);
  });
});

// What the simulator shows of itself can be held against what a client believes: each application with its request.

import { describe, expect, it } from '@jest/globals';
import { Fleet, type FleetOptions } from '../../../lib/local/simulator/fleet.ts';
import { isLoopback } from '../../../lib/local/simulator/server.ts';
import { appliedBy, stateOf } from '../../../lib/local/simulator/state.ts';
import { statePage } from '../../../lib/local/simulator/state-page.ts';

const one = '00000000-0000-4000-8000-000000000001';
const two = '00000000-0000-4000-8000-000000000002';
const start = Date.parse('2026-11-23T12:00:00Z');

function fleetWith(options: Partial<FleetOptions>): { readonly fleet: Fleet; at(offset: number): void } {
  let now = start;
  const instances = [
    { id: one, name: 'stg-cart', cacheMode: 'single' },
    { id: two, name: '<b>"odd"</b> & so' },
  ];
  const at = (offset: number) => {
    now = start + offset;
  };
  return { fleet: new Fleet({ instances, now: () => now, ...options }), at };
}

describe('what took hold', () => {
  it('is told with its call, what its caller heard, the loss of data and how often it was', () => {
    const calls = [{ on: 'act', nth: [2], answer: { kind: 'error', status: 502, applies: true } }] as const;
    const { fleet, at } = fleetWith({ script: { calls, instances: { [two]: { sends: ['omitted'] } } } });

    fleet.act({ action: 'restart', instances: [one, two] });
    at(60_000);
    fleet.act({ action: 'restart', instances: [one] });

    const call = 'PUT instances/status';
    expect(appliedBy(fleet)).toMatchObject([
      { at: start, name: 'stg-cart', action: 'restart', call, result: 'success', nth: 1, lostData: true },
      { at: start, instanceId: two, result: 'not told', nth: 1, lostData: false },
      { at: start + 60_000, instanceId: one, result: '502 APIGW.0202', nth: 2, lostData: true },
    ]);
  });

  it('is in the JSON beside the calls that came', () => {
    const { fleet } = fleetWith({});
    const { requestId } = fleet.act({ action: 'flush', instances: [one] });

    expect(stateOf(fleet, start)).toMatchObject({
      now: start,
      log: [{ requestId, instanceId: one, action: 'flush', result: 'success' }],
      requests: [{ requestId, action: 'flush', ids: [one], answer: '200', told: { [one]: 'success' } }],
    });
  });
});

describe('the page', () => {
  const { fleet } = fleetWith({});
  fleet.act({ action: 'flush', instances: [one, two] });
  fleet.act({ action: '<script>', instances: [one] });
  const page = statePage(fleet, start);

  it('shows who was acted on, when, by which request', () => {
    const [entry] = fleet.log();

    expect(page).toContain('<td>stg-cart</td><td>flush</td><td>success</td><td>1.</td><td class="lost">lost</td>');
    expect(page).toContain(`<td>${entry?.requestId}</td>`);
    expect(page).toContain('2026-11-23 12:00:00.000');
    expect(page).toContain('2 act');
  });

  it('quotes what comes from outside', () => {
    expect(page).toContain('&lt;b&gt;&quot;odd&quot;&lt;/b&gt; &amp; so');
    expect(page).not.toMatch(/<script|<b>/);
  });

  it('needs no other file', () => {
    expect(page).not.toMatch(/\b(src|href)=|url\(|@import/);
  });

  it('is no longer than five hundred rows a table', () => {
    const instances = Array.from({ length: 600 }, (_, n) => ({ id: `${n}`, name: `stg-${n}` }));
    const long = statePage(new Fleet({ instances, now: () => start }), start);

    expect(long.match(/<tr>/g)?.length).toBe(503);
    expect(long).toContain('Instances (600)');
    expect(long).toContain('Only 500 of them are shown.');
  });
});

describe('an address of this machine itself', () => {
  it.each<[string | undefined, boolean]>([
    ['127.0.0.1', true],
    ['127.8.9.1', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['10.0.0.7', false],
    ['::ffff:10.0.0.7', false],
    ['128.0.0.1', false],
    [undefined, false],
  ])('%s: %s', (address, expected) => {
    expect(isLoopback(address)).toBe(expected);
  });
});

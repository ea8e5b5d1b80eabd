// What shall go wrong goes wrong exactly so often, and what is told of it is what the script says.

import { describe, expect, it } from '@jest/globals';
import { Fleet } from '../../../lib/local/simulator/fleet.ts';
import { makeFleet } from '../../../lib/local/simulator/make-fleet.ts';
import type { FaultAnswer, InstanceScript, Script } from '../../../lib/local/simulator/script.ts';

const one = '00000000-0000-4000-8000-000000000001';
const two = '00000000-0000-4000-8000-000000000002';
const start = Date.parse('2026-11-23T12:00:00Z');

interface Stage {
  readonly fleet: Fleet;
  /** Milliseconds since the start. */
  at(offset: number): void;
}

function stage(script: Script): Stage {
  let now = start;
  const instances = [one, two].map((id, index) => ({ id, name: `stg-cache-0${index + 1}` }));
  const fleet = new Fleet({ instances, now: () => now, script });
  return {
    fleet,
    at: (offset) => {
      now = start + offset;
    },
  };
}

function restart(fleet: Fleet, ids: readonly string[] = [one]): string {
  return send(fleet, 'restart', ids);
}

function flush(fleet: Fleet): string {
  return send(fleet, 'flush', [one]);
}

function send(fleet: Fleet, action: string, ids: readonly string[]): string {
  const reply = fleet.act({ action, instances: ids });
  if (reply.kind === 'error') return `${reply.error.status} ${reply.error.code}`;
  return reply.kind === 'ok' ? reply.value.map(({ result }) => result).join(' ') : reply.kind;
}

describe('a script for one instance', () => {
  it.each<[NonNullable<InstanceScript['sends']>, readonly string[], number]>([
    [['failed', 'failed'], ['failed', 'failed', 'success'], 1],
    [['omitted'], ['', '400 DCS.4017', '400 DCS.4017'], 1],
    [['ignored', 'ok'], ['', 'success', '400 DCS.4017'], 1],
    [['ignored', 'failed', 'omitted'], ['', 'failed', ''], 1],
  ])('decides how its sends go: %j', (sends, expected, applied) => {
    const { fleet } = stage({ instances: { [one]: { sends } } });

    const answers = [restart(fleet), restart(fleet), restart(fleet)];

    expect(answers).toEqual(expected);
    expect(fleet.applied(one).restart).toBe(applied);
  });

  it('does not touch the others', () => {
    const { fleet } = stage({ instances: { [one]: { sends: ['failed'] } } });

    expect(restart(fleet, [one, two])).toBe('failed success');
  });

  it('keeps its place over calls that were refused as a whole', () => {
    const { fleet } = stage({ instances: { [one]: { sends: ['failed'] } } });

    const answers = [restart(fleet, [one, '00000000-0000-4000-8000-00000000dead']), restart(fleet), restart(fleet)];

    expect(answers).toEqual(['404 DCS.3022', 'failed', 'success']);
    expect(fleet.sent(one)).toBe(3);
  });

  it('can make it busy from its first send on', () => {
    const { fleet, at } = stage({ instances: { [one]: { busyFromFirstSend: { task: 'BACKUPING', for: 60_000 } } } });

    at(5_000);
    const [before, first] = [fleet.view(one)?.task, flush(fleet)];
    at(64_999);
    const [during, second] = [fleet.view(one)?.task, flush(fleet)];
    at(65_000);
    const [after, third] = [fleet.view(one)?.task, flush(fleet)];

    expect([before, during, after]).toEqual([null, 'BACKUPING', null]);
    expect([first, second, third]).toEqual(['400 DCS.4096', '400 DCS.4096', 'success']);
  });

  it('can give it a task or a status at given times', () => {
    const periods = [
      { from: 1_000, for: 1_000, task: 'BACKUPING' },
      { from: 3_000, for: 1_000, status: 'EXTENDING' },
    ];
    const { fleet, at } = stage({ instances: { [one]: { periods } } });

    const seen = [0, 1_000, 2_000, 3_000, 4_000].map((offset) => {
      at(offset);
      return `${fleet.view(one)?.status} ${fleet.view(one)?.task}`;
    });

    expect(seen).toEqual(['RUNNING null', 'RUNNING BACKUPING', 'RUNNING null', 'EXTENDING null', 'RUNNING null']);
  });

  it('can end its restarts in ERROR, from which a further one may heal it', () => {
    const { fleet, at } = stage({ instances: { [one]: { restartsEnd: ['ERROR', 'RUNNING'] } } });

    const seen = [100_000, 200_000].map((offset) => {
      restart(fleet);
      at(offset);
      return fleet.view(one)?.status;
    });

    expect(seen).toEqual(['ERROR', 'RUNNING']);
  });

  it('is refused for an instance that is not there', () => {
    const { fleet } = stage({});

    expect(() => fleet.script({ instances: { 'no-such-id': {} } })).toThrow(RangeError);
  });
});

describe('a fault of a whole call', () => {
  it.each<[string, FaultAnswer, string, number]>([
    ['429', { kind: 'error', status: 429, retryAfter: 3 }, '429 APIGW.0308', 0],
    ['500 before', { kind: 'error', status: 500 }, '500 DCS.5000', 0],
    ['500 after', { kind: 'error', status: 500, applies: true }, '500 DCS.5000', 1],
    ['502 after', { kind: 'error', status: 502, applies: true }, '502 APIGW.0202', 1],
    ['504 after', { kind: 'error', status: 504, applies: true }, '504 APIGW.0203', 1],
    ['403', { kind: 'error', status: 403 }, '403 DCS.2003', 0],
    ['404', { kind: 'error', status: 404 }, '404 APIGW.0101', 0],
    ['a code of its own', { kind: 'error', status: 500, code: 'DCS.5006' }, '500 DCS.5006', 0],
    ['dropped before', { kind: 'drop' }, 'dropped', 0],
    ['dropped after', { kind: 'drop', applies: true }, 'dropped', 1],
    ['204', { kind: 'empty' }, 'empty', 1],
    ['no JSON', { kind: 'malformed' }, 'malformed', 1],
    ['broken off', { kind: 'truncated' }, 'truncated', 1],
    ['broken off before', { kind: 'truncated', applies: false }, 'truncated', 0],
    ['a locked key', { kind: 'lockout' }, '401 APIGW.0301', 0],
    ['all failed', { kind: 'entries', each: 'failed' }, 'failed', 0],
    ['all left out', { kind: 'entries', each: 'omitted' }, '', 1],
    ['nothing done and nothing told', { kind: 'entries', each: 'ignored' }, '', 0],
    ['late', { kind: 'delay', ms: 5_000 }, 'success', 1],
  ])('answers in place of the service: %s', (_, answer, expected, applied) => {
    const { fleet } = stage({ calls: [{ on: 'act', answer }] });

    expect(restart(fleet)).toBe(expected);
    expect(fleet.applied(one).restart).toBe(applied);
  });

  const drop = { kind: 'drop' } as const;

  it('is due at the nth call it matches, and nowhere else', () => {
    const { fleet } = stage({ calls: [{ on: 'list', nth: [2, 4], answer: drop }] });

    fleet.statistic();
    const kinds = [1, 2, 3, 4, 5].map(() => fleet.list({ offset: 0, limit: 10 }).kind);

    expect(kinds).toEqual(['ok', 'dropped', 'ok', 'dropped', 'ok']);
  });

  it.each([
    ['reads', ['ok', 'dropped']],
    ['all', ['dropped', 'dropped']],
    ['act', ['dropped', 'ok']],
  ] as const)('may be on %s', (on, expected) => {
    const { fleet } = stage({ calls: [{ on, answer: drop }] });

    const kinds = [fleet.act({ action: 'restart', instances: [one] }).kind, fleet.show(one).kind];

    expect(kinds).toEqual(expected);
  });

  it('may be for calls that name an instance', () => {
    const { fleet } = stage({ calls: [{ on: 'all', instances: [two], answer: drop }] });

    const kinds = [fleet.show(one).kind, fleet.show(two).kind, restart(fleet, [one, two])];

    expect(kinds).toEqual(['ok', 'dropped', 'dropped']);
  });

  it('may last for a time', () => {
    const { fleet, at } = stage({ calls: [{ on: 'show', period: { from: 1_000, for: 1_000 }, answer: drop }] });

    const kinds = [999, 1_000, 1_999, 2_000].map((offset) => {
      at(offset);
      return fleet.show(one).kind;
    });

    expect(kinds).toEqual(['ok', 'dropped', 'dropped', 'ok']);
  });

  it('may be drawn: about its share of the calls, the same ones for the same seed', () => {
    const draws = [0, 1].map(() => {
      const { fleet } = stage({ calls: [{ on: 'show', share: 0.2, answer: drop }] });
      return Array.from({ length: 1_000 }, () => fleet.show(one).kind);
    });

    const dropped = draws[0]?.filter((kind) => kind === 'dropped').length ?? 0;
    expect(draws[1]).toEqual(draws[0]);
    expect(dropped).toBeGreaterThan(150);
    expect(dropped).toBeLessThan(250);
  });

  it('may be drawn with a seed of its own', () => {
    const [first, second, again] = [1, 2, 1].map((seed) => {
      const { fleet } = stage({ calls: [{ on: 'show', share: 0.5, seed, answer: drop }] });
      return Array.from({ length: 100 }, () => fleet.show(one).kind).join();
    });

    expect(again).toBe(first);
    expect(second).not.toBe(first);
  });

  it('of entries may be for some instances, and is drawn for each', () => {
    const each = 'failed';
    const { fleet } = stage({ calls: [{ on: 'act', instances: [two], answer: { kind: 'entries', each } }] });
    const drawn = makeFleet({ instances: 50, now: () => start });
    drawn.script({ calls: [{ on: 'act', share: 0.3, answer: { kind: 'entries', each } }] });

    const words = restart(
      drawn,
      drawn.views().map(({ id }) => id),
    ).split(' ');

    expect(restart(fleet, [one, two])).toBe('success failed');
    expect(words.filter((word) => word === 'failed').length).toBeGreaterThan(5);
    expect(words.filter((word) => word === 'failed').length).toBeLessThan(25);
  });

  it('of a locked key lasts five minutes, for every call', () => {
    const { fleet, at } = stage({ calls: [{ on: 'act', nth: [1], answer: { kind: 'lockout' } }] });

    const seen = [0, 299_999, 300_000].map((offset) => {
      at(offset);
      return `${restart(fleet)}, ${fleet.show(one).kind}`;
    });

    expect(seen).toEqual(['401 APIGW.0301, error', '401 APIGW.0301, error', 'success, ok']);
  });

  it('can be added later, and ends when all are called off', () => {
    const { fleet } = stage({});

    const kinds = [fleet.show(one).kind];
    fleet.script({ calls: [{ on: 'show', answer: drop }] });
    kinds.push(fleet.show(one).kind);
    fleet.calm();
    kinds.push(fleet.show(one).kind);

    expect(kinds).toEqual(['ok', 'dropped', 'ok']);
  });
});

describe('the status calls that came', () => {
  it('are remembered with what their callers were told', () => {
    const calls = [{ on: 'act', nth: [2], answer: { kind: 'drop', applies: true } }] as const;
    const { fleet, at } = stage({ calls, instances: { [two]: { sends: ['failed'] } } });

    restart(fleet, [one, two]);
    at(1_000);
    fleet.act({ action: 'flush', instances: [two] });
    fleet.act({ action: 'stop' });

    const [first, second, third] = fleet.statusCalls();
    expect(first).toMatchObject({ at: start, action: 'restart', ids: [one, two], answer: '200' });
    expect([...(first?.told ?? [])]).toEqual([
      [one, 'success'],
      [two, 'failed'],
    ]);
    expect(second).toMatchObject({ at: start + 1_000, action: 'flush', ids: [two], answer: 'dropped' });
    expect(third).toMatchObject({ action: 'stop', ids: [], answer: '400 DCS.4064' });
    expect(fleet.log()).toMatchObject([
      { requestId: first?.requestId, instanceId: one, lostData: false },
      { requestId: second?.requestId, instanceId: two, lostData: true },
    ]);
  });
});

describe('a share of instances that fail', () => {
  it('fails their first sends, and the same ones for the same seed', () => {
    const failed = [0, 1].map(() => {
      const fleet = makeFleet({ instances: 50, seed: 7, now: () => start, script: { fail: { share: 0.2, sends: 2 } } });
      const ids = fleet.views().map(({ id }) => id);
      return [1, 2, 3].map(() => ids.filter((id) => restart(fleet, [id]) === 'failed'));
    });

    const [first = [], second = [], third = []] = failed[0] ?? [];
    expect(failed[1]).toEqual(failed[0]);
    expect(first.length).toBeGreaterThan(3);
    expect(first.length).toBeLessThan(20);
    expect(second).toEqual(first);
    expect(third).toEqual([]);
  });
});

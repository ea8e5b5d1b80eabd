// Backups: their records over time, what stands in their way, and what ends them.

import { describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import { keptBackups, pastBackup } from '../../../lib/local/simulator/backup.ts';
import type { InstanceSpec } from '../../../lib/local/simulator/instance.ts';
import { type GatewayWorld, gatewayWorld, one, start } from '../../support/gateway-world.ts';

const path = `/instances/${one}/backups`;
const records = v.array(v.looseObject({ backup_id: v.string(), status: v.string(), progress: v.string() }));

function ask(world: GatewayWorld, method: string, rest = '', body?: object) {
  const token = world.login('all');
  const prefix = '/v2/0a1b2c3d4e5f60718293a4b5c6d7e8f9';
  return world.call(method, `${prefix}${rest}`, body === undefined ? { token } : { token, body });
}

function list(world: GatewayWorld, query = '') {
  const said = ask(world, 'GET', `${path}${query}`);
  return v.parse(records, said.json['backup_record_response'] ?? []);
}

function begin(world: GatewayWorld, body: object = {}): string {
  return v.parse(v.object({ backup_id: v.string() }), ask(world, 'POST', path, body).json).backup_id;
}

describe('a backup', () => {
  it.each([
    [0, 'waiting', '0.00', 'BACKUPING'],
    [1_999, 'waiting', '0.00', 'BACKUPING'],
    [2_000, 'backuping', '0.00', 'BACKUPING'],
    [302_000, 'backuping', '50.00', 'BACKUPING'],
    [601_999, 'backuping', '99.99', 'BACKUPING'],
    [602_000, 'succeed', '100.00', null],
  ])('%i ms after it was asked for is %s at %s per cent, and the task is %s', (offset, status, progress, task) => {
    const world = gatewayWorld([{}]);

    begin(world);
    world.at(offset);

    expect(list(world)).toMatchObject([{ status, progress }]);
    expect(world.fleet.view(one)).toMatchObject({ status: 'RUNNING', task });
  });

  it('has the id and the times that the seed gives it, on whatever day, and no id twice', () => {
    const timing = { backupWait: { min: 1_000, max: 9_000 }, backup: { min: 60_000, max: 900_000 } };
    const stories = [0, 86_400_000].map((later) => {
      const world = gatewayWorld([{}], { timing });
      return [0, 1, 2].map((nth) => {
        world.at(later + nth * 1_000_000);
        const id = begin(world);
        const backup = world.fleet.view(one)?.backups.at(-1);
        world.at(later + nth * 1_000_000 + 950_000);
        expect(ask(world, 'DELETE', `${path}/${id}`).status).toBe(204);
        return [
          id,
          (backup?.executionAt ?? 0) - (backup?.createdAt ?? 0),
          (backup?.endsAt ?? 0) - (backup?.createdAt ?? 0),
        ];
      });
    });

    expect(stories[1]).toEqual(stories[0]);
    expect(new Set(stories[0]?.map(([id]) => id)).size).toBe(3);
  });

  it('has the members of the vendor’s record', () => {
    const world = gatewayWorld([{ keys: 5 }]);

    const id = begin(world, { remark: 'before the flush', backup_format: 'aof' });
    world.at(700_000);
    const { status, json } = ask(world, 'GET', path);

    expect([status, json['total_num']]).toEqual([200, 1]);
    expect(list(world)).toEqual([
      {
        backup_id: id,
        backup_name: `backup_${id.slice(0, 8)}`,
        instance_id: one,
        backup_type: 'manual',
        backup_format: 'aof',
        status: 'succeed',
        progress: '100.00',
        size: 1_524,
        created_at: '2026-11-23T12:00:00.000Z',
        updated_at: '2026-11-23T12:10:02.000Z',
        execution_at: '2026-11-23T12:00:02.000Z',
        period: null,
        remark: 'before the flush',
        is_support_restore: 'TRUE',
        error_code: null,
      },
    ]);
  });

  it('can be scripted to fail', () => {
    const script = { instances: { [one]: { backupsEnd: ['failed'] as const } } };
    const world = gatewayWorld([{}], { script });

    begin(world);
    world.at(700_000);
    begin(world);
    world.at(1_400_000);

    expect(list(world).map(({ status, error_code: code }) => [status, code])).toEqual([
      ['succeed', null],
      ['failed', 'dcs.08.0002'],
    ]);
  });

  it.each<[string, Partial<InstanceSpec>, string]>([
    ['a single node', { cacheMode: 'single' }, '400 DCS.4095'],
    ['one that is not running', { status: 'ERROR' }, '400 DCS.4049'],
    ['one that restarts', { status: 'RESTARTING' }, '400 DCS.4111'],
    ['one that is backed up', { task: 'BACKUPING' }, '400 DCS.4096'],
    ['one that is gone', { status: 'DELETED' }, '404 DCS.3022'],
  ])('is refused for %s', (_, spec, expected) => {
    const world = gatewayWorld([spec]);

    expect(world.code('POST', path)).toBe(expected);
  });

  it('is refused while another one runs, and while work is accepted but does not show', () => {
    const world = gatewayWorld([{}]);
    begin(world);
    const second = world.code('POST', path);
    world.at(602_000);
    world.fleet.act({ action: 'flush', instances: [one] });
    const third = world.code('POST', path);

    expect([second, third]).toEqual(['400 DCS.4096', '400 DCS.4017']);
  });

  it('is told with 204 where there is none', () => {
    expect(ask(gatewayWorld([{}]), 'GET', path).status).toBe(204);
  });

  it('is kept among the newest 24', () => {
    const world = gatewayWorld([{}]);
    const ids = Array.from({ length: keptBackups + 2 }, (_, n) => {
      world.at(n * 700_000);
      return begin(world);
    });

    expect(list(world, '?limit=100').map(({ backup_id }) => backup_id)).toEqual(ids.slice(2).toReversed());
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each([
    ['', ['c', 'b', 'a']],
    ['?limit=1', ['c']],
    ['?limit=1&offset=2', ['a']],
    ['?begin_time=20261123110000', ['c', 'b']],
    ['?end_time=20261123110000', ['b', 'a']],
    ['?begin_time=20261123110000&end_time=20261123110000', ['b']],
  ])('is listed newest first, by time and page: %s', (query, expected) => {
    const backups = [2, 1, 0].map((hours) => pastBackup('abc'[2 - hours] ?? '', start - hours * 3_600_000));
    const world = gatewayWorld([{ backups }]);

    expect(list(world, query).map(({ backup_id }) => backup_id)).toEqual(expected);
  });

  it('goes with its instance', () => {
    const world = gatewayWorld([{ backups: [pastBackup('a', start)] }]);

    world.fleet.set(one, { status: 'DELETED' });

    expect(world.fleet.view(one)?.backups).toEqual([]);
    expect(world.code('GET', path)).toBe('404 DCS.3022');
  });

  it('can be deleted when it is over, and then is gone', () => {
    const world = gatewayWorld([{}]);
    const id = begin(world);

    const during = world.code('DELETE', `${path}/${id}`);
    world.at(700_000);
    const after = world.code('DELETE', `${path}/${id}`);
    const again = world.code('DELETE', `${path}/${id}`);

    expect([during, after, again]).toEqual(['400 DCS.4096', '204', '400 DCS.4062']);
    expect(list(world)).toEqual([]);
  });
});

describe('a restart during a backup', () => {
  it.each(['restart', 'soft_restart'] as const)('by %s is taken, and ends the backup as failed', (action) => {
    const world = gatewayWorld([{}]);
    begin(world);
    world.at(100_000);

    const reply = world.fleet.act({ action, instances: [one] });

    expect(reply).toMatchObject({ kind: 'ok', value: [{ result: 'success' }] });
    expect(world.fleet.view(one)).toMatchObject({ status: 'RUNNING', task: null, working: true });
    expect(list(world)).toMatchObject([{ status: 'failed', is_support_restore: 'FALSE', error_code: 'dcs.08.0002' }]);
  });

  it.each<[string, Partial<InstanceSpec>, object]>([
    ['task', { task: 'BACKUPING' }, {}],
    ['period', {}, { script: { instances: { [one]: { periods: [{ from: 0, for: 600_000, task: 'BACKUPING' }] } } } }],
  ])('that a script only shows as a %s ends that too', (_, spec, options) => {
    const world = gatewayWorld([spec], options);

    world.fleet.act({ action: 'restart', instances: [one] });
    world.at(11_000);

    expect(world.fleet.applied(one).restart).toBe(1);
    expect(world.fleet.view(one)).toMatchObject({ status: 'RUNNING', task: null });
  });

  it('is one that another status from outside ends as well', () => {
    const world = gatewayWorld([{}]);
    begin(world);

    world.fleet.set(one, { status: 'FROZEN' });

    expect(world.fleet.view(one)).toMatchObject({ status: 'FROZEN', task: null });
    expect(list(world)).toMatchObject([{ status: 'failed' }]);
  });

  it('is no flush, which has to wait', () => {
    const world = gatewayWorld([{}]);
    begin(world);

    const flush = () => world.code('PUT', '/instances/status', { body: { action: 'flush', instances: [one] } });
    const during = flush();
    world.at(602_000);

    expect([during, flush()]).toEqual(['400 DCS.4096', '200']);
  });
});

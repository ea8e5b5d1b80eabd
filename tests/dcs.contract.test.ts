// The one contract of the port to DCS, for the fake in memory and for the real client over the simulator's HTTP.

import { describe, expect, it } from '@jest/globals';
import { unlimited } from '../lib/config/defaults.ts';
import { ProjectAccess } from '../lib/huawei/access.ts';
import { HuaweiDcs } from '../lib/huawei/dcs.ts';
import { sender } from '../lib/huawei/http.ts';
import { MemoryDcs } from '../lib/local/rehearsal/memory-dcs.ts';
import { Fleet } from '../lib/local/simulator/fleet.ts';
import { startSimulator } from '../lib/local/simulator/server.ts';
import { type Switches, unknowns } from '../lib/local/simulator/unknowns.ts';
import { dcsContract, type Subject, type SubjectOptions } from './support/dcs-contract.ts';

const key = { ak: 'EXAMPLEACCESSKEY0001', sk: 'ExampleSecretKey/0001+abcdefghijklmnopqrs' };
const projectId = '0a1b2c3d4e5f60718293a4b5c6d7e8f9';

async function memory({ fleet, timeout }: SubjectOptions): Promise<Subject> {
  return { api: new MemoryDcs(fleet, { timeout: timeout * 1_000 }), close: () => Promise.resolve() };
}

async function overHttp({ fleet, now, timeout }: SubjectOptions): Promise<Subject> {
  const simulator = await startSimulator({ fleet, keys: [key], projectId, now });
  const project = {
    name: 'staging',
    region: 'eu-de',
    projectId,
    endpoint: simulator.url,
    credentials: { aksk: 'env:HUAWEICLOUD_SDK' },
    protectedTag: { key: 'dcs-autopilot-protected', value: 'true' },
    ...unlimited,
    rate: { callsPerSecond: 1_000, retriesPerHour: 1_000 },
    timeout,
  } as const;
  const send = sender({ timeout });
  const access = new ProjectAccess({ project, credentials: async () => key, send, now });
  const api = new HuaweiDcs({ project, access, send, now, sleep: () => Promise.resolve() });
  return { api, close: () => simulator.close() };
}

dcsContract('MemoryDcs', memory);
dcsContract('HuaweiDcs over the simulator', overHttp);

describe('the fake and the client', () => {
  const ids = [1, 2, 3].map((number) => `00000000-0000-4000-8000-00000000000${number}`);
  const [one = '', two = '', three = ''] = ids;
  const missing = '00000000-0000-4000-8000-00000000dead';
  const start = Date.parse('2026-11-23T12:00:00Z');

  /** All that a client can be told, one after the other; the last call of each moment is one too many. */
  async function storyOf(make: (options: SubjectOptions) => Promise<Subject>, switches: Partial<Switches>) {
    let now = start;
    const specs = [{}, { task: 'BACKUPING' }, { version: '3.0', status: 'EXTENDING' }];
    const instances = specs.map((spec, n) => ({ id: ids[n] ?? '', name: `stg-cache-0${n + 1}`, ...spec }));
    const rate = { kind: 'window', calls: 9, per: 1_000 } as const;
    const fleet = new Fleet({ instances, now: () => now, switches, rate });
    const { api, close } = await make({ fleet, now: () => now, timeout: 30 });
    const told: unknown[] = [];
    for (const later of [0, 5_000, 70_000]) {
      now = start + later;
      told.push(await api.list({}), await api.total(), await api.show(one), await api.show(two));
      told.push(await api.show(missing), await api.appendonly(one), await api.keyCounts());
      told.push(await api.act('flush', [one]), await api.act('soft_restart', [one, missing]));
      told.push(await api.act('restart', [three, one]));
    }
    await close();
    return told;
  }

  const settings = Object.entries(unknowns).flatMap(([name, { settings: each }]) =>
    each.map((setting) => [name, setting] as const),
  );

  it.each(settings)('tell the same story under %s: %s', async (name, setting) => {
    const stories = await Promise.all([memory, overHttp].map((make) => storyOf(make, { [name]: setting })));

    expect(stories[0]).toEqual(stories[1]);
  });
});

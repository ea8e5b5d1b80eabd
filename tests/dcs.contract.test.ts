// The one contract of the port to DCS, for the fake in memory and for the real client over the simulator's HTTP.

import { unlimited } from '../lib/config/defaults.ts';
import { ProjectAccess } from '../lib/huawei/access.ts';
import { HuaweiDcs } from '../lib/huawei/dcs.ts';
import { sender } from '../lib/huawei/http.ts';
import { startSimulator } from '../lib/local/simulator/server.ts';
import { dcsContract, type Subject, type SubjectOptions } from './support/dcs-contract.ts';
import { MemoryDcs } from './support/memory-dcs.ts';

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

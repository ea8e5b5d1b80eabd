// A scenario over HTTP: the real client, signed calls and the simulator's server between the flow and its fleet. Only the
// wire is real, the clock is the scenario's own.

import { unlimited } from '../../lib/config/defaults.ts';
import type { DcsApi } from '../../lib/execute.ts';
import { ProjectAccess } from '../../lib/huawei/access.ts';
import { HuaweiDcs } from '../../lib/huawei/dcs.ts';
import { sender } from '../../lib/huawei/http.ts';
import type { Fleet } from '../../lib/local/simulator/fleet.ts';
import { type Simulator, startSimulator } from '../../lib/local/simulator/server.ts';
import type { Scenario } from './scenario.ts';
import type { VirtualClock } from './virtual-engine.ts';

const key = { ak: 'EXAMPLEACCESSKEY0001', sk: 'ExampleSecretKey/0001+abcdefghijklmnopqrs' };
const projectId = '0a1b2c3d4e5f60718293a4b5c6d7e8f9';

/** Servers on the loopback, one for each scenario, until they are closed. */
export class Wire {
  readonly #open: Promise<Simulator>[] = [];

  /** The scenario with its calls over HTTP. Answers that come too late would take real time: there are none. */
  under(scenario: Scenario): Scenario {
    const { wrap = (dcs: DcsApi) => dcs } = scenario;
    return { ...scenario, wrap: (_, clock, fleet) => wrap(this.#client(clock, fleet), clock, fleet) };
  }

  async close(): Promise<void> {
    for (const simulator of await Promise.all(this.#open)) await simulator.close();
  }

  /** The server is there with the first call. */
  #client(clock: VirtualClock, fleet: Fleet): DcsApi {
    const simulator = startSimulator({ fleet, keys: [key], projectId, now: clock.now });
    this.#open.push(simulator);
    const client = simulator.then(({ url }) => clientOf(url, clock));
    return {
      list: async (tags) => (await client).list(tags),
      total: async () => (await client).total(),
      show: async (id) => (await client).show(id),
      appendonly: async (id) => (await client).appendonly(id),
      keyCounts: async () => (await client).keyCounts(),
      backups: async (id) => (await client).backups(id),
      backUp: async (id, remark) => (await client).backUp(id, remark),
      act: async (action, ids) => (await client).act(action, ids),
    };
  }
}

function clientOf(endpoint: string, clock: VirtualClock): HuaweiDcs {
  const project = {
    name: 'staging',
    region: 'eu-de',
    projectId,
    endpoint,
    credentials: { aksk: 'env:HUAWEICLOUD_SDK' },
    protectedTag: { key: 'dcs-autopilot-protected', value: 'true' },
    ...unlimited,
    rate: { callsPerSecond: 1000, retriesPerHour: 1000 },
    timeout: 30,
  } as const;
  const send = sender({ timeout: 30 });
  const access = new ProjectAccess({ project, credentials: async () => key, send, now: clock.now });
  const sleep = async (milliseconds: number): Promise<void> => clock.advance(milliseconds);
  return new HuaweiDcs({ project, access, send, now: clock.now, sleep });
}

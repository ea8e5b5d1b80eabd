// The flow over HTTP, on a virtual engine: how many calls it takes, and what they cost in this process. The simulator is
// another process. Waits are skipped; the sends are also measured alone, since nothing else is going on meanwhile.

import nodeFetch from 'node-fetch';
import type { Action, Job } from '../../lib/config.ts';
import type { Answer, DcsApi } from '../../lib/execute.ts';
import { ProjectAccess } from '../../lib/huawei/access.ts';
import { HuaweiDcs } from '../../lib/huawei/dcs.ts';
import { sender } from '../../lib/huawei/http.ts';
import { asJson, type RunRecord, readRecord, runKey } from '../../lib/record.ts';
import { noCounts } from '../../lib/report.ts';
import { run } from '../../lib/run.ts';
import { MemoryState } from '../support/memory-state.ts';
import { jobOf, quietWorld } from '../support/scenario.ts';
import { VirtualClock, VirtualEngine } from '../support/virtual-engine.ts';
import { SimulatorProcess } from './simulator-client.ts';
import { key, projectId } from './site.ts';

/** The machine's clock, ahead by all that was skipped; the simulator follows it. */
class SkippingClock extends VirtualClock {
  #ahead = 0;
  /** Resolves when the simulator's clock is as far ahead. */
  told: Promise<void> = Promise.resolve();

  override readonly now = (): number => Date.now() + this.#ahead;

  override advance(milliseconds: number): void {
    this.#ahead += milliseconds;
    const ahead = this.#ahead;
    this.told = this.told.then(() => simulator.skipTo(ahead));
  }
}

/** Counts wall and CPU time between the first call of a group that is out and the return of its last. */
class Meter {
  wall = 0;
  cpu = 0;
  #out = 0;
  #begun = { wall: 0, cpu: process.cpuUsage() };

  async around<T>(work: () => Promise<T>): Promise<T> {
    if (this.#out === 0) this.#begun = { wall: performance.now(), cpu: process.cpuUsage() };
    this.#out += 1;
    try {
      return await work();
    } finally {
      this.#out -= 1;
      if (this.#out === 0) this.#add();
    }
  }

  #add(): void {
    const { user, system } = process.cpuUsage(this.#begun.cpu);
    this.cpu += user + system;
    this.wall += performance.now() - this.#begun.wall;
  }
}

const count = Number(process.argv[2]);
const action: Action = process.argv[3] === 'flush' ? 'flush' : 'restart';
const simulator = await SimulatorProcess.start(count, 1);
const clock = new SkippingClock(new Date().toISOString());
const whole = new Meter();
const sending = new Meter();
const { waves, project } = jobOf(action);
const job = jobOf(action, {
  project: { ...project, projectId, endpoint: simulator.url },
  waves: { ...waves, canary: { percent: 100 } },
});
const state = new MemoryState();
await state.putIfAbsent(runKey('bench'), asJson(recordOf(job)));
const dcs = client();
const world = quietWorld(state, () => dcs, clock);

await whole.around(() => new VirtualEngine(clock).drive((engine) => run('bench', engine, world)));
const record = await readRecord(state, 'bench');
const done = await simulator.done();
const figures = { status: record?.status, whole: plain(whole), sending: plain(sending), ...done };
process.stdout.write(`${JSON.stringify(figures)}\n`);
await simulator.stop();

function client(): DcsApi {
  const send = sender({
    timeout: job.project.timeout,
    fetch: async (url, init) => {
      await clock.told;
      return nodeFetch(url, init);
    },
  });
  const huawei = new HuaweiDcs({
    project: job.project,
    access: new ProjectAccess({ project: job.project, credentials: async () => key, send, now: clock.now }),
    send,
    now: clock.now,
    sleep: async (milliseconds) => clock.advance(milliseconds),
  });
  return {
    list: (tags) => huawei.list(tags),
    total: () => huawei.total(),
    show: (id) => huawei.show(id),
    appendonly: (id) => huawei.appendonly(id),
    keyCounts: () => huawei.keyCounts(),
    backups: (id) => huawei.backups(id),
    backUp: (id, remark) => huawei.backUp(id, remark),
    act: (what, ids): Promise<Answer> => sending.around(() => huawei.act(what, ids)),
  };
}

function recordOf(frozen: Job): RunRecord {
  const createdAt = new Date(clock.now()).toISOString();
  return {
    v: 1,
    runId: 'bench',
    job: frozen,
    action,
    event: { trigger: 'manual', identity: 'bench', requestedBy: 'operator:local', receivedAt: createdAt },
    status: 'accepted',
    started: true,
    counts: noCounts,
    createdAt,
  };
}

function plain({ wall, cpu }: Meter): { readonly wall: number; readonly cpu: number } {
  return { wall, cpu };
}

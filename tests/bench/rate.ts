// What sharing an adaptive rate saves: clients of one project behind a gateway that lets ten calls a second through, on a
// clock of its own. Nothing here is timed, so that the figures are the same on every machine.

import { type Buckets, OwnBucket, SharedBucket } from '../../lib/huawei/bucket.ts';
import { chance } from '../../lib/local/simulator/chance.ts';
import { SlowState } from '../support/slow-state.ts';
import { throttlingOf } from '../support/throttled-project.ts';
import type { VirtualTime } from '../support/virtual-time.ts';
import { table } from './figures.ts';

const limit = 10;
const key = { pk: 'project#bench', sk: 'rate' };
/** Ms for one call of the state. */
const stateLatency = 6;

const own = (): Buckets => new OwnBucket();

/** Plays `calls` calls in all, by each number of clients, at each configured rate; answers with the report. */
export async function rate(calls: number, clients: readonly number[]): Promise<string> {
  const rows: string[][] = [];
  for (const count of clients) {
    for (const configured of [limit, 2 * limit, 5 * limit]) {
      rows.push(await row(count, calls, configured, 'fixed, each its own'));
      rows.push(await row(count, calls, configured, 'adaptive, each its own'));
      rows.push(await row(count, calls, configured, 'adaptive, shared'));
    }
  }
  return table([head, ...rows]);
}

const head = [
  `clients, configured for ${limit}`,
  'rate',
  'calls/min',
  '429s',
  'makespan/floor',
  'state reads/s',
  'state writes/s',
];

async function row(clients: number, calls: number, configured: number, kind: string): Promise<string[]> {
  let state: SlowState | undefined;
  const shared = (time: VirtualTime): Buckets => {
    state ??= new SlowState(time, stateLatency);
    return new SharedBucket({ state, key, now: time.now, log: { warn: () => {} } });
  };
  let drawn = 0;
  const took = await throttlingOf({
    clients,
    calls: Math.round(calls / clients),
    atOnce: 5,
    limit,
    configured,
    latency: 50,
    random: () => chance(7, drawn++),
    adapts: kind.startsWith('adaptive'),
    bucket: kind.endsWith('shared') ? shared : own,
  });
  const throttled = took.throttled.reduce((sum, some) => sum + some, 0);
  const seconds = took.makespan / 1000;
  return [
    `${clients}, ${configured}`,
    kind,
    (took.calls / (took.calls - throttled)).toFixed(2),
    String(throttled),
    (took.makespan / took.floor).toFixed(2),
    ((state?.reads ?? 0) / seconds).toFixed(1),
    ((state?.writes ?? 0) / seconds).toFixed(1),
  ];
}

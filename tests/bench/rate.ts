// What sharing an adaptive rate saves: clients of one project behind a gateway that lets ten calls a second through, on a
// clock of its own. Nothing here is timed, so that the figures are the same on every machine.

import { type Buckets, OwnBucket, SharedBucket } from '../../lib/huawei/bucket.ts';
import { MemoryState } from '../support/memory-state.ts';
import { throttlingOf } from '../support/throttled-project.ts';
import type { VirtualTime } from '../support/virtual-time.ts';
import { table } from './figures.ts';

const limit = 10;

/** Counts what the shared item costs. */
class CountingState extends MemoryState {
  reads = 0;
  writes = 0;

  override get(...args: Parameters<MemoryState['get']>) {
    this.reads += 1;
    return super.get(...args);
  }

  override updateIf(...args: Parameters<MemoryState['updateIf']>) {
    this.writes += 1;
    return super.updateIf(...args);
  }
}

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
  const state = new CountingState();
  const key = { pk: 'project#bench', sk: 'rate' };
  const shared = ({ now }: VirtualTime): Buckets => new SharedBucket({ state, key, now, log: { warn: () => {} } });
  const took = await throttlingOf({
    clients,
    calls: Math.round(calls / clients),
    atOnce: 5,
    limit,
    configured,
    latency: 50,
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
    (state.reads / seconds).toFixed(1),
    (state.writes / seconds).toFixed(1),
  ];
}

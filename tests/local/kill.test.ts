// The whole local runtime, killed with SIGKILL before and after checkpoints of a run with failures, and started again.
// The simulator lives in this process and counts what was really done. `npm run test:kill` kills at every checkpoint;
// here it is at every thirteenth, since tests/run.test.ts crashes the same flow at every write without any process.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Action } from '../../lib/config.ts';
import { Fleet } from '../../lib/local/simulator/fleet.ts';
import { startSimulator } from '../../lib/local/simulator/server.ts';
import type { RunView } from '../../lib/report.ts';
import { fastClock } from '../support/fast-clock.ts';
import type { ChildOrder } from '../support/local-child.ts';
import { idOf, instances, jobOf } from '../support/scenario.ts';

const key = { ak: 'EXAMPLEACCESSKEY0001', sk: 'ExampleSecretKey/0001' };
const projectId = '0a1b2c3d4e5f60718293a4b5c6d7e8f9';
const stride = Number(process.env['KILL_STRIDE'] ?? 13);

interface Ended {
  readonly checkpoints: number;
  readonly view: RunView;
}

/** One life of the runtime: the run's end, or null when it was killed. */
function live(order: ChildOrder): Promise<Ended | null> {
  const child = join(import.meta.dirname, '../support/local-child.ts');
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [child, JSON.stringify(order)], (error, stdout, stderr) => {
      if (error?.signal === 'SIGKILL') resolve(null);
      else if (error !== null) reject(new Error(`${error.message}\n${stderr}`));
      else resolve(JSON.parse(stdout));
    });
  });
}

/** Three instances: one is fine, one fails once, one is at work when it is first sent to. */
async function lives(action: Action, kill?: ChildOrder['kill']): Promise<{ ended: Ended; applied: number[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'autopilot-kill-'));
  const epoch = Date.now();
  const script = {
    [idOf(2)]: { sends: ['failed' as const] },
    [idOf(3)]: { busyFromFirstSend: { for: 3_000, task: 'BACKUPING' } },
  };
  const { now } = fastClock(epoch);
  const timing = { flush: { min: 4_000, max: 4_000 }, restart: { min: 4_000, max: 4_000 } };
  const fleet = new Fleet({ instances: instances(3), now, seed: 3, timing, script: { instances: script } });
  const simulator = await startSimulator({ fleet, keys: [key], projectId, now });
  try {
    const job = jobOf(action, {
      project: { ...jobOf(action).project, endpoint: simulator.url, credentials: { aksk: 'env:TEST' } },
      waves: { ...jobOf(action).waves, canary: { count: 2 }, soak: 1 },
      retry: { maxAttempts: 6, baseDelay: 1, maxDelay: 2, for: 600 },
      verify: { interval: 2, settle: 6, timeout: 120 },
    });
    const order = { folder, job, ...key, epoch };
    const first = await live(kill === undefined ? order : { ...order, kill });
    const ended = first ?? (await live(order));
    if (ended === null) throw new Error('the second life was killed too');
    return { ended, applied: [1, 2, 3].map((n) => fleet.applied(idOf(n))[action]) };
  } finally {
    await simulator.close();
    rmSync(folder, { recursive: true });
  }
}

describe.each<Action>(['flush', 'restart'])('a %s that is killed at its checkpoints', (action) => {
  it('goes on at the next start, does nothing twice that must not be, and calls nothing a success that is none', async () => {
    const { ended: undisturbed, applied } = await lives(action);
    expect(undisturbed.view.status).toBe('succeeded');
    expect(applied).toEqual([1, 1, 1]);

    const kills = Array.from({ length: undisturbed.checkpoints }, (_, i) => i + 1)
      .flatMap((at) => [
        { at, when: 'before' as const },
        { at, when: 'after' as const },
      ])
      .filter((_, i) => i % stride === 0);
    const checkNext = async (): Promise<void> => {
      for (let kill = kills.pop(); kill !== undefined; kill = kills.pop()) {
        const { ended, applied: times } = await lives(action, kill);
        const told = ended.view.outcomes.map(({ status }) => status);
        const facts = { kill, times, told, status: ended.view.status };
        expect({ ...facts, most: Math.max(...times) <= (action === 'flush' ? 1 : 2) }).toEqual({
          ...facts,
          most: true,
        });
        expect(times.every((n, i) => n > 0 || told[i] !== 'succeeded')).toBe(true);
        expect(told).not.toContain('not_started');
      }
    };
    await Promise.all([checkNext(), checkNext()]);
  }, 600_000);
});

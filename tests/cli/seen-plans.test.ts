// What `run --plan` tells of a plan that the server has never seen.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { consoleDoor } from '../../functions/console.ts';
import type { Io } from '../../lib/cli/io.ts';
import { main } from '../../lib/cli/main.ts';
import { changesSince, keepPlan } from '../../lib/cli/seen-plans.ts';
import { updateRecord, writeList } from '../../lib/record.ts';
import type { RunView } from '../../lib/report.ts';
import { hear } from '../support/command-io.ts';
import { doorFetch } from '../support/console-fetch.ts';
import { doorWorld, operatorToken } from '../support/door-world.ts';
import { idOf, instances, jobOf, play } from '../support/scenario.ts';

const hash = 'a'.repeat(64);
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'autopilot-plans-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function viewOf(count: number, protectedOne?: number): Promise<RunView> {
  const tags = { 'dcs-autopilot-protected': 'true' };
  const fleet = instances(count, (n) => (n === protectedOne ? { tags } : {}));
  return (await play({ job: jobOf('flush', { dryRun: true }), fleet: { instances: fleet } })).view;
}

async function saying(work: (io: Io) => void, data = folder): Promise<string> {
  const env = { AUTOPILOT_DATA: data };
  const { stderr } = await hear(
    async (io) => {
      work(io);
      return 0;
    },
    { env },
  );
  return stderr;
}

async function changes(before: string, view: RunView): Promise<string[]> {
  let told: string[] = [];
  await saying((io) => {
    told = changesSince(before, view, io);
  });
  return told;
}

describe('a run that is refused for its plan', () => {
  it('tells what has changed since the plan was shown', async () => {
    const seen = await viewOf(2);
    await saying((io) => keepPlan(seen, io));
    const shown = seen.plan.hash ?? '';
    const world = doorWorld();
    const planned = (await viewOf(1)).plan.waves.flat();
    world.meanwhile = async () => {
      for (const id of world.starts) {
        const record = await updateRecord(world.state, id, (before) => ({
          ...before,
          status: 'refused',
          code: 'plan_changed',
          reason: 'the plan is another one now',
          plan: { hash, waves: [planned.length], excluded: 0 },
        }));
        await writeList(world.state, record, 'plan', planned);
      }
    };

    const { code, stderr } = await hear((io) => main(['run', 'nightly', '--plan', shown, '--yes'], io), {
      env: { AUTOPILOT_TOKEN: operatorToken, AUTOPILOT_DATA: folder },
      now: () => world.now,
      sleep: async () => undefined,
      fetch: doorFetch(consoleDoor(world.open)),
    });

    expect(code).toBe(5);
    expect(stderr).toContain('since the plan: 1 no longer planned: cache-00002 (not selected any more)\n');
  });
});

describe('a plan that was shown', () => {
  it('is what a changed fleet is compared with', async () => {
    const seen = await viewOf(2);
    await saying((io) => keepPlan(seen, io));

    expect(await changes(seen.plan.hash ?? '', await viewOf(3, 2))).toEqual([
      '1 no longer planned: cache-00002 (protected)',
      '1 newly planned: cache-00003',
    ]);
  });

  it('that nobody kept says nothing', async () => {
    expect(await changes(hash, await viewOf(1))).toEqual([]);
  });

  it('that cannot be kept is told of, and keeps nobody from planning', async () => {
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    const seen = await viewOf(1);

    expect(await saying((io) => keepPlan(seen, io), file)).toContain('the plan is not kept');
  });

  it('goes when twenty newer ones are there', async () => {
    const seen = await viewOf(1);
    const plans = Array.from({ length: 25 }, (_, i) => ({ ...seen, plan: { ...seen.plan, hash: `${idOf(i)}` } }));

    for (const view of plans) await saying((io) => keepPlan(view, io));

    expect(readdirSync(join(folder, 'plans'))).toHaveLength(20);
  });
});

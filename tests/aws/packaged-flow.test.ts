// The flow through the packaged run, with the tick and the wires that it has on AWS: the same nights as on the virtual
// engine, and some of them once more with the test runner of the durable SDK in the place of our stand-in for the service.

import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Action } from '../../lib/config.ts';
import { crashContract, flowContract, type PlainScenario, type Told } from '../support/flow-contract.ts';
import { type PackagedPlayer, startPackagedPlayer } from '../support/packaged-play.ts';
import { idOf, instances, jobOf, scenario } from '../support/scenario.ts';

const folder = join(tmpdir(), `autopilot-packaged-flow-${process.pid}`);
let player: PackagedPlayer;
let official: PackagedPlayer;

beforeAll(async () => {
  player = await startPackagedPlayer(join(folder, 'stand-in'), 'stand-in');
  official = await startPackagedPlayer(join(folder, 'sdk-runner'), 'sdk-runner');
});

afterAll(() => {
  player.stop();
  official.stop();
  rmSync(folder, { recursive: true });
});

flowContract('the packaged functions', (one) => official.play(one));
crashContract('the packaged functions', (one) => player.play(one), 53);

describe('the journal of a packaged run', () => {
  it('is read over the wire, page by page, at each invocation', async () => {
    const told = await player.play(scenario('flush', 3), { page: 7 });
    const whole = await player.play(scenario('flush', 3));

    expect(told.view).toEqual(whole.view);
    expect(told.view.status).toBe('succeeded');
    expect([1, 2, 3].map((n) => told.fleet.applied(idOf(n)).flush)).toEqual([1, 1, 1]);
    expect(told.pages).toBeGreaterThan(20);
    expect(whole.pages).toBe(0);
  });
});

describe('a packaged run that needs an approval', () => {
  const asking = scenario('flush', 3, { job: jobOf('flush', { approval: 'required' }) });

  it('goes on when an operator approves it at the packaged console', async () => {
    const told = await player.play(asking, { approve: true });

    expect(told.view.status).toBe('succeeded');
    expect([1, 2, 3].map((n) => told.fleet.applied(idOf(n)).flush)).toEqual([1, 1, 1]);
    expect(told.clock.now()).toBeLessThan(Date.parse('2026-11-23T03:00:00Z'));
  });

  it('is refused when nobody does, and has sent nothing', async () => {
    const told = await player.play(asking);

    expect(told.view).toMatchObject({ status: 'refused', code: 'approval_lapsed' });
    expect(told.fleet.calls().act).toBe(0);
  });
});

describe('the test runner of the durable SDK', () => {
  const troubled = (action: Action): PlainScenario =>
    scenario(action, 5, {
      fleet: {
        instances: instances(5, (n) => (n === 5 ? { tags: { 'dcs-autopilot-protected': 'true' } } : {})),
        script: {
          instances: {
            [idOf(2)]: { sends: ['failed', 'failed'] },
            [idOf(3)]: { busyFromFirstSend: { for: 600_000, task: 'BACKUPING' } },
          },
        },
      },
    });

  const done = ({ view, fleet }: Told) => ({
    status: view.status,
    plan: view.plan,
    outcomes: view.outcomes.map(({ instanceId, status, attempts, verifiedBy }) => ({
      instanceId,
      status,
      attempts,
      verifiedBy,
      applied: fleet.applied(instanceId),
    })),
  });

  it.each<Action>(['flush', 'restart'])('comes to the same end with a %s', async (action) => {
    const [ours, theirs] = [await player.play(troubled(action)), await official.play(troubled(action))];

    expect(done(theirs)).toEqual(done(ours));
    expect(theirs.view.status).toBe('succeeded');
    expect(theirs.fleet.applied(idOf(3))[action]).toBe(1);
    expect(theirs.fleet.applied(idOf(5))[action]).toBe(0);
  });
});

// A process that dies by SIGKILL before or after every commit of the journal, life after life, until its execution has
// ended. What is begun at most once has then happened at most once, whatever the moments were.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import * as v from 'valibot';
import { temporaryFolder } from '../support/data-folder.ts';

const steps = ['again-1', 'once-2', 'once-3', 'flaky-4', 'once-5', 'once-6', 'once-7', 'again-8', 'once-9', 'once-10'];
const printed = v.object({ status: v.string(), result: v.string() });
const outcomesOf = v.record(v.string(), v.picklist(['done', 'interrupted']));

/** One life: what it printed, or null when it was killed. */
function live(folder: string, epoch: number, kill: readonly string[]): Promise<string | null> {
  const script = join(import.meta.dirname, '../support/crash-child.ts');
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [script, folder, String(epoch), ...kill], (error, stdout, stderr) => {
      if (error?.signal === 'SIGKILL') resolve(null);
      else if (error === null) resolve(stdout);
      else reject(new Error(stderr, { cause: error }));
    });
  });
}

/** Lives until one of them ends in peace: how many were killed, the outcomes, and how often each effect was left. */
async function liveOn(kill: readonly string[]) {
  const folder = temporaryFolder();
  const epoch = Date.now();
  let killed = 0;
  let end = await live(folder, epoch, kill);
  while (end === null) {
    killed += 1;
    if (killed > 100) throw new Error('the execution does not come to its end');
    end = await live(folder, epoch, kill);
  }
  const { status, result } = v.parse(printed, JSON.parse(end));
  const effects = readFileSync(join(folder, 'effects'), 'utf8').trim().split('\n');
  return {
    killed,
    status,
    outcomes: v.parse(outcomesOf, JSON.parse(result)),
    times: (step: string) => effects.filter((effect) => effect === step).length,
  };
}

test('a process that is left alone does everything once', async () => {
  const { killed, status, outcomes, times } = await liveOn([]);

  expect([killed, status]).toEqual([0, 'SUCCEEDED']);
  expect(steps.map((step) => [step, outcomes[step], times(step)])).toEqual(steps.map((step) => [step, 'done', 1]));
});

/** How often the effect of a step may have been left. An interrupted one may have happened or not: so it says. */
function allowed(step: string, outcome: string): readonly [number, number] {
  if (!step.startsWith('once')) return [1, Number.POSITIVE_INFINITY];
  return outcome === 'done' ? [1, 1] : [0, 1];
}

// Killed before its first commit, a life would change nothing, and so would all that follow.
test.concurrent.each([
  ['after', '1', 15],
  ['before', '2', 15],
  ['after', '2', 8],
  ['before', '3', 8],
  ['after', '5', 3],
])(
  'killed %s commit %s of each life',
  async (when, nth, atLeast) => {
    const { killed, status, outcomes, times } = await liveOn([when, nth]);

    expect(killed).toBeGreaterThanOrEqual(atLeast);
    expect(status).toBe('SUCCEEDED');
    expect(Object.keys(outcomes).sort()).toEqual([...steps].sort());
    for (const [step, outcome] of Object.entries(outcomes)) {
      const [least, most] = allowed(step, outcome);
      expect({ step, outcome, times: times(step), wrong: times(step) < least || times(step) > most }).toMatchObject({
        wrong: false,
      });
    }
  },
  60_000,
);

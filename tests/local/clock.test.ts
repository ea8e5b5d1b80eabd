// The machine's clock: the only place where real time is waited for without the durable SDK.

import { expect, test } from '@jest/globals';
import { realClock } from '../../lib/local/clock.ts';

test('wakes once, and not before the time', async () => {
  const time = realClock.now() + 15;
  const woken = await new Promise<number>((resolve) => {
    realClock.at(time, () => resolve(realClock.now()));
  });

  expect(woken).toBeGreaterThanOrEqual(time);
});

test('wakes at once for a time that is past', async () => {
  await new Promise<void>((resolve) => {
    realClock.at(0, resolve);
  });
});

test('what is cancelled does not wake, and a wait of a year wakes neither at once nor leaves a timer', async () => {
  const woken: string[] = [];
  const cancelSoon = realClock.at(realClock.now() + 5, () => woken.push('soon'));
  const cancelYear = realClock.at(realClock.now() + 366 * 24 * 3600_000, () => woken.push('year'));
  cancelSoon();

  await new Promise<void>((resolve) => {
    realClock.at(realClock.now() + 20, resolve);
  });

  cancelYear();
  expect(woken).toEqual([]);
});

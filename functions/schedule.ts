// The door of time: EventBridge Scheduler comes in once a minute (locally a timer does), and one tick is done. What it
// did is the answer; that part of it failed is thrown, so that it shows in the function's errors and the next tick heals.

import middy from '@middy/core';
import { awsRuntime } from '../lib/aws/runtime.ts';
import type { TickResult } from '../lib/doors/open-runs.ts';
import { tick } from '../lib/doors/tick.ts';
import type { Runtime } from '../lib/runtime.ts';

/** The handler of a tick, whatever the event says: the clock of the runtime decides, not that of the sender. */
export function scheduleDoor(runtime: () => Promise<Runtime>): middy.MiddyfiedHandler<unknown, TickResult> {
  return middy<unknown, TickResult>().handler(async () => tick(await runtime()));
}

/** The door on AWS Lambda. */
export const handler = scheduleDoor(awsRuntime);

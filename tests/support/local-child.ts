// The local runtime in a process of its own, on a faster clock, that may kill itself at one checkpoint: what
// tests/local/kill.test.ts starts, kills and starts again. Prints the run's view and the number of checkpoints.

import { alertStorm } from '../../lib/config/defaults.ts';
import type { Job } from '../../lib/config.ts';
import { accept } from '../../lib/doors/accept.ts';
import { composeLocal } from '../../lib/local/compose.ts';
import { openDatabase } from '../../lib/local/database.ts';
import { EnvSecrets } from '../../lib/local/secrets.ts';
import { readRecord } from '../../lib/record.ts';
import { isGoing, runView } from '../../lib/report.ts';
import { fastClock } from './fast-clock.ts';

/** What the test hands over as JSON in argv. */
export interface ChildOrder {
  readonly folder: string;
  readonly job: Job;
  readonly ak: string;
  readonly sk: string;
  /** Real time at which the fast clock starts, shared with the simulator. */
  readonly epoch: number;
  /** The checkpoint to die at, from 1, and on which side of its commit; none: live. */
  readonly kill?: { readonly at: number; readonly when: 'before' | 'after' };
}

const order: ChildOrder = JSON.parse(process.argv[2] ?? '{}');
const clock = fastClock(order.epoch);
const database = openDatabase(order.folder);
const secrets = new EnvSecrets({ TEST_AK: order.ak, TEST_SK: order.sk }, clock.now);
const silence = (): void => undefined;
const log = { error: console.error, warn: silence, info: silence, debug: silence };
const nobody = { operators: [], sources: {}, alertStorm, notify: [] };
const config = { stage: 'test', projects: {}, ...nobody, jobs: { [order.job.name]: order.job } };
const { runtime, backend } = composeLocal({ config, database, secrets, token: 'example', clock, log });

let checkpoints = 0;
const { checkpoint } = backend.client;
backend.client.checkpoint = async (request, logger) => {
  checkpoints += 1;
  const isHere = order.kill?.at === checkpoints;
  if (isHere && order.kill?.when === 'before') process.kill(process.pid, 'SIGKILL');
  const response = await checkpoint(request, logger);
  if (isHere) process.kill(process.pid, 'SIGKILL');
  return response;
};

backend.resume();
const { runId } = await accept(runtime, order.job, {
  trigger: 'manual',
  identity: 'the-one-run',
  requestedBy: 'operator:local',
  receivedAt: '2026-11-23T02:00:00.000Z',
});
for (;;) {
  const record = await readRecord(runtime.state, runId);
  if (record !== undefined && !isGoing(record.status)) {
    process.stdout.write(JSON.stringify({ checkpoints, view: await runView(runtime.state, record) }));
    break;
  }
  await new Promise((resolve) => setTimeout(resolve, 5));
}
await backend.stop();
database.close();

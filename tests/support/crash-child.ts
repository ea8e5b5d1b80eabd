// One life of a process that runs one durable execution and kills itself at a point that it is told: before or after the
// nth commit of the journal in this life. Each step leaves a line in a file, which survives what the process does not.

import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DurableContext, withDurableExecution } from '@aws/durable-execution-sdk-js';
import { openDatabase } from '../../lib/local/database.ts';
import { DurableBackend } from '../../lib/local/durable.ts';
import { atMostOnce, attempts } from './durable-options.ts';
import { MemoryLog } from './memory-log.ts';
import { rapidClock } from './rapid-clock.ts';

const [folder = '', epoch, when, nth] = process.argv.slice(2);
let points = 0;

function point(here: 'before' | 'after'): void {
  if (here !== when) return;
  points += 1;
  if (points === Number(nth)) process.kill(process.pid, 'SIGKILL');
}

async function effect(name: string): Promise<string> {
  appendFileSync(join(folder, 'effects'), `${name}\n`);
  return 'done';
}

async function once(context: DurableContext, name: string): Promise<string> {
  return context.step(name, () => effect(name), atMostOnce).catch(() => 'interrupted');
}

async function flaky(context: DurableContext, name: string): Promise<string> {
  const work = async ({ attempt }: { attempt: number }) => {
    if (attempt === 1) throw new Error('not yet');
    return effect(name);
  };
  return context.step(name, work, attempts(9));
}

async function tenSteps(_: unknown, context: DurableContext): Promise<Record<string, string>> {
  const again = (name: string) => context.step(name, () => effect(name));
  const outcomes: Record<string, string> = {};
  outcomes['again-1'] = await again('again-1');
  outcomes['once-2'] = await once(context, 'once-2');
  await context.wait('first', { seconds: 1 });
  outcomes['once-3'] = await once(context, 'once-3');
  outcomes['flaky-4'] = await flaky(context, 'flaky-4');
  const pair = await Promise.all([once(context, 'once-5'), once(context, 'once-6')]);
  [outcomes['once-5'] = '', outcomes['once-6'] = ''] = pair;
  await context.wait('second', { seconds: 1 });
  outcomes['once-7'] = await once(context, 'once-7');
  outcomes['again-8'] = await again('again-8');
  outcomes['once-9'] = await context.runInChildContext('inner', async (inner) => {
    const outcome = await once(inner, 'once-9');
    await inner.wait('third', { seconds: 1 });
    return outcome;
  });
  outcomes['once-10'] = await once(context, 'once-10');
  return outcomes;
}

const database = openDatabase(folder);
const backend = new DurableBackend({ database, clock: rapidClock(50, Number(epoch)), log: new MemoryLog() });
const handler = withDurableExecution(tenSteps, {
  durableExecutionClient: {
    getExecutionState: (request) => backend.client.getExecutionState(request),
    checkpoint: async (request) => {
      point('before');
      const answer = await backend.client.checkpoint(request);
      point('after');
      return answer;
    },
  },
});
// Between these two lies the commit that suspends or ends the execution.
backend.attach(async (input, context) => {
  const output = await handler(input, context);
  point('before');
  return output;
});
const ended = Promise.withResolvers<void>();
backend.onEnded(() => {
  point('after');
  ended.resolve();
});

await backend.start('run');
backend.resume();
if ((await backend.status('run')) === 'running') await ended.promise;
process.stdout.write(JSON.stringify(backend.end('run')));
await backend.stop();
database.close();

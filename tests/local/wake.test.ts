// When the backend invokes a handler and when it does not, with a clock that is moved by hand and handlers that are
// written against the wire: no SDK, no real time.

import type {
  DurableExecutionInvocationInput,
  DurableExecutionInvocationOutput,
  OperationUpdate,
} from '@aws/durable-execution-sdk-js';
import { InvocationStatus } from '@aws/durable-execution-sdk-js';
import { expect, test } from '@jest/globals';
import { DurableBackend } from '../../lib/local/durable.ts';
import { temporaryDatabase } from '../support/data-folder.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { MemoryLog } from '../support/memory-log.ts';

type Outcome = OperationUpdate[] | 'suspend' | 'end';
type Invocation = (input: DurableExecutionInvocationInput, backend: DurableBackend) => Promise<Outcome>;

const minute: OperationUpdate = { Id: 'w', Type: 'WAIT', Action: 'START', WaitOptions: { WaitSeconds: 60 } };
const approval: OperationUpdate = { Id: 'c', Type: 'CALLBACK', Action: 'START' };

/** A backend whose nth invocation is the nth of `invocations`: it writes what that returns and suspends, or it ends. */
function world(invocations: readonly Invocation[], database = temporaryDatabase()) {
  const clock = new ManualClock();
  const log = new MemoryLog();
  const backend = new DurableBackend({ database, clock, log });
  const inputs: DurableExecutionInvocationInput[] = [];
  backend.attach(async (input): Promise<DurableExecutionInvocationOutput> => {
    inputs.push(input);
    const invocation = invocations[inputs.length - 1] ?? (async () => 'end');
    const updates = await invocation(input, backend);
    if (updates === 'end') return { Status: InvocationStatus.SUCCEEDED, Result: '' };
    if (updates !== 'suspend') await backend.client.checkpoint({ ...input, Updates: updates });
    return { Status: InvocationStatus.PENDING };
  });
  return { backend, clock, log, inputs, database };
}

test('a wait is armed for its instant, and the handler is told what changed', async () => {
  const { backend, clock, inputs } = world([async () => [minute]]);
  await backend.start('run');
  await backend.idle();

  expect(clock.next()).toBe(60_000);
  clock.advance(59_999);
  await backend.idle();
  expect(inputs).toHaveLength(1);
  clock.advance(1);
  await backend.idle();

  expect(inputs).toHaveLength(2);
  expect(inputs[1]?.UpdatedOperationIds).toEqual(['w']);
  expect(inputs[1]?.InitialExecutionState.Operations.map(({ Id, Status }) => [Id, Status])).toEqual([
    ['run', 'STARTED'],
    ['w', 'SUCCEEDED'],
  ]);
  expect(await backend.status('run')).toBe('ended');
});

test('the first instant of several wakes it, and then the next one', async () => {
  const later: OperationUpdate = { ...minute, Id: 'later', WaitOptions: { WaitSeconds: 90 } };
  const { backend, clock, inputs } = world([async () => [later, minute], async () => []]);
  await backend.start('run');
  await backend.idle();

  clock.advance(60_000);
  await backend.idle();
  expect(clock.next()).toBe(30_000);
  clock.advance(30_000);
  await backend.idle();

  expect(inputs.map((input) => input.UpdatedOperationIds)).toEqual([[], ['w'], ['later']]);
});

test('an invocation that fails is repeated after 1, 2, 4 … 60 seconds, for as long as it takes', async () => {
  const failing: Invocation = async () => {
    throw new Error('no memory');
  };
  const { backend, clock, log } = world(Array.from({ length: 9 }, () => failing));
  await backend.start('run');
  const delays: (number | undefined)[] = [];
  for (let n = 0; n < 9; n += 1) {
    await backend.idle();
    delays.push(clock.next());
    clock.advance(clock.next() ?? 0);
  }
  await backend.idle();

  expect(delays).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1000));
  expect(await backend.status('run')).toBe('ended');
  expect(log.entries).toHaveLength(9);
});

test('after one that worked the delays begin anew', async () => {
  const failing: Invocation = async () => {
    throw new Error('no memory');
  };
  const { backend, clock } = world([failing, failing, async () => [minute], failing]);
  await backend.start('run');
  for (const seconds of [1, 2, 60]) {
    await backend.idle();
    clock.advance(seconds * 1000);
  }
  await backend.idle();

  expect(clock.next()).toBe(1_000);
});

test('one that is suspended with nothing to wait for is repeated like one that failed', async () => {
  const { backend, clock, log } = world([async () => []]);
  await backend.start('run');
  await backend.idle();

  expect(clock.next()).toBe(1_000);
  expect(String(log.entries[0]?.facts['error'])).toContain('run was suspended with nothing to wait for');
});

test('an answer that comes while the handler is on its way out wakes it at once', async () => {
  const { backend, inputs } = world([
    async (input, backend) => {
      const answer = await backend.client.checkpoint({ ...input, Updates: [approval] });
      const id = answer.NewExecutionState?.Operations?.[0]?.CallbackDetails?.CallbackId;
      backend.completeCallback(id ?? '', { result: '1' });
      return 'suspend';
    },
  ]);

  await backend.start('run');
  await backend.idle();

  expect(inputs.map((input) => input.UpdatedOperationIds)).toEqual([[], ['c']]);
  expect(await backend.status('run')).toBe('ended');
});

test('the next process arms what waits, invokes what was running, and leaves what waits for an answer', async () => {
  const first = world([async () => [minute], async () => new Promise(() => {}), async () => [approval]]);
  for (const name of ['waits', 'runs', 'asks']) {
    await first.backend.start(name);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const second = world([async () => 'end'], first.database);

  second.backend.resume();
  await second.backend.idle();

  expect(second.inputs.map((input) => input.DurableExecutionArn)).toEqual(['runs']);
  expect(second.clock.next()).toBe(60_000);
  second.clock.advance(60_000);
  await second.backend.idle();
  expect(second.inputs.map((input) => input.DurableExecutionArn)).toEqual(['runs', 'waits']);
  expect(await second.backend.status('asks')).toBe('running');
});

test('what was due while no process ran is begun at once', async () => {
  const first = world([async () => [minute]]);
  await first.backend.start('run');
  await first.backend.idle();
  const second = world([], first.database);
  second.clock.advance(3600_000);

  second.backend.resume();
  await second.backend.idle();

  expect(await second.backend.status('run')).toBe('ended');
});

test('without a handler an execution is kept for the process that has one', async () => {
  const database = temporaryDatabase();
  const backend = new DurableBackend({ database, clock: new ManualClock(), log: new MemoryLog() });
  await backend.start('run');
  backend.resume();
  await backend.idle();
  expect(await backend.status('run')).toBe('running');

  const second = world([], database);
  second.backend.resume();
  await second.backend.idle();

  expect(await second.backend.status('run')).toBe('ended');
});

test('a stopped backend stores what is started, and does not begin it', async () => {
  const { backend, inputs } = world([]);
  await backend.stop();

  await backend.start('run');
  await backend.idle();

  expect(inputs).toEqual([]);
  expect(await backend.status('run')).toBe('running');
});

// Handlers of the real SDK on the embedded backend: what is done once, what is done again, and what ends an execution.

import { DurableExecutionClientErrorScope, isDurableExecutionClientError } from '@aws/durable-execution-sdk-js';
import { describe, expect, test } from '@jest/globals';
import { limits } from '../../lib/local/operation.ts';
import { atMostOnce, attempts } from '../support/durable-options.ts';
import { durableWorld, type Handler } from '../support/durable-world.ts';
import { rapidClock } from '../support/rapid-clock.ts';

/** A handler's notes: what happened in which order, over all invocations. `noted` notes what it is and gives a value. */
function notes() {
  const lines: string[] = [];
  const note = (line: string) => lines.push(line);
  const noted = async <T>(line: string, value: T): Promise<T> => {
    note(line);
    return value;
  };
  return { lines, note, noted };
}

/** The SDK wraps what a step throws: its name is on the cause, in the same way at every replay. */
function causeOf(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error ? error.cause.name : 'no cause';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : 'no error';
}

/** A promise and its ends; `reached` resolves when a handler has come to `wait`. */
function gate() {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  const wait = async () => {
    reached.resolve();
    await opened.promise;
  };
  return { reached: reached.promise, open: opened.resolve, wait };
}

describe('an execution', () => {
  test('goes through its steps and waits in order, each once, though the handler begins anew at each wake', async () => {
    const { lines, note } = notes();
    const { backend, ended } = durableWorld(async (input, context) => {
      note('begin');
      const one = await context.step('one', async () => note('one'));
      await context.wait('first', { minutes: 1 });
      const two = await context.step('two', async () => note('two'));
      await context.wait('second', { minutes: 1 });
      return { input, one, two };
    });

    await backend.startWith('run', '{"n":1}');

    expect(await ended('run')).toEqual({ status: 'SUCCEEDED', result: '{"input":{"n":1},"one":2,"two":4}' });
    expect(lines).toEqual(['begin', 'one', 'begin', 'two', 'begin']);
    expect(backend.operations('run').count).toBe(4);
  });

  test('a wait ends when its time has come, and not before', async () => {
    const clock = rapidClock(1000);
    const times: number[] = [];
    const handler: Handler = async (_, context) => {
      await context.step('begin', async () => times.push(clock.now()));
      await context.wait('an hour', { minutes: 10 });
      times.push(clock.now());
    };
    const { backend, ended } = durableWorld(handler, { clock });

    await backend.start('run');
    await ended('run');

    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(600_000);
  });

  test('is stored when start returns, and begins after it', async () => {
    const { lines, note } = notes();
    const { backend, ended } = durableWorld(async () => note('run'));

    expect(await backend.status('run')).toBe('absent');
    const started = backend.start('run');
    note('started');
    await started;
    expect(await backend.status('run')).toBe('running');
    await ended('run');

    expect(lines).toEqual(['started', 'run']);
    expect(await backend.status('run')).toBe('ended');
  });

  test('is started with its own name where nothing else is said', async () => {
    const { backend, ended } = durableWorld(async (input) => input);

    await backend.start('job-1');

    expect(await ended('job-1')).toMatchObject({ result: '{"runId":"job-1","v":1}' });
  });

  test('is the same one when it is started again, running or ended', async () => {
    const { lines, note } = notes();
    const { backend, ended } = durableWorld(async () => note('run'));

    await Promise.all([backend.start('run'), backend.start('run')]);
    await ended('run');
    await backend.start('run');
    await backend.idle();

    expect(lines).toEqual(['run']);
  });

  test('of one name cannot be started with another payload', async () => {
    const { backend } = durableWorld(async () => undefined);
    await backend.startWith('run', '{"n":1}');

    await expect(backend.startWith('run', '{"n":2}')).rejects.toMatchObject({ code: 'already_started' });
  });

  test.each(['', 'a b', 'a/b', 'ü', 'x'.repeat(65)])('cannot be named "%s"', async (name) => {
    const { backend } = durableWorld(async () => undefined);

    await expect(backend.start(name)).rejects.toMatchObject({ code: 'execution_refused' });
    expect(await backend.status(name)).toBe('absent');
  });

  test('cannot be started with more than 256 KB', async () => {
    const { backend } = durableWorld(async () => undefined);

    await expect(backend.startWith('run', `"${'x'.repeat(limits.payload)}"`)).rejects.toMatchObject({
      code: 'execution_refused',
    });
  });

  test('that throws ends as failed, with what was thrown, and is told', async () => {
    const { backend, ended, log } = durableWorld(async () => {
      throw new TypeError('a bug');
    });

    await backend.start('run');
    const end = await ended('run');

    expect(end.status).toBe('FAILED');
    expect(JSON.parse(end.error ?? '')).toMatchObject({ ErrorType: 'TypeError', ErrorMessage: 'a bug' });
    expect(log.entries).toEqual([expect.objectContaining({ level: 'error', message: 'an execution failed' })]);
    expect(await backend.status('run')).toBe('ended');
  });

  test('a listener that fails is logged and keeps the others from nothing', async () => {
    const { backend, ended, log } = durableWorld(async () => 1);
    backend.onEnded(() => {
      throw new Error('broken');
    });

    const end = ended('run');
    await backend.start('run');

    expect(await end).toMatchObject({ status: 'SUCCEEDED' });
    expect(log.entries).toMatchObject([{ message: 'a listener for ended executions failed' }]);
  });

  test('may return more than a payload', async () => {
    const { backend, ended } = durableWorld(async () => 'x'.repeat(7_000_000));

    await backend.start('run');
    await ended('run');

    expect(backend.end('run')?.result).toHaveLength(7_000_002);
  });

  test('many go on side by side', async () => {
    const { backend } = durableWorld(async (_, context) => {
      await context.wait('a while', { minutes: 1 });
      return context.step('done', async () => 1);
    });
    const names = Array.from({ length: 50 }, (_, n) => `run-${n}`);
    const left = new Set(names);
    const all = Promise.withResolvers<void>();
    backend.onEnded((name) => {
      left.delete(name);
      if (left.size === 0) all.resolve();
    });

    await Promise.all(names.map((name) => backend.start(name)));
    await all.promise;

    expect(names.map((name) => backend.end(name)?.status)).toEqual(names.map(() => 'SUCCEEDED'));
  });
});

describe('steps', () => {
  test('a step that fails is retried after its delay, with growing attempt numbers', async () => {
    const seen: number[] = [];
    const { backend, ended } = durableWorld(async (_, context) => {
      const flaky = async ({ attempt }: { attempt: number }) => {
        seen.push(attempt);
        if (attempt < 3) throw new Error('not yet');
        return attempt;
      };
      return context.step('flaky', flaky, attempts(5));
    });

    await backend.start('run');

    expect(await ended('run')).toMatchObject({ status: 'SUCCEEDED', result: '3' });
    expect(seen).toEqual([1, 2, 3]);
    expect(backend.operations('run').count).toBe(3);
  });

  test('a step that fails for good throws into the handler, at its replays too', async () => {
    const { lines, note } = notes();
    const { backend, ended } = durableWorld(async (_, context) => {
      const failing = async () => {
        note('try');
        throw new RangeError('never');
      };
      const caught = await context.step('failing', failing, attempts(2)).catch(messageOf);
      await context.wait('a while', { seconds: 5 });
      return caught;
    });

    await backend.start('run');

    expect(await ended('run')).toMatchObject({ status: 'SUCCEEDED', result: '"StepError: never"' });
    expect(lines).toEqual(['try', 'try']);
  });

  test.each([
    ['at least once', {}],
    ['at most once', atMostOnce],
  ])('steps side by side, %s: each runs once, and their results stand in order', async (_, options) => {
    const { lines, noted } = notes();
    const { backend, ended } = durableWorld(async (_input, context) => {
      const numbers = Array.from({ length: 20 }, (_n, n) => n);
      const one = (n: number) => context.step(`n${n}`, () => noted(`n${n}`, n * n), options);
      const results = await Promise.all(numbers.map(one));
      await context.wait('a while', { minutes: 1 });
      return results.reduce((sum, result) => sum + result, 0);
    });

    await backend.start('run');

    expect(await ended('run')).toMatchObject({ status: 'SUCCEEDED', result: '2470' });
    expect(lines).toHaveLength(20);
    expect(new Set(lines).size).toBe(20);
    expect(backend.operations('run').count).toBe(21);
  });

  test('a wait beside a long step ends while the step runs, without a new invocation', async () => {
    const { lines, note } = notes();
    const long = gate();
    const { backend, ended } = durableWorld(async (_, context) => {
      note('begin');
      const waited = context.wait('short', { seconds: 1 }).then(() => note('waited'));
      await Promise.all([context.step('long', long.wait), waited]);
    });

    await backend.start('run');
    await long.reached;
    setTimeout(long.open, 20);
    await ended('run');

    expect(lines).toEqual(['begin', 'waited']);
  });

  test('1,200 steps are read back page by page, and none runs twice', async () => {
    const pages: (string | undefined)[] = [];
    const { lines, noted } = notes();
    const handler: Handler = async (_, context) => {
      const numbers = Array.from({ length: 1_200 }, (_n, n) => n);
      const results = await Promise.all(numbers.map((n) => context.step(`n${n}`, () => noted('n', n))));
      await context.wait('a while', { minutes: 1 });
      return results.every((result, n) => result === n);
    };
    const { backend, ended } = durableWorld(handler, {
      wrap: (client) => ({
        checkpoint: (request) => client.checkpoint(request),
        getExecutionState: async (request) => {
          const page = await client.getExecutionState(request);
          pages.push(`${page.Operations?.length} of ${request.MaxItems}`);
          return page;
        },
      }),
    });

    await backend.start('run');

    expect(await ended('run')).toMatchObject({ status: 'SUCCEEDED', result: 'true' });
    expect(lines).toHaveLength(1_200);
    expect(pages).toEqual(['500 of 1000', '202 of 1000']);
    expect(backend.operations('run')).toMatchObject({ count: 1_201, largest: 4 });
  });

  test('a condition is asked until it holds, with its state', async () => {
    const { backend, ended } = durableWorld(async (_, context) =>
      context.waitForCondition('counted', async (n: number) => n + 1, {
        initialState: 0,
        waitStrategy: (n) => (n < 3 ? { shouldContinue: true, delay: { seconds: 30 } } : { shouldContinue: false }),
      }),
    );

    await backend.start('run');

    expect(await ended('run')).toMatchObject({ status: 'SUCCEEDED', result: '3' });
  });

  test('contexts within contexts are replayed', async () => {
    const { lines, noted } = notes();
    const { backend, ended } = durableWorld(async (_, context) => {
      const sums = await context.map('items', [1, 2, 3], async (child, item) => {
        const square = await child.step('square', () => noted(`square ${item}`, item * item));
        await child.wait('a while', { seconds: 20 });
        return child.runInChildContext('inner', async (inner) => inner.step('add', async () => square + item));
      });
      await context.wait('a while', { seconds: 20 });
      return sums.getResults();
    });

    await backend.start('run');

    expect(await ended('run')).toMatchObject({ status: 'SUCCEEDED', result: '[2,6,12]' });
    expect(lines.sort()).toEqual(['square 1', 'square 2', 'square 3']);
  });
});

describe('after a process that died', () => {
  test.each([
    ['begun at most once', atMostOnce, ['begun 1'], '"StepInterruptedError"'],
    ['begun at least once', {}, ['begun 1', 'begun 2'], '"done"'],
  ])('a step in the middle, %s', async (_, options, expected, result) => {
    const { lines, noted } = notes();
    const died = gate();
    const handlerOf =
      (work: () => Promise<string>): Handler =>
      async (_input, context) => {
        const outcome = await context.step('send', work, options).catch(causeOf);
        await context.wait('so that it is replayed', { seconds: 1 });
        return outcome;
      };
    const first = durableWorld(handlerOf(() => noted('begun 1', 'lost').finally(died.wait)));
    await first.backend.start('run');
    await died.reached;

    const second = durableWorld(
      handlerOf(() => noted('begun 2', 'done')),
      { database: first.database },
    );
    second.backend.resume();

    expect(await second.ended('run')).toMatchObject({ status: 'SUCCEEDED', result });
    expect(lines).toEqual(expected);
    died.open();
  });

  test('what comes back from the dead cannot write, and learns it', async () => {
    const late = gate();
    const first = durableWorld(async (_, context) => context.step('send', () => late.wait().then(() => 'late')));
    await first.backend.start('run');
    await late.reached;
    const second = durableWorld(async (_, context) => context.step('send', async () => 'new'), {
      database: first.database,
    });
    second.backend.resume();
    const end = await second.ended('run');

    late.open();
    await new Promise((resolve) => setTimeout(resolve, 30));
    await first.backend.stop(0);

    expect(end).toMatchObject({ result: '"new"' });
    expect(second.backend.end('run')).toMatchObject({ result: '"new"' });
    expect(String(first.log.entries[0]?.facts['error'])).toMatch(
      /token run\/\d+ is stale: the invocation was overtaken/,
    );
  });

  test('a token is good for one checkpoint', async () => {
    const tokens: (string | undefined)[] = [];
    const refused: unknown[] = [];
    const handler: Handler = async (_, context) => {
      await context.step('one', async () => 1);
      return context.step('two', async () => 2);
    };
    const { backend, ended } = durableWorld(handler, {
      wrap: (client) => ({
        getExecutionState: (request) => client.getExecutionState(request),
        checkpoint: async (request) => {
          tokens.push(request.CheckpointToken);
          const answer = await client.checkpoint(request);
          await client.checkpoint(request).catch((error: unknown) => refused.push(error));
          return answer;
        },
      }),
    });

    await backend.start('run');

    expect(await ended('run')).toMatchObject({ status: 'SUCCEEDED', result: '2' });
    expect(new Set(tokens).size).toBe(tokens.length);
    expect(refused).toHaveLength(tokens.length);
    for (const error of refused) {
      expect(isDurableExecutionClientError(error) && error.scope).toBe(DurableExecutionClientErrorScope.INVOCATION);
    }
  });

  test('a transport that fails for a while costs an invocation, and nothing that was recorded', async () => {
    const { lines, note } = notes();
    let calls = 0;
    const handler: Handler = async (_, context) => {
      await context.step('one', async () => note('one'), atMostOnce);
      await context.wait('a while', { seconds: 1 });
      return context.step('two', async () => note('two'));
    };
    const { backend, ended, log } = durableWorld(handler, {
      wrap: (client) => ({
        getExecutionState: (request) => client.getExecutionState(request),
        checkpoint: async (request) => {
          calls += 1;
          if (calls === 3) throw new Error('no connection');
          return client.checkpoint(request);
        },
      }),
    });

    await backend.start('run');

    expect(await ended('run')).toMatchObject({ status: 'SUCCEEDED' });
    expect(lines).toEqual(['one', 'two']);
    expect(log.entries).toMatchObject([{ level: 'error', message: 'an invocation failed and will be repeated' }]);
  });
});

describe('what AWS would refuse fails here too', () => {
  test.each<[string, Handler, string]>([
    [
      'a result of more than 256 KB',
      async (_, context) => context.step('big', async () => 'x'.repeat(limits.payload)),
      'the payload of "big" has 262146 bytes, and at most 262144 are allowed',
    ],
    [
      'an invocation of another function',
      async (_, context) => context.invoke('other', 'function:live', {}),
      'the local backend does not support CHAINED_INVOKE START of "other"',
    ],
    [
      'more than 3,000 operations',
      async (_, context) => {
        const numbers = Array.from({ length: limits.operations + 1 }, (_n, n) => n);
        await Promise.all(numbers.map((n) => context.step(`n${n}`, async () => n)));
      },
      'run has more than 3000 operations',
    ],
  ])('%s', async (_, handler, message) => {
    const { backend, ended } = durableWorld(handler);

    await backend.start('run');
    const end = await ended('run');

    expect(end.status).toBe('FAILED');
    expect(end.error).toContain(JSON.stringify(message).slice(1, -1));
  });

  test('3,000 operations are allowed', async () => {
    const { backend, ended } = durableWorld(async (_, context) => {
      const numbers = Array.from({ length: limits.operations }, (_n, n) => n);
      return (await Promise.all(numbers.map((n) => context.step(`n${n}`, async () => n)))).length;
    });

    await backend.start('run');

    expect(await ended('run')).toMatchObject({ status: 'SUCCEEDED', result: '3000' });
  });
});

describe('callbacks', () => {
  const handlerOf =
    (ids: string[], timeout?: number): Handler =>
    async (_, context) => {
      const limit = timeout === undefined ? {} : { timeout: { seconds: timeout } };
      const [answer, id] = await context.createCallback('approval', limit);
      ids.push(id);
      return answer.catch(messageOf);
    };

  test.each([
    ['a result', { result: '"yes"' }, '"\\"yes\\""'],
    ['an error', { error: 'no' }, '"CallbackExternalError: no"'],
  ])('%s wakes the execution that waits for it, once', async (_, answer, result) => {
    const ids: string[] = [];
    const { backend, ended } = durableWorld(handlerOf(ids));
    await backend.start('run');
    await backend.idle();

    expect(backend.completeCallback(ids[0] ?? '', answer)).toBe(true);

    expect(await ended('run')).toMatchObject({ status: 'SUCCEEDED', result });
    expect(backend.completeCallback(ids[0] ?? '', answer)).toBe(false);
  });

  test('an answer that does not come in time is an error', async () => {
    const { backend, ended } = durableWorld(handlerOf([], 10));

    await backend.start('run');

    expect((await ended('run')).result).toContain('CallbackTimeoutError');
  });

  test('nobody waits for an unknown one', () => {
    expect(durableWorld(async () => 1).backend.completeCallback('none', { result: '1' })).toBe(false);
  });
});

describe('stopping', () => {
  test('what is in flight is finished and recorded; nothing new begins; the next process goes on', async () => {
    const { lines, note, noted } = notes();
    const flight = gate();
    const handler: Handler = async (_, context) => {
      await context.step('one', () => noted('one', 1).then(flight.wait), atMostOnce);
      await context.step('two', async () => note('two'), atMostOnce);
      return 'done';
    };
    const first = durableWorld(handler);
    await first.backend.start('run');
    await flight.reached;

    const stopped = first.backend.stop(3600_000);
    flight.open();
    await stopped;
    expect(lines).toEqual(['one']);
    const second = durableWorld(handler, { database: first.database });
    second.backend.resume();

    expect(await second.ended('run')).toMatchObject({ status: 'SUCCEEDED', result: '"done"' });
    expect(lines).toEqual(['one', 'two']);
    expect(first.log.entries).toEqual([]);
  });

  test('a step that begins beside one in flight is let through, so that no answer is lost', async () => {
    const flight = gate();
    const { lines, note, noted } = notes();
    const { backend } = durableWorld(async (_, context) => {
      const one = context.step('one', () => flight.wait().then(() => note('one')), atMostOnce);
      await flight.reached;
      void backend.stop(3600_000);
      const two = context.step('two', () => noted('two', 2).finally(flight.open), atMostOnce);
      await Promise.all([one, two]);
      return context.step('three', async () => note('three'), atMostOnce);
    });

    await backend.start('run');
    await backend.idle();

    expect(lines.sort()).toEqual(['one', 'two']);
    expect(await backend.status('run')).toBe('running');
  });

  test('a wait is not held up, and not begun again', async () => {
    const { lines, note } = notes();
    const { backend } = durableWorld(async (_, context) => {
      note('begin');
      await context.wait('long', { days: 1 });
    });
    await backend.start('run');
    await backend.idle();

    await backend.stop();

    expect(lines).toEqual(['begin']);
    expect(await backend.status('run')).toBe('running');
  });

  test('what does not come to rest is left after the grace', async () => {
    const { backend } = durableWorld(async (_, context) => context.step('stuck', () => new Promise<never>(() => {})));
    await backend.start('run');

    await backend.stop(1_000);

    expect(await backend.status('run')).toBe('running');
  });
});

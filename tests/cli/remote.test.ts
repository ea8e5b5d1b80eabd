// The commands that talk to a server, over the composed console door and a world in which runs end as a test says.

import { describe, expect, it } from '@jest/globals';
import { consoleDoor } from '../../functions/console.ts';
import type { Io } from '../../lib/cli/io.ts';
import { main } from '../../lib/cli/main.ts';
import { readFlags } from '../../lib/guards/flags.ts';
import { type RunRecord, type RunStatus, readRecord, updateRecord, writeList } from '../../lib/record.ts';
import { type Heard, hear } from '../support/command-io.ts';
import { doorFetch } from '../support/console-fetch.ts';
import { approverToken, type DoorWorld, doorWorld, ids, operatorToken, readerToken } from '../support/door-world.ts';

const planHash = 'a'.repeat(64);
const lossy = [{ instanceId: ids[0], name: 'cache-1', reason: 'RUNNING', dataLoss: true }];
const harmless = [{ instanceId: ids[0], name: 'cache-1', reason: 'RUNNING', dataLoss: false }];

/** One command line against a world, by Alice. */
async function run(world: DoorWorld, argv: readonly string[], change: Partial<Io> = {}): Promise<Heard> {
  return await hear((io) => main(argv, io), {
    env: { AUTOPILOT_TOKEN: operatorToken },
    now: () => world.now,
    sleep: async (milliseconds) => {
      world.now += milliseconds;
    },
    fetch: doorFetch(consoleDoor(world.open)),
    ...change,
  });
}

/** A world whose runs are worked on as soon as somebody waits: dry runs are planned, others end in `status`. */
function working(status: RunStatus, planned: readonly object[] = harmless, change: Partial<RunRecord> = {}): DoorWorld {
  const world = doorWorld();
  world.meanwhile = async () => {
    for (const id of world.starts) {
      const record = await readRecord(world.state, id);
      if (record?.status !== 'accepted') continue;
      await writeList(world.state, record, 'plan', planned);
      const plan = { hash: planHash, waves: [planned.length], excluded: 0 };
      const next = record.event.dryRun === true ? 'planned' : status;
      await updateRecord(world.state, id, (before) => ({ ...before, plan, ...change, status: next }));
    }
  };
  return world;
}

/** What fetch does when a connection fails. */
function lost(code: string): never {
  throw Object.assign(new TypeError('fetch failed'), { cause: { code } });
}

async function eventsOf(world: DoorWorld) {
  const records = await Promise.all(world.starts.map((id) => readRecord(world.state, id)));
  return records.map((record) => record?.event);
}

describe('run', () => {
  it.each<[RunStatus, number]>([
    ['succeeded', 0],
    ['partial', 3],
    ['failed', 4],
    ['refused', 5],
    ['missed', 5],
    ['cancelled', 6],
  ])('of a run that ends %s answers %d', async (status, code) => {
    const world = working(status);

    const heard = await run(world, ['run', 'token', '--yes']);

    expect(heard.code).toBe(code);
    expect(heard.stdout).toContain(`token: soft_restart ${status}`);
    expect(heard.stderr).toContain('soft_restart by operator:alice');
    expect(await eventsOf(world)).toMatchObject([{ requestedBy: 'operator:alice' }]);
  });

  it('hands on what it was asked for', async () => {
    const world = working('succeeded');

    await run(world, [
      ...['run', 'token', '--yes', '--instances', `${ids[0]},${ids[1]}`, '--instances', ids[2]],
      ...['--plan', planHash, '--reason', 'because', '--break-glass'],
    ]);

    expect(await eventsOf(world)).toMatchObject([
      { instances: [...ids], plan: planHash, reason: 'because', breakGlass: true },
    ]);
  });

  it('prints the run as it came with --json, and nothing else', async () => {
    const heard = await run(working('partial'), ['run', 'token', '--yes', '--json']);

    expect(heard).toMatchObject({ code: 3, stderr: '' });
    expect(JSON.parse(heard.stdout)).toMatchObject({ status: 'partial', plan: { hash: planHash } });
  });

  it('of --dry-run shows the plan and its hash', async () => {
    const world = working('succeeded', lossy);

    const heard = await run(world, ['run', 'token', '--dry-run']);

    expect(heard.code).toBe(0);
    expect(heard.stdout).toMatch(/planned[\s\S]*cache-1[\s\S]*loses data[\s\S]*plan a{64}/);
    expect(await eventsOf(world)).toMatchObject([{ dryRun: true }]);
  });

  it('looks first, and runs what destroys nothing without asking, bound to the plan', async () => {
    const world = working('succeeded', harmless);

    const heard = await run(world, ['run', 'token', '--reason', 'because']);

    expect(heard.code).toBe(0);
    expect(await eventsOf(world)).toMatchObject([
      { dryRun: true, reason: 'because' },
      { plan: planHash, reason: 'because' },
    ]);
  });

  it.each([
    ['yes', 0, 2],
    ['Y', 0, 2],
    ['no', 6, 1],
    ['', 6, 1],
  ])('asks before data is destroyed; %p answers %d', async (answer, code, runs) => {
    const world = working('succeeded', lossy);
    const asked: string[] = [];
    const ask = async (question: string): Promise<string> => {
      asked.push(question);
      return answer;
    };

    const heard = await run(world, ['run', 'token'], { ask });

    expect(heard.code).toBe(code);
    expect(asked).toEqual(['this soft_restart destroys the data of 1 instance. Go on? (yes/no) ']);
    expect(heard.stderr).toMatch(/which 1 lose their data[\s\S]*plan a{64}/);
    expect(world.starts).toHaveLength(runs);
  });

  it('sends nothing where data would be destroyed and nobody is there to ask', async () => {
    const world = working('succeeded', lossy);

    const heard = await run(world, ['run', 'token']);

    expect(heard.code).toBe(64);
    expect(heard.stderr).toContain('--yes');
    expect(await eventsOf(world)).toMatchObject([{ dryRun: true }]);
  });

  it('tells what a look at it says already, and starts nothing more', async () => {
    const world = working('succeeded');
    const { meanwhile } = world;
    world.meanwhile = async () => {
      await meanwhile();
      const change = { status: 'refused', code: 'over_cap', reason: 'too many' } as const;
      await updateRecord(world.state, String(world.starts[0]), (record) => ({ ...record, ...change }));
    };

    const heard = await run(world, ['run', 'token']);

    expect(heard.code).toBe(5);
    expect(heard.stdout).toContain('refused (over_cap)');
    expect(world.starts).toHaveLength(1);
  });

  it('waits on for an approval, and says how to give it', async () => {
    const approval = {
      answerId: 'a',
      planHash,
      requestedAt: '2026-11-23T13:37:00.000Z',
      lapsesAt: '2026-11-23T14:37:00.000Z',
    };
    const world = working('awaiting_approval', lossy, { approval });
    const { meanwhile } = world;
    world.meanwhile = async () => {
      await meanwhile();
      if (world.sleeps.length < 40) return;
      await updateRecord(world.state, String(world.starts[0]), (record) => ({ ...record, status: 'succeeded' }));
    };

    const heard = await run(world, ['run', 'token', '--yes']);

    expect(heard.code).toBe(0);
    expect(heard.stderr).toContain(`npx dcs-autopilot approve ${world.starts[0]} --plan ${planHash}`);
    expect(heard.stderr.match(/approve token/g)).toHaveLength(1);
  });

  it('answers 7 for a run that awaits approval with --no-wait', async () => {
    const approval = {
      answerId: 'a',
      planHash,
      requestedAt: '2026-11-23T13:37:00.000Z',
      lapsesAt: '2026-11-23T14:37:00.000Z',
    };
    const world = working('awaiting_approval', lossy, { approval });

    const heard = await run(world, ['run', 'token', '--yes', '--no-wait']);

    expect(heard.code).toBe(7);
    expect(world.sleeps.length).toBeLessThan(5);
  });

  it('answers 0 for one that is on its way with --no-wait', async () => {
    const heard = await run(working('running'), ['run', 'token', '--yes', '--no-wait']);

    expect(heard.code).toBe(0);
    expect(heard.stdout).toContain('token: soft_restart running');
  });

  it('says that the run goes on when somebody stops watching', async () => {
    const world = working('running');
    let interrupt = (): void => undefined;
    const onInterrupt = (does: () => void) => {
      interrupt = does;
      return () => undefined;
    };
    const { meanwhile } = world;
    world.meanwhile = async () => {
      await meanwhile();
      interrupt();
    };

    const heard = await run(world, ['run', 'token', '--yes'], { onInterrupt });

    const id = world.starts[0];
    expect(heard.code).toBe(1);
    expect(heard.stderr).toContain(`the run ${id} goes on; npx dcs-autopilot cancel ${id} stops it`);
  });

  it('looks again at a server that is away for a while', async () => {
    const world = working('succeeded');
    const reach = doorFetch(consoleDoor(world.open));
    let fetches = 0;
    const shaky: typeof fetch = async (...args) => {
      fetches += 1;
      if (fetches === 2) lost('ECONNREFUSED');
      if (fetches === 3)
        return new Response('{"error":{"code":"unavailable","message":"Not ready."}}', { status: 503 });
      return await reach(...args);
    };

    expect(await run(world, ['run', 'token', '--yes'], { fetch: shaky })).toMatchObject({ code: 0 });
  });

  it.each<[string, () => Response]>([
    ['is lost', () => lost('ECONNRESET')],
    ['is a 504', () => new Response('{"error":{"code":"timeout","message":"Too slow."}}', { status: 504 })],
  ])('starts one run also where the answer to its start %s', async (_what, answer) => {
    const world = working('succeeded');
    const reach = doorFetch(consoleDoor(world.open));
    let fetches = 0;
    const lossy: typeof fetch = async (...args) => {
      fetches += 1;
      const response = await reach(...args);
      return fetches === 1 ? answer() : response;
    };

    expect(await run(world, ['run', 'token', '--yes'], { fetch: lossy })).toMatchObject({ code: 0 });
    expect(world.starts).toHaveLength(1);
  });

  it('tries four times to start a run, and only where it may have been started', async () => {
    const world = doorWorld();
    let fetches = 0;
    const broken = (code: string): typeof fetch => {
      return async () => {
        fetches += 1;
        return lost(code);
      };
    };

    const silent = await run(world, ['run', 'token', '--yes'], { fetch: broken('ECONNRESET') });
    const tries = fetches;
    const closed = await run(world, ['run', 'token', '--yes'], { fetch: broken('ECONNREFUSED') });

    expect([silent.code, closed.code]).toEqual([1, 1]);
    expect([tries, fetches]).toEqual([4, 5]);
    expect(closed.stderr).toContain('cannot be reached (ECONNREFUSED)');
  });

  it('gives a server up that stays away, but never starts anything twice', async () => {
    const world = working('running');
    const reach = doorFetch(consoleDoor(world.open));
    const gone: typeof fetch = async (input, init) => {
      if (init?.method === 'POST') return await reach(input, init);
      return lost('ECONNREFUSED');
    };

    const heard = await run(world, ['run', 'token', '--yes'], { fetch: gone });

    expect(heard.code).toBe(1);
    expect(heard.stderr).toContain('ECONNREFUSED');
    expect(world.starts).toHaveLength(1);
  });

  it.each([
    ['an unknown job', ['nobody', '--yes'], 1, 'There is no such job.'],
    ['a faulty id', ['token', '--yes', '--instances', 'abc'], 1, 'instances[0]'],
    ['no job', [], 64, 'run takes one job'],
    ['two jobs', ['token', 'two'], 64, 'run takes one job'],
    ['an empty list', ['token', '--instances', ' '], 64, '--instances takes ids'],
    ['an unknown option', ['token', '--force'], 64, "Unknown option '--force'"],
  ])('refuses %s', async (_name, args, code, message) => {
    const world = working('succeeded');

    const heard = await run(world, ['run', ...args]);

    expect(heard).toMatchObject({ code, stdout: '' });
    expect(heard.stderr).toContain(message);
    expect(world.starts).toEqual([]);
  });
});

/** A run that waits for a word on its plan, asked for by Alice. */
async function waiting(): Promise<{ world: DoorWorld; id: string }> {
  const at = '2026-11-23T13:37:00.000Z';
  const world = working('awaiting_approval', lossy, {
    approval: { answerId: 'a', planHash, requestedAt: at, lapsesAt: '2026-11-23T14:37:00.000Z' },
  });
  await run(world, ['run', 'token', '--yes', '--no-wait']);
  return { world, id: String(world.starts[0]) };
}

describe('a word to a run', () => {
  const carol = { env: { AUTOPILOT_TOKEN: approverToken } };

  it('approve lets its plan go on', async () => {
    const { world, id } = await waiting();

    const heard = await run(world, ['approve', id, '--plan', planHash, '--reason', 'seen'], carol);

    expect(heard).toEqual({ code: 0, stdout: `${id}: approved\n`, stderr: '' });
    expect((await readRecord(world.state, id))?.approval?.decision).toMatchObject({
      verdict: 'approved',
      by: 'operator:carol',
      reason: 'seen',
    });
  });

  it('reject refuses it', async () => {
    const { world, id } = await waiting();

    expect(await run(world, ['reject', id, '--plan', planHash], carol)).toMatchObject({ code: 0 });
    expect((await readRecord(world.state, id))?.approval?.decision?.verdict).toBe('rejected');
  });

  it('cancel stops it', async () => {
    const { world, id } = await waiting();

    expect(await run(world, ['cancel', id, '--reason', 'enough'])).toMatchObject({ code: 0 });
    expect((await readRecord(world.state, id))?.stop?.reason).toBe('enough');
  });

  it('retry starts another one, once', async () => {
    const { world, id } = await waiting();
    const record = await updateRecord(world.state, id, (before) => ({ ...before, status: 'failed' }));
    const outcome = { instanceId: ids[0], name: 'cache-1', status: 'failed', attempts: 1 };
    await writeList(world.state, record, 'outcomes', [outcome]);

    const first = await run(world, ['retry', id]);
    const again = await run(world, ['retry', id]);

    const other = world.starts[1];
    expect(first).toEqual({ code: 0, stdout: `${other}: accepted\n`, stderr: '' });
    expect(again.stdout).toBe(`${other}: accepted, started before\n`);
  });

  it.each([
    ['a plan of one’s own', ['approve', 'RUN', '--plan', planHash], 1, 'cannot approve it'],
    ['another plan', ['reject', 'RUN', '--plan', 'b'.repeat(64)], 1, 'waits for a word on the plan'],
    ['a retry of a run that goes', ['retry', 'RUN'], 1, 'is awaiting_approval'],
    ['an unknown run', ['cancel', 'token-1'], 1, 'There is no such run.'],
    ['no plan', ['approve', 'RUN'], 64, '--plan HASH'],
    ['no run', ['cancel'], 64, 'cancel takes one run'],
  ])('is refused for %s', async (_name, argv, code, message) => {
    const { world, id } = await waiting();

    const heard = await run(
      world,
      argv.map((arg) => (arg === 'RUN' ? id : arg)),
    );

    expect(heard).toMatchObject({ code, stdout: '' });
    expect(heard.stderr).toContain(message);
  });
});

describe('pause and resume', () => {
  it('raise and lift, and tell what stands', async () => {
    const world = doorWorld();

    const all = await run(world, ['pause', '--reason', 'storm']);
    const one = await run(world, ['pause', '--project', 'staging', '--reason', 'its own', '--json']);
    const lifted = await run(world, ['resume']);
    const nothing = await run(world, ['resume', '--project', 'staging']);

    expect(all.stdout).toBe('paused: everything, since 2026-11-23T13:37:00.000Z by operator:alice: storm\n');
    expect(JSON.parse(one.stdout)).toMatchObject({ paused: [{ project: null }, { project: 'staging' }] });
    expect(lifted.stdout).toContain('paused: staging');
    expect(nothing.stdout).toBe('nothing is paused\n');
    expect((await readFlags(world.state, 'staging')).pause).toBeNull();
  });

  it.each([
    [['pause'], 64, '--reason TEXT'],
    [['pause', '--reason', 'x', '--project', 'nobody'], 1, 'There is no such project.'],
    [['resume', 'staging'], 64, 'staging'],
  ])('refuse %j', async (argv, code, message) => {
    const heard = await run(doorWorld(), argv);

    expect(heard).toMatchObject({ code, stdout: '' });
    expect(heard.stderr).toContain(message);
  });
});

describe('runs', () => {
  async function some(count: number): Promise<DoorWorld> {
    const world = working('succeeded');
    for (let n = 0; n < count; n++) await run(world, ['run', n % 2 === 0 ? 'token' : 'two', '--yes']);
    return world;
  }

  it('lists the newest first, a line each', async () => {
    const world = await some(3);

    const heard = await run(world, ['runs']);

    expect(
      heard.stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(/ {2,}/)[2]),
    ).toEqual(world.starts.toReversed());
    expect(heard.stdout).toMatch(/^2026-11-23 13:37:\d\dZ {2}succeeded {2}\S+ {2}operator:alice$/m);
  });

  it('narrows, and goes on over pages up to its limit', async () => {
    const world = await some(5);

    const one = await run(world, ['runs', '--job', 'two', '--json']);
    const none = await run(world, ['runs', '--status', 'failed']);
    const few = await run(world, ['runs', '--limit', '2', '--json']);

    expect(JSON.parse(one.stdout)).toMatchObject({ runs: [{ job: 'two' }, { job: 'two' }] });
    expect(none.stdout).toBe('no runs\n');
    expect(JSON.parse(few.stdout).runs).toHaveLength(2);
  });

  it('asks for a hundred at a time, by the cursor of the last answer', async () => {
    const asked: string[] = [];
    const paging: typeof fetch = async (input) => {
      asked.push(new URL(String(input)).search);
      const limit = Number(new URL(String(input)).searchParams.get('limit'));
      return new Response(JSON.stringify({ runs: Array.from({ length: limit }, () => ({})), next: 'more' }));
    };

    const heard = await run(doorWorld(), ['runs', '--limit', '150', '--json'], { fetch: paging });

    expect(JSON.parse(heard.stdout).runs).toHaveLength(150);
    expect(asked).toEqual(['?limit=100', '?limit=50&cursor=more']);
  });

  it.each([
    [['--limit', '0'], '--limit'],
    [['--status', 'done'], '--status'],
    [['token'], 'token'],
  ])('refuses %j', async (args, message) => {
    const heard = await run(doorWorld(), ['runs', ...args]);

    expect(heard).toMatchObject({ code: 64, stdout: '' });
    expect(heard.stderr).toContain(message);
  });
});

describe('show', () => {
  it('shows a run that goes and one that waits for a word', async () => {
    const { world, id } = await waiting();

    const heard = await run(world, ['show', id]);

    expect(heard.code).toBe(0);
    expect(heard.stdout).toMatch(/token: soft_restart awaiting_approval[\s\S]*approve token-\S+ --plan a{64}/);
  });

  it('prints it as it came with --json', async () => {
    const { world, id } = await waiting();

    const heard = await run(world, ['show', id, '--json']);

    expect(JSON.parse(heard.stdout)).toMatchObject({ runId: id, approval: { planHash } });
  });

  it('lets no name move the cursor', async () => {
    const named = [{ instanceId: ids[0], name: 'cache\u001b[2J', reason: 'RUNNING', dataLoss: false }];
    const world = working('planned', named);
    await run(world, ['run', 'token', '--dry-run']);

    expect((await run(world, ['show', String(world.starts[0])])).stdout).not.toContain('\u001b');
  });
});

describe('the server', () => {
  const answering = (status: number, text: string): Partial<Io> => ({
    fetch: async () => new Response(text, { status }),
  });

  it.each<[string, Partial<Io>, readonly string[], number, string]>([
    ['without a token', { env: {} }, [], 1, 'AUTOPILOT_TOKEN'],
    ['with a wrong token', { env: { AUTOPILOT_TOKEN: 'wrong' } }, [], 1, 'has to be the token of an operator'],
    ['that is no URL', {}, ['--url', 'localhost:8787'], 64, 'is not the URL of a server'],
    ['that is another one', answering(200, '<html>'), [], 1, 'not as dcs-autopilot'],
    ['that answers something else', answering(200, '{"runs":1}'), [], 1, 'not one of a dcs-autopilot'],
    ['that sends elsewhere', answering(302, ''), [], 1, 'answers 302'],
  ])('%s is told in a line', async (_name, change, args, code, message) => {
    const heard = await run(doorWorld(), ['runs', ...args], change);

    expect(heard).toMatchObject({ code, stdout: '' });
    expect(heard.stderr).toContain(message);
    expect(heard.stderr).not.toContain(operatorToken);
  });

  it('that refuses is told in JSON with its code and details', async () => {
    const heard = await run(doorWorld(), ['cancel', 'token-1', '--reason', 'a\nb', '--json']);

    expect(heard.stdout).toBe('');
    expect(JSON.parse(heard.stderr)).toEqual({ error: { code: 'not_found', message: 'There is no such run.' } });
  });

  it('that misses a right says which', async () => {
    const heard = await run(doorWorld(), ['pause', '--reason', 'x'], { env: { AUTOPILOT_TOKEN: readerToken } });

    expect(heard.stderr).toContain('bob does not have the right pause');
  });

  it('is found by --url, then by AUTOPILOT_URL, then on this machine', async () => {
    const seen: string[] = [];
    const change = (env: Readonly<Record<string, string>>): Partial<Io> => ({
      env: { AUTOPILOT_TOKEN: 'x', ...env },
      fetch: async (input) => {
        seen.push(String(input));
        return new Response('{"runs":[]}');
      },
    });

    await run(
      doorWorld(),
      ['runs', '--url', 'https://a.example/prod/'],
      change({ AUTOPILOT_URL: 'https://b.example' }),
    );
    await run(doorWorld(), ['runs'], change({ AUTOPILOT_URL: 'https://b.example' }));
    await run(doorWorld(), ['runs'], change({}));

    const query = '/runs?limit=20';
    expect(seen).toEqual([
      `https://a.example/prod${query}`,
      `https://b.example${query}`,
      `http://127.0.0.1:8787${query}`,
    ]);
  });
});

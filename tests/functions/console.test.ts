// The console's door through the composed value that is exported: who may look, what is listed, and runs by hand.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as v from 'valibot';
import { consoleDoor, handler } from '../../functions/console.ts';
import { webhookDoor } from '../../functions/webhook.ts';
import { sha256 } from '../../lib/canonical.ts';
import { accept } from '../../lib/doors/accept.ts';
import { jobViews } from '../../lib/doors/jobs.ts';
import { runId } from '../../lib/event.ts';
import { readRecord, updateRecord } from '../../lib/record.ts';
import manifest from '../../package.json' with { type: 'json' };
import {
  type Answered,
  bearer,
  call,
  type DoorWorld,
  doorWorld,
  errorOf,
  forgetRun,
  ids,
  jobNamed,
  jobOf,
  jobs,
  noon,
  operatorToken,
  readerToken,
  type Sent,
} from '../support/door-world.ts';

const operator = { authorization: `Bearer ${operatorToken}` };

async function send(sent: Sent, world: DoorWorld = doorWorld()): Promise<Answered> {
  return await call(consoleDoor(world.open), { headers: operator, ...sent });
}

async function get(path: string, query = '', world: DoorWorld = doorWorld()): Promise<Answered> {
  return await send({ method: 'GET', path, query }, world);
}

function byHand(job: string, body = '', key?: string): Sent {
  return { path: `/jobs/${job}/runs`, headers: key === undefined ? operator : bearer(key, operatorToken), body };
}

/** A world with one run a minute, taking turns between two jobs; returns their ids, newest first. */
async function worldWithRuns(count: number): Promise<{ world: DoorWorld; runs: string[] }> {
  const world = doorWorld();
  const runs: string[] = [];
  for (let minute = 0; minute < count; minute++) {
    world.now = noon + minute * 60_000;
    const job = jobNamed(minute % 2 === 0 ? 'nightly' : 'token');
    const receivedAt = new Date(world.now).toISOString();
    const event = { trigger: 'manual', identity: `run ${minute}`, requestedBy: 'operator:alice', receivedAt } as const;
    runs.unshift((await accept(world.runtime, job, event)).runId);
  }
  return { world, runs };
}

const pageSchema = v.strictObject({
  runs: v.array(v.looseObject({ runId: v.string() })),
  next: v.exactOptional(v.string()),
});

function pageOf({ body }: Answered): { runs: string[]; next: string | undefined } {
  const { runs, next } = v.parse(pageSchema, body);
  return { runs: runs.map(({ runId }) => runId), next };
}

/** All pages of a list, by their cursors. */
async function pagesOf(world: DoorWorld, query: string): Promise<string[][]> {
  const pages: string[][] = [];
  for (let cursor = ''; pages.length < 50; ) {
    const { runs, next } = pageOf(await get('/runs', `${query}${cursor}`, world));
    pages.push(runs);
    if (next === undefined) break;
    cursor = `&cursor=${next}`;
  }
  return pages;
}

describe('GET /healthz', () => {
  it('is public and tells the version', async () => {
    const answered = await send({ method: 'GET', path: '/healthz', headers: {} });

    expect(answered).toMatchObject({ status: 200, body: { status: 'ok', version: manifest.version } });
  });

  it('is not well on AWS yet', async () => {
    expect(await call(handler, { method: 'GET', path: '/healthz' })).toMatchObject({ status: 503 });
  });
});

describe('GET /jobs', () => {
  it('shows every job with what starts it, and when it fires next', async () => {
    const { status, body } = await get('/jobs');
    const shown = v.parse(v.strictObject({ jobs: v.array(v.looseObject({ name: v.string() })) }), body).jobs;

    expect(status).toBe(200);
    expect(shown.map(({ name }) => name)).toEqual(Object.keys(jobs));
    expect(shown.find(({ name }) => name === 'nightly')).toEqual({
      name: 'nightly',
      action: 'soft_restart',
      project: 'staging',
      target: 'staging-caches',
      trigger: 'schedule',
      enabled: true,
      dryRun: false,
      approval: 'none',
      next: '2026-11-24T01:00:00.000Z',
    });
    expect(JSON.stringify(body)).not.toContain('env:');
  });

  it('tells no next time of a job that is switched off, and the rungs of a ladder', () => {
    const ladder = { rungs: ['soft_restart', 'restart'], settle: 900, resetAfter: 1800, rounds: 3 } as const;
    const { trigger } = jobNamed('nightly');
    const two = { off: jobOf('off', trigger, { enabled: false }), up: jobOf('up', trigger, { ladder }) };

    const [off, up] = jobViews({ jobs: two }, noon);

    expect(off).not.toHaveProperty('next');
    expect(up).toMatchObject({ rungs: ['soft_restart', 'restart'], next: '2026-11-24T01:00:00.000Z' });
  });

  it('takes no parameters, and no operator without the right to read', async () => {
    expect((await get('/jobs', 'x=1')).status).toBe(400);
    expect((await send({ method: 'GET', path: '/jobs', headers: {} })).status).toBe(401);
  });
});

describe('the way in', () => {
  it.each([
    ['GET', '/runs'],
    ['GET', '/runs/token-0123456789abcdef0123'],
    ['POST', '/jobs/token/runs'],
    ['POST', '/jobs/nobody/runs'],
  ])('is closed without a known token: %s %s', async (method, path) => {
    const world = doorWorld();

    const without = await send({ method, path, headers: {} }, world);
    const wrong = await send({ method, path, headers: { authorization: 'Bearer nobody' } }, world);

    expect([without.status, wrong.status]).toEqual([401, 401]);
    expect([errorOf(without).code, errorOf(wrong).code]).toEqual(['token_missing', 'token_invalid']);
    expect(wrong.headers).toMatchObject({ 'www-authenticate': 'Bearer' });
    expect(world.calls).toBe(0);
  });

  it.each([
    ['GET', '/runs', 200],
    ['GET', '/runs/token-1', 404],
    ['POST', '/jobs/token/runs', 403],
    ['POST', '/jobs/nobody/runs', 403],
  ])('is open as far as the rights of an operator go: %s %s', async (method, path, status) => {
    const world = doorWorld();

    const answered = await send({ method, path, headers: { authorization: `Bearer ${readerToken}` } }, world);

    expect(answered.status).toBe(status);
    expect(world.starts).toEqual([]);
  });

  it('tells an operator which right is missing', async () => {
    const sent = { path: '/jobs/token/runs', headers: { authorization: `Bearer ${readerToken}` } };

    expect(errorOf(await send(sent))).toEqual({
      code: 'forbidden',
      message: 'The operator bob does not have the right run.',
    });
  });

  it.each(['/run', '/runs/', '/runs/A', '/runs/a/b', '/jobs/', '/jobs/token', '/jobs/token/runs/', '//runs', '*'])(
    'has nothing at %s',
    async (path) => {
      expect(await get(path)).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });
    },
  );

  it.each([
    ['POST', '/runs', 'GET'],
    ['DELETE', '/runs/token-1', 'GET'],
    ['GET', '/jobs/token/runs', 'POST'],
    ['HEAD', '/healthz', 'GET'],
  ])('says what %s %s should have been', async (method, path, allow) => {
    const answered = await send({ method, path });

    expect(answered).toMatchObject({
      status: 405,
      headers: { allow },
      body: { error: { code: 'method_not_allowed' } },
    });
  });
});

describe('GET /runs', () => {
  it('lists all jobs, newest first, with counts and without lists', async () => {
    const { world, runs } = await worldWithRuns(3);

    const answered = await get('/runs', '', world);

    expect(answered.status).toBe(200);
    expect(pageOf(answered)).toEqual({ runs, next: undefined });
    expect(answered.body).toMatchObject({
      runs: [{ job: 'nightly', status: 'accepted', counts: { succeeded: 0 } }, {}, {}],
    });
    expect(JSON.stringify(answered.body)).not.toMatch(/plan|outcomes|HUAWEICLOUD/);
  });

  it('has nothing to list at first', async () => {
    expect(pageOf(await get('/runs'))).toEqual({ runs: [], next: undefined });
  });

  it.each([1, 2, 3, 6, 7, 8, 100])('gives every run once, in pages of %d', async (limit) => {
    const { world, runs } = await worldWithRuns(7);

    const pages = await pagesOf(world, `limit=${limit}`);

    expect(pages.flat()).toEqual(runs);
    expect(pages).toHaveLength(Math.ceil(7 / limit));
  });

  it('stays in place while new runs come in', async () => {
    const { world, runs } = await worldWithRuns(4);
    const first = pageOf(await get('/runs', 'limit=2', world));
    world.now += 60_000;
    await send(byHand('token'), world);

    const second = pageOf(await get('/runs', `limit=2&cursor=${first.next}`, world));

    expect([...first.runs, ...second.runs]).toEqual(runs);
  });

  it('narrows to a job', async () => {
    const { world, runs } = await worldWithRuns(5);

    expect(pageOf(await get('/runs', 'job=token', world)).runs).toEqual(runs.filter((run) => run.startsWith('token-')));
  });

  it('finds runs of a job that the configuration no longer has, and none of an unknown one', async () => {
    const { world, runs } = await worldWithRuns(2);
    const { nightly: _, ...jobs } = world.runtime.config.jobs;
    const config = { ...world.runtime.config, jobs };
    const door = consoleDoor(async () => ({ ...world.runtime, config }));

    const answered = await call(door, { method: 'GET', path: '/runs', query: 'job=nightly', headers: operator });

    expect(pageOf(answered).runs).toEqual([runs[1]]);
    expect(pageOf(await get('/runs', 'job=nobody', world)).runs).toEqual([]);
  });

  it('narrows to a status, also where most runs have another one', async () => {
    const { world, runs } = await worldWithRuns(30);
    const failed = [runs[3], runs[20], runs[29]].map(String);
    for (const run of failed) await updateRecord(world.state, run, (record) => ({ ...record, status: 'failed' }));

    const pages = await pagesOf(world, 'status=failed&limit=1');

    expect(pages.flat()).toEqual(failed);
  });

  it('reads only so much for one page, and goes on at its cursor', async () => {
    const { world, runs } = await worldWithRuns(25);
    const oldest = String(runs[24]);
    await updateRecord(world.state, oldest, (record) => ({ ...record, status: 'failed' }));

    const first = await get('/runs', 'status=failed&limit=1', world);
    const pages = await pagesOf(world, 'status=failed&limit=1');

    expect(pageOf(first)).toEqual({ runs: [], next: expect.any(String) });
    expect(pages.flat()).toEqual([oldest]);
  });

  it.each([
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['limit=-1', 'limit'],
    ['limit=1e1', 'limit'],
    ['limit=', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['status=done', 'status'],
    ['status=', 'status'],
    ['job=No+Job', 'job'],
    ['cursor=%00', 'cursor'],
    ['cursor=bm9uc2Vuc2U', 'cursor'],
    [`cursor=${Buffer.from('{"createdAt":"2026-11-23","pk":"run#x"}').toString('base64url')}`, 'cursor.createdAt'],
    [`cursor=${Buffer.from('{"createdAt":"2026-11-23T13:37:00.000Z","pk":"x"}').toString('base64url')}`, 'cursor.pk'],
    ['page=2', 'page'],
    ['__proto__=1', '__proto__'],
  ])('names what is wrong with ?%s', async (query, path) => {
    const answered = await get('/runs', query);

    expect(answered.status).toBe(400);
    expect(errorOf(answered)).toMatchObject({ code: 'malformed', details: [{ path }] });
  });

  it('tells the sender to try again when the state does not answer', async () => {
    const world = doorWorld();
    world.failAt = 1;

    expect(await get('/runs', '', world)).toMatchObject({
      status: 503,
      body: { error: { code: 'state_unavailable' } },
    });
  });
});

describe('GET /runs/{id}', () => {
  it('shows a run', async () => {
    const { world, runs } = await worldWithRuns(1);

    const answered = await get(`/runs/${runs[0]}`, '', world);

    expect(answered.status).toBe(200);
    expect(answered.body).toMatchObject({
      runId: runs[0],
      job: 'nightly',
      action: 'soft_restart',
      trigger: 'manual',
      status: 'accepted',
      requestedBy: 'operator:alice',
      plan: { waves: [], excluded: [] },
      outcomes: [],
      counts: { succeeded: 0, failed: 0, unknown: 0, skipped: 0, notStarted: 0 },
      createdAt: '2026-11-23T13:37:00.000Z',
    });
  });

  it('knows no other run', async () => {
    expect(await get('/runs/token-0123456789abcdef0123')).toMatchObject({ status: 404 });
  });

  it.each([
    ['wait=26', 'wait'],
    ['wait=-1', 'wait'],
    ['wait=1.5', 'wait'],
    ['wait=', 'wait'],
    ['wait=1m', 'wait'],
    ['wait=1&wait=2', 'wait'],
    ['limit=1', 'limit'],
  ])('names what is wrong with ?%s', async (query, path) => {
    const { world, runs } = await worldWithRuns(1);

    expect(errorOf(await get(`/runs/${runs[0]}`, query, world))).toMatchObject({
      code: 'malformed',
      details: [{ path }],
    });
  });
});

describe('GET /runs/{id}?wait', () => {
  /** Ends the newest run of `world` during its nth sleep. */
  function endDuring(world: DoorWorld, run: string, nth: number): void {
    world.meanwhile = async () => {
      if (world.sleeps.length === nth) await updateRecord(world.state, run, (now) => ({ ...now, status: 'succeeded' }));
    };
  }

  it.each(['wait=25', 'wait=25s'])('answers when the run has ended: %s', async (query) => {
    const { world, runs } = await worldWithRuns(1);
    endDuring(world, String(runs[0]), 3);

    const answered = await get(`/runs/${runs[0]}`, query, world);

    expect(answered).toMatchObject({ status: 200, body: { status: 'succeeded' } });
    expect(world.sleeps).toEqual([1000, 1000, 1000]);
  });

  it.each([
    ['', 0],
    ['wait=0', 0],
    ['wait=2', 2],
    ['wait=25', 25],
  ])('answers a run that goes on as it then is: %p', async (query, looks) => {
    const { world, runs } = await worldWithRuns(1);

    const answered = await get(`/runs/${runs[0]}`, query, world);

    expect(answered).toMatchObject({ status: 200, body: { status: 'accepted' } });
    expect(world.sleeps).toEqual(Array.from({ length: looks }, () => 1000));
  });

  it('answers at once where the run has ended', async () => {
    const { world, runs } = await worldWithRuns(1);
    await updateRecord(world.state, String(runs[0]), (record) => ({ ...record, status: 'failed' }));

    expect(await get(`/runs/${runs[0]}`, 'wait=25', world)).toMatchObject({ body: { status: 'failed' } });
    expect(world.sleeps).toEqual([]);
  });

  it('reads the state at most once a second, and no longer than was asked for when reading is slow', async () => {
    const { world, runs } = await worldWithRuns(1);
    world.calls = 0;
    world.meanwhile = async () => {
      world.now += 1_500;
    };

    await get(`/runs/${runs[0]}`, 'wait=10', world);

    expect(world.sleeps).toEqual([1000, 1000, 1000, 1000]);
    expect(world.calls).toBe(1 + 4 + 3);
  });

  it('ends although the clock is set back', async () => {
    const { world, runs } = await worldWithRuns(1);
    world.meanwhile = async () => {
      world.now = 0;
    };

    await get(`/runs/${runs[0]}`, 'wait=5', world);

    expect(world.sleeps).toHaveLength(5);
  });

  it('answers at once when the process is about to stop', async () => {
    const { world, runs } = await worldWithRuns(1);
    world.meanwhile = () => Promise.reject(new Error('it stops'));

    expect(await get(`/runs/${runs[0]}`, 'wait=25', world)).toMatchObject({
      status: 200,
      body: { status: 'accepted' },
    });
    expect(world.sleeps).toHaveLength(1);
  });

  it('answers at once where nothing can be waited with', async () => {
    const { world, runs } = await worldWithRuns(1);
    const { sleep: _, ...runtime } = world.runtime;
    const sent = { method: 'GET', path: `/runs/${runs[0]}`, query: 'wait=25', headers: operator };

    expect(
      await call(
        consoleDoor(async () => runtime),
        sent,
      ),
    ).toMatchObject({ status: 200 });
    expect(world.calls).toBeLessThan(20);
  });
});

describe('the statusUrl of a hook', () => {
  /** A world in which a hook was called, and the path and query of the statusUrl that it answered. */
  async function called(): Promise<{ world: DoorWorld; path: string; query: string }> {
    const world = doorWorld();
    const { body } = await call(webhookDoor(world.open), { path: '/hooks/token', headers: bearer('k1') });
    const { statusUrl } = v.parse(v.object({ statusUrl: v.string() }), body);
    const [path = '', query = ''] = statusUrl.split('?');
    return { world, path, query };
  }

  async function look(world: DoorWorld, path: string, query: string, headers = {}): Promise<Answered> {
    return await call(consoleDoor(world.open), { method: 'GET', path, query, headers });
  }

  it('shows its run without a token', async () => {
    const { world, path, query } = await called();

    const answered = await look(world, path, query);

    expect(answered).toMatchObject({ status: 200, body: { job: 'token', requestedBy: 'webhook:token' } });
    expect(JSON.stringify(answered)).not.toMatch(/readKey|random-1/);
  });

  it('can be waited at', async () => {
    const { world, path, query } = await called();

    expect(await look(world, path, `${query}&wait=2`)).toMatchObject({ status: 200 });
    expect(world.sleeps).toEqual([1000, 1000]);
  });

  it('does so for 24 hours', async () => {
    const { world, path, query } = await called();

    world.now = noon + 24 * 3600_000 - 1;
    expect(await look(world, path, query)).toMatchObject({ status: 200 });
    world.now += 1;
    expect(errorOf(await look(world, path, query)).code).toBe('read_key_invalid');
  });

  it('opens nothing else, and says nothing of whether it is there', async () => {
    const { world, path, query } = await called();
    await call(webhookDoor(world.open), { path: '/hooks/token', headers: bearer('k2') });
    await send(byHand('nightly', '', 'k3'), world);
    const others = [runId('prod', 'token', ['bearer', 'k2']), runId('prod', 'nightly', 'k3'), 'token-1'];

    const answers = await Promise.all([
      ...others.map((run) => look(world, `/runs/${run}`, query)),
      ...['key=', 'key=random-', 'key=random-11', 'key=RANDOM-1', `key=${sha256('random-1')}`].map((wrong) =>
        look(world, path, wrong),
      ),
    ]);

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 401));
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toHaveProperty('size', 1);
    expect(answers[0]?.headers).toMatchObject({ 'www-authenticate': 'Bearer' });
    expect(await look(world, '/runs', query)).toMatchObject({ status: 401 });
  });

  it('is open to operators as ever, also with another key or with the token of the hook', async () => {
    const { world, path, query } = await called();

    expect(await look(world, path, 'key=wrong', operator)).toMatchObject({ status: 200 });
    expect(await look(world, path, query, bearer('k1'))).toMatchObject({ status: 200 });
    expect(errorOf(await look(world, path, 'key=wrong', bearer('k1'))).code).toBe('token_invalid');
  });

  it('leaves no key in the log, whatever becomes of the request', async () => {
    const { world, path, query } = await called();

    await look(world, path, query);
    await look(world, path, `${query}&limit=1`);
    await look(world, path, 'key=wrong-made-up');
    world.failAt = world.calls + 1;
    await look(world, path, query);

    expect(world.log).toHaveLength(4);
    expect(world.log.join()).not.toMatch(/random-1|made-up/);
  });

  it('is not given to a run by hand, whose operator has a token', async () => {
    const answered = await send(byHand('token'));

    expect(JSON.stringify([answered.headers, answered.body])).not.toContain('key=');
  });
});

describe('POST /jobs/{job}/runs', () => {
  it('starts a run of any job', async () => {
    const world = doorWorld();
    const body = JSON.stringify({ instances: [ids[0]], plan: 'a'.repeat(64), reason: 'by hand', dryRun: true });

    const answered = await send(byHand('nightly', body), world);

    const id = runId('prod', 'nightly', 'random-1');
    expect(answered).toMatchObject({
      status: 202,
      headers: { location: `/runs/${id}` },
      body: { runId: id, status: 'accepted', statusUrl: `/runs/${id}` },
    });
    expect(world.starts).toEqual([id]);
    expect((await readRecord(world.state, id))?.event).toEqual({
      trigger: 'manual',
      identity: 'random-1',
      requestedBy: 'operator:alice',
      receivedAt: '2026-11-23T13:37:00.000Z',
      instances: [ids[0]],
      plan: 'a'.repeat(64),
      reason: 'by hand',
      dryRun: true,
    });
  });

  it('takes instances also where the webhook of the job takes none', async () => {
    expect(await send(byHand('whole', JSON.stringify({ instances: [ids[0]] })))).toMatchObject({ status: 202 });
  });

  it('makes each request without a key a run of its own', async () => {
    const world = doorWorld();

    await send(byHand('token'), world);
    await send(byHand('token'), world);

    expect(new Set(world.starts).size).toBe(2);
  });

  it('finds the run of a repeated key, and refuses it with another body', async () => {
    const world = doorWorld();
    const first = await send(byHand('token', '{}', 'k1'), world);

    const again = await send(byHand('token', '{}', 'k1'), world);
    const other = await send(byHand('token', '{"dryRun":true}', 'k1'), world);

    const id = runId('prod', 'token', 'k1');
    expect(first).toMatchObject({ status: 202, body: { runId: id } });
    expect(again).toMatchObject({ status: 200, body: { runId: id, status: 'accepted', duplicate: true } });
    expect(other).toMatchObject({ status: 409, body: { error: { code: 'key_reused' } } });
    expect(world.starts).toEqual([id]);
  });

  it('starts nothing for a repeated key whose run is forgotten', async () => {
    const world = doorWorld();
    await send(byHand('token', '{}', 'k1'), world);
    const id = runId('prod', 'token', 'k1');
    await forgetRun(world, id);

    const again = await send(byHand('token', '{}', 'k1'), world);

    expect(again).toMatchObject({ status: 200, body: { runId: id, status: 'accepted', duplicate: true } });
    expect(await readRecord(world.state, id)).toBeUndefined();
    expect(world.starts).toEqual([id]);
  });

  it.each<[string, Sent, number, string, string | undefined]>([
    ['an unknown job', byHand('nobody'), 404, 'not_found', undefined],
    ['a name of the language', byHand('__proto__'), 404, 'not_found', undefined],
    ['a job that is switched off', byHand('off'), 422, 'disabled', undefined],
    ['an event for a hook', byHand('token', '{"event":{"labels":{}}}'), 422, 'event_not_allowed', 'event'],
    ['an event that is none', byHand('token', '{"event":7}'), 400, 'malformed', 'event'],
    ['a broken glass without a reason', byHand('token', '{"breakGlass":true}'), 422, 'reason_required', 'reason'],
    ['an unknown member', byHand('token', '{"force":true}'), 400, 'malformed', 'force'],
    ['no hash', byHand('token', '{"plan":"abc"}'), 400, 'malformed', 'plan'],
    ['no JSON', byHand('token', 'dryRun=true'), 400, 'malformed', undefined],
    ['a list', byHand('token', '[]'), 400, 'malformed', undefined],
    ['nobody', byHand('token', '{"instances":[]}'), 422, 'instances_empty', 'instances'],
    [
      'an instance elsewhere',
      byHand('two', JSON.stringify({ instances: [ids[2]] })),
      422,
      'outside_target',
      'instances',
    ],
    ['a parameter', { ...byHand('token'), query: 'dryRun=true' }, 400, 'malformed', 'dryRun'],
    ['a blank key', byHand('token', '', ' '), 400, 'malformed', 'idempotency-key'],
    ['a long key', byHand('token', '', 'k'.repeat(129)), 400, 'malformed', 'idempotency-key'],
    ["a schedule's key", byHand('nightly', '', '2026-11-23T01:00:00.000Z'), 400, 'malformed', 'idempotency-key'],
    ['257 KiB', byHand('token', ' '.repeat(257 * 1024)), 413, 'body_too_large', undefined],
  ])('refuses %s and stores nothing', async (_name, sent, status, code, path) => {
    const world = doorWorld();

    const answered = await send(sent, world);

    const error = errorOf(answered);
    expect({ status: answered.status, code: error.code, path: error.details?.[0]?.path }).toEqual({
      status,
      code,
      path,
    });
    expect(world.starts).toEqual([]);
    expect(pageOf(await get('/runs', '', world)).runs).toEqual([]);
  });
});

describe('whatever is sent', () => {
  it('gets a documented status and no trace', async () => {
    const path = fc.oneof(
      fc.constantFrom('/runs', '/runs/token-1', '/jobs/token/runs', '/jobs/nightly/runs', '/healthz'),
      fc.string().map((text) => `/${text}`),
    );
    const query = fc.oneof(
      fc.webQueryParameters(),
      fc
        .tuple(fc.constantFrom('limit', 'cursor', 'job', 'status', 'wait', 'key'), fc.string())
        .map(([name, value]) => `${name}=${value}`),
    );
    const body = fc.oneof(fc.json(), fc.string(), fc.uint8Array());
    const method = fc.constantFrom('GET', 'POST', 'PUT');

    await fc.assert(
      fc.asyncProperty(path, query, body, method, fc.string(), async (path, query, body, method, key) => {
        const sent = { method, path, query, body, headers: bearer(key, operatorToken) };

        const answered = await send(sent);

        expect([200, 202, 400, 404, 405, 413, 422]).toContain(answered.status);
        expect(JSON.stringify(answered)).not.toMatch(/\.ts:|node_modules|stack/);
      }),
      { numRuns: 500 },
    );
  });
});

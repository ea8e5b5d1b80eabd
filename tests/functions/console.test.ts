// The console's door through the composed value that is exported: who may look, what is listed, and runs by hand.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as v from 'valibot';
import { consoleDoor, handler } from '../../functions/console.ts';
import { accept } from '../../lib/doors/accept.ts';
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
  ids,
  jobNamed,
  noon,
  operatorToken,
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

  it.each(['/', '/run', '/runs/', '/runs/A', '/runs/a/b', '/jobs', '/jobs/token', '/jobs/token/runs/', '//runs', '*'])(
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

  it('takes no parameters yet', async () => {
    expect(errorOf(await get('/runs/token-1', 'wait=25s'))).toMatchObject({
      code: 'malformed',
      details: [{ path: 'wait' }],
    });
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

  it.each<[string, Sent, number, string, string | undefined]>([
    ['an unknown job', byHand('nobody'), 404, 'not_found', undefined],
    ['a name of the language', byHand('__proto__'), 404, 'not_found', undefined],
    ['a job that is switched off', byHand('off'), 422, 'disabled', undefined],
    ['an event', byHand('token', '{"event":{}}'), 400, 'not_supported_yet', 'event'],
    ['a broken glass', byHand('token', '{"breakGlass":true}'), 400, 'not_supported_yet', 'breakGlass'],
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
        .tuple(fc.constantFrom('limit', 'cursor', 'job', 'status'), fc.string())
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

// Steering runs through the composed console door: a word on a plan, a cancel, a retry, a pause. What is said stands in
// the record before anybody is woken, so that nothing that fails in between loses it.

import { describe, expect, it } from '@jest/globals';
import { consoleDoor } from '../../functions/console.ts';
import { scheduleDoor } from '../../functions/schedule.ts';
import type { Job } from '../../lib/config.ts';
import { accept } from '../../lib/doors/accept.ts';
import { runId } from '../../lib/event.ts';
import { readFlags } from '../../lib/guards/flags.ts';
import { toContext } from '../../lib/local/gateway.ts';
import { type RunRecord, readRecord, updateRecord, writeList } from '../../lib/record.ts';
import type { Outcome } from '../../lib/report.ts';
import {
  type Answered,
  approverToken,
  call,
  type DoorWorld,
  doorWorld,
  errorOf,
  ids,
  jobNamed,
  operatorToken,
  readerToken,
  type Sent,
} from '../support/door-world.ts';

const tokens = { alice: operatorToken, bob: readerToken, carol: approverToken };
type Name = keyof typeof tokens;

const planHash = 'a'.repeat(64);
const said = JSON.stringify({ planHash });

/** What an operator asks for; Carol where nobody is named. */
async function send(world: DoorWorld, path: string, body = '', by: Name = 'carol', sent: Partial<Sent> = {}) {
  const headers = { authorization: `Bearer ${tokens[by]}` };
  return await call(consoleDoor(world.open), { path, body, headers, ...sent });
}

/** A run that Alice has asked for, of a job that needs approval. */
async function accepted(world: DoorWorld, change: Partial<Job> = {}): Promise<string> {
  const receivedAt = new Date(world.now).toISOString();
  const job: Job = { ...jobNamed('token'), approval: 'required', ...change };
  const event = { trigger: 'manual', identity: 'run 1', requestedBy: 'operator:alice', receivedAt } as const;
  return (await accept(world.runtime, job, event)).runId;
}

/** The same one, waiting for a word on its plan. */
async function waiting(world: DoorWorld, change: Partial<RunRecord> = {}): Promise<string> {
  const id = await accepted(world);
  const requestedAt = new Date(world.now).toISOString();
  const approval = { answerId: 'answer-1', planHash, requestedAt, lapsesAt: requestedAt };
  await updateRecord(world.state, id, (record) => ({ ...record, status: 'awaiting_approval', approval, ...change }));
  world.calls = 0;
  return id;
}

/** The same one at its end, with what became of its instances. */
async function endedWith(world: DoorWorld, statuses: readonly Outcome['status'][]): Promise<string> {
  const id = await accepted(world);
  const record = await updateRecord(world.state, id, (before) => ({ ...before, status: 'partial' }));
  const outcomes = statuses.map((status, i) => ({ instanceId: ids[i], name: `cache-${i}`, status, attempts: 1 }));
  await writeList(world.state, record, 'outcomes', outcomes);
  world.calls = 0;
  world.starts.length = 0;
  return id;
}

/** The same one at its end, with a plan and no outcomes. */
async function endedPlanned(world: DoorWorld, end: Partial<RunRecord>): Promise<string> {
  const id = await accepted(world);
  const plan = { hash: planHash, waves: [1, 1], excluded: 0 };
  const record = await updateRecord(world.state, id, (before) => ({ ...before, plan, ...end }));
  const planned = ids.slice(0, 2).map((instanceId) => ({ instanceId, name: '', reason: '', dataLoss: true }));
  await writeList(world.state, record, 'plan', planned);
  world.starts.length = 0;
  return id;
}

function refusalOf(answered: Answered) {
  const { code, details } = errorOf(answered);
  return { status: answered.status, code, path: details?.[0]?.path };
}

async function tick(world: DoorWorld): Promise<void> {
  await scheduleDoor(world.open)({}, toContext('schedule', 'tick-1'));
}

describe.each([
  ['approve', 'approved'],
  ['reject', 'rejected'],
] as const)('POST /runs/{id}/%s', (word, verdict) => {
  it('writes the word down, then wakes the execution', async () => {
    const world = doorWorld();
    const id = await waiting(world);

    const answered = await send(world, `/runs/${id}/${word}`, JSON.stringify({ planHash, reason: 'seen' }));

    expect(answered).toMatchObject({
      status: 202,
      body: { runId: id, status: 'awaiting_approval', statusUrl: `/runs/${id}` },
    });
    expect((await readRecord(world.state, id))?.approval?.decision).toEqual({
      verdict,
      by: 'operator:carol',
      at: '2026-11-23T13:37:00.000Z',
      reason: 'seen',
    });
    expect(world.answers).toEqual(['answer-1']);
  });

  it('may be said again by whoever said it: it changes nothing and wakes once more', async () => {
    const world = doorWorld();
    const id = await waiting(world);
    await send(world, `/runs/${id}/${word}`, said);
    const before = await readRecord(world.state, id);
    world.now += 60_000;

    const again = await send(world, `/runs/${id}/${word}`, said);

    expect(again.status).toBe(202);
    expect(await readRecord(world.state, id)).toEqual(before);
    expect(world.answers).toEqual(['answer-1', 'answer-1']);
  });

  it.each<[string, Name]>([
    ['approve', 'alice'],
    ['reject', 'alice'],
    [word === 'approve' ? 'reject' : 'approve', 'carol'],
  ])('stands, whoever says what afterwards: %s by %s', async (second, by) => {
    const world = doorWorld();
    const id = await waiting(world, { event: eventOfNobody(world) });
    await send(world, `/runs/${id}/${word}`, said, 'carol');
    const before = await readRecord(world.state, id);

    const answered = await send(world, `/runs/${id}/${second}`, said, by);

    expect(refusalOf(answered)).toMatchObject({ status: 409, code: 'decided' });
    expect(await readRecord(world.state, id)).toEqual(before);
  });

  it('is not taken after the hour, though the execution still sleeps', async () => {
    const world = doorWorld();
    const id = await waiting(world);
    world.now += 1;

    const answered = await send(world, `/runs/${id}/${word}`, said);

    expect(refusalOf(answered)).toMatchObject({ status: 409, code: 'approval_lapsed' });
    expect((await readRecord(world.state, id))?.approval?.decision).toBeUndefined();
    expect(world.answers).toEqual([]);
  });

  it('is bound to the plan', async () => {
    const world = doorWorld();
    const id = await waiting(world);

    const answered = await send(world, `/runs/${id}/${word}`, JSON.stringify({ planHash: 'b'.repeat(64) }));

    expect(refusalOf(answered)).toMatchObject({ status: 409, code: 'other_plan' });
    expect(errorOf(answered).message).toContain(planHash);
    expect((await readRecord(world.state, id))?.approval?.decision).toBeUndefined();
    expect(world.answers).toEqual([]);
  });

  it.each(['accepted', 'running', 'succeeded', 'refused', 'planned'] as const)(
    'is not taken by a run that is %s',
    async (status) => {
      const world = doorWorld();
      const id = await waiting(world, { status });

      expect(refusalOf(await send(world, `/runs/${id}/${word}`, said))).toMatchObject({
        status: 409,
        code: 'wrong_status',
      });
      expect(world.answers).toEqual([]);
    },
  );

  it('is not taken by a run that somebody has stopped', async () => {
    const world = doorWorld();
    const stop = {
      code: 'cancelled',
      reason: 'cancelled',
      by: 'operator:alice',
      at: '2026-11-23T13:37:00.000Z',
    } as const;
    const id = await waiting(world, { stop });

    const answered = await send(world, `/runs/${id}/${word}`, said);

    expect(refusalOf(answered)).toMatchObject({ status: 409, code: 'wrong_status' });
    expect(errorOf(answered).message).toBe('The run is being stopped.');
  });

  it.each<[string, string, number, string, string | undefined]>([
    ['no hash', '{}', 400, 'malformed', 'planHash'],
    ['a short hash', '{"planHash":"aaaa"}', 400, 'malformed', 'planHash'],
    ['an unknown member', JSON.stringify({ planHash, force: true }), 400, 'malformed', 'force'],
    ['a reason of two lines', JSON.stringify({ planHash, reason: 'a\nb' }), 400, 'malformed', 'reason'],
    ['no JSON', 'planHash=a', 400, 'malformed', undefined],
    ['257 KiB', ' '.repeat(257 * 1024), 413, 'body_too_large', undefined],
  ])('refuses %s', async (_name, body, status, code, path) => {
    const world = doorWorld();
    const id = await waiting(world);

    expect(refusalOf(await send(world, `/runs/${id}/${word}`, body))).toEqual({ status, code, path });
    expect(world.answers).toEqual([]);
  });

  it('is kept where the execution could not be woken, and the tick wakes it', async () => {
    const world = doorWorld();
    const id = await waiting(world);
    // The record is read, read again to be changed, and written; then the execution is woken.
    world.failAt = 4;

    const answered = await send(world, `/runs/${id}/${word}`, said);
    const atOnce = [...world.answers];
    await tick(world);

    expect(answered.status).toBe(202);
    expect(world.log.join()).toContain('run not woken');
    expect(atOnce).toEqual([]);
    expect(world.answers).toEqual(['answer-1']);
  });
});

/** An event that nobody who is an operator has caused. */
function eventOfNobody(world: DoorWorld): RunRecord['event'] {
  const receivedAt = new Date(world.now).toISOString();
  return { trigger: 'schedule', identity: receivedAt, requestedBy: 'schedule', receivedAt };
}

describe('whoever asked for a run', () => {
  it('cannot approve it', async () => {
    const world = doorWorld();
    const id = await waiting(world);

    const answered = await send(world, `/runs/${id}/approve`, said, 'alice');

    expect(refusalOf(answered)).toMatchObject({ status: 403, code: 'own_request' });
    expect((await readRecord(world.state, id))?.approval?.decision).toBeUndefined();
  });

  it('can reject it', async () => {
    const world = doorWorld();
    const id = await waiting(world);

    expect(await send(world, `/runs/${id}/reject`, said, 'alice')).toMatchObject({ status: 202 });
  });
});

describe('the rights', () => {
  it.each<[string, string, Name, string]>([
    ['/runs/RUN/approve', said, 'bob', 'approve'],
    ['/runs/RUN/reject', said, 'bob', 'approve'],
    ['/runs/RUN/cancel', '', 'carol', 'cancel'],
    ['/runs/RUN/retry', '', 'bob', 'run'],
    ['/pause', '{"reason":"x"}', 'carol', 'pause'],
    ['/resume', '', 'carol', 'pause'],
    ['/jobs/token/runs', '{"breakGlass":true,"reason":"it burns"}', 'carol', 'breakGlass'],
  ])('are needed: %s %s by %s', async (path, body, by, right) => {
    const world = doorWorld();
    const id = await waiting(world);
    const before = await readRecord(world.state, id);

    const answered = await send(world, path.replace('RUN', id), body, by);

    expect(errorOf(answered)).toEqual({
      code: 'forbidden',
      message: `The operator ${by} does not have the right ${right}.`,
    });
    expect(await readRecord(world.state, id)).toEqual(before);
    expect(await readFlags(world.state, 'staging')).toEqual({ pause: null, storm: null });
  });

  it('are asked for before anything is said of whether a run is there', async () => {
    expect(await send(doorWorld(), '/runs/token-1/approve', said, 'bob')).toMatchObject({ status: 403 });
  });

  it('to break the glass let a run be asked for with it', async () => {
    const world = doorWorld();

    await send(world, '/jobs/token/runs', '{"breakGlass":true,"reason":"it burns"}', 'alice');

    expect(await readRecord(world.state, String(world.starts[0]))).toMatchObject({
      event: { breakGlass: true, reason: 'it burns' },
    });
    const shown = await send(world, `/runs/${world.starts[0]}`, '', 'alice', { method: 'GET' });
    expect(shown.body).toMatchObject({ requestedBy: 'operator:alice', breakGlass: 'it burns' });
  });
});

describe('a run that is not there', () => {
  it.each([
    ['approve', said],
    ['reject', said],
    ['cancel', ''],
    ['retry', ''],
  ])('cannot be steered: %s', async (word, body) => {
    const answered = await send(doorWorld(), `/runs/token-0123456789abcdef0123/${word}`, body, 'alice');

    expect(refusalOf(answered)).toMatchObject({ status: 404, code: 'not_found' });
  });
});

describe('POST /runs/{id}/cancel', () => {
  it.each(['accepted', 'running'] as const)('asks a run that is %s to stop, and wakes nobody', async (status) => {
    const world = doorWorld();
    const id = await waiting(world, { status });

    const answered = await send(world, `/runs/${id}/cancel`, '{"reason":"wrong day"}', 'alice');

    expect(answered).toMatchObject({ status: 202, body: { runId: id, status } });
    expect((await readRecord(world.state, id))?.stop).toEqual({
      code: 'cancelled',
      reason: 'wrong day',
      by: 'operator:alice',
      at: '2026-11-23T13:37:00.000Z',
    });
    expect(world.answers).toEqual([]);
  });

  it('wakes a run that waits for an approval', async () => {
    const world = doorWorld();
    const id = await waiting(world);

    await send(world, `/runs/${id}/cancel`, '', 'alice');

    expect(world.answers).toEqual(['answer-1']);
  });

  it('may be said again: the first word stands', async () => {
    const world = doorWorld();
    const id = await waiting(world);
    await send(world, `/runs/${id}/cancel`, '{"reason":"first"}', 'alice');

    expect(await send(world, `/runs/${id}/cancel`, '{"reason":"second"}', 'alice')).toMatchObject({ status: 202 });
    expect((await readRecord(world.state, id))?.stop?.reason).toBe('first');
    expect(world.answers).toEqual(['answer-1', 'answer-1']);
  });

  it.each(['succeeded', 'cancelled', 'missed'] as const)('is not taken by a run that is %s', async (status) => {
    const world = doorWorld();
    const id = await waiting(world, { status });

    expect(refusalOf(await send(world, `/runs/${id}/cancel`, '', 'alice'))).toMatchObject({
      status: 409,
      code: 'wrong_status',
    });
    expect((await readRecord(world.state, id))?.stop).toBeUndefined();
  });

  it.each([
    ['{"why":"x"}', 'why'],
    ['{"reason":1}', 'reason'],
  ])('names what is wrong with %s', async (body, path) => {
    const world = doorWorld();
    const id = await waiting(world);

    expect(refusalOf(await send(world, `/runs/${id}/cancel`, body, 'alice'))).toMatchObject({ status: 400, path });
  });

  it('takes no parameter', async () => {
    const world = doorWorld();
    const id = await waiting(world);

    const answered = await send(world, `/runs/${id}/cancel`, '', 'alice', { query: 'force=1' });

    expect(refusalOf(answered)).toMatchObject({ status: 400, path: 'force' });
  });

  it('is kept where the execution could not be woken, and the tick wakes it', async () => {
    const world = doorWorld();
    const id = await waiting(world);
    world.failAt = 4;

    await send(world, `/runs/${id}/cancel`, '', 'alice');
    const atOnce = [...world.answers];
    await tick(world);

    expect(atOnce).toEqual([]);
    expect(world.answers).toEqual(['answer-1']);
  });
});

describe('a plan that nobody has answered', () => {
  it('is left waiting by the tick', async () => {
    const world = doorWorld();
    await waiting(world);

    await tick(world);

    expect(world.answers).toEqual([]);
  });
});

describe('POST /runs/{id}/retry', () => {
  it('starts a run of what failed or was not started, with the job as it is configured now', async () => {
    const world = doorWorld();
    const id = await endedWith(world, ['failed', 'unknown', 'not_started']);

    const answered = await send(world, `/runs/${id}/retry`, '{"reason":"once more"}');

    const retry = runId('prod', 'token', ['retry', id]);
    expect(answered).toMatchObject({
      status: 202,
      headers: { location: `/runs/${retry}` },
      body: { runId: retry, status: 'accepted' },
    });
    expect(world.starts).toEqual([retry]);
    const record = await readRecord(world.state, retry);
    expect(record?.event).toEqual({
      trigger: 'manual',
      identity: ['retry', id],
      requestedBy: 'operator:carol',
      receivedAt: '2026-11-23T13:37:00.000Z',
      instances: [ids[0], ids[2]],
      reason: 'once more',
      retryOf: id,
    });
    expect(record?.job.approval).toBe('none');
  });

  it('gives its own reason where there is none', async () => {
    const world = doorWorld();
    const id = await endedWith(world, ['failed']);

    await send(world, `/runs/${id}/retry`);

    expect((await readRecord(world.state, String(world.starts[0])))?.event.reason).toBe(`retry of ${id}`);
  });

  it('starts one run for an ended one, whoever asks again', async () => {
    const world = doorWorld();
    const id = await endedWith(world, ['failed']);
    const first = await send(world, `/runs/${id}/retry`);
    world.now += 60_000;

    const again = await send(world, `/runs/${id}/retry`, '{"reason":"again"}', 'alice');

    const retry = runId('prod', 'token', ['retry', id]);
    expect([first.status, again.status]).toEqual([202, 200]);
    expect(again.body).toEqual({ runId: retry, status: 'accepted', duplicate: true });
    expect(world.starts).toEqual([retry]);
  });

  it.each<[string, readonly Outcome['status'][]]>([
    ['succeeded or was skipped', ['succeeded', 'skipped']],
    ['may have been done', ['succeeded', 'unknown']],
    ['was never planned', []],
  ])('has nothing to do for what %s', async (_what, statuses) => {
    const world = doorWorld();
    const id = await endedWith(world, statuses);

    expect(refusalOf(await send(world, `/runs/${id}/retry`))).toMatchObject({ status: 422, code: 'nothing_to_retry' });
    expect(world.starts).toEqual([]);
  });

  it.each(['accepted', 'running', 'awaiting_approval'] as const)('is not taken by a run that is %s', async (status) => {
    const world = doorWorld();
    const id = await waiting(world, { status });

    expect(refusalOf(await send(world, `/runs/${id}/retry`))).toMatchObject({ status: 409, code: 'wrong_status' });
  });

  it.each<[string, Partial<Job>]>([
    ['does something else by now', { action: 'flush' }],
    ['would climb to something else by now', { ladder: { rungs: ['restart'], settle: 60, resetAfter: 60, rounds: 1 } }],
    ['works in another project by now', { project: { ...jobNamed('token').project, projectId: 'f'.repeat(32) } }],
  ])('is not taken where the job %s', async (_what, change) => {
    const world = doorWorld();
    const id = await endedWith(world, ['failed']);
    const jobs = { token: { ...jobNamed('token'), ...change } };
    const runtime = { ...world.runtime, config: { ...world.runtime.config, jobs } };

    const answered = await call(
      consoleDoor(async () => runtime),
      { path: `/runs/${id}/retry`, headers: { authorization: `Bearer ${approverToken}` } },
    );

    expect(refusalOf(answered)).toMatchObject({ status: 422, code: 'job_changed' });
    expect(world.starts).toEqual([]);
  });

  it.each<[string, Partial<RunRecord>]>([
    ['was stopped before anything was sent', { status: 'cancelled', code: 'cancelled' }],
    ['was refused with its plan', { status: 'refused', code: 'over_day_cap' }],
    ['died before it noted anything', { status: 'failed', code: 'execution_died' }],
  ])('takes up the whole plan of a run that %s', async (_what, end) => {
    const world = doorWorld();
    const id = await endedPlanned(world, end);

    expect((await send(world, `/runs/${id}/retry`)).status).toBe(202);
    expect((await readRecord(world.state, String(world.starts[0])))?.event.instances).toEqual([ids[0], ids[1]]);
  });

  it('takes up what was asked for where there was no plan, so that a retry that was refused can be retried', async () => {
    const world = doorWorld();
    const first = await endedWith(world, ['failed']);
    await send(world, `/runs/${first}/retry`);
    const [second = ''] = world.starts;
    await updateRecord(world.state, second, (before) => ({ ...before, status: 'refused', code: 'paused' }));

    const answered = await send(world, `/runs/${second}/retry`);

    expect(answered.status).toBe(202);
    expect((await readRecord(world.state, String(world.starts[1])))?.event).toMatchObject({
      instances: [ids[0]],
      retryOf: second,
    });
  });

  it.each<[string, (record: RunRecord) => RunRecord]>([
    ['asked for', (record) => ({ ...record, event: { ...record.event, dryRun: true } })],
    ['configured', (record) => ({ ...record, job: { ...record.job, dryRun: true } })],
  ])('makes no real run of a dry one that was %s', async (_what, dry) => {
    const world = doorWorld();
    const id = await endedPlanned(world, { status: 'refused', code: 'over_cap' });
    await updateRecord(world.state, id, dry);

    expect(refusalOf(await send(world, `/runs/${id}/retry`))).toMatchObject({ status: 422, code: 'nothing_to_retry' });
    expect(world.starts).toEqual([]);
  });

  it.each<[string, Readonly<Record<string, Job>>, number, string]>([
    ['is gone', {}, 404, 'not_found'],
    ['is switched off', { token: { ...jobNamed('token'), enabled: false } }, 422, 'disabled'],
  ])('needs the job, which %s', async (_what, jobs, status, code) => {
    const world = doorWorld();
    const id = await endedWith(world, ['failed']);
    const runtime = { ...world.runtime, config: { ...world.runtime.config, jobs: { ...jobs } } };

    const answered = await call(
      consoleDoor(async () => runtime),
      { path: `/runs/${id}/retry`, headers: { authorization: `Bearer ${approverToken}` } },
    );

    expect(refusalOf(answered)).toMatchObject({ status, code });
    expect(world.starts).toEqual([]);
  });

  it('refuses an unknown member', async () => {
    const world = doorWorld();
    const id = await endedWith(world, ['failed']);

    expect(refusalOf(await send(world, `/runs/${id}/retry`, '{"all":true}'))).toMatchObject({
      status: 400,
      path: 'all',
    });
  });
});

describe('POST /pause and POST /resume', () => {
  const everything = { project: null, reason: 'storm', by: 'operator:alice', at: '2026-11-23T13:37:00.000Z' };

  it('pauses everything, and lifts that', async () => {
    const world = doorWorld();

    const paused = await send(world, '/pause', '{"reason":"storm"}', 'alice');
    const shown = await send(world, '/pause', '', 'bob', { method: 'GET' });
    const resumed = await send(world, '/resume', '{}', 'alice');

    expect(paused).toMatchObject({ status: 200, body: { paused: [everything] } });
    expect(shown.body).toEqual(paused.body);
    expect(resumed).toMatchObject({ status: 200, body: { paused: [] } });
    expect((await readFlags(world.state, 'staging')).pause).toBeNull();
  });

  it('pauses one project, beside everything, and lifts no other pause than the one that is named', async () => {
    const world = doorWorld();
    await send(world, '/pause', '{"reason":"storm"}', 'alice');

    const paused = await send(world, '/pause', '{"project":"staging","reason":"its own"}', 'alice');
    const resumed = await send(world, '/resume', '', 'alice');

    const own = { ...everything, project: 'staging', reason: 'its own' };
    expect(paused.body).toEqual({ paused: [everything, own] });
    expect(resumed.body).toEqual({ paused: [own] });
  });

  it('takes a new reason for a pause that stands', async () => {
    const world = doorWorld();
    await send(world, '/pause', '{"reason":"storm"}', 'alice');

    const again = await send(world, '/pause', '{"reason":"still"}', 'alice');

    expect(again.body).toEqual({ paused: [{ ...everything, reason: 'still' }] });
  });

  it('lifts what does not stand without a word', async () => {
    const world = doorWorld();

    expect(await send(world, '/resume', '', 'alice')).toMatchObject({ status: 200, body: { paused: [] } });
    expect(world.log.join()).not.toContain('resumed');
  });

  it.each([
    ['/pause', '{"project":"nobody","reason":"x"}', 422, 'project_unknown', 'project'],
    ['/resume', '{"project":"__proto__"}', 422, 'project_unknown', 'project'],
    ['/pause', '{}', 400, 'malformed', 'reason'],
    ['/pause', '{"reason":" "}', 400, 'malformed', 'reason'],
    ['/pause', '{"reason":"x","until":"noon"}', 400, 'malformed', 'until'],
    ['/resume', '{"reason":"x"}', 400, 'malformed', 'reason'],
    ['/resume', '{"project":1}', 400, 'malformed', 'project'],
  ])('refuses %s %s', async (path, body, status, code, field) => {
    const world = doorWorld();

    expect(refusalOf(await send(world, path, body, 'alice'))).toEqual({ status, code, path: field });
    expect(await readFlags(world.state, 'staging')).toEqual({ pause: null, storm: null });
  });

  it.each(['{"reason":"storm"}', '{"project":"staging","reason":"storm"}'])(
    'withdraws the approvals that are waited for: %s',
    async (body) => {
      const world = doorWorld();
      const id = await waiting(world);

      await send(world, '/pause', body, 'alice');

      const { at, by } = everything;
      expect((await readRecord(world.state, id))?.stop).toEqual({ code: 'paused', reason: 'storm', by, at });
      expect(world.answers).toEqual(['answer-1']);
    },
  );

  it.each<[string, Readonly<Record<string, Job>>]>([
    ['is gone', {}],
    ['works elsewhere', { token: { ...jobNamed('token'), project: { ...jobNamed('token').project, name: 'other' } } }],
  ])('withdraws the approval of a run whose job %s by now', async (_, jobs) => {
    const world = doorWorld();
    const id = await waiting(world);
    await tick(world);
    const runtime = { ...world.runtime, config: { ...world.runtime.config, jobs } };

    await call(
      consoleDoor(async () => runtime),
      {
        path: '/pause',
        body: '{"project":"staging","reason":"x"}',
        headers: { authorization: `Bearer ${operatorToken}` },
      },
    );

    expect((await readRecord(world.state, id))?.stop?.code).toBe('paused');
  });

  it('leaves the approvals of another project alone', async () => {
    const world = doorWorld();
    const id = await waiting(world);
    const { config } = world.runtime;
    const { staging } = config.projects;
    const runtime = {
      ...world.runtime,
      config: { ...config, projects: { ...config.projects, ...(staging && { other: { ...staging, name: 'other' } }) } },
    };

    await call(
      consoleDoor(async () => runtime),
      {
        path: '/pause',
        body: '{"project":"other","reason":"x"}',
        headers: { authorization: `Bearer ${operatorToken}` },
      },
    );

    expect((await readRecord(world.state, id))?.stop).toBeUndefined();
  });

  it('leaves runs that are going to hold by themselves', async () => {
    const world = doorWorld();
    const id = await waiting(world, { status: 'running' });

    await send(world, '/pause', '{"reason":"storm"}', 'alice');

    expect((await readRecord(world.state, id))?.stop).toBeUndefined();
  });

  it('finds a waiting run behind many others of its job', async () => {
    const world = doorWorld();
    const id = await waiting(world);
    for (let n = 0; n < 120; n++) {
      world.now += 1000;
      const receivedAt = new Date(world.now).toISOString();
      const event = { trigger: 'manual', identity: `more ${n}`, requestedBy: 'operator:alice', receivedAt } as const;
      await accept(world.runtime, jobNamed('token'), event);
    }

    await send(world, '/pause', '{"reason":"storm"}', 'alice');

    expect((await readRecord(world.state, id))?.stop?.code).toBe('paused');
  });
});

describe('a port that does not answer', () => {
  interface Step {
    readonly path: (id: string) => string;
    readonly body: string;
    readonly prepare: (world: DoorWorld) => Promise<string>;
    /** What holds once the same request has come through. */
    readonly settled: (world: DoorWorld, id: string) => Promise<unknown>;
    readonly expected: unknown;
  }

  const failed = (world: DoorWorld) => endedWith(world, ['failed']);
  const recordAt = (id: string, world: DoorWorld) => readRecord(world.state, id);

  const steps: Readonly<Record<string, Step>> = {
    approve: {
      path: (id) => `/runs/${id}/approve`,
      body: said,
      prepare: (world) => waiting(world, { event: eventOfNobody(world) }),
      settled: async (world, id) => (await recordAt(id, world))?.approval?.decision?.verdict,
      expected: 'approved',
    },
    reject: {
      path: (id) => `/runs/${id}/reject`,
      body: said,
      prepare: waiting,
      settled: async (world, id) => (await recordAt(id, world))?.approval?.decision?.verdict,
      expected: 'rejected',
    },
    cancel: {
      path: (id) => `/runs/${id}/cancel`,
      body: '',
      prepare: waiting,
      settled: async (world, id) => (await recordAt(id, world))?.stop?.code,
      expected: 'cancelled',
    },
    retry: {
      path: (id) => `/runs/${id}/retry`,
      body: '',
      prepare: failed,
      settled: async (world, id) =>
        [...new Set(world.starts)].map((start) => start === runId('prod', 'token', ['retry', id])),
      expected: [true],
    },
    pause: {
      path: () => '/pause',
      body: '{"reason":"storm"}',
      prepare: waiting,
      settled: async (world, id) => [
        (await readFlags(world.state, 'staging')).pause?.reason,
        (await recordAt(id, world))?.stop?.code,
      ],
      expected: ['storm', 'paused'],
    },
    resume: {
      path: () => '/resume',
      body: '',
      prepare: async (world) => {
        const id = await waiting(world, { status: 'running' });
        await send(world, '/pause', '{"reason":"storm"}', 'alice');
        world.calls = 0;
        return id;
      },
      settled: async (world) => (await readFlags(world.state, 'staging')).pause,
      expected: null,
    },
  };

  /** How many calls of the ports a request makes. */
  async function callsOf({ path, body, prepare }: Step): Promise<number> {
    const world = doorWorld();
    const id = await prepare(world);
    await send(world, path(id), body, 'alice');
    return world.calls;
  }

  it.each(Object.keys(steps).flatMap((word) => [false, true].map((applied) => [word, applied] as const)))(
    'at any call of %s (done all the same: %p) is told or made up for, and the same request settles it',
    async (word, applied) => {
      const step = steps[word];
      if (step === undefined) throw new Error(`no step ${word}`);
      const calls = await callsOf(step);
      const seen: unknown[] = [];
      for (let failAt = 1; failAt <= calls; failAt++) {
        const world = doorWorld();
        const id = await step.prepare(world);
        Object.assign(world, { failAt, applied });
        const first = await send(world, step.path(id), step.body, 'alice');
        Object.assign(world, { failAt: 0 });
        const second = await send(world, step.path(id), step.body, 'alice');
        await tick(world);
        expect([200, 202, 503]).toContain(first.status);
        expect([200, 202]).toContain(second.status);
        seen.push(await step.settled(world, id));
      }

      expect(calls).toBeGreaterThan(2);
      expect(seen).toEqual(Array.from({ length: calls }, () => step.expected));
    },
  );
});

// The webhook's door through the composed value that is exported: who is let in, what is refused and with which status,
// and that a refused request leaves nothing behind.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as v from 'valibot';
import { handler, webhookDoor } from '../../functions/webhook.ts';
import { sha256 } from '../../lib/canonical.ts';
import { runId } from '../../lib/event.ts';
import { readRecord } from '../../lib/record.ts';
import {
  type Answered,
  bearer,
  call,
  type DoorWorld,
  doorWorld,
  errorOf,
  eventOf,
  forgetRun,
  fromGithub,
  hookToken,
  ids,
  invoke,
  jobNamed,
  jobs,
  noon,
  olderSigningSecret,
  type Sent,
  signature,
  signingSecret,
} from '../support/door-world.ts';

const documented = [200, 202, 400, 401, 404, 405, 409, 413, 422, 503];

function deploy(body: string | Uint8Array = '', job = 'token', key = 'deploy-1'): Sent {
  return { path: `/hooks/${job}`, headers: bearer(key), body };
}

async function send(sent: Sent, world: DoorWorld = doorWorld()): Promise<Answered> {
  return await call(webhookDoor(world.open), sent);
}

async function stored(world: DoorWorld): Promise<number> {
  const lists = await Promise.all(Object.keys(jobs).map((job) => world.state.byJob(job, 1000)));
  const doors = Object.keys(jobs).flatMap((job) => [
    `hooks/${job}/bearer`,
    `hooks/${job}/standard-webhooks`,
    `hooks/${job}/github`,
  ]);
  const deliveries = await Promise.all(doors.map((door) => world.state.query(`delivery#${door}`, '')));
  return [...lists, ...deliveries].flat().length;
}

describe('a hook that is let in', () => {
  it('answers 202 with the run and where to look at it', async () => {
    const id = runId('prod', 'token', ['bearer', 'deploy-1']);

    const answered = await send(deploy());

    expect(answered).toEqual({
      status: 202,
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'cache-control': 'no-store',
        location: `/runs/${id}?key=random-1`,
      },
      body: { runId: id, status: 'accepted', statusUrl: `/runs/${id}?key=random-1` },
    });
  });

  it('stores no more of the key in its statusUrl than a hash, and logs nothing of it', async () => {
    const world = doorWorld();

    await send(deploy(), world);

    const record = await readRecord(world.state, runId('prod', 'token', ['bearer', 'deploy-1']));
    expect(record?.readKey).toEqual({ hash: sha256('random-1'), expiresAt: '2026-11-24T13:37:00.000Z' });
    expect(JSON.stringify([record, world.log])).not.toContain('random-1');
  });

  it('does not believe the Host of a request', async () => {
    const sent = deploy();

    const answered = await send({ ...sent, headers: { ...sent.headers, host: 'elsewhere.example' } });

    expect(JSON.stringify(answered)).not.toContain('elsewhere');
  });

  it('stores what was asked for and starts the run', async () => {
    const world = doorWorld();
    const body = JSON.stringify({
      instances: [ids[0].toUpperCase(), ids[1], ids[0]],
      reason: 'Grüße 🚀',
      dryRun: true,
    });

    await send(deploy(body), world);

    const id = runId('prod', 'token', ['bearer', 'deploy-1']);
    expect(world.starts).toEqual([id]);
    expect((await readRecord(world.state, id))?.event).toEqual({
      trigger: 'webhook',
      identity: ['bearer', 'deploy-1'],
      requestedBy: 'webhook:token',
      receivedAt: '2026-11-23T13:37:00.000Z',
      instances: [ids[0], ids[1]],
      reason: 'Grüße 🚀',
      dryRun: true,
    });
  });

  it.each([
    ['', 'no body'],
    [' \n', 'blanks'],
    ['{}', 'an empty object'],
  ])('takes %p for the whole target', async (body) => {
    const world = doorWorld();

    await send(deploy(body), world);

    const [record] = await world.state.byJob('token', 1);
    expect(record?.value).not.toMatchObject({ event: { instances: expect.anything() } });
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', ''])(
    'does not mind the content type %p',
    async (type) => {
      const sent = deploy('{"dryRun":true}');

      const answered = await send({ ...sent, headers: { ...sent.headers, 'content-type': type } });

      expect(answered.status).toBe(202);
    },
  );

  it.each([
    ['the secret of today', signingSecret],
    ['the secret of yesterday', olderSigningSecret],
  ])('is let in by %s', async (_name, secret) => {
    const headers = signature('{}', { secret, id: 'msg_7' });

    const answered = await send({ path: '/hooks/signed', headers, body: '{}' });

    const id = runId('prod', 'signed', ['standard-webhooks', 'msg_7']);
    expect(answered).toMatchObject({ status: 202, body: { runId: id } });
  });

  it('is verified on the bytes that API Gateway handed on in Base64', async () => {
    const bytes = Buffer.from('{"reason":"Ünïcode"}');

    const answered = await send({ path: '/hooks/signed', headers: signature(bytes), body: bytes });

    expect(answered.status).toBe(202);
  });

  it('finds its job below the stage of an API', async () => {
    const event = eventOf(deploy());
    event.rawPath = '/live/hooks/token';
    event.requestContext.stage = 'live';

    expect(await invoke(webhookDoor(doorWorld().open), event)).toMatchObject({ status: 202 });
  });

  it('reads header names in any case', async () => {
    const headers = { AUTHORIZATION: `Bearer ${hookToken}`, 'Idempotency-Key': 'deploy-1' };

    expect(await send({ path: '/hooks/token', headers })).toMatchObject({ status: 202 });
  });
});

describe('a hook that comes again', () => {
  it('answers 200 with the run as it is', async () => {
    const world = doorWorld();
    const first = await send(deploy('{"dryRun":true}'), world);

    const again = await send(deploy('{"dryRun":true}'), world);

    expect(again.status).toBe(200);
    expect(again.headers).not.toHaveProperty('location');
    expect(again.body).toEqual({
      ...v.parse(v.object({ runId: v.string() }), first.body),
      status: 'accepted',
      duplicate: true,
    });
    expect(world.starts).toHaveLength(1);
  });

  it('answers 200 also when its run is forgotten, and starts nothing', async () => {
    const world = doorWorld();
    const first = await send(deploy('{}'), world);
    const { runId } = v.parse(v.object({ runId: v.string() }), first.body);
    await forgetRun(world, runId);

    const again = await send(deploy('{}'), world);

    expect(again).toMatchObject({ status: 200, body: { runId, status: 'accepted', duplicate: true } });
    expect(await readRecord(world.state, runId)).toBeUndefined();
    expect(world.starts).toEqual([runId]);
  });

  it('with another body is refused', async () => {
    const world = doorWorld();
    await send(deploy('{}'), world);

    const again = await send(deploy('{"dryRun":true}'), world);

    expect(again.status).toBe(409);
    expect(errorOf(again).code).toBe('key_reused');
    expect(world.starts).toHaveLength(1);
  });

  it('at another job is another event', async () => {
    const world = doorWorld();
    await send(deploy('{}', 'token'), world);

    expect(await send(deploy('{}', 'whole'), world)).toMatchObject({ status: 202 });
    expect(new Set(world.starts).size).toBe(2);
  });

  it('finds its run although the job was switched off meanwhile', async () => {
    const world = doorWorld();
    await send(deploy(), world);
    const config = { ...world.runtime.config, jobs: { token: { ...jobNamed('token'), enabled: false } } };

    const again = await call(
      webhookDoor(async () => ({ ...world.runtime, config })),
      deploy(),
    );

    expect(again).toMatchObject({ status: 200, body: { duplicate: true } });
  });

  it('is the same arrival when its signature was made anew', async () => {
    const world = doorWorld();
    const at = (seconds: number): Sent => ({
      path: '/hooks/signed',
      headers: signature('{}', { at: noon + seconds * 1000 }),
      body: '{}',
    });
    await send(at(0), world);

    expect(await send(at(60), world)).toMatchObject({ status: 200, body: { duplicate: true } });
  });

  it.each([1, 2, 3, 4, 5, 6])('after port call %d failed gives one run that is started', async (failAt) => {
    const world = doorWorld();
    world.failAt = failAt;

    const first = await send(deploy(), world);
    const second = await send(deploy(), world);

    expect([202, 503]).toContain(first.status);
    expect([200, 202]).toContain(second.status);
    expect(new Set(world.starts).size).toBe(1);
    const runs = await world.state.byJob('token', 10);
    expect(runs.map(({ value }) => value)).toMatchObject([{ started: true }]);
  });
});

const deployed = { deployment_status: { state: 'success', id: 7 }, sender: { login: 'octocat' } };

function delivered(event: string, payload: unknown, job = 'github', id = 'delivery-1'): Sent {
  const body = JSON.stringify(payload);
  return { path: `/hooks/${job}`, headers: fromGithub(event, body, { id }), body };
}

const form = 'x-www-form-urlencoded';

describe('a delivery of GitHub', () => {
  it('starts a run over the whole target, with its event as the reason', async () => {
    const world = doorWorld();

    const answered = await send(delivered('deployment_status', deployed), world);

    const id = runId('prod', 'github', ['github', 'delivery-1']);
    expect(answered).toMatchObject({ status: 202, body: { runId: id, statusUrl: `/runs/${id}?key=random-1` } });
    expect((await readRecord(world.state, id))?.event).toEqual({
      trigger: 'webhook',
      identity: ['github', 'delivery-1'],
      requestedBy: 'webhook:github',
      receivedAt: '2026-11-23T13:37:00.000Z',
      reason: 'GitHub deployment_status',
    });
  });

  it('is read as a form too, and verified on its raw bytes', async () => {
    const body = `payload=${encodeURIComponent(JSON.stringify(deployed))}`;
    const headers = fromGithub('deployment_status', body, { type: 'application/x-www-form-urlencoded' });

    expect(await send({ path: '/hooks/github', headers, body: Buffer.from(body) })).toMatchObject({ status: 202 });
  });

  it('is the same when GitHub sends it again', async () => {
    const world = doorWorld();
    await send(delivered('push', deployed, 'any'), world);

    expect(await send(delivered('push', deployed, 'any'), world)).toMatchObject({
      status: 200,
      body: { status: 'accepted', duplicate: true },
    });
    expect(await send(delivered('push', {}, 'any'), world)).toMatchObject({ status: 409 });
    expect(world.starts).toHaveLength(1);
  });

  it.each<[string, Sent, string]>([
    ['ping', delivered('ping', { zen: 'Keep it logically awesome.' }), 'ping'],
    ['ping at a job that is switched off', delivered('ping', {}, 'github-off'), 'ping'],
    ['another event', delivered('workflow_run', deployed), 'the event workflow_run does not start this job'],
    [
      'another state',
      delivered('deployment_status', { deployment_status: { state: 'failure' } }),
      'deployment_status.state does not match',
    ],
    ['a state of its own', delivered('push', { state: 'success' }), 'deployment_status.state does not match'],
    ['nothing in it', delivered('push', {}), 'deployment_status.state does not match'],
  ])('with %s is answered 200 and leaves nothing behind', async (_name, sent, ignored) => {
    const world = doorWorld();

    const answered = await send(sent, world);

    expect(answered).toMatchObject({ status: 200, body: { ignored } });
    expect(await stored(world)).toBe(0);
    expect(world.starts).toEqual([]);
    expect(world.log).toEqual([expect.stringMatching(/"info".*hook ignored/)]);
  });

  const body = JSON.stringify(deployed);
  const signed = fromGithub('push', body);
  const { 'x-github-delivery': _, ...withoutId } = signed;
  const { 'x-github-event': __, ...withoutEvent } = signed;
  const smuggled = '{"message":"&payload=%7B%7D"}';

  it.each<[string, Sent, number, string]>([
    ['no signature', { path: '/hooks/any', body }, 401, 'signature_missing'],
    ['a changed body', { path: '/hooks/any', headers: signed, body: `${body} ` }, 401, 'signature_invalid'],
    ['a token instead', { path: '/hooks/any', headers: bearer('1'), body }, 401, 'signature_missing'],
    ['no id', { path: '/hooks/any', headers: withoutId, body }, 400, 'key_required'],
    ['no event', { path: '/hooks/any', headers: withoutEvent, body }, 400, 'malformed'],
    ['an odd event', { path: '/hooks/any', headers: { ...signed, 'x-github-event': 'a b' }, body }, 400, 'malformed'],
    ['a list', delivered('push', [], 'any'), 400, 'malformed'],
    ['a text', delivered('push', 'push', 'any'), 400, 'malformed'],
    ['a job that is switched off', delivered('push', {}, 'github-off'), 422, 'disabled'],
    ['no JSON', { path: '/hooks/any', headers: fromGithub('push', '{'), body: '{' }, 400, 'malformed'],
    [
      'JSON that calls itself a form',
      { path: '/hooks/any', headers: fromGithub('push', smuggled, { type: `application/${form}` }), body: smuggled },
      400,
      'malformed',
    ],
    [
      'a form with more in it',
      {
        path: '/hooks/any',
        headers: fromGithub('push', 'payload={}&a=1', { type: `application/${form}` }),
        body: 'payload={}&a=1',
      },
      400,
      'malformed',
    ],
  ])('is refused for %s', async (_name, sent, status, code) => {
    const world = doorWorld();

    const answered = await send(sent, world);

    expect({ status: answered.status, code: errorOf(answered).code }).toEqual({ status, code });
    expect(await stored(world)).toBe(0);
  });
});

const everything = JSON.stringify({ instances: [ids[0]], reason: 'x', dryRun: false });
const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;

describe('a hook that is refused', () => {
  it.each<[string, Sent, number, string]>([
    ['an unknown job', deploy('', 'nobody'), 404, 'not_found'],
    ['a job of another trigger', deploy('', 'nightly'), 404, 'not_found'],
    ['a name of the language', deploy('', '__proto__'), 404, 'not_found'],
    ['a method of the language', deploy('', 'constructor'), 404, 'not_found'],
    ['a path below', { ...deploy(), path: '/hooks/token/more' }, 404, 'not_found'],
    ['a path above', { ...deploy(), path: '/hooks/' }, 404, 'not_found'],
    ['another method', { ...deploy(), method: 'GET' }, 405, 'method_not_allowed'],
    ['no token', { path: '/hooks/token', headers: { 'idempotency-key': '1' } }, 401, 'token_missing'],
    ['a wrong token', { path: '/hooks/token', headers: bearer('1', 'nope') }, 401, 'token_invalid'],
    ['no signature', { path: '/hooks/signed', body: '{}' }, 401, 'signature_missing'],
    ['a changed body', { path: '/hooks/signed', headers: signature('{}'), body: '{ }' }, 401, 'signature_invalid'],
    [
      'an old signature',
      { path: '/hooks/signed', headers: signature('', { at: noon - 301_000 }) },
      401,
      'timestamp_outside_window',
    ],
    [
      'a clock 20 minutes ahead',
      { path: '/hooks/signed', headers: signature('', { at: noon + 1_200_000 }) },
      401,
      'timestamp_outside_window',
    ],
    [
      'a clock 20 minutes behind',
      { path: '/hooks/signed', headers: signature('', { at: noon - 1_200_000 }) },
      401,
      'timestamp_outside_window',
    ],
    ['no key', { path: '/hooks/token', headers: { authorization: `Bearer ${hookToken}` } }, 400, 'key_required'],
    ['a blank key', { path: '/hooks/token', headers: bearer('  ') }, 400, 'key_required'],
    ['a long key', { path: '/hooks/token', headers: bearer('k'.repeat(129)) }, 400, 'key_required'],
    ['a key that cannot be printed', { path: '/hooks/token', headers: bearer('kü') }, 400, 'key_required'],
    [
      'a long webhook-id',
      { path: '/hooks/signed', headers: signature('', { id: 'k'.repeat(129) }) },
      400,
      'key_required',
    ],
    ['a job that is switched off', deploy(everything, 'off'), 422, 'disabled'],
    ['instances that a hook does not take', deploy(everything, 'whole'), 422, 'instances_not_allowed'],
    ['an empty list', deploy('{"instances":[]}'), 422, 'instances_empty'],
    ['an instance outside the target', deploy(JSON.stringify({ instances: [ids[2]] }), 'two'), 422, 'outside_target'],
    ['no JSON', deploy('{"instances":'), 400, 'malformed'],
    ['two values', deploy('{} {}'), 400, 'malformed'],
    ['a list', deploy('[]'), 400, 'malformed'],
    ['a number', deploy('1'), 400, 'malformed'],
    ['null', deploy('null'), 400, 'malformed'],
    ['a text', deploy('"{}"'), 400, 'malformed'],
    ['a byte order mark', deploy('\ufeff{}'), 400, 'malformed'],
    ['bytes that are no UTF-8', deploy(Buffer.from([0x7b, 0xff, 0x7d])), 400, 'malformed'],
    ['100,000 levels', deploy(deep), 400, 'malformed'],
    ['100,000 levels inside', deploy(`{"reason":${deep}}`), 400, 'malformed'],
    ['100,000 open brackets', deploy('['.repeat(100_000)), 400, 'malformed'],
    ['a member twice', deploy('{"dryRun":true,"dryRun":false}'), 400, 'malformed'],
    ['a member twice, once in disguise', deploy('{"dryRun":true,"dry\\u0052un":false}'), 400, 'malformed'],
    ['257 KiB', deploy(`{"reason":"${'x'.repeat(257 * 1024)}"}`), 413, 'body_too_large'],
  ])('for %s', async (_name, sent, status, code) => {
    const world = doorWorld();

    const answered = await send(sent, world);

    expect({ status: answered.status, code: errorOf(answered).code }).toEqual({ status, code });
    expect(await stored(world)).toBe(0);
    expect(world.starts).toEqual([]);
  });

  it.each<[string, string[]]>([
    ['{"instance":["x"]}', ['instance']],
    ['{"a":1,"b":2,"dryRun":"yes"}', ['a', 'b', 'dryRun']],
    ['{"__proto__":{"dryRun":true}}', ['__proto__']],
    ['{"constructor":{"prototype":{}}}', ['constructor']],
    ['{"toString":1}', ['toString']],
    [JSON.stringify({ instances: [ids[0], ids[1], 'cache-3'] }), ['instances[2]']],
    [JSON.stringify({ instances: [1, null, ids[0], `${ids[0]} `] }), ['instances[0]', 'instances[1]', 'instances[3]']],
    ['{"instances":null}', ['instances']],
    ['{"instances":"11111111-1111-4111-8111-111111111111"}', ['instances']],
    ['{"instances":{"0":"x"}}', ['instances']],
    [JSON.stringify({ reason: 'x'.repeat(501) }), ['reason']],
    ['{"reason":"line\\nbreak"}', ['reason']],
    ['{"reason":"\\u001b[31mred"}', ['reason']],
    ['{"reason":"\\u2028"}', ['reason']],
    ['{"reason":"\\ud800"}', ['reason']],
    ['{"reason":1}', ['reason']],
    ['{"dryRun":1}', ['dryRun']],
    ['{"plan":"x"}', ['plan']],
  ])('names what is wrong with %s', async (body, paths) => {
    const answered = await send(deploy(body));

    expect(answered.status).toBe(400);
    expect(errorOf(answered)).toMatchObject({ code: 'malformed', details: paths.map((path) => ({ path })) });
  });

  it('names twenty faults at most, and no name in full that is very long', async () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`${index}${'x'.repeat(300)}`, 1]));

    const answered = await send(deploy(JSON.stringify(many)));

    expect(errorOf(answered).details).toHaveLength(20);
    expect(JSON.stringify(answered.body).length).toBeLessThan(5_000);
  });

  it('says which methods a path has', async () => {
    expect((await send({ ...deploy(), method: 'PUT' })).headers).toMatchObject({ allow: 'POST' });
  });

  it('judges nothing before it knows who asks', async () => {
    const answered = await send({ path: '/hooks/off', headers: bearer('1', 'nope'), body: 'no JSON' });

    expect(answered.status).toBe(401);
  });

  it.each([
    ['the state does not answer', 'token', 1, 503, 'state_unavailable'],
    ['a secret is malformed', 'broken', 0, 500, 'internal'],
    ['a secret is missing', 'keyless', 0, 500, 'internal'],
  ])('when %s, with the reason in the log only', async (_name, job, failAt, status, code) => {
    const world = doorWorld();
    world.failAt = failAt;
    const headers = { ...bearer('1'), ...signature('') };

    const answered = await send({ path: `/hooks/${job}`, headers }, world);

    expect({ status: answered.status, code: errorOf(answered).code }).toEqual({ status, code });
    expect(JSON.stringify(answered.body)).not.toMatch(/env:|port|secret|\.ts/);
    expect(world.log.filter((line) => line.includes('"error"'))).toHaveLength(1);
    expect(world.log.join()).toContain('ZhNHJhhLjoEEPiw=');
  });

  it('is written down as a refusal, without anything that it carried', async () => {
    const world = doorWorld();

    await send({ path: '/hooks/token', headers: bearer('made-up-key', 'made-up-token'), body: 'made-up-body' }, world);

    expect(world.log).toHaveLength(1);
    expect(world.log[0]).toMatch(/"info".*request refused.*token_invalid/);
    expect(world.metrics.counts).toEqual(['DoorRefusals{token_invalid} 1']);
    expect(world.log[0]).not.toMatch(/made-up/);
  });
});

describe('the door on AWS', () => {
  it('asks to send again where its environment is incomplete', async () => {
    const answered = await call(handler, deploy());

    expect(answered.status).toBe(503);
    expect(errorOf(answered)).toMatchObject({ code: 'unavailable' });
  });

  it('says no more than that it is not ready when its runtime cannot be had', async () => {
    const door = webhookDoor(() => Promise.reject(new Error('made-up detail')));

    const answered = await call(door, deploy());

    expect(answered.status).toBe(503);
    expect(JSON.stringify(answered.body)).not.toContain('made-up');
  });
});

describe('whatever is sent', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.json(),
    fc.constant(everything),
    fc.constant('{}'),
  );
  const body = fc.oneof(text, fc.uint8Array({ maxLength: 60 }));
  const name = fc.oneof(
    fc.constantFrom(...Object.keys(jobs).filter((job) => !['broken', 'keyless'].includes(job))),
    fc.string(),
  );
  const method = fc.constantFrom('POST', 'POST', 'POST', 'GET', 'PUT', 'DELETE', 'HEAD', 'X');
  const fixed = fc.oneof(
    fc.constant(bearer('k')),
    fc.string({ maxLength: 140 }).map((key) => bearer(key)),
    fc.dictionary(
      fc.constantFrom('authorization', 'webhook-id', 'webhook-timestamp', 'webhook-signature'),
      fc.string(),
    ),
  );
  type Headers = (body: string | Uint8Array) => Record<string, string>;
  const headers = fc.oneof(
    fixed.map(
      (made): Headers =>
        () =>
          made,
    ),
    fc.constant<Headers>((body) => signature(body)),
    fc.tuple(fc.constantFrom('push', 'ping', 'deployment_status', 'Push', ''), fc.constantFrom('json', form)).map(
      ([event, type]): Headers =>
        (body) =>
          fromGithub(event, body, { type: `application/${type}` }),
    ),
  );

  it('the status is a documented one, no trace comes out, and a refused request stores nothing', async () => {
    await fc.assert(
      fc.asyncProperty(name, method, headers, body, async (job, method, headers, body) => {
        const world = doorWorld();
        const sent = { path: `/hooks/${job}`, method, headers: headers(body), body };

        const answered = await send(sent, world);

        expect(documented).toContain(answered.status);
        expect(JSON.stringify(answered)).not.toMatch(/\.ts|node_modules|at Object|stack/);
        expect(await stored(world)).toBe(answered.status === 202 ? 2 : 0);
        expect(world.starts).toHaveLength(answered.status === 202 ? 1 : 0);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the examples of API Gateway and function URLs', () => {
  const shape = v.object({ headers: v.record(v.string(), v.string()), body: v.string(), isBase64Encoded: v.boolean() });

  it.each(['aws-apigw-http-v2', 'aws-apigw-http-v2-base64-body', 'aws-lambda-function-url'])(
    'reach the door: %s',
    async (file) => {
      const text = readFileSync(new URL(`../fixtures/${file}.json`, import.meta.url), 'utf8');
      const event = { ...eventOf(deploy()), ...v.parse(shape, JSON.parse(text)) };
      event.headers = { ...event.headers, ...bearer('deploy-1') };

      const answered = await invoke(webhookDoor(doorWorld().open), event);

      expect(errorOf(answered)).toMatchObject({ code: 'malformed', details: [{ path: 'job' }] });
    },
  );
});

// What a body may ask for, beyond what fits through a door; and the ids of runs, which other programs rely on.

import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DoorError } from '../lib/errors.ts';
import { readHookBody, readManualBody, runId } from '../lib/event.ts';
import { readJson } from '../lib/http.ts';
import { listensTo } from './support/alert-door.ts';
import { byIds, ids, jobNamed, jobOf } from './support/door-world.ts';

const job = jobNamed('token');

describe('runId', () => {
  it('is the job and 20 digits of SHA-256 over the JSON of stage, job and identity', () => {
    const hash = createHash('sha256').update('["prod","token",["bearer","deploy-1"]]').digest('hex');

    expect(runId('prod', 'token', ['bearer', 'deploy-1'])).toBe(`token-${hash.slice(0, 20)}`);
  });

  it('differs by stage, job and identity', () => {
    const all = [
      runId('prod', 'a', 'x'),
      runId('test', 'a', 'x'),
      runId('prod', 'b', 'x'),
      runId('prod', 'a', 'y'),
      runId('prod', 'a', ['x']),
    ];

    expect(new Set(all).size).toBe(all.length);
  });
});

describe('readHookBody', () => {
  const uuids = (count: number): string[] =>
    Array.from({ length: count }, (_, index) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`);

  it('takes 10,000 instances, however often each is named', () => {
    expect(readHookBody(job, { instances: [...uuids(10_000), ...uuids(10_000)] }).instances).toHaveLength(10_000);
  });

  it('takes no more of them', () => {
    expect(() => readHookBody(job, { instances: uuids(10_001) })).toThrow(
      expect.objectContaining({ status: 422, code: 'too_many' }),
    );
  });

  it.each([
    ['all that the target names', [ids[0], ids[1]], []],
    ['what the target names, in upper case', [ids[0].toUpperCase()], []],
    ['one that the target does not name', [ids[0], ids[2]], ['outside_target']],
  ])('judges %s', (_name, instances, codes) => {
    expect(codesOf(() => readHookBody(jobNamed('two'), { instances }))).toEqual(codes);
  });

  it('counts what a target of ids excludes as outside', () => {
    const target = { ...byIds, exclude: { ...byIds.exclude, ids: [ids[1].toUpperCase()] } };
    const narrowed = jobOf('narrowed', job.trigger, { target });

    expect(codesOf(() => readHookBody(narrowed, { instances: [ids[1]] }))).toEqual(['outside_target']);
  });

  it('leaves ids of a target given by tags to the run, which alone can tell', () => {
    expect(readHookBody(job, { instances: [ids[2]] })).toEqual({ instances: [ids[2]] });
  });

  it('throws nothing but a refusal, whatever the body is', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true }), (body) => {
        expect(codesOf(() => readHookBody(job, body)).length).toBeLessThanOrEqual(1);
        expect(codesOf(() => readManualBody(job, body)).length).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('an alert in the body of a manual run', () => {
  const fix = jobOf('fix', listensTo('High'), { target: byIds });
  const alert = (dcs_instance_id: string) => ({ status: 'firing', labels: { dcs_instance_id }, fingerprint: 'f' });

  it.each([
    [alert(ids[1].toUpperCase()), { instances: [ids[1]] }],
    [{ annotations: { dcs_instance_id: 'cache-orders' } }, { reference: { by: 'name', value: 'cache-orders' } }],
  ])('%j names its instance', (event, expected) => {
    expect(readManualBody(fix, { event, dryRun: true })).toEqual({ ...expected, dryRun: true });
  });

  it.each([
    ['no_instance', { event: { labels: { alertname: 'High' } } }],
    ['outside_target', { event: alert(ids[2]) }],
    ['event_not_allowed', { event: alert(ids[0]), instances: [ids[0]] }],
    ['malformed', { event: { labels: { dcs_instance_id: 7 } } }],
  ])('is refused with %s', (code, body) => {
    expect(codesOf(() => readManualBody(fix, body))).toEqual([code]);
  });
});

describe('readJson', () => {
  it('reads what JSON.parse reads, but for members that are there twice', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(readJson(Buffer.from(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each(['{"a":{"b":1},"b":{"b":2}}', '{"a":"b\\":","b":["a","a"]}', '{"a":["x",{"c":1},{"c":2}]}', '["a","a"]'])(
    'sees nothing twice in %s',
    (text) => {
      expect(readJson(Buffer.from(text))).toEqual(JSON.parse(text));
    },
  );

  it('throws nothing but a refusal, whatever the bytes are', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.string().map((text) => Buffer.from(`{"${text}`)),
        ),
        (bytes) => {
          expect(codesOf(() => readJson(bytes)).length).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it.each([
    `{"a":"${'\\"'.repeat(130_000)}"}`,
    '"'.repeat(262_144),
    '{"a":'.repeat(50_000),
    `"${'\\'.repeat(262_000)}`,
  ])('reads 256 KiB of anything without going back over it: %.20s', (text) => {
    expect(codesOf(() => readJson(Buffer.from(text))).length).toBeLessThanOrEqual(1);
  });
});

/** The code of the refusal, if any; anything else that is thrown is a bug. */
function codesOf(work: () => unknown): string[] {
  try {
    work();
    return [];
  } catch (error) {
    if (error instanceof DoorError) return [error.code];
    throw error;
  }
}

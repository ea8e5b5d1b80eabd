// The signature, held against worked examples and against the signer of the official SDK.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as v from 'valibot';
import { encodePath, encodeQuery, sdkDate, sign } from '../../lib/huawei/sign.ts';

const scalar = v.pipe(v.union([v.string(), v.number(), v.boolean()]), v.transform(String));
const vectorSchema = v.object({
  name: v.string(),
  input: v.object({
    ak: v.string(),
    sk: v.string(),
    securityToken: v.optional(v.string()),
    projectId: v.optional(v.string()),
    domainId: v.optional(v.string()),
    sdkDate: v.string(),
    method: v.string(),
    endpoint: v.string(),
    path: v.string(),
    query: v.record(v.string(), v.union([scalar, v.array(scalar)])),
    body: v.nullable(v.string()),
  }),
  expected: v.object({
    headers: v.record(v.string(), v.string()),
    canonicalRequest: v.string(),
    stringToSign: v.string(),
  }),
});
const fixture = new URL('../fixtures/signing-vectors.json', import.meta.url);
const { vectors } = v.parse(v.object({ vectors: v.array(vectorSchema) }), JSON.parse(readFileSync(fixture, 'utf8')));

/** `20261123T133700Z` as a date. */
function dateOf(stamp: string): Date {
  return new Date(stamp.replace(/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/, '$1-$2-$3T$4:$5:$6Z'));
}

interface OfficialRequest {
  readonly method: string;
  readonly endpoint: string;
  readonly queryParams: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly data: unknown;
}

interface OfficialModule {
  readonly AKSKSigner: { sign(request: OfficialRequest, credential: { getAk(): string; getSk(): string }): unknown };
}

/** The official signer alone: the package's main entry needs `uuid`, writes into the home folder and logs. */
function officialSign(request: OfficialRequest, ak: string, sk: string): string {
  const load: (path: string) => OfficialModule = createRequire(import.meta.url);
  const { AKSKSigner } = load('@huaweicloud/huaweicloud-sdk-core/auth/AKSKSigner.js');
  const headers = AKSKSigner.sign(request, { getAk: () => ak, getSk: () => sk });
  return v.parse(v.object({ Authorization: v.string() }), headers).Authorization;
}

describe('sign', () => {
  it('is tested with all nine worked examples', () => {
    expect(vectors).toHaveLength(9);
  });

  it.each(vectors.map((vector) => [vector.name, vector] as const))('equals the worked example %s', (_name, vector) => {
    const { input, expected } = vector;
    const scope = {
      ...(input.projectId === undefined ? {} : { 'X-Project-Id': input.projectId }),
      ...(input.domainId === undefined ? {} : { 'X-Domain-Id': input.domainId }),
    };
    const headers = { 'content-type': 'application/json', host: new URL(input.endpoint).host, ...scope };
    const credentials = {
      ak: input.ak,
      sk: input.sk,
      ...(input.securityToken === undefined ? {} : { securityToken: input.securityToken }),
    };

    const request = { method: input.method, path: input.path, query: input.query, headers, body: input.body ?? '' };
    const signed = sign(request, credentials, dateOf(input.sdkDate));

    expect(signed.canonicalRequest).toBe(expected.canonicalRequest);
    expect(signed.stringToSign).toBe(expected.stringToSign);
    expect(signed.headers).toEqual(expected.headers);
  });

  it('equals the official signer on any request', () => {
    fc.assert(
      fc.property(requests, (request) => {
        const { method, host, path, query, extra, data, ak, sk, date } = request;
        const headers = { 'content-type': 'application/json', host, ...extra };
        const body = data === null ? '' : JSON.stringify(data);

        const ours = sign({ method, path, query, headers, body }, { ak, sk }, date);
        const official = officialSign(
          {
            method,
            endpoint: `https://${host}${path}`,
            queryParams: structuredClone(query),
            headers: { ...headers, 'X-Sdk-Date': sdkDate(date) },
            data: data ?? undefined,
          },
          ak,
          sk,
        );

        expect(ours.headers).toMatchObject({ Authorization: official });
      }),
      { numRuns: 500 },
    );
  });

  it('signs the token of a temporary key like the official signer', () => {
    const headers = { 'content-type': 'application/json', host: 'dcs.example.com' };
    const securityToken = 'made/up+token==';
    const date = new Date('2026-11-23T13:37:00.999Z');

    const ours = sign(
      { method: 'GET', path: '/v2', query: {}, headers, body: '' },
      { ak: 'EXAMPLEAK', sk: 'examplesk', securityToken },
      date,
    );
    const official = officialSign(
      {
        method: 'GET',
        endpoint: 'https://dcs.example.com/v2',
        queryParams: {},
        headers: { ...headers, 'X-Sdk-Date': '20261123T133700Z', 'X-Security-Token': securityToken },
        data: undefined,
      },
      'EXAMPLEAK',
      'examplesk',
    );

    expect(ours.headers).toMatchObject({ Authorization: official, 'X-Security-Token': securityToken });
  });

  it('signs a header without the spaces around it, as it arrives', () => {
    const request = { method: 'GET', path: '/', query: {}, headers: { Host: ' dcs.example.com ' }, body: '' };

    const signed = sign(request, { ak: 'EXAMPLEAK', sk: 'examplesk' }, new Date(0));

    expect(signed.canonicalRequest).toContain('\nhost:dcs.example.com\n');
  });

  it('never puts the secret key into what it returns', () => {
    const request = { method: 'GET', path: '/', query: {}, headers: { host: 'dcs.example.com' }, body: '' };

    const signed = sign(request, { ak: 'EXAMPLEAK', sk: 'examplesecretkey' }, new Date(0));

    expect(JSON.stringify(signed)).not.toContain('examplesecretkey');
  });
});

describe('encodePath', () => {
  it.each([
    ['', ''],
    ['/', '/'],
    ['/v2/a b', '/v2/a%20b'],
    ["/!'()*", '/%21%27%28%29%2A'],
    ['/-_.~', '/-_.~'],
    ['/ü😀', '/%C3%BC%F0%9F%98%80'],
    ['/\ud800', '/%EF%BF%BD'],
  ])('turns %j into %j', (path, encoded) => {
    expect(encodePath(path)).toBe(encoded);
  });
});

describe('encodeQuery', () => {
  it.each([
    [{}, ''],
    [{ b: '1', a: '2', B: '3' }, 'B=3&a=2&b=1'],
    [{ a: '' }, 'a='],
    [{ a: ['2', '10', ''] }, 'a=&a=10&a=2'],
    [{ a: [] }, ''],
    [{ tags: 'env=prod,team=a' }, 'tags=env%3Dprod%2Cteam%3Da'],
  ])('turns %j into %j', (query, encoded) => {
    expect(encodeQuery(query)).toBe(encoded);
  });
});

const token = fc.stringMatching(/^[A-Za-z0-9]{1,40}$/);
// Without `?` and `#`, which end a path, and what Node's url.parse (inside the official signer) escapes on its own.
const segment = fc.stringMatching(/^[A-Za-z0-9\-_.~!$&()*+,;=:@%äöü€漢😀]{0,12}$/u);
const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const requests = fc.record({
  method: fc.constantFrom('GET', 'PUT', 'POST', 'DELETE'),
  host: fc.constantFrom('dcs.example.com', '127.0.0.1:8788'),
  path: fc.array(segment, { minLength: 1, maxLength: 5 }).map((segments) => `/${segments.join('/')}`),
  query: fc.dictionary(text, fc.oneof(text, fc.array(text, { maxLength: 3 })), { maxKeys: 5, noNullPrototype: true }),
  extra: fc.dictionary(
    fc.stringMatching(/^x-[a-z0-9]{1,8}$/).map((name) => `${name.toUpperCase()}y`),
    fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/),
    { maxKeys: 4, noNullPrototype: true },
  ),
  data: fc.option(fc.oneof(fc.object(), fc.array(text)), { nil: null }),
  ak: token,
  sk: fc.stringMatching(/^[!-~]{1,40}$/),
  date: fc.date({ min: new Date('2020-01-01T00:00:00Z'), max: new Date('2099-12-31T23:59:59Z'), noInvalidDate: true }),
});

// The gateway's side of the signature, against requests that the vendor's own SDK signed.

import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import { type ReceivedRequest, SignatureGate, signatureOf } from '../../../lib/local/simulator/signature.ts';
import type { WireError } from '../../../lib/local/simulator/wire-errors.ts';

const text = v.union([v.string(), v.number(), v.boolean()]);
const vectorsSchema = v.object({
  vectors: v.array(
    v.object({
      name: v.string(),
      input: v.object({
        ak: v.string(),
        sk: v.string(),
        securityToken: v.optional(v.string()),
        sdkDate: v.string(),
        method: v.string(),
        path: v.string(),
        query: v.record(v.string(), v.union([text, v.array(text)])),
        body: v.nullable(v.string()),
      }),
      expected: v.object({ headers: v.record(v.string(), v.string()) }),
    }),
  ),
});
const file = readFileSync(new URL('../../fixtures/signing-vectors.json', import.meta.url), 'utf8');
const { vectors } = v.parse(v.pipe(v.string(), v.parseJson(), vectorsSchema), file);
type Vector = (typeof vectors)[number];

const project = '0a1b2c3d4e5f60718293a4b5c6d7e8f9';
const minute = 60_000;
const nothing = new Uint8Array();

function requestOf({ input, expected }: Vector): ReceivedRequest {
  const pairs = Object.entries(input.query).flatMap(([key, value]) => [value].flat().map((one) => [key, String(one)]));
  const query = pairs.map((pair) => pair.map(encodeURIComponent).join('=')).join('&');
  const headers = Object.entries(expected.headers).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    method: input.method,
    url: query === '' ? input.path : `${input.path}?${query}`,
    headers: Object.fromEntries(headers),
    body: new TextEncoder().encode(input.body ?? ''),
  };
}

function vector(name: string): Vector {
  const found = vectors.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no vector ${name}`);
  return found;
}

function timeOf({ input }: Vector): number {
  return Date.parse(input.sdkDate.replace(/(....)(..)(..T..)(..)(..Z)/, '$1-$2-$3:$4:$5'));
}

function gateFor(one: Vector, now: () => number = () => timeOf(one)): SignatureGate {
  const { ak, sk, securityToken } = one.input;
  const key = securityToken === undefined ? { ak, sk } : { ak, sk, securityToken };
  return new SignatureGate({ key: (ak) => (ak === key.ak ? key : undefined), now });
}

/** Why it was refused, or null. */
function refusalOf(gate: SignatureGate, request: ReceivedRequest): WireError | null {
  const answer = gate.check(request);
  return 'code' in answer ? answer : null;
}

const restart = vector('put-status-restart');
const temporary = vector('put-status-flush-security-token');

function badlySigned(one: Vector): ReceivedRequest {
  return { ...requestOf(one), body: new TextEncoder().encode('{"instances":[],"action":"flush"}') };
}

/** Signed by hand over the payload hash that it claims, as no honest signer would. */
function signed(request: ReceivedRequest, claimed = sha256('')): ReceivedRequest {
  const { ak, sk, sdkDate } = restart.input;
  const headers = { ...request.headers, 'x-sdk-date': sdkDate };
  const names = Object.keys(headers).toSorted();
  const lines = Object.entries(headers)
    .toSorted(([first], [second]) => (first < second ? -1 : 1))
    .map(([name, value]) => `${name}:${value}\n`);
  const canonical = [request.method, `${request.url}/`, '', lines.join(''), names.join(';'), claimed].join('\n');
  const signature = createHmac('sha256', sk)
    .update(`SDK-HMAC-SHA256\n${sdkDate}\n${sha256(canonical)}`)
    .digest('hex');
  const authorization = `SDK-HMAC-SHA256 Access=${ak}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { ...request, headers: { ...headers, authorization } };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

describe('a request that the official SDK signed', () => {
  it.each(vectors.map((one) => [one.name, one] as const))('is let in: %s', (_, one) => {
    const gate = gateFor(one);

    const refusal = refusalOf(gate, requestOf(one));

    expect(refusal).toBeNull();
  });

  it('is signed over its path with a slash at the end, whether or not the slash was sent', () => {
    const request = requestOf(restart);
    const signed = 'content-type;host;x-project-id;x-sdk-date';

    const signatures = [request.url, `${request.url}/`].map((url) =>
      signatureOf({ ...request, url }, signed, restart.input.sdkDate, restart.input.sk),
    );

    expect(new Set(signatures).size).toBe(1);
  });
});

describe('a request that is not authentic', () => {
  const request = requestOf(restart);
  const { headers } = request;
  it.each<[string, ReceivedRequest, string]>([
    [
      'no Authorization',
      { ...request, headers: { ...headers, authorization: undefined } },
      'authorization format error',
    ],
    [
      'another scheme',
      { ...request, headers: { ...headers, authorization: 'Bearer x' } },
      'authorization format error',
    ],
    ['another body', badlySigned(restart), 'verify aksk signature fail'],
    ['another method', { ...request, method: 'POST' }, 'verify aksk signature fail'],
    ['another query', { ...request, url: `${request.url}?limit=1` }, 'verify aksk signature fail'],
    ['another host', { ...request, headers: { ...headers, host: 'dcs.example.com' } }, 'verify aksk signature fail'],
    ['no signed header', { ...request, headers: { ...headers, host: undefined } }, 'verify aksk signature fail'],
    ['no date', { ...request, headers: { ...headers, 'x-sdk-date': undefined } }, 'x-sdk-date must be signed'],
    ['a token too many', { ...request, headers: { ...headers, 'x-security-token': 'x' } }, 'decrypt token fail'],
    [
      'a false payload hash',
      { ...request, headers: { ...headers, 'x-sdk-content-sha256': 'f'.repeat(64) } },
      'verify aksk signature fail',
    ],
  ])('is refused with 401 APIGW.0301: %s', (_, received, detail) => {
    const refusal = refusalOf(gateFor(restart), received);

    expect(refusal).toMatchObject({ status: 401, code: 'APIGW.0301', message: expect.stringContaining(detail) });
  });

  it('is refused when the key is not known', () => {
    const gate = new SignatureGate({ key: () => undefined, now: () => timeOf(restart) });

    const refusal = refusalOf(gate, request);

    expect(refusal?.message).toContain('ak not exist');
  });

  it.each([
    ['without its token', { ...requestOf(temporary).headers, 'x-security-token': undefined }],
    ['with another token', { ...requestOf(temporary).headers, 'x-security-token': 'made-up' }],
  ])('is refused when a temporary key comes %s', (_, changed) => {
    const refusal = refusalOf(gateFor(temporary), { ...requestOf(temporary), headers: changed });

    expect(refusal?.message).toContain('decrypt token fail');
  });

  it.each([
    [1, null],
    [0, 'APIGW.0301'],
    [-1, 'APIGW.0301'],
  ])('is one of a temporary key that expires in %i ms: %s', (left, code) => {
    const now = timeOf(temporary);
    const { ak, sk, securityToken = '' } = temporary.input;
    const key = { ak, sk, securityToken, expiresAt: now + left };
    const gate = new SignatureGate({ key: () => key, now: () => now });

    const refusal = refusalOf(gate, requestOf(temporary));

    expect(refusal?.code ?? null).toBe(code);
  });

  it.each([
    ['UNSIGNED-PAYLOAD', null],
    ['1e4ca55a0f1c2b7d7b5a1b1e3a7e0c5d1e4ca55a0f1c2b7d7b5a1b1e3a7e0c5d', 'APIGW.0301'],
    ['e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', null],
  ])('is one that signs a false hash of its body: %s', (claimed, code) => {
    const headers = { 'x-sdk-content-sha256': claimed };
    const request = { method: 'GET', url: `/v2/${project}/instances`, headers, body: nothing };

    const refusal = refusalOf(gateFor(restart), signed(request, claimed));

    expect(refusal?.code ?? null).toBe(code);
  });
});

describe('the time of a request', () => {
  it.each([
    [-20 * minute, false],
    [-15 * minute - 1_000, false],
    [-15 * minute, true],
    [0, true],
    [15 * minute, true],
    [15 * minute + 1_000, false],
    [20 * minute, false],
  ])('may be %i ms off the clock: %s', (offset, allowed) => {
    const gate = gateFor(restart, () => timeOf(restart) + offset);

    const refusal = refusalOf(gate, requestOf(restart));

    expect(refusal === null).toBe(allowed);
  });

  it('is told in the refusal when it is too far off', () => {
    const refusal = refusalOf(
      gateFor(restart, () => timeOf(restart) + 20 * minute),
      requestOf(restart),
    );

    expect(refusal?.message).toContain('signature expired');
  });
});

describe('a key that fails more than five times in a row', () => {
  function failing(times: number, now: () => number): SignatureGate {
    const gate = gateFor(restart, now);
    for (let count = 0; count < times; count += 1) refusalOf(gate, badlySigned(restart));
    return gate;
  }

  it.each([
    [5, null],
    [6, 'AK access failed to reach the limit,forbidden'],
  ])('is locked, even for a good request: after %i failures %s', (times, detail) => {
    const gate = failing(times, () => timeOf(restart));

    const refusal = refusalOf(gate, requestOf(restart));

    expect(refusal?.message ?? null).toEqual(detail === null ? null : expect.stringContaining(detail));
  });

  it('is free again after five minutes', () => {
    let now = timeOf(restart);
    const gate = failing(6, () => now);

    now += 5 * minute - 1;
    const before = refusalOf(gate, requestOf(restart));
    now += 1;
    const after = refusalOf(gate, requestOf(restart));

    expect([before?.code, after]).toEqual(['APIGW.0301', null]);
  });

  it('starts to count anew after a good request', () => {
    const gate = failing(5, () => timeOf(restart));
    refusalOf(gate, requestOf(restart));
    for (let count = 0; count < 5; count += 1) refusalOf(gate, badlySigned(restart));

    const refusal = refusalOf(gate, requestOf(restart));

    expect(refusal).toBeNull();
  });
});

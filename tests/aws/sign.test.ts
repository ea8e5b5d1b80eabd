// Signature Version 4 against the published test suite, and against the signer of the official SDK for anything else.

import { createHash, createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { type AwsRequest, awsEncode, awsQuery, signAws } from '../../lib/aws/sign.ts';

// Made up by AWS for its own documentation.
const credentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
};
const scope = { region: 'us-east-1', service: 'service' };
const date = new Date('2015-08-30T12:36:00Z');

const vanilla: AwsRequest = {
  method: 'GET',
  path: '/',
  query: {},
  headers: { Host: 'example.amazonaws.com' },
  body: '',
};

function signatureOf(request: AwsRequest): string {
  return signAws(request, credentials, scope, date)['authorization'] ?? '';
}

describe('the published test suite', () => {
  test.each([
    ['get-vanilla', vanilla, '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
    [
      'get-vanilla-query-order-key-case',
      { ...vanilla, query: { Param2: 'value2', Param1: 'value1' } },
      'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    ],
    [
      'post-vanilla',
      { ...vanilla, method: 'POST' },
      '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
    ],
  ])('%s', (_, request, expected) => {
    expect(signatureOf(request)).toContain(
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date',
    );
    expect(signatureOf(request)).toContain(`Signature=${expected}`);
  });
});

describe('any request', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 12 });
  const name = fc.stringMatching(/^[a-z][a-z-]{0,10}$/).filter((each) => !ignored.has(each));
  const value = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
  const ignored = new Set([
    'host',
    'authorization',
    'connection',
    'expect',
    'from',
    'pragma',
    'referer',
    'te',
    'trailer',
  ]);
  const requests = fc.record({
    method: fc.constantFrom('GET', 'POST'),
    path: fc.array(text, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.map(awsEncode).join('/')}`),
    query: fc.dictionary(
      text.filter((each) => each !== '' && !/^x-amz-/i.test(each)),
      text,
      { maxKeys: 4 },
    ),
    headers: fc.dictionary(name, value, { maxKeys: 4 }),
    body: text,
    token: fc.option(fc.stringMatching(/^[A-Za-z0-9+/]{1,20}$/), { nil: undefined }),
  });

  test('is signed as the official SDK signs it', async () => {
    await fc.assert(
      fc.asyncProperty(requests, async ({ token, ...made }) => {
        // The SDK resolves dots and empty segments; we never send such a path.
        fc.pre(made.path.split('/').every((part, at) => (part !== '' || at === 0) && !/^\.\.?$/.test(part)));
        const request = { ...made, headers: { ...made.headers, host: 'example.amazonaws.com' } };
        const keys = { ...credentials, ...(token === undefined ? {} : { sessionToken: token }) };
        const ours = signAws(request, keys, scope, date);

        const theirs = await official(request, keys);

        expect(ours['authorization']).toBe(theirs);
      }),
      { numRuns: 200 },
    );
  });

  test('has the session token among its signed headers', () => {
    const signed = signAws(vanilla, { ...credentials, sessionToken: 'token-1' }, scope, date);

    expect(signed['x-amz-security-token']).toBe('token-1');
    expect(signed['authorization']).toContain('SignedHeaders=host;x-amz-date;x-amz-security-token,');
  });

  test('does not show its secret key', () => {
    expect(JSON.stringify(signAws(vanilla, credentials, scope, date))).not.toContain(credentials.secretAccessKey);
  });

  test('has its parameters in its URL as they are signed', () => {
    expect(awsQuery({ b: 'x y', a: 'é*', 'a-1': '' })).toBe('a=%C3%A9%2A&a-1=&b=x%20y');
  });
});

type Source = ConstructorParameters<typeof DataView>[0] | string | ArrayBufferView;

class Sha256 {
  readonly #hash;
  constructor(secret?: Source) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }
  update(data: Source): void {
    this.#hash.update(bytesOf(data));
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {}
}

function bytesOf(source: Source): string | Buffer {
  if (typeof source === 'string') return source;
  return ArrayBuffer.isView(source)
    ? Buffer.from(source.buffer, source.byteOffset, source.byteLength)
    : Buffer.from(source);
}

async function official(request: AwsRequest, keys: typeof credentials): Promise<string | undefined> {
  const signer = new SignatureV4({ ...scope, credentials: keys, sha256: Sha256, applyChecksum: false });
  const signed = await signer.sign(
    { ...request, protocol: 'https:', hostname: 'example.amazonaws.com' },
    { signingDate: date },
  );
  return signed.headers['authorization'];
}

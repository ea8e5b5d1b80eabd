// Who is let in: the published forms of standard-webhooks and of GitHub, bearer tokens, two live secrets, and what a wrong one gives.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as v from 'valibot';
import type { NamedSecret } from '../lib/authentic.ts';
import type { Ref, WebhookTrigger } from '../lib/config.ts';
import { DoorError, EnvironmentError } from '../lib/errors.ts';
import { authenticate, githubFault, signatureFault, tokenFault } from '../lib/signature.ts';
import {
  bearer,
  doorWorld,
  githubSignature,
  hookToken,
  noon,
  olderSigningSecret,
  signature,
  signingSecret,
} from './support/door-world.ts';

const fixture = v.parse(
  v.object({
    secret: v.string(),
    previousSecret: v.string(),
    request: v.object({ headers: v.record(v.string(), v.string()), rawBody: v.string() }),
  }),
  JSON.parse(readFileSync(new URL('./fixtures/signed-webhook-standard-webhooks.json', import.meta.url), 'utf8')),
);

const github = v.parse(
  v.object({
    secret: v.string(),
    request: v.object({ headers: v.record(v.string(), v.string()), rawBody: v.string() }),
    vector2: v.object({ secret: v.string(), rawBody: v.string(), signature: v.string() }),
  }),
  JSON.parse(readFileSync(new URL('./fixtures/signed-webhook-github-style.json', import.meta.url), 'utf8')),
);

const body = Buffer.from(fixture.request.rawBody);

function named(...values: string[]): NamedSecret[] {
  return values.map((value, index) => ({ ref: `env:SECRET_${index}`, value }));
}

function fault(headers: Record<string, string>, at = noon, secrets = named(signingSecret)): string | undefined {
  return signatureFault(headers, body, secrets, at);
}

describe('signatureFault', () => {
  it.each([
    ['the secret of today', named(fixture.secret)],
    ['the secret of yesterday', named(fixture.previousSecret)],
    ['both', named(fixture.previousSecret, fixture.secret)],
    ['a third one beside it', named('whsec_YW5vdGhlci1leGFtcGxlLWtleS1vZi10aGlydHktdHdv', fixture.secret)],
    ['a line end after it', named(`${fixture.secret}\n`)],
  ])('lets the published request in with %s', (_name, secrets) => {
    expect(fault(fixture.request.headers, noon, secrets)).toBeUndefined();
  });

  it('refuses the published request under another secret', () => {
    const secrets = named('whsec_YW5vdGhlci1leGFtcGxlLWtleS1vZi10aGlydHktdHdv');

    expect(fault(fixture.request.headers, noon, secrets)).toBe('signature_invalid');
  });

  it.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'])('refuses a request without %s', (name) => {
    const { [name]: _, ...headers } = signature(body);

    expect(fault(headers)).toBe('signature_missing');
    expect(fault({ ...headers, [name]: '' })).toBe('signature_missing');
  });

  it.each([
    [0, undefined],
    [300, undefined],
    [300.999, undefined],
    [-300, undefined],
    [301, 'timestamp_outside_window'],
    [-301, 'timestamp_outside_window'],
    [1200, 'timestamp_outside_window'],
    [-1200, 'timestamp_outside_window'],
  ])('with our clock %d s ahead of the sender gives %s', (seconds, expected) => {
    expect(fault(signature(body), noon + seconds * 1000)).toBe(expected);
  });

  it.each(['', 'v1', 'v1,', 'v1a,AAAA', 'v2,AAAA', 'v1,AAAA', 'x'.repeat(9000), 'v1, v1, v1,'])(
    'refuses the signature %p',
    (value) => {
      const headers = { ...signature(body), 'webhook-signature': value };

      expect(fault(headers)).toBe(value === '' ? 'signature_missing' : 'signature_invalid');
    },
  );

  it.each(['now', '1e9', '-1', '1795441020.0', ' 1', '9'.repeat(400)])('refuses the timestamp %p', (value) => {
    expect(fault({ ...signature(body), 'webhook-timestamp': value })).toBe('signature_invalid');
  });

  it('signs the id and the timestamp too', () => {
    const headers = signature(body);

    expect(fault({ ...headers, 'webhook-id': 'msg_2' })).toBe('signature_invalid');
    expect(fault({ ...headers, 'webhook-timestamp': String(noon / 1000 + 1) })).toBe('signature_invalid');
  });

  it('verifies the bytes that were sent, also where they are no text', () => {
    const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x80]);

    expect(signatureFault(signature(bytes), bytes, named(signingSecret), noon)).toBeUndefined();
  });

  it('lets in exactly what was signed with the secret', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (sent, arrived) => {
        const same = Buffer.compare(sent, arrived) === 0;

        const found = signatureFault(signature(sent), arrived, named(signingSecret), noon);

        expect(found).toBe(same ? undefined : 'signature_invalid');
      }),
    );
  });

  it.each([
    '',
    'whsec_',
    'whsec_c2hvcnQ=',
    `whsec_${Buffer.alloc(23).toString('base64')}`,
    `whsec_${Buffer.alloc(65).toString('base64')}`,
    Buffer.alloc(32).toString('base64'),
    'whsec_not base64 at all, but long enough',
  ])('says which secret is malformed and not what it is: %p', (value) => {
    const secrets: NamedSecret[] = [{ ref: 'env:DEPLOY_HOOK', value }];

    const thrown = caught(() => signatureFault(signature(body), body, secrets, noon));

    expect(thrown).toBeInstanceOf(EnvironmentError);
    expect(thrown).toMatchObject({ code: 'secret_malformed', message: expect.stringContaining('env:DEPLOY_HOOK') });
    expect(String(thrown)).not.toMatch(/whsec_\S/);
    expect(String(thrown)).not.toContain(Buffer.alloc(20).toString('base64').slice(0, 20));
  });

  it.each([24, 32, 64])('takes a key of %d bytes', (length) => {
    const secret = `whsec_${Buffer.alloc(length, 7).toString('base64')}`;

    expect(fault(signature(body, { secret }), noon, named(secret))).toBeUndefined();
  });
});

describe('githubFault', () => {
  const { vector2 } = github;
  const published = { 'x-hub-signature-256': vector2.signature };
  const rawBody = Buffer.from(vector2.rawBody);

  it.each([
    ['the secret of today', named(vector2.secret)],
    ['the second of two', named('another-made-up-secret', vector2.secret)],
    ['a line end after it', named(`${vector2.secret}\n`)],
  ])('lets the vector of GitHub’s documentation in with %s', (_name, secrets) => {
    expect(vector2.signature).toMatch(/^sha256=757107ea/);
    expect(githubFault(published, rawBody, secrets)).toBeUndefined();
  });

  it('lets the request of the fixture in', () => {
    const { headers, rawBody } = github.request;

    expect(githubFault(headers, Buffer.from(rawBody), named(github.secret))).toBeUndefined();
  });

  it.each([
    ['', 'signature_missing'],
    ['sha256=', 'signature_invalid'],
    [vector2.signature.slice('sha256='.length), 'signature_invalid'],
    [vector2.signature.toUpperCase(), 'signature_invalid'],
    [`${vector2.signature} `, 'signature_invalid'],
    [`${vector2.signature},${vector2.signature}`, 'signature_invalid'],
    [vector2.signature.replace('sha256', 'sha1'), 'signature_invalid'],
    [vector2.signature.slice(0, -2), 'signature_invalid'],
    [`sha256=${'0'.repeat(64)}`, 'signature_invalid'],
  ])('refuses the signature %p', (value, expected) => {
    expect(githubFault({ 'x-hub-signature-256': value }, rawBody, named(vector2.secret))).toBe(expected);
  });

  it('does not look at the older header of GitHub', () => {
    expect(githubFault({ 'x-hub-signature': vector2.signature }, rawBody, named(vector2.secret))).toBe(
      'signature_missing',
    );
  });

  it('lets in exactly what was signed with the secret', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (sent, arrived) => {
        const same = Buffer.compare(sent, arrived) === 0;

        const found = githubFault(githubSignature(sent), arrived, named(hookToken));

        expect(found).toBe(same ? undefined : 'signature_invalid');
      }),
    );
  });

  it.each(['', '\n', '\r\n'])('says that %p is no secret', (value) => {
    const thrown = caught(() => githubFault(published, rawBody, [{ ref: 'env:GITHUB', value }]));

    expect(thrown).toMatchObject({ code: 'secret_malformed', message: expect.stringContaining('env:GITHUB') });
  });
});

describe('tokenFault', () => {
  it.each([
    ['Bearer one', undefined],
    ['bearer one', undefined],
    ['BEARER   two', undefined],
    ['Bearer three', 'token_invalid'],
    ['Bearer on', 'token_invalid'],
    ['Bearer onee', 'token_invalid'],
    ['Bearer one,Bearer two', 'token_missing'],
    ['Bearer ', 'token_missing'],
    ['Bearer', 'token_missing'],
    ['Basic b25l', 'token_missing'],
    ['one', 'token_missing'],
    ['', 'token_missing'],
  ])('for %p gives %s', (authorization, expected) => {
    expect(tokenFault({ authorization }, named('one', 'two'))).toBe(expected);
  });

  it('misses the header', () => {
    expect(tokenFault({}, named('one'))).toBe('token_missing');
  });

  it.each(['', '  ', 'two words'])('says that %p is no token', (value) => {
    const thrown = caught(() => tokenFault({ authorization: 'Bearer one' }, [{ ref: 'env:TOKEN', value }]));

    expect(thrown).toMatchObject({ code: 'secret_malformed', message: expect.stringContaining('env:TOKEN') });
  });
});

describe('authenticate', () => {
  const signed: WebhookTrigger = {
    type: 'webhook',
    auth: 'standard-webhooks',
    secrets: ['env:SIGNING'],
    instances: 'subset',
  };
  const token: WebhookTrigger = { ...signed, auth: 'bearer', secrets: ['env:TOKEN'] };
  const fromGithub: WebhookTrigger = {
    type: 'webhook',
    auth: 'github',
    secrets: ['env:TOKEN'],
    events: ['push'],
    match: {},
  };

  it.each([
    [signed, signed.secrets[0], olderSigningSecret, signature(body)],
    [token, token.secrets[0], 'an-older-made-up-token', bearer('1', hookToken)],
    [fromGithub, fromGithub.secrets[0], 'an-older-made-up-token', githubSignature(body)],
  ])('reads a secret once more where the known one does not fit: $auth', async (trigger, ref, before, headers) => {
    const world = doorWorld();
    world.cached.set(ref ?? 'env:NONE', before);

    await expect(authenticate(world.runtime, trigger, { headers, body })).resolves.toBeUndefined();
  });

  it.each([
    [signed, signature(body, { secret: olderSigningSecret }), 'signature_invalid', 2],
    [signed, {}, 'signature_missing', 1],
    [signed, signature(body, { at: noon - 1_200_000 }), 'timestamp_outside_window', 1],
    [token, bearer('1', 'another-made-up-token'), 'token_invalid', 2],
    [token, {}, 'token_missing', 1],
    [fromGithub, githubSignature('another body'), 'signature_invalid', 2],
    [fromGithub, {}, 'signature_missing', 1],
  ])('refuses after looking as often as it helps: $auth', async (trigger, headers, code, reads) => {
    const world = doorWorld();
    const asked: boolean[] = [];
    const secrets = {
      get: (ref: Ref, options?: { readonly fresh?: boolean }) => {
        asked.push(options?.fresh ?? false);
        return world.runtime.secrets.get(ref, options);
      },
    };

    const refused = await authenticate({ ...world.runtime, secrets }, trigger, { headers, body }).catch((e) => e);

    expect(refused).toBeInstanceOf(DoorError);
    expect(refused).toMatchObject({ status: 401, code });
    expect(asked).toEqual([false, true].slice(0, reads));
  });

  it.each<[WebhookTrigger, Record<string, string>, string[]]>([
    [signed, {}, ['webhook-id', 'webhook-timestamp', 'webhook-signature']],
    [signed, { 'webhook-id': 'msg_1' }, ['webhook-timestamp', 'webhook-signature']],
    [fromGithub, {}, ['x-hub-signature-256']],
  ])('names the headers that are missing: $auth', async (trigger, headers, paths) => {
    const refused = await authenticate(doorWorld().runtime, trigger, { headers, body }).catch((e) => e);

    expect(refused).toMatchObject({ code: 'signature_missing', details: paths.map((path) => ({ path })) });
  });
});

function caught(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

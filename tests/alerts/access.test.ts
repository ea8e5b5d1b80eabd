// Whether it is Alertmanager or Grafana that calls: tokens, passwords, Grafana's HMAC with and without a time, two live
// secrets, and what a wrong one gives.

import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as v from 'valibot';
import { authenticateSource, basicFault, hmacFault, type SecretSource } from '../../lib/alerts/access.ts';
import type { NamedSecret } from '../../lib/authentic.ts';
import { DoorError, EnvironmentError } from '../../lib/errors.ts';
import { errorAnswer } from '../../lib/http.ts';
import { AlertWorld, fixture, rejection, request } from '../support/alert-world.ts';

const grafana = request('grafana-webhook');
const secret = 'grafana-hmac-example-secret';
const signedAt = Date.parse('2026-11-23T13:37:00Z');
const signatureHeader = 'x-grafana-alerting-signature';
const timestampHeader = 'x-grafana-alerting-timestamp';
const timed = { signatureHeader, timestampHeader };
const timeless = { signatureHeader, timestampHeader: null };

const hmac: SecretSource = { type: 'grafana', auth: 'hmac', secrets: ['env:NEW', 'env:OLD'], ...timed };
const basic: SecretSource = { type: 'alertmanager', auth: 'basic', secrets: ['env:NEW', 'env:OLD'] };
const bearer: SecretSource = { type: 'alertmanager', auth: 'bearer', secrets: ['env:NEW', 'env:OLD'] };
const grafanaBasic: SecretSource = { ...hmac, auth: 'basic' };

function named(...values: string[]): NamedSecret[] {
  return values.map((value, index) => ({ ref: `env:SECRET_${index}`, value }));
}

function pair(text: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(text).toString('base64')}` };
}

function worldOf(fresh: string, cached?: string): AlertWorld {
  const world = new AlertWorld();
  world.clock = signedAt;
  world.secretOf.set('env:NEW', fresh);
  if (cached !== undefined) world.cached.set('env:NEW', cached);
  return world;
}

describe('hmacFault', () => {
  it.each([
    ['the secret of today', named(secret)],
    ['the secret of yesterday', named('another', secret)],
    ['a line end after it', named(`${secret}\n`)],
  ])('lets the example in with %s', (_, secrets) => {
    expect(hmacFault(timed, grafana, secrets, signedAt)).toBeUndefined();
  });

  it('takes names of headers as they are written in the configuration', () => {
    const written = {
      signatureHeader: 'X-Grafana-Alerting-Signature',
      timestampHeader: 'X-Grafana-Alerting-Timestamp',
    };

    expect(hmacFault(written, grafana, named(secret), signedAt)).toBeUndefined();
  });

  it('lets the example without a time in, at any time', () => {
    const { signatureWithoutTimestamp: signature } = v.parse(
      v.object({ signatureWithoutTimestamp: v.string() }),
      fixture('grafana-webhook'),
    );
    const headers = { [signatureHeader]: signature };

    expect(hmacFault(timeless, { ...grafana, headers }, named(secret), 0)).toBeUndefined();
    expect(hmacFault(timed, { ...grafana, headers }, named(secret), signedAt)).toBe('signature_missing');
  });

  it('does not take a signature with a time for one without', () => {
    expect(hmacFault(timeless, grafana, named(secret), signedAt)).toBe('signature_invalid');
  });

  it.each([
    [0, undefined],
    [300_999, undefined],
    [-300_000, undefined],
    [301_000, 'timestamp_outside_window'],
    [-301_000, 'timestamp_outside_window'],
    [86_400_000, 'timestamp_outside_window'],
  ])('with our clock %d ms ahead gives %s', (ahead, expected) => {
    expect(hmacFault(timed, grafana, named(secret), signedAt + ahead)).toBe(expected);
  });

  it.each([
    [signatureHeader, undefined, 'signature_missing'],
    [signatureHeader, '', 'signature_missing'],
    [timestampHeader, undefined, 'signature_missing'],
    [timestampHeader, 'now', 'signature_invalid'],
    [timestampHeader, ' 1795441020', 'signature_invalid'],
    [timestampHeader, '1795441021', 'signature_invalid'],
    [timestampHeader, '1795441020,1795441020', 'signature_invalid'],
    [signatureHeader, grafana.headers[signatureHeader]?.toUpperCase(), 'signature_invalid'],
    [signatureHeader, `sha256=${grafana.headers[signatureHeader]}`, 'signature_invalid'],
    [signatureHeader, grafana.headers[signatureHeader]?.slice(2), 'signature_invalid'],
    [signatureHeader, '0'.repeat(64), 'signature_invalid'],
  ])('with %s: %p gives %s', (header, value, expected) => {
    const headers = { ...grafana.headers, [header]: value };

    expect(hmacFault(timed, { ...grafana, headers }, named(secret), signedAt)).toBe(expected);
  });

  it('lets in exactly what was signed with the secret', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (sent, arrived) => {
        const signature = createHmac('sha256', secret).update(sent).digest('hex');
        const same = Buffer.compare(sent, arrived) === 0;

        const found = hmacFault(
          timeless,
          { headers: { [signatureHeader]: signature }, body: arrived },
          named(secret),
          0,
        );

        expect(found).toBe(same ? undefined : 'signature_invalid');
      }),
    );
  });
});

describe('basicFault', () => {
  it.each([
    [pair('alerts:one'), undefined],
    [pair('alerts:two:with:colons'), undefined],
    [{ authorization: pair('alerts:one').authorization.replace('Basic', 'basic') }, undefined],
    [pair('alerts:three'), 'password_invalid'],
    [pair('other:one'), 'password_invalid'],
    [pair('alerts:'), 'password_invalid'],
    [pair('alerts:one\n'), 'password_invalid'],
    [{ authorization: 'Bearer one' }, 'password_missing'],
    [{ authorization: 'Basic' }, 'password_missing'],
    [{ authorization: 'Basic not base64!' }, 'password_missing'],
    [{}, 'password_missing'],
  ])('for %p gives %s', (headers, expected) => {
    expect(basicFault(headers, named('alerts:one\n', 'alerts:two:with:colons'))).toBe(expected);
  });

  it.each(['', 'no-colon', ':password', 'user:'])('says that %p is no user and password', (value) => {
    expect(() => basicFault(pair('a:b'), named(value))).toThrow(EnvironmentError);
  });
});

describe('authenticateSource', () => {
  it.each([
    ['bearer', bearer, 'one', { authorization: 'Bearer one' }],
    ['basic', basic, 'alerts:one', pair('alerts:one')],
    ['basic of Grafana', grafanaBasic, 'alerts:one', pair('alerts:one')],
    ['hmac', hmac, secret, grafana.headers],
  ])('reads a secret once more where the known one does not fit: %s', async (_, source, fresh, headers) => {
    const world = worldOf(fresh, 'an-older:made-up-one');

    await expect(authenticateSource(world, source, { ...grafana, headers })).resolves.toBeUndefined();
  });

  it.each([
    ['bearer', bearer, 'one', { authorization: 'Bearer two' }, 'token_invalid', 'Bearer'],
    ['bearer', bearer, 'one', {}, 'token_missing', 'Bearer'],
    ['bearer', bearer, 'one', pair('a:one'), 'token_missing', 'Bearer'],
    ['basic', basic, 'a:one', pair('a:two'), 'password_invalid', 'Basic'],
    ['basic', basic, 'a:one', { authorization: 'Bearer one' }, 'password_missing', 'Basic'],
    ['hmac', hmac, 'another', grafana.headers, 'signature_invalid', undefined],
  ])('refuses with 401: %s', async (_, source, fresh, headers, code, challenge) => {
    const error = await rejection(authenticateSource(worldOf(fresh), source, { ...grafana, headers }));

    expect(error).toMatchObject({ status: 401, code });
    expect(errorAnswer(error).headers).toEqual(challenge === undefined ? undefined : { 'www-authenticate': challenge });
  });

  it('names the headers that are missing', async () => {
    const error = await rejection(authenticateSource(worldOf(secret), hmac, { ...grafana, headers: {} }));

    expect(error).toMatchObject({ details: [{ path: signatureHeader }, { path: timestampHeader }] });
  });

  it('is no refusal while no secret can be asked for', async () => {
    const world = worldOf('one');
    world.away.add('env:OLD').add('env:NEW');

    const error = await rejection(authenticateSource(world, bearer, { headers: {}, body: Buffer.of() }));

    expect(error).toMatchObject({ status: 503, code: 'secrets_unavailable', cause: { message: 'throttled' } });
  });

  it('names a secret where all are missing: nobody can be let in', async () => {
    const error = await rejection(authenticateSource(new AlertWorld(), bearer, { headers: {}, body: Buffer.of() }));

    expect(error).toMatchObject({ code: 'secret_missing' });
  });

  it('is no refusal while a secret that may fit cannot be asked for: the sender is told to send again', async () => {
    const world = worldOf('one');
    world.away.add('env:OLD');

    const error = await rejection(
      authenticateSource(world, bearer, { headers: { authorization: 'Bearer two' }, body: Buffer.of() }),
    );

    expect(error).toBeInstanceOf(DoorError);
    expect(error).toMatchObject({ status: 503, code: 'secrets_unavailable' });
    await expect(
      authenticateSource(world, bearer, { headers: { authorization: 'Bearer one' }, body: Buffer.of() }),
    ).resolves.toBeUndefined();
  });
});

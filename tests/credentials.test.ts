// What a project's secret says: an access key in variables of the environment or in one secret, or a user of IAM.

import { describe, expect, test } from '@jest/globals';
import type { Ref } from '../lib/config.ts';
import { credentialsOf } from '../lib/credentials.ts';
import { EnvSecrets } from '../lib/local/secrets.ts';

function world(env: Record<string, string>) {
  const time = { now: 1_000_000 };
  return { env, time, secrets: new EnvSecrets(env, () => time.now) };
}

describe('an access key in the environment', () => {
  test('is read from the variables of its prefix', async () => {
    const { secrets } = world({ SDK_AK: 'a', SDK_SK: 's' });

    expect(await credentialsOf(secrets, { aksk: 'env:SDK' })).toEqual({ ak: 'a', sk: 's' });
  });

  test('has a security token where there is one', async () => {
    const { secrets } = world({ SDK_AK: 'a', SDK_SK: 's', SDK_SECURITY_TOKEN: 't' });

    expect(await credentialsOf(secrets, { aksk: 'env:SDK' })).toEqual({ ak: 'a', sk: 's', securityToken: 't' });
  });

  test.each([
    ['SDK_AK', { SDK_SK: 's' }],
    ['SDK_SK', { SDK_AK: 'a' }],
  ])('without %s it is a fault that names it', async (name, env) => {
    await expect(credentialsOf(world(env).secrets, { aksk: 'env:SDK' })).rejects.toMatchObject({
      code: 'secret_missing',
      message: expect.stringContaining(name),
    });
  });

  test('is read anew on demand, as a whole', async () => {
    const { env, secrets } = world({ SDK_AK: 'a1', SDK_SK: 's1' });
    await credentialsOf(secrets, { aksk: 'env:SDK' });
    Object.assign(env, { SDK_AK: 'a2', SDK_SK: 's2', SDK_SECURITY_TOKEN: 't2' });

    expect(await credentialsOf(secrets, { aksk: 'env:SDK' }, { fresh: true })).toEqual({
      ak: 'a2',
      sk: 's2',
      securityToken: 't2',
    });
  });

  test('another fault than a missing token is not swallowed', async () => {
    const { secrets } = world({ SDK_AK: 'a', SDK_SK: 's' });
    const broken = {
      get: async (ref: Ref) => {
        if (ref.endsWith('_SECURITY_TOKEN')) throw new Error('broken');
        return secrets.get(ref);
      },
    };

    await expect(credentialsOf(broken, { aksk: 'env:SDK' })).rejects.toThrow('broken');
  });
});

describe('an access key on AWS', () => {
  const holding = (value: string) => ({ get: async () => value });

  test.each([
    ['a permanent one', { ak: 'a', sk: 's' }],
    ['a temporary one', { ak: 'a', sk: 's', securityToken: 't' }],
  ])('is JSON: %s', async (_, key) => {
    const secrets = holding(JSON.stringify({ ...key, note: 'ignored' }));

    expect(await credentialsOf(secrets, { aksk: 'ssm:/huawei/staging' })).toEqual(key);
  });

  test.each([
    ['no JSON', 'super-secret'],
    ['a text', '"super-secret"'],
    ['without a key', '{"ak":"super-secret"}'],
    ['with an empty key', '{"ak":"super-secret","sk":""}'],
    ['with a number', '{"ak":"super-secret","sk":1}'],
  ])('%s is a fault that names the secret and shows nothing of it', async (_, value) => {
    const error: unknown = await credentialsOf(holding(value), { aksk: 'secretsmanager:staging' }).catch(
      (thrown) => thrown,
    );

    expect(error).toMatchObject({
      name: 'EnvironmentError',
      code: 'secret_malformed',
      message: expect.stringContaining('secretsmanager:staging'),
    });
    expect(`${error} ${error instanceof Error && error.stack} ${JSON.stringify(error)}`).not.toContain('super-secret');
  });

  test('is read anew on demand', async () => {
    const asked: unknown[] = [];
    const get = async (...call: unknown[]) => {
      asked.push(call);
      return '{"ak":"a","sk":"s"}';
    };

    await credentialsOf({ get }, { aksk: 'ssm:/huawei/staging' }, { fresh: true });

    expect(asked).toEqual([['ssm:/huawei/staging', { fresh: true }]]);
  });
});

describe('an agency', () => {
  const agency = { name: 'cache-operators', domainName: 'other' };

  test('stands beside a key in its secret', async () => {
    const secret = { ak: 'a', sk: 's', domainId: 'd', agency: { ...agency, durationSeconds: 900 } };

    expect(await credentialsOf({ get: async () => JSON.stringify(secret) }, { aksk: 'ssm:/key' })).toEqual(secret);
  });

  test('stands beside a key in the environment', async () => {
    const { secrets } = world({ SDK_AK: 'a', SDK_SK: 's', SDK_DOMAIN_ID: 'd', SDK_AGENCY: JSON.stringify(agency) });

    expect(await credentialsOf(secrets, { aksk: 'env:SDK' })).toEqual({ ak: 'a', sk: 's', domainId: 'd', agency });
  });

  test.each([
    ['no JSON', 'super-secret'],
    ['without an account', '{"name":"super-secret"}'],
    ['with two accounts', '{"name":"super-secret","domainId":"d","domainName":"other"}'],
    ['for too short a time', '{"name":"super-secret","domainId":"d","durationSeconds":899}'],
    ['for too long a time', '{"name":"super-secret","domainId":"d","durationSeconds":86401}'],
  ])('%s is a fault that names the variable and shows nothing of it', async (_, value) => {
    const { secrets } = world({ SDK_AK: 'a', SDK_SK: 's', SDK_AGENCY: value });
    const error: unknown = await credentialsOf(secrets, { aksk: 'env:SDK' }).catch((thrown) => thrown);

    expect(error).toMatchObject({ code: 'secret_malformed', message: expect.stringContaining('env:SDK_AGENCY') });
    expect(`${error}`).not.toContain('super-secret');
  });
});

describe('a user of IAM', () => {
  test('is JSON, on one machine as on AWS', async () => {
    const login = { domain: 'd', user: 'u', password: 'p' };
    const { secrets } = world({ USER: JSON.stringify(login) });

    expect(await credentialsOf(secrets, { iam: 'env:USER' })).toEqual(login);
  });

  test('without a password is a fault that shows nothing of it', async () => {
    const { secrets } = world({ USER: '{"domain":"super-secret","user":"u"}' });

    const error: unknown = await credentialsOf(secrets, { iam: 'env:USER' }).catch((thrown) => thrown);

    expect(error).toMatchObject({ code: 'secret_malformed', message: expect.stringContaining('"password"') });
    expect(`${error}`).not.toContain('super-secret');
  });
});

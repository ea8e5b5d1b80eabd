// Secrets from the environment: read late, remembered for five minutes, never told.

import { describe, expect, test } from '@jest/globals';
import { credentialsOf, EnvSecrets, secretLifetime } from '../../lib/local/secrets.ts';

function world(env: Record<string, string>) {
  const time = { now: 1_000_000 };
  return { env, time, secrets: new EnvSecrets(env, () => time.now) };
}

describe('a secret', () => {
  test('is the value of the variable, as it is', async () => {
    const { secrets } = world({ TOKEN: ' 123 ' });

    expect(await secrets.get('env:TOKEN')).toBe(' 123 ');
  });

  test.each([
    ['within five minutes the value that was read stays', secretLifetime - 1, false, 'old'],
    ['after five minutes it is read again', secretLifetime, false, 'new'],
    ['fresh reads it at once', 0, true, 'new'],
  ])('%s', async (_, later, fresh, expected) => {
    const { env, time, secrets } = world({ TOKEN: 'old' });
    await secrets.get('env:TOKEN');
    Object.assign(env, { TOKEN: 'new' });
    time.now += later;

    expect(await secrets.get('env:TOKEN', { fresh })).toBe(expected);
  });

  test('what was read fresh is remembered', async () => {
    const { env, secrets } = world({ TOKEN: 'old' });
    await secrets.get('env:TOKEN');
    Object.assign(env, { TOKEN: 'new' });
    await secrets.get('env:TOKEN', { fresh: true });

    expect(await secrets.get('env:TOKEN')).toBe('new');
  });

  test.each([
    ['missing', {}],
    ['empty', { TOKEN: '' }],
  ])('a %s one is a fault that names the variable', async (_, env) => {
    const { secrets } = world(env);

    await expect(secrets.get('env:TOKEN')).rejects.toMatchObject({
      name: 'EnvironmentError',
      code: 'secret_missing',
      message: 'the environment variable TOKEN (env:TOKEN) is missing or empty',
    });
  });

  test('a missing one is not remembered as missing', async () => {
    const { env, secrets } = world({});
    await expect(secrets.get('env:TOKEN')).rejects.toThrow();
    Object.assign(env, { TOKEN: 'there' });

    expect(await secrets.get('env:TOKEN')).toBe('there');
  });
});

describe('an access key', () => {
  test('is read from the variables of its prefix', async () => {
    const { secrets } = world({ SDK_AK: 'a', SDK_SK: 's' });

    expect(await credentialsOf(secrets, 'env:SDK')).toEqual({ ak: 'a', sk: 's' });
  });

  test('has a security token where there is one', async () => {
    const { secrets } = world({ SDK_AK: 'a', SDK_SK: 's', SDK_SECURITY_TOKEN: 't' });

    expect(await credentialsOf(secrets, 'env:SDK')).toEqual({ ak: 'a', sk: 's', securityToken: 't' });
  });

  test.each([
    ['SDK_AK', { SDK_SK: 's' }],
    ['SDK_SK', { SDK_AK: 'a' }],
  ])('without %s it is a fault that names it', async (name, env) => {
    await expect(credentialsOf(world(env).secrets, 'env:SDK')).rejects.toMatchObject({
      code: 'secret_missing',
      message: expect.stringContaining(name),
    });
  });

  test('is read anew on demand, as a whole', async () => {
    const { env, secrets } = world({ SDK_AK: 'a1', SDK_SK: 's1' });
    await credentialsOf(secrets, 'env:SDK');
    Object.assign(env, { SDK_AK: 'a2', SDK_SK: 's2', SDK_SECURITY_TOKEN: 't2' });

    expect(await credentialsOf(secrets, 'env:SDK', { fresh: true })).toEqual({
      ak: 'a2',
      sk: 's2',
      securityToken: 't2',
    });
  });

  test('another fault than a missing token is not swallowed', async () => {
    const { secrets } = world({ SDK_AK: 'a', SDK_SK: 's' });
    const broken = {
      get: async (ref: `env:${string}`) => {
        if (ref.endsWith('_SECURITY_TOKEN')) throw new Error('broken');
        return secrets.get(ref);
      },
    };

    await expect(credentialsOf(broken, 'env:SDK')).rejects.toThrow('broken');
  });
});

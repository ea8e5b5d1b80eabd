// Secrets from the environment: read late, remembered for five minutes, never told.

import { describe, expect, test } from '@jest/globals';
import { EnvSecrets, secretLifetime } from '../../lib/local/secrets.ts';

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

  test.each(['ssm:/hooks/deploy', 'secretsmanager:deploy'] as const)('%s is refused by its name', async (ref) => {
    const { secrets } = world({});

    await expect(secrets.get(ref)).rejects.toMatchObject({
      name: 'EnvironmentError',
      code: 'secret_unsupported',
      message: `${ref} is kept on AWS, and this runtime reads secrets from its environment: write env:NAME`,
    });
  });
});

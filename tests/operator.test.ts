// Who comes in through the console: which token is whose, what a right opens, and that one broken secret locks out one.

import { describe, expect, it } from '@jest/globals';
import { sha256 } from '../lib/canonical.ts';
import type { Ref } from '../lib/config.ts';
import { admit } from '../lib/operator.ts';
import { bearer, type DoorWorld, doorWorld, operatorToken, readerToken } from './support/door-world.ts';

async function refusal(world: DoorWorld, headers: Record<string, string>): Promise<unknown> {
  return await admit(world.runtime, headers, 'read').then(
    ({ name }) => ({ name }),
    (error: unknown) => error,
  );
}

/** A world whose reads of secrets are written down; `broken` throws for those that it names. */
function reading(world: DoorWorld, broken: Partial<Record<Ref, Error>> = {}) {
  const asked: string[] = [];
  const get: DoorWorld['runtime']['secrets']['get'] = async (ref, options) => {
    asked.push(`${ref}${options?.fresh ? ' fresh' : ''}`);
    const error = broken[ref];
    if (error !== undefined) throw error;
    return await world.runtime.secrets.get(ref, options);
  };
  return { asked, runtime: { ...world.runtime, secrets: { get } } };
}

describe('admit', () => {
  it.each([
    ['bob', readerToken],
    ['alice', operatorToken],
  ])('knows %s by the token', async (name, token) => {
    expect(await admit(doorWorld().runtime, bearer('', token), 'read')).toMatchObject({ name });
  });

  it.each([
    [{}, 'token_missing'],
    [{ authorization: 'Basic Ym9iOng=' }, 'token_missing'],
    [{ authorization: 'Bearer nobody' }, 'token_invalid'],
    [{ authorization: `Bearer ${sha256(operatorToken)}` }, 'token_invalid'],
    [{ authorization: 'Bearer env:ALICE' }, 'token_invalid'],
  ])('refuses %j', async (headers, code) => {
    expect(await refusal(doorWorld(), headers)).toMatchObject({ status: 401, code });
  });

  it('lets nobody in where there is no operator', async () => {
    const { runtime } = doorWorld();

    const entering = admit({ ...runtime, operators: [] }, bearer('', operatorToken), 'read');

    await expect(entering).rejects.toMatchObject({ status: 401, code: 'token_invalid' });
  });

  it.each(['run', 'approve', 'cancel', 'pause'] as const)(
    'refuses the right %s to who may only look',
    async (right) => {
      const { runtime } = doorWorld();

      await expect(admit(runtime, bearer('', readerToken), right)).rejects.toMatchObject({
        status: 403,
        code: 'forbidden',
        message: `The operator bob does not have the right ${right}.`,
      });
      expect(await admit(runtime, bearer('', operatorToken), right)).toMatchObject({ name: 'alice' });
    },
  );

  it('asks for every token, whoever comes, and once more where none fits', async () => {
    const { asked, runtime } = reading(doorWorld());

    await admit(runtime, bearer('', readerToken), 'read');
    const tokens = runtime.operators.map(({ token }) => token);
    expect(asked).toEqual(tokens);

    await admit(runtime, bearer('', 'nobody'), 'read').catch(() => undefined);
    expect(asked.slice(tokens.length)).toEqual([...tokens, ...tokens.map((token) => `${token} fresh`)]);
  });

  it('knows a token that was exchanged a moment ago', async () => {
    const world = doorWorld();
    world.cached.set('env:ALICE', 'an-older-made-up-token');

    expect(await admit(world.runtime, bearer('', operatorToken), 'run')).toMatchObject({ name: 'alice' });
  });

  it.each([
    ['is missing', undefined],
    ['is empty', ' '],
    ['has a space in it', 'two words'],
  ])('locks out only the operator whose secret %s, and says so', async (_name, value) => {
    const world = doorWorld();
    world.secrets.delete('env:BOB');
    if (value !== undefined) world.secrets.set('env:BOB', value);

    expect(await refusal(world, bearer('', operatorToken))).toEqual({ name: 'alice' });
    expect(world.log).toHaveLength(1);
    expect(world.log[0]).toMatch(/"error".*operator locked out.*bob/);
    expect(await refusal(world, bearer('', readerToken))).toMatchObject({ status: 401, code: 'token_invalid' });
    expect(world.log.join()).not.toMatch(/made-up|two words/);
  });

  it('has whoever it cannot check come again, and nobody else', async () => {
    const { runtime } = reading(doorWorld(), { 'env:BOB': new Error('the store of secrets does not answer') });

    expect(await admit(runtime, bearer('', operatorToken), 'read')).toMatchObject({ name: 'alice' });
    await expect(admit(runtime, bearer('', readerToken), 'read')).rejects.toMatchObject({
      status: 503,
      code: 'secrets_unavailable',
    });
  });
});

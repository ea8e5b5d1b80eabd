// Secrets on AWS: what is asked of which service, how long it is remembered, and that errors name the Ref and no more.

import { describe, expect, test } from '@jest/globals';
import { type AwsCall, AwsError } from '../../lib/aws/client.ts';
import { AwsSecrets } from '../../lib/aws/secrets.ts';
import type { Ref } from '../../lib/config.ts';

const ssm = 'ssm:/hooks/deploy';
const parameter = (Value: string) => ({ Parameter: { Name: '/hooks/deploy', Value } });

function world(...answers: readonly unknown[]) {
  const calls: AwsCall[] = [];
  const time = { now: 1_000_000 };
  const left = [...answers];
  const client = async (call: AwsCall): Promise<unknown> => {
    calls.push(call);
    const answer = left.length > 1 ? left.shift() : left[0];
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { secrets: new AwsSecrets(client, () => time.now), calls, time };
}

describe('a secret', () => {
  test('of Parameter Store is read decrypted', async () => {
    const { secrets, calls } = world(parameter(' 123 '));

    expect(await secrets.get(ssm)).toBe(' 123 ');
    expect(calls).toMatchObject([{ service: 'ssm', body: '{"Name":"/hooks/deploy","WithDecryption":true}' }]);
    expect(calls[0]?.headers).toMatchObject({ 'x-amz-target': 'AmazonSSM.GetParameter' });
  });

  test('of Secrets Manager is read by its name', async () => {
    const { secrets, calls } = world({ SecretString: 'value' });

    expect(await secrets.get('secretsmanager:team/deploy')).toBe('value');
    expect(calls).toMatchObject([{ service: 'secretsmanager', body: '{"SecretId":"team/deploy"}' }]);
    expect(calls[0]?.headers).toMatchObject({ 'x-amz-target': 'secretsmanager.GetSecretValue' });
  });

  test.each([
    ['within five minutes the value that was read stays', 299_999, false, 'old'],
    ['after five minutes it is read again', 300_000, false, 'new'],
    ['what is ten seconds old is read afresh on demand', 10_000, true, 'new'],
    ['what is younger counts as fresh', 9999, true, 'old'],
  ])('%s', async (_, later, fresh, expected) => {
    const { secrets, time } = world(parameter('old'), parameter('new'));
    await secrets.get(ssm);
    time.now += later;

    expect(await secrets.get(ssm, { fresh })).toBe(expected);
  });

  test('that is asked for by many at once is read once', async () => {
    const { secrets, calls } = world(parameter('value'));

    await Promise.all(Array.from({ length: 50 }, (_, n) => secrets.get(ssm, { fresh: n % 2 === 0 })));

    expect(calls).toHaveLength(1);
  });

  test('a flood of wrong signatures reads it once in ten seconds', async () => {
    const { secrets, calls, time } = world(parameter('value'));
    for (let n = 0; n < 600; n++) {
      time.now += 100;
      await secrets.get(ssm, { fresh: true });
    }

    expect(calls).toHaveLength(6);
  });
});

describe('a secret that cannot be read', () => {
  const refused = (type: string) => new AwsError('aws_refused', type, `ssm answered 400 ${type}: told`);

  test.each([
    ['absent from Parameter Store', refused('ParameterNotFound'), 'secret_missing'],
    ['absent from Secrets Manager', refused('ResourceNotFoundException'), 'secret_missing'],
    ['empty', parameter(''), 'secret_missing'],
    ['binary', { SecretBinary: 'AAAA' }, 'secret_missing'],
    ['not allowed', refused('AccessDeniedException'), 'secret_refused'],
  ])('%s is a fault of the environment that names the Ref', async (_, answer, code) => {
    const { secrets } = world(answer);

    await expect(secrets.get(ssm)).rejects.toMatchObject({
      name: 'EnvironmentError',
      code,
      message: expect.stringContaining(ssm),
    });
  });

  test('where AWS does not answer it is no fault of the environment', async () => {
    const { secrets } = world(new AwsError('aws_unavailable', '', 'ssm answered 503'));

    await expect(secrets.get(ssm)).rejects.toMatchObject({ name: 'AwsError', code: 'aws_unavailable' });
  });

  test('is not asked for again within ten seconds, and then is', async () => {
    const { secrets, calls, time } = world(refused('ParameterNotFound'), parameter('there'));
    const get = () => secrets.get(ssm).catch(() => 'missing');

    const first = [await get(), await get()];
    time.now += 10_000;

    expect([...first, await get(), calls.length]).toEqual(['missing', 'missing', 'there', 2]);
  });

  test('an environment of a function holds none', async () => {
    const ref: Ref = 'env:TOKEN';

    await expect(world({}).secrets.get(ref)).rejects.toMatchObject({ code: 'secret_unsupported' });
  });
});

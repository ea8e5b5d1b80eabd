// The composition roots on AWS, in an environment as Lambda makes it, against a stand-in behind one address.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AwsError } from '../../lib/aws/client.ts';
import { openRuntime } from '../../lib/aws/runtime.ts';
import { forClients, openWorld } from '../../lib/aws/world.ts';
import { EnvironmentError } from '../../lib/errors.ts';
import { type AwsStandIn, runAlias, startAwsStandIn } from '../support/aws-stand-in.ts';
import { jobNamed } from '../support/door-world.ts';

let aws: AwsStandIn;

beforeAll(async () => {
  aws = await startAwsStandIn();
});

afterAll(() => aws.close());

describe('the runtime of a door', () => {
  test('has its state in the table, its secrets and its executions in AWS', async () => {
    const { state, secrets, executions } = await openRuntime(aws.env);
    aws.parameters.set('/hooks/deploy', 'token-made-up');

    expect(await state.putIfAbsent({ pk: 'run#a', sk: 'run' }, { n: 1 })).toBe(true);
    expect(await secrets.get('ssm:/hooks/deploy')).toBe('token-made-up');
    expect(await executions.status('run-1')).toBe('absent');
    await executions.start('run-1');
    expect(await executions.status('run-1')).toBe('running');

    expect(aws.started).toEqual([{ function: runAlias, name: 'run-1', payload: '{"runId":"run-1","v":1}' }]);
  });

  test('is empty of operators and jobs where nothing was packaged, and has a clock, chance and sleep', async () => {
    const { operators, config, now, randomId, sleep } = await openRuntime(aws.env);
    const before = now();

    await sleep?.(5);

    expect({ operators, jobs: Object.keys(config.jobs) }).toEqual({ operators: [], jobs: [] });
    expect(now()).toBeGreaterThan(before);
    expect(randomId()).not.toBe(randomId());
  });

  test('cannot be had in an incomplete environment', async () => {
    await expect(openRuntime({})).rejects.toMatchObject({ code: 'environment_incomplete' });
    await expect(openWorld({})).rejects.toMatchObject({ code: 'environment_incomplete' });
  });
});

describe('the world of a run', () => {
  test('has the same state, and one client for each project', async () => {
    const { state, dcs } = await openWorld(aws.env);
    const { project } = jobNamed('signed');
    await state.put({ pk: 'run#b', sk: 'run' }, 1);

    const seen = await (await openRuntime(aws.env)).state.get({ pk: 'run#b', sk: 'run' });

    expect(seen?.value).toBe(1);
    expect(dcs(project)).toBe(dcs({ ...project }));
    expect(dcs(project)).not.toBe(dcs({ ...project, timeout: 31 }));
  });

  test('takes a secret that AWS does not hand out now for a passing fault, and a missing one for ours', async () => {
    const failing = (error: Error) => ({ get: () => Promise.reject(error) });

    const passing = forClients(failing(new AwsError('aws_throttled', '', 'busy'))).get('ssm:/huawei');
    const ours = forClients(failing(new EnvironmentError('secret_missing', 'no'))).get('ssm:/huawei');

    await expect(passing).rejects.toMatchObject({ name: 'Error', cause: { code: 'aws_throttled' } });
    await expect(ours).rejects.toMatchObject({ code: 'secret_missing' });
  });
});

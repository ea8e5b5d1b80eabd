// The environment of a function: read whole, and faults name variables, never values.

import { describe, expect, test } from '@jest/globals';
import { readEnvironment } from '../../lib/aws/environment.ts';

const env = {
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'secret-key-made-up',
  AWS_SESSION_TOKEN: 'session-token-made-up',
  TABLE_NAME: 'dcs-autopilot-prod',
  RUN_ALIAS: 'arn:aws:lambda:eu-central-1:111122223333:function:dcs-autopilot-prod-run:durable',
};

describe('the environment', () => {
  test('is read as a whole', () => {
    expect(readEnvironment({ ...env, LOG_LEVEL: 'debug', HOME: 'x' })).toEqual({
      region: 'eu-central-1',
      table: 'dcs-autopilot-prod',
      runAlias: env.RUN_ALIAS,
      logLevel: 'debug',
      credentials: {
        accessKeyId: 'AKIDEXAMPLE',
        secretAccessKey: 'secret-key-made-up',
        sessionToken: 'session-token-made-up',
      },
      endpoint: undefined,
    });
  });

  test.each([undefined, ''])('without a session token (%j) the keys are those of a user', (token) => {
    expect(readEnvironment({ ...env, AWS_SESSION_TOKEN: token }).credentials).not.toHaveProperty('sessionToken');
  });

  test('tells everything that is missing or malformed at once, and no value', () => {
    expect(() => readEnvironment({ ...env, TABLE_NAME: '', RUN_ALIAS: 'secret-in-the-wrong-place' })).toThrow(
      expect.objectContaining({
        name: 'EnvironmentError',
        code: 'environment_incomplete',
        message: 'missing or malformed in the environment: TABLE_NAME, RUN_ALIAS',
      }),
    );
  });

  test.each([
    ['https://vpce-1.dynamodb.eu-central-1.vpce.amazonaws.com', true],
    ['http://127.0.0.1:8000', true],
    ['http://localhost:8000/', true],
    ['http://127.0.0.1.example.com', false],
    ['http://example.com', false],
    ['ftp://127.0.0.1', false],
  ])('the endpoint %s is taken: %j', (AWS_ENDPOINT_URL, taken) => {
    const read = () => readEnvironment({ ...env, AWS_ENDPOINT_URL }).endpoint;

    expect(taken ? read() === AWS_ENDPOINT_URL : catching(read)).toBe(true);
  });
});

function catching(work: () => unknown): boolean {
  try {
    work();
    return false;
  } catch {
    return true;
  }
}

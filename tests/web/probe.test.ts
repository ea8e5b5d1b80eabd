// The health check over a real connection: 2xx and nothing else is healthy, and an address behind a secret is never shown.

import { describe, expect, it } from '@jest/globals';
import { EnvironmentError } from '../../lib/errors.ts';
import { asker } from '../../lib/web/ask.ts';
import { probe } from '../../lib/web/probe.ts';
import { type Answer, awsServer } from '../aws/aws-server.ts';

const server = awsServer();
const ask = asker({ now: Date.now, timeout: 500 });
const get = async (): Promise<string> => `${server.endpoint}/secret-path?token=secret`;
const options = { ask, secrets: { get } };

describe('a health check', () => {
  it.each([200, 204, 299])('that answers %i is healthy', async (status) => {
    server.answers.push({ status });

    expect(await probe({ ref: 'env:HEALTH' }, options)).toEqual({ healthy: true });
    expect(server.asked).toMatchObject([{ method: 'GET', url: '/secret-path?token=secret' }]);
  });

  it.each<[Answer, string]>([
    [{ status: 301 }, 'answered 301'],
    [{ status: 401 }, 'answered 401'],
    [{ status: 503 }, 'answered 503'],
    ['silent', 'did not answer within 0.5 s'],
    ['broken', 'could not be reached (ECONNRESET)'],
  ])('that answers %j is not, and nobody learns its address', async (answer, expected) => {
    server.answers.push(answer);

    expect(await probe({ ref: 'env:HEALTH' }, options)).toEqual({ healthy: false, answer: expected });
  });

  it('of the configuration is shown without its query', async () => {
    server.answers.push({ status: 500 });

    const health = await probe({ url: `${server.endpoint}/ready?token=secret` }, options);

    expect(health).toEqual({ healthy: false, answer: `${server.endpoint}/ready answered 500` });
  });

  it.each<[string, () => Promise<string>, string]>([
    [
      'is missing',
      () => Promise.reject(new EnvironmentError('secret_missing', 'env:HEALTH is not set')),
      'env:HEALTH is not set',
    ],
    ['is no address', async () => 'secret-text', 'the secret env:HEALTH is no https URL without a user'],
    ['cannot be read', () => Promise.reject(new Error('no')), 'the secret env:HEALTH cannot be read at the moment'],
  ])('whose secret %s is not healthy', async (_case, read, reason) => {
    const health = await probe({ ref: 'env:HEALTH' }, { ask, secrets: { get: read } });

    expect(health).toEqual({ healthy: false, answer: `cannot be asked: ${reason}` });
  });
});

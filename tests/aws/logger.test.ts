// The log: one JSON object per line, where it was told to go, with facts as fields and nothing in it that is a secret.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as v from 'valibot';
import { type LogLevel, powertoolsLog, withKeys } from '../../lib/aws/logger.ts';
import { EnvironmentError } from '../../lib/errors.ts';
import type { Log } from '../../lib/runtime.ts';

const secret = 'made-up-value-1f7c';

function lines(work: (log: Log) => void, level: LogLevel = 'debug'): Record<string, unknown>[] {
  const written: string[] = [];
  work(powertoolsLog('dcs-autopilot', level, { write: (line) => written.push(line) }));
  return written.map((line) => v.parse(v.record(v.string(), v.unknown()), JSON.parse(line)));
}

describe('powertoolsLog', () => {
  it('writes one line per message into the sink, facts as fields', () => {
    const written: string[] = [];

    powertoolsLog('dcs-autopilot', 'info', { write: (line) => written.push(line) }).info('run accepted', {
      runId: 'a-1',
    });

    expect(written).toHaveLength(1);
    expect(written[0]).toMatch(/^\{.*\}\n$/);
    expect(JSON.parse(String(written[0]))).toMatchObject({
      level: 'INFO',
      message: 'run accepted',
      service: 'dcs-autopilot',
      runId: 'a-1',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
  });

  it.each<[LogLevel, string[]]>([
    ['debug', ['ERROR', 'WARN', 'INFO', 'DEBUG']],
    ['info', ['ERROR', 'WARN', 'INFO']],
    ['warn', ['ERROR', 'WARN']],
    ['error', ['ERROR']],
  ])('from level %s on writes %j', (level, expected) => {
    const written = lines((log) => {
      log.error('a');
      log.warn('b');
      log.info('c');
      log.debug('d');
    }, level);

    expect(written.map((line) => line['level'])).toEqual(expected);
  });

  it.each([
    'authorization',
    'Authorization',
    'Proxy-Authorization',
    'secret',
    'clientSecret',
    'secretKey',
    'secrets',
    'token',
    'X-Auth-Token',
    'securityToken',
    'tokenHash',
    'sk',
    'SK',
    'HUAWEICLOUD_SDK_SK',
    'HUAWEICLOUD_SDK_AK',
    'ak',
    'userSk',
    'password',
    'cookie',
    'credentials',
    'signature',
    'webhook-signature',
    'apiKey',
  ])('masks a fact named %s, at any depth', (name) => {
    const facts = {
      [name]: secret,
      request: { headers: { [name]: [secret] }, list: [{ [name]: { value: secret } }] },
      error: Object.assign(new Error('failed', { cause: Object.assign(new Error('why'), { [name]: secret }) }), {
        response: { [name]: secret },
      }),
    };

    const [line] = lines((log) => log.error('request failed', facts));

    expect(JSON.stringify(line)).not.toContain(secret);
    expect(line?.[name]).toBe('***');
  });

  it.each(['task', 'risk', 'disk', 'skipped', 'runId', 'peak', 'key', 'break', 'asking'])(
    'shows a fact named %s',
    (name) => {
      expect(lines((log) => log.info('x', { [name]: 'shown' }))[0]).toMatchObject({ [name]: 'shown' });
    },
  );

  it('shows that a secret is missing', () => {
    expect(JSON.stringify(lines((log) => log.info('x', { nested: { token: null } })))).toContain('"token":null');
  });

  it.each([
    `Authorization: Bearer ${secret}`,
    `basic ${secret}`,
    `https://example.org/hook?token=${secret}&x=1`,
    `password=${secret}`,
    'whsec_bWFkZS11cC12YWx1ZS0xZjdj',
    'SDK-HMAC-SHA256 Access=AK, SignedHeaders=host, Signature=0123456789abcdef',
  ])('masks the secret in the text %p, also in the message of a cause', (text) => {
    const cause = new Error(text);

    const [line] = lines((log) =>
      log.error('x', { text, error: new EnvironmentError('port_in_use', 'why', { cause }) }),
    );

    expect(JSON.stringify(line)).not.toMatch(/made-up-value|bWFkZS11|0123456789abcdef/);
    expect(JSON.stringify(line)).toContain('***');
  });

  it('keeps the chain of causes', () => {
    const error = new EnvironmentError('port_in_use', 'port 1 is in use', { cause: new Error('EADDRINUSE') });

    const [line] = lines((log) => log.error('not started', { error }));

    expect(line).toMatchObject({
      error: {
        name: 'EnvironmentError',
        code: 'port_in_use',
        message: 'port 1 is in use',
        cause: { message: 'EADDRINUSE' },
      },
    });
  });

  it('loses no fact whose name is a standard field', () => {
    const written = lines((log) => log.info('run ended', { message: 'a', level: 'b', service: 'c', timestamp: 'd' }));

    expect(written).toHaveLength(1);
    expect(written[0]).toMatchObject({
      message: 'run ended',
      message_: 'a',
      level_: 'b',
      service_: 'c',
      timestamp_: 'd',
    });
  });

  it('takes whatever it is given', () => {
    const circle: Record<string, unknown> = { n: 10n };
    circle['self'] = circle;

    expect(lines((log) => log.warn('x', { circle, nothing: undefined, thrown: null }))).toHaveLength(1);
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.anything()), (facts) => void lines((log) => log.info('x', { facts }))),
    );
  });
});

describe('a log line that cannot be written', () => {
  it.each([
    ['an error that is its own cause', ownCause()],
    ['a fact that throws', { toJSON: () => raise() }],
  ])('for %s is still a line', (_name, fact) => {
    expect(lines((log) => log.error('x', { fact }))).toMatchObject([{ message: 'x', facts: 'could not be written' }]);
  });
});

function ownCause(): Error {
  const error = new Error('a');
  error.cause = error;
  return error;
}

function raise(): never {
  throw new Error('no');
}

describe('withKeys', () => {
  it('adds its keys to every line of one request and to none of another', () => {
    const written = lines((log) => {
      const one = withKeys(log, { requestId: 'r1' });
      const other = withKeys(log, { requestId: 'r2' });
      one.error('a');
      other.warn('b', { x: 1 });
      one.info('c');
      other.debug('d');
      log.info('e');
    });

    expect(written.map((line) => line['requestId'])).toEqual(['r1', 'r2', 'r1', 'r2', undefined]);
    expect(written[1]).toMatchObject({ x: 1 });
  });
});

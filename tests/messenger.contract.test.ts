// What every kind of messenger promises: it tells once, says what came of it, and never shows an address that is a secret or
// what was sent. Over real connections to a server on the loopback.

import { describe, expect, it } from '@jest/globals';
import { awsClient } from '../lib/aws/client.ts';
import { type AwsListener, tellAws } from '../lib/aws/messages.ts';
import type { Notify } from '../lib/config.ts';
import { messageOf, noticeOf } from '../lib/report/notice.ts';
import type { Told } from '../lib/report/tell.ts';
import { asker } from '../lib/web/ask.ts';
import { tellWebhook } from '../lib/web/webhook.ts';
import { type Answer, type AwsServer, awsServer } from './aws/aws-server.ts';
import { anyKeys } from './support/dynamo-table.ts';
import { fullRecord, outcomesOfTen, plannedTen } from './support/notices.ts';

const server: AwsServer = awsServer();
const message = messageOf(noticeOf(fullRecord(), 'prod', { planned: plannedTen, outcomes: outcomesOfTen }));
const path = '/services/T0/B0/secret-path';

const get = async (): Promise<string> => `${server.endpoint}${path}`;
const ask = asker({ now: Date.now, timeout: 2000 });

function tellByWebhook(format: 'slack' | 'json'): () => Promise<Told> {
  return () =>
    tellWebhook({ on: ['failed'], to: 'webhook', url: 'env:CHAT', format }, message, { ask, secrets: { get } });
}

function tellOnAws(to: AwsListener): () => Promise<Told> {
  return () => {
    const client = awsClient({
      region: 'eu-central-1',
      credentials: () => anyKeys,
      endpoint: server.endpoint,
      now: Date.now,
      random: () => 0,
      sleep: async () => undefined,
      calls: 1,
    });
    return tellAws(to, message, client);
  };
}

const on: Notify['on'] = ['failed'];
const topic = 'arn:aws:sns:eu-west-1:111122223333:runs';
const published = '<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>';
const refusedInXml = (code: string) =>
  `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code></Error></ErrorResponse>`;

interface Kind {
  readonly tell: () => Promise<Told>;
  readonly heard: Answer;
  readonly busy: Answer;
  readonly gone: Answer;
}

const taken: Answer = { status: 200, body: { FailedEntryCount: 0, Entries: [{ EventId: '1' }] } };
const throttled: Answer = { status: 400, body: { __type: 'ThrottlingException' } };
const forbidden: Answer = { status: 400, body: { __type: 'AccessDeniedException', message: 'not allowed' } };

const kinds: readonly (readonly [string, Kind])[] = [
  ['a chat', { tell: tellByWebhook('slack'), heard: { status: 200 }, busy: { status: 429 }, gone: { status: 404 } }],
  ['a webhook', { tell: tellByWebhook('json'), heard: { status: 204 }, busy: { status: 503 }, gone: { status: 302 } }],
  [
    'an event bus',
    { tell: tellOnAws({ on, to: 'eventbridge', bus: 'default' }), heard: taken, busy: throttled, gone: forbidden },
  ],
  [
    'a topic',
    {
      tell: tellOnAws({ on, to: 'sns', topic }),
      heard: { status: 200, body: published },
      busy: { status: 400, body: refusedInXml('Throttled') },
      gone: { status: 403, body: refusedInXml('AuthorizationError') },
    },
  ],
];

describe.each(kinds)('%s', (_name, { tell, heard, busy, gone }) => {
  it('is told, with the id of the message', async () => {
    server.answers.push(heard);

    expect(await tell()).toEqual({ ok: true });
    expect(server.asked).toHaveLength(1);
    expect(server.asked[0]?.method).toBe('POST');
    expect(server.asked[0]?.body).toContain('nightly-0123456789abcdef0123');
  });

  it.each<[string, Answer, boolean]>([
    ['that is busy may be told later', busy, true],
    ['that is broken may be told later', { status: 500 }, true],
    ['whose connection breaks may be told later', 'broken', true],
    ['that is gone is not told again', gone, false],
  ])('%s, and no reason shows an address or a message', async (_case, answer, again) => {
    server.answers.push(answer, answer);

    const told = await tell();

    expect(told).toEqual({ ok: false, again, reason: expect.any(String) });
    expect(JSON.stringify(told)).not.toMatch(/secret-path|127\.0\.0\.1|cache-2|wrong night/);
  });

  it('is told the same whenever it is told', async () => {
    server.answers.push(heard, heard);

    await tell();
    await tell();

    const [first, second] = server.asked.map(({ body }) => body);
    expect(second).toBe(first);
  });
});

describe('an event bus', () => {
  const tell = tellOnAws({ on, to: 'eventbridge', bus: 'arn:aws:events:eu-west-1:444455556666:event-bus/central' });

  it('gets an entry, in its own region', async () => {
    server.answers.push(taken);

    await tell();

    expect(server.asked[0]?.headers).toMatchObject({
      'x-amz-target': 'AWSEvents.PutEvents',
      'content-type': 'application/x-amz-json-1.1',
      authorization: expect.stringContaining('/eu-west-1/events/aws4_request'),
    });
    expect(JSON.parse(server.asked[0]?.body ?? '')).toEqual({
      Entries: [
        {
          Source: 'dcs-autopilot',
          DetailType: 'Run partial',
          Detail: JSON.stringify(message.data),
          EventBusName: 'arn:aws:events:eu-west-1:444455556666:event-bus/central',
        },
      ],
    });
  });

  it.each([
    ['InternalFailure', true],
    ['NotAuthorizedForSourceException', false],
  ])('that does not take the entry, %s, was not told', async (ErrorCode, again) => {
    server.answers.push({ status: 200, body: { FailedEntryCount: 1, Entries: [{ ErrorCode, ErrorMessage: 'no' }] } });

    expect(await tell()).toEqual({ ok: false, again, reason: `events did not take the entry: ${ErrorCode}` });
  });

  it('whose answer cannot be read may be told later', async () => {
    server.answers.push({ status: 200, body: {} });

    expect(await tell()).toMatchObject({ ok: false, again: true });
  });
});

describe('a topic', () => {
  it('gets a form, in its own region', async () => {
    server.answers.push({ status: 200, body: published });

    await tellOnAws({ on, to: 'sns', topic })();

    const form = new URLSearchParams(server.asked[0]?.body);
    expect(server.asked[0]?.headers['authorization']).toContain('/eu-west-1/sns/aws4_request');
    expect(Object.fromEntries(form)).toMatchObject({
      Action: 'Publish',
      Version: '2010-03-31',
      TopicArn: topic,
      MessageStructure: 'json',
      Subject: expect.stringContaining('nightly: flush partial'),
    });
  });
});

describe('a webhook', () => {
  const listener = { on, to: 'webhook', url: 'env:CHAT', format: 'json' } as const;

  it('whose secret was exchanged is told at the new address', async () => {
    server.answers.push({ status: 404 }, { status: 200 });
    const secrets = {
      get: async (_: string, options?: { readonly fresh?: boolean }) =>
        `${server.endpoint}/${options?.fresh === true ? 'new' : 'old'}`,
    };

    expect(await tellWebhook(listener, message, { ask, secrets })).toEqual({ ok: true });
    expect(server.asked.map(({ url }) => url)).toEqual(['/old', '/new']);
  });

  it.each([
    ['ftp://127.0.0.1/secret', 'the secret env:CHAT is no https URL without a user'],
    ['http://chat.example.com/secret', 'the secret env:CHAT is no https URL without a user'],
  ])('behind %s is not told', async (url, reason) => {
    const secrets = { get: async () => url };

    expect(await tellWebhook(listener, message, { ask, secrets })).toEqual({ ok: false, again: false, reason });
    expect(server.asked).toEqual([]);
  });

  it('whose secret cannot be read at the moment may be told later', async () => {
    const secrets = { get: () => Promise.reject(new Error('made-up detail')) };

    expect(await tellWebhook(listener, message, { ask, secrets })).toEqual({
      ok: false,
      again: true,
      reason: 'the secret env:CHAT cannot be read at the moment',
    });
  });
});

// What is told of a run, in every form: readable for the tired, the same for programs, and without anything secret.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import { noticeStatuses } from '../../lib/config.ts';
import type { RunRecord } from '../../lib/record.ts';
import { listenersOf, type Message, messageOf, noticeOf, owed } from '../../lib/report/notice.ts';
import { eventForm, jsonForm, slackForm, topicForm } from '../../lib/report/notice-forms.ts';
import { noCounts } from '../../lib/report.ts';
import { fullRecord, listeners, outcomesOfTen, plannedTen, secretTexts } from '../support/notices.ts';

const lists = { planned: plannedTen, outcomes: outcomesOfTen };

const slack = v.pipe(
  v.string(),
  v.parseJson(),
  v.strictObject({
    text: v.string(),
    blocks: v.array(
      v.strictObject({
        type: v.literal('section'),
        text: v.strictObject({ type: v.literal('mrkdwn'), text: v.string() }),
      }),
    ),
  }),
);

describe('whoever listens', () => {
  const config = { stage: 'prod', notify: [...listeners(['failed', 'missed']).slice(0, 1), ...listeners(['failed'])] };

  it.each([
    ['failed', 5],
    ['missed', 1],
    ['succeeded', 0],
    ['running', 0],
  ] as const)('to %s: %i', (status, count) => {
    expect(listenersOf(config, status)).toHaveLength(count);
    expect(owed(config, status)).toEqual(count === 0 ? {} : { notice: 'due' });
  });
});

describe('a notice', () => {
  it('is what programs are told, each field in its place', () => {
    expect(noticeOf(fullRecord(), 'prod', lists)).toEqual({
      v: 1,
      id: 'nightly-0123456789abcdef0123/partial',
      stage: 'prod',
      runId: 'nightly-0123456789abcdef0123',
      job: 'nightly',
      action: 'flush',
      project: 'staging',
      trigger: 'webhook',
      status: 'partial',
      code: 'cancelled',
      reason: 'operator:bob: wrong night',
      liftsAt: '2026-11-23T05:00:00.000Z',
      requestedBy: 'webhook:nightly',
      counts: { succeeded: 1, failed: 6, unknown: 1, skipped: 0, notStarted: 2 },
      path: '/runs/nightly-0123456789abcdef0123',
      planned: 10,
      planHash: 'aa11',
      approvedBy: 'operator:alice',
      stop: { code: 'cancelled', reason: 'wrong night', by: 'operator:bob' },
      failed: outcomesOfTen.slice(1, 6),
      createdAt: '2026-11-23T02:00:00.000Z',
      startedAt: '2026-11-23T02:00:00.500Z',
      finishedAt: '2026-11-23T02:20:00.000Z',
    });
  });

  it('is what docs/notices.md shows, with one failed instance of the five', () => {
    const [, shown = ''] = /```json\n([^`]*"v": 1[^`]*)```/.exec(readFileSync('docs/notices.md', 'utf8')) ?? [];
    const { failed, ...notice } = noticeOf(fullRecord(), 'prod', lists);

    expect(JSON.parse(shown)).toEqual({ ...notice, failed: failed?.slice(0, 1) });
  });

  it('has the same id whenever it is made, and another one for another status', () => {
    const ids = noticeStatuses.map((status) => noticeOf(fullRecord({ status }), 'prod', lists).id);

    expect(new Set(ids).size).toBe(noticeStatuses.length);
    expect(noticeOf(fullRecord(), 'prod', lists).id).toBe(noticeOf(fullRecord(), 'prod', lists).id);
  });
});

/** Without what a plain run has not. */
function plain(change: Partial<RunRecord>): RunRecord {
  const { code: _, reason: __, liftsAt: ___, stop: ____, approval: _____, ...rest } = fullRecord();
  return { ...rest, ...change };
}

const ten = { ...noCounts, succeeded: 10 };
const { decision: _, ...approval } = fullRecord().approval ?? {
  answerId: '',
  planHash: '',
  requestedAt: '',
  lapsesAt: '',
};
const asking = plain({ status: 'awaiting_approval', counts: noCounts, approval });

function message(record: RunRecord): Message {
  return messageOf(noticeOf(record, 'prod', lists));
}

describe('its title', () => {
  it.each<[string, RunRecord]>([
    ['nightly: flush succeeded, 10 succeeded', plain({ status: 'succeeded', counts: ten })],
    ['nightly: flush partial, 1 succeeded, 6 failed, 1 unknown, 2 not started (cancelled)', fullRecord()],
    ['nightly: flush failed (dcs_unavailable)', plain({ status: 'failed', code: 'dcs_unavailable', counts: noCounts })],
    ['nightly: flush refused (over_cap)', plain({ status: 'refused', code: 'over_cap', counts: noCounts })],
    ['nightly: flush missed (start_deadline)', plain({ status: 'missed', code: 'start_deadline', counts: noCounts })],
    ['nightly: flush planned', plain({ status: 'planned', counts: noCounts })],
    ['nightly: flush awaits approval, 10 instances, of which 3 lose their data', asking],
  ])('%s', (title, record) => {
    expect(message(record).title).toBe(title);
  });
});

describe('its lines', () => {
  it('say why it ended, who stopped it, the first that failed, and how many more', () => {
    const why = 'attempts_exhausted: DCS <answered> "failed" & more';

    expect(message(fullRecord()).lines).toEqual([
      'operator:bob: wrong night',
      'It lifts at 2026-11-23T05:00:00.000Z.',
      'Stopped by operator:bob: wrong night',
      `cache-2 failed after 1 attempt, ${why}`,
      `cache-3 failed after 2 attempts, ${why}`,
      `cache-4 failed after 3 attempts, ${why}`,
      `cache-5 failed after 4 attempts, ${why}`,
      `cache-6 failed after 5 attempts, ${why}`,
      'and 2 more',
      'Run nightly-0123456789abcdef0123 on staging (prod), asked for by webhook:nightly, came 2026-11-23T02:00:00.000Z, ended 2026-11-23T02:20:00.000Z.',
    ]);
  });

  it('say how to approve, and until when', () => {
    expect(message(asking).lines).toContain(
      'Another operator may approve it until 2026-11-23T03:00:01.000Z: dcs-autopilot approve nightly-0123456789abcdef0123 --plan aa11',
    );
    expect(message(asking).data).toMatchObject({
      planHash: 'aa11',
      approval: {
        path: '/runs/nightly-0123456789abcdef0123/approve',
        lapsesAt: '2026-11-23T03:00:01.000Z',
        dataLoss: 3,
      },
    });
  });
});

const odd = 'x'.repeat(400);

/** As outside texts can be: with line breaks, other alphabets, and what means something to a chat. */
const hostile = fullRecord({ reason: `<!channel> & ${odd}\n\u2028zweite Zeile, größer 🚀` });

describe('the form for Slack', () => {
  it('is one block of text, with a line for a telephone', () => {
    const { text, blocks } = v.parse(slack, slackForm(message(fullRecord())));

    expect(text).toBe('nightly: flush partial, 1 succeeded, 6 failed, 1 unknown, 2 not started (cancelled)');
    expect(blocks).toHaveLength(1);
    expect(blocks[0]?.text.text).toContain('cache-2 failed after 1 attempt, attempts_exhausted: DCS &lt;answered&gt;');
  });

  it('calls nobody, whatever a reason says, and stays within its limit', () => {
    const many = { ...message(hostile), lines: Array.from({ length: 50 }, () => hostile.reason ?? '') };
    const { blocks } = v.parse(slack, slackForm(many));

    expect(blocks[0]?.text.text).not.toMatch(/<!|[\u2028]/);
    expect(blocks[0]?.text.text.length).toBeLessThanOrEqual(3000);
  });
});

describe('the form for a topic', () => {
  it('has a subject for mails, words in the mail, and the notice for everybody else', () => {
    const { subject, message: text } = topicForm(message(fullRecord()));
    const parts = v.parse(
      v.strictObject({ default: v.string(), email: v.string(), sms: v.string() }),
      JSON.parse(text),
    );

    expect(subject).toBe(
      'dcs-autopilot nightly: flush partial, 1 succeeded, 6 failed, 1 unknown, 2 not started (cancelled)',
    );
    expect(JSON.parse(parts.default)).toEqual(noticeOf(fullRecord(), 'prod', lists));
    expect(parts.email).toContain('\nand 2 more\n');
    expect(parts.sms).toBe(subject);
  });

  it('keeps the subject to 100 characters of ASCII on one line', () => {
    const { subject } = topicForm({ ...message(hostile), title: hostile.reason ?? '' });

    expect(subject).toMatch(/^[\x20-\x7e]{1,100}$/);
  });
});

describe('the form for an event bus', () => {
  it('is an entry whose detail is the notice', () => {
    const { Detail = '', ...entry } = eventForm(message(fullRecord()), 'default');

    expect(entry).toEqual({ Source: 'dcs-autopilot', DetailType: 'Run partial', EventBusName: 'default' });
    expect(JSON.parse(Detail)).toEqual(noticeOf(fullRecord(), 'prod', lists));
  });
});

describe('no form', () => {
  it.each<[string, (said: Message) => string]>([
    ['json', jsonForm],
    ['slack', slackForm],
    ['eventbridge', (said) => JSON.stringify(eventForm(said, 'default'))],
    ['sns', (said) => JSON.stringify(topicForm(said))],
  ])('%s has what is secret in the record', (_name, form) => {
    const texts = [fullRecord(), asking, hostile].map((record) => form(message(record)));

    expect(secretTexts.every((secret) => JSON.stringify(fullRecord()).includes(secret))).toBe(true);
    expect(secretTexts.filter((secret) => texts.some((text) => text.includes(secret)))).toEqual([]);
  });
});

// The forms of a message: JSON for programs, blocks for Slack, an entry for an event bus, a publication for a topic. Pure,
// with the limits of whoever takes them in: what is too long is cut, not refused.

import type { Message } from './notice.ts';

/** The body for programs. */
export function jsonForm({ data }: Message): string {
  return JSON.stringify(data);
}

/**
 * The body of Slack's incoming webhooks: `text` is what a telephone shows, the blocks are the message. Limits:
 * https://docs.slack.dev/reference/block-kit/blocks/section-block (text at most 3,000 characters).
 */
export function slackForm({ title, lines }: Message): string {
  const section = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text } });
  const head = `*${slackText(title, 280)}*`;
  const body = lines.map((line) => slackText(line, 280));
  return JSON.stringify({ text: slackText(title, 280), blocks: [section([head, ...body].join('\n').slice(0, 3000))] });
}

/**
 * As Slack wants it: three characters escaped, or a text could call everybody (`<!channel>`) or hide a link.
 * https://docs.slack.dev/messaging/formatting-message-text
 */
function slackText(text: string, length: number): string {
  return shortened(plain(text), length).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** An entry of EventBridge's PutEvents. */
export function eventForm(message: Message, bus: string): Readonly<Record<string, string>> {
  return { Source: 'dcs-autopilot', DetailType: message.kind, Detail: jsonForm(message), EventBusName: bus };
}

/** What a topic of SNS publishes: mails get words, telephones the title, everybody else the JSON. */
export interface Publication {
  /** At most 100 characters of ASCII on one line. */
  readonly subject: string;
  /** For `MessageStructure: json`. */
  readonly message: string;
}

/** Limits: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html (subject). */
export function topicForm(message: Message): Publication {
  const subject = shortened(`dcs-autopilot ${plain(message.title).replaceAll(/[^\x20-\x7e]/g, '?')}`, 100);
  const email = [message.title, '', ...message.lines.map(plain), ''].join('\n');
  return { subject, message: JSON.stringify({ default: jsonForm(message), email, sms: subject }) };
}

/** On one line. */
function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
}

function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 3)}...`;
}

// Tells what listens on AWS: an event bus of EventBridge, a topic of SNS. Both are called where they are, whatever region the
// program runs in.

import * as v from 'valibot';
import type { Notify } from '../config.ts';
import type { Message } from '../report/notice.ts';
import { eventForm, topicForm } from '../report/notice-forms.ts';
import type { Told } from '../report/tell.ts';
import { type AwsCall, type AwsClient, AwsError, jsonCall } from './client.ts';

/** A listener on AWS. */
export type AwsListener = Exclude<Notify, { readonly to: 'webhook' }>;

/** Tells it, with the few repeats that a call to AWS has anyway; a message that comes twice has the same id. */
export async function tellAws(to: AwsListener, message: Message, client: AwsClient): Promise<Told> {
  try {
    return to.to === 'sns' ? await publish(to.topic, message, client) : await putEvent(to.bus, message, client);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return { ok: false, again: error.code !== 'aws_refused', reason: error.message };
  }
}

const putAnswer = v.object({
  FailedEntryCount: v.number(),
  Entries: v.array(v.object({ ErrorCode: v.optional(v.string()) })),
});

async function putEvent(bus: string, message: Message, client: AwsClient): Promise<Told> {
  const call = jsonCall('events', 'PutEvents', { Entries: [eventForm(message, bus)] }, 'harmless');
  const answer = v.safeParse(putAnswer, await client({ ...call, ...regionOf(bus) }));
  if (!answer.success) return { ok: false, again: true, reason: 'events gave an answer that cannot be read' };
  if (answer.output.FailedEntryCount === 0) return { ok: true };
  const code = answer.output.Entries[0]?.ErrorCode ?? 'no reason given';
  return { ok: false, again: passing.has(code), reason: `events did not take the entry: ${code.slice(0, 100)}` };
}

// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
const passing: ReadonlySet<string> = new Set(['ThrottlingException', 'InternalFailure', 'InternalException']);

async function publish(topic: string, message: Message, client: AwsClient): Promise<Told> {
  const { subject, message: Message } = topicForm(message);
  const fields = {
    Action: 'Publish',
    Version: '2010-03-31',
    TopicArn: topic,
    Subject: subject,
    Message,
    MessageStructure: 'json',
  };
  await client({ ...formCall('sns', fields), ...regionOf(topic) });
  return { ok: true };
}

/** SNS speaks forms and XML; nothing of its answer is needed. */
function formCall(service: 'sns', fields: Readonly<Record<string, string>>): AwsCall {
  const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
  const body = new URLSearchParams(fields).toString();
  return { service, method: 'POST', path: '/', headers, body, repeat: 'harmless', answer: 'ignored' };
}

/** The region in an ARN; a name alone lies in the program's own. */
function regionOf(place: string): { readonly region?: string } {
  const region = place.startsWith('arn:') ? place.split(':')[3] : undefined;
  return region === undefined || region === '' ? {} : { region };
}

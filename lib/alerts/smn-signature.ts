// Whether a message is what SMN signed: RSA PKCS#1 v1.5 with SHA-256 over a few of its members, as the documents of SMN
// say ("Message Signature Verification"). Headers are not signed, so only members of the body are believed.

import { createVerify, type KeyObject } from 'node:crypto';
import * as v from 'valibot';
import { readAs } from './shape.ts';

/** Followed up by a GET that confirms the subscription. The second one stands in the Chinese documents only. */
export const confirmations = ['SubscriptionConfirmation', 'HttpSubscriptionUserConfirm'] as const;
/** Never followed: what they offer is to subscribe again. */
export const cancellations = ['UnsubscribeConfirmation', 'HttpSubscriptionUserUnsubscribe'] as const;

// Members that are part of what is signed hold no line end where they need none: the signed text is lines, and a value
// with a line end in it could stand for two members. So an id cannot be changed to pass for another message.
const message = v.object({
  type: v.picklist(['Notification', ...confirmations, ...cancellations]),
  signature: v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]{1,1400}={0,2}$/)),
  signature_version: v.literal('v1'),
  topic_urn: v.pipe(v.string(), v.regex(/^urn:smn:[a-z0-9-]{1,64}:[0-9A-Za-z]{1,64}:[\w-]{1,255}$/)),
  message_id: v.pipe(v.string(), v.regex(/^[\w-]{1,128}$/)),
  message: v.string(),
  timestamp: v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/)),
  signing_cert_url: v.optional(v.string(), ''),
  subject: v.nullish(v.string()),
  subscribe_url: v.optional(v.string()),
});

/** A message of SMN as it is sent over HTTP; nothing in it is to be believed before it is verified. */
export type SmnMessage = v.InferOutput<typeof message>;

/** A parsed body as a message. Throws DoorError 400 `malformed`. */
export function readSmnMessage(body: unknown): SmnMessage {
  return readAs(message, body, 'body of SMN');
}

/** The region in the URN of a message's topic. */
export function regionOf({ topic_urn }: Pick<SmnMessage, 'topic_urn'>): string {
  return topic_urn.split(':')[2] ?? '';
}

/** Whether a message was signed with the private key that belongs to a public one. */
export function isSignedBy(key: KeyObject, message: SmnMessage): boolean {
  const signature = Buffer.from(message.signature, 'base64');
  return signedTexts(message).some((text) => createVerify('RSA-SHA256').update(text).verify(key, signature));
}

/**
 * The texts that SMN may have signed: the name and the value of each member, a line each. The vendor's samples disagree
 * on an empty subject (a line of its own, or left out), so such a message has two.
 */
export function signedTexts(message: SmnMessage): string[] {
  const { subject, subscribe_url: url } = message;
  const isNotification = message.type === 'Notification';
  const spelled = (third: readonly [string, string] | undefined): string =>
    [
      ['message', message.message],
      ['message_id', message.message_id],
      ...(third === undefined ? [] : [third]),
      ['timestamp', message.timestamp],
      ['topic_urn', message.topic_urn],
      ['type', message.type],
    ]
      .map(([name, value]) => `${name}\n${value}\n`)
      .join('');
  if (!isNotification) return [spelled(['subscribe_url', url ?? ''])];
  if (subject) return [spelled(['subject', subject])];
  return subject === '' ? [spelled(undefined), spelled(['subject', ''])] : [spelled(undefined)];
}

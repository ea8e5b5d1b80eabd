// Messages of Huawei Cloud SMN over HTTP: verified by topic, certificate and signature, then read as an alarm of Cloud
// Eye. A subscription is confirmed for listed topics only; a cancelled one is told to whoever reads the log.

import type { Alert, AlertDelivery, IgnoredAlert } from '../alert.ts';
import { malformedSecret, notAuthentic } from '../authentic.ts';
import type { Ref, Source } from '../config.ts';
import { DoorError } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { cloudEyeAlert } from './cloud-eye.ts';
import type { Get } from './outbound.ts';
import { type Certificates, checkCertificateUrl, isValidAt, readCertificate } from './smn-certificate.ts';
import {
  cancellations,
  confirmations,
  isSignedBy,
  readSmnMessage,
  regionOf,
  type SmnMessage,
} from './smn-signature.ts';

/** What the configuration says of SMN. */
export type SmnSource = Extract<Source, { readonly type: 'smn' }>;

/** A message that holds no alert and was dealt with. */
export interface Acknowledged {
  readonly acknowledged: 'subscription_confirmed' | 'subscription_cancelled';
  readonly topic: string;
}

/** What receiving messages of SMN needs of the world. */
export type SmnPorts = Pick<Runtime, 'secrets' | 'now' | 'log'> & {
  readonly get: Get;
  readonly certificates: Certificates;
};

/**
 * Milliseconds that a message may be old, counted from its first sending, and how far it may be ahead of our clock. An
 * alarm: SMN repeats it for an hour and more, and its id, by which a repetition is known, is kept for a day at least. A
 * message about a subscription: what it offers is valid for two days, and taking it up twice is harmless.
 */
const oldest = { alarm: 24 * 3600_000, subscription: 48 * 3600_000 };
const newest = 300_000;

/** Bytes of the answer to a confirmation; nothing in it is read. */
const answerLimit = 256 * 1024;

/** Where subscriptions are confirmed: Huawei's consoles, for all regions or for one. */
const consoles =
  /^https:\/\/(?:console(?:-intl)?\.huaweicloud\.com|([a-z0-9-]{1,64})-console\.huaweicloud\.(?:com|eu)|console\.otc\.t-systems\.com)(?::443)?\/smn\/subscription\/confirm\?[\w.~%!$&'()*+,;=:@/?-]{1,2000}$/;

/**
 * The delivery in a parsed body of SMN, or what was done with a message about a subscription. Throws DoorError: 400
 * `malformed`; 401 `timestamp_outside_window`, `certificate_url_refused`, `certificate_expired`, `signature_invalid`; 403
 * `topic_not_listed`; 422 `subscribe_url_refused`; 503 `certificate_unavailable`, `confirmation_failed`. Nothing is
 * fetched before topic, time and URL are checked.
 */
export async function receiveSmn(
  body: unknown,
  source: SmnSource,
  ports: SmnPorts,
): Promise<AlertDelivery | Acknowledged> {
  const message = readSmnMessage(body);
  const now = ports.now();
  if (!source.topics.includes(message.topic_urn))
    throw new DoorError(403, 'topic_not_listed', 'This topic is not listed.');
  checkAge(message, now);
  await verify(message, source, ports, now);
  if (isOneOf(confirmations, message.type)) return await confirm(message, ports);
  if (isOneOf(cancellations, message.type)) return cancelled(message, ports);
  return smnDelivery(message, new Date(now).toISOString());
}

/** The delivery in a message that was verified. Its id is the same when SMN repeats it. */
export function smnDelivery(message: SmnMessage, receivedAt: string): AlertDelivery {
  const { message_id: messageId, subject } = message;
  const read = cloudEyeAlert(message.message, { messageId, region: regionOf(message), subject });
  const alerts: readonly Alert[] = 'code' in read ? [] : [read];
  const ignored: readonly IgnoredAlert[] = 'code' in read ? [read] : [];
  return { source: 'smn', deliveryId: messageId, receivedAt, alerts, ignored, truncated: 0 };
}

/** A time that is none gives no age, and is refused like one that is too far. */
function checkAge({ type, timestamp }: SmnMessage, now: number): void {
  const age = now - Date.parse(timestamp);
  if (age <= (type === 'Notification' ? oldest.alarm : oldest.subscription) && age >= -newest) return;
  throw new DoorError(401, 'timestamp_outside_window', 'The time of this message is too far from our clock.');
}

async function verify(message: SmnMessage, source: SmnSource, ports: SmnPorts, now: number): Promise<void> {
  if (source.certificate !== null) return await verifyPinned(message, source.certificate, ports, now);
  checkCertificateUrl(message.signing_cert_url, regionOf(message));
  const { publicKey } = await ports.certificates(message.signing_cert_url, now);
  if (!isSignedBy(publicKey, message)) throw notAuthentic('signature_invalid');
}

/** A pinned certificate is read afresh where it does not fit: it may have been exchanged. */
async function verifyPinned(message: SmnMessage, ref: Ref, { secrets }: SmnPorts, now: number): Promise<void> {
  for (const fresh of [false, true]) {
    const certificate = readCertificate(await secrets.get(ref, { fresh }));
    if (certificate === undefined)
      throw malformedSecret(ref, 'must be a PEM certificate with an RSA key of 2048 bits or more');
    if (isValidAt(certificate, now) && isSignedBy(certificate.publicKey, message)) return;
    // Ours to exchange: the message is not lost as long as SMN repeats it.
    if (fresh && !isValidAt(certificate, now))
      throw new DoorError(503, 'certificate_expired', 'The pinned certificate is outside its dates.');
  }
  throw notAuthentic('signature_invalid');
}

async function confirm(message: SmnMessage, { get, log }: SmnPorts): Promise<Acknowledged> {
  const { topic_urn: topic, subscribe_url: url = '' } = message;
  const [match, region] = consoles.exec(url) ?? [];
  if (match === undefined || (region !== undefined && region !== regionOf(message))) {
    throw new DoorError(
      422,
      'subscribe_url_refused',
      'This subscription would not be confirmed at a console of Huawei Cloud.',
    );
  }
  const { status } = await get(url, answerLimit).catch((cause: unknown) => {
    throw unconfirmed('no answer came', cause);
  });
  if (status < 200 || status > 299) throw unconfirmed(`the answer was ${status}`);
  log.info('subscription confirmed', { source: 'smn', topic });
  return { acknowledged: 'subscription_confirmed', topic };
}

function cancelled({ topic_urn: topic }: SmnMessage, { log }: SmnPorts): Acknowledged {
  log.warn('subscription cancelled', { source: 'smn', topic });
  return { acknowledged: 'subscription_cancelled', topic };
}

function unconfirmed(why: string, cause?: unknown): DoorError {
  return new DoorError(503, 'confirmation_failed', `The subscription could not be confirmed: ${why}.`, [], { cause });
}

function isOneOf(types: readonly string[], type: string): boolean {
  return types.includes(type);
}

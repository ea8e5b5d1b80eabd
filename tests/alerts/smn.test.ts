// Who may speak for SMN, and what is asked of the world on the word of a message: nothing before its topic, its time and
// its URLs are what they should be.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { receiveSmn, type SmnSource } from '../../lib/alerts/smn.ts';
import { fetchingCertificates, isValidAt, readCertificate } from '../../lib/alerts/smn-certificate.ts';
import { isSignedBy, readSmnMessage, signedTexts } from '../../lib/alerts/smn-signature.ts';
import type { Ref } from '../../lib/config.ts';
import { DoorError, EnvironmentError } from '../../lib/errors.ts';
import { selfSigned } from '../huawei/self-signed.ts';
import {
  AlertWorld,
  afternoon,
  bodyOf,
  certificate,
  certificateUrl,
  fixture,
  rejection,
  signedBody,
  smnSource,
  topic,
} from '../support/alert-world.ts';

const pinned: Ref = 'env:SMN_CERTIFICATE';
const alarm = 'smn-ces-alarm-dcs';
const confirmation = 'smn-subscription-confirmation';
const subscribeUrl = String(bodyOf(confirmation)['subscribe_url']);
const hour = 3600_000;

// A stand-in for SMN's own key, where a test changes what is signed.
const own = selfSigned({ bits: 2048 });

function ownWorld(): AlertWorld {
  const world = new AlertWorld();
  world.pages.set(certificateUrl, { status: 200, body: own.cert });
  return world;
}

async function refused(body: unknown, world = new AlertWorld(), source: SmnSource = smnSource): Promise<unknown> {
  const error = await rejection(receiveSmn(body, source, world));
  expect(error).toBeInstanceOf(DoorError);
  return error;
}

describe('the signature', () => {
  it.each([
    alarm,
    'smn-ces-alarm-dcs-cluster-node',
    'smn-ces-event-dcs-INFERRED',
    'smn-ces-ok-dcs',
    'smn-plain-text-notification',
    confirmation,
    'smn-unsubscribe-confirmation',
  ])('of %s is over the text that the example lists', (file) => {
    const message = readSmnMessage(bodyOf(file));
    const { publicKey } = readCertificate(certificate) ?? {};

    expect(fixture(file)).toMatchObject({ verify: { stringToSign: signedTexts(message)[0] } });
    expect(publicKey !== undefined && isSignedBy(publicKey, message)).toBe(true);
  });

  it.each([
    ['message', '{}'],
    ['message_id', 'another'],
    ['subject', 'Another subject'],
    ['subject', ''],
    ['subject', null],
    ['timestamp', '2026-11-23T13:37:11Z'],
    ['topic_urn', `${topic}-2`],
    ['type', 'UnsubscribeConfirmation'],
    ['signature', bodyOf('smn-ces-ok-dcs')['signature']],
    ['signature', 'AAAA'],
  ])('does not fit when %s is %p', async (member, value) => {
    const source = { ...smnSource, topics: [topic, `${topic}-2`] };

    const error = await rejection(receiveSmn(bodyOf(alarm, { [member]: value }), source, new AlertWorld()));

    expect(error).toMatchObject({ status: 401, code: 'signature_invalid' });
  });

  it('of a subscription covers where it is confirmed', async () => {
    const body = bodyOf(confirmation, { subscribe_url: subscribeUrl.replace('token=8', 'token=9') });
    const world = new AlertWorld();

    expect(await refused(body, world)).toMatchObject({ code: 'signature_invalid' });
    expect(world.asked).toEqual([certificateUrl]);
  });

  it.each([
    ['left out', { subject: undefined }],
    ['null', { subject: null }],
    ['empty', { subject: '' }],
  ])('may be over a subject that is %s', async (_, change) => {
    await expect(receiveSmn(signedBody(own.key, alarm, change), smnSource, ownWorld())).resolves.toMatchObject({
      alerts: [{ rule: 'dcs-redis-memory-high' }],
    });
  });

  it('over an empty subject may spell it as a line, too', () => {
    const [without, within] = signedTexts(readSmnMessage(bodyOf(alarm, { subject: '' })));

    expect(without).not.toContain('\nsubject\n');
    expect(within).toContain('\nsubject\n\ntimestamp\n');
  });

  it('cannot be moved to another id by drawing the line between the members elsewhere', async () => {
    const { message_id: id, subject } = bodyOf(alarm);
    const moved = bodyOf(alarm, { message_id: `${id}\nsubject\n${subject}`, subject: null });

    expect(await refused(moved)).toMatchObject({ status: 400, details: [{ path: 'message_id' }] });
  });

  it('of nobody else fits, whatever is sent', async () => {
    const world = new AlertWorld();
    const text = fc.string({ unit: 'binary' });

    await fc.assert(
      fc.asyncProperty(text, text, async (message, subject) => {
        const body = signedBody(own.key, alarm, { message, subject });

        expect(await rejection(receiveSmn(body, smnSource, world))).toMatchObject({ code: 'signature_invalid' });
      }),
      { numRuns: 20 },
    );
  });
});

describe('before anything is fetched', () => {
  it.each([
    'urn:smn:ap-southeast-3:0a1b2c3d4e5f60718293a4b5c6d7e8f9:dcs-ops-alarms-2',
    'urn:smn:ap-southeast-3:ffffffffffffffffffffffffffffffff:dcs-ops-alarms',
    'urn:smn:eu-de:0a1b2c3d4e5f60718293a4b5c6d7e8f9:dcs-ops-alarms',
  ])('the topic %s is refused', async (other) => {
    const world = new AlertWorld();

    const error = await refused(bodyOf(alarm, { topic_urn: other }), world);

    expect(error).toMatchObject({ status: 403, code: 'topic_not_listed' });
    expect(world.asked).toEqual([]);
  });

  it('the header of a listed topic does not stand for the one in the body', async () => {
    const error = await refused(bodyOf(alarm), new AlertWorld(), {
      ...smnSource,
      topics: ['urn:smn:eu-de:0a1b:another'],
    });

    expect(error).toMatchObject({ code: 'topic_not_listed' });
  });

  const region = 'ap-southeast-3';
  const pem = `SMN_${region}_b6ba9fa6ea18201bf39ea635ecca9f13.pem`;

  it.each([
    ['http', `http://smn.${region}.myhuaweicloud.com/smn/${pem}`],
    ['another port', `https://smn.${region}.myhuaweicloud.com:8443/smn/${pem}`],
    ['a user', `https://smn@smn.${region}.myhuaweicloud.com/smn/${pem}`],
    ['a host behind a user', `https://smn.${region}.myhuaweicloud.com@evil.example/smn/${pem}`],
    ['a host that begins like it', `https://smn.${region}.myhuaweicloud.com.evil.example/smn/${pem}`],
    ['a host that ends like it', `https://evil-smn.${region}.myhuaweicloud.com/smn/${pem}`],
    ['a host below it', `https://x.smn.${region}.myhuaweicloud.com/smn/${pem}`],
    ['a host whose dots are letters', `https://smnx${region}xmyhuaweicloudxcom/smn/${pem}`],
    ['a bucket of a customer', `https://smn.obs.${region}.myhuaweicloud.com/smn/${pem}`],
    ['an address', `https://169.254.169.254/smn/${pem}`],
    ['another region in the host', `https://smn.eu-de.myhuaweicloud.com/smn/${pem}`],
    ['another region in the path', `https://smn.${region}.myhuaweicloud.com/smn/${pem.replace(region, 'eu-de')}`],
    ['another region in both', certificateUrl.replaceAll(region, 'eu-de')],
    ['another path', `https://smn.${region}.myhuaweicloud.com/evil/${pem}`],
    ['a path that climbs', `https://smn.${region}.myhuaweicloud.com/smn/../evil/${pem}`],
    ['a path of two steps', `https://smn.${region}.myhuaweicloud.com/smn/x/${pem}`],
    ['a query', `${certificateUrl}?x=1`],
    ['a fragment', `${certificateUrl}#x`],
    ['a line end', `${certificateUrl}\n`],
    ['a space before it', ` ${certificateUrl}`],
    ['upper case', certificateUrl.replace('https', 'HTTPS')],
    ['fewer digits', certificateUrl.replace('b6ba', 'b6b')],
    ['no URL', ''],
  ])('a certificate at a URL with %s is refused', async (_, url) => {
    const world = new AlertWorld();

    const error = await refused(bodyOf(alarm, { signing_cert_url: url }), world);

    expect(error).toMatchObject({ status: 401, code: 'certificate_url_refused' });
    expect(world.asked).toEqual([]);
  });

  it.each([
    `https://smn.${region}.myhuaweicloud.com:443/smn/${pem}`,
    `https://smn.${region}.myhuaweicloud.eu/smn/${pem}`,
    `https://smn.${region}.otc.t-systems.com/smn/${pem}`,
  ])('a certificate at %s is taken', async (url) => {
    const world = new AlertWorld();
    world.pages.set(url, { status: 200, body: certificate });

    await expect(receiveSmn(bodyOf(alarm, { signing_cert_url: url }), smnSource, world)).resolves.toHaveProperty(
      'deliveryId',
    );
  });

  it.each([
    ['a notification of an hour ago', alarm, hour, undefined],
    ['a notification of a day ago', alarm, 24 * hour, undefined],
    ['an older notification', alarm, 24 * hour + 1, 'timestamp_outside_window'],
    ['a clock five minutes behind', alarm, -300_000, undefined],
    ['a clock further behind', alarm, -300_001, 'timestamp_outside_window'],
    ['a subscription of two days ago', confirmation, 48 * hour, undefined],
    ['an older subscription', confirmation, 48 * hour + 1, 'timestamp_outside_window'],
  ])('the time is checked: %s', async (_, file, age, code) => {
    const world = ownWorld();
    world.pages.set(subscribeUrl, { status: 200, body: '' });
    world.clock = Date.parse(String(bodyOf(file)['timestamp'])) + age;

    const error = await rejection(receiveSmn(signedBody(own.key, file), smnSource, world));

    expect(error instanceof DoorError ? error.code : error).toBe(code);
    expect(world.asked.length > 0).toBe(code === undefined);
  });

  it('a time that is none is refused', async () => {
    const error = await refused(signedBody(own.key, alarm, { timestamp: '2026-13-45T99:00:00Z' }), ownWorld());

    expect(error).toMatchObject({ code: 'timestamp_outside_window' });
  });

  it.each([
    ['type', 'Another'],
    ['signature_version', 'v2'],
    ['signature', 'not base64!'],
    ['signature', undefined],
    ['message', 17],
    ['topic_urn', 'urn:smn:eu-de'],
    ['message_id', ''],
    ['timestamp', 1795441020000],
  ])('a body whose %s is %p is refused', async (member, value) => {
    const world = new AlertWorld();

    const error = await refused(bodyOf(alarm, { [member]: value }), world);

    expect(error).toMatchObject({ status: 400, code: 'malformed', details: [{ path: member }] });
    expect(world.asked).toEqual([]);
  });
});

describe('the certificate', () => {
  it('is fetched once for many messages', async () => {
    const world = new AlertWorld();

    await Promise.all([1, 2, 3].map(() => receiveSmn(bodyOf(alarm), smnSource, world)));
    await receiveSmn(bodyOf('smn-ces-ok-dcs'), smnSource, world);

    expect(world.asked).toEqual([certificateUrl]);
  });

  it.each([
    ['has ended', { to: '261123135959Z' }],
    ['has not begun', { from: '261123140001Z' }],
  ])('is refused when it %s', async (_, dates) => {
    const { key, cert } = selfSigned({ bits: 2048, ...dates });
    const world = new AlertWorld();
    world.pages.set(certificateUrl, { status: 200, body: cert });

    expect(await refused(signedBody(key, alarm), world)).toMatchObject({ status: 401, code: 'certificate_expired' });
  });

  it('is fetched again when the kept one has ended', async () => {
    const short = selfSigned({ bits: 2048, to: '261123143000Z' });
    const world = new AlertWorld();
    world.pages.set(certificateUrl, { status: 200, body: short.cert });
    await receiveSmn(signedBody(short.key, alarm), smnSource, world);
    world.pages.set(certificateUrl, { status: 200, body: own.cert });
    world.clock = afternoon + hour;

    await receiveSmn(signedBody(own.key, alarm), smnSource, world);

    expect(world.asked).toEqual([certificateUrl, certificateUrl]);
  });

  it.each([
    ['nothing answers', new Error('ECONNREFUSED')],
    ['it is gone', { status: 404, body: '' }],
    ['it is elsewhere', { status: 302, body: certificate }],
    ['it is no certificate', { status: 200, body: '<html>' }],
    ['its key is of another kind', { status: 200, body: selfSigned().cert }],
    ['its key is short', { status: 200, body: selfSigned({ bits: 1024 }).cert }],
  ])('that cannot be had makes SMN send again, and is asked for again: %s', async (_, page) => {
    const world = new AlertWorld();
    world.pages.set(certificateUrl, page);

    expect(await refused(bodyOf(alarm), world)).toMatchObject({ status: 503, code: 'certificate_unavailable' });

    world.pages.set(certificateUrl, { status: 200, body: certificate });
    await expect(receiveSmn(bodyOf(alarm), smnSource, world)).resolves.toHaveProperty('deliveryId');
  });

  it('is asked for at eight places at once, and not at a ninth', async () => {
    const waiting: (() => void)[] = [];
    const certificates = fetchingCertificates(
      () => new Promise((resolve) => waiting.push(() => resolve({ status: 200, body: certificate }))),
    );
    const places = Array.from({ length: 9 }, (_, index) => `https://example.test/${index}`);
    const asked = places.map((place) => certificates(place, afternoon).catch((error: unknown) => error));

    expect(await asked[8]).toMatchObject({ status: 503, code: 'certificate_unavailable' });
    for (const answer of waiting) answer();
    await expect(asked[0]).resolves.toHaveProperty('publicKey');
  });

  it('that was kept first goes when there are more than eight', async () => {
    const asked: string[] = [];
    const certificates = fetchingCertificates(async (url) => {
      asked.push(url);
      return { status: 200, body: certificate };
    });
    for (const place of ['0', '1', '2', '3', '4', '5', '6', '7', '8']) await certificates(place, afternoon);

    await certificates('8', afternoon);
    await certificates('1', afternoon);
    await certificates('0', afternoon);

    expect(asked.slice(9)).toEqual(['0']);
  });

  it('is valid on its first and its last second', () => {
    const read = readCertificate(selfSigned({ bits: 2048, from: '261123140000Z', to: '261123150000Z' }).cert);
    const at = (time: string) => read !== undefined && isValidAt(read, Date.parse(time));

    expect(
      ['2026-11-23T13:59:59Z', '2026-11-23T14:00:00Z', '2026-11-23T15:00:00Z', '2026-11-23T15:00:01Z'].map(at),
    ).toEqual([false, true, true, false]);
  });
});

describe('a pinned certificate', () => {
  const source = { ...smnSource, certificate: pinned };

  it('is used instead of the one that a message names', async () => {
    const world = new AlertWorld();
    world.secretOf.set(pinned, certificate);

    await receiveSmn(bodyOf(alarm, { signing_cert_url: 'https://evil.example/' }), source, world);

    expect(world.asked).toEqual([]);
  });

  it('is read once more where it does not fit', async () => {
    const world = new AlertWorld();
    world.cached.set(pinned, own.cert);
    world.secretOf.set(pinned, certificate);

    await expect(receiveSmn(bodyOf(alarm), source, world)).resolves.toHaveProperty('deliveryId');
  });

  it('lets nobody in who signs with another key', async () => {
    const world = new AlertWorld();
    world.secretOf.set(pinned, certificate);

    const error = await rejection(receiveSmn(signedBody(own.key, alarm), source, world));

    expect(error).toMatchObject({ status: 401, code: 'signature_invalid' });
  });

  it('that has ended is ours to exchange: SMN is told to send again', async () => {
    const old = selfSigned({ bits: 2048, to: '261123135959Z' });
    const world = new AlertWorld();
    world.secretOf.set(pinned, old.cert);

    const error = await rejection(receiveSmn(signedBody(old.key, alarm), source, world));

    expect(error).toMatchObject({ status: 503, code: 'certificate_expired' });
  });

  it('that is none is told by its name, and not by its value', async () => {
    const world = new AlertWorld();
    world.secretOf.set(pinned, 'a made-up value');

    const error = await rejection(receiveSmn(bodyOf(alarm), source, world));

    expect(error).toBeInstanceOf(EnvironmentError);
    expect(error).toMatchObject({ code: 'secret_malformed', message: expect.stringContaining(pinned) });
    expect(String(error)).not.toContain('made-up');
  });
});

describe('a subscription', () => {
  it('to a listed topic is confirmed', async () => {
    const world = new AlertWorld();
    world.pages.set(subscribeUrl, { status: 200, body: '{}' });

    const done = await receiveSmn(bodyOf(confirmation), smnSource, world);

    expect(done).toEqual({ acknowledged: 'subscription_confirmed', topic });
    expect(world.asked).toEqual([certificateUrl, subscribeUrl]);
    expect(world.lines).toEqual([['info', 'subscription confirmed', { source: 'smn', topic }]]);
  });

  it('to another topic is not', async () => {
    const world = new AlertWorld();

    const error = await rejection(receiveSmn(bodyOf(confirmation), { ...smnSource, topics: [`${topic}-2`] }, world));

    expect(error).toMatchObject({ status: 403 });
    expect(world.asked).toEqual([]);
  });

  const path = '/smn/subscription/confirm?token=83f1';

  it.each([
    `https://console.huaweicloud.com${path}`,
    `https://console-intl.huaweicloud.com${path}`,
    `https://ap-southeast-3-console.huaweicloud.com${path}`,
    `https://ap-southeast-3-console.huaweicloud.eu${path}`,
    `https://console.otc.t-systems.com:443${path}`,
  ])('is confirmed at %s', async (url) => {
    const world = ownWorld();
    world.pages.set(url, { status: 200, body: '' });

    await receiveSmn(signedBody(own.key, confirmation, { subscribe_url: url }), smnSource, world);

    expect(world.asked).toEqual([certificateUrl, url]);
  });

  it.each([
    ['http', `http://console.huaweicloud.com${path}`],
    ['another port', `https://console.huaweicloud.com:8443${path}`],
    ['a host behind a user', `https://console.huaweicloud.com@evil.example${path}`],
    ['a host that begins like it', `https://console.huaweicloud.com.evil.example${path}`],
    ['a host that ends like it', `https://evilconsole.huaweicloud.com${path}`],
    ['a console of another region', `https://eu-de-console.huaweicloud.com${path}`],
    ['an address', `https://169.254.169.254${path}`],
    ['another path', 'https://console.huaweicloud.com/smn/subscription/unsubscribe?token=1'],
    ['a path that climbs', 'https://console.huaweicloud.com/smn/subscription/confirm/../x?token=1'],
    ['a backslash', `https://console.huaweicloud.com\\@evil.example${path}`],
    ['a fragment', `https://console.huaweicloud.com${path}#x`],
    ['no token', 'https://console.huaweicloud.com/smn/subscription/confirm'],
    ['no URL', undefined],
  ])('is not confirmed at a URL with %s, even if SMN signed it', async (_, url) => {
    const world = ownWorld();

    const error = await refused(signedBody(own.key, confirmation, { subscribe_url: url }), world);

    expect(error).toMatchObject({ status: 422, code: 'subscribe_url_refused' });
    expect(world.asked).toEqual([certificateUrl]);
  });

  it.each([
    ['nothing answers', new Error('ECONNREFUSED')],
    ['the console is elsewhere', { status: 302, body: '' }],
    ['the token is unknown', { status: 404, body: '' }],
    ['the console fails', { status: 500, body: '' }],
  ])('that could not be confirmed is sent again: %s', async (_, page) => {
    const world = new AlertWorld();
    world.pages.set(subscribeUrl, page);

    expect(await refused(bodyOf(confirmation), world)).toMatchObject({ status: 503, code: 'confirmation_failed' });
  });

  it('of the type in the Chinese documents is confirmed, too', async () => {
    const world = ownWorld();
    world.pages.set(subscribeUrl, { status: 200, body: '' });
    const body = signedBody(own.key, confirmation, { type: 'HttpSubscriptionUserConfirm' });

    await expect(receiveSmn(body, smnSource, world)).resolves.toMatchObject({ acknowledged: 'subscription_confirmed' });
  });

  it.each(['UnsubscribeConfirmation', 'HttpSubscriptionUserUnsubscribe'])(
    'that was cancelled (%s) is told and never followed',
    async (type) => {
      const world = ownWorld();
      world.clock = Date.parse('2026-11-23T18:00:00Z');

      const done = await receiveSmn(signedBody(own.key, 'smn-unsubscribe-confirmation', { type }), smnSource, world);

      expect(done).toEqual({ acknowledged: 'subscription_cancelled', topic });
      expect(world.asked).toEqual([certificateUrl]);
      expect(world.lines).toEqual([['warn', 'subscription cancelled', { source: 'smn', topic }]]);
    },
  );
});

// Where alerts come from, when there are too many of them, and who is told of runs: the schemas of `sources`, `alertStorm`
// and `notify`, each read to what the program uses.

import * as v from 'valibot';
import { type AlertStorm, type Notify, noticeStatuses, type Source } from '../config.ts';
import * as defaults from './defaults.ts';
import { closed, isMapping, keyOf, may, says } from './keys.ts';
import { duration, listOf, oneOf, ref, secrets, share, textLike, whole } from './values.ts';

const liveSecrets = says(secrets, 'Secrets that are accepted; two while one replaces the other');

const header = v.pipe(
  textLike(/^[A-Za-z0-9-]{1,64}$/, 'expected the name of a header, such as x-grafana-alerting-signature'),
  v.transform((name) => name.toLowerCase()),
);

const smnTopic = textLike(
  /^urn:smn:[a-z0-9-]+:[A-Za-z0-9]{8,64}:[A-Za-z0-9_-]{1,255}$/,
  'expected the URN of a topic, such as urn:smn:eu-de:0a1b2c3d4e5f60718293a4b5c6d7e8f9:dcs-alarms',
);

const snsTopic = textLike(
  /^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$/,
  'expected the ARN of a topic, such as arn:aws:sns:eu-central-1:111122223333:alarms',
);

/** A list of at least one of `item`, each once. */
function some<const Item extends v.GenericSchema>(item: Item) {
  return v.pipe(
    listOf(item),
    v.minLength(1, 'expected a list that is not empty'),
    v.transform((list) => [...new Set(list)]),
  );
}

const alertmanager = v.pipe(
  closed({
    auth: says(oneOf(['bearer', 'basic']), 'How a request proves where it comes from'),
    secrets: liveSecrets,
  }),
  v.transform(({ auth, secrets }): Source => ({ type: 'alertmanager', auth, secrets })),
);

const grafana = v.pipe(
  closed({
    auth: says(oneOf(['hmac', 'bearer', 'basic']), 'How a request proves where it comes from'),
    secrets: liveSecrets,
    signatureHeader: may(header, 'Header of the signature; with hmac only. Default: x-grafana-alerting-signature'),
    timestampHeader: may(header, 'Header of the time that is signed too; with hmac only'),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    const input: Record<string, unknown> = isMapping(dataset.value) ? dataset.value : {};
    if (input['auth'] === 'hmac') return;
    for (const key of ['signatureHeader', 'timestampHeader'].filter((each) => Object.hasOwn(input, each))) {
      addIssue({ message: 'only with auth: hmac', path: [keyOf(input, key)] });
    }
  }),
  v.transform(
    ({ auth, secrets, signatureHeader, timestampHeader }): Source => ({
      type: 'grafana',
      auth,
      secrets,
      signatureHeader: signatureHeader ?? defaults.signatureHeader,
      timestampHeader: timestampHeader ?? null,
    }),
  ),
);

const smn = v.pipe(
  closed({
    topics: says(some(smnTopic), 'URNs of the topics that are listened to'),
    certificate: may(ref, 'Secret with the PEM that signatures are checked by, instead of the one a message names'),
  }),
  v.transform(({ topics, certificate }): Source => ({ type: 'smn', topics, certificate: certificate ?? null })),
);

const sns = v.pipe(
  closed({ topics: says(some(snsTopic), 'ARNs of the topics that are listened to') }),
  v.transform(({ topics }): Source => ({ type: 'sns', topics })),
);

const cloudwatch = v.pipe(
  closed({}),
  v.transform((): Source => ({ type: 'cloudwatch' })),
);

/** Where alerts may come from. */
export const sources = closed({
  alertmanager: may(alertmanager, 'POST /alerts/alertmanager'),
  grafana: may(grafana, 'POST /alerts/grafana'),
  smn: may(smn, 'POST /alerts/smn'),
  sns: may(sns, 'Topics of Amazon SNS'),
  cloudwatch: may(cloudwatch, 'Alarms of CloudWatch, by EventBridge or as a direct call; takes no keys'),
});

/** When many alerts are a storm. */
export const alertStorm = v.pipe(
  closed({
    share: may(share, 'Share of the instances of the project that alert. Default: 20%'),
    count: may(whole(1, 10_000), 'Instances that alert. Default: 10'),
    within: may(duration(), 'In how long. Default: 5m'),
    cooldown: may(duration(), 'How long it must be calm again. Default: 10m'),
  }),
  v.transform((storm): AlertStorm => ({ ...defaults.alertStorm, ...storm })),
);

const busWanted = 'expected the name or the ARN of an event bus, such as default';

const channels = ['webhook', 'eventbridge', 'sns'] as const;

const notice = v.pipe(
  closed({
    on: says(some(oneOf(noticeStatuses)), 'Statuses of runs that are told'),
    to: says(oneOf(channels), 'Which way'),
    url: may(ref, 'Secret with the URL; with webhook only, and required there'),
    format: may(oneOf(['slack', 'json']), 'Form of the body; with webhook only. Default: json'),
    bus: may(
      textLike(/^(arn:aws[a-z-]*:events:[a-z0-9-]+:[0-9]{12}:event-bus\/)?[A-Za-z0-9._/-]{1,256}$/, busWanted),
      'Name or ARN of the event bus; with eventbridge only, and required there',
    ),
    topic: may(snsTopic, 'ARN of the topic; with sns only, and required there'),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    const input: Record<string, unknown> = isMapping(dataset.value) ? dataset.value : {};
    for (const { key, message } of channelFaults(input)) {
      addIssue({ message, path: [keyOf(input, key)] });
    }
  }),
  v.transform(({ on, to, url, format, bus, topic }): Notify => {
    if (to === 'webhook' && url !== undefined) return { on, to, url, format: format ?? 'json' };
    if (to === 'eventbridge' && bus !== undefined) return { on, to, bus };
    if (to === 'sns' && topic !== undefined) return { on, to, topic };
    throw new Error('a notice without its address was let through');
  }),
);

const addresses = { webhook: 'url', eventbridge: 'bus', sns: 'topic' } as const;

/** Each way has keys of its own, of which the address is required. */
function channelFaults(input: Readonly<Record<string, unknown>>): readonly { key: string; message: string }[] {
  const to = channels.find((each) => each === input['to']);
  if (to === undefined) return [];
  const address = addresses[to];
  const foreign = channels
    .filter((each) => each !== to)
    .flatMap((each) =>
      [addresses[each], ...(each === 'webhook' ? ['format'] : [])].map((key) => ({
        key,
        message: `only with to: ${each}`,
      })),
    );
  return [
    ...foreign.filter(({ key }) => Object.hasOwn(input, key)),
    ...(Object.hasOwn(input, address) ? [] : [{ key: address, message: `required with to: ${to}` }]),
  ];
}

/** Who is told. */
export const notify = listOf(notice);

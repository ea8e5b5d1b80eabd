// The shape of a fleet's file, as its user writes it: which keys there are and what each takes.

import * as v from 'valibot';
import { closed, named, sound } from '../../config/keys.ts';
import { checkedText, flag, instanceId, listOf, oneOf, tagValue, text, textLike, whole } from '../../config/values.ts';
import type { Path } from '../../config/yaml.ts';
import { readAnswer, readFault, withoutEntries } from './fault-text.ts';
import { type CallFault, isPlace } from './script.ts';
import { readRange, readSpan } from './span.ts';
import { unknowns } from './unknowns.ts';

const spanWanted = 'expected a time such as 200ms, 30s, 2m or 1h';
const span = v.pipe(
  checkedText(spanWanted, (given) => (readSpan(given) === undefined ? spanWanted : null)),
  v.transform((given) => readSpan(given) ?? 0),
);

const lengthWanted = 'expected a time that is longer than nothing, such as 200ms, 30s, 2m or 1h';
const length = v.pipe(span, v.minValue(1, lengthWanted));

const rangeWanted = 'expected a time such as 2s, or from one to another, such as 1s..2s';
const range = v.pipe(
  checkedText(rangeWanted, (given) => (readRange(given) === undefined ? rangeWanted : null)),
  v.transform((given) => readRange(given) ?? { min: 0, max: 0 }),
);

const percent = v.pipe(
  textLike(/^(100|\d{1,2}(\.\d+)?)%$/, 'expected a share such as 5% or 0.5%'),
  v.transform((given) => Number(given.slice(0, -1)) / 100),
);

const capacity = v.pipe(v.number('expected GB, such as 0.125 or 4'), v.minValue(0, 'expected GB, such as 0.125 or 4'));
const seed = whole(0, 999_999_999);
const busy = { for: span, task: v.exactOptional(text), status: v.exactOptional(text) };
const sendFaults = oneOf(['ok', 'failed', 'omitted', 'ignored']);

/** What shall happen to one instance. */
const script = closed({
  sends: v.exactOptional(listOf(sendFaults)),
  busyFromFirstSend: v.exactOptional(closed(busy)),
  backupsEnd: v.exactOptional(listOf(oneOf(['succeed', 'failed']))),
  restartsEnd: v.exactOptional(listOf(oneOf(['RUNNING', 'ERROR']))),
  periods: v.exactOptional(listOf(closed({ ...busy, from: span }))),
});

/** One instance: what it is, and what shall happen to it. */
const instance = closed({
  id: v.exactOptional(instanceId),
  name: text,
  engine: v.exactOptional(oneOf(['Redis', 'Memcached'])),
  version: v.exactOptional(text),
  specCode: v.exactOptional(text),
  cacheMode: v.exactOptional(oneOf(['single', 'ha', 'cluster', 'proxy', 'ha_rw_split'])),
  replicas: v.exactOptional(whole(1, 10)),
  capacity: v.exactOptional(capacity),
  ip: v.exactOptional(text),
  tags: v.exactOptional(v.nullable(named(text, tagValue))),
  appendonly: v.exactOptional(v.nullable(flag)),
  keys: v.exactOptional(whole(0, 1_000_000_000)),
  status: v.exactOptional(text),
  task: v.exactOptional(v.nullable(text)),
  script: v.exactOptional(script),
});

const shortFault = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const fault = readFault(dataset.value);
    if (typeof fault !== 'string') return fault;
    addIssue({ message: fault });
    return NEVER;
  }),
);

const answer = v.pipe(
  v.string('expected a fault such as drop-after; put it in quotes'),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const read = readAnswer(dataset.value);
    if (read !== undefined) return read;
    addIssue({ message: 'expected a fault such as 502-after or drop; `dcs-autopilot simulator --help` lists them' });
    return NEVER;
  }),
);

const place = v.custom<CallFault['on']>(
  (given) => typeof given === 'string' && isPlace(given),
  'expected a kind of call such as act, list, show, reads or all',
);

const longFault = v.pipe(
  closed({
    what: answer,
    on: v.exactOptional(place),
    instances: v.exactOptional(listOf(text)),
    nth: v.exactOptional(listOf(whole(1, 1_000_000))),
    share: v.exactOptional(percent),
    seed: v.exactOptional(seed),
    period: v.exactOptional(closed({ from: span, for: length })),
  }),
  sound(({ on = 'act', what }) => withoutEntries(on, what)),
);

const fault = v.lazy((given) => (typeof given === 'string' ? shortFault : longFault));

const rate = v.pipe(
  closed({
    kind: oneOf(['bucket', 'window']),
    calls: whole(1, 1_000_000),
    per: length,
    burst: v.exactOptional(whole(1, 1_000_000)),
  }),
  sound(({ kind, burst }) => (kind === 'window' && burst !== undefined ? 'only a bucket has a burst' : null)),
);

const rights = v.exactOptional(oneOf(['all', 'read', 'none']));

/** Who there is in the account, besides the key of the command line. */
const iam = closed({
  domain: v.exactOptional(closed({ id: text, name: text })),
  users: v.exactOptional(listOf(closed({ name: text, password: text, rights, disabled: v.exactOptional(flag) }))),
  agencies: v.exactOptional(listOf(closed({ name: text, rights }))),
  identities: v.exactOptional(listOf(closed({ name: text, provider: text, idToken: text, rights }))),
  tokenLifetime: v.exactOptional(whole(1, 86_400)),
});

/** The whole file. */
export const fleetForm = closed({
  seed: v.exactOptional(seed),
  projectId: v.exactOptional(textLike(/^[A-Za-z0-9]{8,64}$/, 'expected 8 to 64 letters and digits')),
  make: v.exactOptional(whole(0, 10_000)),
  instances: v.exactOptional(listOf(instance)),
  timing: v.exactOptional(
    closed({
      lag: v.exactOptional(range),
      restart: v.exactOptional(range),
      soft_restart: v.exactOptional(range),
      flush: v.exactOptional(range),
      backupWait: v.exactOptional(range),
      backup: v.exactOptional(range),
      swap: v.exactOptional(range),
    }),
  ),
  iam: v.exactOptional(iam),
  unknowns: v.exactOptional(closed(unknowns)),
  rate: v.exactOptional(rate),
  iamRate: v.exactOptional(rate),
  faults: v.exactOptional(listOf(fault)),
});

/** What a file holds. */
export type FleetForm = v.InferOutput<typeof fleetForm>;

/** Where plain numbers are taken as they are written: `version: 6.0`, a tag's `1.10`, the fault `500`. */
export function isText(path: Path): boolean {
  const [top, , member] = path;
  if (top === 'faults') return path.length === 2 || member === 'what';
  return top === 'instances' && (member === 'tags' || member === 'version' || member === 'name' || member === 'ip');
}

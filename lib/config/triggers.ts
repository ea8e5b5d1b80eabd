// What starts a job, as a user writes it: the schemas of the triggers. What spans several of their keys is in references.ts.

import * as v from 'valibot';
import type { Matcher } from '../config.ts';
import { checkPattern } from '../match/pattern.ts';
import { checkCron } from '../schedule.ts';
import { closed, isMapping, may, named, says, sound } from './keys.ts';
import { zone } from './times.ts';
import { checkedText, duration, flag, oneOf, secrets, tagValue, text, textLike } from './values.ts';

const schedule = closed({
  cron: says(
    checkedText('expected a cron text with five fields, in quotes', checkCron),
    'Five fields: minute hour day month weekday',
  ),
  timezone: may(zone, 'IANA time zone. Default: UTC'),
  startDeadline: may(duration(600), 'How late a fire may still start; at least 10m. Default: 30m'),
  overlap: may(oneOf(['skip', 'queue']), 'What to do while the previous run is going. Default: skip'),
});

const eventsWanted = 'expected a list of events of GitHub, such as [deployment_status]';

const event = v.pipe(
  textLike(/^[a-z][a-z_]{0,63}$/, 'expected an event of GitHub, such as deployment_status'),
  v.notValue('ping', '`ping` only asks whether the hook is there; it never starts a job'),
);

const payloadPath = textLike(
  /^[^.]+(\.[^.]+)*$/,
  'expected a dotted path into the payload, such as deployment_status.state',
);

const webhook = closed({
  auth: says(oneOf(['standard-webhooks', 'bearer', 'github']), 'How a request proves where it comes from'),
  secrets: says(secrets, 'Secrets that are accepted; two while one replaces the other'),
  instances: may(
    oneOf(['none', 'subset']),
    'Whether the body may name instances of the target; not with github. Default: none',
  ),
  events: may(
    v.pipe(v.array(event, eventsWanted), v.minLength(1, eventsWanted)),
    "GitHub's events that may start the job; with github only, and required there",
  ),
  match: may(
    named(payloadPath, tagValue),
    'Dotted paths into the payload and the text that must stand there; all must match; with github only',
  ),
});

type Condition = Omit<Matcher, 'label'>;

/** `!=text`, `=~pattern` and `!~pattern`; any other text stands for itself. */
function conditionOf(text: string): Condition {
  const op = (['!=', '=~', '!~'] as const).find((each) => text.startsWith(each));
  return op === undefined ? { op: '=', value: text } : { op, value: text.slice(2) };
}

function conditionFault(text: string): string | null {
  const { op, value } = conditionOf(text);
  if (op === '=' && value.startsWith('=')) return 'write the text alone where it must be equal, or =~ before a pattern';
  return op === '=~' || op === '!~' ? checkPattern(value) : null;
}

const matchers = v.pipe(
  named(text, v.pipe(tagValue, sound(conditionFault))),
  sound((conditions: { readonly [label: string]: string }) =>
    Object.keys(conditions).length > 0 ? null : 'expected at least one label',
  ),
  v.metadata({ minProperties: 1 }),
  v.transform((conditions) =>
    Object.entries(conditions).map(([label, text]): Matcher => ({ label, ...conditionOf(text) })),
  ),
);

const alert = closed({
  source: says(text, 'The source whose alerts are looked at'),
  match: says(matchers, 'Labels and what they must be: text, !=text, =~pattern, !~pattern; all must hold'),
  instance: may(text, 'Label, annotation or dimension with the id of the instance. Default: dcs_instance_id'),
  maxAge: may(duration(), 'How old an alert may be. Default: 15m'),
  continue: may(flag, 'Whether jobs further down are looked at too when this one matches. Default: false'),
});

const triggerTypes = ['schedule', 'webhook', 'alert'];

/** The trigger of a job: a mapping of exactly one kind. */
export const trigger = v.pipe(
  closed({
    schedule: may(schedule, 'Runs at times'),
    webhook: may(webhook, 'Runs when POST /hooks/<job> is called'),
    alert: may(alert, 'Runs when an alert of a source matches'),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!isMapping(dataset.value)) return;
    const count = Object.keys(dataset.value).filter((key) => triggerTypes.includes(key)).length;
    if (count !== 1) addIssue({ message: 'needs exactly one of `schedule`, `webhook` and `alert`' });
  }),
  v.metadata({ minProperties: 1, maxProperties: 1 }),
);

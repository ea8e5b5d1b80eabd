// What starts a job, as a user writes it: the schemas of the triggers. What spans several of their keys is in references.ts.

import * as v from 'valibot';
import { checkZone } from '../schedule/zone.ts';
import { checkCron } from '../schedule.ts';
import { closed, isMapping, may, named, says } from './keys.ts';
import { checkedText, duration, oneOf, ref, tagValue, textLike } from './values.ts';

const schedule = closed({
  cron: says(
    checkedText('expected a cron text with five fields, in quotes', checkCron),
    'Five fields: minute hour day month weekday',
  ),
  timezone: may(checkedText('expected a time zone such as Europe/Berlin', checkZone), 'IANA time zone. Default: UTC'),
  startDeadline: may(duration(600), 'How late a fire may still start; at least 10m. Default: 30m'),
  overlap: may(oneOf(['skip', 'queue']), 'What to do while the previous run is going. Default: skip'),
});

const secretsWanted = 'expected a list of one or two names of secrets, such as [env:DEPLOY_HOOK_SECRET]';

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
  secrets: says(
    v.pipe(v.array(ref, secretsWanted), v.minLength(1, secretsWanted), v.maxLength(2, secretsWanted)),
    'Secrets that are accepted; two while one replaces the other',
  ),
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

const triggerTypes = ['schedule', 'webhook', 'alert'];

/** The trigger of a job: a mapping of exactly one kind. */
export const trigger = v.pipe(
  closed(
    {
      schedule: may(schedule, 'Runs at times'),
      webhook: may(webhook, 'Runs when POST /hooks/<job> is called'),
    },
    ['alert'],
  ),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!isMapping(dataset.value)) return;
    const count = Object.keys(dataset.value).filter((key) => triggerTypes.includes(key)).length;
    if (count !== 1) addIssue({ message: 'needs exactly one of `schedule` and `webhook`' });
  }),
  v.metadata({ minProperties: 1, maxProperties: 1 }),
);

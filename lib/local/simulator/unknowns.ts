// Everything that the public documents of DCS leave open, as one table of switches, each with every plausible setting:
// a client is right when it is right under all of them. A test can enumerate the table.

import * as v from 'valibot';

/** One open question. The first setting is the usual one: the likeliest by the evidence, or the plainest. */
function open<const Setting extends string | boolean>(settings: readonly [Setting, ...Setting[]], about: string) {
  const [usual] = settings;
  const wanted = `expected one of ${settings.join(', ')}`;
  const form = v.union(
    settings.map((each) => v.literal(each)),
    wanted,
  );
  return Object.assign(v.optional(form, usual), { settings, about });
}

/**
 * The open questions by name: `settings` with the usual one first, `about` in a sentence. Where a place is asked for,
 * `auto` refuses the whole call when it names one instance, and else answers `failed` for that instance.
 */
export const unknowns = {
  unknownIn: open(
    ['whole-call', 'entry'],
    'A well-formed id that nobody has: the whole call is 404 DCS.3022, or its entry is failed.',
  ),
  malformedIn: open(
    ['whole-call', 'entry'],
    'An id that is no UUID: the whole call is 400 DCS.4061, or its entry failed.',
  ),
  busyIn: open(
    ['auto', 'whole-call', 'entry'],
    'A busy member of a batch; only the 400 for a call with a single id was ever seen.',
  ),
  unsupportedIn: open(
    ['auto', 'whole-call', 'entry'],
    'A member that cannot take the action: a flush of Redis 3.0, or of an instance that is not running.',
  ),
  appliesBeforeRefusal: open(
    [false, true],
    'Whether the ids before the offending one are acted on when the whole call is refused.',
  ),
  unsupportedCode: open(['DCS.4026', 'DCS.4027', 'DCS.4008'], 'The code for a flush of Redis 3.0 or Memcached.'),
  flushingCode: open(['DCS.4017', 'DCS.4026', 'DCS.4049'], 'The code for an action on an instance that is FLUSHING.'),
  codes: open(['named', 'numeric'], 'The error table lists every DCS.4111 as 111400111 too; v2 may send either.'),
  resultOrder: open(['asked', 'reversed', 'shuffled'], 'The order of the results in a 200.'),
  missingEntries: open(
    ['none', 'failed', 'last'],
    'Entries left out of the results: none, those that failed, the last.',
  ),
  duplicates: open(
    ['once', 'each', 'busy', 'refused'],
    'An id named twice: told once, told for each mention, failed from the second on, or 400 DCS.4063. Never acted on twice.',
  ),
  emptyInstances: open(
    ['refused', 'nothing', 'all'],
    'Empty or absent instances, which v2 calls optional: 400 DCS.4065, 200 with empty results, or all of the project.',
  ),
  successBody: open(['results', 'empty'], 'A call that went well: 200 with results, or 204 without a body.'),
  updatedAt: open(['moves', 'stays'], 'Whether updated_at moves when an action is accepted.'),
  keysLag: open(['none', 'a-minute'], 'Whether the statistics tell lost keys at once, or still for a minute.'),
  workLag: open(
    ['timed', 'none', 'long'],
    'How long an accepted action does not show: as the timing of the fleet says, not at all, or 20 s.',
  ),
  flushVisible: open([true, false], 'Whether FLUSHING shows, or a flush is too short to be seen.'),
  softRestartVisible: open([true, false], 'Whether a soft_restart shows as RESTARTING, or the instance stays RUNNING.'),
  softRestartData: open(
    ['by-rule', 'kept'],
    'Whether a soft_restart loses data like a restart (single nodes, appendonly off), or keeps it always.',
  ),
  softRestartOfError: open(
    ['accepted', 'refused'],
    'Whether soft_restart takes an instance in ERROR, as restart does.',
  ),
  softRestartOfOld: open(['accepted', 'refused'], 'Whether soft_restart takes Redis 3.0 and Memcached.'),
  missingOnShow: open(
    ['404', '400'],
    'The status of GET for a missing instance; documented are 200, 400 and 500 only.',
  ),
  instanceNum: open(['total', 'page'], 'What instance_num of a list counts: all that match, or those on the page.'),
  subStatus: open(['normal', 'by-state', 'absent'], 'sub_status, of which normal is the only value that was seen.'),
  taskForm: open(
    ['text', 'object', 'absent'],
    'The type of task in the detail, which has no vocabulary; absent: text, and no member where there is no task.',
  ),
  oddTypes: open([false, true], 'Whether lists and details have the odd types of the vendor’s own samples.'),
  retryAfter: open(['none', 'seconds', 'date'], 'Whether a 429 carries Retry-After, and in which form.'),
  front: open(
    ['gateway', 'service'],
    'Who answers where there is no route or no valid token: the gateway (0101, 0301, 0307), or DCS (4001, 5001, 1001-1003).',
  ),
  iamErrors: open(
    ['code', 'keystone'],
    'The form of IAM’s errors: {error_code, error_msg}, or {error: {code, message, title}} as OpenStack has them.',
  ),
  gatewayPrefix: open(['APIGW', 'APIG'], 'The prefix of gateway codes: Huawei Cloud’s or that of Open Telekom Cloud.'),
} as const;

const switchesForm = v.object(unknowns);

/** A setting for each open question. */
export type Switches = Readonly<v.InferOutput<typeof switchesForm>>;

/** The switches as the evidence makes them likeliest. */
export const usualSwitches: Switches = v.parse(switchesForm, {});

/** How a refusal of one instance is told. */
export type Place = Switches['busyIn'];

// The single values of the configuration: durations, shares, names of secrets, endpoints and so on. Each is read from
// text to what the program uses. A sentence about a value never quotes it: it may be a secret in the wrong place.

import * as v from 'valibot';
import type { Amount, Ref, Tag } from '../config.ts';
import { sound } from './keys.ts';

/** Finds fault with a text: a sentence, or null. */
export type TextFault = (text: string) => string | null;

/** A text that `faultOf` finds nothing wrong with; `wanted` is said of whatever is no text at all. */
export function checkedText(wanted: string, faultOf: TextFault) {
  return v.pipe(v.string(wanted), sound(faultOf));
}

/** A text in the form of `pattern` (which editors check too). */
export function textLike(pattern: RegExp, wanted: string) {
  return v.pipe(v.string(wanted), v.regex(pattern, wanted));
}

/** A whole number from `least` to `most`. */
export function whole(least: number, most: number) {
  const wanted = `expected a whole number from ${least} to ${most}`;
  return v.pipe(v.number(wanted), v.integer(wanted), v.minValue(least, wanted), v.maxValue(most, wanted));
}

/** One of `options`. */
export function oneOf<const Options extends readonly string[]>(options: Options) {
  return v.picklist(options, `expected ${options.join(', ').replace(/, ([^,]*)$/, ' or $1')}`);
}

export const flag = v.boolean('expected true or false');

/** A list of `item`. */
export const listOf = <const Item extends v.GenericSchema>(item: Item) => v.array(item, 'expected a list');

/** A text that says something. */
export const text = v.pipe(
  v.string('expected a text; put it in quotes'),
  v.nonEmpty('expected a text that is not empty'),
);

const secondsPerUnit: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const longest = 365 * 86_400;

/** Seconds of a duration (`90s`, `30m`, `2h`, `7d`: whole, positive, at most a year), or undefined for any other text. */
export function seconds(text: string): number | undefined {
  const [, count, unit] = /^([1-9]\d{0,7})([smhd])$/.exec(text) ?? [];
  const result = Number(count) * (secondsPerUnit[unit ?? ''] ?? Number.NaN);
  return result <= longest ? result : undefined;
}

/** A duration, read to seconds. */
export function duration(least = 1) {
  const wanted =
    least === 1
      ? 'expected a duration such as 90s, 30m, 2h or 7d (whole, above 0, at most 365d)'
      : `expected a duration of at least ${least / 60}m, such as 30m or 2h`;
  return v.pipe(
    checkedText(wanted, (text) => ((seconds(text) ?? 0) >= least ? null : wanted)),
    v.metadata({ pattern: '^[1-9][0-9]{0,7}[smhd]$' }),
    v.transform((text) => seconds(text) ?? 0),
  );
}

const sharePattern = /^([1-9]\d?|100)%$/;
const shareWanted = 'expected a share such as 10% (1% to 100%)';
const percentOf = (text: string) => Number(text.slice(0, -1));

/** A share, read to a number of percent. */
export const share = v.pipe(textLike(sharePattern, shareWanted), v.transform(percentOf));

const amountWanted = 'expected a count such as 1, or a share such as 10% (1% to 100%)';

/** A count of instances or a share of the planned ones. */
export const amount = v.union(
  [
    v.pipe(
      v.number(amountWanted),
      v.integer(amountWanted),
      v.minValue(1, amountWanted),
      v.maxValue(10_000, amountWanted),
      v.transform((count): Amount => ({ count })),
    ),
    v.pipe(
      textLike(sharePattern, amountWanted),
      v.transform((text): Amount => ({ percent: percentOf(text) })),
    ),
  ],
  amountWanted,
);

const refPattern =
  /^(env:[A-Za-z_][A-Za-z0-9_]*|ssm:(\/[A-Za-z0-9_.-]+){1,15}|secretsmanager:[A-Za-z0-9/_+=.@-]{1,512})$/;
const refWanted =
  'expected the name of a secret, such as env:DEPLOY_HOOK_SECRET, ssm:/path or secretsmanager:name, and never the secret itself';

/** The name of a secret. The fault never shows the value: it may be the secret. */
export const ref = v.pipe(
  checkedText(refWanted, (text) => (refPattern.test(text) ? null : refWanted)),
  v.metadata({ pattern: refPattern.source }),
  v.transform(refOf),
);

function refOf(text: string): Ref {
  const name = text.slice(text.indexOf(':') + 1);
  if (text.startsWith('env:')) return `env:${name}`;
  return text.startsWith('ssm:') ? `ssm:${name}` : `secretsmanager:${name}`;
}

const secretsWanted = 'expected a list of one or two names of secrets, such as [env:DEPLOY_HOOK_SECRET]';

/** The names of one or two live secrets. */
export const secrets = v.pipe(
  v.array(ref, secretsWanted),
  v.minLength(1, secretsWanted),
  v.maxLength(2, secretsWanted),
);

const healthCheckWanted = 'expected an https URL without a user, or the name of a secret that holds one';

/** The URL of a health check, or the secret that holds it. The fault never shows the value: it may be the secret. */
export const healthCheck = v.pipe(
  checkedText(healthCheckWanted, (text) => (refPattern.test(text) ? null : healthCheckFault(text))),
  v.transform((text) => (refPattern.test(text) ? { ref: refOf(text) } : { url: new URL(text).href })),
);

function healthCheckFault(text: string): string | null {
  if (!/^https?:\/\/[^/?#@\\\s]+(\/[^\s#\\]*)?(\?[^\s#\\]*)?$/i.test(text) || !URL.canParse(text))
    return healthCheckWanted;
  return plainHttpFault(new URL(text));
}

/** A tag's value. Plain YAML numbers and booleans are tags too, taken as they are written. */
export const tagValue = v.pipe(
  v.union([v.string(), v.number(), v.boolean()], 'expected a text; write "" for an empty one'),
  v.transform(String),
);

/** A tag as `key=value`. */
export const tag = v.pipe(
  textLike(/^[^=\s][^=]*=.*$/, 'expected key=value'),
  v.transform((text): Tag => {
    const [key = '', ...value] = text.split('=');
    return { key, value: value.join('=') };
  }),
);

/** The id of an instance, read to lower case. */
export const instanceId = v.pipe(
  textLike(
    /^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/,
    "expected an instance's id, such as 5560df16-cebf-4473-95c4-d1b573c16e79",
  ),
  v.transform((id) => id.toLowerCase()),
);

const endpointWanted = 'expected https://host or https://host:port, without path, query or user';

/** An endpoint, read to scheme, host and port. Plain http is for the simulator on this machine. */
export const endpoint = v.pipe(
  checkedText(endpointWanted, endpointFault),
  v.metadata({ pattern: '^https?://' }),
  v.transform((text) => new URL(text).origin),
);

function endpointFault(text: string): string | null {
  if (!/^https?:\/\/[^/?#@\\\s]+\/?$/i.test(text) || !URL.canParse(text)) return endpointWanted;
  return plainHttpFault(new URL(text));
}

function plainHttpFault({ protocol, hostname }: URL): string | null {
  const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
  return protocol === 'https:' || loopback
    ? null
    : 'http is allowed on loopback only (127.0.0.0/8, localhost, [::1]); use https';
}

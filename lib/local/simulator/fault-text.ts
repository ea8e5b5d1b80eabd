// A fault in a few signs, for a command line or a line of a file: `5%:drop-after`, `2,4:502@act`, `10s..40s:429@reads`.
// When, what and where; the same vocabulary for both.

import { type CallFault, type FaultAnswer, isPlace, noCalls } from './script.ts';
import { readRange, readSpan } from './span.ts';
import { knownError } from './wire-errors.ts';

/** The vocabulary, for people. */
export const faultHelp = `A FAULT is [WHEN:]WHAT[@WHERE], without WHEN at every call, without WHERE at all of them:
  WHEN   5%           a share of the calls, drawn; 5%#7 draws with seed 7 in place of that of the fleet
         2  or  2,4   the 2nd, the 2nd and 4th call that matches
         10s..40s     from 10 s to 40 s after the start (ms, s, m, h); several are joined: 10s..40s:5%:429
  WHAT   500 502 504 429 403 ...   this status with the code that usually comes with it; 500-after applies the action
         DCS.5006 APIGW.0203 ...   this code; DCS.5006-after applies the action
         drop, drop-after          the connection ends without an answer, before or after applying
         late-40s                  the proper answer, so much later
         204, malformed, truncated applied, but without a body, with one that is no JSON, or broken off
         failed, omitted, ignored  entries of a status call: failed without a reason; applied and not told; neither
         lockout                   401 for this and every call, for five minutes
  WHERE  act reads all             status calls, calls that change nothing, all; or one of
${wrapped(Object.keys(noCalls))}
         an instance's id          calls that name it; several are joined: act+ID+ID
`;

type When = Pick<CallFault, 'share' | 'seed' | 'nth' | 'period'>;
type Where = Pick<CallFault, 'on' | 'instances'>;

/** Reads a fault; a text that is none gives a sentence about it. */
export function readFault(text: string): CallFault | string {
  const [front = '', where, ...rest] = text.split('@');
  const parts = front.split(':');
  const what = parts.pop() ?? '';
  const answer = readAnswer(what);
  if (answer === undefined) return `${quoted(what)} is no fault`;
  if (rest.length > 0) return 'a fault has one @ at most';
  const whens = parts.map((part) => readWhen(part) ?? part);
  const unread = whens.find((when) => typeof when === 'string');
  if (unread !== undefined) return `${quoted(unread)} is neither a share, nor numbers of calls, nor a time`;
  const again = repeated(parts);
  if (again !== undefined) return `${quoted(again)} says again what was said before`;
  const place = readWhere(where, answer);
  if (typeof place === 'string') return place;
  const nowhere = withoutEntries(place.on, answer);
  if (nowhere !== null) return nowhere;
  return Object.assign({ answer }, place, ...whens.filter((when) => typeof when !== 'string'));
}

/** Why a fault of entries would never show at these calls, or null. */
export function withoutEntries(on: CallFault['on'], answer: FaultAnswer): string | null {
  if (answer.kind !== 'entries' || on === 'act' || on === 'all') return null;
  return `${quoted(answer.each)} is for status calls: act or all`;
}

/** The first WHEN of a kind that stood before. */
function repeated(whens: readonly string[]): string | undefined {
  const kinds = whens.map((when) => Object.keys(readWhen(when) ?? {})[0]);
  return whens.find((_, index) => kinds.indexOf(kinds[index]) < index);
}

/** Reads WHAT; undefined where it is nothing that is known. */
export function readAnswer(text: string): FaultAnswer | undefined {
  const simple = simpleAnswers.get(text);
  if (simple !== undefined) return simple;
  const late = text.startsWith('late-') ? readSpan(text.slice(5)) : undefined;
  if (late !== undefined) return { kind: 'delay', ms: late };
  const applies = text.endsWith('-after');
  const what = applies ? text.slice(0, -6) : text;
  if (what === 'drop') return { kind: 'drop', applies };
  if (/^[45]\d\d$/.test(what)) return { kind: 'error', status: Number(what), applies };
  const known = knownError(what);
  return known === undefined ? undefined : { kind: 'error', status: known.status, code: known.code, applies };
}

const simpleAnswers: ReadonlyMap<string, FaultAnswer> = new Map<string, FaultAnswer>([
  ['204', { kind: 'empty' }],
  ['malformed', { kind: 'malformed' }],
  ['truncated', { kind: 'truncated' }],
  ['lockout', { kind: 'lockout' }],
  ['failed', { kind: 'entries', each: 'failed' }],
  ['omitted', { kind: 'entries', each: 'omitted' }],
  ['ignored', { kind: 'entries', each: 'ignored' }],
]);

/** Reads one WHEN; undefined where it is none. */
function readWhen(text: string): When | undefined {
  const [, percent, seed] = /^(\d{1,3}(?:\.\d+)?)%(?:#(\d{1,9}))?$/.exec(text) ?? [];
  if (percent !== undefined && Number(percent) <= 100) {
    return { share: Number(percent) / 100, ...(seed === undefined ? {} : { seed: Number(seed) }) };
  }
  if (/^[1-9]\d{0,6}(,[1-9]\d{0,6})*$/.test(text)) return { nth: text.split(',').map(Number) };
  const range = text.includes('..') ? readRange(text) : undefined;
  return range === undefined || range.min === range.max
    ? undefined
    : { period: { from: range.min, for: range.max - range.min } };
}

/** Reads WHERE; entries are those of status calls wherever they are asked for. */
function readWhere(text: string | undefined, answer: FaultAnswer): Where | string {
  const words = text?.split('+') ?? [];
  const [on, second] = words.filter(isPlace);
  const instances = words.filter((word) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(word));
  const unread = words.find((word) => word !== on && !instances.includes(word));
  if (unread !== undefined || second !== undefined)
    return `${quoted(second ?? unread ?? '')} is no kind of call and no id`;
  const usual = answer.kind === 'entries' ? 'act' : 'all';
  return { on: on ?? usual, ...(instances.length === 0 ? {} : { instances }) };
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

/** Six words a line. */
function wrapped(words: readonly string[]): string {
  const lines = Array.from({ length: Math.ceil(words.length / 6) }, (_, n) => words.slice(n * 6, n * 6 + 6));
  return lines.map((line) => `         ${line.join(' ')}`).join('\n');
}

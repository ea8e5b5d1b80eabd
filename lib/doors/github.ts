// What a delivery of GitHub means: its payload, in either of GitHub's two content types, and whether it is one that the
// job waits for. (Docs: "Webhook events and payloads", "Validating webhook deliveries".)

import type { GithubTrigger } from '../config.ts';
import { type HttpRequest, malformed, readJson } from '../http.ts';

/**
 * Why a delivery starts nothing, in words, or undefined where it starts the job. Throws DoorError 400 `malformed` for a
 * header X-GitHub-Event that is missing or odd, and for a payload that cannot be read.
 */
export function whyIgnored(trigger: GithubTrigger, request: Pick<HttpRequest, 'headers' | 'body'>): string | undefined {
  const event = eventName(request);
  if (event === 'ping') return 'ping';
  if (!trigger.events.includes(event)) return `the event ${event} does not start this job`;
  const payload = readPayload(request);
  const other = Object.entries(trigger.match).find(([path, text]) => textAt(payload, path) !== text);
  return other === undefined ? undefined : `${other[0]} does not match`;
}

/** The header X-GitHub-Event: it tells what the payload is about. */
export function eventName({ headers }: Pick<HttpRequest, 'headers'>): string {
  const name = headers['x-github-event'] ?? '';
  if (/^[a-z][a-z_]{0,63}$/.test(name)) return name;
  const message = 'must be the name of an event';
  throw malformed(`The header X-GitHub-Event ${message}.`, [{ path: 'x-github-event', message }]);
}

/**
 * The text at a dotted path: a string as it is, a number or a boolean as JSON writes it; undefined for everything else
 * and where the path leads nowhere. A step into a list is its index. Only own members are seen, never inherited ones.
 */
export function textAt(payload: unknown, path: string): string | undefined {
  let value = payload;
  for (const step of path.split('.')) {
    const isIndex = /^(0|[1-9]\d*)$/.test(step);
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    if (Array.isArray(value) && !isIndex) return undefined;
    value = Reflect.get(value, step);
  }
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;
}

/** The payload; what is no object is none. */
function readPayload({ headers, body }: Pick<HttpRequest, 'headers' | 'body'>): object {
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(headers['content-type'] ?? '');
  const payload = readJson(isForm ? formPayload(body) : body);
  if (typeof payload === 'object' && payload !== null && !Array.isArray(payload)) return payload;
  throw malformed('The payload is not an object.');
}

/**
 * The one field `payload` of a form. Nothing else may be in it: the signature does not cover the content type, so a body
 * that was signed as JSON must not be readable as a form that says something else.
 */
function formPayload(body: Uint8Array): Uint8Array {
  const text = Buffer.from(body).toString('latin1');
  if (!/^payload=[^&]*$/.test(text)) throw malformed('The form has other fields than payload.');
  return Buffer.from(new URLSearchParams(text).get('payload') ?? '');
}

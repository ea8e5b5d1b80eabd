// The server that commands talk to: its console over HTTP, in the name of the operator whose token the environment has.
// What it answers is read by a schema, as anything from outside.

import * as v from 'valibot';
import { AutopilotError, DoorError, EnvironmentError } from '../errors.ts';
import { errorCode } from './error-code.ts';
import type { Io } from './io.ts';
import { UsageError } from './usage.ts';

/** What every command that talks to a server takes besides its own. */
export const remoteOptions = {
  url: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

/** Where `npm start` listens. */
const usualUrl = 'http://127.0.0.1:8787';

/** A wait of the server's takes 25 s at most. */
const patience = 60_000;

/**
 * One server. Both throw DoorError for what it refuses, AutopilotError `unreachable` where nothing was sent, `answer_lost`
 * where nobody knows what became of it, `not_autopilot` where something else answers.
 */
export interface Remote {
  get(path: string, signal?: AbortSignal): Promise<unknown>;
  /** `key`: by which the server knows the request again, so that it may be repeated. */
  post(path: string, body: object, key?: string): Promise<unknown>;
}

/**
 * `--url`, else AUTOPILOT_URL, else this machine. Throws UsageError for what is no URL, EnvironmentError
 * `token_missing` without AUTOPILOT_TOKEN.
 */
export function remote(url: string | undefined, io: Pick<Io, 'env' | 'fetch'>): Remote {
  const base = baseOf(url ?? (io.env['AUTOPILOT_URL'] || usualUrl));
  const token = io.env['AUTOPILOT_TOKEN'];
  if (!token) throw new EnvironmentError('token_missing', 'set AUTOPILOT_TOKEN to the token of an operator');
  const authorization = `Bearer ${token}`;
  const call = (path: string, init: RequestInit): Promise<unknown> => ask(base, path, init, io);
  return {
    get: (path, signal) => {
      const limit = AbortSignal.timeout(patience);
      return call(path, {
        headers: { authorization },
        signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
      });
    },
    post: (path, body, key) =>
      call(path, {
        method: 'POST',
        headers: {
          authorization,
          'content-type': 'application/json',
          ...(key !== undefined && { 'idempotency-key': key }),
        },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(patience),
      }),
  };
}

/** What a server answers, as far as a command uses it. Throws AutopilotError `not_autopilot`. */
export function readAnswer<T>(schema: v.GenericSchema<unknown, T>, answer: unknown): T {
  const result = v.safeParse(schema, answer);
  if (result.success) return result.output;
  throw new AutopilotError('not_autopilot', 'the answer is not one of a dcs-autopilot of this version');
}

function baseOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isOurs = url !== null && /^https?:$/.test(url.protocol) && url.search === '' && url.username === '';
  if (isOurs) return `${url.origin}${url.pathname.replace(/\/$/, '')}`;
  throw new UsageError(`"${text}" is not the URL of a server, such as ${usualUrl}`);
}

async function ask(base: string, path: string, init: RequestInit, io: Pick<Io, 'fetch'>): Promise<unknown> {
  const { status, text } = await answerOf(base, path, init, io);
  const body = jsonOf(text);
  if (status >= 200 && status < 300 && body !== undefined) return body;
  const refusal = v.safeParse(refusalSchema, body);
  if (!refusal.success)
    throw new AutopilotError('not_autopilot', `${base} answers ${status}, and not as dcs-autopilot`);
  const { code, message, details } = refusal.output.error;
  const hint = status === 401 ? ' AUTOPILOT_TOKEN has to be the token of an operator there.' : '';
  throw new DoorError(status, code, `${message}${hint}`, details);
}

/** A redirect is no answer: the token must not follow it. */
async function answerOf(base: string, path: string, init: RequestInit, io: Pick<Io, 'fetch'>) {
  try {
    const response = await io.fetch(`${base}${path}`, { ...init, redirect: 'manual' });
    return { status: response.status, text: await response.text() };
  } catch (cause) {
    const code = cause instanceof Error ? (errorCode(cause.cause) ?? cause.name) : 'no reason given';
    if (!unsent.has(code)) throw new AutopilotError('answer_lost', `no answer came from ${base} (${code})`, { cause });
    const message = `${base} cannot be reached (${code}); is it running, or is it elsewhere (--url)?`;
    throw new AutopilotError('unreachable', message, { cause });
  }
}

/** With these no connection came about. */
const unsent: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

const refusalSchema = v.object({
  error: v.object({
    code: v.string(),
    message: v.string(),
    details: v.optional(v.array(v.object({ path: v.string(), message: v.string() })), []),
  }),
});

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// What adapters of alerts need in tests: the example events, a runtime with made-up secrets, and a Huawei Cloud that
// answers two kinds of GET from memory and counts them.

import { createSign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { fetchingCertificates } from '../../lib/alerts/smn-certificate.ts';
import { signedTexts } from '../../lib/alerts/smn-signature.ts';
import type { Outside } from '../../lib/alerts/sources.ts';
import type { Ref, Source } from '../../lib/config.ts';
import { EnvironmentError } from '../../lib/errors.ts';
import type { Log, Secrets } from '../../lib/runtime.ts';

/** 2026-11-23T14:00:00Z: after every example was sent, and after the example certificate became valid. */
export const afternoon = Date.parse('2026-11-23T14:00:00Z');

/** The topic of the examples. */
export const topic = 'urn:smn:ap-southeast-3:0a1b2c3d4e5f60718293a4b5c6d7e8f9:dcs-ops-alarms';
export const certificateUrl =
  'https://smn.ap-southeast-3.myhuaweicloud.com/smn/SMN_ap-southeast-3_b6ba9fa6ea18201bf39ea635ecca9f13.pem';
export const certificate = fixtureText('smn-test-signing-cert.pem');

export const smnSource = { type: 'smn', topics: [topic], certificate: null } as const satisfies Source;

const wrapped = v.object({ request: v.object({ headers: v.record(v.string(), v.string()), rawBody: v.string() }) });

/** The text of an example. */
export function fixtureText(file: string): string {
  return readFileSync(new URL(`../fixtures/alerts/${file}`, import.meta.url), 'utf8');
}

/** An example as the value it is. */
export function fixture(file: string): unknown {
  return JSON.parse(fixtureText(`${file}.json`));
}

/** The request in an example that came over HTTP. */
export function request(file: string): { headers: Record<string, string>; body: Buffer } {
  const { headers, rawBody } = v.parse(wrapped, fixture(file)).request;
  return { headers, body: Buffer.from(rawBody) };
}

/** The parsed body of an example that came over HTTP, with something changed. */
export function bodyOf(file: string, change: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const body = v.parse(v.record(v.string(), v.unknown()), JSON.parse(request(file).body.toString()));
  return { ...body, ...change };
}

/** A body of SMN with something changed, signed with a key of the test's own. */
export function signedBody(key: string, file: string, change: Readonly<Record<string, unknown>> = {}) {
  const body = bodyOf(file, change);
  const message = v.parse(v.looseObject({ subject: v.nullish(v.string()) }), body);
  const texts = signedTexts({ ...signable, ...message });
  const signature = createSign('RSA-SHA256')
    .update(texts[0] ?? '')
    .sign(key, 'base64');
  return { ...body, signature };
}

const signable = {
  type: 'Notification',
  signature: '',
  signature_version: 'v1',
  topic_urn: '',
  message_id: '',
  message: '',
  timestamp: '',
  signing_cert_url: '',
} as const;

/** What comes back from a URL: a status and a text, or a failure. */
type Page = { readonly status: number; readonly body: string } | Error;

/** A runtime for adapters. Whatever is asked for at a URL that has no page is 404. */
export class AlertWorld {
  clock = afternoon;
  readonly pages = new Map<string, Page>([[certificateUrl, { status: 200, body: certificate }]]);
  /** URLs in the order in which they were asked for. */
  readonly asked: string[] = [];
  /** What each Ref holds when it is read fresh; `cached` when it is not. */
  readonly secretOf = new Map<Ref, string>();
  readonly cached = new Map<Ref, string>();
  /** Refs that cannot be asked for now. */
  readonly away = new Set<Ref>();
  readonly lines: unknown[][] = [];

  readonly now = (): number => this.clock;

  readonly secrets: Secrets = {
    get: async (ref, { fresh = false } = {}) => {
      if (this.away.has(ref)) throw new Error('throttled');
      const value = (fresh ? undefined : this.cached.get(ref)) ?? this.secretOf.get(ref);
      if (value === undefined) throw new EnvironmentError('secret_missing', `no secret ${ref}`);
      return value;
    },
  };

  readonly log: Log = {
    error: (...line) => this.lines.push(['error', ...line]),
    warn: (...line) => this.lines.push(['warn', ...line]),
    info: (...line) => this.lines.push(['info', ...line]),
    debug: (...line) => this.lines.push(['debug', ...line]),
  };

  readonly get: Outside['get'] = async (url) => {
    this.asked.push(url);
    const page = this.pages.get(url) ?? { status: 404, body: '' };
    if (page instanceof Error) throw page;
    return page;
  };

  readonly certificates: Outside['certificates'] = fetchingCertificates(this.get);
}

/** What a promise was rejected with. */
export async function rejection(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

// Which adapter a request or an event is for: one table. A door asks here and knows nothing of who sends.

import type { AlertDelivery } from '../alert.ts';
import type { Config, Source } from '../config.ts';
import { type HttpRequest, limitBody, notFound, readJson } from '../http.ts';
import type { Runtime } from '../runtime.ts';
import { authenticateSource, type SecretSource } from './access.ts';
import { alertmanagerDelivery } from './alertmanager.ts';
import { grafanaDelivery } from './grafana.ts';
import { type Get, gettingOver } from './outbound.ts';
import { type Acknowledged, receiveSmn, type SmnPorts, type SmnSource } from './smn.ts';
import { type Certificates, fetchingCertificates } from './smn-certificate.ts';

/** A source that calls over HTTP. */
export type HttpSource = SecretSource | SmnSource;

/** What the adapters need besides the runtime; made once for a process, since it keeps SMN's certificates. */
export interface Outside {
  readonly get: Get;
  readonly certificates: Certificates;
}

/** The outside of a process: `get` makes the two kinds of requests that adapters make. */
export function outsideOver(get: Get = gettingOver()): Outside {
  return { get, certificates: fetchingCertificates(get) };
}

/** Methods that a source may call with. */
export const methodsOf: Readonly<Record<HttpSource['type'], readonly string[]>> = {
  alertmanager: ['POST'],
  grafana: ['POST', 'PUT'],
  smn: ['POST'],
};

/** The source that the last part of a path names. Throws DoorError 404 `not_found` where it is not listed. */
export function httpSource({ sources }: Pick<Config, 'sources'>, name: string): HttpSource {
  const source = Object.hasOwn(sources, name) ? sources[name] : undefined;
  if (source !== undefined && isHttp(source)) return source;
  throw notFound('There is no such source of alerts.');
}

/**
 * What a request of a source holds: a delivery, or a message that was dealt with. The bytes are limited and, where the
 * proof lies in headers, verified before they are parsed. Throws DoorError and EnvironmentError `secret_malformed` like
 * authenticateSource and receiveSmn, DoorError 413 `body_too_large`, 400 `malformed`.
 */
export async function receiveAlerts(
  runtime: Pick<Runtime, 'secrets' | 'now' | 'log'>,
  outside: Outside,
  source: HttpSource,
  request: Pick<HttpRequest, 'headers' | 'body'>,
): Promise<AlertDelivery | Acknowledged> {
  limitBody(request);
  if (source.type === 'smn') {
    return await receiveSmn(readJson(request.body), source, { ...runtime, ...outside } satisfies SmnPorts);
  }
  await authenticateSource(runtime, source, request);
  const receivedAt = new Date(runtime.now()).toISOString();
  const body = readJson(request.body);
  return source.type === 'grafana' ? grafanaDelivery(body, receivedAt) : alertmanagerDelivery(body, receivedAt);
}

function isHttp(source: Source): source is HttpSource {
  return Object.hasOwn(methodsOf, source.type);
}

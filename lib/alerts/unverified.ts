// A message of a source out of a file, read by the same adapters, though nobody can prove who sent it: for explaining what
// would come of it. Nothing may act on what this gives.

import type { AlertDelivery, AlertSource } from '../alert.ts';
import type { Config } from '../config.ts';
import { alertmanagerDelivery } from './alertmanager.ts';
import { awsDeliveries } from './aws-events.ts';
import { grafanaDelivery } from './grafana.ts';
import { smnDelivery } from './smn.ts';
import { readSmnMessage } from './smn-signature.ts';

/**
 * The deliveries in the parsed body of a request, or in an event of Lambda. Throws DoorError 400 `malformed` for what the
 * source does not send.
 */
export function unverifiedDeliveries(
  source: AlertSource,
  body: unknown,
  sources: Config['sources'],
  receivedAt: string,
): readonly AlertDelivery[] {
  switch (source) {
    case 'alertmanager':
      return [alertmanagerDelivery(body, receivedAt)];
    case 'grafana':
      return [grafanaDelivery(body, receivedAt)];
    case 'smn':
      return [smnDelivery(readSmnMessage(body), receivedAt)];
    case 'sns':
    case 'cloudwatch':
      return awsDeliveries(body, sources, receivedAt);
  }
}

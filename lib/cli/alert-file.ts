// An alert out of a file, as its source sends it: for the commands that tell what would come of it.

import { type AlertDelivery, type AlertSource, alertSources } from '../alert.ts';
import { unverifiedDeliveries } from '../alerts/unverified.ts';
import type { Config } from '../config.ts';
import { AutopilotError } from '../errors.ts';
import { readJson } from '../http.ts';
import { readText } from './load-config.ts';

/** A source by its name; undefined for anything else. */
export function sourceNamed(text: string): AlertSource | undefined {
  return alertSources.find((each) => each === text);
}

/**
 * What a file holds: the body of a request, or an event of Lambda. Throws AutopilotError `source_not_listed`, DoorError
 * `malformed` for what the source does not send, and what readText throws.
 */
export function readAlertFile(
  file: string,
  name: string,
  { sources }: Config,
  receivedAt: string,
): readonly AlertDelivery[] {
  const source = sourceNamed(name);
  if (source === undefined || !Object.hasOwn(sources, source)) {
    const message = `the configuration lists no source ${name}: its alerts are not taken`;
    throw new AutopilotError('source_not_listed', message);
  }
  return unverifiedDeliveries(source, readJson(Buffer.from(readText(file))), sources, receivedAt);
}

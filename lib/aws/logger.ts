// The Log port over Powertools' Logger: one JSON object per line, secrets masked however deep they are buried.
// On Lambda it writes as Powertools does; a process whose stdout belongs to its results hands in another sink.

import { Logger } from '@aws-lambda-powertools/logger';
import type { Log } from '../runtime.ts';

/** Where lines go: `process.stderr` is one. */
export interface Sink {
  write(line: string): unknown;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

type Facts = Readonly<Record<string, unknown>>;

/** Names whose values are never shown, whatever joins their words: `sk`, `secretKey`, `X-Auth-Token`, `tokenHash`. */
const secretName = /authorization|cookie|credential|passw|secret|signature|token|api[-_]?key|(^|[-_])[as]k$/i;
const secretCamelName = /[a-z][AS][kK]$/;

/** Spellings of secrets inside a text, such as the message of somebody else's error. */
const secretText =
  /(\b(?:bearer|basic)\s+)[^\s"',]+|(\bwhsec_)[A-Za-z0-9+/=]+|(\bSignature=)[0-9a-f]+|(\b(?:token|secret|password|sk)=)[^\s"'&,]+/gi;

const mask = '***';

/** A log under a service's name, from `level` on. Without a sink it writes as Powertools does (stdout and stderr). */
export function powertoolsLog(service: string, level: LogLevel, sink?: Sink): Log {
  const options = { serviceName: service, logLevel: level, jsonReplacerFn: withoutSecret };
  const logger = sink === undefined ? new Logger(options) : new (loggerInto(sink))(options);
  return {
    error: (message, facts = {}) => safely((named) => logger.error(message, named), facts),
    warn: (message, facts = {}) => safely((named) => logger.warn(message, named), facts),
    info: (message, facts = {}) => safely((named) => logger.info(message, named), facts),
    debug: (message, facts = {}) => safely((named) => logger.debug(message, named), facts),
  };
}

/**
 * A log that adds `keys` to every line: the request's id, for as long as its request lasts. A wrapper instead of
 * Powertools' appended keys, since those belong to the whole process, and one machine serves requests side by side.
 */
export function withKeys(log: Log, keys: Facts): Log {
  return {
    error: (message, facts) => log.error(message, { ...keys, ...facts }),
    warn: (message, facts) => log.warn(message, { ...keys, ...facts }),
    info: (message, facts) => log.info(message, { ...keys, ...facts }),
    debug: (message, facts) => log.debug(message, { ...keys, ...facts }),
  };
}

/** A Logger that prints into `sink`; a class of its own for each, since Powertools may print while it is constructed. */
function loggerInto(sink: Sink): typeof Logger {
  return class extends Logger {
    protected override printLog(...[, item]: Parameters<Logger['printLog']>): void {
      item.prepareForPrint();
      sink.write(`${JSON.stringify(item.getAttributes(), this.getJsonReplacer())}\n`);
    }
  };
}

/** A log never breaks what it tells of: an error that is its own cause makes Powertools run in circles. */
function safely(write: (facts: Record<string, unknown>) => void, facts: Facts): void {
  try {
    write(named(facts));
  } catch {
    write({ facts: 'could not be written' });
  }
}

/** Facts under names of their own: Powertools drops those that are named like its standard fields. */
function named(facts: Facts): Record<string, unknown> {
  const reserved = new Set(['level', 'message', 'sampling_rate', 'service', 'timestamp']);
  return Object.fromEntries(
    Object.entries(facts).map(([name, fact]) => [reserved.has(name) ? `${name}_` : name, fact]),
  );
}

/** The replacer of a log line: called for every member at any depth, errors and their causes included. */
function withoutSecret(name: string, value: unknown): unknown {
  if (value !== undefined && value !== null && (secretName.test(name) || secretCamelName.test(name))) return mask;
  return typeof value === 'string' ? value.replace(secretText, `$1$2$3$4${mask}`) : value;
}

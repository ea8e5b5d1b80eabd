// Configurations for tests: a small valid one, changed at one place, as JSON (which is valid YAML).

import { readConfig } from '../../lib/config/file.ts';
import { ConfigError, showFault } from '../../lib/errors.ts';

type Step = string | number;

/** One project, one target and two jobs: a scheduled flush and a webhook's restart. */
export const smallFile = {
  projects: {
    p: { region: 'eu-de', projectId: '0a1b2c3d4e5f60718293a4b5c6d7e8f9', credentials: { aksk: 'env:HUAWEI' } },
  },
  targets: { t: { project: 'p', names: ['*'] } },
  jobs: {
    flush: {
      action: 'flush',
      target: 't',
      trigger: { schedule: { cron: '0 2 * * *' } },
      guards: { maxInstances: 20 },
    },
    hook: { action: 'restart', target: 't', trigger: { webhook: { auth: 'bearer', secrets: ['env:TOKEN'] } } },
  },
};

/** The small file, or another one, as JSON text with `value` at the dotted path (`jobs.hook.guards`); undefined takes the key away. */
export function textWith(path: string, value: unknown, file: object = smallFile): string {
  return JSON.stringify(put(file, path.split('.'), value), null, 2);
}

/** The configuration of the small file with `value` at the dotted path. */
export function configWith(path: string, value: unknown) {
  return readConfig(textWith(path, value), 'autopilot.yml');
}

/** Every fault of a text as `file:line: path: what`; none for a valid one. */
export function faultsOf(text: string, file = 'autopilot.yml'): readonly string[] {
  try {
    readConfig(text, file);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map(showFault);
    throw error;
  }
}

/** The faults without file and line. */
export function complaints(path: string, value: unknown, file: object = smallFile): readonly string[] {
  return faultsOf(textWith(path, value, file)).map(withoutLine);
}

function withoutLine(fault: string): string {
  return fault.replace(/^autopilot\.yml:\d+: /, '');
}

function put(owner: unknown, [step, ...rest]: readonly Step[], value: unknown): unknown {
  if (step === undefined) return value;
  const entries = Object.entries(Object(owner ?? {})).filter(([key]) => key !== step);
  const old = Object(owner ?? {})[step];
  return Object.fromEntries([...entries, [step, put(old, rest, value)]]);
}

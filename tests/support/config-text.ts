// Configurations for tests: a small valid one, changed at one place, as JSON (which is valid YAML).

import { checkConfig, readConfig } from '../../lib/config/file.ts';
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

/** The configuration of a text, and what is not enforced yet is taken too. */
export function readWhole(text: string) {
  return checkConfig(text, 'autopilot.yml', 'anywhere', []).config;
}

/** Every fault of a text as `file:line: path: what`; none for a valid one. */
export function faultsOf(text: string, file = 'autopilot.yml', read = readConfig): readonly string[] {
  try {
    read(text, file);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map(showFault);
    throw error;
  }
}

/** The faults without file and line. */
export function complaints(path: string, value: unknown): readonly string[] {
  return faultsOf(textWith(path, value)).map(withoutLine);
}

/** The same, and what is not enforced yet is no fault. */
export function wholeComplaints(path: string, value: unknown, file: object = smallFile): readonly string[] {
  return faultsOf(textWith(path, value, file), 'autopilot.yml', readWhole).map(withoutLine);
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

// What holds only where a configuration is to run: a function on AWS has no environment of ours to keep secrets in, so that
// every `env:` secret is a fault there, and one machine has no right to call AWS; each with its line.

import { isMapping } from './keys.ts';
import type { ReferenceFault } from './plain.ts';
import type { Path } from './yaml.ts';

/** Keys whose values, or whose lists, name secrets. */
const secretKeys: ReadonlySet<unknown> = new Set([
  'aksk',
  'iam',
  'ca',
  'token',
  'secrets',
  'certificate',
  'url',
  'healthCheck',
]);
/** Keys under which the user's own words stand. */
const ownWords: ReadonlySet<unknown> = new Set(['tags', 'match', 'names', 'order']);

/** The faults of all `env:` secrets in the plain data of a file. */
export function environmentFaults(file: unknown, path: Path = []): readonly ReferenceFault[] {
  // Not at the second level: there stand names, and a job may be called `order`.
  if (path.length > 2 && ownWords.has(path.at(-1))) return [];
  if (Array.isArray(file)) return file.flatMap((each, index) => environmentFaults(each, [...path, index]));
  if (isMapping(file)) return Object.entries(file).flatMap(([key, each]) => environmentFaults(each, [...path, key]));
  const key = path.findLast((step) => typeof step === 'string');
  if (typeof file !== 'string' || !file.startsWith('env:') || !secretKeys.has(key)) return [];
  return [{ path, message: 'a function on AWS takes no env: secret; write ssm:/path or secretsmanager:name' }];
}

/** The faults of all listeners on AWS in the plain data of a file that one machine is to run. */
export function awayFaults(file: unknown): readonly ReferenceFault[] {
  const notify = isMapping(file) ? file['notify'] : undefined;
  if (!Array.isArray(notify)) return [];
  return notify.flatMap((each, index) => {
    const to = isMapping(each) ? each['to'] : undefined;
    if (to !== 'eventbridge' && to !== 'sns') return [];
    return [{ path: ['notify', index, 'to'], message: `only functions on AWS tell ${to}; here it can be webhook` }];
  });
}

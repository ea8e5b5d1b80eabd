// What can only be judged by looking at several keys at once. It reads the plain data of the file, not the typed one, so
// that these faults are shown together with all others, however faulty the rest is.

import { builtIn, ladder } from './defaults.ts';
import { jobFaults } from './job-references.ts';
import { didYouMean, isMapping } from './keys.ts';
import { entries, member, type ReferenceFault } from './plain.ts';
import { seconds } from './values.ts';
import type { Path } from './yaml.ts';

/**
 * Names that lead nowhere, credentials of no kind or two, jobs whose keys contradict each other, a scheduled flush without
 * guards of its own, keys that do not go with an `auth`, projects and operators that cannot be told apart, durations that
 * contradict each other.
 */
export function referenceFaults(file: unknown): readonly ReferenceFault[] {
  return [
    ...entries(file, 'targets').flatMap(([name, target]) => unknownName(file, ['targets', name, 'project'], target)),
    ...entries(file, 'projects').flatMap(([name, project]) => credentialsFaults(name, member(project, 'credentials'))),
    ...entries(file, 'jobs').flatMap(([name, job]) => [
      ...jobFaults(file, name, job),
      ...unknownName(file, ['jobs', name, 'target'], job),
      ...unguardedFlush(name, job),
      ...webhookFaults(name, member(member(job, 'trigger'), 'webhook')),
    ]),
    ...namelessProjects(file),
    ...operatorFaults(file),
    ...contradictions(file),
  ];
}

function unknownName(file: unknown, path: readonly [string, string, string], owner: unknown): ReferenceFault[] {
  const kind = path[2];
  const name = member(owner, kind);
  const known = member(file, `${kind}s`);
  if (typeof name !== 'string' || !isMapping(known) || Object.hasOwn(known, name)) return [];
  return [{ path, message: `there is no ${kind} of this name${didYouMean(name, Object.keys(known))}` }];
}

function credentialsFaults(name: string, credentials: unknown): ReferenceFault[] {
  if (!isMapping(credentials)) return [];
  const kinds = ['aksk', 'iam'].filter((key) => member(credentials, key) !== undefined);
  if (kinds.length === 1) return [];
  return [{ path: ['projects', name, 'credentials'], message: 'needs exactly one of `aksk` and `iam`' }];
}

/** Two names could mean one project, whose limits would then be counted twice. */
function namelessProjects(file: unknown): ReferenceFault[] {
  const projects = entries(file, 'projects');
  const regions = projects.map(([, project]) => member(project, 'region'));
  const isShared = (region: unknown) => regions.filter((each) => each === region).length > 1;
  const message = 'another project has the same region: each of them needs its projectId';
  return projects
    .filter(([, project]) => isMapping(project) && member(project, 'projectId') === undefined)
    .filter(([, project]) => isShared(member(project, 'region')))
    .map(([name]) => ({ path: ['projects', name], message }));
}

function unguardedFlush(name: string, job: unknown): ReferenceFault[] {
  const scheduled = member(member(job, 'trigger'), 'schedule') !== undefined;
  if (!scheduled || member(job, 'action') !== 'flush') return [];
  const guards = member(job, 'guards');
  if (member(guards, 'maxInstances') !== undefined || member(guards, 'maxPercent') !== undefined) return [];
  const message = 'a scheduled flush must state its own guards: maxInstances or maxPercent';
  return [{ path: ['jobs', name, 'guards'], message }];
}

/** Which keys a webhook takes depends on how its requests prove where they come from. */
function webhookFaults(name: string, webhook: unknown): ReferenceFault[] {
  const auth = member(webhook, 'auth');
  if (typeof auth !== 'string') return [];
  const path = ['jobs', name, 'trigger', 'webhook'];
  const isGithub = auth === 'github';
  const foreign = (isGithub ? ['instances'] : ['events', 'match']).filter((key) => member(webhook, key) !== undefined);
  const message = isGithub ? 'an event of GitHub always means the whole target' : 'only with auth: github';
  return [
    ...foreign.map((key) => ({ path: [...path, key], message })),
    ...(isGithub && member(webhook, 'events') === undefined
      ? [{ path: [...path, 'events'], message: 'required with auth: github' }]
      : []),
  ];
}

/** The operator of the runtime on one machine, whose token is AUTOPILOT_TOKEN. */
const local = ['local', 'env:AUTOPILOT_TOKEN'] as const;

/** One token is one operator: with the same one, someone could approve what they asked for. */
function operatorFaults(file: unknown): ReferenceFault[] {
  const holders = new Map<unknown, string>([[local[1], local[0]]]);
  return entries(file, 'operators').flatMap(([name, operator]) => {
    const token = member(operator, 'token');
    const holder = typeof token === 'string' ? holders.get(token) : undefined;
    if (holder === undefined) holders.set(token, name);
    const message = `\`${local[0]}\` is the operator of the runtime on one machine; choose another name`;
    return [
      ...(name === local[0] ? [{ path: ['operators', name], message }] : []),
      ...(holder === undefined
        ? []
        : [{ path: ['operators', name, 'token'], message: `is the token of \`${holder}\`` }]),
    ];
  });
}

const ordered = [
  ['retry', 'baseDelay', 'maxDelay'],
  ['verify', 'interval', 'settle'],
  ['verify', 'interval', 'timeout'],
  ['verify', 'settle', 'timeout'],
  ['ladder', 'settle', 'resetAfter'],
] as const;

function contradictions(file: unknown): ReferenceFault[] {
  const defaults = member(file, 'defaults');
  const scopes: [Path, unknown][] = [
    [['defaults'], defaults],
    ...entries(file, 'jobs').map(([name, job]): [Path, unknown] => [['jobs', name], job]),
  ];
  return scopes.flatMap(([path, scope]) => ordered.flatMap((pair) => contradiction(path, scope, defaults, pair)));
}

/** Told where one of the two is written: a job does not repeat what is wrong with the defaults. */
function contradiction(
  path: Path,
  scope: unknown,
  defaults: unknown,
  pair: (typeof ordered)[number],
): ReferenceFault[] {
  const [policy, short, long] = pair;
  const own = member(scope, policy);
  const written = [short, long].find((key) => member(own, key) !== undefined);
  if (written === undefined) return [];
  const least = secondsAt(own, short) ?? secondsAt(member(defaults, policy), short) ?? builtInSeconds(policy, short);
  const most = secondsAt(own, long) ?? secondsAt(member(defaults, policy), long) ?? builtInSeconds(policy, long);
  if (least <= most) return [];
  const message = `\`${short}\` (${least}s) is longer than \`${long}\` (${most}s), counting the defaults`;
  return [{ path: [...path, policy, written], message }];
}

function builtInSeconds(policy: (typeof ordered)[number][0], key: string): number {
  const found = member({ ...builtIn, ladder }[policy], key);
  return typeof found === 'number' ? found : 0;
}

function secondsAt(policy: unknown, key: string): number | undefined {
  const text = member(policy, key);
  return typeof text === 'string' ? seconds(text) : undefined;
}

// `doctor`: whether everything is there that the jobs need: the configuration, its secrets, and for each project the
// endpoint, the key, the clock and the rights to read. Reads only: that acting is allowed shows at the first run.

import { parseArgs } from 'node:util';
import type { Problem } from '../classify.ts';
import { refsOf } from '../config/refs.ts';
import type { Config, Job, Project, Target } from '../config.ts';
import type { DcsApi, Reading } from '../execute.ts';
import type { Instance } from '../plan/instance.ts';
import { select } from '../plan/select.ts';
import type { Io } from './io.ts';
import { live } from './live.ts';
import { defaultFile, loadConfig } from './load-config.ts';
import { printable } from './run-text.ts';

/** What `--help` says besides the usage. */
export const doctorHelp = `
  --json  {checks: [{what, ok, told}]} as JSON on stdout

Exit codes: 0 all is well, 1 something is not.
`;

/** One line. `told`: what was found, or what to do about it. */
interface Check {
  readonly what: string;
  readonly ok: boolean;
  readonly told: string;
}

/** `doctor`: a line for each check; answers 0 where all are well, else 1. Throws ConfigError for a faulty configuration. */
export async function doctor(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { json: { type: 'boolean', default: false } } });
  const file = defaultFile(io.env);
  const { config } = loadConfig(file);
  const { dcs } = live(io);
  const checks: Check[] = [
    well('configuration', `${file}, ${Object.keys(config.jobs).length} jobs`),
    ...secrets(config, io),
  ];
  for (const project of Object.values(config.projects))
    checks.push(...(await ofProject(config, project, dcs(project))));
  io.stdout(values.json ? `${JSON.stringify({ checks })}\n` : checks.map(lineOf).join(''));
  return checks.every(({ ok }) => ok) ? 0 : 1;
}

/** Those of the environment; the credentials of projects are tried by their first call. */
function secrets(config: Config, { env }: Io): Check[] {
  const { webhook, alert, console, run } = refsOf(config);
  const credentials = Object.values(config.projects).map(({ credentials: way }) =>
    'aksk' in way ? way.aksk : way.iam,
  );
  const tried = run.filter((ref) => !credentials.includes(ref));
  return [...new Set([...webhook, ...alert, ...console, ...tried])].map((ref) => {
    if (!ref.startsWith('env:')) return well(`secret ${ref}`, 'kept on AWS, not looked at');
    const name = ref.slice('env:'.length);
    return env[name] ? well(`secret ${ref}`, 'is set') : ill(`secret ${ref}`, `set ${name} where the program runs`);
  });
}

async function ofProject(config: Config, project: Project, dcs: DcsApi): Promise<Check[]> {
  const what = `project ${project.name}`;
  const total = await dcs.total();
  if (!total.ok) return [troubled(`${what}: endpoint, key, clock`, total.problem)];
  const reached = well(`${what}: endpoint, key, clock`, `${project.endpoint} answers; ${total.value} instances`);
  const listed = await dcs.list({});
  if (!listed.ok) return [reached, troubled(`${what}: list`, listed.problem)];
  const jobs = Object.values(config.jobs).filter((job) => job.project.name === project.name);
  return [reached, ...targetsOf(jobs, listed.value), ...(await rights(what, dcs, listed.value))];
}

/** A target that takes nobody is refused at every run. */
function targetsOf(jobs: readonly Job[], fleet: readonly Instance[]): Check[] {
  const targets = new Map<string, Target>(jobs.map(({ target }) => [target.name, target]));
  return [...targets.values()].map((target) => {
    const taken = select(target, fleet).length;
    const what = `target ${target.name}`;
    if (taken > 0) return well(what, `selects ${taken} of ${fleet.length} instances`);
    return ill(what, 'selects no instance: look at its tags, names and ids');
  });
}

/** Each kind of read that runs make, once, on one instance. */
async function rights(project: string, dcs: DcsApi, fleet: readonly Instance[]): Promise<Check[]> {
  const blind = fleet.some(({ tags }) => tags === null);
  const [first] = fleet.toSorted((a, b) => Number(b.engine === 'Redis') - Number(a.engine === 'Redis'));
  const checks = blind
    ? [ill(`${project}: tags`, 'some cannot be read, and count as protected: allow the key to read them')]
    : [];
  if (first === undefined) return [...checks, well(`${project}: rights`, 'there is no instance to try them on')];
  const reads: readonly (readonly [string, () => Promise<Reading<unknown>>])[] = [
    ['read an instance', () => dcs.show(first.id)],
    ['read its parameters', () => dcs.appendonly(first.id)],
    ['count keys', () => dcs.keyCounts()],
    ['read its backups', () => dcs.backups(first.id)],
  ];
  for (const [name, read] of reads) {
    const reading = await read();
    checks.push(reading.ok ? well(`${project}: ${name}`, 'allowed') : troubled(`${project}: ${name}`, reading.problem));
  }
  return checks;
}

function troubled(what: string, { class: kind, code, message, status }: Problem): Check {
  const advice = status === 403 ? forbidden : advices[kind];
  return ill(what, `${code}: ${message}${advice === undefined ? '' : ` ${advice}`}`);
}

const forbidden = 'Let the user of the key read DCS of this project in IAM.';

const advices: Readonly<Partial<Record<Problem['class'], string>>> = {
  unreachable: 'Look at endpoint, proxy and network.',
  unknown: 'Look at endpoint and network, and try again.',
  throttled: 'Others call this project too: try again, or lower rate.callsPerSecond.',
  auth: 'Look at the key, the project id and the clock of this machine.',
  config: 'Look at endpoint, region and project id.',
};

function well(what: string, told: string): Check {
  return { what, ok: true, told };
}

function ill(what: string, told: string): Check {
  return { what, ok: false, told };
}

function lineOf({ what, ok, told }: Check): string {
  return `${printable(`${ok ? 'ok    ' : 'not ok'}  ${what}: ${told}`)}\n`;
}

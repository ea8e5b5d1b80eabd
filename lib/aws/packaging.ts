// Packaging for AWS: serverless-esbuild loads this file (see serverless.yml). It reads, checks and compiles
// autopilot.yml once, so that a faulty file fails the build with every fault, and puts what came of it into the bundles
// in the place of config.ts.

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'esbuild';
import * as v from 'valibot';
import type { Json } from '../canonical.ts';
import { defaultFile, loadConfig } from '../cli/load-config.ts';
import { refsOf } from '../config/refs.ts';
import type { Config, Ref } from '../config.ts';
import { AutopilotError } from '../errors.ts';
import { type PageSource, pageSource } from '../page/source.ts';
import { packagedConfig } from './config.ts';

/** What is used of the object that the serverless command hands to its plugins. */
interface Serverless {
  readonly classes: {
    /** An error whose message is shown without a stack trace. */
    readonly Error: new (
      message: string,
      code: string,
    ) => Error;
  };
  /** What is packaged; absent where something else than the command bundles. */
  readonly service?: { readonly provider: { readonly stage?: string } };
}

/** The part of the process that packaging depends on. */
export interface PackagingIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stderr: (text: string) => unknown;
}

const processIo: PackagingIo = { env: process.env, stderr: (text) => process.stderr.write(text) };

const manifestSchema = v.pipe(v.string(), v.parseJson(), v.object({ version: v.string() }));

/** One reading for each packaging: serverless-esbuild asks for its plugins more than once. */
const made = new WeakMap<Serverless, Plugin[]>();

/**
 * The esbuild plugins of a packaging. The file is AUTOPILOT_CONFIG, else autopilot.yml in the working folder; where that
 * does not lie there, the configuration is empty and a note says so. Throws the command's own Error with all faults, and
 * where its stage is another one than that of the file.
 */
export default function plugins(serverless: Serverless, io: PackagingIo = processIo): Plugin[] {
  const known = made.get(serverless) ?? [withConfig(readOrRefuse(serverless, io)), versionOnly, pageTexts];
  made.set(serverless, known);
  return known;
}

function readOrRefuse({ classes, service }: Serverless, io: PackagingIo): Config | undefined {
  try {
    return readConfiguration(io, service?.provider.stage);
  } catch (error) {
    if (error instanceof AutopilotError) throw new classes.Error(error.message, error.code.toUpperCase());
    throw error;
  }
}

/** An esbuild plugin that lets a bundle have `config` as its `packagedConfig`; undefined leaves the empty one. */
function withConfig(config: Config | undefined): Plugin {
  return {
    name: 'autopilot-config',
    setup: (build) => {
      const place = fileURLToPath(new URL('config.ts', import.meta.url));
      build.onLoad({ filter: /[\\/]config\.ts$/ }, ({ path }) =>
        config === undefined || path !== place
          ? null
          : { contents: `export const packagedConfig = ${asCode(config)};` },
      );
    },
  };
}

/** Of package.json a bundle has the version: which packages we are made with is nobody's business there. */
const versionOnly: Plugin = {
  name: 'autopilot-version',
  setup: (build) => {
    const place = fileURLToPath(new URL('../../package.json', import.meta.url));
    build.onLoad({ filter: /[\\/]package\.json$/ }, ({ path }) =>
      path === place ? { contents: JSON.stringify({ version: versionOf(place) }), loader: 'json' } : null,
    );
  },
};

/** The texts of the page, made smaller: a bundle has no files beside it to read them from. */
const pageTexts: Plugin = {
  name: 'autopilot-page',
  setup: (build) => {
    const place = fileURLToPath(new URL('../page/source.ts', import.meta.url));
    build.onLoad({ filter: /[\\/]source\.ts$/ }, async ({ path }) => {
      if (path !== place) return null;
      const { html, css, script } = pageSource();
      const [style, code] = await Promise.all([
        build.esbuild.transform(css, { loader: 'css', minify: true }),
        build.esbuild.transform(script, { loader: 'js', format: 'esm', minify: true, charset: 'utf8' }),
      ]);
      const texts = { html, css: style.code, script: code.code } satisfies PageSource;
      return { contents: `const texts = ${JSON.stringify(texts)};\nexport const pageSource = () => texts;` };
    });
  },
};

function versionOf(file: string): string {
  return v.parse(manifestSchema, readFileSync(file, 'utf8')).version;
}

function readConfiguration({ env, stderr }: PackagingIo, stage: string | undefined): Config | undefined {
  const file = defaultFile(env);
  if (!env['AUTOPILOT_CONFIG'] && !existsSync(file)) {
    stderr(`There is no ${file} here: the functions are packaged with an empty configuration.\n`);
    return undefined;
  }
  const { config, counts } = loadConfig(file, 'aws');
  if (stage !== undefined && stage !== config.stage) throw otherStage(file, config.stage, stage);
  stderr(`${file}: packaged with ${counts.jobs} job${counts.jobs === 1 ? '' : 's'} for stage ${config.stage}.\n`);
  return config;
}

/** Two stacks with one stage in their runs' ids would take each other's executions for their own. */
function otherStage(file: string, configured: string, packaged: string): AutopilotError {
  const both = `set stage: ${packaged} there, or give --stage ${configured} here`;
  const message = `${file}: stage: is ${configured}, and this is packaged for stage ${packaged}; ${both}`;
  return new AutopilotError('stage_differs', message);
}

/** The secrets that each function may read, by the name of its service, as resources of its role. */
export interface SecretRights {
  readonly ssm: readonly Json[];
  readonly secretsmanager: readonly Json[];
}

/** Those of all functions, and whom the run may tell. */
export interface PackagedRights {
  readonly webhook: SecretRights;
  readonly alert: SecretRights;
  readonly console: SecretRights;
  readonly run: SecretRights & { readonly events: readonly Json[]; readonly sns: readonly Json[] };
}

/**
 * What each function reads of the configuration that is about to be packaged; where there is none, or a faulty one (which
 * packaging refuses with all its faults), nothing. serverless.yml asks for it through rights.cjs.
 */
export function packagedRights({ env }: Pick<PackagingIo, 'env'> = processIo): PackagedRights {
  const config = configIfAny(env) ?? packagedConfig;
  const { webhook, alert, console, run } = refsOf(config);
  return {
    webhook: rightsOn(webhook),
    alert: rightsOn(alert),
    console: rightsOn(console),
    run: { ...rightsOn(run), ...rightsToTell(config) },
  };
}

function rightsToTell({ notify }: Config): Pick<PackagedRights['run'], 'events' | 'sns'> {
  const buses = new Set(notify.flatMap((each) => (each.to === 'eventbridge' ? [each.bus] : [])));
  const topics = new Set(notify.flatMap((each) => (each.to === 'sns' ? [each.topic] : [])));
  const named = [...buses].filter((bus) => !isArn(bus)).map((bus) => `event-bus/${bus}`);
  const whole = [...buses].filter(isArn);
  return {
    events:
      whole.length > 0
        ? [...whole, ...(named.length > 0 ? resources('events', named) : [])]
        : resources('events', named),
    sns: topics.size > 0 ? [...topics] : resources('sns', []),
  };
}

function isArn(text: string): boolean {
  return text.startsWith('arn:');
}

/** The event of EventBridge that tells of alarms. */
const alarmPattern = { source: ['aws.cloudwatch'], 'detail-type': ['CloudWatch Alarm State Change'] };

/**
 * What calls the function of alerts, as events of serverless.yml: the routes, each listed topic of SNS, and EventBridge
 * where CloudWatch is listed.
 */
export function alertEvents({ env }: Pick<PackagingIo, 'env'> = processIo): readonly Json[] {
  const { sns, cloudwatch } = (configIfAny(env) ?? packagedConfig).sources;
  const topics = sns?.type === 'sns' ? sns.topics : [];
  return [
    { httpApi: 'POST /alerts/{source}' },
    { httpApi: 'PUT /alerts/{source}' },
    ...topics.map((topic) => ({ sns: topic })),
    ...(cloudwatch === undefined ? [] : [{ eventBridge: { pattern: alarmPattern } }]),
  ];
}

function configIfAny(env: PackagingIo['env']): Config | undefined {
  try {
    return loadConfig(defaultFile(env), 'aws').config;
  } catch (error) {
    if (error instanceof AutopilotError) return undefined;
    throw error;
  }
}

function rightsOn(refs: readonly Ref[]): SecretRights {
  const named = (kind: string) =>
    [...new Set(refs)].filter((ref) => ref.startsWith(kind)).map((ref) => ref.slice(kind.length));
  return {
    ssm: resources(
      'ssm',
      named('ssm:').map((name) => `parameter${name}`),
    ),
    // Secrets Manager adds a hyphen and six characters to a name.
    secretsmanager: resources(
      'secretsmanager',
      named('secretsmanager:').map((name) => `secret:${name}-??????`),
    ),
  };
}

/** ARNs. A statement needs one: where nothing is read it is that of an account which does not exist. */
function resources(service: string, names: readonly string[]): readonly Json[] {
  const arn = (place: string) => ({ 'Fn::Sub': `arn:\${AWS::Partition}:${service}:${place}` });
  if (names.length === 0) return [arn('*:000000000000:none')];
  return names.map((name) => arn(`\${AWS::Region}:\${AWS::AccountId}:${name}`));
}

/** Plain data as an expression. What has no prototype has none there either: a job's name must not find `constructor`. */
function asCode(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(asCode).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  const bare = Object.getPrototypeOf(value) === null ? ['__proto__:null'] : [];
  const members = Object.entries(value).map(([key, member]) => `[${JSON.stringify(key)}]:${asCode(member)}`);
  return `{${[...bare, ...members].join(',')}}`;
}

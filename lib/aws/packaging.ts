// Packaging for AWS: serverless-esbuild loads this file (see serverless.yml). It reads, checks and compiles
// autopilot.yml once, so that a faulty file fails the build with every fault, and puts what came of it into the bundles
// in the place of config.ts.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'esbuild';
import { defaultFile, loadConfig } from '../cli/load-config.ts';
import type { Config } from '../config.ts';
import { AutopilotError } from '../errors.ts';

/** What is used of the object that the serverless command hands to its plugins. */
interface Serverless {
  readonly classes: {
    /** An error whose message is shown without a stack trace. */
    readonly Error: new (
      message: string,
      code: string,
    ) => Error;
  };
}

/** The part of the process that packaging depends on. */
export interface PackagingIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stderr: (text: string) => unknown;
}

const processIo: PackagingIo = { env: process.env, stderr: (text) => process.stderr.write(text) };

/** One reading for each packaging: serverless-esbuild asks for its plugins more than once. */
const made = new WeakMap<Serverless, Plugin[]>();

/**
 * The esbuild plugins of a packaging. The file is AUTOPILOT_CONFIG, else autopilot.yml in the working folder; where that
 * does not lie there, the configuration is empty and a note says so. Throws the command's own Error with all faults.
 */
export default function plugins(serverless: Serverless, io: PackagingIo = processIo): Plugin[] {
  const known = made.get(serverless) ?? [withConfig(readOrRefuse(serverless, io))];
  made.set(serverless, known);
  return known;
}

function readOrRefuse({ classes }: Serverless, io: PackagingIo): Config | undefined {
  try {
    return readConfiguration(io);
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

function readConfiguration({ env, stderr }: PackagingIo): Config | undefined {
  const file = defaultFile(env);
  if (!env['AUTOPILOT_CONFIG'] && !existsSync(file)) {
    stderr(`There is no ${file} here: the functions are packaged with an empty configuration.\n`);
    return undefined;
  }
  const { config, counts } = loadConfig(file);
  stderr(`${file}: packaged with ${counts.jobs} job${counts.jobs === 1 ? '' : 's'} for stage ${config.stage}.\n`);
  return config;
}

/** Plain data as an expression. What has no prototype has none there either: a job's name must not find `constructor`. */
function asCode(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(asCode).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  const bare = Object.getPrototypeOf(value) === null ? ['__proto__:null'] : [];
  const members = Object.entries(value).map(([key, member]) => `[${JSON.stringify(key)}]:${asCode(member)}`);
  return `{${[...bare, ...members].join(',')}}`;
}

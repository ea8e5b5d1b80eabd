// The functions bundled as packaging does it: the same entries and the same options, read from serverless.yml.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import * as v from 'valibot';
import { parse } from 'yaml';
import configPlugins from '../../lib/aws/packaging.ts';

/** The top of this checkout. */
export const root = join(import.meta.dirname, '../..');

export const functionNames = ['alert', 'console', 'run', 'schedule', 'webhook'] as const;
export type FunctionName = (typeof functionNames)[number];

/** One function as it would run on AWS. */
export interface Bundle {
  readonly file: string;
  /** What it is made of: paths from the top of the checkout, and `node:` modules. */
  readonly inputs: readonly string[];
  /** Packages of node_modules among the inputs. */
  readonly packages: ReadonlySet<string>;
  readonly bytes: number;
  readonly gzipped: number;
}

// Strict: an option that is not looked at here would make another bundle there.
const serverlessFile = v.object({
  provider: v.object({ runtime: v.literal('nodejs24.x') }),
  custom: v.object({
    esbuild: v.strictObject({
      bundle: v.literal(true),
      format: v.literal('cjs'),
      minify: v.boolean(),
      sourcemap: v.literal('linked'),
      sourcesContent: v.boolean(),
      outputFileExtension: v.literal('.cjs'),
      exclude: v.array(v.string()),
      plugins: v.literal('lib/aws/packaging.ts'),
    }),
  }),
  functions: v.strictObject(
    v.entriesFromList(functionNames, v.object({ handler: v.pipe(v.string(), v.endsWith('.handler')) })),
  ),
});

class PackagingError extends Error {}

/** Bundles all functions into `folder`, with the configuration that `env` names. */
export async function bundleFunctions(
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<Readonly<Record<FunctionName, Bundle>>> {
  const text = readFileSync(join(root, 'serverless.yml'), 'utf8');
  const { custom, functions } = v.parse(serverlessFile, parse(text, { logLevel: 'silent' }));
  const { plugins: _, exclude, outputFileExtension, ...options } = custom.esbuild;
  const plugins = configPlugins({ classes: { Error: PackagingError } }, { env, stderr: () => undefined });
  const bundleOne = async (name: FunctionName): Promise<Bundle> => {
    const path = functions[name].handler.replace(/\.handler$/, '');
    const result = await build({
      ...options,
      plugins,
      external: exclude,
      outExtension: { '.js': outputFileExtension },
      platform: 'node',
      target: 'node24',
      metafile: true,
      absWorkingDir: root,
      entryPoints: { [path]: join(root, `${path}.ts`) },
      outdir: folder,
    });
    const file = join(folder, `${path}${outputFileExtension}`);
    return describe(file, Object.values(result.metafile.outputs));
  };
  const [alert, console, run, schedule, webhook] = await Promise.all([
    bundleOne('alert'),
    bundleOne('console'),
    bundleOne('run'),
    bundleOne('schedule'),
    bundleOne('webhook'),
  ]);
  return { alert, console, run, schedule, webhook };
}

interface Output {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly imports: readonly { readonly path: string }[];
}

function describe(file: string, outputs: readonly Output[]): Bundle {
  const inputs = outputs.flatMap((output) => [
    ...Object.keys(output.inputs),
    ...output.imports.map(({ path }) => path).filter((path) => !path.endsWith('.map')),
  ]);
  const code = readFileSync(file);
  return {
    file,
    inputs,
    packages: new Set(
      inputs.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(path)?.[1] ?? []),
    ),
    bytes: code.length,
    gzipped: gzipSync(code).length,
  };
}

// One invocation of a packaged function, in a process of its own that ends with it.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as v from 'valibot';
import { root } from './bundles.ts';

const loaded = v.object({
  type: v.string(),
  answer: v.optional(v.unknown()),
  thrown: v.optional(v.object({ name: v.string(), code: v.optional(v.string()), message: v.string() })),
});

/** What came out: the type of the handler, its answer or what it threw, and all that was printed. */
export type Loaded = v.InferOutput<typeof loaded> & { readonly log: string };

/** Loads a bundle as Lambda does and calls its handler with the event; `env` is all of its environment. */
export async function loadBundle(file: string, event: object, env: Readonly<Record<string, string>>): Promise<Loaded> {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--enable-source-maps', join(root, 'tests/support/load-bundle.cjs'), file, JSON.stringify(event)],
    { env, timeout: 40_000, maxBuffer: 16 * 1024 * 1024 },
  );
  const last = stdout.lastIndexOf('\n');
  return { ...v.parse(loaded, JSON.parse(stdout.slice(last))), log: stdout.slice(0, last) + stderr };
}

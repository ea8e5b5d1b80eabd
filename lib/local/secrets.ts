// Secrets of the local runtime come from the environment, read late and remembered for five minutes: the same rhythm as
// on AWS, so that a rotated secret behaves alike in both. Values never reach a log or an error from here.

import type { Ref } from '../config.ts';
import { EnvironmentError } from '../errors.ts';
import type { Secrets } from '../runtime.ts';

/** Milliseconds for which a value that was read is used again. */
export const secretLifetime = 5 * 60_000;

/** The environment, or anything like it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Secrets behind `env:NAME`, out of `env`; `now` is the time in milliseconds since the epoch. */
export class EnvSecrets implements Secrets {
  readonly #env: Environment;
  readonly #now: () => number;
  readonly #known = new Map<Ref, { readonly value: string; readonly readAt: number }>();

  constructor(env: Environment, now: () => number) {
    this.#env = env;
    this.#now = now;
  }

  /**
   * The value, not empty. Throws EnvironmentError `secret_missing` that names the variable, `secret_unsupported` for a
   * secret that is kept on AWS.
   */
  async get(ref: Ref, options: { readonly fresh?: boolean } = {}): Promise<string> {
    const known = this.#known.get(ref);
    if (known !== undefined && !options.fresh && this.#now() - known.readAt < secretLifetime) return known.value;
    const value = this.#read(ref);
    this.#known.set(ref, { value, readAt: this.#now() });
    return value;
  }

  #read(ref: Ref): string {
    if (!ref.startsWith('env:')) throw unsupported(ref);
    const name = ref.slice('env:'.length);
    const value = this.#env[name];
    if (value === undefined || value === '') {
      throw new EnvironmentError('secret_missing', `the environment variable ${name} (${ref}) is missing or empty`);
    }
    return value;
  }
}

function unsupported(ref: Ref): EnvironmentError {
  const message = `${ref} is kept on AWS, and this runtime reads secrets from its environment: write env:NAME`;
  return new EnvironmentError('secret_unsupported', message);
}

// Secrets on AWS: Parameter Store and Secrets Manager, read late and remembered for five minutes, each by one small call.
// Whoever sends wrong signatures makes a door read afresh; that too is answered from memory for ten seconds, so that
// nobody outside can use up the few reads a second which AWS allows.

import * as v from 'valibot';
import type { Ref } from '../config.ts';
import { EnvironmentError } from '../errors.ts';
import type { Secrets } from '../runtime.ts';
import { type AwsClient, AwsError, jsonCall } from './client.ts';

/** Milliseconds for which a value that was read is used again. */
const lifetime = 5 * 60_000;
/** Milliseconds for which a value counts as fresh, and for which a failure is not tried again. */
const freshness = 10_000;

interface Known {
  readonly value: Promise<string>;
  /** Milliseconds since the epoch. */
  readonly readAt: number;
  failed: boolean;
}

const parameter = v.object({ Parameter: v.object({ Value: v.string() }) });
const secret = v.object({ SecretString: v.string() });

/** Secrets behind `ssm:/path` and `secretsmanager:name`; `now` is the time in milliseconds since the epoch. */
export class AwsSecrets implements Secrets {
  readonly #client: AwsClient;
  readonly #now: () => number;
  readonly #known = new Map<Ref, Known>();

  constructor(client: AwsClient, now: () => number) {
    this.#client = client;
    this.#now = now;
  }

  /**
   * The value, not empty. Throws EnvironmentError `secret_missing`, `secret_refused` (this function may not read it) and
   * `secret_unsupported`, each with the Ref and nothing else; AwsError where AWS does not answer.
   */
  get(ref: Ref, options: { readonly fresh?: boolean } = {}): Promise<string> {
    const now = this.#now();
    const known = this.#known.get(ref);
    const limit = options.fresh || known?.failed ? freshness : lifetime;
    if (known !== undefined && now - known.readAt < limit) return known.value;
    const entry: Known = { value: this.#read(ref), readAt: now, failed: false };
    this.#known.set(ref, entry);
    entry.value.catch((error) => {
      entry.failed = true;
      // AWS not answering says nothing about the value: whoever forces fresh reads shall not shut out the others.
      const isGood = known !== undefined && !known.failed && now - known.readAt < lifetime;
      if (isGood && error instanceof AwsError && this.#known.get(ref) === entry) this.#known.set(ref, known);
    });
    return entry.value;
  }

  async #read(ref: Ref): Promise<string> {
    try {
      const value = await this.#valueOf(ref);
      if (value !== '') return value;
    } catch (error) {
      throw error instanceof AwsError ? faultOf(ref, error) : error;
    }
    throw missing(ref);
  }

  async #valueOf(ref: Ref): Promise<string> {
    const name = ref.slice(ref.indexOf(':') + 1);
    if (ref.startsWith('ssm:')) {
      const input = { Name: name, WithDecryption: true };
      const answer = v.safeParse(parameter, await this.#client(jsonCall('ssm', 'GetParameter', input, 'harmless')));
      return answer.success ? answer.output.Parameter.Value : '';
    }
    if (ref.startsWith('env:')) {
      throw new EnvironmentError(
        'secret_unsupported',
        `${ref}: secrets of a function are kept in ssm: or secretsmanager:`,
      );
    }
    const call = jsonCall('secretsmanager', 'GetSecretValue', { SecretId: name }, 'harmless');
    const answer = v.safeParse(secret, await this.#client(call));
    return answer.success ? answer.output.SecretString : '';
  }
}

const absent = new Set(['ParameterNotFound', 'ResourceNotFoundException']);

function faultOf(ref: Ref, error: AwsError): Error {
  if (absent.has(error.type)) return missing(ref);
  if (error.code !== 'aws_refused') return error;
  return new EnvironmentError('secret_refused', `${ref} may not be read, or not like this (${error.type})`);
}

function missing(ref: Ref): EnvironmentError {
  return new EnvironmentError('secret_missing', `there is no secret ${ref}, or it is empty or no text`);
}

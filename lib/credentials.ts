// The access key of a project out of a secret: three variables of the environment behind a prefix, or one secret on AWS
// that holds all of it, so that a key is exchanged as a whole.

import * as v from 'valibot';
import type { Project, Ref } from './config.ts';
import { EnvironmentError } from './errors.ts';
import type { Secrets } from './runtime.ts';

/** An access key of Huawei Cloud; `securityToken` belongs to temporary ones. */
export interface AccessKey {
  readonly ak: string;
  readonly sk: string;
  readonly securityToken?: string;
}

interface Options {
  readonly fresh?: boolean;
}

const keySchema = v.object({
  ak: v.pipe(v.string(), v.nonEmpty()),
  sk: v.pipe(v.string(), v.nonEmpty()),
  securityToken: v.exactOptional(v.pipe(v.string(), v.nonEmpty())),
});

/** The name of a project's access key. Throws EnvironmentError `not_supported_yet` for a project with a user of IAM. */
export function accessKeyRef({ credentials }: Pick<Project, 'credentials'>): Ref {
  if ('aksk' in credentials) return credentials.aksk;
  throw new EnvironmentError('not_supported_yet', 'credentials of IAM are not supported yet');
}

/**
 * The access key behind a Ref. `env:HUAWEICLOUD_SDK` is a prefix: `<PREFIX>_AK`, `<PREFIX>_SK` and, where it is set,
 * `<PREFIX>_SECURITY_TOKEN`; any other secret is JSON `{ak, sk, securityToken?}`. Throws EnvironmentError
 * `secret_missing` like `Secrets.get`, `secret_malformed` that names the Ref and nothing of the value.
 */
export async function credentialsOf(secrets: Secrets, ref: Ref, options: Options = {}): Promise<AccessKey> {
  if (ref.startsWith('env:')) return prefixed(secrets, ref.slice('env:'.length), options);
  const key = v.safeParse(keySchema, jsonOf(await secrets.get(ref, options)));
  if (key.success) return key.output;
  throw new EnvironmentError('secret_malformed', `the secret behind ${ref} must be JSON {"ak": …, "sk": …}`);
}

async function prefixed(secrets: Secrets, prefix: string, options: Options): Promise<AccessKey> {
  const ak = await secrets.get(`env:${prefix}_AK`, options);
  const sk = await secrets.get(`env:${prefix}_SK`, options);
  const securityToken = await optional(secrets, `env:${prefix}_SECURITY_TOKEN`, options);
  return securityToken === undefined ? { ak, sk } : { ak, sk, securityToken };
}

async function optional(secrets: Secrets, ref: Ref, options: Options): Promise<string | undefined> {
  try {
    return await secrets.get(ref, options);
  } catch (error) {
    if (error instanceof EnvironmentError && error.code === 'secret_missing') return undefined;
    throw error;
  }
}

/** The value of a JSON text, undefined where it is none: a fault of JSON.parse would quote the secret. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

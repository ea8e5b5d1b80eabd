// What a project's secret says about in whose name its calls are made: an access key, or a user of IAM; and in either case
// an agency whose temporary key is then used instead. One secret holds all of it, so that it is exchanged as a whole.

import * as v from 'valibot';
import type { Credentials, Ref } from './config.ts';
import { EnvironmentError } from './errors.ts';
import type { Secrets } from './runtime.ts';

const text = v.pipe(v.string(), v.nonEmpty());

const agencySchema = v.pipe(
  v.object({
    name: text,
    domainId: v.exactOptional(text),
    domainName: v.exactOptional(text),
    durationSeconds: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(900), v.maxValue(86_400))),
  }),
  v.check(({ domainId, domainName }) => (domainId === undefined) !== (domainName === undefined)),
);

/** An agency of another account, which is named by its id or by its name. Its key lasts an hour where nothing else is said. */
export type Agency = v.InferOutput<typeof agencySchema>;

const keySchema = v.object({
  ak: text,
  sk: text,
  securityToken: v.exactOptional(text),
  domainId: v.exactOptional(text),
  agency: v.exactOptional(agencySchema),
});

/** An access key; `securityToken` belongs to temporary ones, `domainId` is the account's id, as IAM may want to know it. */
export type AccessKey = v.InferOutput<typeof keySchema>;

const loginSchema = v.object({ domain: text, user: text, password: text, agency: v.exactOptional(agencySchema) });

/** A user of IAM with a password; `domain` is the name of the account. */
export type Login = v.InferOutput<typeof loginSchema>;

interface Options {
  readonly fresh?: boolean;
}

/**
 * The secret of a project. `{aksk: env:HUAWEICLOUD_SDK}` is a prefix: `<PREFIX>_AK`, `<PREFIX>_SK` and, where they are set,
 * `<PREFIX>_SECURITY_TOKEN`, `<PREFIX>_DOMAIN_ID` and `<PREFIX>_AGENCY` (JSON); every other secret is JSON, `{ak, sk,
 * securityToken?, domainId?, agency?}` or, with `iam`, `{domain, user, password, agency?}`. Throws EnvironmentError
 * `secret_missing` like `Secrets.get`, `secret_malformed` that names the Ref and nothing of the value.
 */
export async function credentialsOf(
  secrets: Secrets,
  from: Credentials,
  options: Options = {},
): Promise<AccessKey | Login> {
  if ('iam' in from) return read(loginSchema, await secrets.get(from.iam, options), from.iam, loginForm);
  const ref = from.aksk;
  if (ref.startsWith('env:')) return prefixed(secrets, ref.slice('env:'.length), options);
  return read(keySchema, await secrets.get(ref, options), ref, keyForm);
}

const keyForm = '{"ak": …, "sk": …}';
const loginForm = '{"domain": …, "user": …, "password": …}';
const agencyForm = '{"name": …, "domainName": …}';

async function prefixed(secrets: Secrets, prefix: string, options: Options): Promise<AccessKey> {
  const ak = await secrets.get(`env:${prefix}_AK`, options);
  const sk = await secrets.get(`env:${prefix}_SK`, options);
  const securityToken = await optional(secrets, `env:${prefix}_SECURITY_TOKEN`, options);
  const domainId = await optional(secrets, `env:${prefix}_DOMAIN_ID`, options);
  const agency = await optional(secrets, `env:${prefix}_AGENCY`, options);
  return {
    ak,
    sk,
    ...(securityToken !== undefined && { securityToken }),
    ...(domainId !== undefined && { domainId }),
    ...(agency !== undefined && { agency: read(agencySchema, agency, `env:${prefix}_AGENCY`, agencyForm) }),
  };
}

async function optional(secrets: Secrets, ref: Ref, options: Options): Promise<string | undefined> {
  try {
    return await secrets.get(ref, options);
  } catch (error) {
    if (error instanceof EnvironmentError && error.code === 'secret_missing') return undefined;
    throw error;
  }
}

function read<T>(schema: v.GenericSchema<unknown, T>, value: string, ref: Ref, form: string): T {
  const parsed = v.safeParse(schema, jsonOf(value));
  if (parsed.success) return parsed.output;
  throw new EnvironmentError('secret_malformed', `the secret behind ${ref} must be JSON ${form}`);
}

/** The value of a JSON text, undefined where it is none: a fault of JSON.parse would quote the secret. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

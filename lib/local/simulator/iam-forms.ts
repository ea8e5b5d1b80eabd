// The bodies that IAM takes, read into what they ask for. Source: OTC API reference of IAM, obtaining a user token, an
// agency token, a temporary access key.

import * as v from 'valibot';

/** What a token is asked for with: a user's password, or an agency. */
export interface TokenRequest {
  readonly user?: { readonly name: string; readonly password: string; readonly domain: string };
  /** `domain`: name or id of the account that made it. */
  readonly agency?: { readonly name: string; readonly domain: string };
  /** The project it shall be good for, by id or else by name; absent: none. */
  readonly project?: { readonly id?: string | undefined; readonly name?: string | undefined };
}

/** What a temporary key is asked for with; without an agency it stands for the token in the request. */
export interface KeyRequest {
  readonly agency?: NonNullable<TokenRequest['agency']>;
  /** The token in the body, which stands for the one in the header. */
  readonly token?: string;
  /** How long it shall last. */
  readonly seconds: number;
}

const text = v.pipe(v.string(), v.nonEmpty());
const passwordForm = v.object({
  methods: v.tuple([v.literal('password')]),
  password: v.object({ user: v.object({ name: text, password: text, domain: v.object({ name: text }) }) }),
});
const duration = v.optional(v.pipe(v.union([v.number(), v.pipe(v.string(), v.transform(Number))]), v.integer()), 900);
// The parameter table calls it agency_name, the sample beside it xrole_name.
const roleForm = v.object({
  agency_name: v.optional(text),
  xrole_name: v.optional(text),
  domain_id: v.optional(text),
  domain_name: v.optional(text),
  duration_seconds: duration,
});
const agencyForm = v.object({ methods: v.tuple([v.literal('assume_role')]), assume_role: roleForm });
const byTokenForm = v.object({
  methods: v.tuple([v.literal('token')]),
  token: v.optional(v.object({ id: v.optional(text), duration_seconds: duration }), { duration_seconds: 900 }),
});
const scopeForm = v.optional(
  v.object({ project: v.optional(v.object({ id: v.optional(text), name: v.optional(text) })) }),
  {},
);
const tokenForm = v.object({
  auth: v.object({ identity: v.union([passwordForm, agencyForm]), scope: scopeForm }),
});
const keyForm = v.object({ auth: v.object({ identity: v.union([agencyForm, byTokenForm]) }) });

/** How long a temporary key may last: seconds, both included. */
const shortest = 900;
const longest = 86_400;

/** The body of POST /v3/auth/tokens; null: not of its form. */
export function readTokenRequest(body: unknown): TokenRequest | null {
  const form = v.safeParse(tokenForm, body);
  if (!form.success) return null;
  const { identity, scope } = form.output.auth;
  const project = scope.project === undefined ? {} : { project: scope.project };
  if ('password' in identity) {
    const { name, password, domain } = identity.password.user;
    return { user: { name, password, domain: domain.name }, ...project };
  }
  const agency = agencyOf(identity.assume_role);
  return agency === null ? null : { agency, ...project };
}

/** The body of POST /v3.0/OS-CREDENTIAL/securitytokens; null: not of its form. */
export function readKeyRequest(body: unknown): KeyRequest | null {
  const form = v.safeParse(keyForm, body);
  if (!form.success) return null;
  const { identity } = form.output.auth;
  const { duration_seconds: seconds } = 'assume_role' in identity ? identity.assume_role : identity.token;
  if (seconds < shortest || seconds > longest) return null;
  if (!('assume_role' in identity)) {
    return identity.token.id === undefined ? { seconds } : { seconds, token: identity.token.id };
  }
  const agency = agencyOf(identity.assume_role);
  return agency === null ? null : { agency, seconds };
}

function agencyOf(role: v.InferOutput<typeof roleForm>): NonNullable<TokenRequest['agency']> | null {
  const name = role.agency_name ?? role.xrole_name;
  const domain = role.domain_name ?? role.domain_id;
  return name === undefined || domain === undefined ? null : { name, domain };
}

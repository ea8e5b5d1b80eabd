// Each call of IAM that is used, as two pure functions: what to ask, and what the answer means. A problem here is told as
// what it means for the call of DCS that waits for it: that one was not sent, so nothing here is of class `unknown`.

import * as v from 'valibot';
import type { ErrorClass, Problem } from '../classify.ts';
import type { Agency, Login } from '../credentials.ts';
import type { Reading } from '../execute.ts';
import { parseJson } from './dcs-schema.ts';
import type { Exchange, Received } from './http.ts';
import { problemOf, type ReadContext, unreadable } from './problem.ts';
import type { Credentials, Query } from './sign.ts';

/** A call of IAM before it is addressed and authorised. An empty body is none. */
export interface IamCall {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly query: Query;
  readonly body: string;
}

/** What a token is for: a project by its id or else by its name, or the account itself. */
export type Scope = { readonly projectId: string } | { readonly projectName: string } | 'domain';

/** A token, the project it is for where it is for one, and the milliseconds for which it holds. */
export interface Token {
  readonly token: string;
  readonly projectId: string | null;
  readonly life: number;
}

/** A temporary key, and the milliseconds for which it holds. */
export interface TemporaryKey {
  readonly key: Credentials;
  readonly life: number;
}

const hour = 3_600_000;

/** Asks for a token. Source: "IAM API Reference", POST /v3/auth/tokens. */
export function tokenRequest({ domain, user, password }: Login, scope: Scope): IamCall {
  const identity = { methods: ['password'], password: { user: { name: user, password, domain: { name: domain } } } };
  const body = JSON.stringify({ auth: { identity, scope: scopeOf(scope, domain) } });
  // Without the catalogue of all endpoints, which is most of the answer.
  return { method: 'POST', path: '/v3/auth/tokens', query: { nocatalog: 'true' }, body };
}

function scopeOf(scope: Scope, domain: string): object {
  if (scope === 'domain') return { domain: { name: domain } };
  return { project: 'projectId' in scope ? { id: scope.projectId } : { name: scope.projectName } };
}

/** The token stands in a header. Where its end cannot be read it counts as lasting the 24 hours that are documented. */
export function readToken(exchange: Exchange, context: ReadContext): Reading<Token> {
  if (!isSuccess(exchange)) return refused(exchange, context);
  const token = exchange.subjectToken ?? '';
  if (token === '') return strange(exchange, 'X-Subject-Token', context);
  const parsed = v.safeParse(tokenSchema, parseJson(exchange.body));
  const body = parsed.success ? parsed.output.token : {};
  const life = lifeUntil(body.expires_at, exchange, context) ?? 24 * hour;
  return { ok: true, value: { token, projectId: body.project?.id ?? null, life } };
}

const tokenSchema = v.object({
  token: v.object({
    expires_at: v.optional(v.string()),
    project: v.optional(v.object({ id: v.string() })),
  }),
});

/** Asks for a temporary key of an agency. Source: "IAM API Reference", POST /v3.0/OS-CREDENTIAL/securitytokens. */
export function temporaryKeyRequest(agency: Agency): IamCall {
  const { name, domainId, domainName } = agency;
  const assumed = {
    agency_name: name,
    ...(domainId === undefined ? { domain_name: domainName } : { domain_id: domainId }),
    duration_seconds: secondsOf(agency),
  };
  const body = JSON.stringify({ auth: { identity: { methods: ['assume_role'], assume_role: assumed } } });
  return { method: 'POST', path: '/v3.0/OS-CREDENTIAL/securitytokens', query: {}, body };
}

/** Where its end cannot be read the key counts as lasting as long as was asked for. */
export function readTemporaryKey(exchange: Exchange, agency: Agency, context: ReadContext): Reading<TemporaryKey> {
  if (!isSuccess(exchange)) return refused(exchange, context);
  const parsed = v.safeParse(temporaryKeySchema, parseJson(exchange.body));
  if (!parsed.success) return strange(exchange, 'credential', context);
  const { access, secret, securitytoken, expires_at } = parsed.output.credential;
  const life = lifeUntil(expires_at, exchange, context) ?? secondsOf(agency) * 1000;
  return { ok: true, value: { key: { ak: access, sk: secret, securityToken: securitytoken }, life } };
}

const temporaryKeySchema = v.object({
  credential: v.object({
    access: v.string(),
    secret: v.string(),
    securitytoken: v.string(),
    expires_at: v.optional(v.string()),
  }),
});

function secondsOf({ durationSeconds = hour / 1000 }: Agency): number {
  return durationSeconds;
}

/** Asks for the projects of that name; the first project of a region bears the region's. */
export function projectRequest(name: string): IamCall {
  return { method: 'GET', path: '/v3/projects', query: { name }, body: '' };
}

/** The id of the one project of exactly that name. */
export function readProject(exchange: Exchange, name: string, context: ReadContext): Reading<string> {
  if (!isSuccess(exchange)) return refused(exchange, context);
  const parsed = v.safeParse(projectsSchema, parseJson(exchange.body));
  if (!parsed.success) return strange(exchange, 'projects', context);
  const [project, another] = parsed.output.projects.filter((each) => each.name === name);
  if (project !== undefined && another === undefined) return { ok: true, value: project.id };
  const found = project === undefined ? 'no project' : 'several projects';
  const message = `IAM: there is ${found} called ${name} for these credentials; write projectId.`;
  return { ok: false, problem: { ...unreadable(exchange, 'project_unknown', message, context), class: 'config' } };
}

const projectsSchema = v.object({
  projects: v.array(v.object({ id: v.pipe(v.string(), v.nonEmpty()), name: v.string() })),
});

function isSuccess(exchange: Exchange): exchange is Received {
  return exchange.kind === 'received' && exchange.status >= 200 && exchange.status < 300;
}

function refused(exchange: Exchange, context: ReadContext): { readonly ok: false; readonly problem: Problem } {
  const problem = problemOf(exchange, context);
  // The older form of IAM's errors has the HTTP status where the code should be.
  const code = /^\d+$/.test(problem.code) ? `http_${problem.code}` : problem.code;
  return { ok: false, problem: { ...problem, class: classOf(problem), code, message: `IAM: ${problem.message}` } };
}

/** IAM does nothing that could be done twice: what may have been done there only means that there is no token yet. */
function classOf({ class: errorClass }: Problem): ErrorClass {
  if (errorClass === 'unknown') return 'unreachable';
  return errorClass === 'busy' || errorClass === 'final' || errorClass === 'split' ? 'config' : errorClass;
}

function strange(received: Received, what: string, context: ReadContext): Reading<never> {
  const message = `IAM: the answer cannot be read at ${what}.`;
  return { ok: false, problem: { ...unreadable(received, 'answer_unreadable', message, context), class: 'config' } };
}

/** Milliseconds until then, by IAM's own clock where it tells it: ours may be wrong. */
function lifeUntil(text: string | undefined, { date }: Received, { now }: ReadContext): number | undefined {
  const life = Date.parse(text ?? '') - dateOr(date, now);
  return life > 0 ? life : undefined;
}

function dateOr(header: string | null, now: number): number {
  const date = Date.parse(header ?? '');
  return Number.isNaN(date) ? now : date;
}

// The calls of IAM: a token, a temporary key, the projects.

import type { Json } from '../../../canonical.ts';
import type { Named, SimulatorKey, Token } from '../iam.ts';
import { readKeyRequest, readTokenRequest } from '../iam-forms.ts';
import { mapReply, type Reply, type Result } from '../reply.ts';
import { wireError } from '../wire-errors.ts';
import { isError, type Rendered, type Route, type RoutedCall, readJson, rendered } from './route.ts';

/** From the root. Their callers are asked for by the handlers: a password needs no other proof. */
export const iamRoutes: readonly Route[] = [
  { method: 'POST', path: '/v3/auth/tokens', needs: 'nothing', handle: createToken },
  {
    method: 'POST',
    path: '/v3/OS-FEDERATION/identity_providers/{}/protocols/oidc/auth',
    needs: 'nothing',
    handle: createFederatedToken,
  },
  { method: 'POST', path: '/v3.0/OS-CREDENTIAL/securitytokens', needs: 'nothing', handle: createKey },
  { method: 'GET', path: '/v3/projects', needs: 'read', handle: listProjects },
];

const malformed: Result<never> = { kind: 'error', error: wireError('IAM.0011') };

function createToken({ fleet, iam, caller, body, query }: RoutedCall): Reply<Rendered> {
  const read = readJson(body);
  const request = isError(read) ? null : readTokenRequest(read.json);
  const reply = fleet.call('token', [], () => (request === null ? malformed : iam.createToken(request, caller)));
  return tokenReply(reply, iam.options.domain, query.has('nocatalog'));
}

/** For the SDK's federated credentials; its source is where this call is read from. */
function createFederatedToken({ fleet, iam, ids: [provider], headers }: RoutedCall): Reply<Rendered> {
  const idToken = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
  const reply = fleet.call('token', [], () => iam.createFederatedToken(provider, idToken));
  return tokenReply(reply, iam.options.domain, true);
}

function tokenReply(reply: Reply<Token>, domain: Named, isShort: boolean): Reply<Rendered> {
  return mapReply(reply, (token) => ({
    status: 201,
    headers: { 'X-Subject-Token': token.text },
    body: { token: tokenBody(token, domain, isShort) },
  }));
}

function createKey({ fleet, iam, caller, body }: RoutedCall): Reply<Rendered> {
  const read = readJson(body);
  const request = isError(read) ? null : readKeyRequest(read.json);
  const reply = fleet.call('temporaryKey', [], () => {
    if (request === null) return malformed;
    const who = request.token === undefined ? caller : (iam.token(request.token)?.caller ?? null);
    return who === null ? { kind: 'error', error: wireError('IAM.0001') } : iam.createKey(request, who);
  });
  return mapReply(reply, (key) => ({ status: 201, body: { credential: keyBody(key) } }));
}

function listProjects({ fleet, iam, query }: RoutedCall): Reply<Rendered> {
  const reply = fleet.call('projects', [], () => ({ kind: 'ok', value: iam.projects(query.get('name')) }));
  return rendered(reply, (projects) => ({
    projects: projects.map((project) => projectBody(project, iam.options.domain)),
    links: { self: '/v3/projects', previous: null, next: null },
  }));
}

function tokenBody({ caller, project, method, issuedAt, expiresAt }: Token, domain: Named, isShort: boolean): Json {
  const owner = { id: domain.id, name: domain.name };
  const scope =
    project === null ? { domain: owner } : { project: { id: project.id, name: project.name, domain: owner } };
  return {
    expires_at: microTime(expiresAt),
    issued_at: microTime(issuedAt),
    methods: [method],
    user: { id: domain.id, name: caller.name, domain: owner, password_expires_at: '' },
    roles: [{ id: '0', name: caller.rights === 'all' ? 'te_admin' : 'readonly' }],
    ...scope,
    ...(isShort ? {} : { catalog: [] }),
  };
}

function keyBody({ ak, sk, securityToken, expiresAt }: Required<SimulatorKey>): Json {
  return { access: ak, secret: sk, securitytoken: securityToken, expires_at: microTime(expiresAt) };
}

function projectBody({ id, name }: Named, domain: Named): Json {
  return {
    id,
    name,
    domain_id: domain.id,
    parent_id: domain.id,
    is_domain: false,
    enabled: true,
    description: '',
    links: { self: `/v3/projects/${id}` },
  };
}

/** IAM writes six digits of a second. */
function microTime(at: number): string {
  return new Date(at).toISOString().replace('Z', '000Z');
}

// From a project's secret to a grant: nothing to ask for where the secret is a key and the project's id is known; else a
// token of IAM, the temporary key of an agency, or the id of the project, each by one call.

import { hashOf } from '../canonical.ts';
import type { Project } from '../config.ts';
import type { AccessKey, Agency, Login } from '../credentials.ts';
import { type Grant, keyGrant, tokenGrant } from './grant.ts';
import { type Exchange, type Failed, isFailed, type Send } from './http.ts';
import * as calls from './iam-calls.ts';
import type { KeyGate } from './key-gate.ts';
import { masker, type ReadContext, verdictOf } from './problem.ts';
import { encodePath, encodeQuery } from './sign.ts';

/** What a secret was turned into. `life`: milliseconds for which it holds; null: until it is refused. */
export interface Obtained {
  readonly grant: Grant;
  readonly life: number | null;
}

/** What is needed of the world. */
export interface IamOptions {
  readonly project: Pick<Project, 'region' | 'projectId' | 'credentials'>;
  readonly send: Send;
  /** What keeps a wrong key or password from being locked. */
  readonly gate?: KeyGate;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** IAM as one project's secret sees it. Never throws for anything that a service or network can do. */
export class Iam {
  readonly #options: IamOptions;

  constructor(options: IamOptions) {
    this.#options = options;
  }

  /** A grant out of a secret; `projectId` where the same secret has led to it before. */
  async obtain(secret: AccessKey | Login, projectId?: string): Promise<Obtained | Failed> {
    const own = 'ak' in secret ? byKey(secret, projectId ?? '') : await this.#logIn(secret);
    if (isFailed(own)) return own;
    const acting = secret.agency === undefined ? own : await this.#assume(secret.agency, own.grant, domainIdOf(secret));
    if (isFailed(acting)) return acting;
    const known = this.#options.project.projectId ?? (acting.grant.projectId || projectId);
    if (known !== undefined) return { ...acting, grant: { ...acting.grant, projectId: known } };
    const found = await this.#findProject(acting.grant, secret.agency?.domainId ?? domainIdOf(secret));
    return typeof found === 'string' ? { ...acting, grant: { ...acting.grant, projectId: found } } : found;
  }

  async #logIn(login: Login): Promise<Obtained | Failed> {
    const { projectId, region } = this.#options.project;
    const inProject = projectId === undefined ? { projectName: region } : { projectId };
    const scope = login.agency === undefined ? inProject : 'domain';
    const context = (): ReadContext => this.#context([login.password], false);
    const exchange = await this.#pass(triedAs(login), context, () =>
      this.#send(calls.tokenRequest(login, scope), null),
    );
    const token = calls.readToken(exchange, context());
    if (!token.ok) return { kind: 'failed', problem: token.problem };
    const grant = tokenGrant(token.value.projectId ?? '', token.value.token);
    return isFailed(grant) ? grant : { grant, life: token.value.life };
  }

  async #assume(agency: Agency, by: Grant, domainId: string | undefined): Promise<Obtained | Failed> {
    const exchange = await this.#ask(calls.temporaryKeyRequest(agency), by, domainId);
    const read = calls.readTemporaryKey(exchange, agency, this.#context(by.secrets, by.isSigned));
    if (!read.ok) return { kind: 'failed', problem: read.problem };
    const grant = keyGrant('', read.value.key);
    return isFailed(grant) ? grant : { grant, life: read.value.life };
  }

  async #findProject(by: Grant, domainId: string | undefined): Promise<string | Failed> {
    const { region } = this.#options.project;
    const exchange = await this.#ask(calls.projectRequest(region), by, domainId);
    const read = calls.readProject(exchange, region, this.#context(by.secrets, by.isSigned));
    return read.ok ? read.value : { kind: 'failed', problem: read.problem };
  }

  #ask(call: calls.IamCall, by: Grant, domainId: string | undefined): Promise<Exchange> {
    const send = (): Promise<Exchange> => this.#send(call, by, domainId);
    return by.isSigned ? this.#pass(by.secrets, () => this.#context(by.secrets, true), send) : send();
  }

  /** IAM locks an account for wrong passwords as the gateway does a key for wrong signatures. */
  #pass(secrets: readonly string[], context: () => ReadContext, send: () => Promise<Exchange>): Promise<Exchange> {
    const { gate } = this.#options;
    if (gate === undefined) return send();
    return gate.pass({ secrets }, { send, verdictOf: (exchange) => verdictOf(exchange, context()) });
  }

  #send(call: calls.IamCall, by: Grant | null, domainId?: string): Promise<Exchange> {
    const { project, now, send } = this.#options;
    const query = encodeQuery(call.query);
    const url = `${iamEndpointOf(project)}${encodePath(call.path)}${query === '' ? '' : `?${query}`}`;
    const host = { host: new URL(url).host, 'content-type': 'application/json' };
    const own = domainId === undefined ? host : { ...host, 'X-Domain-Id': domainId };
    const at = now();
    const headers = by === null ? own : by.headersFor({ ...call, headers: own }, new Date(at));
    return send({ ...call, url, headers: { ...headers, 'User-Agent': 'dcs-autopilot' } }, at);
  }

  #context(secrets: readonly string[], isSigned: boolean): ReadContext {
    return { now: this.#options.now(), mask: masker(secrets), isSigned };
  }
}

/** Where a project's tokens come from. Source: Huawei Cloud, "Regions and Endpoints". */
function iamEndpointOf({ region, credentials }: IamOptions['project']): string {
  return credentials.iamEndpoint ?? `https://iam.${region}.myhuaweicloud.com`;
}

function byKey(key: AccessKey, projectId: string): Obtained | Failed {
  const grant = keyGrant(projectId, key);
  return isFailed(grant) ? grant : { grant, life: null };
}

/**
 * By what a login is known to the other processes. Of the password only 8 bits of a hash, since one that people made up
 * could be guessed from more; that is enough to try a corrected one at once, but for one time in 256.
 */
function triedAs({ domain, user, password }: Login): readonly string[] {
  return [domain, user, hashOf([domain, user, password]).slice(0, 2)];
}

function domainIdOf(secret: AccessKey | Login): string | undefined {
  return 'ak' in secret ? secret.domainId : undefined;
}

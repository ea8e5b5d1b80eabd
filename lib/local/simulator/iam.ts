// The part of IAM that a client of DCS needs: tokens for a password or an agency, temporary keys, the project of a region.
// It keeps what it gave out, so that the gate (gate.ts) knows it again, and lets it expire.

import { hexId } from './chance.ts';
import type { KeyRequest, TokenRequest } from './iam-forms.ts';
import { Lockout } from './lockout.ts';
import type { Result } from './reply.ts';
import { type WireCode, wireError } from './wire-errors.ts';

/** What somebody may do: `read` calls alone get DCS.3002 for what changes something, `none` gets DCS.2003 for all. */
export type Rights = 'all' | 'read' | 'none';

/** Somebody with a password. */
export interface IamUser {
  readonly name: string;
  readonly password: string;
  /** Default `all`. */
  readonly rights?: Rights;
  readonly disabled?: boolean;
}

/** An agency that others may act through. */
export interface IamAgency {
  readonly name: string;
  /** Default `all`. */
  readonly rights?: Rights;
}

/** Somebody whom an identity provider vouches for, by a token of its own. */
export interface IamIdentity {
  readonly name: string;
  /** As the account calls it. */
  readonly provider: string;
  readonly idToken: string;
  /** Default `all`. */
  readonly rights?: Rights;
}

/** A name with its id. */
export interface Named {
  readonly id: string;
  readonly name: string;
}

/** What IAM knows. */
export interface IamOptions {
  readonly domain: Named;
  /** Named by their regions. */
  readonly projects: readonly Named[];
  readonly users: readonly IamUser[];
  readonly agencies: readonly IamAgency[];
  readonly identities: readonly IamIdentity[];
  /** Seconds; default 24 hours. */
  readonly tokenLifetime: number;
}

/** Who a token or a key stands for. */
export interface Caller {
  readonly name: string;
  readonly rights: Rights;
  /** The projects it is good for, by id: a key for all, a token for the one it was asked for, or for none. */
  readonly projects: 'all' | readonly string[];
}

/** A key that the simulator knows; with a `securityToken` it is a temporary one. */
export interface SimulatorKey {
  readonly ak: string;
  readonly sk: string;
  readonly securityToken?: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number;
  /** Default `all`. */
  readonly rights?: Rights;
}

/** A token that was given out. Times in milliseconds since the epoch. */
export interface Token {
  readonly text: string;
  readonly caller: Caller;
  readonly project: Named | null;
  readonly method: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** The vendor's default for logging in: this many wrong passwords in a row lock the account for so many milliseconds. */
const maxWrong = 5;
const lockTime = 15 * 60_000;

/** The users, projects and agencies of an account, and what was given out to them. */
export class Iam {
  readonly options: IamOptions;
  readonly #now: () => number;
  readonly #keys: SimulatorKey[];
  readonly #tokens = new Map<string, Token>();
  readonly #lockout: Lockout;
  #issued = 0;

  constructor(options: IamOptions, keys: readonly SimulatorKey[], now: () => number) {
    this.options = options;
    this.#keys = [...keys];
    this.#now = now;
    this.#lockout = new Lockout({ failures: maxWrong, time: lockTime, now });
  }

  /** The key with this access key id. */
  key(ak: string): SimulatorKey | undefined {
    return this.#keys.find((known) => known.ak === ak);
  }

  /** The token with this text, expired or not. */
  token(text: string): Token | undefined {
    return this.#tokens.get(text);
  }

  /** Takes back all tokens, as a changed password does. */
  revokeTokens(): void {
    this.#tokens.clear();
  }

  /** A token for a password; or, for who has one already, for an agency. */
  createToken(request: TokenRequest, caller: Caller | null): Result<Token> {
    const who = request.agency === undefined ? this.#login(request) : this.#assume(request.agency, caller);
    if (typeof who === 'string') return refuse(who);
    const project = this.#projectOf(request.project);
    if (project === undefined) return refuse('IAM.0004', `project: ${request.project?.name ?? request.project?.id}`);
    const method = request.agency === undefined ? 'password' : 'assume_role';
    return this.#issue(who, project, method);
  }

  /** A token, of no project yet, for the token of an identity provider. */
  createFederatedToken(provider: string, idToken: string): Result<Token> {
    const found = this.options.identities.find((each) => each.provider === provider && each.idToken === idToken);
    return found === undefined ? refuse('IAM.0001') : this.#issue(callerOf(found), null, 'mapped');
  }

  /** A temporary key: for an agency, or for whoever asks with a token. */
  createKey(request: KeyRequest, caller: Caller): Result<Required<SimulatorKey>> {
    const who = request.agency === undefined ? caller : this.#assume(request.agency, caller);
    if (typeof who === 'string') return refuse(who);
    const key = {
      ak: `SIMULATED${this.#random('ak').slice(0, 11).toUpperCase()}`,
      sk: this.#random('sk').repeat(2).slice(0, 40),
      securityToken: `simulated-${this.#random('security-token').repeat(8)}`,
      expiresAt: this.#now() + request.seconds * 1_000,
      rights: who.rights,
    };
    this.#keys.push(key);
    return { kind: 'ok', value: key };
  }

  /** The projects, or those with this name. */
  projects(name: string | null): readonly Named[] {
    return this.options.projects.filter((project) => name === null || project.name === name);
  }

  #issue(who: Caller, project: Named | null, method: string): Result<Token> {
    const text = `MIIsimulated${this.#random('token').repeat(4)}`;
    const issuedAt = this.#now();
    const expiresAt = issuedAt + this.options.tokenLifetime * 1_000;
    const caller = { ...who, projects: project === null ? [] : [project.id] };
    const token = { text, caller, project, method, issuedAt, expiresAt };
    this.#tokens.set(text, token);
    return { kind: 'ok', value: token };
  }

  #login({ user }: TokenRequest): Caller | WireCode {
    const { users, domain } = this.options;
    const found = users.find(({ name }) => name === user?.name);
    if (user === undefined || found === undefined || user.domain !== domain.name) return 'IAM.0062';
    if (this.#lockout.isLocked(found.name)) return 'IAM.0061';
    this.#lockout.remember(found.name, found.password !== user.password);
    if (found.password !== user.password) return 'IAM.0062';
    return found.disabled === true ? 'IAM.0082' : callerOf(found);
  }

  #assume(agency: NonNullable<TokenRequest['agency']>, caller: Caller | null): Caller | WireCode {
    const { domain, agencies } = this.options;
    if (caller === null) return 'IAM.0001';
    if (caller.rights === 'none') return 'IAM.0002';
    if (agency.domain !== domain.name && agency.domain !== domain.id) return 'IAM.0004';
    const found = agencies.find(({ name }) => name === agency.name);
    return found === undefined ? 'IAM.0004' : callerOf(found);
  }

  /** null: the whole account; undefined: there is none of this id or name. */
  #projectOf(scope: TokenRequest['project']): Named | null | undefined {
    if (scope === undefined) return null;
    return this.options.projects.find(
      ({ id, name }) => id === scope.id || (scope.id === undefined && name === scope.name),
    );
  }

  #random(what: string): string {
    this.#issued += 1;
    return hexId(this.#issued, what, this.#now());
  }
}

function callerOf({ name, rights = 'all' }: IamUser | IamAgency | IamIdentity): Caller {
  return { name, rights, projects: [] };
}

function refuse(code: WireCode, detail = 'the requested resource'): Result<never> {
  return { kind: 'error', error: code === 'IAM.0004' ? wireError(code, detail) : wireError(code) };
}

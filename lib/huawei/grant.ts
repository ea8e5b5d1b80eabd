// In whose name calls of a project are made: a key that signs each request, or a token that stands in a header. Whoever
// sends calls asks for a grant and does not know which of the two it has, nor where it came from.

import { type Failed, failed } from './http.ts';
import { type Credentials, sign, type Unsigned } from './sign.ts';

/** What calls are made with until it is refused or replaced. The same grant is the same object. */
export interface Grant {
  /** Id of the project that the calls are for. */
  readonly projectId: string;
  /** What must never be shown, whatever a service repeats. */
  readonly secrets: readonly string[];
  /** Whether the service compares our clock with its own: it does for a signature, not for a token. */
  readonly isSigned: boolean;
  /** All headers of a request that is sent at `date`. */
  headersFor(request: Unsigned, date: Date): Readonly<Record<string, string>>;
}

/** Where the grants of one project come from. Never throws for anything that a service, network or secret can do. */
export interface Access {
  /**
   * The grant to call with, or why there is none. `refused` is one that a service did not accept: the answer is then
   * another one, or the same where there is no better.
   */
  grant(refused?: Grant): Promise<Grant | Failed>;
}

/** The grant of an access key: requests are signed with it. A Failed of class `config` where it cannot stand in a header. */
export function keyGrant(projectId: string, key: Credentials): Grant | Failed {
  const { ak, sk, securityToken } = key;
  const secrets = [ak, sk, ...(securityToken === undefined ? [] : [securityToken])];
  if (!secrets.every(canStandInHeader)) return malformedKey;
  return {
    projectId,
    secrets,
    isSigned: true,
    headersFor: (request, date) => sign(request, key, date).headers,
  };
}

/** The grant of a token. A Failed of class `config` where it cannot stand in a header. */
export function tokenGrant(projectId: string, token: string): Grant | Failed {
  if (!canStandInHeader(token)) return failed('config', 'credentials_malformed', 'The token holds what no header may.');
  return {
    projectId,
    secrets: [token],
    isSigned: false,
    headersFor: ({ headers }) => ({ ...headers, 'X-Auth-Token': token }),
  };
}

const malformedKey = failed(
  'config',
  'credentials_malformed',
  'The access key is empty or holds spaces or line breaks.',
);

/** A stray line break at the end of a secret is the usual reason why not. */
function canStandInHeader(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

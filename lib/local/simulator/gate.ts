// Who calls? By a signed request or a token, as the gateway finds it out, or by the codes that DCS has of its own; and
// whether that caller may do this in that project.

import type { Caller, Iam } from './iam.ts';
import { type ReceivedRequest, SignatureGate } from './signature.ts';
import type { Switches } from './unknowns.ts';
import { type WireCode, type WireError, wireError } from './wire-errors.ts';

/** The service that is called: IAM has codes of its own for bad tokens. */
export type Service = 'dcs' | 'iam';

/** What a gate needs. */
export interface GateOptions {
  readonly iam: Iam;
  readonly front: Switches['front'];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Checks who calls. */
export class Gate {
  readonly #options: GateOptions;
  readonly #signatures: SignatureGate;

  constructor(options: GateOptions) {
    const { iam, now } = options;
    this.#options = options;
    this.#signatures = new SignatureGate({ key: (ak) => iam.key(ak), now });
  }

  /** Who sent the request, or why nobody knows. */
  check(request: ReceivedRequest, service: Service): Caller | WireError {
    const { authorization, 'x-auth-token': token } = request.headers;
    if (authorization !== undefined || (token === undefined && this.#isSilent(service))) {
      return this.#signatures.check(request);
    }
    return this.#byToken([token ?? ''].flat().join(), service);
  }

  /** The holder of a token. */
  #byToken(text: string, service: Service): Caller | WireError {
    const { iam, front, now } = this.#options;
    const codes = service === 'iam' ? tokenCodes.iam : tokenCodes[front];
    if (text === '') return errorOf(codes.none);
    const token = iam.token(text);
    if (token === undefined) return errorOf(codes.unknown);
    return now() < token.expiresAt ? token.caller : errorOf(codes.expired);
  }

  /** Whether a request with nothing to show gets the gateway's words for a missing signature. */
  #isSilent(service: Service): boolean {
    return service === 'dcs' && this.#options.front === 'gateway';
  }
}

const tokenCodes: Readonly<
  Record<Switches['front'] | 'iam', Readonly<Record<'none' | 'unknown' | 'expired', WireCode>>>
> = {
  gateway: { none: 'APIGW.0301', unknown: 'APIGW.0301', expired: 'APIGW.0307' },
  service: { none: 'DCS.1003', unknown: 'DCS.1001', expired: 'DCS.1002' },
  iam: { none: 'IAM.0001', unknown: 'IAM.0063', expired: 'IAM.0066' },
};

function errorOf(code: WireCode): WireError {
  return code === 'APIGW.0301' ? wireError(code, 'decrypt token fail') : wireError(code);
}

/** Why the caller may not: the wrong project, or too few rights; null where nothing stands against it. */
export function mayNot(caller: Caller, needs: 'read' | 'write'): WireError | null {
  if (caller.rights === 'none') return wireError('DCS.2003');
  return needs === 'write' && caller.rights === 'read' ? wireError('DCS.3002') : null;
}

/** Why a request does not fit the project `own`: `named` is the one in its path. */
export function projectFault(own: string, named: string, caller: Caller, request: ReceivedRequest): WireError | null {
  if (named !== own && !/^[0-9a-f]{32}$/.test(named)) return wireError('DCS.4002');
  const inHeader = [request.headers['x-project-id'] ?? named].flat().join();
  const isItsOwn = caller.projects === 'all' || caller.projects.includes(named);
  return named === own && inHeader === named && isItsOwn ? null : wireError('DCS.1004');
}

// The simulator's gateway without a server, for tests of what it answers: one project, three users, a clock that is set.

import * as v from 'valibot';
import { Fleet, type FleetOptions } from '../../lib/local/simulator/fleet.ts';
import { Gateway } from '../../lib/local/simulator/gateway.ts';
import { Iam, type SimulatorKey } from '../../lib/local/simulator/iam.ts';
import type { InstanceSpec } from '../../lib/local/simulator/instance.ts';

export const projectId = '0a1b2c3d4e5f60718293a4b5c6d7e8f9';
export const otherProject = 'ffffffffffffffffffffffffffffffff';
export const key: SimulatorKey = { ak: 'EXAMPLEACCESSKEY0001', sk: 'ExampleSecretKey/0001+abcdefghijklmnopqrs' };
export const start = Date.parse('2026-11-23T12:00:00Z');
export const one = '00000000-0000-4000-8000-000000000001';
export const two = '00000000-0000-4000-8000-000000000002';
export const three = '00000000-0000-4000-8000-000000000003';

/** Everything takes the same time, so that moments can be named. */
export const timing = {
  lag: { min: 1_000, max: 1_000 },
  restart: { min: 10_000, max: 10_000 },
  soft_restart: { min: 5_000, max: 5_000 },
  flush: { min: 2_000, max: 2_000 },
  backupWait: { min: 2_000, max: 2_000 },
  backup: { min: 600_000, max: 600_000 },
  swap: { min: 5_000, max: 5_000 },
};

/** What an answer says. `json`: {} where it has none. */
export interface Said {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly json: Readonly<Record<string, unknown>>;
}

export interface Ask {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface GatewayWorld {
  readonly fleet: Fleet;
  readonly iam: Iam;
  /** Milliseconds since the start. */
  at(offset: number): void;
  /** From the root; without `token` it comes with one that may do everything in the project. */
  call(method: string, path: string, ask?: Ask): Said;
  /** Below `/v2/{project}`: the status, and the code where there is one. */
  code(method: string, path: string, ask?: Ask): string;
  /** A token for a user, by the route. */
  login(user: string, project?: string): string;
}

const answerForm = v.pipe(v.string(), v.parseJson(), v.looseObject({}));

/** A world of instances behind a gateway. */
export function gatewayWorld(
  specs: readonly Partial<InstanceSpec>[] = [{}, {}, {}],
  options: Partial<FleetOptions> = {},
): GatewayWorld {
  let now = start;
  const ids = [one, two, three];
  const instances = specs.map((spec, index) => ({ id: ids[index] ?? one, name: `stg-cache-0${index + 1}`, ...spec }));
  const fleet = new Fleet({ instances, now: () => now, timing, ...options });
  const iam = iamOf(() => now);
  const gateway = new Gateway({ fleet, iam, projectId, now: () => now });
  const call = (method: string, url: string, { token, headers = {}, body }: Ask = {}): Said => {
    const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
    const own = token === undefined ? headers : { ...headers, 'x-auth-token': token };
    const answer = gateway.answer({ method, url, headers: own, body: Buffer.from(text) });
    if (answer.kind === 'dropped') throw new Error('dropped');
    const parsed = v.safeParse(answerForm, answer.text);
    return { status: answer.status, headers: answer.headers, json: parsed.success ? parsed.output : {} };
  };
  const login = (user: string, project = projectId): string => {
    const said = call('POST', '/v3/auth/tokens', { body: loginBody(user, { id: project }) });
    return said.headers['X-Subject-Token'] ?? '';
  };
  let all: string | undefined;
  return {
    fleet,
    iam,
    login,
    at: (offset) => {
      now = start + offset;
    },
    call,
    code: (method, path, ask) => {
      all ??= login('all');
      return codeOf(call(method, `/v2/${projectId}${path}`, { token: all, ...ask }));
    },
  };
}

/** `400 DCS.4111`, or the status alone. */
export function codeOf({ status, json }: Said): string {
  return json['error_code'] === undefined ? String(status) : `${status} ${json['error_code']}`;
}

/** The body that asks for a token. */
export function loginBody(name: string, project?: object, password = 'Example-Password-1'): object {
  const user = { name, password, domain: { name: 'example-domain' } };
  const scope = project === undefined ? {} : { scope: { project } };
  return { auth: { identity: { methods: ['password'], password: { user } }, ...scope } };
}

function iamOf(now: () => number): Iam {
  const user = (name: string) => ({ name, password: 'Example-Password-1' });
  const users = [
    user('all'),
    { ...user('reader'), rights: 'read' },
    { ...user('nobody'), rights: 'none' },
    { ...user('left'), disabled: true },
  ] as const;
  const domain = { id: 'd0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0', name: 'example-domain' };
  const identities = [{ name: 'ci', provider: 'example-idp', idToken: 'example-id-token' }];
  const projects = [
    { id: projectId, name: 'eu-de' },
    { id: otherProject, name: 'eu-nl' },
  ];
  return new Iam(
    { domain, projects, users, agencies: [{ name: 'operations' }], identities, tokenLifetime: 86_400 },
    [key],
    now,
  );
}

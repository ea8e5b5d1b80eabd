// One client for each project as it was frozen into runs, so that all runs of a project share one rate, one access and one
// set of connections. Both composition roots hand it to the run.

import { type Project, projectKey, type Ref } from '../config.ts';
import { credentialsOf } from '../credentials.ts';
import { AutopilotError } from '../errors.ts';
import type { DcsApi } from '../execute.ts';
import type { Log, Secrets } from '../runtime.ts';
import type { State } from '../state.ts';
import { Connections, type ProxyVariables } from '../web/connections.ts';
import { ProjectAccess } from './access.ts';
import { SharedBucket } from './bucket.ts';
import { HuaweiDcs, type HuaweiDcsOptions } from './dcs.ts';
import { failed, type Send, sender } from './http.ts';
import { KeyGate } from './key-gate.ts';
import { Pace } from './pace.ts';

/** The world of all clients. */
export interface ClientsOptions extends Pick<HuaweiDcsOptions, 'now' | 'sleep'> {
  /** What is thrown by other than an AutopilotError counts as passing. */
  readonly secrets: Secrets;
  /** The environment's proxies; none where absent. */
  readonly proxies?: ProxyVariables | undefined;
  /** Where the clients of all processes share what they know of a project. */
  readonly state: State;
  readonly log: Pick<Log, 'warn'>;
  /** 0 to 1, at random. */
  readonly random: () => number;
}

/** Makes the client of a project at its first use. Throws EnvironmentError `proxy_invalid`. */
export function dcsClients(options: ClientsOptions): (project: Project) => DcsApi {
  const { secrets, proxies, now, sleep, random } = options;
  const connections = new Connections({ proxies });
  // However a project was frozen into runs, its calls are counted together.
  const paceOf = once(
    (pk) => new Pace({ bucket: new SharedBucket({ ...options, key: { pk, sk: 'rate' } }), now, sleep, random }),
  );
  const gateOf = once((pk) => new KeyGate({ ...options, pk }));
  const known = new Map<string, DcsApi>();
  return (project) => {
    const key = JSON.stringify(project);
    const dcs = known.get(key) ?? clientOf(project);
    known.set(key, dcs);
    return dcs;
  };

  function clientOf(project: Project): DcsApi {
    const { timeout, ca } = project;
    const send = ca === undefined ? sender({ timeout, connections }) : trusting(ca, { secrets, proxies, timeout });
    const credentials = (fresh: boolean) => credentialsOf(secrets, project.credentials, { fresh });
    const pk = `project#${projectKey(project)}`;
    const gate = gateOf(pk);
    const access = new ProjectAccess({ project, credentials, send, gate, now });
    return new HuaweiDcs({ project, access, send, pace: paceOf(pk), gate, now, sleep });
  }
}

/** A Send that trusts what is behind `ca`, too; where that is exchanged, new connections are made. */
function trusting(ca: Ref, options: Pick<ClientsOptions, 'secrets' | 'proxies'> & { readonly timeout: number }): Send {
  const { secrets, proxies, timeout } = options;
  let known: { readonly pem: string; readonly send: Send } | undefined;
  return async (outgoing, now, signal) => {
    try {
      const pem = await secrets.get(ca);
      if (known?.pem !== pem)
        known = { pem, send: sender({ timeout, connections: new Connections({ proxies, ca: pem }) }) };
    } catch (error) {
      if (error instanceof AutopilotError) return failed('config', error.code, error.message);
      return failed('unreachable', 'ca_unavailable', 'The certificates behind `ca` could not be read.');
    }
    return known.send(outgoing, now, signal);
  };
}

/** One thing for each key, made when it is first asked for. */
function once<T>(make: (key: string) => T): (key: string) => T {
  const made = new Map<string, T>();
  return (key) => {
    const thing = made.get(key) ?? make(key);
    made.set(key, thing);
    return thing;
  };
}

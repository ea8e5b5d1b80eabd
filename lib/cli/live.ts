// The composition root of the commands that read DCS without a server: the real clients, over a state that is gone with
// the process. Secrets come from the environment, as in the local runtime.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Project } from '../config.ts';
import type { DcsApi } from '../execute.ts';
import { dcsClients } from '../huawei/clients.ts';
import { memoryDatabase } from '../local/database.ts';
import { EnvSecrets } from '../local/secrets.ts';
import { SqliteState } from '../local/state-sqlite.ts';
import type { State } from '../state.ts';
import type { Io } from './io.ts';

/** The clients of projects, and the state that they share. */
export interface Live {
  readonly dcs: (project: Project) => DcsApi;
  readonly state: State;
}

/** Puts it together; nothing is called yet. */
export function live({ env, now, stderr }: Io): Live {
  const state = new SqliteState(memoryDatabase());
  const secrets = new EnvSecrets(env, now);
  const dcs = dcsClients({
    secrets,
    proxies: env,
    state,
    log: { warn: (message) => stderr(`${message}\n`) },
    random: Math.random,
    now,
    sleep: (milliseconds, signal) => sleep(milliseconds, undefined, signal === undefined ? {} : { signal }),
  });
  return { dcs, state };
}

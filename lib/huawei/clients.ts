// One client for each project as it was frozen into runs, so that all runs of a project share one rate and one set of
// connections. Both composition roots hand it to the run.

import type { Project } from '../config.ts';
import type { DcsApi } from '../execute.ts';
import { ProjectAccess } from './access.ts';
import { HuaweiDcs, type HuaweiDcsOptions } from './dcs.ts';
import type { Credentials } from './sign.ts';

/** The world of all clients. */
export interface ClientsOptions extends Pick<HuaweiDcsOptions, 'now' | 'sleep'> {
  /** The access key of a project; `fresh` bypasses any cache. */
  readonly credentials: (project: Project, fresh: boolean) => Promise<Credentials>;
}

/** Makes the client of a project at its first use. */
export function dcsClients({ credentials, now, sleep }: ClientsOptions): (project: Project) => DcsApi {
  const known = new Map<string, DcsApi>();
  return (project) => {
    const key = JSON.stringify(project);
    const dcs =
      known.get(key) ??
      new HuaweiDcs({
        project,
        access: new ProjectAccess({ project, credentials: (fresh) => credentials(project, fresh) }),
        now,
        sleep,
      });
    known.set(key, dcs);
    return dcs;
  };
}

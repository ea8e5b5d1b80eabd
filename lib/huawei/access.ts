// The access to one project out of its secret. A grant is used until the secret is another one; it is asked for afresh
// once after a service refused it.

import type { Project } from '../config.ts';
import { AutopilotError } from '../errors.ts';
import { type Access, type Grant, keyGrant } from './grant.ts';
import { type Failed, failed } from './http.ts';
import type { Credentials } from './sign.ts';

/** What the access to one project needs of the world. */
export interface ProjectAccessOptions {
  readonly project: Pick<Project, 'projectId'>;
  /** The project's access key; `fresh` bypasses any cache. What it throws becomes a problem: nothing is sent then. */
  readonly credentials: (fresh: boolean) => Promise<Credentials>;
}

interface Held {
  readonly credentials: Credentials;
  readonly grant: Grant;
}

/** The access by what is in the project's secret. */
export class ProjectAccess implements Access {
  readonly #options: ProjectAccessOptions;
  #held: Held | undefined;

  constructor(options: ProjectAccessOptions) {
    this.#options = options;
  }

  async grant(refused?: Grant): Promise<Grant | Failed> {
    const credentials = await this.#credentials(refused !== undefined);
    if ('kind' in credentials) return refused ?? credentials;
    if (this.#held !== undefined && isSame(this.#held.credentials, credentials)) return this.#held.grant;
    const { projectId } = this.#options.project;
    if (projectId === undefined) return failed('config', 'project_unknown', 'The id of the project is not known.');
    const grant = keyGrant(projectId, credentials);
    if ('kind' in grant) return grant;
    this.#held = { credentials, grant };
    return grant;
  }

  async #credentials(fresh: boolean): Promise<Credentials | Failed> {
    try {
      return await this.#options.credentials(fresh);
    } catch (error) {
      // Ours name what is missing and never a value; nobody knows what another error's text may hold.
      if (error instanceof AutopilotError) return failed('config', error.code, error.message);
      return failed('unreachable', 'credentials_unavailable', 'The credentials could not be read.');
    }
  }
}

function isSame(a: Credentials, b: Credentials): boolean {
  return a.ak === b.ak && a.sk === b.sk && a.securityToken === b.securityToken;
}

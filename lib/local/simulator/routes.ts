// The paths that the simulator knows, and finding the one of a request.

import { iamRoutes } from './routes/iam.ts';
import { instanceRoutes, oldInstanceRoutes } from './routes/instances.ts';
import { resourceRoutes } from './routes/resources.ts';
import type { Route } from './routes/route.ts';

/** The service behind a route. DCS's older version has a form of errors of its own. */
export type Service = 'dcs' | 'dcs-v1' | 'iam';

/** The route of a request, and what stands in its path. */
export interface Found {
  readonly service: Service;
  readonly route: Route;
  /** Empty where the route belongs to no project. */
  readonly project: string;
  readonly ids: readonly [string, string];
}

interface Known {
  readonly service: Service;
  readonly route: Route;
  readonly form: RegExp;
}

const table: readonly Known[] = [
  ...known('dcs', '/v2/{}', [...instanceRoutes, ...resourceRoutes]),
  ...known('dcs-v1', '/v1.0/{}', oldInstanceRoutes),
  ...known('iam', '', iamRoutes),
];

/** The route of a request; `method`: the path is known, but not with this method. */
export function findRoute(method: string, path: string): Found | 'path' | 'method' {
  const here = table.filter(({ form }) => form.test(path));
  // The first that fits, so that `status` is no id.
  const found = here.find(({ route }) => route.method === method);
  if (found === undefined) return here.length === 0 ? 'path' : 'method';
  const { service, route, form } = found;
  const parts = (form.exec(path) ?? []).slice(1).map(decoded);
  const [project = '', ...ids] = service === 'iam' ? ['', ...parts] : parts;
  return { service, route, project, ids: [ids[0] ?? '', ids[1] ?? ''] };
}

/** Whose form the error of an unknown path has. */
export function serviceOf(path: string): Service {
  return path.startsWith('/v1.0/') ? 'dcs-v1' : 'dcs';
}

function known(service: Service, prefix: string, routes: readonly Route[]): readonly Known[] {
  return routes.map((route) => ({ service, route, form: formOf(`${prefix}${route.path}`) }));
}

function formOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replaceAll('{}', '([^/]+)')}/?$`);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

// What the console answers to: one table of paths and methods. A path of another method is told which ones it has.

import { type HttpAnswer, type HttpRequest, methodNotAllowed, notFound } from '../http.ts';
import type { Runtime } from '../runtime.ts';
import { retryRun } from './again.ts';
import { showRun, showRuns, startRun } from './console.ts';
import { showJobs } from './jobs.ts';
import { pause, resume, showPauses } from './pausing.ts';
import { approveRun, cancelRun, rejectRun } from './steer.ts';

/** `name`: what the path names, such as a job or a run; empty where it names nothing. */
export type Handle = (runtime: Runtime, request: HttpRequest, name: string) => Promise<HttpAnswer>;

/** One thing to ask for. `path`: with at most one name in braces. */
export interface Route {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly path: string;
  readonly handle: Handle;
}

/** All that operators can ask for. */
export const consoleRoutes: readonly Route[] = [
  { method: 'GET', path: '/runs', handle: showRuns },
  { method: 'GET', path: '/runs/{runId}', handle: showRun },
  { method: 'POST', path: '/runs/{runId}/approve', handle: approveRun },
  { method: 'POST', path: '/runs/{runId}/reject', handle: rejectRun },
  { method: 'POST', path: '/runs/{runId}/cancel', handle: cancelRun },
  { method: 'POST', path: '/runs/{runId}/retry', handle: retryRun },
  { method: 'GET', path: '/jobs', handle: showJobs },
  { method: 'POST', path: '/jobs/{job}/runs', handle: startRun },
  { method: 'GET', path: '/pause', handle: showPauses },
  { method: 'POST', path: '/pause', handle: pause },
  { method: 'POST', path: '/resume', handle: resume },
];

/** Hands a request to its route. Throws DoorError 404. */
export async function answerFrom(
  routes: readonly Route[],
  runtime: Runtime,
  request: HttpRequest,
): Promise<HttpAnswer> {
  const found = routes.filter(({ path }) => patternOf(path).test(request.path));
  if (found.length === 0) throw notFound('There is nothing at this path.');
  const route = found.find(({ method }) => method === request.method);
  if (route === undefined) return methodNotAllowed(found.map(({ method }) => method).join(', '));
  return await route.handle(runtime, request, patternOf(route.path).exec(request.path)?.[1] ?? '');
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replace(/\{\w+\}/, '([^/]+)')}$`);
}

// Door: operators and programs look at runs and start them by hand. The same guards hold for them as for any trigger.

import middy from '@middy/core';
import { answeringErrors, type Door, receiving } from '../lib/aws/door.ts';
import { awsRuntime } from '../lib/aws/runtime.ts';
import { showRun, showRuns, startRun } from '../lib/doors/console.ts';
import { type HttpAnswer, type HttpRequest, methodNotAllowed, notFound } from '../lib/http.ts';
import type { Runtime } from '../lib/runtime.ts';
import manifest from '../package.json' with { type: 'json' };

/** `GET /runs`, `GET /runs/{id}`, `POST /jobs/{job}/runs` and the public `GET /healthz` over a runtime. */
export function consoleDoor(runtime: () => Promise<Runtime>): Door {
  return middy(receiving(runtime, receive)).use(answeringErrors(runtime));
}

/** The door on AWS Lambda. */
export const handler = consoleDoor(awsRuntime);

const routes = [
  { path: /^\/healthz$/, method: 'GET', handle: health },
  { path: /^\/runs$/, method: 'GET', handle: showRuns },
  { path: /^\/runs\/([a-z0-9-]+)$/, method: 'GET', handle: showRun },
  { path: /^\/jobs\/([^/]+)\/runs$/, method: 'POST', handle: startRun },
];

async function receive(runtime: Runtime, request: HttpRequest): Promise<HttpAnswer> {
  const route = routes.find(({ path }) => path.test(request.path));
  if (route === undefined) throw notFound('There is nothing at this path.');
  if (request.method !== route.method) return methodNotAllowed(route.method);
  return await route.handle(runtime, request, route.path.exec(request.path)?.[1] ?? '');
}

async function health(): Promise<HttpAnswer> {
  return { status: 200, body: { status: 'ok', version: manifest.version } };
}

// Door: operators and programs look at runs, start them by hand and steer them (lib/doors/routes.ts is the table). The
// same guards hold for them as for any trigger.

import middy from '@middy/core';
import { answeringErrors, type Door, receiving } from '../lib/aws/door.ts';
import { awsRuntime } from '../lib/aws/runtime.ts';
import { answerFrom, consoleRoutes, type Route } from '../lib/doors/routes.ts';
import type { HttpAnswer, HttpRequest } from '../lib/http.ts';
import openapi from '../lib/openapi/openapi.json' with { type: 'json' };
import { showPage, showPageHead } from '../lib/page/document.ts';
import type { Runtime } from '../lib/runtime.ts';
import manifest from '../package.json' with { type: 'json' };

/** All that operators can ask for, and the public `GET /healthz`, over a runtime. */
export function consoleDoor(runtime: () => Promise<Runtime>): Door {
  return middy(receiving(runtime, receive)).use(answeringErrors(runtime));
}

/** The door on AWS Lambda. */
export const handler = consoleDoor(awsRuntime);

const routes: readonly Route[] = [
  { method: 'GET', path: '/', handle: showPage },
  { method: 'HEAD', path: '/', handle: showPageHead },
  { method: 'GET', path: '/healthz', handle: health },
  { method: 'GET', path: '/openapi.json', handle: async () => ({ status: 200, body: openapi }) },
  ...consoleRoutes,
];

function receive(runtime: Runtime, request: HttpRequest): Promise<HttpAnswer> {
  return answerFrom(routes, runtime, request);
}

async function health(): Promise<HttpAnswer> {
  return { status: 200, body: { status: 'ok', version: manifest.version } };
}

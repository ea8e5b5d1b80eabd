// Door: alerts came in, over HTTP from Alertmanager, Grafana and SMN, or as events of AWS. Authenticates, stores all of
// them, starts runs. It never calls DCS. An event of AWS that fails is thrown, so that Lambda hands it in again.

import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { awsDeliveries } from '../lib/alerts/aws-events.ts';
import { httpSource, methodsOf, type Outside, outsideOver, receiveAlerts } from '../lib/alerts/sources.ts';
import { answeringErrors, type Door, isHttpEvent, receiving } from '../lib/aws/door.ts';
import { awsRuntime } from '../lib/aws/runtime.ts';
import { type Taken, takeAlerts, takenAnswer } from '../lib/doors/alert.ts';
import { type HttpAnswer, type HttpRequest, methodNotAllowed } from '../lib/http.ts';
import type { Runtime } from '../lib/runtime.ts';

/** `POST /alerts/{source}` over a runtime; `outside` is asked for the certificates of SMN. */
export function alertDoor(runtime: () => Promise<Runtime>, outside: Outside = outsideOver()): Door {
  return middy(receiving(runtime, (world, request) => receive(world, outside, request))).use(answeringErrors(runtime));
}

/** Alarms in the events of AWS over a runtime: what came of them. */
export async function takeAlarms(runtime: Runtime, event: unknown): Promise<Taken> {
  return await takeAlerts(runtime, awsDeliveries(event, runtime.config.sources, new Date(runtime.now()).toISOString()));
}

const http = alertDoor(awsRuntime);

/** Both on AWS Lambda. */
export const handler = async (event: unknown, context: Context) =>
  isHttpEvent(event) ? await http(event, context) : await takeAlarms(await awsRuntime(), event);

async function receive(runtime: Runtime, outside: Outside, request: HttpRequest): Promise<HttpAnswer> {
  const source = httpSource(runtime.config, /^\/alerts\/([^/]+)$/.exec(request.path)?.[1] ?? '');
  const methods = methodsOf[source.type];
  if (!methods.includes(request.method)) return methodNotAllowed(methods.join(', '));
  const received = await receiveAlerts(runtime, outside, source, request);
  if ('acknowledged' in received) return { status: 200, body: { ...received } };
  return takenAnswer(await takeAlerts(runtime, [received]));
}

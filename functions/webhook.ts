// Door: someone called a hook. Authenticates, then looks whether it came before, then reads the body, stores the event
// and starts a run. It never calls DCS. A repeated delivery is answered before its body is judged again.

import middy from '@middy/core';
import { answeringErrors, type Door, receiving } from '../lib/aws/door.ts';
import { awsRuntime } from '../lib/aws/runtime.ts';
import { accept, acceptedAnswer, repeated } from '../lib/doors/accept.ts';
import { findHook, hookDelivery, hookEvent, ignoredAnswer } from '../lib/doors/hook.ts';
import { newReadKey } from '../lib/doors/read-key.ts';
import { type HttpAnswer, type HttpRequest, limitBody, methodNotAllowed, notFound } from '../lib/http.ts';
import type { Runtime } from '../lib/runtime.ts';
import { authenticate } from '../lib/signature.ts';

/** `POST /hooks/{job}` over a runtime. */
export function webhookDoor(runtime: () => Promise<Runtime>): Door {
  return middy(receiving(runtime, receive)).use(answeringErrors(runtime));
}

/** The door on AWS Lambda. */
export const handler = webhookDoor(awsRuntime);

async function receive(runtime: Runtime, request: HttpRequest): Promise<HttpAnswer> {
  const name = /^\/hooks\/([^/]+)$/.exec(request.path)?.[1];
  if (name === undefined) throw notFound('There is nothing at this path.');
  if (request.method !== 'POST') return methodNotAllowed('POST');
  const hook = findHook(runtime.config, name);
  limitBody(request);
  await authenticate(runtime, hook.trigger, request);
  const delivery = hookDelivery(hook, request);
  const known = await repeated(runtime, delivery);
  if (known !== undefined) return acceptedAnswer(known);
  const event = hookEvent(hook, delivery.key, request, runtime.now());
  if ('ignored' in event) {
    runtime.log.info('hook ignored', { job: name, reason: event.ignored });
    return ignoredAnswer(event);
  }
  return acceptedAnswer(await accept(runtime, hook.job, event, delivery, newReadKey(runtime)));
}

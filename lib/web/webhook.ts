// Tells a webhook: a chat such as Slack, or a program that takes JSON. The address is a secret: who has it may write there.

import type { Notify } from '../config.ts';
import type { Message } from '../report/notice.ts';
import { jsonForm, slackForm } from '../report/notice-forms.ts';
import type { Told } from '../report/tell.ts';
import type { Secrets } from '../runtime.ts';
import type { Answered, Ask } from './ask.ts';
import { secretUrl } from './secret-url.ts';

/** What it works with. */
export interface WebhookOptions {
  readonly ask: Ask;
  readonly secrets: Secrets;
}

/** A listener behind a webhook. */
export type WebhookListener = Extract<Notify, { readonly to: 'webhook' }>;

/** Posts a message, once; a second time where the address was refused and has been exchanged in the meantime. */
export async function tellWebhook(
  { url: ref, format }: WebhookListener,
  message: Message,
  { ask, secrets }: WebhookOptions,
): Promise<Told> {
  const known = await secretUrl(secrets, ref, false);
  if (!('url' in known)) return { ok: false, ...known };
  const body = format === 'slack' ? slackForm(message) : jsonForm(message);
  const told = toldBy(await ask({ url: known.url, body }));
  if (told.ok || told.again) return told;
  const fresh = await secretUrl(secrets, ref, true);
  return 'url' in fresh && fresh.url !== known.url ? toldBy(await ask({ url: fresh.url, body })) : told;
}

function toldBy(answered: Answered): Told {
  if ('silent' in answered) return { ok: false, again: true, reason: `the webhook ${answered.silent}` };
  const { status } = answered;
  if (status >= 200 && status < 300) return { ok: true };
  return {
    ok: false,
    again: status === 408 || status === 429 || status >= 500,
    reason: `the webhook answered ${status}`,
  };
}

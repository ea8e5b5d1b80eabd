// Asks the health check of a job: 2xx is healthy, and nothing else is, no answer and no address included.

import type { Health, HealthCheck } from '../execute/health.ts';
import type { Secrets } from '../runtime.ts';
import type { Ask } from './ask.ts';
import { secretUrl } from './secret-url.ts';

/** What it works with. */
export interface ProbeOptions {
  readonly ask: Ask;
  readonly secrets: Secrets;
}

/** Asks once. An address that stands in the configuration is shown without its query, one behind a secret not at all. */
export async function probe(check: HealthCheck, { ask, secrets }: ProbeOptions): Promise<Health> {
  const found = 'url' in check ? check : await secretUrl(secrets, check.ref, false);
  if (!('url' in found)) return { healthy: false, answer: `cannot be asked: ${found.reason}` };
  const answered = await ask({ url: found.url });
  if ('status' in answered && answered.status >= 200 && answered.status < 300) return { healthy: true };
  const what = 'status' in answered ? `answered ${answered.status}` : answered.silent;
  return { healthy: false, answer: 'url' in check ? `${shown(check.url)} ${what}` : what };
}

function shown(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

// Which secrets each function reads, so that its role may read those and no others (rule 23).

import type { Config, Credentials, Job, Notify, Ref, Source } from '../config.ts';

/** The functions that read secrets. */
export type Reader = 'webhook' | 'alert' | 'console' | 'run';

/** The names of the secrets that each function reads; one may be there twice. */
export function refsOf(config: Config): Readonly<Record<Reader, readonly Ref[]>> {
  const jobs = Object.values(config.jobs);
  const projects = Object.values(config.projects);
  return {
    webhook: jobs.flatMap(({ trigger }) => ('secrets' in trigger ? trigger.secrets : [])),
    alert: Object.values(config.sources).flatMap(ofSource),
    console: config.operators.map(({ token }) => token),
    run: [
      ...projects.map(({ credentials }) => ofCredentials(credentials)),
      ...projects.flatMap(({ ca }) => ca ?? []),
      ...jobs.flatMap(ofHealthCheck),
      ...config.notify.flatMap(ofNotify),
    ],
  };
}

function ofSource(source: Source): readonly Ref[] {
  if ('secrets' in source) return source.secrets;
  return source.type === 'smn' && source.certificate !== null ? [source.certificate] : [];
}

function ofCredentials(credentials: Credentials): Ref {
  return 'aksk' in credentials ? credentials.aksk : credentials.iam;
}

function ofHealthCheck({ waves: { healthCheck } }: Job): readonly Ref[] {
  return healthCheck !== null && 'ref' in healthCheck ? [healthCheck.ref] : [];
}

function ofNotify(notify: Notify): readonly Ref[] {
  return notify.to === 'webhook' ? [notify.url] : [];
}

// The configuration as the program uses it: every default applied, every name resolved, every duration in seconds.
// Secrets are only ever named here (a Ref), never held.

/** The actions of `PUT /v2/{project_id}/instances/status`, spelled as on the wire. */
export const actions = ['restart', 'soft_restart', 'flush'] as const;
export type Action = (typeof actions)[number];

/**
 * A name of a secret: `env:DEPLOY_HOOK_SECRET` on one machine, `ssm:/path` and `secretsmanager:name` on AWS. Resolved late
 * (lib/local/secrets.ts, lib/aws/secrets.ts), never stored resolved.
 */
export type Ref = `env:${string}` | `ssm:${string}` | `secretsmanager:${string}`;

/** A count, or a share of something in percent. */
export type Amount = { readonly count: number } | { readonly percent: number };

export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** An access key, or a user of IAM whose token is asked for; `iamEndpoint`: scheme, host and port of IAM. */
export type Credentials = ({ readonly aksk: Ref } | { readonly iam: Ref }) & { readonly iamEndpoint?: string };

/** A time in which nothing is sent to a project: `from <= now < to`, in ms since the epoch. */
export interface Freeze {
  readonly from: number;
  readonly to: number;
  /** IANA zone in which the two were written. */
  readonly timezone: string;
  readonly reason: string;
}

export interface Project {
  readonly name: string;
  readonly region: string;
  /** Absent: looked up by the region's name (see projectKey). */
  readonly projectId?: string;
  /** Scheme, host and port without a trailing slash. */
  readonly endpoint: string;
  /** In whose name calls are made: see lib/credentials.ts. */
  readonly credentials: Credentials;
  /** Certificates in PEM that are trusted beside those of Node: those of a proxy that looks into TLS. */
  readonly ca?: Ref;
  readonly protectedTag: Tag;
  /** Key of the tag whose value lists the destructive actions that an instance allows; null: all allow all. */
  readonly allowTag: string | null;
  readonly freeze: readonly Freeze[];
  readonly rate: { readonly callsPerSecond: number; readonly retriesPerHour: number };
  /** Seconds until one DCS call is given up. */
  readonly timeout: number;
}

/** What the state calls a project: its id, or its name in the configuration where the id is only looked up. */
export function projectKey({ projectId, name }: Pick<Project, 'projectId' | 'name'>): string {
  return projectId ?? name;
}

export interface Selector {
  /** All must match. */
  readonly tags: Readonly<Record<string, string>>;
  /** Globs (`*`, `?`), any may match. */
  readonly names: readonly string[];
  /** Any may match. */
  readonly ids: readonly string[];
}

export interface Target extends Selector {
  readonly name: string;
  readonly project: string;
  /** An instance that matches any one of these lists is out. */
  readonly exclude: Selector;
}

export interface ScheduleTrigger {
  readonly type: 'schedule';
  readonly cron: string;
  /** IANA zone. */
  readonly timezone: string;
  /** Seconds, at least 600. */
  readonly startDeadline: number;
  readonly overlap: 'skip' | 'queue';
}

/** A hook whose body is ours: `{instances?, reason?, dryRun?}`. */
export interface BodyTrigger {
  readonly type: 'webhook';
  readonly auth: 'standard-webhooks' | 'bearer';
  /** One or two live secrets. */
  readonly secrets: readonly Ref[];
  readonly instances: 'none' | 'subset';
}

/** A hook that GitHub calls with payloads of its own; such an event always means the whole target. */
export interface GithubTrigger {
  readonly type: 'webhook';
  readonly auth: 'github';
  /** One or two live secrets. */
  readonly secrets: readonly Ref[];
  /** Values of X-GitHub-Event that may start the job; never `ping`. */
  readonly events: readonly string[];
  /** Dotted paths into the payload, and the text that must stand at each of them. */
  readonly match: Readonly<Record<string, string>>;
}

export type WebhookTrigger = BodyTrigger | GithubTrigger;

export type MatchOp = '=' | '!=' | '=~' | '!~';

/** One condition on a label of an alert; an absent label is the empty text, a regular expression means the whole value. */
export interface Matcher {
  readonly label: string;
  readonly op: MatchOp;
  readonly value: string;
}

export interface AlertTrigger {
  readonly type: 'alert';
  /** Name of one of `Config.sources`. */
  readonly source: string;
  /** All must hold; at least one. */
  readonly match: readonly Matcher[];
  /** Label, annotation or dimension whose value is the id of the instance. */
  readonly instance: string;
  /** Seconds after which an alert is stale. */
  readonly maxAge: number;
  /** Whether jobs further down the file are looked at too, after this one has matched. */
  readonly continue: boolean;
}

export type JobTrigger = ScheduleTrigger | WebhookTrigger | AlertTrigger;

/** Milder actions first. The durations are seconds. */
export interface Ladder {
  /** At least one. */
  readonly rungs: readonly Action[];
  /** How long an alert may stay after a rung before the next one is taken. */
  readonly settle: number;
  /** An instance that was quiet for that long starts at the first rung again. */
  readonly resetAfter: number;
  /** How often the whole ladder may be climbed before someone is told. */
  readonly rounds: number;
}

export interface Backup {
  readonly mode: 'off' | 'reuse' | 'fresh';
  /** Seconds: an older backup is not reused. */
  readonly maxAge: number;
}

/** Times of day in which a run may work. One that goes over midnight (`to < from`) belongs to the day it starts on. */
export interface Window {
  /** Ascending, each once; 0 is Sunday. */
  readonly days: readonly number[];
  /** Minutes of the day; `to` is at most 1440 and never equal to `from`. */
  readonly from: number;
  readonly to: number;
  /** IANA zone. */
  readonly timezone: string;
  /** Seconds before the end in which nothing new starts; shorter than the window. */
  readonly cutoff: number;
}

export interface Guards {
  readonly maxInstances: number;
  /** Of all instances of the project, rounded down, at least 1. */
  readonly maxPercent: number;
  /** Instances of the project over a rolling 24 h, over all jobs. */
  readonly maxPerDay: number;
  readonly onExceed: 'refuse' | 'trim';
  /** Whether the job itself states one of the two; a scheduled job that can lose data must. */
  readonly stated: boolean;
}

export interface Waves {
  readonly canary: Amount;
  readonly size: Amount;
  /** Seconds between two waves. */
  readonly soak: number;
  /** The run stops at the Nth failed or unknown instance. */
  readonly maxFailures: number;
  /** Instances are ordered by where their tag's value stands in `values`; others come last. */
  readonly order: { readonly tag: string; readonly values: readonly string[] };
  /** Asked between two waves: a URL, or the secret that holds one. */
  readonly healthCheck: { readonly url: string } | { readonly ref: Ref } | null;
}

/** `maxAttempts` counts sends that reached DCS, the first included. The others are seconds. */
export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly baseDelay: number;
  readonly maxDelay: number;
  readonly for: number;
}

/** Seconds: the first gap between polls (growing to 60), how long RUNNING must last without evidence, the limit. */
export interface VerifyPolicy {
  readonly interval: number;
  readonly settle: number;
  readonly timeout: number;
}

/** One job with everything that a run of it needs: this is what is frozen into a run's record. */
export interface Job {
  readonly name: string;
  /** That of the first rung, where there is a ladder. */
  readonly action: Action;
  /** Only with an alert as the trigger. */
  readonly ladder: Ladder | null;
  readonly enabled: boolean;
  readonly dryRun: boolean;
  readonly project: Project;
  readonly target: Target;
  readonly trigger: JobTrigger;
  readonly guards: Guards;
  readonly waves: Waves;
  readonly retry: RetryPolicy;
  readonly verify: VerifyPolicy;
  /** Seconds for which an instance is left alone after a success; 0: not at all. */
  readonly cooldown: number;
  readonly backup: Backup;
  readonly approval: 'none' | 'required';
  /** What happens when another run holds an instance. */
  readonly collision: 'skip' | 'queue';
  readonly window: Window | null;
  /** Seconds for which a run is kept after its end; see lib/retention.ts. */
  readonly retention: number;
}

/** What an operator may be allowed to do; none implies another. */
export const rights = ['read', 'run', 'approve', 'cancel', 'pause', 'breakGlass'] as const;
export type Right = (typeof rights)[number];

/** A named person or system that may come in through the console. */
export interface Operator {
  readonly name: string;
  readonly token: Ref;
  readonly may: readonly Right[];
}

/** Where alerts come from. `secrets` are one or two live ones; names of headers are in lower case. */
export type Source =
  | { readonly type: 'alertmanager'; readonly auth: 'bearer' | 'basic'; readonly secrets: readonly Ref[] }
  | GrafanaSource
  | { readonly type: 'smn'; readonly topics: readonly string[]; readonly certificate: Ref | null }
  | { readonly type: 'sns'; readonly topics: readonly string[] }
  | { readonly type: 'cloudwatch' };

export interface GrafanaSource {
  readonly type: 'grafana';
  readonly auth: 'hmac' | 'bearer' | 'basic';
  readonly secrets: readonly Ref[];
  readonly signatureHeader: string;
  /** null: no time is signed. */
  readonly timestampHeader: string | null;
}

/** When many alerts at once are held back: a share of the project in percent, a count; the other two are seconds. */
export interface AlertStorm {
  readonly share: number;
  readonly count: number;
  readonly within: number;
  readonly cooldown: number;
}

/** The statuses of a run that someone may be told of. */
export const noticeStatuses = [
  'awaiting_approval',
  'planned',
  'succeeded',
  'partial',
  'failed',
  'refused',
  'cancelled',
  'missed',
] as const;
export type NoticeStatus = (typeof noticeStatuses)[number];

/** Who is told of the runs with one of the statuses in `on`. */
export type Notify = { readonly on: readonly NoticeStatus[] } & (
  | { readonly to: 'webhook'; readonly url: Ref; readonly format: 'slack' | 'json' }
  | { readonly to: 'eventbridge'; readonly bus: string }
  | { readonly to: 'sns'; readonly topic: string }
);

export interface Config {
  readonly stage: string;
  readonly projects: Readonly<Record<string, Project>>;
  readonly operators: readonly Operator[];
  /** By type: each type is there at most once. */
  readonly sources: Readonly<Record<string, Source>>;
  readonly alertStorm: AlertStorm;
  readonly notify: readonly Notify[];
  /** In the order of the file, in which alerts look for their job: names start with a letter, so objects keep it. */
  readonly jobs: Readonly<Record<string, Job>>;
}

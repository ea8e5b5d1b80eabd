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

export interface Project {
  readonly name: string;
  readonly region: string;
  readonly projectId: string;
  /** Scheme, host and port without a trailing slash. */
  readonly endpoint: string;
  /** Where the access key is found: see lib/credentials.ts. */
  readonly credentials: { readonly aksk: Ref };
  readonly protectedTag: Tag;
  readonly rate: { readonly callsPerSecond: number; readonly retriesPerHour: number };
  /** Seconds until one DCS call is given up. */
  readonly timeout: number;
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

export type JobTrigger = ScheduleTrigger | WebhookTrigger;

export interface Guards {
  readonly maxInstances: number;
  /** Of all instances of the project, rounded down, at least 1. */
  readonly maxPercent: number;
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
  readonly action: Action;
  readonly enabled: boolean;
  readonly dryRun: boolean;
  readonly project: Project;
  readonly target: Target;
  readonly trigger: JobTrigger;
  readonly guards: Guards;
  readonly waves: Waves;
  readonly retry: RetryPolicy;
  readonly verify: VerifyPolicy;
  /** Seconds for which a run is kept after its end; see lib/retention.ts. */
  readonly retention: number;
}

/** What an operator may be allowed to do; the doors of the last three are not there yet. */
export const rights = ['read', 'run', 'approve', 'cancel', 'pause'] as const;
export type Right = (typeof rights)[number];

/** A named person or system that may come in through the console. */
export interface Operator {
  readonly name: string;
  readonly token: Ref;
  readonly may: readonly Right[];
}

export interface Config {
  readonly stage: string;
  readonly projects: Readonly<Record<string, Project>>;
  readonly operators: readonly Operator[];
  readonly jobs: Readonly<Record<string, Job>>;
}

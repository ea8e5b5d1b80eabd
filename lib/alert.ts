// 1. What an alert says, whoever sent it: the one shape that every adapter in lib/alerts/ gives, and what makes two of
// them the same episode. Jobs are matched against it, and nothing behind it knows of Alertmanager, SMN or CloudWatch.

/** Where alerts come from. `sns`: CloudWatch alarms through a topic; `cloudwatch`: straight, or through EventBridge. */
export const alertSources = ['alertmanager', 'grafana', 'smn', 'sns', 'cloudwatch'] as const;
export type AlertSource = (typeof alertSources)[number];

/** `unclear`: the source cannot tell (too little data, an invalid rule); nothing follows from it, not even an end. */
export type AlertStatus = 'firing' | 'resolved' | 'unclear';

/** Names to texts, from outside: only own members count. */
export type Texts = Readonly<Record<string, string>>;

/** One alert as its source sees it now. Times are ISO 8601 UTC with milliseconds. */
export interface Alert {
  readonly source: AlertSource;
  /** Name of the alerting rule or alarm; may be empty where a sender names none. */
  readonly rule: string;
  /** Tells the alerts of one rule apart: the same as long as it is about the same thing. At most 200 characters. */
  readonly fingerprint: string;
  readonly status: AlertStatus;
  /** When the episode began; see startKnown. */
  readonly startsAt: string;
  /**
   * False: `startsAt` is only the time of this message. Such a source repeats itself with later times (Cloud Eye), or
   * tells no start with an end (Cloud Eye, CloudWatch): the alert belongs to the newest open episode of the same source,
   * rule and fingerprint that began no later. Where there is none, a firing one begins it, and a resolved one says that
   * whatever began before it and arrives late is over already.
   */
  readonly startKnown: boolean;
  /** Only of a resolved one. */
  readonly endsAt?: string;
  /**
   * What jobs match on: the sender's labels, tags and dimensions, and what the source says beside them. `rule` is the
   * rule, for groups of Alertmanager and Grafana only where they have no label of that name. Cloud Eye and CloudWatch
   * have `alertname` (the rule), `metric`, `namespace` and `region`, which win; Cloud Eye `severity` (lower case),
   * `resource_id` and `resource_name`, CloudWatch `account`, Grafana `rule_uid`. Each only where the source says it.
   */
  readonly labels: Texts;
  /** Texts for people; `summary` and `description` where a source has such. */
  readonly annotations: Texts;
  /** What the metric is about, by name, such as `dcs_instance_id`; all of it is among the labels too. */
  readonly dimensions: Texts;
  /** The same as the label. */
  readonly severity?: string;
  /** The same as the label: a metric's name, for event alarms of Cloud Eye the event's. */
  readonly metric?: string;
  /** The newest value with its unit, as text for people. */
  readonly value?: string;
}

/** Something in a delivery that is no alert to act on: `alert` names it, `code` is for programs, `reason` for people. */
export interface IgnoredAlert {
  readonly alert: string;
  readonly code: string;
  readonly reason: string;
}

/** What one message held, in its order. */
export interface AlertDelivery {
  readonly source: AlertSource;
  /** What the source gives the message and its repetitions; absent where it gives none. */
  readonly deliveryId?: string;
  readonly receivedAt: string;
  readonly alerts: readonly Alert[];
  /** What could not be read or is no alert; the others of the same delivery count all the same. */
  readonly ignored: readonly IgnoredAlert[];
  /** Alerts that the sender left out; they come with no other message. */
  readonly truncated: number;
}

/** What one episode is known by, everywhere: source, rule, fingerprint, start. */
export function episodeOf({ source, rule, fingerprint, startsAt }: Alert): readonly string[] {
  return [source, rule, fingerprint, startsAt];
}

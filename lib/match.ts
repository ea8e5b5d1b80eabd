// Which jobs an alert is for. Compiled once from the jobs: each label has its distinct matchers, each matcher the set of
// jobs that need it. For a delivery the set of jobs that a value leaves over is worked out once per label and value.

import type { Alert, Texts } from './alert.ts';
import type { AlertTrigger, Matcher } from './config.ts';
import { type Pattern, patternOf } from './match/pattern.ts';

/** What matching needs to know of a job. */
export interface AlertJob {
  readonly name: string;
  readonly trigger: Pick<AlertTrigger, 'source' | 'match' | 'continue'>;
}

/** What matching needs to know of an alert; its rule, severity and metric are labels too. */
export type Labelled = Pick<Alert, 'source' | 'labels'>;

/** A set of jobs, one bit each, in their order. */
type JobSet = Uint32Array;

/** A condition, and the jobs that need it. */
interface Condition {
  readonly accepts: Pattern;
  readonly jobs: JobSet;
}

/** The jobs of a configuration, made ready for many alerts. */
export interface MatchIndex<J extends AlertJob> {
  readonly jobs: readonly J[];
  readonly bySource: ReadonlyMap<string, JobSet>;
  readonly byLabel: ReadonlyMap<string, readonly Condition[]>;
}

/** What became of one job for one alert, in words. */
export interface Explanation {
  readonly job: string;
  readonly matched: boolean;
  readonly reason: string;
}

/** Compiles the jobs, which stand in the order of the file. Patterns are those that `checkPattern` lets pass. */
export function compileJobs<J extends AlertJob>(jobs: readonly J[]): MatchIndex<J> {
  const noJobs = (): JobSet => emptySet(jobs.length);
  const bySource = new Map<string, JobSet>();
  const byLabel = new Map<string, Map<string, Condition>>();
  for (const [place, { trigger }] of jobs.entries()) {
    add(entry(bySource, trigger.source, noJobs), place);
    for (const matcher of trigger.match) {
      const conditions = entry(byLabel, matcher.label, () => new Map<string, Condition>());
      const same = `${matcher.op} ${matcher.value}`;
      add(entry(conditions, same, () => ({ accepts: acceptor(matcher), jobs: noJobs() })).jobs, place);
    }
  }
  return { jobs, bySource, byLabel: new Map([...byLabel].map(([label, found]) => [label, [...found.values()]])) };
}

/**
 * The jobs of each alert of a delivery, in the order of the file: the first that matches, and those after it as long as
 * every one before them has `continue`. Nothing is remembered from one delivery to the next: values come from outside.
 */
export function matchAlerts<J extends AlertJob>(
  index: MatchIndex<J>,
  alerts: readonly Labelled[],
): readonly (readonly J[])[] {
  const columns = [...index.byLabel].map(([label, conditions]) => ({ label, leftOver: leftOverOf(index, conditions) }));
  return alerts.map(({ source, labels }) => {
    const ofSource = index.bySource.get(source);
    if (ofSource === undefined) return [];
    const left = ofSource.slice();
    for (const { label, leftOver } of columns) keep(left, leftOver(textOf(labels, label)));
    return inOrder(index.jobs, left);
  });
}

/** For each job in order: why it takes the alert, or the first thing that keeps it from it. */
export function explainMatch(jobs: readonly AlertJob[], alert: Labelled): readonly Explanation[] {
  let taker: string | null = null;
  return jobs.map(({ name, trigger }) => {
    const obstacle = taker === null ? obstacleOf(trigger, alert) : `the alert is taken by ${taker}, further up`;
    if (obstacle !== null) return { job: name, matched: false, reason: obstacle };
    if (!trigger.continue) taker = name;
    return { job: name, matched: true, reason: 'everything that the job asks for holds' };
  });
}

function obstacleOf(trigger: AlertJob['trigger'], { source, labels }: Labelled): string | null {
  if (trigger.source !== source) return `the alert comes from ${source}, the job listens to ${trigger.source}`;
  const failed = trigger.match.find((matcher) => !acceptor(matcher)(textOf(labels, matcher.label)));
  if (failed === undefined) return null;
  const value = textOf(labels, failed.label);
  const found = value === '' ? 'absent' : quoted(value);
  return `${failed.label} is ${found}, the job asks for ${failed.label} ${failed.op} ${quoted(failed.value)}`;
}

/** Values come from outside and may be long. */
function quoted(value: string): string {
  return JSON.stringify(value.length > 200 ? `${value.slice(0, 200)}…` : value);
}

/** A label named `constructor` is no label that every alert has. */
function textOf(labels: Texts, label: string): string {
  return Object.hasOwn(labels, label) ? (labels[label] ?? '') : '';
}

function acceptor({ op, value: wanted }: Matcher): Pattern {
  if (op === '=') return (value) => value === wanted;
  if (op === '!=') return (value) => value !== wanted;
  const matches = patternOf(wanted);
  return op === '=~' ? matches : (value) => !matches(value);
}

/** Which jobs a value leaves over: all but those that need a condition it does not meet. */
function leftOverOf({ jobs }: MatchIndex<AlertJob>, conditions: readonly Condition[]): (value: string) => JobSet {
  const known = new Map<string, JobSet>();
  return (value) =>
    entry(known, value, () => {
      const left = emptySet(jobs.length).fill(0xffffffff);
      for (const condition of conditions) if (!condition.accepts(value)) drop(left, condition.jobs);
      return left;
    });
}

function inOrder<J extends AlertJob>(jobs: readonly J[], left: JobSet): readonly J[] {
  const found: J[] = [];
  for (const [word, bits] of left.entries()) {
    for (let rest = bits; rest !== 0; rest &= rest - 1) {
      const job = jobs[word * 32 + 31 - Math.clz32(rest & -rest)];
      if (job === undefined) return found;
      found.push(job);
      if (!job.trigger.continue) return found;
    }
  }
  return found;
}

function emptySet(size: number): JobSet {
  return new Uint32Array(Math.ceil(size / 32));
}

function add(set: JobSet, place: number): void {
  const word = place >>> 5;
  set[word] = (set[word] ?? 0) | (1 << (place & 31));
}

function keep(set: JobSet, others: JobSet): void {
  for (let word = 0; word < set.length; word++) set[word] = (set[word] ?? 0) & (others[word] ?? 0);
}

function drop(set: JobSet, others: JobSet): void {
  for (let word = 0; word < set.length; word++) set[word] = (set[word] ?? 0) & ~(others[word] ?? 0);
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

// Matching as one would do it by hand: each alert against each job, condition by condition, with V8's own regular
// expressions. The judge of lib/match.ts in its tests, and what the benchmark sets it against.

import type { Matcher } from '../../lib/config.ts';
import type { AlertJob, Labelled } from '../../lib/match.ts';

/** The jobs of one alert in the order of the file. */
export function naiveMatch<J extends AlertJob>(jobs: readonly J[], alert: Labelled): readonly J[] {
  const found: J[] = [];
  for (const job of jobs) {
    if (job.trigger.source !== alert.source || !job.trigger.match.every((matcher) => holds(matcher, alert))) continue;
    found.push(job);
    if (!job.trigger.continue) break;
  }
  return found;
}

const expressions = new Map<string, RegExp>();

function holds({ label, op, value: wanted }: Matcher, { labels }: Labelled): boolean {
  const value = Object.hasOwn(labels, label) ? (labels[label] ?? '') : '';
  if (op === '=' || op === '!=') return (value === wanted) === (op === '=');
  return expressionOf(wanted).test(value) === (op === '=~');
}

function expressionOf(text: string): RegExp {
  const known = expressions.get(text) ?? new RegExp(`^(?:${text})$`, 'su');
  expressions.set(text, known);
  return known;
}

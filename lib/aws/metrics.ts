// Metrics on AWS: a line of the log in CloudWatch's embedded metric format, from which CloudWatch makes the metric by itself. No
// call, no right, and nothing that a function has to wait for.

import type { Metrics } from '../runtime.ts';
import type { Sink } from './logger.ts';

/** What a line is made with. `now`: ms since the epoch. */
export interface MetricsOptions {
  readonly stage: string;
  readonly now: () => number;
  /** The function's standard output where absent. */
  readonly sink?: Sink;
}

/**
 * Counts in the namespace DcsAutopilot, by stage and the dimensions that are given.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function embeddedMetrics({ stage, now, sink = process.stdout }: MetricsOptions): Metrics {
  return {
    count: (Name, value, given = {}) => {
      const dimensions = { Stage: stage, ...given };
      const metric = {
        Namespace: 'DcsAutopilot',
        Dimensions: [Object.keys(dimensions)],
        Metrics: [{ Name, Unit: 'Count' }],
      };
      const line = { _aws: { Timestamp: now(), CloudWatchMetrics: [metric] }, ...dimensions, [Name]: value };
      sink.write(`${JSON.stringify(line)}\n`);
    },
  };
}

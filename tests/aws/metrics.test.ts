// The embedded metric format: one line for each count, as CloudWatch wants it.

import { expect, test } from '@jest/globals';
import { embeddedMetrics } from '../../lib/aws/metrics.ts';

test('a count is a line of the log that CloudWatch makes a metric of', () => {
  const lines: string[] = [];
  const metrics = embeddedMetrics({
    stage: 'prod',
    now: () => 1_795_441_020_000,
    sink: { write: (line) => lines.push(line) },
  });

  metrics.count('RunsEnded', 2, { Status: 'missed' });
  metrics.count('NoticesLost', 1);

  expect(lines.every((line) => line.endsWith('\n') && line.indexOf('\n') === line.length - 1)).toBe(true);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      _aws: {
        Timestamp: 1_795_441_020_000,
        CloudWatchMetrics: [
          {
            Namespace: 'DcsAutopilot',
            Dimensions: [['Stage', 'Status']],
            Metrics: [{ Name: 'RunsEnded', Unit: 'Count' }],
          },
        ],
      },
      Stage: 'prod',
      Status: 'missed',
      RunsEnded: 2,
    },
    {
      _aws: {
        Timestamp: 1_795_441_020_000,
        CloudWatchMetrics: [
          { Namespace: 'DcsAutopilot', Dimensions: [['Stage']], Metrics: [{ Name: 'NoticesLost', Unit: 'Count' }] },
        ],
      },
      Stage: 'prod',
      NoticesLost: 1,
    },
  ]);
});

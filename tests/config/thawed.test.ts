// Jobs in the records of earlier versions: readable, and with what is new in them switched off.

import { describe, expect, it } from '@jest/globals';
import { builtIn } from '../../lib/config/defaults.ts';
import { thawed } from '../../lib/config/thawed.ts';
import { asJson, recordOf } from '../../lib/record.ts';
import { jobNamed } from '../support/door-world.ts';
import { jobOf } from '../support/scenario.ts';

/** The job as the version before ladders, windows and the like froze it. */
function earlier() {
  const { ladder, cooldown, backup, approval, collision, window, retention, ...job } = jobNamed('nightly');
  const { allowTag, freeze, ...project } = job.project;
  const { maxPerDay, onExceed, ...guards } = job.guards;
  const { healthCheck, ...waves } = job.waves;
  const left = [ladder, cooldown, backup, approval, collision, window, retention, allowTag, freeze];
  return { old: { ...job, project, guards, waves }, left: [...left, maxPerDay, onExceed, healthCheck] };
}

describe('a job that an earlier version froze', () => {
  it('has everything that it said, and what is new with its default', () => {
    const { old, left } = earlier();

    expect(left).not.toContain(undefined);
    expect(thawed(old)).toEqual({ ...jobNamed('nightly'), retention: builtIn.retention });
  });

  it('is read so out of a record', () => {
    const record = { v: 1, runId: 'nightly-1', job: earlier().old };

    expect(recordOf(asJson(record)).job).toEqual(thawed(earlier().old));
  });
});

describe('a job of this version', () => {
  it('stays as it is', () => {
    const job = jobOf('restart', {
      ladder: { rungs: ['soft_restart', 'restart'], settle: 1, resetAfter: 2, rounds: 4 },
      cooldown: 5,
      backup: { mode: 'fresh', maxAge: 6 },
      approval: 'required',
      collision: 'queue',
      window: { days: [1], from: 0, to: 60, timezone: 'UTC', cutoff: 7 },
      retention: 8,
    });

    expect(thawed(job)).toEqual(job);
  });
});

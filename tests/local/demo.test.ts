// What a newcomer sees first, on the virtual clock: the demo's own configuration on the demo's own fleet.

import { describe, expect, it } from '@jest/globals';
import { reportText } from '../../lib/cli/run-text.ts';
import { readConfig } from '../../lib/config/file.ts';
import { demoConfig, demoFleet, demoJob } from '../../lib/local/demo.ts';
import { play } from '../support/scenario.ts';

describe('the demo', () => {
  it('flushes ten of a dozen within a minute, past a busy one and one that fails twice', async () => {
    const job = readConfig(demoConfig('http://127.0.0.1:1'), 'demo').jobs[demoJob];
    if (job === undefined) throw new Error('the demo has no job');

    const { view, clock } = await play({ job, fleet: demoFleet(), event: { trigger: 'manual' } });

    expect(view.status).toBe('succeeded');
    expect(view.counts.succeeded).toBe(10);
    expect(view.outcomes.filter(({ attempts }) => attempts === 3).map(({ name }) => name)).toEqual(['stg-search-01']);
    expect(view.plan.excluded.map(({ code }) => code).sort()).toEqual(['protected', 'unsupported_engine']);
    expect(clock.now() - Date.parse(view.createdAt)).toBeLessThan(60_000);
    expect(reportText(view)).toContain('10 succeeded, 2 left out');
  });
});

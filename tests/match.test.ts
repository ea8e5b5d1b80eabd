// Which jobs an alert is for: the four conditions, the order of the file, `continue`, and that the index gives for any jobs
// and alerts what one gets by trying each job by hand.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Alert, Texts } from '../lib/alert.ts';
import type { Matcher } from '../lib/config.ts';
import { type AlertJob, compileJobs, explainMatch, type Labelled, matchAlerts } from '../lib/match.ts';
import { naiveMatch } from './support/naive-match.ts';

function job(name: string, match: readonly Matcher[], more: Partial<AlertJob['trigger']> = {}): AlertJob {
  return { name, trigger: { source: 'alertmanager', match, continue: false, ...more } };
}

function alert(labels: Texts, source: Alert['source'] = 'alertmanager'): Labelled {
  return { source, labels };
}

function has(label: string, op: Matcher['op'], value: string): Matcher {
  return { label, op, value };
}

/** The names of the jobs that one alert is for. */
function jobsFor(jobs: readonly AlertJob[], one: Labelled): readonly string[] {
  return matchAlerts(compileJobs(jobs), [one])
    .flat()
    .map(({ name }) => name);
}

describe('matchAlerts', () => {
  it.each<[Matcher, Texts, boolean]>([
    [has('env', '=', 'prod'), { env: 'prod' }, true],
    [has('env', '=', 'prod'), { env: 'prod2' }, false],
    [has('env', '=', 'prod'), {}, false],
    [has('env', '=', ''), {}, true],
    [has('env', '=', ''), { env: 'prod' }, false],
    [has('env', '!=', 'dev'), { env: 'prod' }, true],
    [has('env', '!=', 'dev'), { env: 'dev' }, false],
    [has('env', '!=', 'dev'), {}, true],
    [has('env', '!=', ''), {}, false],
    [has('severity', '=~', 'crit|page'), { severity: 'page' }, true],
    [has('severity', '=~', 'crit|page'), { severity: 'pager' }, false],
    [has('severity', '=~', 'crit|page'), {}, false],
    [has('severity', '=~', '.*'), {}, true],
    [has('severity', '!~', 'info|warn.*'), { severity: 'crit' }, true],
    [has('severity', '!~', 'info|warn.*'), { severity: 'warning' }, false],
    [has('severity', '!~', 'info|warn.*'), { severity: 'warning\n' }, false],
    [has('severity', '!~', 'info|warn.*'), {}, true],
    [has('constructor', '=', ''), {}, true],
    [has('toString', '!=', ''), {}, false],
    [has('__proto__', '=', ''), {}, true],
  ])('%j of %j: %s', (matcher, labels, expected) => {
    expect(jobsFor([job('a', [matcher])], alert(labels))).toEqual(expected ? ['a'] : []);
  });

  it('needs all conditions of a job, two on one label too', () => {
    const jobs = [job('a', [has('env', '=~', 'p.*'), has('env', '!=', 'preprod'), has('team', '=', 'x')])];

    expect(jobsFor(jobs, alert({ env: 'prod', team: 'x' }))).toEqual(['a']);
    expect(jobsFor(jobs, alert({ env: 'preprod', team: 'x' }))).toEqual([]);
    expect(jobsFor(jobs, alert({ env: 'prod' }))).toEqual([]);
  });

  it('tells a condition from another with the same characters', () => {
    const jobs = [job('a', [has('x', '=', '~a')]), job('b', [has('x', '=~', 'a')])];

    expect(jobsFor(jobs, alert({ x: '~a' }))).toEqual(['a']);
    expect(jobsFor(jobs, alert({ x: 'a' }))).toEqual(['b']);
  });

  it('takes alerts of the source that the job listens to', () => {
    const jobs = [job('a', [], { source: 'grafana' }), job('b', [])];

    expect(jobsFor(jobs, alert({}, 'grafana'))).toEqual(['a']);
    expect(jobsFor(jobs, alert({}, 'alertmanager'))).toEqual(['b']);
    expect(jobsFor(jobs, alert({}, 'smn'))).toEqual([]);
  });

  it('ends at the first job that matches, or goes on where it says so', () => {
    const on = { continue: true };
    const jobs = [
      job('a', [has('x', '=', '1')], on),
      job('b', [has('x', '=', '2')]),
      job('c', [], on),
      job('d', []),
      job('e', []),
    ];

    expect(jobsFor(jobs, alert({ x: '1' }))).toEqual(['a', 'c', 'd']);
    expect(jobsFor(jobs, alert({ x: '2' }))).toEqual(['b']);
  });

  it('keeps the order of the file over many jobs', () => {
    const jobs = Array.from({ length: 100 }, (_, i) => job(`j${i}`, [has('x', '!=', `${i}`)], { continue: i < 97 }));

    const expected = jobs.slice(0, 98).flatMap(({ name }) => (name === 'j63' ? [] : [name]));

    expect(jobsFor(jobs, alert({ x: '63' }))).toEqual(expected);
  });

  it('gives each alert of a delivery its own jobs, in the order of the delivery', () => {
    const a = job('a', [has('x', '=', '1')]);
    const b = job('b', [has('x', '=', '2')]);

    const found = matchAlerts(
      compileJobs([a, b]),
      ['2', '1', '3', '2'].map((x) => alert({ x })),
    );

    expect(found).toEqual([[b], [a], [], [b]]);
  });

  it('has an answer without jobs and without alerts', () => {
    expect(matchAlerts(compileJobs([]), [alert({})])).toEqual([[]]);
    expect(matchAlerts(compileJobs([job('a', [])]), [])).toEqual([]);
  });
});

describe('matchAlerts, whatever the jobs and alerts', () => {
  const label = fc.constantFrom('alertname', 'severity', 'env', 'constructor');
  const value = fc.constantFrom('', 'a', 'b', 'ab', 'prod', 'a\nb');
  const pattern = fc.constantFrom('a', 'a|b', 'a.*', '.*', '.+', '', 'pr[a-o]d', '(?:a|b)+');
  const matcher: fc.Arbitrary<Matcher> = fc.oneof(
    fc.record({ label, op: fc.constantFrom('=', '!='), value }),
    fc.record({ label, op: fc.constantFrom('=~', '!~'), value: pattern }),
  );
  const source = fc.constantFrom('alertmanager', 'grafana');
  const trigger = fc.record({ source, match: fc.array(matcher, { maxLength: 3 }), continue: fc.boolean() });
  const jobs = fc
    .array(trigger, { maxLength: 70 })
    .map((triggers) => triggers.map((each, i) => ({ name: `j${i}`, trigger: each })));
  const alerts = fc.array(fc.record({ source, labels: fc.dictionary(label, value) }), { maxLength: 8 });

  it('says what trying each job by hand says', () => {
    fc.assert(
      fc.property(jobs, alerts, (all, delivery) => {
        const found = matchAlerts(compileJobs(all), delivery);

        expect(found).toEqual(delivery.map((one) => naiveMatch(all, one)));
      }),
      { numRuns: 500 },
    );
  });

  it('is explained job by job, with the same result', () => {
    fc.assert(
      fc.property(jobs, alerts, (all, delivery) => {
        for (const one of delivery) {
          const explained = explainMatch(all, one);

          expect(explained.filter(({ matched }) => matched).map((each) => each.job)).toEqual(jobsFor(all, one));
          expect(explained.map((each) => each.job)).toEqual(all.map(({ name }) => name));
        }
      }),
    );
  });
});

describe('explainMatch', () => {
  const jobs = [
    job('other-source', [], { source: 'smn' }),
    job('absent', [has('env', '=', 'prod')]),
    job('second', [has('severity', '=', 'page'), has('rule', '!~', 'Redis.*'), has('env', '=', 'prod')]),
    job('goes-on', [has('severity', '=', 'page')], { continue: true }),
    job('takes', []),
    job('too-late', []),
  ];

  it('names for each job the first thing that keeps it from the alert', () => {
    const explained = explainMatch(jobs, alert({ severity: 'page', rule: 'RedisDown' }));

    expect(explained).toEqual([
      { job: 'other-source', matched: false, reason: 'the alert comes from alertmanager, the job listens to smn' },
      { job: 'absent', matched: false, reason: 'env is absent, the job asks for env = "prod"' },
      { job: 'second', matched: false, reason: 'rule is "RedisDown", the job asks for rule !~ "Redis.*"' },
      { job: 'goes-on', matched: true, reason: 'everything that the job asks for holds' },
      { job: 'takes', matched: true, reason: 'everything that the job asks for holds' },
      { job: 'too-late', matched: false, reason: 'the alert is taken by takes, further up' },
    ]);
  });

  it('shows of a value from outside its beginning, and no control characters', () => {
    const [explained] = explainMatch([job('a', [has('x', '=', '1')])], alert({ x: `\u001b[2J${'y'.repeat(10_000)}` }));

    expect(explained?.reason).toContain('x is "\\u001b[2Jyyy');
    expect(explained?.reason.length).toBeLessThan(300);
  });
});

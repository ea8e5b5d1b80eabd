// What the page shows of what the doors tell, as plain trees: no browser is needed to read them.

import { describe, expect, it } from '@jest/globals';
import { routeOf } from '../../lib/page/browser/route.js';
import { countsText } from '../../lib/page/views/bits.js';
import { pageOf } from '../../lib/page/views/frame.js';
import { heatMap } from '../../lib/page/views/heat-map.js';
import { jobPage, jobsPage } from '../../lib/page/views/jobs.js';
import { runPage } from '../../lib/page/views/run.js';
import { listLink, runsPage } from '../../lib/page/views/runs.js';
import { timelineText } from '../../lib/page/views/timeline.js';
import { fromNow, localTime, spanOf } from '../../lib/page/views/times.js';
import { h } from '../../lib/page/views/tree.js';
import { runStatuses, sentenceOf, signOf, wordOf, wordsOf } from '../../lib/page/views/words.js';
import { exclusionCodes } from '../../lib/plan.ts';
import { statuses } from '../../lib/record.ts';
import { noCounts, type RunView } from '../../lib/report.ts';
import { attributesOf, evil, evilRun, find, jobView, runOf, textIn } from '../support/page-world.ts';
import { projectFiles, textOf } from '../support/source-files.ts';

const now = Date.parse('2026-11-23T20:10:00Z');
const clock = { now, zone: 'Europe/Berlin' };
const nobody = {
  signedIn: false,
  shown: null,
  pauses: [],
  problem: null,
  said: '',
  stale: '',
  loadedAt: 0,
  place: 'runs',
};

function shownRun(changes: Partial<RunView>): string {
  return textIn(runPage(runOf(changes), clock));
}

describe('a tree', () => {
  it('leaves out what is nothing, and takes lists apart', () => {
    expect(
      h('p', { id: undefined, hidden: false, open: true, rows: 2 }, 'a', null, false, [0, ['b', undefined]]),
    ).toEqual({
      tag: 'p',
      attrs: { open: '', rows: '2' },
      children: ['a', '0', 'b'],
    });
  });
});

describe('words', () => {
  it.each(statuses)('there is a sign, a word and a sentence for %s', (status) => {
    expect(signOf(status)).not.toBe('–');
    expect(wordOf(status)).not.toBe('');
    expect(sentenceOf(status)).toMatch(/\.$/);
  });

  it('no two statuses of runs have one sign', () => {
    expect(new Set(statuses.map(signOf)).size).toBe(statuses.length);
    expect(runStatuses.toSorted()).toEqual(statuses.toSorted());
  });

  it.each(exclusionCodes)('%s is said in plain words', (code) => {
    expect(wordsOf(code)).toMatch(/^[A-Z][^_]+$/);
  });

  it('every code that a run or an instance ends with is said in plain words', () => {
    const steps = /^lib\/((guards|retry|verify|execute|run)|(plan|guards|execute)\/[a-z-]+)\.ts$/;
    const texts = projectFiles('lib')
      .filter((path) => steps.test(path))
      .map(textOf)
      .join('');
    const codes = [...texts.matchAll(/\bcode: '([a-z_]+)'/g)].map(([, code = '']) => code);

    expect(codes.length).toBeGreaterThan(20);
    expect(codes.filter((code) => !/^[A-Z]/.test(wordsOf(code)))).toEqual([]);
  });

  it('a code that nobody thought of stays readable', () => {
    expect(wordsOf('some_new_code')).toBe('some new code');
    expect(wordOf('some_new_status')).toBe('some new status');
  });
});

describe('times', () => {
  it.each([
    ['2026-11-23T20:05:03.000Z', 'Mon 23 Nov, 21:05:03'],
    ['2026-07-01T20:05:03.000Z', 'Wed 1 Jul, 22:05:03'],
    ['2025-12-31T23:30:00.000Z', 'Thu 1 Jan, 00:30:00'],
    ['2025-11-23T20:05:03.000Z', 'Sun 23 Nov 2025, 21:05:03'],
    ['no time', 'no time'],
  ])('%s is %s on clocks in Berlin', (iso, shown) => {
    expect(localTime(iso, clock).replaceAll(/(?<=\w),? (?=\d{4}|\d+ )/g, ' ')).toBe(shown);
  });

  it.each([
    [-5, '0 s'],
    [59_400, '59 s'],
    [60_000, '1 min'],
    [185_000, '3 min 5 s'],
    [7_800_000, '2 h 10 min'],
    [353_000_000, '4 d 2 h'],
  ])('%d ms are %s', (milliseconds, shown) => {
    expect(spanOf(milliseconds)).toBe(shown);
  });

  it('says how far away they are', () => {
    expect(fromNow('2026-11-23T20:15:00Z', now)).toBe('in 5 min');
    expect(fromNow('2026-11-23T20:05:00Z', now)).toBe('5 min ago');
  });
});

describe('before sign-in', () => {
  it('nothing is shown but the way in', () => {
    const page = pageOf(
      {
        ...nobody,
        shown: { kind: 'run', run: evilRun },
        pauses: [{ project: null, reason: evil, by: evil, at: evil }],
      },
      clock,
    );

    expect(textIn(page)).toBe(
      'dcs-autopilot Operator token It is kept in this tab only, until you close it or sign out. Sign in',
    );
  });
});

describe('a run', () => {
  it('tells its status by sign and word, who asked, and what became of each instance', () => {
    const text = shownRun({});

    expect(text).toContain('◐ partly done');
    expect(text).toContain('operator alice');
    expect(text).toMatch(/stg-cart-01 .*✓ succeeded .*Verified: seen at work, then running\./);
    expect(text).toMatch(/stg-cart-02 .*✗ failed .*DCS refused it without a reason failed/);
    expect(text).toContain('⚠ loses its data');
    expect(text).toMatch(/stg-billing-01 .*It is protected protected it carries a tag/);
  });

  it('shows trouble first', () => {
    const text = shownRun({});

    expect(text.indexOf('stg-cart-02')).toBeLessThan(text.indexOf('stg-cart-03'));
  });

  it('that goes on calls what is not known yet at work, and says nothing of trying again', () => {
    const text = shownRun({
      status: 'running',
      finishedAt: undefined,
      counts: { succeeded: 1, failed: 0, unknown: 1, skipped: 0, notStarted: 1 },
    } as never);

    expect(text).toContain('1 succeeded, 1 at work, 1 waiting');
    expect(text).toContain('Cancel this run');
    expect(text).not.toContain('Try again');
  });

  it('that was refused tells the code in words and when it lifts', () => {
    const text = shownRun({
      status: 'refused',
      code: 'outside_window',
      reason: 'the window opens at 22:00',
      liftsAt: '2026-11-23T21:00:00.000Z',
    });

    expect(text).toContain('The window is closed outside_window');
    expect(text).toMatch(/Expected to be over Mon.* 22:00:00 , in 50 min\./);
  });

  it('that waits for a word shows the plan’s hash, how long it has, and both answers', () => {
    const approval = {
      planHash: 'c'.repeat(64),
      requestedAt: '2026-11-23T20:00:00.000Z',
      lapsesAt: '2026-11-23T21:00:00.000Z',
    };
    const page = runPage(runOf({ status: 'awaiting_approval', approval }), clock);

    expect(find(page, 'form')[0]?.attrs).toMatchObject({ 'data-act': 'decide', 'data-hash': 'c'.repeat(64) });
    expect(textIn(page)).toMatch(/Lapses in 50 min .*⚠ 2 instances will lose all data\. .*Approve this plan Reject/);
  });

  it('that was a dry run can be run, by typing its name where data is destroyed', () => {
    const destructive = find(runPage(runOf({ status: 'planned', outcomes: [], counts: noCounts }), clock), 'input');
    const harmless = runOf({ status: 'planned', outcomes: [], counts: noCounts });
    const waves = harmless.plan.waves.map((wave) => wave.map((each) => ({ ...each, dataLoss: false })));
    const mild = find(runPage({ ...harmless, plan: { ...harmless.plan, waves } }, clock), 'input');

    expect(destructive.map(({ attrs }) => attrs['name'])).toEqual(['reason', 'typed']);
    expect(mild.map(({ attrs }) => attrs['name'])).toEqual(['reason']);
  });

  it('that can be tried again warns of the data of those alone that are tried again', () => {
    expect(shownRun({})).toMatch(/Try again: 1 instance .*⚠ 1 instance will lose all data\./);
  });

  it('tells who stopped it, who let it go on, its rungs, its backups', () => {
    const at = '2026-11-23T20:01:00.000Z';
    const text = shownRun({
      stop: { code: 'cancelled', reason: 'wrong fleet', by: 'operator:bob', at },
      approval: {
        planHash: 'c',
        requestedAt: at,
        lapsesAt: at,
        decision: { verdict: 'approved', by: 'operator:carol', at },
      },
      rungs: [{ number: 1, action: 'soft_restart', status: 'failed', endedAt: at }],
      restore: 'POST /restores',
    });

    expect(text).toMatch(/Stopped operator bob , .* : wrong fleet/);
    expect(text).toMatch(/Approved operator carol/);
    expect(text).toMatch(/soft restart: ✗ failed/);
    expect(text).toContain('POST /restores');
    expect(text).toContain('Backup 0f1e2d3c');
  });

  it('of ten thousand shows two hundred of a wave, and how many it does not', () => {
    const [one] = runOf({}).plan.waves.flat();
    const wave = Array.from({ length: 10_000 }, (_, at) => ({ ...one, instanceId: `id-${at}` }));
    const page = runPage(runOf({ plan: { hash: 'c', waves: [wave as never], excluded: [] } }), clock);

    expect(find(page, 'tr')).toHaveLength(201);
    expect(textIn(page)).toContain('9800 more are not shown here.');
  });
});

describe('a timeline', () => {
  it.each([
    [0, 'accepted at 21:00:05, 5 s after the start; verified 20 s later: seen at work, then running'],
    [1, 'failed, not accepted'],
    [2, 'skipped'],
  ])('of outcome %d in words', (at, words) => {
    const run = runOf({});

    expect(run.outcomes[at] && timelineText(run.outcomes[at], run, clock)).toBe(words);
  });

  it('lies within its picture, whatever the times are', () => {
    const run = runOf({ startedAt: '2026-11-23T20:00:00.000Z', finishedAt: '2026-11-23T20:00:00.000Z' });
    const places = find(runPage(run, clock), 'svg')
      .flatMap((svg) => attributesOf(svg))
      .filter((value) => value.endsWith('%'));

    expect(places.length).toBeGreaterThan(5);
    expect(places.map(Number.parseFloat).filter((place) => !(place >= 0 && place <= 100))).toEqual([]);
  });
});

describe('a heat map', () => {
  it('has a row for each instance, those with most trouble first, and the newest run at the right', () => {
    const newer = runOf({ runId: 'newer', createdAt: '2026-11-22T20:00:00.000Z' });
    const map = heatMap([newer, runOf({})], clock);

    expect(find(map, 'th').map(textIn).slice(3)).toEqual(['stg-cart-02', 'stg-cart-01', 'stg-cart-03']);
    expect(find(map, 'a').map(({ attrs }) => attrs['href'])).toEqual([
      '#/runs/nightly-0123456789abcdef0123',
      '#/runs/newer',
    ]);
    expect(find(map, 'td').map(({ attrs }) => attrs['title'])[0]).toBe('failed, 3 attempts: it failed three times');
  });

  it('says when there is nothing to show', () => {
    expect(textIn(heatMap([], clock))).toBe('No run of this job has touched an instance yet.');
  });
});

describe('lists', () => {
  it('of runs link to each, and page by page', () => {
    const filter = { job: 'nightly', status: '', cursor: '' };
    const page = runsPage({ runs: [runOf({})], next: 'abc' }, filter, ['nightly', 'other'], clock);

    expect(find(page, 'a').map(({ attrs }) => attrs['href'])).toEqual([
      '#/runs/nightly-0123456789abcdef0123',
      '#/?job=nightly&cursor=abc',
    ]);
    expect(countsText(runOf({}))).toBe('1 succeeded, 1 failed, 1 skipped');
  });

  it('of jobs say what starts them, when next, and what is switched off', () => {
    const text = textIn(
      jobsPage([jobView, { ...jobView, name: 'off', enabled: false, rungs: ['soft_restart', 'restart'] }], clock),
    );

    expect(text).toMatch(/nightly flush staging-caches in staging schedule Tue.*02:00:00 , in 4 h 50 min/);
    expect(text).toMatch(/off ⊘ switched off soft restart, then restart/);
  });

  it('a job that is switched off has no form', () => {
    expect(find(jobPage({ ...jobView, enabled: false }, [], clock), 'form')).toEqual([]);
    expect(find(jobPage(jobView, [], clock), 'form')).toHaveLength(1);
  });
});

describe('a place in the page', () => {
  it.each([
    ['', { kind: 'runs', filter: { job: '', status: '', cursor: '' } }],
    ['#/?job=a&status=failed', { kind: 'runs', filter: { job: 'a', status: 'failed', cursor: '' } }],
    ['#/runs/a-1', { kind: 'run', name: 'a-1' }],
    ['#/runs/%E0%A4%A', { kind: 'run', name: '%E0%A4%A' }],
    ['#/jobs', { kind: 'jobs' }],
    ['#/jobs/a', { kind: 'job', name: 'a' }],
    ['#/pause', { kind: 'pause' }],
    ['#/nowhere', { kind: 'runs', filter: { job: '', status: '', cursor: '' } }],
  ])('%s', (hash, route) => {
    expect(routeOf(hash)).toEqual(route);
  });

  it('that is linked is found again', () => {
    const filter = { job: 'a', status: 'failed', cursor: 'x=&#' };

    expect(routeOf(listLink(filter))).toEqual({ kind: 'runs', filter });
  });
});

describe('what comes from outside', () => {
  it('is text in every view: no element, no attribute that does something, no foreign address', () => {
    const shown = [
      { kind: 'run', run: evilRun },
      {
        kind: 'runs',
        page: { runs: [evilRun], next: evil },
        filter: { job: evil, status: evil, cursor: evil },
        jobs: [evil],
      },
      { kind: 'jobs', jobs: [{ ...jobView, name: evil, target: evil, project: evil }] },
      { kind: 'job', job: { ...jobView, name: evil, target: evil, project: evil }, runs: [evilRun] },
      { kind: 'pause', projects: [evil] },
      { kind: 'nothing', why: evil },
    ] as const;
    const pauses = [{ project: evil, reason: evil, by: evil, at: evil }];
    const problem = { code: evil, message: evil, details: [{ path: evil, message: evil }] };

    for (const each of shown) {
      const page = pageOf(
        { signedIn: true, shown: each, pauses, problem, said: evil, stale: evil, loadedAt: 1, place: 'run' },
        clock,
      );

      expect(textIn(page)).toContain(evil);
      expect(find(page, 'img')).toEqual([]);
      const names = find(page, '*').flatMap(({ attrs }) => Object.keys(attrs));
      expect(names.filter((name) => /^on|^style$|^src|^srcdoc|^action$|^formaction$/.test(name))).toEqual([]);
      const links = find(page, 'a').map(({ attrs }) => attrs['href']);
      expect(links.filter((link) => !link?.startsWith('#/'))).toEqual([]);
    }
  });
});

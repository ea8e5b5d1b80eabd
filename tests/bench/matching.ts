// Matching alone: a delivery of alerts against jobs, each job tried by hand against the compiled index, by turns. The
// hand's regular expressions are V8's, compiled beforehand; the index starts each delivery with nothing remembered.

import type { Alert } from '../../lib/alert.ts';
import type { Matcher } from '../../lib/config.ts';
import { type AlertJob, compileJobs, type Labelled, matchAlerts } from '../../lib/match.ts';
import { naiveMatch } from '../support/naive-match.ts';
import { median, spread, table } from './figures.ts';

const rules = 40;
const teams = ['orders', 'carts', 'search', 'users', 'mail'];
const severities = ['info', 'warning', 'critical', 'page'];

/** Measures `rounds` deliveries each, after a tenth as many that do not count; answers with the report. */
export function matching(alertCount: number, jobCount: number, rounds: number): string {
  const jobs = Array.from({ length: jobCount }, (_, i) => jobOf(i));
  const alerts = Array.from({ length: alertCount }, (_, i) => alertOf(i));
  const index = compileJobs(jobs);
  const contenders = {
    'each job by hand': () => alerts.map((alert) => naiveMatch(jobs, alert)),
    index: () => matchAlerts(index, alerts),
    'compiling the index': () => matchAlerts(compileJobs(jobs), []),
  };
  const samples = takeTurns(Object.values(contenders), rounds);
  const rows = Object.keys(contenders).map((name, place) => [name, spread(samples[place] ?? [], 2)]);
  const ratio = median(samples[1] ?? []) / median(samples[0] ?? []);
  const matched = matchAlerts(index, alerts).filter((found) => found.length > 0).length;
  const head = `${alertCount} alerts, ${jobCount} jobs`;
  return table([[head, 'ms'], ...rows, ['index / by hand', ratio.toFixed(3)], ['alerts with a job', `${matched}`]]);
}

/** Half of the jobs ask for one rule, the others for several; some more conditions come to every third and fourth. */
function jobOf(i: number): AlertJob {
  const match: Matcher[] = [
    i % 2 === 0
      ? { label: 'alertname', op: '=', value: `Rule${i % rules}` }
      : { label: 'alertname', op: '=~', value: `Rule${i % rules}|Other${i}.*` },
    { label: 'team', op: '=', value: teams[i % teams.length] ?? '' },
  ];
  if (i % 3 === 0) match.push({ label: 'severity', op: '=~', value: 'crit.*|page' });
  if (i % 4 === 0) match.push({ label: 'env', op: '!=', value: 'dev' });
  if (i % 8 === 0) match.push({ label: 'dcs_instance_id', op: '!~', value: 'ffff.*' });
  return { name: `job-${i}`, trigger: { source: 'alertmanager', match, continue: i % 10 === 0 } };
}

function alertOf(i: number): Labelled {
  const source: Alert['source'] = 'alertmanager';
  const labels = {
    alertname: `Rule${i % (rules * 2)}`,
    team: teams[(i * 7) % teams.length] ?? '',
    severity: severities[(i * 3) % severities.length] ?? '',
    env: i % 5 === 0 ? 'dev' : 'prod',
    dcs_instance_id: `0a1b2c3d-0000-4000-8000-${String(i).padStart(12, '0')}`,
  };
  return { source, labels };
}

function takeTurns(works: readonly (() => unknown)[], rounds: number): number[][] {
  const samples = works.map((): number[] => []);
  for (let round = -Math.ceil(rounds / 10); round < rounds; round++) {
    for (const [place, work] of works.entries()) {
      const start = performance.now();
      work();
      if (round >= 0) samples[place]?.push(performance.now() - start);
    }
  }
  return samples;
}

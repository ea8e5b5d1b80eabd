// Runs and jobs as the page is told of them, good and evil ones, and ways to look into a tree. All made up.

import type { JobView } from '../../lib/doors/jobs.ts';
import type { RunView } from '../../lib/report.ts';

/** An element, or a text. */
interface Tree {
  readonly tag: string;
  readonly attrs: Readonly<Record<string, string>>;
  readonly children: readonly (Tree | string)[];
}

/** What somebody might put into a name or a reason. */
export const evil = '"><img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>';

const idOf = (last: number) => `11111111-1111-4111-8111-11111111111${last}`;
const planned = (last: number, dataLoss: boolean) => ({
  instanceId: idOf(last),
  name: `stg-cart-0${last}`,
  reason: 'RUNNING Redis 6.0 of staging-caches',
  dataLoss,
});

const run: RunView = {
  runId: 'nightly-0123456789abcdef0123',
  job: 'nightly',
  action: 'flush',
  trigger: 'manual',
  status: 'partial',
  requestedBy: 'operator:alice',
  counts: { succeeded: 1, failed: 1, unknown: 0, skipped: 1, notStarted: 0 },
  createdAt: '2026-11-23T19:59:58.000Z',
  startedAt: '2026-11-23T20:00:00.000Z',
  finishedAt: '2026-11-23T20:01:00.000Z',
  plan: {
    hash: 'a'.repeat(64),
    waves: [[planned(1, true)], [planned(3, false), planned(2, true)]],
    excluded: [{ instanceId: idOf(4), name: 'stg-billing-01', code: 'protected', reason: 'it carries a tag' }],
  },
  outcomes: [
    {
      instanceId: idOf(1),
      name: 'stg-cart-01',
      status: 'succeeded',
      attempts: 1,
      acceptedAt: '2026-11-23T20:00:05.000Z',
      verifiedAt: '2026-11-23T20:00:25.000Z',
      verifiedBy: 'state',
      backup: { id: '0f1e2d3c', takenAt: '2026-11-23T19:00:00.000Z' },
    },
    {
      instanceId: idOf(2),
      name: 'stg-cart-02',
      status: 'failed',
      attempts: 3,
      code: 'failed',
      reason: 'it failed three times',
    },
    { instanceId: idOf(3), name: 'stg-cart-03', status: 'skipped', attempts: 0, code: 'drifted', reason: 'it is gone' },
  ],
};

/** A run that has ended, with `changes`. */
export function runOf(changes: Partial<RunView>): RunView {
  return { ...run, ...changes };
}

/** A run with that in every text. */
export const evilRun: RunView = {
  ...run,
  job: evil,
  action: evil,
  code: evil,
  reason: evil,
  liftsAt: evil,
  requestedBy: evil,
  createdAt: evil,
  plan: {
    hash: evil,
    waves: run.plan.waves.map((wave) => wave.map((each) => ({ ...each, name: evil, reason: evil }))),
    excluded: run.plan.excluded.map((each) => ({ ...each, name: evil, reason: evil, liftsAt: evil })),
  },
  outcomes: run.outcomes.map((each) => ({ ...each, name: evil, code: evil, reason: evil })),
  stop: { code: 'cancelled', reason: evil, by: evil, at: evil },
  approval: {
    planHash: evil,
    requestedAt: evil,
    lapsesAt: evil,
    decision: { verdict: 'rejected', by: evil, at: evil, reason: evil },
  },
  restore: evil,
};

/** A job on a schedule. */
export const jobView: JobView = {
  name: 'nightly',
  action: 'flush',
  project: 'staging',
  target: 'staging-caches',
  trigger: 'schedule',
  enabled: true,
  dryRun: false,
  approval: 'none',
  next: '2026-11-24T01:00:00.000Z',
};

/** All elements of a tree with that name, in order; `*`: of any. */
export function find(tree: Tree, tag: string): Tree[] {
  const inside = tree.children.flatMap((child) => (typeof child === 'string' ? [] : find(child, tag)));
  return tag === '*' || tree.tag === tag ? [tree, ...inside] : inside;
}

/** What is read in a tree. */
export function textIn(tree: Tree | string): string {
  if (typeof tree === 'string') return tree;
  return tree.children.map(textIn).join(' ').replaceAll(/\s+/g, ' ').trim();
}

/** The values of all attributes in a tree. */
export function attributesOf(tree: Tree): string[] {
  return find(tree, '*').flatMap(({ attrs }) => Object.values(attrs));
}

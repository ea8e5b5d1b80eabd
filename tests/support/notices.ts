// A record with everything that a run can have, secrets and keys included: whatever is marked so must never be told.

import type { Notify } from '../../lib/config.ts';
import type { PlannedInstance } from '../../lib/plan.ts';
import type { RunRecord } from '../../lib/record.ts';
import type { Outcome } from '../../lib/report.ts';
import { idOf, jobOf } from './scenario.ts';

/** Texts that stand in the record and are nobody's business. */
export const secretTexts = ['READ-KEY-HASH', 'BODY-HASH', 'DELIVERY-KEY', 'ANSWER-ID', 'EXECUTION-ARN', 'SECRET-NAME'];

const stop = { code: 'cancelled', reason: 'wrong night', by: 'operator:bob', at: '2026-11-23T02:05:00.000Z' } as const;

/** A run that was approved, failed in part and was cancelled; `change` makes it another one. */
export function fullRecord(change: Partial<RunRecord> = {}): RunRecord {
  return {
    v: 1,
    runId: 'nightly-0123456789abcdef0123',
    job: jobOf('flush', {
      project: { ...jobOf('flush').project, credentials: { aksk: 'env:SECRET-NAME' } },
      trigger: { type: 'webhook', auth: 'bearer', secrets: ['env:SECRET-NAME'], instances: 'subset' },
    }),
    action: 'flush',
    event: {
      trigger: 'webhook',
      identity: ['bearer', 'DELIVERY-KEY'],
      requestedBy: 'webhook:nightly',
      receivedAt: '2026-11-23T02:00:00.000Z',
    },
    delivery: { door: 'hooks/nightly/bearer', key: 'DELIVERY-KEY', bodyHash: 'BODY-HASH' },
    status: 'partial',
    code: 'cancelled',
    reason: 'operator:bob: wrong night',
    liftsAt: '2026-11-23T05:00:00.000Z',
    stop,
    approval: {
      answerId: 'ANSWER-ID',
      planHash: 'aa11',
      requestedAt: '2026-11-23T02:00:01.000Z',
      lapsesAt: '2026-11-23T03:00:01.000Z',
      decision: { verdict: 'approved', by: 'operator:alice', at: '2026-11-23T02:01:00.000Z' },
    },
    started: true,
    execution: 'EXECUTION-ARN',
    readKey: { hash: 'READ-KEY-HASH', expiresAt: '2026-11-24T02:00:00.000Z' },
    plan: { hash: 'aa11', waves: [1, 9], excluded: 2 },
    counts: { succeeded: 1, failed: 6, unknown: 1, skipped: 0, notStarted: 2 },
    notice: 'due',
    createdAt: '2026-11-23T02:00:00.000Z',
    startedAt: '2026-11-23T02:00:00.500Z',
    finishedAt: '2026-11-23T02:20:00.000Z',
    ...change,
  };
}

/** The plan of that run: ten instances, of which three lose their data. */
export const plannedTen: readonly PlannedInstance[] = Array.from({ length: 10 }, (_, i) => ({
  instanceId: idOf(i + 1),
  name: `cache-${i + 1}`,
  reason: 'selected by tag env=staging',
  dataLoss: i < 3,
}));

/** Its outcomes: one success, six failures, one nobody knows of, two that were not begun. */
export const outcomesOfTen: readonly Outcome[] = plannedTen.map(({ instanceId, name }, i): Outcome => {
  if (i === 0) return { instanceId, name, status: 'succeeded', attempts: 1, verifiedBy: 'state' };
  if (i >= 8) return { instanceId, name, status: 'not_started', attempts: 0, code: 'cancelled' };
  const status = i === 7 ? 'unknown' : 'failed';
  return {
    instanceId,
    name,
    status,
    attempts: i,
    code: 'attempts_exhausted',
    reason: 'DCS <answered> "failed" & more',
  };
});

/** One listener of each kind, for these statuses. */
export function listeners(on: Notify['on']): Notify[] {
  return [
    { on, to: 'webhook', url: 'env:CHAT_WEBHOOK', format: 'slack' },
    { on, to: 'webhook', url: 'env:PROGRAM_WEBHOOK', format: 'json' },
    { on, to: 'eventbridge', bus: 'default' },
    { on, to: 'sns', topic: 'arn:aws:sns:eu-central-1:111122223333:runs' },
  ];
}

// A run for people: the lines that appear while it goes on, and the report at its end. Pure: the view of a run in, text
// out. A tired reader finds first what needs them: what failed, what is unknown, and why.

import type { Outcome, RunView } from '../report.ts';

/** The lines that tell what changed from one look at a run to the next. */
export function progressLines(before: RunView | null, now: RunView, time: number): string[] {
  const stamp = clock(time);
  const lines: string[] = [];
  if (before === null) lines.push(`${now.action} by ${now.requestedBy}, run ${now.runId}`);
  if (now.plan.hash !== null && (before?.plan.hash ?? null) === null) lines.push(...planLines(now));
  const known = new Map((before?.outcomes ?? []).map((outcome) => [outcome.instanceId, phaseOf(outcome)]));
  for (const outcome of now.outcomes) {
    const phase = phaseOf(outcome);
    const last = known.get(outcome.instanceId) ?? 'waits for its wave';
    if (phase !== last) lines.push(`${pad(outcome.name || outcome.instanceId)} ${phase}`);
  }
  return lines.map((line) => `${stamp}  ${line}`);
}

/** The end of a run. */
export function reportText(view: RunView): string {
  const planned = view.plan.waves.flat();
  const lines = [
    '',
    `${view.job}: ${view.action} ${view.status}${view.code === undefined ? '' : ` (${view.code})`}`,
    ...(view.reason === undefined ? [] : [`  ${view.reason}`]),
    `  ${countsText(view)}${durationText(view)}`,
    ...table(view.outcomes.map(outcomeRow)),
  ];
  if (view.status === 'planned') lines.push(...table(planned.map(({ name, reason }) => ['planned', name, '', reason])));
  if (view.plan.excluded.length > 0) {
    lines.push(
      '  left out:',
      ...table(view.plan.excluded.map((out) => [out.code, out.name || out.instanceId, '', out.reason])),
    );
  }
  return `${lines.join('\n')}\n`;
}

function planLines({ plan }: RunView): string[] {
  const sizes = plan.waves.map((wave) => wave.length);
  const losing = plan.waves.flat().filter(({ dataLoss }) => dataLoss).length;
  const waves = sizes.length === 0 ? 'nobody' : `${sum(sizes)} in waves of ${sizes.join(', ')}`;
  const loss = losing === 0 ? '' : `; ${losing} of them lose their data`;
  return [
    `plan ${plan.hash?.slice(0, 12)}: ${waves}${loss}`,
    ...plan.excluded.map(({ name, instanceId, reason }) => `${pad(name || instanceId)} left out: ${reason}`),
  ];
}

function phaseOf({ status, code, reason, attempts, verifiedBy }: Outcome): string {
  if (status === 'succeeded') return `done${attempts > 1 ? ` at attempt ${attempts}` : ''}, verified by ${verifiedBy}`;
  if (code === 'sending') return 'its call goes out';
  if (code === 'verifying') return 'accepted, being verified';
  if (code === 'busy') return `busy, waiting: ${reason}`;
  if (code === 'failed') return `refused without a reason at attempt ${attempts}, will be retried`;
  if (status === 'not_started' && code === undefined) return 'waits for its wave';
  return `${status.replace('_', ' ')}: ${reason ?? code}`;
}

function outcomeRow({ status, name, instanceId, attempts, verifiedBy, reason }: Outcome): string[] {
  const tries = attempts === 1 ? '1 attempt' : `${attempts} attempts`;
  const why = status === 'succeeded' ? `verified by ${verifiedBy}` : (reason ?? '');
  return [status.replace('_', ' '), name || instanceId, tries, why];
}

function countsText({ counts, plan, outcomes }: RunView): string {
  if (outcomes.length + plan.excluded.length === 0) return 'nothing was sent';
  const parts = [
    `${counts.succeeded} succeeded`,
    ...(counts.failed > 0 ? [`${counts.failed} failed`] : []),
    ...(counts.unknown > 0 ? [`${counts.unknown} unknown`] : []),
    ...(counts.skipped > 0 ? [`${counts.skipped} skipped`] : []),
    ...(counts.notStarted > 0 ? [`${counts.notStarted} not started`] : []),
    ...(plan.excluded.length > 0 ? [`${plan.excluded.length} left out`] : []),
  ];
  return parts.join(', ');
}

function durationText({ startedAt, finishedAt }: RunView): string {
  if (startedAt === undefined || finishedAt === undefined) return '';
  return `, in ${Math.round((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000)} s`;
}

/** Rows under each other, columns aligned, two spaces apart. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd());
}

function pad(name: string): string {
  return name.padEnd(16);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}

function clock(time: number): string {
  return new Date(time).toISOString().slice(11, 19);
}

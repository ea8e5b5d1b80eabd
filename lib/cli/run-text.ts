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
  return lines.map((line) => printable(`${stamp}  ${line}`));
}

/** What has to be said by somebody when a run begins to wait for it. */
export function approvalLines(before: RunView | null, now: RunView): string[] {
  const { approval, runId, status } = now;
  if (status !== 'awaiting_approval' || before?.status === status || approval === undefined) return [];
  return [
    `it waits until ${approval.lapsesAt} for another operator than ${now.requestedBy} to approve this plan:`,
    `  npx dcs-autopilot approve ${runId} --plan ${approval.planHash}`,
  ];
}

/** What a plan would do, before it is done. */
export function planText({ job, action, plan }: Pick<RunView, 'job' | 'action' | 'plan'>): string {
  const planned = plan.waves.flat();
  const losing = planned.filter(({ dataLoss }) => dataLoss).length;
  const head = `${job}: ${action} of ${planned.length}${losing === 0 ? '' : `, of which ${losing} lose their data`}`;
  return textOf([head, ...waveLines(plan), ...excludedLines(plan.excluded)]);
}

/** The end of a run, or how far it is. */
export function reportText(view: RunView): string {
  const lines = [
    '',
    `${view.job}: ${view.action} ${view.status}${view.code === undefined ? '' : ` (${view.code})`}`,
    ...(view.reason === undefined ? [] : [`  ${view.reason}`]),
    ...(view.breakGlass === undefined ? [] : [`  the glass was broken by ${view.requestedBy}: ${view.breakGlass}`]),
    `  ${countsText(view)}${durationText(view)}`,
    ...table(view.outcomes.map(outcomeRow)),
  ];
  if (view.status === 'planned') lines.push(...waveLines(view.plan));
  return textOf([...lines, ...excludedLines(view.plan.excluded)]);
}

function waveLines({ waves, hash }: RunView['plan']): string[] {
  const rows = waves.map((wave) =>
    wave.map(({ name, instanceId, reason, dataLoss }) => [
      name || instanceId,
      instanceId,
      dataLoss ? 'loses data' : '',
      reason,
    ]),
  );
  const lines = rows.flatMap((wave, i) => [`  wave ${i + 1} of ${waves.length}:`, ...table(wave)]);
  return hash === null || waves.length === 0 ? lines : [...lines, `  plan ${hash}`];
}

function excludedLines(excluded: RunView['plan']['excluded']): string[] {
  if (excluded.length === 0) return [];
  return ['  left out:', ...table(excluded.map((out) => [out.code, out.name || out.instanceId, '', out.reason]))];
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

function countsText({ status, counts, plan, outcomes }: RunView): string {
  const leftOut = plan.excluded.length > 0 ? `, ${plan.excluded.length} left out` : '';
  if (status === 'planned') return `${plan.waves.flat().length} planned${leftOut}`;
  if (outcomes.length + plan.excluded.length === 0) return 'nothing was sent';
  const parts = [
    `${counts.succeeded} succeeded`,
    ...(counts.failed > 0 ? [`${counts.failed} failed`] : []),
    ...(counts.unknown > 0 ? [`${counts.unknown} unknown`] : []),
    ...(counts.skipped > 0 ? [`${counts.skipped} skipped`] : []),
    ...(counts.notStarted > 0 ? [`${counts.notStarted} not started`] : []),
  ];
  return `${parts.join(', ')}${leftOut}`;
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

function textOf(lines: readonly string[]): string {
  return `${lines.map(printable).join('\n')}\n`;
}

/** A line without what moves the cursor of a terminal: names and reasons come from elsewhere. */
export function printable(line: string): string {
  return line.replace(/\p{Cc}/gu, '?');
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

// The state as a page for a browser: what took hold, the calls, the instances. One text without any other file, so that
// it can be opened wherever the simulator runs.

import type { Fleet } from './fleet.ts';
import type { InstanceView } from './instance.ts';
import { type Applied, appliedBy } from './state.ts';
import type { StatusCall } from './status-call.ts';

/** Rows of a table at most: the newest ones. */
const mostRows = 500;

/** The page at a moment (milliseconds since the epoch). */
export function statePage(fleet: Fleet, now: number): string {
  const calls = Object.entries(fleet.calls()).filter(([, count]) => count > 0);
  const counts = calls.map(([name, count]) => `${count} ${name}`).join(', ') || 'none yet';
  const applied = appliedBy(fleet);
  const requests = fleet.statusCalls();
  const views = fleet.views();
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Simulated DCS</title>
<style>
body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem; color: #1b1b1b; background: #fff }
table { border-collapse: collapse; margin: .5rem 0 2rem }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #ddd; white-space: nowrap }
td { font-variant-numeric: tabular-nums }
.more, .lost { font-weight: bold; color: #a40000 }
</style>
</head>
<body>
<h1>Simulated DCS</h1>
<p>${timeOf(now)}. Calls: ${escaped(counts)}. The same as JSON: <code>GET /__state</code> with <code>Accept: application/json</code>.</p>
${table(`What took hold (${applied.length})`, appliedHeads, applied.toReversed().map(appliedRow))}
${table(`Status calls (${requests.length})`, requestHeads, requests.toReversed().map(requestRow))}
${table(`Instances (${views.length})`, instanceHeads, views.map(instanceRow(fleet)))}
</body>
</html>
`;
}

type Row = readonly (string | { readonly text: string; readonly mark: 'more' | 'lost' })[];

const appliedHeads = ['When', 'Instance', 'Action', 'Caller was told', 'How often', 'Data', 'Ends', 'Request'];

function appliedRow({ at, name, instanceId, action, result, nth, lostData, endsAt, requestId }: Applied): Row {
  const times = `${nth}.`;
  return [
    timeOf(at),
    name || instanceId,
    action,
    result,
    nth > 1 ? { text: times, mark: 'more' } : times,
    lostData ? { text: 'lost', mark: 'lost' } : 'kept',
    timeOf(endsAt),
    requestId,
  ];
}

const requestHeads = ['When', 'Action', 'Instances', 'Answer', 'Caller was told', 'Request'];

function requestRow({ at, action, ids, answer, told, requestId }: StatusCall): Row {
  const results = [...told.values()];
  const failed = results.filter((result) => result === 'failed').length;
  const words = results.length === 0 ? '' : `${results.length - failed} success, ${failed} failed`;
  return [timeOf(at), action, String(ids.length), answer, words, requestId];
}

const instanceHeads = [
  'Name',
  'Id',
  'Engine',
  'Type',
  'Status',
  'Task',
  'Keys',
  'restart',
  'soft_restart',
  'flush',
  'Named',
];

function instanceRow(fleet: Fleet): (view: InstanceView) => Row {
  return (view) => {
    const { restart, soft_restart: soft, flush } = fleet.applied(view.id);
    const counts = [view.keys, restart, soft, flush, fleet.sent(view.id)].map(String);
    return [
      view.name,
      view.id,
      `${view.engine} ${view.version}`,
      view.cacheMode,
      view.status,
      view.task ?? '',
      ...counts,
    ];
  };
}

function table(title: string, heads: readonly string[], rows: readonly Row[]): string {
  const head = heads.map((text) => `<th>${escaped(text)}</th>`).join('');
  const body = rows.slice(0, mostRows).map((row) => `<tr>${row.map(cell).join('')}</tr>\n`);
  const more = rows.length > mostRows ? `<p>Only ${mostRows} of them are shown.</p>` : '';
  return `<h2>${escaped(title)}</h2>\n<table>\n<tr>${head}</tr>\n${body.join('')}</table>${more}`;
}

function cell(value: Row[number]): string {
  if (typeof value === 'string') return `<td>${escaped(value)}</td>`;
  return `<td class="${value.mark}">${escaped(value.text)}</td>`;
}

/** `2026-11-23 12:00:00.000` in UTC. */
function timeOf(at: number): string {
  return new Date(at).toISOString().replace('T', ' ').replace('Z', '');
}

const signs: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => signs[sign] ?? sign);
}

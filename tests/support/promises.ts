// What no run may do, whatever the service is like: said of what the fleet counted, never of our own report alone.

import type { Outcome } from '../../lib/report.ts';
import type { Played } from './scenario.ts';

/** How a run broke its word, each in a sentence; empty where it kept it. */
export function broken(played: Played): string[] {
  return [
    ...brokenCalls(played),
    ...brokenCounts(played),
    ...played.view.outcomes.flatMap((each) => lies(each, played)),
  ];
}

/** No instance twice or too many in a call, nobody flushed twice, nobody protected named. */
function brokenCalls({ fleet, view }: Played): string[] {
  const calls = fleet.statusCalls();
  const perishable = new Set(view.plan.waves.flat().flatMap((each) => (each.dataLoss ? [each.instanceId] : [])));
  return [
    ...calls.flatMap(({ ids }) => (ids.length < 1 || ids.length > 50 ? [`a call named ${ids.length}`] : [])),
    ...calls.flatMap(({ ids }) => (new Set(ids).size < ids.length ? ['a call named one twice'] : [])),
    ...fleet.views().flatMap(({ id, tags }) => {
      const { flush, restart, soft_restart } = fleet.applied(id);
      const isProtected = tags === null || tags['dcs-autopilot-protected'] === 'true';
      const losing = fleet.log().filter(({ instanceId, lostData }) => instanceId === id && lostData).length;
      return [
        ...(flush > 1 ? [`${id} was flushed ${flush} times`] : []),
        ...(perishable.has(id) && losing > 1 && view.rungs === undefined
          ? [`${id} lost its data ${losing} times`]
          : []),
        ...(isProtected && fleet.sent(id) > 0 ? [`${id} is protected and was sent to`] : []),
        ...(Math.max(restart, soft_restart) > mostTimes ? [`${id} was restarted too often`] : []),
      ];
    }),
  ];
}

/** A restart whose answer was lost may be repeated, but not for ever; each rung of a ladder for itself. */
const mostTimes = 2;

function brokenCounts({ view, engine, clock, record }: Played): string[] {
  const planned = view.plan.waves.flat().length;
  const sum = Object.values(view.counts).reduce((a, b) => a + b, 0);
  const hours = (clock.now() - Date.parse(record.createdAt)) / 3600_000;
  return [
    ...(view.finishedAt === undefined ? ['the run did not end'] : []),
    ...(sum !== view.outcomes.length ? [`counts are of ${sum}, outcomes ${view.outcomes.length}`] : []),
    ...(view.outcomes.length > 0 && sum !== planned ? [`counts are of ${sum}, planned were ${planned}`] : []),
    ...(engine.operations.length > 3000 ? [`${engine.operations.length} operations`] : []),
    ...(hours > 12 ? [`it took ${hours} hours`] : []),
  ];
}

/** An outcome that says what is not so. */
function lies({ instanceId, status, code, verifiedAt }: Outcome, { fleet, view, clock }: Played): string[] {
  const { switches } = fleet;
  const works = fleet.log().filter((each) => each.instanceId === instanceId);
  const told = `${instanceId} is ${status} (${code ?? 'no code'})`;
  const shown = fleet.view(instanceId);
  if (status === 'succeeded') {
    const last = works.at(-1);
    const isSeen = view.action !== 'soft_restart' || switches.softRestartVisible;
    const isEarly = isSeen && last !== undefined && Date.parse(verifiedAt ?? '') < last.endsAt;
    return [
      ...(works.length === 0 ? [`${told} and was not acted on`] : []),
      ...(isEarly ? [`${told}, told before it was over`] : []),
      ...(shown?.status === 'RUNNING' || clock.now() < (last?.endsAt ?? 0) ? [] : [`${told} and is ${shown?.status}`]),
    ];
  }
  const isHarmed = works.length > 0 && status !== 'unknown' && code !== 'unhealthy_after';
  return isHarmed ? [`${told} and was acted on`] : [];
}

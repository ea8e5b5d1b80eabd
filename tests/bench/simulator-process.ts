// The simulator in a process of its own, so that what it costs is not taken for a cost of the program. Its parent moves
// its clock and asks what was really done.

import { Fleet } from '../../lib/local/simulator/fleet.ts';
import { startSimulator } from '../../lib/local/simulator/server.ts';
import { instances } from '../support/scenario.ts';
import type { Told, Wish } from './simulator-client.ts';
import { key, projectId } from './site.ts';

const [count = '0', failingSends = '0'] = process.argv.slice(2);
let ahead = 0;
const now = (): number => Date.now() + ahead;

// A fleet as an owner tags it; a tenth of it fails its first sends.
const tags = { env: 'staging', team: 'checkout', owner: 'platform-caching', 'cost-center': '4711' };
const fleet = new Fleet({
  instances: instances(Number(count), () => ({ tags })),
  now,
  script: { fail: { share: 0.1, sends: Number(failingSends) } },
});
const simulator = await startSimulator({ fleet, keys: [key], projectId, now });

process.on('message', ({ asks, value }: Wish) => {
  if (asks === 'skip') ahead = value;
  tell(asks === 'done' ? done() : { calls: null });
});
process.on('disconnect', () => void simulator.close());
tell({ url: simulator.url });

function tell(message: Told): void {
  process.send?.(message);
}

/** Calls by route, sends of instances, and how many instances were acted on once, more than once and never. */
function done(): Told {
  const counts = fleet.views().map(({ id }) => {
    const { restart, soft_restart, flush } = fleet.applied(id);
    return { applied: restart + soft_restart + flush, sent: fleet.sent(id) };
  });
  return {
    calls: { ...fleet.calls() },
    sends: counts.reduce((sum, { sent }) => sum + sent, 0),
    once: counts.filter(({ applied }) => applied === 1).length,
    repeated: counts.filter(({ applied }) => applied > 1).length,
  };
}

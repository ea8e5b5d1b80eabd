// Our own echo: a restart makes a standby take over, drops connections and loads the CPU, and a monitor says so. Acting
// on that would restart what has just been restarted.

import type { Alert } from '../alert.ts';

/** Milliseconds after the end of our own work in which such alerts are its echo; monitors look once a minute. */
export const echoWindow = 10 * 60_000;

/**
 * Events and metrics that a restart or a flush moves, by their name in `metric`. Events: Cloud Eye, "Events supported by
 * event monitoring", SYS.DCS, where masterStandbySwitchover is also said after restarts. Metrics: "DCS metrics".
 */
export const echoes: ReadonlySet<string> = new Set([
  'masterStandbySwitchover',
  'masterStandbyFailover',
  'memcachedMasterStandbyFailover',
  'nodeRestarted',
  'instanceNodeAbnormalRestart',
  'redisNodeStatusAbnormal',
  'redisNodeStatusNormal',
  'memcachedInstanceStatusAbnormal',
  'memcachedInstanceStatusNormal',
  'node_status',
  'cpu_usage',
  'cpu_avg_usage',
  'connected_clients',
  'connections_usage',
  'total_connections_received',
  'rejected_connections',
  'keyspace_hits_perc',
]);

/** The last work of ours on an instance, in ms since the epoch; `until` null: it is still going on. */
export interface OwnWork {
  readonly from: number;
  readonly until: number | null;
}

/** Whether an alert that began at that time is what our own work has caused. `startsAt`: ISO 8601 UTC. */
export function isEcho({ metric = '', startsAt }: Pick<Alert, 'metric' | 'startsAt'>, work: OwnWork | null): boolean {
  if (work === null || !echoes.has(metric)) return false;
  const at = Date.parse(startsAt);
  return at >= work.from && (work.until === null || at <= work.until + echoWindow);
}

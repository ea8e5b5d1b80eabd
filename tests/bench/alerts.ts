// A delivery of alerts on one machine: the real door, state and durable runs in a file, and a DCS that takes connections
// and never answers. What is timed is the answer that the sender waits for.

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { alertDoor } from '../../functions/alert.ts';
import { readConfig } from '../../lib/config/file.ts';
import { realClock } from '../../lib/local/clock.ts';
import { composeLocal } from '../../lib/local/compose.ts';
import { openDatabase } from '../../lib/local/database.ts';
import { toContext } from '../../lib/local/gateway.ts';
import { EnvSecrets } from '../../lib/local/secrets.ts';
import { eventOf } from '../support/door-world.ts';
import { spread, table } from './figures.ts';

const silence = (): void => undefined;
const token = 'example-token-made-up';

/** Measures deliveries of `count` alerts about as many instances, `rounds` times on a state of their own. */
export async function alerts(count: number, rounds: number): Promise<string> {
  const samples: Record<string, number[]> = { 'all new': [], repeated: [], 'all resolved': [] };
  for (let round = 0; round < rounds; round++) {
    for (const [what, ms] of Object.entries(await deliverAll(count))) samples[what]?.push(ms);
  }
  const rows = Object.entries(samples).map(([what, all]) => [what, spread(all, 0)]);
  return table([[`a delivery of ${count} alerts`, 'ms to its answer'], ...rows]);
}

async function deliverAll(count: number): Promise<Record<string, number>> {
  const dcs = createServer(silence);
  await new Promise<void>((resolve) => dcs.listen(0, '127.0.0.1', resolve));
  const address = dcs.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const folder = mkdtempSync(join(tmpdir(), 'autopilot-alerts-'));
  const database = openDatabase(folder);
  const log = { error: silence, warn: silence, info: silence, debug: silence };
  const secrets = new EnvSecrets({ TEST_AK: 'AK', TEST_SK: 'SK', ALERT_TOKEN: token }, Date.now);
  const local = composeLocal({ config: configOf(port), database, secrets, token, clock: realClock, log });
  local.backend.resume();
  const door = alertDoor(async () => local.runtime);
  const deliver = async (status: string): Promise<number> => {
    const event = eventOf({
      path: '/alerts/alertmanager',
      headers: { authorization: `Bearer ${token}` },
      body: group(count, status),
    });
    const began = performance.now();
    const { statusCode } = await door(event, toContext('alert', 'bench'));
    if (statusCode !== 202) throw new Error(`the door answered ${statusCode}`);
    return performance.now() - began;
  };
  try {
    return {
      'all new': await deliver('firing'),
      repeated: await deliver('firing'),
      'all resolved': await deliver('resolved'),
    };
  } finally {
    await local.backend.stop();
    database.close();
    dcs.close();
    rmSync(folder, { recursive: true });
  }
}

const startsAt = new Date(Date.now() - 1000).toISOString();

function group(count: number, status: string): string {
  const each = (_: unknown, i: number) => ({
    status,
    labels: { alertname: 'High', dcs_instance_id: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}` },
    startsAt,
    fingerprint: `f${i}`,
  });
  return JSON.stringify({ version: '4', alerts: Array.from({ length: count }, each) });
}

function configOf(port: number) {
  return readConfig(
    `
projects:
  p: {region: eu-de, projectId: 0a1b2c3d4e5f60718293a4b5c6d7e8f9, endpoint: "http://127.0.0.1:${port}", credentials: {aksk: env:TEST}}
targets:
  all: {project: p, names: ["*"]}
sources:
  alertmanager: {auth: bearer, secrets: [env:ALERT_TOKEN]}
alertStorm: {count: 10000, share: 100%}
jobs:
  fix: {action: soft_restart, target: all, trigger: {alert: {source: alertmanager, match: {alertname: High}}}}
`,
    'bench',
  );
}

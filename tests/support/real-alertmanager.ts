// A real Alertmanager (Debian package prometheus-alertmanager) on loopback, which sends to a door: what is fired through
// its API, it groups, repeats and resolves by itself. Peers gossip with each other.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const program = 'prometheus-alertmanager';

/** Whether the program is installed here. */
export const isInstalled = spawnSync(program, ['--version']).status === 0;

/** Where alerts are sent, and with which token. */
export interface Receiver {
  readonly url: string;
  readonly token: string;
}

/** One Alertmanager, or several peers. */
export class RealAlertmanager {
  readonly #folder = mkdtempSync(join(tmpdir(), 'autopilot-alertmanager-'));
  readonly #children: ChildProcess[] = [];
  readonly #ports: number[] = [];

  /** Starts `peers` of them; resolves when all are ready. */
  static async start(receiver: Receiver, peers: number): Promise<RealAlertmanager> {
    const started = new RealAlertmanager();
    const config = join(started.#folder, 'alertmanager.yml');
    writeFileSync(config, configOf(receiver));
    const gossip = await Promise.all(Array.from({ length: peers }, freePort));
    for (const port of gossip) await started.#startOne(config, port, gossip);
    return started;
  }

  /** Fires an alert, or resolves it with `endsAt`, at each of the peers, as Prometheus does. */
  async fire(labels: Readonly<Record<string, string>>, times: { startsAt: string; endsAt?: string }): Promise<void> {
    for (const port of this.#ports) {
      const response = await fetch(`http://127.0.0.1:${port}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify([{ labels, ...times }]),
      });
      if (!response.ok) throw new Error(`Alertmanager answered ${response.status}`);
    }
  }

  /** Resolves when at least `count` notifications more were taken from all of them together. */
  async delivers(count: number): Promise<void> {
    const before = await this.#delivered();
    while ((await this.#delivered()) < before + count) await sleep(50);
  }

  async stop(): Promise<void> {
    const ended = this.#children.map((child) => (child.exitCode === null ? once(child, 'exit') : undefined));
    for (const child of this.#children) child.kill('SIGKILL');
    await Promise.all(ended);
    rmSync(this.#folder, { recursive: true });
  }

  async #startOne(config: string, gossipPort: number, gossip: readonly number[]): Promise<void> {
    const port = await freePort();
    const peers = gossip.filter((each) => each !== gossipPort).map((each) => `--cluster.peer=127.0.0.1:${each}`);
    const alone = gossip.length === 1;
    const args = [
      `--config.file=${config}`,
      `--storage.path=${join(this.#folder, String(port))}`,
      `--web.listen-address=127.0.0.1:${port}`,
      `--cluster.listen-address=${alone ? '' : `127.0.0.1:${gossipPort}`}`,
      // Each waits so long for the word of the one before it; none at all: all of them send.
      '--cluster.peer-timeout=1ms',
      ...(alone ? [] : ['--cluster.advertise-address', `127.0.0.1:${gossipPort}`]),
      ...(alone ? [] : peers),
    ];
    const child = spawn(program, args, { stdio: 'ignore' });
    this.#children.push(child);
    this.#ports.push(port);
    while (!(await isReady(port))) {
      if (child.exitCode !== null) throw new Error(`Alertmanager ended with ${child.exitCode}`);
      await sleep(50);
    }
  }

  async #delivered(): Promise<number> {
    const texts = this.#ports.map(async (port) => await (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
    const [sent, failed] = ['notifications_total', 'notifications_failed_total'].map(
      (name) => new RegExp(`^alertmanager_${name}\\{integration="webhook"[^}]*\\} (\\d+)`, 'm'),
    );
    const counts = (await Promise.all(texts)).map(
      (text) => Number(sent?.exec(text)?.[1]) - Number(failed?.exec(text)?.[1]),
    );
    return counts.reduce((sum, each) => sum + each, 0);
  }
}

function configOf({ url, token }: Receiver): string {
  return `
route: {receiver: autopilot, group_by: [alertname], group_wait: 100ms, group_interval: 300ms, repeat_interval: 300ms}
receivers:
  - name: autopilot
    webhook_configs:
      - url: ${url}
        send_resolved: true
        http_config: {authorization: {credentials: ${token}}}
`;
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/-/ready`)).ok;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

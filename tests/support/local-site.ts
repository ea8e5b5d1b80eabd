// A working folder with a configuration, a simulator in this process, and the command line as child processes in that
// folder: the local runtime and its commands as their user meets them.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fleet } from '../../lib/local/simulator/fleet.ts';
import { type Simulator, startSimulator } from '../../lib/local/simulator/server.ts';
import { instances } from './scenario.ts';

export const projectId = '0a1b2c3d4e5f60718293a4b5c6d7e8f9';
export const key = { ak: 'EXAMPLEACCESSKEY0001', sk: 'Example-secret-key-that-must-not-leak' };
export const token = 'example-operator-token-that-must-not-leak';

const command = join(import.meta.dirname, '../../lib/cli/bin.js');

/** What a child that ended had to say. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when stderr has matched. */
  readonly says: (pattern: RegExp) => Promise<RegExpExecArray>;
}

/** Text of a configuration for a simulator's address. */
export type ConfigText = (endpoint: string) => string;

/** One folder and what goes on in it. */
export class LocalSite {
  readonly simulator: Simulator;
  readonly folder: string;
  readonly #children: ChildProcess[] = [];

  private constructor(simulator: Simulator, folder: string) {
    this.simulator = simulator;
    this.folder = folder;
  }

  /** Two instances, and the configuration. */
  static async open(config: ConfigText): Promise<LocalSite> {
    const site = new LocalSite(await openSimulator(Date.now), mkdtempSync(join(tmpdir(), 'autopilot-site-')));
    site.write('autopilot.yml', config(site.simulator.url));
    return site;
  }

  /** Ends all children, the simulator and the folder. */
  async close(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await this.simulator.close();
    rmSync(this.folder, { recursive: true });
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.folder, file), text);
  }

  /** Everything in the data folder, as one text. */
  stored(): string {
    const data = join(this.folder, '.autopilot');
    return readdirSync(data)
      .map((name) => readFileSync(join(data, name), 'latin1'))
      .join('');
  }

  /** Starts one command line. */
  start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Started {
    const keys = { TEST_AK: key.ak, TEST_SK: key.sk, AUTOPILOT_TOKEN: token, PORT: '0' };
    const child = spawn(process.execPath, [command, ...args], {
      cwd: this.folder,
      env: { PATH: process.env['PATH'], ...keys, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.push(child);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += String(chunk)));
    child.stderr.on('data', (chunk) => (stderr += String(chunk)));
    const ended = once(child, 'close').then(([code]) => ({ code, stdout, stderr }));
    const says = async (pattern: RegExp): Promise<RegExpExecArray> => {
      for (;;) {
        const match = pattern.exec(stderr);
        if (match !== null) return match;
        await Promise.race([once(child.stderr, 'data'), ended]);
        if (child.exitCode !== null && !pattern.test(stderr)) throw new Error(`it ended: ${stderr}`);
      }
    };
    return { child, ended, says };
  }

  /** Starts the local runtime; resolves to its address once it listens. */
  async serve(env: Readonly<Record<string, string>> = {}): Promise<Started & { readonly origin: string }> {
    const started = this.start(['serve'], env);
    const [, origin = ''] = await started.says(/listening on (\S+)/);
    return { ...started, origin };
  }
}

/** A DCS whose clock is `now`, with two instances that are done quickly. */
export function openSimulator(now: () => number): Promise<Simulator> {
  const timing = { lag: { min: 50, max: 50 }, flush: { min: 1_500, max: 1_500 } };
  const fleet = new Fleet({ instances: instances(2), now: Date.now, timing });
  return startSimulator({ fleet, keys: [key], projectId, now });
}

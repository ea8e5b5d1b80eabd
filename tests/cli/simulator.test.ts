// The simulator alone: as a real process that a client finds, and through the exported command for what it refuses.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import { main } from '../../lib/cli/main.ts';
import { unlimited } from '../../lib/config/defaults.ts';
import { ProjectAccess } from '../../lib/huawei/access.ts';
import { HuaweiDcs } from '../../lib/huawei/dcs.ts';
import { sender } from '../../lib/huawei/http.ts';
import { hear } from '../support/command-io.ts';

const bin = resolve('lib/cli/bin.js');
const started = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    url: v.string(),
    state: v.string(),
    projectId: v.string(),
    ak: v.string(),
    sk: v.optional(v.string()),
    instances: v.number(),
  }),
);
const own = {
  HUAWEICLOUD_SDK_AK: 'EXAMPLEACCESSKEY0001',
  HUAWEICLOUD_SDK_SK: 'ExampleSecretKey/0001+abcdefghijklmnopqrs',
  HUAWEICLOUD_SDK_PROJECT_ID: '0a1b2c3d4e5f60718293a4b5c6d7e8f9',
};

let children: ChildProcess[] = [];

beforeEach(() => {
  children = [];
});

afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
});

interface Started {
  readonly child: ChildProcess;
  /** The first line that it prints, or all that it said when it ended before. */
  readonly line: string;
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

async function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Started> {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [bin, 'simulator', ...args], { env: { PATH, ...env } });
  children.push(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const ended = once(child, 'close').then(([code]) => ({ code, stdout, stderr }));
  await Promise.race([once(child.stdout, 'data'), ended]);
  return { child, line: stdout === '' ? stderr : stdout, ended };
}

function clientOf(line: string, sk = ''): HuaweiDcs {
  const { url, projectId, ak, sk: made } = v.parse(started, line);
  const project = {
    name: 'simulated',
    region: 'eu-de',
    projectId,
    endpoint: url,
    credentials: { aksk: 'env:HUAWEICLOUD_SDK' },
    protectedTag: { key: 'dcs-autopilot-protected', value: 'true' },
    ...unlimited,
    rate: { callsPerSecond: 1_000, retriesPerHour: 1_000 },
    timeout: 10,
  } as const;
  const send = sender({ timeout: project.timeout });
  const credentials = async () => ({ ak, sk: made ?? sk });
  const access = new ProjectAccess({ project, credentials, send, now: Date.now });
  return new HuaweiDcs({ project, access, send, now: Date.now, sleep: () => Promise.resolve() });
}

/** One command line in this process. */
async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return await hear((io) => main(['simulator', ...args], io), { env });
}

function fileWith(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'simulator-')), 'fleet.yml');
  writeFileSync(file, text);
  return file;
}

describe('the simulator alone', () => {
  it('prints a key that a client can work with, and ends cleanly at SIGTERM', async () => {
    const { child, line, ended } = await start(['--json', '--instances', '3']);
    const total = await clientOf(line).total();
    child.kill('SIGTERM');
    const { code, stderr } = await ended;

    expect(total).toEqual({ ok: true, value: 3 });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('takes the key and the project of the environment, and does not print its secret', async () => {
    const { child, line, ended } = await start(['--json'], own);
    const total = await clientOf(line, own.HUAWEICLOUD_SDK_SK).total();
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;

    expect(total).toEqual({ ok: true, value: 12 });
    expect(v.parse(started, line)).toMatchObject({ projectId: own.HUAWEICLOUD_SDK_PROJECT_ID });
    expect(stdout + stderr).not.toContain(own.HUAWEICLOUD_SDK_SK);
    expect(code).toBe(0);
  });

  it('says the same in words', async () => {
    const { line } = await start(['--instances', '2']);

    expect(line).toMatch(/^simulated DCS with 2 instances: http:\/\/127\.0\.0\.1:\d+\n/);
    expect(line).toMatch(/^HUAWEICLOUD_SDK_AK=[0-9A-F]{20}\nHUAWEICLOUD_SDK_SK=[\w-]{40}$/m);
  });

  it('has the faults and the fleet that it was given, and shows what was done', async () => {
    const fleet = fileWith('make: 2\nunknowns: {busyIn: entry}\nfaults: ["1:500@list"]');
    const { line } = await start(['--json', '--fleet', fleet, '--seed', '5', '--fault', '2:drop-after@act']);
    const dcs = clientOf(line);

    const lists = [await dcs.list({}), await dcs.list({})];
    const ids = lists.flatMap((list) => (list.ok ? list.value.map(({ id }) => id) : []));
    const acts = [await dcs.act('restart', ids), await dcs.act('restart', ids)];
    const state = await fetch(v.parse(started, line).state);

    expect(lists.map(({ ok }) => ok)).toEqual([false, true]);
    expect(acts.map(({ kind }) => kind)).toEqual(['answered', 'lost']);
    expect(await state.json()).toMatchObject({
      log: [{ instanceId: ids[0], action: 'restart', result: 'success', nth: 1 }, { instanceId: ids[1] }],
      requests: [{ answer: '200' }, { answer: 'dropped' }],
    });
  });
});

describe('the simulator command', () => {
  it.each<[string, readonly string[], string]>([
    ['a port that is none', ['--port', '65536'], '--port: "65536" is not a number from 0 to 65535'],
    ['too many instances', ['--instances', '10001'], '--instances: "10001" is not a number from 0 to 10000'],
    ['a seed that is none', ['--seed=-1'], '--seed: "-1" is not a number from 0'],
    ['a fault that is none', ['--fault', '5%:explode'], '--fault 5%:explode: "explode" is no fault'],
    [
      'a fault for nobody',
      ['--fault', 'drop@00000000-0000-4000-8000-00000000dead'],
      'there is no instance 00000000-0000-4000-8000-00000000dead',
    ],
    ['an option that is none', ['--loud'], "Unknown option '--loud'"],
    ['an argument', ['demo'], "Unexpected argument 'demo'"],
  ])('answers 64 for %s', async (_, args, expected) => {
    const { code, stdout, stderr } = await run(args);

    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toContain(expected);
  });

  it('lists the faults of a file with their lines', async () => {
    const file = fileWith('make: 1\nfaults:\n  - explode\n');

    const { code, stderr } = await run(['--fleet', file]);

    expect(code).toBe(1);
    expect(stderr).toBe(`${file}:3: faults[0]: "explode" is no fault\n${file}: 1 fault\n`);
  });

  it.each<[string, readonly string[], Readonly<Record<string, string>>, string]>([
    ['no such file', ['--fleet', 'no-such-file.yml'], {}, 'config_unreadable'],
    ['half a key', [], { HUAWEICLOUD_SDK_AK: 'EXAMPLEACCESSKEY0001' }, 'key_incomplete'],
    ['the other half', [], { HUAWEICLOUD_SDK_SK: 'example' }, 'key_incomplete'],
  ])('answers 1 for %s', async (_, args, env, expected) => {
    const { code, stderr } = await run(['--json', ...args], env);

    expect(code).toBe(1);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: expected } });
  });

  it('answers 1 for a port in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;

    const { code, stderr } = await run(['--port', `${port}`]);

    other.close();
    expect(code).toBe(1);
    expect(stderr).toContain(`port ${port} is in use`);
  });

  it('explains its faults', async () => {
    const { code, stdout } = await run(['--help']);

    expect(code).toBe(0);
    expect(stdout).toContain('drop-after');
    expect(stdout.split('\n').every((line) => line.length <= 120)).toBe(true);
  });
});

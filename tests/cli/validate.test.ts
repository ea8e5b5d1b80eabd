// Validating a file: through the exported command, and once through a real process.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { main } from '../../lib/cli/main.ts';
import { validate } from '../../lib/cli/validate.ts';
import { ConfigError } from '../../lib/errors.ts';
import { noProcess } from '../support/command-io.ts';

const full = 'tests/fixtures/autopilot.yml';
const faulty = 'tests/fixtures/twenty-faults.yml';

/** One command line with a process that is none. */
async function run(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const written = { stdout: '', stderr: '' };
  const code = await main(argv, ioInto(written, env));
  return { code, ...written };
}

function ioInto(written: { stdout: string; stderr: string }, env: Readonly<Record<string, string>> = {}) {
  return {
    stdout: (text: string) => {
      written.stdout += text;
    },
    stderr: (text: string) => {
      written.stderr += text;
    },
    env,
    ...noProcess,
  };
}

function fileWith(bytes: string | Uint8Array): string {
  const file = join(mkdtempSync(join(tmpdir(), 'validate-')), 'autopilot.yml');
  writeFileSync(file, bytes);
  return file;
}

describe('validate', () => {
  it('says that a file is valid, and what it holds', async () => {
    const result = await run(['validate', full]);

    expect(result).toEqual({ code: 0, stdout: `${full}: valid (3 projects, 3 targets, 5 jobs)\n`, stderr: '' });
  });

  it('counts one of a kind in the singular', async () => {
    const result = await run(['validate', 'docs/autopilot.example.yml']);

    expect(result.stdout).toBe('docs/autopilot.example.yml: valid (1 project, 1 target, 3 jobs)\n');
  });

  it('takes the file from AUTOPILOT_CONFIG, and from the argument before that', async () => {
    const fromEnv = await run(['validate'], { AUTOPILOT_CONFIG: full });
    const fromArgument = await run(['validate', full], { AUTOPILOT_CONFIG: faulty });

    expect(fromEnv.stdout).toContain(`${full}: valid`);
    expect(fromArgument.code).toBe(0);
  });

  it('takes autopilot.yml where nothing else is said', async () => {
    const result = await run(['validate', '--json'], { AUTOPILOT_CONFIG: '' });

    expect(result.stdout + result.stderr).toContain('autopilot.yml');
  });

  it('shows every fault with its line on stderr, and how many there are', async () => {
    const result = await run(['validate', faulty]);

    const lines = result.stderr.trimEnd().split('\n');
    expect(result.code).toBe(1);
    expect(result.stdout).toBe('');
    expect(lines).toHaveLength(25);
    expect(lines[0]).toBe(`${faulty}:1: stage: expected up to 20 lower-case letters, digits and hyphens`);
    expect(lines.at(-1)).toBe(`${faulty}: 24 faults`);
  });

  it('says one fault in the singular', async () => {
    const file = fileWith('');

    expect((await run(['validate', file])).stderr).toBe(`${file}:1: (file): the file is empty\n${file}: 1 fault\n`);
  });

  it('tells the result in JSON on stdout', async () => {
    const result = await run(['validate', full, '--json']);

    expect(result.stderr).toBe('');
    expect(JSON.parse(result.stdout)).toEqual({
      valid: true,
      file: full,
      stage: 'test-1',
      projects: 3,
      targets: 3,
      jobs: 5,
    });
  });

  it('tells the faults in JSON on stderr', async () => {
    const result = await run(['validate', '--json', faulty]);

    const { error } = JSON.parse(result.stderr);
    expect(result.code).toBe(1);
    expect(result.stdout).toBe('');
    expect(error).toEqual({ code: 'config_invalid', message: `${faulty}: 24 faults`, details: expect.any(Array) });
    expect(error.details).toHaveLength(24);
    expect(error.details[0]).toEqual({
      file: faulty,
      line: 1,
      path: 'stage',
      message: 'expected up to 20 lower-case letters, digits and hyphens',
    });
  });

  it('throws the faults to whoever calls it without the command line', async () => {
    await expect(validate([faulty], ioInto({ stdout: '', stderr: '' }))).rejects.toThrow(ConfigError);
  });

  it.each([
    ['no/such/file.yml', 'no/such/file.yml: there is no such file'],
    ['tests', 'tests: this is a folder, not a file'],
    [`${full}/below`, `${full}/below: the file cannot be read (ENOTDIR)`],
  ])('says why %s cannot be read', async (file, message) => {
    const inWords = await run(['validate', file]);
    const inJson = await run(['validate', file, '--json']);

    expect(inWords).toEqual({ code: 1, stdout: '', stderr: `dcs-autopilot: ${message}\n` });
    expect(JSON.parse(inJson.stderr)).toEqual({ error: { code: 'config_unreadable', message } });
  });

  it('says that a file is no text', async () => {
    const file = fileWith(new Uint8Array([0x73, 0xff, 0xfe]));

    expect((await run(['validate', file])).stderr).toContain(`${file}:1: (file): the file is not UTF-8 text\n`);
  });
});

describe('the command line', () => {
  it.each([
    ['no command', [], 'a command is missing'],
    ['only an option', ['--json-or-so'], 'a command is missing'],
    ['an unknown command', ['valdate'], 'unknown command valdate'],
    ['an unknown option', ['validate', '--jsn'], "Unknown option '--jsn'"],
    ['too many files', ['validate', 'a', 'b'], 'validate takes one file'],
    ['an option without its value', ['next', '--count'], "Option '--count <value>' argument missing"],
  ])('answers %s with the usage and 64', async (_, argv, message) => {
    const result = await run(argv);

    expect(result.code).toBe(64);
    expect(result.stdout).toBe('');
    expect(result.stderr).toContain(`dcs-autopilot: ${message}\n\nUsage: npx dcs-autopilot`);
  });

  it('tells wrong usage in JSON too', async () => {
    const result = await run(['validate', '--jsn', '--json']);

    expect(result.code).toBe(64);
    expect(JSON.parse(result.stderr)).toEqual({ error: { code: 'usage', message: "Unknown option '--jsn'" } });
  });

  it.each([[['--help']], [['-h']], [['help']]])('shows all commands for %j', async (argv) => {
    const result = await run(argv);

    expect(result.code).toBe(0);
    expect(result.stdout).toMatch(/ {2}validate .*\n {2}next .*\n {2}plan .*\n {2}run .*\n[\s\S]*\n {2}serve /);
  });

  it('shows one command where help is asked of it', async () => {
    const result = await run(['validate', '--help']);

    expect(result.stdout).toContain('validate [file]');
    expect(result.stdout).not.toContain('serve');
  });

  it('prints the schema', async () => {
    const result = await run(['schema']);

    expect(JSON.parse(result.stdout)).toHaveProperty('properties.jobs');
  });

  it('lets a bug be seen as one', async () => {
    const io = {
      ...ioInto({ stdout: '', stderr: '' }),
      stdout: () => {
        throw new RangeError('a bug');
      },
    };

    await expect(main(['validate', full], io)).rejects.toThrow('a bug');
  });
});

describe('bin.js, as a process', () => {
  const bin = resolve('lib/cli/bin.js');
  const start = (...args: string[]) => spawnSync(process.execPath, [bin, ...args], { encoding: 'utf8' });

  it('prints a result and exits 0', () => {
    const { status, stdout, stderr } = start('validate', full);

    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: `${full}: valid (3 projects, 3 targets, 5 jobs)\n`,
      stderr: '',
    });
  });

  it('prints faults without a stack trace and exits 1', () => {
    const { status, stderr } = start('validate', faulty);

    expect(status).toBe(1);
    expect(stderr).not.toContain('    at ');
    expect(stderr).toContain(`${faulty}: 24 faults\n`);
  });

  it('exits 64 for wrong usage', () => {
    expect(start('frobnicate').status).toBe(64);
  });

  it('says what to do on a Node that cannot run TypeScript', () => {
    const old = 'Object.defineProperty(process.versions, "node", { value: "20.20.2" })';
    const preload = `data:text/javascript,${encodeURIComponent(old)}`;

    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', preload, bin, 'validate', full], {
      encoding: 'utf8',
    });

    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain('needs Node 22.18 or later, and this is 20.20.2');
    expect(stderr).toContain('npm ci');
  });
});

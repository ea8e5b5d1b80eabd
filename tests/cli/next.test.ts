// The coming fire times as a person and as a program see them, through the exported command.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Io } from '../../lib/cli/io.ts';
import { next } from '../../lib/cli/next.ts';
import { noProcess } from '../support/command-io.ts';

const config = `
projects:
  p: {region: eu-de, projectId: 0a1b2c3d4e5f60718293a4b5c6d7e8f9, credentials: {aksk: env:HUAWEI}}
targets:
  t: {project: p, names: ["*"]}
jobs:
  nightly:
    action: soft_restart
    target: t
    trigger: {schedule: {cron: "30 2 * * *", timezone: Europe/Berlin}}
  weekly:
    action: restart
    target: t
    trigger: {schedule: {cron: "0 4 * * SUN", timezone: Asia/Kathmandu}}
  asleep:
    enabled: false
    action: restart
    target: t
    trigger: {schedule: {cron: "0 4 * * *", timezone: UTC}}
  deploy:
    action: restart
    target: t
    trigger: {webhook: {auth: bearer, secrets: [env:TOKEN]}}
`;

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'next-'));
  writeFileSync(join(folder, 'autopilot.yml'), config);
  writeFileSync(join(folder, 'hooks.yml'), config.replace(/ {2}nightly:.*(?= {2}deploy:)/s, ''));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

interface Heard {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(args: readonly string[], file = 'autopilot.yml'): Promise<Heard> {
  let out = '';
  let err = '';
  const io: Io = {
    ...noProcess,
    stdout: (text) => {
      out += text;
    },
    stderr: (text) => {
      err += text;
    },
    env: { AUTOPILOT_CONFIG: join(folder, file) },
    now: () => Date.parse('2026-03-28T12:00Z'),
  };
  const code = await next(args, io);
  return { code, out, err };
}

describe('next', () => {
  it('shows the coming fires of a job, local and UTC, with what clock changes do to them', async () => {
    const { code, out, err } = await run(['nightly', '--count', '2']);

    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toBe(
      'nightly (Europe/Berlin)\n' +
        '  2026-03-29T03:00:00+02:00  2026-03-29T01:00:00Z  moved from 02:30, which the clocks skip on this day\n' +
        '  2026-03-30T02:30:00+02:00  2026-03-30T00:30:00Z\n',
    );
  });

  it('shows five fires of each scheduled job, and says which are disabled', async () => {
    const { code, out, err } = await run([]);

    expect(code).toBe(0);
    expect(out.split('\n').filter((line) => !line.startsWith('  '))).toEqual([
      'nightly (Europe/Berlin)',
      '',
      'weekly (Asia/Kathmandu)',
      '',
    ]);
    expect(out.split('\n').filter((line) => line.startsWith('  '))).toHaveLength(10);
    expect(err).toBe('the job asleep is disabled (enabled: false), so it does not fire\n');
  });

  it('answers in JSON for programs', async () => {
    const { out } = await run(['--json', '--count', '1']);

    expect(JSON.parse(out)).toEqual({
      fires: [
        {
          job: 'nightly',
          at: '2026-03-29T01:00:00.000Z',
          local: '2026-03-29T03:00:00+02:00',
          timezone: 'Europe/Berlin',
          note: 'moved from 02:30, which the clocks skip on this day',
        },
        {
          job: 'weekly',
          at: '2026-03-28T22:15:00.000Z',
          local: '2026-03-29T04:00:00+05:45',
          timezone: 'Asia/Kathmandu',
        },
      ],
    });
  });

  it.each([
    ['2026-10-25', '2026-10-25T02:30:00+02:00'],
    ['2026-10-25T00:30Z', '2026-10-25T02:30:00+02:00'],
    ['2026-10-25T00:30', '2026-10-25T02:30:00+02:00'],
    ['2026-10-25T02:30+02:00', '2026-10-25T02:30:00+02:00'],
    ['2026-10-25T00:30:00.001Z', '2026-10-26T02:30:00+01:00'],
    ['2028-02-29t00:00z', '2028-02-29T02:30:00+01:00'],
  ])('begins at --from %s, which includes a fire at that very instant', async (from, local) => {
    const { out } = await run(['nightly', '--from', from, '--count', '1', '--json']);

    expect(JSON.parse(out)).toMatchObject({ fires: [{ local }] });
  });

  it('shows as many as a thousand', async () => {
    const { out } = await run(['weekly', '--count', '1000', '--json']);

    expect(JSON.parse(out)).toHaveProperty('fires.length', 1000);
  });

  it('has nothing to show of a disabled job', async () => {
    expect(await run(['asleep', '--json'])).toEqual({
      code: 0,
      out: '{"fires":[]}\n',
      err: 'the job asleep is disabled (enabled: false), so it does not fire\n',
    });
  });

  it('has nothing to show where no job has a schedule', async () => {
    expect(await run([], 'hooks.yml')).toEqual({ code: 0, out: '', err: 'no job has a schedule\n' });
  });

  it.each([
    ['an unknown job', ['nigthly'], 'there is no job nigthly; jobs with a schedule: nightly, weekly, asleep'],
    ['a name that every object has', ['constructor'], 'there is no job constructor'],
    [
      'a webhook job',
      ['deploy'],
      'the job deploy is started by a webhook; jobs with a schedule: nightly, weekly, asleep',
    ],
    ['no fires at all', ['--count', '0'], '--count: "0" is not a number from 1 to 1000'],
    ['too many fires', ['--count', '1001'], '--count: "1001" is not a number from 1 to 1000'],
    ['a count that is none', ['--count', '5x'], '--count: "5x" is not a number from 1 to 1000'],
    ['a time that is none', ['--from', 'tomorrow'], '--from: "tomorrow" is not an ISO 8601 time since 1970'],
    ['a date that no calendar has', ['--from', '2026-02-30'], '--from: "2026-02-30" is not an ISO 8601 time'],
    [
      'an hour that no clock has',
      ['--from', '2026-02-20T25:00Z'],
      '--from: "2026-02-20T25:00Z" is not an ISO 8601 time',
    ],
    ['a month that no year has', ['--from', '2026-13-01'], '--from: "2026-13-01" is not an ISO 8601 time'],
    ['a time before all computers', ['--from', '1969-12-31'], '--from: "1969-12-31" is not an ISO 8601 time'],
    ['two jobs', ['nightly', 'weekly'], 'next takes one job'],
    ['an option that is none', ['--until', '2027'], "Unknown option '--until'"],
  ])('refuses %s', async (_, args, message) => {
    await expect(run(args)).rejects.toThrow(message);
  });
});

// `simulator`: the simulated DCS alone, for whoever wants to try a client on it. It serves until it is stopped.

import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { EnvironmentError } from '../errors.ts';
import { faultHelp, readFault } from '../local/simulator/fault-text.ts';
import { Fleet } from '../local/simulator/fleet.ts';
import { type FleetFile, type FleetOverrides, readFleet } from '../local/simulator/fleet-file.ts';
import type { SimulatorKey } from '../local/simulator/iam.ts';
import { makeInstances } from '../local/simulator/make-fleet.ts';
import type { CallFault } from '../local/simulator/script.ts';
import { type Simulator, startSimulator } from '../local/simulator/server.ts';
import { errorCode } from './error-code.ts';
import type { Io } from './io.ts';
import { readText } from './load-config.ts';
import { untilStopped } from './until-stopped.ts';
import { UsageError } from './usage.ts';

/** What `--help` says besides the usage. */
export const simulatorHelp = `
  --port N        default: any free one; loopback only
  --instances N   made-up instances, 0 to 10000; default 12, or what the file says
  --seed N        what is made up and drawn follows from it; default 1, or what the file says
  --fault FAULT   may be repeated
  --fleet FILE    a fleet from a file, YAML or JSON: docs/simulator.md

${faultHelp}
HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK (with HUAWEICLOUD_SDK_SECURITY_TOKEN, if set) are the key that may call, of
the project HUAWEICLOUD_SDK_PROJECT_ID; what is not set is made anew and printed.
`;

const usualSize = 12;

/** Who may call, and which of it was made here and has to be printed. */
interface Access {
  readonly key: SimulatorKey;
  readonly isMade: boolean;
  readonly projectId: string;
}

/**
 * `simulator [--port N] [--instances N] [--seed N] [--fault FAULT]... [--fleet FILE] [--json]`: prints where it listens and
 * the keys it made, and answers 0 when a signal ends it. Throws UsageError for arguments that make no sense, ConfigError
 * for a faulty file, EnvironmentError for a port that cannot be had, a file that cannot be read and half a key.
 */
export async function simulator(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string', default: '0' },
      instances: { type: 'string' },
      seed: { type: 'string' },
      fault: { type: 'string', multiple: true, default: [] },
      fleet: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const port = readNumber('--port', values.port, 65_535);
  const overrides: FleetOverrides = {
    ...(values.instances === undefined ? {} : { make: readNumber('--instances', values.instances, 10_000) }),
    ...(values.seed === undefined ? {} : { seed: readNumber('--seed', values.seed, 999_999_999) }),
  };
  const faults = values.fault.map(faultOf);
  const { projectId, iam = {}, ...described } = fleetFrom(values.fleet, overrides);
  const access = accessFrom(io.env, projectId);
  const fleet = new Fleet({ ...described, now: io.now });
  for (const fault of faults) checkNamed(fault, fleet);
  fleet.script({ calls: faults });
  const running = await start(fleet, { ...access, iam }, port, io);
  const stopped = untilStopped();
  io.stdout(values.json ? jsonOf(running, access) : textOf(running, access));
  await stopped;
  await running.close();
  return 0;
}

function fleetFrom(file: string | undefined, overrides: FleetOverrides): FleetFile {
  if (file !== undefined) return readFleet(readText(file), file, overrides);
  const { make = usualSize, seed = 1 } = overrides;
  return { instances: makeInstances(make, seed), seed };
}

/** The key of the environment, else a new one. */
function accessFrom(env: Io['env'], fromFile: string | undefined): Access {
  const [ak, sk] = [env['HUAWEICLOUD_SDK_AK'], env['HUAWEICLOUD_SDK_SK']];
  const projectId = env['HUAWEICLOUD_SDK_PROJECT_ID'] || fromFile || randomBytes(16).toString('hex');
  if (!ak !== !sk) {
    const missing = ak ? 'HUAWEICLOUD_SDK_SK' : 'HUAWEICLOUD_SDK_AK';
    throw new EnvironmentError('key_incomplete', `${missing} is missing: set both halves of the key, or neither`);
  }
  const securityToken = env['HUAWEICLOUD_SDK_SECURITY_TOKEN'];
  if (ak && sk) return { key: { ak, sk, ...(securityToken ? { securityToken } : {}) }, isMade: false, projectId };
  const made = { ak: randomBytes(10).toString('hex').toUpperCase(), sk: randomBytes(30).toString('base64url') };
  return { key: made, isMade: true, projectId };
}

async function start(
  fleet: Fleet,
  { key, projectId, iam }: Access & Required<Pick<FleetFile, 'iam'>>,
  port: number,
  { now }: Io,
): Promise<Simulator> {
  try {
    return await startSimulator({ fleet, keys: [key], projectId, iam, port, now });
  } catch (cause) {
    const code = errorCode(cause);
    if (code === 'EADDRINUSE') {
      throw new EnvironmentError('port_in_use', `port ${port} is in use; name another one with --port`, { cause });
    }
    if (code !== 'EACCES') throw cause;
    throw new EnvironmentError('port_not_allowed', `port ${port} needs more rights; name another one`, { cause });
  }
}

function jsonOf({ url, fleet }: Simulator, { key, isMade, projectId }: Access): string {
  const secret = isMade ? { sk: key.sk } : {};
  const instances = fleet.views().length;
  return `${JSON.stringify({ url, state: `${url}/__state`, projectId, ak: key.ak, ...secret, instances })}\n`;
}

function textOf({ url, fleet }: Simulator, { key, isMade, projectId }: Access): string {
  const lines = [
    `simulated DCS with ${fleet.views().length} instances: ${url}`,
    `what was done to them: ${url}/__state`,
    `HUAWEICLOUD_SDK_PROJECT_ID=${projectId}`,
    `HUAWEICLOUD_SDK_AK=${key.ak}`,
    ...(isMade ? [`HUAWEICLOUD_SDK_SK=${key.sk}`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function readNumber(option: string, text: string, largest: number): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (number <= largest) return number;
  throw new UsageError(`${option}: "${text}" is not a number from 0 to ${largest}`);
}

function faultOf(text: string): CallFault {
  const fault = readFault(text);
  if (typeof fault === 'string') throw new UsageError(`--fault ${text}: ${fault}`);
  return fault;
}

function checkNamed({ instances = [] }: CallFault, fleet: Fleet): void {
  const stranger = instances.find((id) => fleet.view(id) === undefined);
  if (stranger !== undefined) throw new UsageError(`--fault: there is no instance ${stranger} in this fleet`);
}

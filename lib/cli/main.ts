// The command line: finds the command, runs it, and turns what it throws into a clean message and an exit code.

import { AutopilotError, ConfigError, DoorError, showFault } from '../errors.ts';
import { type Command, commands } from './commands.ts';
import { errorCode } from './error-code.ts';
import type { Io } from './io.ts';
import { UsageError } from './usage.ts';

/**
 * Runs one command line (without node and the script) and answers its exit code: 1 for an error, 64 for wrong usage,
 * else what the command answers. Errors go to stderr, with `--json` as `{error: {code, message, details?}}`. What is
 * thrown and is no AutopilotError is a bug and is thrown on.
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  try {
    return await dispatch(argv, io);
  } catch (error) {
    return tell(error, argv, io);
  }
}

async function dispatch(argv: readonly string[], io: Io): Promise<number> {
  const at = argv.findIndex((arg) => !arg.startsWith('-'));
  const command = find(argv[at]);
  if (asksForHelp(argv)) {
    io.stdout(command === undefined ? overview() : await helpOf(command));
    return 0;
  }
  if (command === undefined) throw new UsageError(at === -1 ? 'a command is missing' : `unknown command ${argv[at]}`);
  const { run } = await command.load();
  return run(argv.toSpliced(at, 1), io);
}

function find(name: string | undefined): Command | undefined {
  return commands.find((each) => each.name === name);
}

function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  const options = end === -1 ? argv : argv.slice(0, end);
  return options.some((arg) => arg === '--help' || arg === '-h') || argv[0] === 'help';
}

function overview(): string {
  const lines = commands.map(({ name, does }) => `  ${name.padEnd(12)}${does}`);
  return `Usage: npx dcs-autopilot <command> [--json]\n\n${lines.join('\n')}\n\n<command> --help says more.\n`;
}

async function helpOf(command: Command): Promise<string> {
  const { help = '' } = await command.load();
  return `${usage(command)}\n${command.does}\n${help}`;
}

function usage(command: Command | undefined): string {
  if (command === undefined) return 'Usage: npx dcs-autopilot <command> [--json]; --help lists the commands\n';
  return `Usage: npx dcs-autopilot ${`${command.name} ${command.args}`.trimEnd()}\n`;
}

function tell(error: unknown, argv: readonly string[], io: Io): number {
  const known = asAutopilotError(error);
  if (known === undefined) throw error;
  const isUsage = known instanceof UsageError;
  if (argv.includes('--json')) io.stderr(`${JSON.stringify({ error: inJson(known) })}\n`);
  else io.stderr(`${inWords(known)}\n${isUsage ? `\n${usage(find(argv.find((arg) => !arg.startsWith('-'))))}` : ''}`);
  return isUsage ? 64 : 1;
}

/** node:util's parseArgs marks what it throws by a code only; the first sentence of it is the useful one. */
function asAutopilotError(error: unknown): AutopilotError | undefined {
  if (error instanceof AutopilotError) return error;
  if (!errorCode(error)?.startsWith('ERR_PARSE_ARGS_')) return undefined;
  const [sentence] = String(error)
    .replace(/^TypeError.*?: /, '')
    .split('. ');
  return new UsageError(sentence ?? 'wrong usage');
}

function inWords(error: AutopilotError): string {
  if (error instanceof ConfigError) return [...error.faults.map(showFault), faultCount(error)].join('\n');
  const details = error instanceof DoorError ? error.details.map(({ path, message }) => `  ${path}: ${message}`) : [];
  return [`dcs-autopilot: ${error.message}`, ...details].join('\n');
}

function inJson(error: AutopilotError) {
  if (error instanceof ConfigError) return { code: error.code, message: faultCount(error), details: error.faults };
  const details = error instanceof DoorError && error.details.length > 0 ? { details: error.details } : {};
  return { code: error.code, message: error.message, ...details };
}

function faultCount({ faults }: ConfigError): string {
  return `${faults[0]?.file ?? 'configuration'}: ${faults.length} fault${faults.length === 1 ? '' : 's'}`;
}

// From the text of autopilot.yml to the configuration, or to all of its faults at once, each with its line.

import * as v from 'valibot';
import type { Config } from '../config.ts';
import { ConfigError, type ConfigFault } from '../errors.ts';
import { notYet, notYetFaults } from './not-yet.ts';
import { environmentFaults } from './packaged.ts';
import type { ReferenceFault } from './plain.ts';
import { referenceFaults } from './references.ts';
import { resolveConfig } from './resolve.ts';
import { configFile, isText } from './schema.ts';
import { unmetFaults } from './unmet.ts';
import { type LineFault, type Path, readYaml, type YamlFile, YamlSyntaxError } from './yaml.ts';

/** A configuration and how much of each kind the file holds, targets without a job included. */
export interface CheckedConfig {
  readonly config: Config;
  readonly counts: { readonly projects: number; readonly targets: number; readonly jobs: number };
}

/** Reads YAML or JSON. `file` is only shown, in the faults. Throws ConfigError with every fault, and nothing else. */
export function readConfig(text: string, file: string): Config {
  return checkConfig(text, file).config;
}

/** Where a configuration is meant to run; `aws` makes a fault of every `env:` secret. */
export type Place = 'anywhere' | 'aws';

/** readConfig, and the counts that `validate` tells. `refused` are the lines of not-yet.ts that hold. */
export function checkConfig(
  text: string,
  file: string,
  place: Place = 'anywhere',
  refused: readonly string[] = notYet,
): CheckedConfig {
  const yaml = yamlOf(text, file);
  const parsed = v.safeParse(configFile, yaml.value, { message: describe });
  // What could not be read is told once, not again as a value of the wrong kind.
  const shape = (parsed.issues ?? []).map((issue) => issueFault(issue, yaml)).filter(({ path }) => !yaml.isLost(path));
  const packaged = place === 'aws' ? environmentFaults(yaml.value) : [];
  const late = notYetFaults(yaml.value, refused).map((fault) => referenceFault(fault, yaml));
  const references = [...referenceFaults(yaml.value), ...packaged].map((fault) => referenceFault(fault, yaml));
  const others = [...shape, ...references].filter(({ path }) => !late.some((each) => isWithin(path, each.path)));
  const faults = [...yaml.faults, ...late, ...others];
  if (!parsed.success || faults.length > 0) throw configError(faults, file);
  const config = resolveConfig(parsed.output);
  const unmet = unmetFaults(config).map((fault) => referenceFault(fault, yaml));
  if (unmet.length > 0) throw configError(unmet, file);
  const { projects, targets, jobs } = parsed.output;
  return {
    config,
    counts: { projects: count(projects), targets: count(targets), jobs: count(jobs) },
  };
}

function yamlOf(text: string, file: string): YamlFile {
  try {
    return readYaml(text, isText);
  } catch (error) {
    if (error instanceof YamlSyntaxError) throw configError(error.faults, file);
    throw error;
  }
}

/** What is said where a schema has no sentence of its own: a key that is missing. */
function describe(issue: v.BaseIssue<unknown>): string {
  return issue.received === 'undefined' ? 'required' : 'this cannot stand here';
}

function issueFault(issue: v.BaseIssue<unknown>, yaml: YamlFile): LineFault {
  const path = (issue.path ?? []).map((item) => (typeof item.key === 'number' ? item.key : String(item.key)));
  const part = issue.path?.at(-1)?.origin === 'key' ? 'key' : 'value';
  return { path, line: yaml.lineOf(path, part), message: issue.message };
}

/** A key that is refused whatever its value gets no second fault about it. */
function isWithin(path: Path, outer: Path): boolean {
  return outer.every((step, at) => path[at] === step);
}

function referenceFault({ path, message }: ReferenceFault, yaml: YamlFile): LineFault {
  return { path, line: yaml.lineOf(path, 'value'), message };
}

function configError(faults: readonly LineFault[], file: string): ConfigError {
  const shown = faults.map(({ path, line, message }): ConfigFault => {
    return { file, line, path: showPath(path), message: plain(message) };
  });
  const distinct = new Map(shown.map((fault) => [`${fault.line} ${fault.path} ${fault.message}`, fault]));
  return new ConfigError([...distinct.values()].sort((a, b) => a.line - b.line));
}

/** `jobs.nightly.trigger.webhook.secrets[0]`; a name that is not plain stands in quotes, so a fault stays on one line. */
function showPath(path: Path): string {
  return path.map(showStep).join('').replace(/^\./, '');
}

function showStep(step: string | number): string {
  if (typeof step === 'number') return `[${step}]`;
  return /^[\w-]+$/.test(step) ? `.${step}` : `[${plain(JSON.stringify(step))}]`;
}

/** Without what breaks a line or turns its direction. */
function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\uFFFD');
}

function count(record: object): number {
  return Object.keys(record).length;
}

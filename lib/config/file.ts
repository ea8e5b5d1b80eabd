// From the text of autopilot.yml to the configuration, or to all of its faults at once, each with its line.

import * as v from 'valibot';
import type { Config } from '../config.ts';
import { atItsLine, faultsOf, missingOrMisplaced, openDocument, shapeFaults } from './document.ts';
import { notYet, notYetFaults } from './not-yet.ts';
import { environmentFaults } from './packaged.ts';
import { referenceFaults } from './references.ts';
import { resolveConfig } from './resolve.ts';
import { configFile, isText } from './schema.ts';
import { unmetFaults } from './unmet.ts';
import type { Path } from './yaml.ts';

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
  const yaml = openDocument(text, file, isText);
  const parsed = v.safeParse(configFile, yaml.value, { message: missingOrMisplaced });
  const shape = shapeFaults(parsed.issues ?? [], yaml);
  const packaged = place === 'aws' ? environmentFaults(yaml.value) : [];
  const late = notYetFaults(yaml.value, refused).map((fault) => atItsLine(fault, yaml));
  const references = [...referenceFaults(yaml.value), ...packaged].map((fault) => atItsLine(fault, yaml));
  const others = [...shape, ...references].filter(({ path }) => !late.some((each) => isWithin(path, each.path)));
  const faults = [...yaml.faults, ...late, ...others];
  if (!parsed.success || faults.length > 0) throw faultsOf(faults, file);
  const config = resolveConfig(parsed.output);
  const unmet = unmetFaults(config).map((fault) => atItsLine(fault, yaml));
  if (unmet.length > 0) throw faultsOf(unmet, file);
  const { projects, targets, jobs } = parsed.output;
  return {
    config,
    counts: { projects: count(projects), targets: count(targets), jobs: count(jobs) },
  };
}

/** A key that is refused whatever its value gets no second fault about it. */
function isWithin(path: Path, outer: Path): boolean {
  return outer.every((step, at) => path[at] === step);
}

function count(record: object): number {
  return Object.keys(record).length;
}

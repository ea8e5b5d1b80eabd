// From the text of autopilot.yml to the configuration, or to all of its faults at once, each with its line.

import * as v from 'valibot';
import type { Config } from '../config.ts';
import { atItsLine, faultsOf, missingOrMisplaced, openDocument, shapeFaults } from './document.ts';
import { awayFaults, environmentFaults } from './packaged.ts';
import { referenceFaults } from './references.ts';
import { resolveConfig } from './resolve.ts';
import { configFile, isText } from './schema.ts';
import { unmetFaults } from './unmet.ts';

/** A configuration and how much of each kind the file holds, targets without a job included. */
export interface CheckedConfig {
  readonly config: Config;
  readonly counts: { readonly projects: number; readonly targets: number; readonly jobs: number };
}

/** Reads YAML or JSON. `file` is only shown, in the faults. Throws ConfigError with every fault, and nothing else. */
export function readConfig(text: string, file: string): Config {
  return checkConfig(text, file).config;
}

/**
 * Where a configuration is meant to run; `aws` makes a fault of every `env:` secret, `machine` of every listener on AWS.
 */
export type Place = 'anywhere' | 'aws' | 'machine';

/** readConfig, and the counts that `validate` tells. */
export function checkConfig(text: string, file: string, place: Place = 'anywhere'): CheckedConfig {
  const yaml = openDocument(text, file, isText);
  const parsed = v.safeParse(configFile, yaml.value, { message: missingOrMisplaced });
  const shape = shapeFaults(parsed.issues ?? [], yaml);
  const ofPlace = { anywhere: [], aws: environmentFaults(yaml.value), machine: awayFaults(yaml.value) }[place];
  const references = [...referenceFaults(yaml.value), ...ofPlace].map((fault) => atItsLine(fault, yaml));
  const faults = [...yaml.faults, ...shape, ...references];
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

function count(record: object): number {
  return Object.keys(record).length;
}

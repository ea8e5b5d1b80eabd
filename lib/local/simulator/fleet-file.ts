// A fleet and its troubles from a file, YAML or JSON, for those who start the simulator alone. Like the configuration it is
// refused with all of its faults at once, each with its line.

import * as v from 'valibot';
import { atItsLine, faultsOf, missingOrMisplaced, openDocument, shapeFaults } from '../../config/document.ts';
import type { ReferenceFault } from '../../config/plain.ts';
import { uuid } from './chance.ts';
import type { FleetOptions } from './fleet.ts';
import { type FleetForm, fleetForm, isText } from './fleet-form.ts';
import type { IamOptions } from './iam.ts';
import type { InstanceSpec } from './instance.ts';
import { makeInstances } from './make-fleet.ts';
import type { CallFault, InstanceScript } from './script.ts';

/** A fleet as a file describes it. */
export interface FleetFile extends Omit<FleetOptions, 'now'> {
  readonly projectId?: string;
  readonly iam?: Partial<IamOptions>;
}

/** What the command line says in place of the file. */
export interface FleetOverrides {
  readonly seed?: number;
  /** How many instances to make up. */
  readonly make?: number;
}

type Described = NonNullable<FleetForm['instances']>[number];

/** Reads YAML or JSON. `file` is only shown, in the faults. Throws ConfigError with every fault, and nothing else. */
export function readFleet(text: string, file: string, overrides: FleetOverrides = {}): FleetFile {
  const yaml = openDocument(text, file, isText);
  const parsed = v.safeParse(fleetForm, yaml.value, { message: missingOrMisplaced });
  const shape = [...yaml.faults, ...shapeFaults(parsed.issues ?? [], yaml)];
  if (!parsed.success || shape.length > 0) throw faultsOf(shape, file);
  const form = { ...parsed.output, ...overrides };
  const seed = form.seed ?? 1;
  const instances = [...makeInstances(form.make ?? 0, seed), ...(form.instances ?? []).map((one) => specOf(one, seed))];
  const wrong = [...repeatedFaults(form, instances), ...strangerFaults(form, instances)];
  if (wrong.length > 0)
    throw faultsOf(
      wrong.map((fault) => atItsLine(fault, yaml)),
      file,
    );
  const { timing, unknowns: switches, rate, iamRate, projectId, iam } = form;
  return {
    seed,
    instances,
    script: { instances: scriptsOf(form, seed), calls: callFaults(form, instances) },
    ...(timing === undefined ? {} : { timing }),
    ...(switches === undefined ? {} : { switches }),
    ...(rate === undefined ? {} : { rate }),
    ...(iamRate === undefined ? {} : { iamRate }),
    ...(projectId === undefined ? {} : { projectId }),
    ...(iam === undefined ? {} : { iam }),
  };
}

function specOf({ script: _, ...spec }: Described, seed: number): InstanceSpec {
  return { ...spec, id: idOf(spec, seed) };
}

function idOf({ id, name }: Described, seed: number): string {
  return id ?? uuid(seed, 'named', name);
}

function scriptsOf({ instances = [] }: FleetForm, seed: number): Readonly<Record<string, InstanceScript>> {
  return Object.fromEntries(instances.map((one) => [idOf(one, seed), one.script ?? {}]));
}

function callFaults({ faults = [] }: FleetForm, instances: readonly InstanceSpec[]): readonly CallFault[] {
  return faults.map((fault) => {
    const call = 'what' in fault ? plainFault(fault) : fault;
    if (call.instances === undefined) return call;
    return { ...call, instances: call.instances.map((given) => find(given, instances)?.id ?? given) };
  });
}

function plainFault(fault: Extract<NonNullable<FleetForm['faults']>[number], { readonly what: unknown }>): CallFault {
  const { what: answer, on = answer.kind === 'entries' ? 'act' : 'all', instances, nth, share, seed, period } = fault;
  return {
    on,
    answer,
    ...(instances && { instances }),
    ...(nth && { nth }),
    ...(share !== undefined && { share }),
    ...(seed !== undefined && { seed }),
    ...(period && { period }),
  };
}

/** By its id or its name. */
function find(given: string, instances: readonly InstanceSpec[]): InstanceSpec | undefined {
  return instances.find(({ id, name }) => id === given || name === given);
}

/** An instance whose id or name another one has already. */
function repeatedFaults({ instances: own = [] }: FleetForm, all: readonly InstanceSpec[]): readonly ReferenceFault[] {
  const made = all.length - own.length;
  const taken = new Set<string>();
  return all.flatMap(({ id, name }, index) => {
    const isTaken = taken.has(id) || taken.has(name);
    taken.add(id).add(name);
    const path = ['instances', index - made];
    return isTaken ? [{ path, message: 'another instance has this name or id already' }] : [];
  });
}

/** An instance that a fault names and nobody knows. */
function strangerFaults({ faults = [] }: FleetForm, all: readonly InstanceSpec[]): readonly ReferenceFault[] {
  return faults.flatMap((fault, index) =>
    (fault.instances ?? []).flatMap((given, at) => {
      if (find(given, all) !== undefined) return [];
      const path = 'what' in fault ? ['faults', index, 'instances', at] : ['faults', index];
      return [{ path, message: 'it names an instance that is not in this fleet' }];
    }),
  );
}

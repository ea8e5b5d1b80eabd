// `schema`: the JSON Schema of autopilot.yml, for completion and checks in editors. Committed as autopilot.schema.json.
// It checks less than `validate` does: what spans several keys has no place in it.

import { parseArgs } from 'node:util';
import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import { notYet, refusedBy } from '../config/not-yet.ts';
import { configFile } from '../config/schema.ts';
import type { Io } from './io.ts';

/** The text of autopilot.schema.json, without what the lines of not-yet.ts refuse: editors offer what is taken. */
export function schemaText(refused: readonly string[] = notYet): string {
  const schema: JsonSchema = toJsonSchema(configFile, {
    // What is wanted of a file is at the front of each pipe, but objects come second, after the check for a mapping.
    typeMode: 'output',
    ignoreActions: ['transform'],
    overrideAction: ({ valibotAction, jsonSchema }) => (valibotAction.type === 'raw_check' ? shut(jsonSchema) : null),
  });
  const places = refused.map(refusedBy).flatMap(({ places, value }) => places.map((place) => ({ place, value })));
  const offered = places.reduce((rest: JsonSchema, { place, value }) => without(rest, place, value), schema);
  return `${JSON.stringify({ ...offered, title: 'dcs-autopilot configuration' }, null, 2)}\n`;
}

/** `schema`: prints it. */
export async function schema(args: readonly string[], io: Io): Promise<number> {
  parseArgs({ args: [...args], options: { json: { type: 'boolean' } } });
  io.stdout(schemaText());
  return 0;
}

/** A schema without what stands at a place, or without one value there. */
function without(schema: JsonSchema, place: readonly string[], value: string | undefined): JsonSchema {
  const [step, ...rest] = place;
  if (step === undefined) return { ...schema, enum: schema.enum?.filter((each) => each !== value) ?? [] };
  if (step === '*') return { ...schema, additionalProperties: inside(schema.additionalProperties, rest, value) };
  const { [step]: child, ...others } = schema.properties ?? {};
  const isWhole = rest.length === 0 && value === undefined;
  return { ...schema, properties: isWhole ? others : { ...schema.properties, [step]: inside(child, rest, value) } };
}

function inside(schema: JsonSchema['additionalProperties'], place: readonly string[], value: string | undefined) {
  return typeof schema === 'object' ? without(schema, place, value) : false;
}

/** Mappings with fixed keys take no others; see `closed` in config-keys.ts. */
function shut(jsonSchema: JsonSchema): JsonSchema {
  return 'properties' in jsonSchema ? { ...jsonSchema, additionalProperties: false } : jsonSchema;
}

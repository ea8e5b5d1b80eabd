// `schema`: the JSON Schema of autopilot.yml, for completion and checks in editors. Committed as autopilot.schema.json.
// It checks less than `validate` does: what spans several keys has no place in it.

import { parseArgs } from 'node:util';
import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import { configFile } from '../config/schema.ts';
import type { Io } from './io.ts';

/** The text of autopilot.schema.json. */
export function schemaText(): string {
  const schema: JsonSchema = toJsonSchema(configFile, {
    // What is wanted of a file is at the front of each pipe, but objects come second, after the check for a mapping.
    typeMode: 'output',
    ignoreActions: ['transform'],
    overrideAction: ({ valibotAction, jsonSchema }) => (valibotAction.type === 'raw_check' ? shut(jsonSchema) : null),
  });
  return `${JSON.stringify({ ...schema, title: 'dcs-autopilot configuration' }, null, 2)}\n`;
}

/** `schema`: prints it. */
export async function schema(args: readonly string[], io: Io): Promise<number> {
  parseArgs({ args: [...args], options: { json: { type: 'boolean' } } });
  io.stdout(schemaText());
  return 0;
}

/** Mappings with fixed keys take no others; see `closed` in config-keys.ts. */
function shut(jsonSchema: JsonSchema): JsonSchema {
  return 'properties' in jsonSchema ? { ...jsonSchema, additionalProperties: false } : jsonSchema;
}

// A stored value as one attribute of DynamoDB: its JSON, readable in the console, and compressed where it is long. A plan
// of 500 instances shrinks to a tenth, and with it what each write costs; an item may have 400 KB in all.

import { gunzipSync, gzipSync } from 'node:zlib';
import * as v from 'valibot';
import type { Json } from '../canonical.ts';
import { AutopilotError } from '../errors.ts';

/** A text, or the Base64 of a gzip of it. */
export const packedValue = v.union([v.strictObject({ S: v.string() }), v.strictObject({ B: v.string() })]);
export type PackedValue = v.InferOutput<typeof packedValue>;

/** Bytes. Heads of runs stay below and can be read by people; the lists of a plan are above. */
const readable = 8 * 1024;
/** Bytes: DynamoDB's limit, less what keys and the other attributes take. */
const limit = 400 * 1024 - 4096;

/** Packs the JSON of a value. Throws AutopilotError `item_too_large`. */
export function packValue(json: string): PackedValue {
  if (Buffer.byteLength(json) <= readable) return { S: json };
  const zipped = gzipSync(json);
  if (zipped.length <= limit) return { B: zipped.toString('base64') };
  throw new AutopilotError(
    'item_too_large',
    `an item of ${zipped.length} bytes cannot be stored, ${limit} are allowed`,
  );
}

/** The value that was packed. */
export function unpackValue(packed: PackedValue): Json {
  // JSON.parse makes nothing but JSON: the text needs no further reading.
  const value: Json = JSON.parse('S' in packed ? packed.S : gunzipSync(Buffer.from(packed.B, 'base64')).toString());
  return value;
}

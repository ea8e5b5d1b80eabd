// YAML (or JSON, which is YAML) to plain data, with the line of every key and value. The parser's own sentences are used
// only where they cannot quote the text: what stands where a secret's name belongs may be the secret.

import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type Scalar,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import { AutopilotError } from '../errors.ts';

/** Keys and list positions from the top of the file. */
export type Path = readonly (string | number)[];

/** A fault with its line, counted from 1. */
export interface LineFault {
  readonly path: Path;
  readonly line: number;
  readonly message: string;
}

/** What stands in the file. `value` is plain data, `undefined` only where a fault says why. */
export interface YamlFile {
  readonly value: unknown;
  readonly faults: readonly LineFault[];
  /** Whether the value at `path` could not be read, for which there is a fault already. */
  readonly isLost: (path: Path) => boolean;
  /** The line of the key or value at `path`; of the nearest one above it where nothing is there. */
  readonly lineOf: (path: Path, part: 'key' | 'value') => number;
}

/** The text cannot be read as one YAML document at all; `faults` says why, and where. */
export class YamlSyntaxError extends AutopilotError {
  override readonly name = 'YamlSyntaxError';
  readonly faults: readonly LineFault[];

  constructor(faults: readonly LineFault[]) {
    super('yaml_invalid', faults.map(({ line, message }) => `${line}: ${message}`).join('\n'));
    this.faults = faults;
  }
}

const tooDeep = 'the values are nested too deeply';
/** Bytes of UTF-8. */
export const maxBytes = 1024 * 1024;
const maxDepth = 32;
const maxAliases = 100;
/** Aliases count with all that they stand for, so a small text cannot grow into a large value. */
const maxValues = 200_000;

interface Walk {
  readonly document: Document;
  readonly line: (offset: number) => number;
  readonly lines: Map<string, { readonly key: number; readonly value: number }>;
  readonly faults: LineFault[];
  readonly lost: Set<string>;
  readonly isText: (path: Path) => boolean;
  values: number;
  aliases: number;
}

/**
 * Reads one YAML 1.2 document (core schema: `yes` is a string). Plain numbers and booleans at paths for which `isText`
 * holds are taken as they are written (`1.10` stays `1.10`). Faults of single values are collected in the answer:
 * duplicate keys, names that JavaScript reserves, aliases that are unknown or too many. Throws YamlSyntaxError.
 */
export function readYaml(text: string, isText: (path: Path) => boolean): YamlFile {
  const lineCounter = new LineCounter();
  const line = (offset: number) => Math.max(1, lineCounter.linePos(offset).line);
  const document = onlyDocument(text, lineCounter, line);
  const walk: Walk = { document, line, lines: new Map(), faults: [], lost: new Set(), isText, values: 0, aliases: 0 };
  const value = read(document.contents, [], 1, walk);
  return {
    value,
    faults: walk.faults,
    isLost: (path) => walk.lost.has(JSON.stringify(path)),
    lineOf: (path, part) => lineOf(walk, path, part),
  };
}

function onlyDocument(text: string, lineCounter: LineCounter, line: (offset: number) => number): Document {
  if (new TextEncoder().encode(text).length > maxBytes) throw atLine(1, 'the file is larger than 1 MiB');
  const documents = parse(text, lineCounter);
  const [document, second] = documents;
  const problems = documents.flatMap((each) => [...each.errors, ...each.warnings]);
  if (problems.length > 0) throw new YamlSyntaxError(problems.map((problem) => syntaxFault(problem, line)));
  if (second) throw atLine(line(second.range[0]), 'the file holds more than one YAML document');
  if (document === undefined || isNothing(document.contents)) throw atLine(1, 'the file is empty');
  if (document.directives.yaml.version === '1.1') throw atLine(1, 'YAML 1.1 is not supported; remove the directive');
  return document;
}

function isNothing(contents: unknown): boolean {
  return contents === null || (isScalar(contents) && contents.value === null);
}

function parse(text: string, lineCounter: LineCounter) {
  const options = { lineCounter, prettyErrors: false, stringKeys: true, uniqueKeys: false, resolveKnownTags: false };
  const documents = parseAllDocuments(text, options);
  return 'empty' in documents ? [] : documents;
}

function atLine(line: number, message: string): YamlSyntaxError {
  return new YamlSyntaxError([{ path: [], line, message }]);
}

const ownSentences: Partial<Record<YAMLError['code'], string>> = {
  BAD_ALIAS: 'an alias or anchor without a usable name; put text that starts with * or & in quotes',
  BAD_COLLECTION_TYPE: 'a tag that does not fit its value',
  BAD_DIRECTIVE: 'a directive (%) that is not known',
  BAD_DQ_ESCAPE: 'an escape sequence (\\) that is not known; use single quotes for plain backslashes',
  BAD_SCALAR_START: 'text that starts with a reserved character; put it in quotes',
  NON_STRING_KEY: 'a key must be plain text',
  RESOURCE_EXHAUSTION: tooDeep,
  TAG_RESOLVE_FAILED: 'a tag (!) that is not known; put text that starts with ! in quotes',
  UNEXPECTED_TOKEN: 'this cannot stand here in YAML',
};

function syntaxFault(error: YAMLError, line: (offset: number) => number): LineFault {
  return { path: [], line: line(error.pos[0]), message: ownSentences[error.code] ?? error.message };
}

function read(node: unknown, path: Path, keyLine: number, walk: Walk): unknown {
  const line = isScalar(node) && node.source !== '' ? lineAt(node, keyLine, walk) : keyLine;
  walk.lines.set(JSON.stringify(path), { key: keyLine, value: line });
  walk.values += 1;
  if (walk.values > maxValues) return tooMany(walk);
  if (path.length > maxDepth) return lose(walk, path, keyLine, tooDeep);
  if (isAlias(node)) return readAlias(node, path, keyLine, walk);
  if (isMap(node)) return readMap(node, path, keyLine, walk);
  if (isSeq(node)) return node.items.map((item, at) => read(item, [...path, at], lineAt(item, keyLine, walk), walk));
  return isScalar(node) ? readScalar(node, path, walk) : null;
}

function readMap(map: YAMLMap, path: Path, keyLine: number, walk: Walk): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  const seen = new Map<string, number>();
  for (const { key, value } of map.items) {
    const name = String(isScalar(key) ? key.value : key);
    const line = lineAt(key, keyLine, walk);
    const place = [...path, name];
    const first = seen.get(name);
    seen.set(name, first ?? line);
    // The schema library passes such names over in silence, and a lookup by one finds a function.
    if (name in Object.prototype || name === 'prototype')
      fault(walk, place, line, 'this name is reserved; choose another');
    else if (first !== undefined) fault(walk, place, line, `duplicate key, first on line ${first}`);
    else result[name] = read(value, place, line, walk);
  }
  return result;
}

function readScalar(scalar: Scalar, path: Path, walk: Walk): unknown {
  const { value, source } = scalar;
  return (typeof value === 'number' || typeof value === 'boolean') && walk.isText(path) ? source : value;
}

function readAlias(alias: Alias, path: Path, keyLine: number, walk: Walk): unknown {
  walk.aliases += 1;
  if (walk.aliases > maxAliases) return lose(walk, path, keyLine, `more than ${maxAliases} aliases`);
  const node = alias.resolve(walk.document);
  if (node === undefined) return lose(walk, path, keyLine, 'an alias (*) without its anchor (&)');
  return read(node, path, keyLine, walk);
}

function tooMany(walk: Walk): undefined {
  if (walk.values === maxValues + 1) fault(walk, [], 1, `the file holds more than ${maxValues} values`);
}

function lose(walk: Walk, path: Path, line: number, message: string): undefined {
  walk.lost.add(JSON.stringify(path));
  fault(walk, path, line, message);
}

function fault(walk: Walk, path: Path, line: number, message: string): void {
  walk.faults.push({ path, line, message });
}

function lineAt(node: unknown, otherwise: number, walk: Walk): number {
  const offset = isNode(node) ? node.range?.[0] : undefined;
  return offset === undefined ? otherwise : walk.line(offset);
}

function lineOf(walk: Walk, path: Path, part: 'key' | 'value'): number {
  const found = walk.lines.get(JSON.stringify(path));
  if (found) return found[part];
  return path.length === 0 ? 1 : lineOf(walk, path.slice(0, -1), 'key');
}

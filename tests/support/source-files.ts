// The files of this checkout and the imports in them, for the tests that hold its rules.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** The top of this checkout. */
const root = join(import.meta.dirname, '../..');

const foreign = new Set(['node_modules', 'coverage', 'reports']);
const ownDotFiles = new Set(['.ci', '.npmrc', '.gitignore', '.gitattributes', '.editorconfig']);

/** One import in a file. */
export interface Import {
  /** A path from the top of the checkout for our own files, else what stands in the import: `valibot`, `node:fs`. */
  readonly to: string;
  /** Nothing of it is left when the program runs. */
  readonly typeOnly: boolean;
}

/** Every file of the project as a path from the top of the checkout; not what was installed, built or written by it. */
export function projectFiles(folder = ''): string[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    const isOwn = entry.name.startsWith('.') ? ownDotFiles.has(entry.name) : !foreign.has(entry.name);
    if (!isOwn) return [];
    return entry.isDirectory() ? projectFiles(path) : [path];
  });
}

/** The text of a file of the project. */
export function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** The code of a text: comments are left out. */
export function codeOf(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

// Statements as biome formats them: each begins a line, and names its module in single quotes.
const statement = /^(?:import|export)\s+(type\s)?(?:([^'";=]*?)\s+from\s+)?'([^']+)'/gm;
const call = /\bimport\(\s*'([^']+)'\s*\)/g;

/** Every import and re-export in a text, dynamic ones included. `path` is where relative ones begin. */
export function importsOf(path: string, text: string): Import[] {
  const statements = [...text.matchAll(statement)].map(([, type, names = '', to = '']) => ({
    to: resolve(path, to),
    typeOnly: type !== undefined || onlyTypes(names),
  }));
  const calls = [...text.matchAll(call)].map(([, to = '']) => ({ to: resolve(path, to), typeOnly: false }));
  return [...statements, ...calls];
}

/** The name under which a module is installed: `@scope/name` of `@scope/name/file.js`. */
export function packageOf(module: string): string {
  const [first = '', second = ''] = module.split('/');
  return first.startsWith('@') ? `${first}/${second}` : first;
}

function onlyTypes(names: string): boolean {
  const inBraces = /^\{(.*)\}$/s.exec(names.trim())?.[1];
  return inBraces?.split(',').every((name) => /^\s*(type\s|$)/.test(name)) ?? false;
}

function resolve(from: string, to: string): string {
  return to.startsWith('.') ? normalize(join(dirname(from), to)) : to;
}

/** Circles in a graph of imports, each as the files on it. */
export function circlesIn(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles: string[][] = [];
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): void => {
    const at = trail.indexOf(file);
    if (at >= 0) circles.push([...trail.slice(at), file]);
    if (at >= 0 || done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...trail, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return circles;
}

/**
 * The files and folders that a Markdown tree under `## Structure` names, as paths; undefined without such a tree. A line
 * names what stands in it before two spaces: `plan.ts  what to do`, `config.ts errors.ts`, `lib/huawei/`.
 */
export function structureOf(markdown: string): string[] | undefined {
  const tree = /^## Structure$(?:(?!^## )[\s\S])*?^```\w*\n([\s\S]*?)^```/m.exec(markdown)?.[1];
  if (tree === undefined) return undefined;
  const folders: { readonly indent: number; readonly path: string }[] = [];
  return tree.split('\n').flatMap((line) => {
    const bare = line.replace(/[│├└─]/g, ' ');
    const indent = bare.search(/\S/);
    if (indent < 0) return [];
    while ((folders.at(-1)?.indent ?? -1) >= indent) folders.pop();
    const parent = folders.at(-1)?.path ?? '';
    const names = namesIn(bare.trim()).map((name) => (/^(lib|functions)\//.test(name) ? name : parent + name));
    const folder = names.findLast((name) => name.endsWith('/'));
    if (folder !== undefined) folders.push({ indent, path: folder });
    return names;
  });
}

function namesIn(line: string): string[] {
  const [names = ''] = line.split(/\s{2,}/);
  const words = names.split(/,?\s+/);
  const end = words.findIndex((word) => !/^[\w./-]+(\/|\.[a-z]+)$/.test(word));
  return end < 0 ? words : words.slice(0, end);
}

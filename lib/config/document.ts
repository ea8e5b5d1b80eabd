// What every file that a user writes has in common: it is opened as YAML, and its faults are told all at once, each with
// its line.

import type * as v from 'valibot';
import { ConfigError, type ConfigFault } from '../errors.ts';
import type { ReferenceFault } from './plain.ts';
import { type LineFault, type Path, readYaml, type YamlFile, YamlSyntaxError } from './yaml.ts';

/** Opens the text of a file. Throws ConfigError where it is no YAML at all. `isText` is that of readYaml. */
export function openDocument(text: string, file: string, isText: (path: Path) => boolean): YamlFile {
  try {
    return readYaml(text, isText);
  } catch (error) {
    if (error instanceof YamlSyntaxError) throw faultsOf(error.faults, file);
    throw error;
  }
}

/** What is said where a schema has no sentence of its own: a key that is missing. */
export function missingOrMisplaced(issue: v.BaseIssue<unknown>): string {
  return issue.received === 'undefined' ? 'required' : 'this cannot stand here';
}

/** The faults of a value's shape. What could not be read is told once, not again as a value of the wrong kind. */
export function shapeFaults(issues: readonly v.BaseIssue<unknown>[], yaml: YamlFile): readonly LineFault[] {
  return issues.map((issue) => issueFault(issue, yaml)).filter(({ path }) => !yaml.isLost(path));
}

function issueFault(issue: v.BaseIssue<unknown>, yaml: YamlFile): LineFault {
  const path = (issue.path ?? []).map((item) => (typeof item.key === 'number' ? item.key : String(item.key)));
  const part = issue.path?.at(-1)?.origin === 'key' ? 'key' : 'value';
  return { path, line: yaml.lineOf(path, part), message: issue.message };
}

/** A fault with the line of the value that it is about. */
export function atItsLine({ path, message }: ReferenceFault, yaml: YamlFile): LineFault {
  return { path, line: yaml.lineOf(path, 'value'), message };
}

/** All faults as one error, in the order of their lines, each once. */
export function faultsOf(faults: readonly LineFault[], file: string): ConfigError {
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

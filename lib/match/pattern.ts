// Regular expressions of the configuration against values from outside. V8's engine backtracks, so that one label can
// hold a door until its time-out; RE2 takes time in proportion to the value, and re2js is RE2 in plain JavaScript.

import { RE2JS, RE2JSSyntaxException } from 're2js';
import { AutopilotError } from '../errors.ts';

/** Whether the whole value matches. */
export type Pattern = (value: string) => boolean;

/**
 * null for a pattern in the syntax of RE2 (https://github.com/google/re2/wiki/Syntax), as Prometheus has it, else one
 * sentence. There is no looking ahead or behind, no back-reference, and no repetition of more than 1,000.
 */
export function checkPattern(text: string): string | null {
  try {
    compile(text);
    return null;
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) return faultOf(text, error);
    throw error;
  }
}

/**
 * Compiles at the first use. A dot is any character, a line break too: else whoever writes one into a label would get
 * past `!~ "dev.*"`. Use throws AutopilotError `pattern_invalid` for what `checkPattern` refuses.
 */
export function patternOf(text: string): Pattern {
  let compiled: RE2JS | undefined;
  return (value) => {
    compiled ??= compileKnown(text);
    return compiled.testExact(value);
  };
}

function compileKnown(text: string): RE2JS {
  const fault = checkPattern(text);
  if (fault !== null) throw new AutopilotError('pattern_invalid', fault);
  return compile(text);
}

function compile(text: string): RE2JS {
  return RE2JS.compile(text, RE2JS.DOTALL);
}

function faultOf(text: string, error: RE2JSSyntaxException): string {
  const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return `${JSON.stringify(shown)} is not a regular expression of RE2: ${error.error}`;
}
